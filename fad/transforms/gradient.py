"""grad and value_and_grad."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

import numpy as np

from fad.core import pytree
from fad.core.aval import Aval
from fad.core.errors import FadTypeError, located
from fad.core.stream import abandon_run, begin_run, end_run
from fad.core.tensor import Tensor, lift
from fad.primitives.broadcast import full
from fad.reverse.pullback import Recording
from fad.transforms.arguments import (
    Argnums,
    Selection,
    check_complex,
    check_inexact,
    lift_leaves,
    named_leaves,
    output_leaves,
    replaced,
    split_aux,
    zeros_or_float0,
)


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
    Tensor([ 3., 12.])
    >>> fad.grad(lambda w, b: w * w + b, argnums=("w", "b"))(3.0, b=1.0)
    (Tensor(6.), Tensor(1.))
    """
    value_and_gradient = value_and_grad(f, argnums, has_aux, holomorphic, allow_int, "grad")

    @wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        begin_run()
        try:
            value, result = value_and_gradient.unfinished(args, kwargs)  # type: ignore[attr-defined]
            if has_aux:
                result = result, value[1]
            del value  # nobody reads it, so it is not computed
        except BaseException:
            abandon_run()
            raise
        end_run()
        return result

    return gradient


def value_and_grad(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
    _name: str = "value_and_grad",
) -> Callable[..., Any]:
    """Value and gradient of a scalar-valued function; arguments as for :func:`fad.grad`.

    Returns ``(value, gradient)``, or ``((value, aux), gradient)`` with ``has_aux``.

    >>> import fad
    >>> fad.value_and_grad(lambda x: x * x)(3.0)
    (Tensor(9.), Tensor(6.))
    """
    selection = Selection(_name, f, argnums)
    options = _Options(has_aux, holomorphic, allow_int)

    def unfinished(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
        return _value_and_gradient(selection, options, args, kwargs)

    @wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        begin_run()
        try:
            result = unfinished(args, kwargs)
        except BaseException:
            abandon_run()
            raise
        end_run()
        return result

    wrapped.unfinished = unfinished  # type: ignore[attr-defined]
    return wrapped


class _Options(NamedTuple):
    has_aux: bool
    holomorphic: bool
    allow_int: bool


def _value_and_gradient(
    selection: Selection, options: _Options, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, Any]:
    f = selection.function
    x = _one_float_array(selection, options, args)
    inputs = _Inputs(selection, options, args, kwargs) if x is None else None
    recording = Recording(f, [x] if inputs is None else inputs.wanted, selection.transform)
    try:
        if inputs is None:
            out = f(recording.tensors[0], *args[1:], **kwargs)
        else:
            new_args, new_kwargs = inputs.call(recording.tensors)
            out = f(*new_args, **new_kwargs)
    finally:
        recording.close()
    aux = None
    if options.has_aux:
        out, aux = split_aux(selection.transform, out)
    out = _scalar(selection, options, out)
    dtype = out.aval.dtype
    gradients = recording.pull_from_ones(out, lambda: full((), 1, dtype))
    value = recording.lower(out)
    if options.has_aux:
        value = value, pytree.map(recording.lower, aux)
    if inputs is None:
        assert x is not None
        gradient = gradients[0]
        return value, zeros_or_float0(x.aval) if gradient is None else gradient
    return value, inputs.gradient(gradients)


def _one_float_array(
    selection: Selection, options: _Options, args: tuple[Any, ...]
) -> Tensor | None:
    """The argument as a tensor in the commonest case: the first one, real, and not a container."""
    if selection.names != (0,) or not selection.single or options.holomorphic or not args:
        return None
    x = args[0]
    if x.__class__ is np.ndarray or x.__class__ is float:
        x = lift(x)
    if isinstance(x, Tensor) and x.aval.inexact and x.aval.dtype.kind != "c":
        return x
    return None


class _Inputs:
    """The arguments of one call, in general: trees of leaves, some of which are differentiated."""

    __slots__ = ("args", "avals", "kwargs", "leaves", "places", "selection", "treedefs", "wanted")

    def __init__(
        self, selection: Selection, options: _Options, args: Any, kwargs: dict[str, Any]
    ) -> None:
        transform = selection.transform
        self.selection = selection
        self.args, self.kwargs = args, kwargs
        self.places = selection.places(args, kwargs)
        trees = [args[p] if isinstance(p, int) else kwargs[p] for p in self.places]
        titles = [selection.title(p) for p in self.places]
        self.leaves, self.treedefs = lift_leaves(transform, titles, trees)
        self.avals: list[Aval] = [x.aval for x in self.leaves]
        named = named_leaves(titles, trees)
        self.wanted = []
        for title, leaf in zip(named, self.leaves, strict=True):
            if check_inexact(transform, title, leaf.aval, options.allow_int):
                check_complex(transform, title, leaf.aval, options.holomorphic)
                self.wanted.append(leaf)

    def call(self, tensors: list[Any]) -> tuple[list[Any], dict[str, Any]]:
        """The arguments with the wanted leaves replaced by tensors of the tape."""
        remaining = iter(tensors)
        leaves = [next(remaining) if a.inexact else x for a, x in zip(self.avals, self.leaves, strict=True)]
        return replaced(self.args, self.kwargs, self.places, self._trees(leaves))

    def _trees(self, leaves: list[Any]) -> list[Any]:
        trees, start = [], 0
        for treedef in self.treedefs:
            stop = start + treedef.num_leaves
            trees.append(pytree.unflatten(treedef, leaves[start:stop]))
            start = stop
        return trees

    def gradient(self, gradients: list[Any]) -> Any:
        """The result: one tree, or a tuple of trees, of the wanted leaves' cotangents."""
        remaining = iter(gradients)
        leaves = []
        for aval in self.avals:
            g = next(remaining) if aval.inexact else None
            leaves.append(zeros_or_float0(aval) if g is None else g)
        trees = self._trees(leaves)
        return trees[0] if self.selection.single else tuple(trees)


def _scalar(selection: Selection, options: _Options, out: Any) -> Tensor:
    """The function's result if its gradient is defined, or the error that says what to use."""
    transform = selection.transform
    if not isinstance(out, Tensor):
        leaves, _ = output_leaves(transform, selection.function, out)
        if len(leaves) != 1 or isinstance(out, (list, tuple, dict)):
            raise FadTypeError(
                located(
                    f"{transform} requires a scalar-output function, but it returned a "
                    f"{type(out).__name__}. Return one scalar (and the rest with has_aux=True), or "
                    "use fad.jacobian or fad.vjp."
                )
            )
        out = leaves[0]
    if out.aval.shape != ():
        raise FadTypeError(
            located(
                f"Gradient only defined for scalar-output functions; output had shape: "
                f"{out.aval.shape}. Reduce it to a scalar, for example with .sum(), or use "
                "fad.jacobian (all derivatives) or fad.vjp (with a cotangent)."
            )
        )
    if options.holomorphic:
        if out.aval.dtype.kind != "c":
            raise FadTypeError(
                located(
                    f"{transform} with holomorphic=True requires complex-valued outputs, but the "
                    f"output is {out.aval}. Drop holomorphic=True for a real-valued function."
                )
            )
    elif out.aval.dtype.kind == "c":
        raise FadTypeError(
            located(
                f"{transform} requires real-valued outputs, but the output is {out.aval}. For a "
                "holomorphic function pass holomorphic=True; else differentiate its real part, "
                "imaginary part or absolute value, or use fad.vjp."
            )
        )
    elif not out.aval.inexact:
        raise FadTypeError(
            located(
                f"{transform} requires real-valued outputs (output dtype that is a sub-dtype of "
                f"np.floating), but the output is {out.aval}, which has no derivative."
            )
        )
    return out  # type: ignore[no-any-return]
