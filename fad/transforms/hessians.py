"""Hessians and products with them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from fad.core import pytree
from fad.core.errors import FadTypeError, check_callable, located
from fad.core.runs import outermost
from fad.primitives import arithmetic
from fad.primitives import shape as shapes
from fad.reverse.pullback import Recording, place
from fad.transforms.arguments import (
    Argnums,
    Inputs,
    Options,
    Selection,
    zeros_or_float0,
)
from fad.transforms.checks import check_chunk_size, scalar_output
from fad.transforms.jacobians import ChunkSize, Point
from fad.transforms.pushforward import directions_of, pushed, pushed_leaves, vjp


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

    Symmetry: for several leaves only the blocks on and above the diagonal are computed, the others
    are their transposes; each block on the diagonal is exactly symmetric.

    Args:
        f: function to a scalar.
        argnums: position(s) or name(s) of the arguments to differentiate.
        chunk_size, progress: as for :func:`fad.jacobian`.
        has_aux: ``f`` returns ``(result, aux)``; then so does the Hessian function.
        holomorphic: ``f`` is holomorphic: inputs and result are complex.
        allow_int: integer inputs get zeros of dtype float0 instead of an error.

    Returns:
        A function of the same arguments. For an argument of shape ``n`` it gives shape ``(*n,
        *n)``; for pytrees a tree of trees.

    Raises:
        FadTypeError: the result is not a scalar; use ``jacobian(jacobian(f))``.

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
    selection = Selection(transform, f, argnums)
    check_chunk_size(transform, chunk_size)

    def compute(args: Any, kwargs: Any) -> tuple[Any, Any, Any]:
        inputs = Inputs(selection, options, args, kwargs)
        return _at_point(Point(inputs, options, chunk_size, progress))

    return compute


def _at_point(point: Point) -> tuple[Any, Any, Any]:
    inputs, options = point.inputs, point.options
    recording, aux, out = _record_scalar(point)
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


def _all_inputs(transform: str, f: Any, primals: Any, usage: str, allow_int: bool) -> Inputs:
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


@outermost
def hvp(f: Callable[..., Any], primals: Any, tangents: Any, allow_int: bool = False) -> Any:
    """Hessian-vector product ``H v`` of a scalar-valued function, forward over reverse.

    Args:
        f: function to a scalar.
        primals: tuple of arguments, each a pytree.
        tangents: the vector, of the same structure, shapes and dtypes; None is zero.
        allow_int: integer primals get zeros of dtype float0 instead of an error.

    Returns:
        A tuple like ``primals``. Costs a small multiple of one evaluation of ``f``.

    >>> import fad
    >>> fad.hvp(lambda x, y: x * x * y, (1.0, 2.0), (1.0, 0.0))
    (fad.Tensor(4.), fad.Tensor(2.))
    """
    inputs = _all_inputs("hvp", f, primals, "(f, primals, tangents)", allow_int)
    given = directions_of("hvp", primals, tangents, inputs.avals, allow_int)
    given = [t for t, aval in zip(given, inputs.avals, strict=True) if aval.inexact]
    point = Point(inputs, Options(), None, False)
    recording, _, out = _record_scalar(point)
    place(given)

    def compute() -> list[Any]:
        again = recording.again([out], lambda tensors: [_call_scalar(point, tensors)[1]])
        return pushed_leaves(
            lambda tensors: _gradient(point, tensors, again), recording.values, given
        )

    key = ("hvp", tuple([t is None for t in given]))
    return inputs.gradient(recording.replayed(key, [out], compute))


@outermost
def vhp(f: Callable[..., Any], primals: Any, cotangents: Any, allow_int: bool = False) -> Any:
    """Vector-Hessian product ``v H`` of a scalar-valued function, reverse over reverse.

    Equal to :func:`hvp`, since Hessians are symmetric; the way to it is another.

    >>> import fad
    >>> fad.vhp(lambda x, y: x * x * y, (1.0, 2.0), (1.0, 0.0))
    (fad.Tensor(4.), fad.Tensor(2.))
    """
    inputs = _all_inputs("vhp", f, primals, "(f, primals, cotangents)", allow_int)
    given = directions_of("vhp", primals, cotangents, inputs.avals, allow_int, "cotangent")
    given = [c for c, aval in zip(given, inputs.avals, strict=True) if aval.inexact]
    point = Point(inputs, Options(), None, False)

    def gradient(*tensors: Any) -> list[Any]:
        return _gradient(point, tensors, lambda ts: [_call_scalar(point, ts)[1]])

    _, pullback = vjp(gradient, *inputs.wanted)
    return inputs.gradient(pullback(given))


@outermost
def gnvp(
    f: Callable[..., Any],
    primals: Any,
    tangents: Any,
    loss: Callable[[Any], Any] | None = None,
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
        allow_int: integer primals get zeros of dtype float0 instead of an error.

    Returns:
        A tuple like ``primals``.

    >>> import fad
    >>> import numpy as np
    >>> fad.gnvp(lambda x: np.stack([x, 2.0 * x]), (3.0,), (1.0,))
    (fad.Tensor(5.),)
    """
    inputs = _all_inputs("gnvp", f, primals, "(f, primals, tangents)", allow_int)
    given = directions_of("gnvp", primals, tangents, inputs.avals, allow_int)
    out, direction = pushed("gnvp", f, inputs.leaves, given, inputs.treedefs)
    if loss is not None:
        (direction,) = hvp(loss, (out,), (direction,))
    _, pullback = vjp(f, *primals, allow_int=allow_int)
    return pullback(direction)
