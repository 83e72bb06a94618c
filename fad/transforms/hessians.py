"""Hessians and products with them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from fad.core import pytree
from fad.core.errors import FadTypeError, check_callable, located
from fad.core.runs import outermost
from fad.core.tensor import Tensor
from fad.primitives import arithmetic
from fad.primitives import shape as shapes
from fad.primitives.identity import materialized
from fad.reverse.pullback import Recording, place
from fad.transforms.arguments import (
    Argnums,
    Inputs,
    Options,
    Selection,
    zeros_or_float0,
)
from fad.transforms.checks import check_chunk_size, check_output, scalar_output
from fad.transforms.jacobians import ChunkSize, Point, computation
from fad.transforms.pushforward import directions_of, pulled_leaves, pushed, pushed_leaves, vjp

INSTEAD = "use fad.hvp for products, or make it a function of real and imaginary parts"
"""What to do about complex inputs of a Hessian."""


def hessian(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    chunk_size: ChunkSize = "auto",
    progress: bool = False,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable[..., Any]:
    """The Hessian of a scalar-valued function: forward mode over its gradient.

    Of any other function it gives the second derivatives: forward mode over its Jacobian.

    Symmetry: for several leaves only the blocks on and above the diagonal are computed, the others
    are their transposes; each block on the diagonal is exactly symmetric.

    Args:
        f: function to a scalar, or to tensors or pytrees.
        argnums: position(s) or name(s) of the arguments to differentiate.
        chunk_size, progress: as for :func:`fad.jacobian`.
        has_aux: ``f`` returns ``(result, aux)``; then so does the Hessian function.
        holomorphic: ``f`` is holomorphic: inputs and result are complex.
        allow_int: integer inputs get zeros of dtype float0 instead of an error.

    Returns:
        A function of the same arguments. For an argument of shape ``n`` it gives shape ``(*n,
        *n)``; for pytrees a tree of trees. A result of shape ``m`` puts its axes first, one that
        is a pytree its tree outside.

    >>> import fad
    >>> import numpy as np
    >>> fad.hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
    fad.Tensor([[4., 2.],
            [2., 0.]])
    """
    options = Options(has_aux, holomorphic, allow_int)
    compute = _computation("hessian", f, argnums, chunk_size, progress, options)

    @wraps(f)
    @outermost
    def hessian_of_f(*args: Any, **kwargs: Any) -> Any:
        value, _, result = compute(args, kwargs)
        return (result, value[1]) if has_aux else result

    return hessian_of_f


def value_grad_and_hessian(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    chunk_size: ChunkSize = "auto",
    progress: bool = False,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable[..., Any]:
    """Value, gradient and Hessian from one evaluation; arguments as for :func:`hessian`.

    Returns ``(value, gradient, hessian)``; with ``has_aux`` the value is ``(value, aux)``.

    >>> import fad
    >>> fad.value_grad_and_hessian(lambda x: x * x * x)(2.0)
    (fad.Tensor(8.), fad.Tensor(12.), fad.Tensor(12.))
    """
    options = Options(has_aux, holomorphic, allow_int)
    compute = _computation("value_grad_and_hessian", f, argnums, chunk_size, progress, options)

    @wraps(f)
    @outermost
    def value_grad_and_hessian_of_f(*args: Any, **kwargs: Any) -> Any:
        return compute(args, kwargs)

    return value_grad_and_hessian_of_f


def _computation(
    transform: str, f: Any, argnums: Argnums, chunk_size: Any, progress: bool, options: Options
) -> Callable[[Any, Any], tuple[Any, Any, Any]]:
    options = options._replace(instead=INSTEAD)
    selection = Selection(transform, f, argnums)
    check_chunk_size(transform, chunk_size)

    def compute(args: Any, kwargs: Any) -> tuple[Any, Any, Any]:
        point = Point(Inputs(selection, options, args, kwargs), options, chunk_size, progress)
        recording, leaves, treedef, aux = point.record()
        out = pytree.unflatten(treedef, leaves)
        if not isinstance(out, Tensor) or out.aval.shape != ():
            way = _computation_of_tensors(transform, f, argnums, chunk_size, progress, options)
            return way(args, kwargs)
        check_output(transform, out.aval, out, 0, options.holomorphic)
        return _at_point(point, recording, out, aux)

    return compute


def _computation_of_tensors(
    transform: str, f: Any, argnums: Argnums, chunk_size: Any, progress: bool, options: Options
) -> Callable[[Any, Any], tuple[Any, Any, Any]]:
    first = computation(transform, f, argnums, "reverse", chunk_size, False, options)

    @wraps(f)
    def slopes(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        value, result, aux = first(args, kwargs)
        return result, ((value, aux) if options.has_aux else value, result)

    with_aux = options._replace(has_aux=True)
    second = computation(transform, slopes, argnums, "forward", chunk_size, progress, with_aux)

    def compute(args: Any, kwargs: Any) -> tuple[Any, Any, Any]:
        _, result, (value, jacobian) = second(args, kwargs)
        return value, jacobian, result

    return compute


def _at_point(point: Point, recording: Recording, out: Any, aux: Any) -> tuple[Any, Any, Any]:
    inputs, options = point.inputs, point.options
    chunks = point.chunks(point.n)

    def compute() -> list[Any]:
        again = recording.again([out], lambda tensors: [_call_scalar(point, tensors)[1]])
        blocks, gradients = point.forward(
            lambda tensors: _gradient(point, tensors, again), recording.values, chunks
        )
        return gradients + [block for line in _symmetric(blocks) for block in line]

    if point.progress:
        flat = compute()
    else:
        flat = recording.replayed(("hessian", len(chunks)), [out], compute)
    count = len(point.in_avals)
    gradients, flat = flat[:count], flat[count:]
    lines = [flat[i * count : (i + 1) * count] for i in range(count)]
    value = recording.lower(out)
    if options.has_aux:
        value = value, pytree.map(recording.lower, aux)
    return value, inputs.gradient(gradients), inputs.nested(lines)


def _gradient(point: Point, tensors: Sequence[Any], again: Any) -> list[Any]:
    """Gradient leaves at tensors of any level; ``again`` is the function of tensors."""
    inner = Recording(point.inputs.selection.function, list(tensors), point.transform)
    try:
        (result,) = again(inner.tensors)
    finally:
        inner.close()
    gradients = inner.pull_from_ones(result)
    return [
        zeros_or_float0(a) if g is None else g
        for g, a in zip(gradients, point.in_avals, strict=True)
    ]


def _record_scalar(point: Point) -> tuple[Recording, Any, Any]:
    inputs = point.inputs
    selection = inputs.selection
    recording = Recording(selection.function, inputs.wanted, selection.transform, follow=True)
    try:
        aux, out = _call_scalar(point, recording.tensors)
    finally:
        recording.close()
    return recording, aux, out


def _call_scalar(point: Point, tensors: Sequence[Any]) -> tuple[Any, Any]:
    """aux and the scalar result of the user's function."""
    out, aux = point.evaluate(tensors)
    f = point.inputs.selection.function
    return aux, scalar_output(point.transform, f, out, point.options.holomorphic)


def _symmetric(blocks: list[list[Any]]) -> list[list[Any]]:
    """Blocks below the diagonal replaced by transposes of those above, diagonal ones mirrored.

    What is computed for a block that is replaced is dead code, and never run.
    """
    ranks = [line[i].ndim // 2 for i, line in enumerate(blocks)]
    for i, line in enumerate(blocks):
        for j in range(i):
            line[j] = _swapped(blocks[j][i], ranks[j], ranks[i])
        line[i:] = [materialized(block) for block in line[i:]]
        line[i] = _mirrored(line[i])
    return blocks


def _swapped(block: Any, first: int, second: int) -> Any:
    axes = (*range(first, first + second), *range(first))
    return shapes.transpose(block, axes) if first and second else block


def _mirrored(block: Any) -> Any:
    """The mean of a square block and its transpose."""
    n = math.prod(block.shape[: block.ndim // 2])
    if n < 2:
        return block
    square = shapes.reshape(block, (n, n))
    mean = arithmetic.mul(arithmetic.add(square, shapes.transpose(square, (1, 0))), 0.5)
    return shapes.reshape(mean, block.shape)


def _all_inputs(
    transform: str, f: Any, primals: Any, usage: str, allow_int: bool = False
) -> Inputs:
    check_callable(transform, f, usage)
    if not isinstance(primals, (tuple, list)):
        raise FadTypeError(
            located(
                f"{transform}: primals must be a tuple with one entry per argument, got "
                f"{type(primals).__name__}. Write (x,) for a single argument."
            )
        )
    selection = Selection(transform, f, tuple(range(len(primals))))
    return Inputs(selection, Options(allow_int=allow_int), tuple(primals), {})


Push = Callable[[Callable[[Sequence[Any]], list[Any]], Sequence[Any], Sequence[Any]], list[Any]]


@outermost
def hvp(
    f: Callable[..., Any],
    primals: Any,
    tangents: Any,
    has_aux: bool = False,
    allow_int: bool = False,
) -> Any:
    """Hessian-vector product ``H v`` of a scalar-valued function, forward over reverse.

    Args:
        f: function to a scalar.
        primals: tuple of arguments, each a pytree.
        tangents: the vector, of the same structure, shapes and dtypes; None is zero.
        has_aux: ``f`` returns ``(result, aux)``.
        allow_int: integer primals get zeros of dtype float0 instead of an error.

    Returns:
        A tuple like ``primals``, or with ``has_aux`` a pair of it and aux. Costs a small multiple
        of one evaluation of ``f``.

    >>> import fad
    >>> fad.hvp(lambda x, y: x * x * y, (1.0, 2.0), (1.0, 0.0))
    (fad.Tensor(4.), fad.Tensor(2.))
    """
    inputs = _all_inputs("hvp", f, primals, "(f, primals, tangents)", allow_int)
    given = directions_of("hvp", primals, tangents, inputs.avals, allow_int)
    return _product(inputs, given, pushed_leaves, has_aux)


@outermost
def vhp(
    f: Callable[..., Any],
    primals: Any,
    cotangents: Any,
    has_aux: bool = False,
    allow_int: bool = False,
) -> Any:
    """Vector-Hessian product ``v H`` of a scalar-valued function, reverse over reverse.

    Equal to :func:`hvp`, since Hessians are symmetric; the way to it is another.

    >>> import fad
    >>> fad.vhp(lambda x, y: x * x * y, (1.0, 2.0), (1.0, 0.0))
    (fad.Tensor(4.), fad.Tensor(2.))
    """
    inputs = _all_inputs("vhp", f, primals, "(f, primals, cotangents)", allow_int)
    given = directions_of("vhp", primals, cotangents, inputs.avals, allow_int, "cotangent")
    return _product(inputs, given, pulled_leaves, has_aux)


def _product(inputs: Inputs, directions: Sequence[Any], push: Push, has_aux: bool) -> Any:
    """The derivative of the gradient in these directions, one per leaf; ``push`` is the way."""
    given = [v for v, aval in zip(directions, inputs.avals, strict=True) if aval.inexact]
    point = Point(inputs, Options(has_aux), None, False)
    recording, aux, out = _record_scalar(point)
    place(given)

    def compute() -> list[Any]:
        again = recording.again([out], lambda tensors: [_call_scalar(point, tensors)[1]])
        return push(lambda tensors: _gradient(point, tensors, again), recording.values, given)

    key = (push, tuple([v is None for v in given]))
    result = inputs.gradient(recording.replayed(key, [out], compute))
    return (result, pytree.map(recording.lower, aux)) if has_aux else result


@outermost
def gnvp(
    f: Callable[..., Any],
    primals: Any,
    tangents: Any,
    loss: Callable[[Any], Any] | None = None,
    has_aux: bool = False,
    allow_int: bool = False,
) -> Any:
    """Gauss-Newton-vector product ``J' H J v``.

    ``J`` is the Jacobian of ``f`` and ``H`` the Hessian of ``loss`` at ``f``'s result; without a
    loss it is that of half the sum of squares, the identity.

    Args:
        f: function of the primals, for example the residuals of a fit.
        primals: tuple of arguments, each a pytree.
        tangents: the vector, of the same structure, shapes and dtypes; None is zero.
        loss: scalar-valued function of ``f``'s result.
        has_aux: ``f`` returns ``(result, aux)``; the loss is of the result alone.
        allow_int: integer primals get zeros of dtype float0 instead of an error.

    Returns:
        A tuple like ``primals``, or with ``has_aux`` a pair of it and aux.

    >>> import fad
    >>> import numpy as np
    >>> fad.gnvp(lambda x: np.stack([x, 2.0 * x]), (3.0,), (1.0,))
    (fad.Tensor(5.),)
    """
    inputs = _all_inputs("gnvp", f, primals, "(f, primals, tangents)", allow_int)
    given = directions_of("gnvp", primals, tangents, inputs.avals, allow_int)
    out, direction, *aux = pushed("gnvp", f, inputs.leaves, given, inputs.treedefs, has_aux)
    if loss is not None:
        check_callable("gnvp", loss, "(f, primals, tangents, loss)")
        outs = _all_inputs("the loss of gnvp", loss, (out,), "")
        given = directions_of("gnvp", (out,), (direction,), outs.avals)
        (direction,) = _product(outs, given, pushed_leaves, False)
    _, pullback, *_ = vjp(f, *primals, has_aux=has_aux, allow_int=allow_int)
    return (pullback(direction), *aux) if has_aux else pullback(direction)
