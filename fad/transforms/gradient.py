"""grad and value_and_grad."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from fad.core import pytree
from fad.core.runs import outermost
from fad.core.tensor import Tensor
from fad.reverse.pullback import Recording
from fad.transforms.arguments import (
    Argnums,
    Inputs,
    Options,
    Selection,
    zeros_or_float0,
)
from fad.transforms.checks import scalar_output, split_aux


def grad(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable[..., Any]:
    """The gradient of a scalar-valued function, by reverse mode.

    Args:
        f: function whose result is a scalar tensor (shape ``()``), or with ``has_aux`` a pair of
            that and anything else.
        argnums: position(s) or name(s) of the arguments to differentiate; each may be a pytree.
        has_aux: the gradient function then returns ``(gradient, aux)``.
        holomorphic: ``f`` is holomorphic: inputs and result are complex.
        allow_int: integer inputs get a zero of dtype float0 instead of an error.

    Returns:
        A function of the same arguments that gives the gradient, in the tree structure, shapes and
        dtypes of the differentiated argument (a tuple of them if ``argnums`` is a tuple).

    Raises:
        FadTypeError: the result is not a real scalar (use :func:`fad.jacobian`), or an input is
            not inexact.

    >>> import fad
    >>> import numpy as np
    >>> fad.grad(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    fad.Tensor([ 3., 12.])
    >>> fad.grad(lambda w, b: w * w + b, argnums=("w", "b"))(3.0, b=1.0)
    (fad.Tensor(6.), fad.Tensor(1.))
    """
    selection = Selection("grad", f, argnums)
    options = Options(has_aux, holomorphic, allow_int)

    @wraps(f)
    @outermost
    def gradient(*args: Any, **kwargs: Any) -> Any:
        recording, _, aux, result = _gradient(selection, options, args, kwargs)
        return (result, pytree.map(recording.lower, aux)) if has_aux else result

    return gradient


def value_and_grad(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable[..., Any]:
    """Value and gradient of a scalar-valued function; arguments as for :func:`fad.grad`.

    Returns ``(value, gradient)``, or ``((value, aux), gradient)`` with ``has_aux``.

    >>> import fad
    >>> fad.value_and_grad(lambda x: x * x)(3.0)
    (fad.Tensor(9.), fad.Tensor(6.))
    """
    selection = Selection("value_and_grad", f, argnums)
    options = Options(has_aux, holomorphic, allow_int)

    @wraps(f)
    @outermost
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        recording, out, aux, result = _gradient(selection, options, args, kwargs)
        value = recording.lower(out)
        return ((value, pytree.map(recording.lower, aux)) if has_aux else value), result

    return value_and_gradient


def _gradient(
    selection: Selection, options: Options, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Recording, Tensor, Any, Any]:
    """The tape, the function's result and aux on it, and the gradient."""
    f = selection.function
    inputs = None
    values = None if options.holomorphic else selection.real_arrays(args)
    if values is None:
        inputs = Inputs(selection, options, args, kwargs)
        values = inputs.wanted
    recording = Recording(f, values, selection.transform, follow=True)
    try:
        if inputs is None:
            new_args = list(args)
            for position, tensor in zip(selection.positions, recording.tensors, strict=True):
                new_args[position] = tensor
            out = f(*new_args, **kwargs)
        else:
            new_args, new_kwargs = inputs.call(recording.tensors)
            out = f(*new_args, **new_kwargs)
    finally:
        recording.close()
    aux = None
    if options.has_aux:
        out, aux = split_aux(selection.transform, f, out)
    out = scalar_output(selection.transform, f, out, options.holomorphic)
    gradients = recording.pull_from_ones(out)
    if inputs is not None:
        return recording, out, aux, inputs.gradient(gradients)
    for i, gradient in enumerate(gradients):
        if gradient is None:
            gradients[i] = zeros_or_float0(values[i].aval)
    return recording, out, aux, gradients[0] if selection.single else tuple(gradients)
