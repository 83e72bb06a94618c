"""Join and part: concatenate and split, stack and unstack, which are each other's transposes.

``concatenate`` and ``stack`` take any number of operands, which they convert to one dtype, so that
each is one operation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from jax import lax

from fad.core import dtypes
from fad.core.apply import apply
from fad.core.aval import Aval, Shape, make_aval
from fad.core.dtypes import DType
from fad.core.errors import FadValueError, located
from fad.core.primitive import Operation
from fad.core.tensor import aval_of, lift
from fad.primitives.declare import Sample, primitive
from fad.primitives.derivative import Linear, Variadic

BLOCK = 16
"""Rows that one operation hands out at most: XLA needs about 7 ms for each."""


def _draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).normal(size=shape)


def _common_dtype(avals: Sequence[Aval]) -> DType:
    return dtypes.result_type(tuple([(a.dtype, a.weak) for a in avals]))[0]


def _converted(operands: Sequence[Any], dtype: DType) -> list[Any]:
    return [x if x.dtype == dtype else lax.convert_element_type(x, dtype) for x in operands]


def _wanted_slice(g: Any, start: int, size: int, aval: Aval, axis: int) -> Any:
    return broadcast.convert(slice_axis(g, start, start + size, 1, axis), aval.dtype)


def _transpose_concatenate(
    g: Any, avals: Sequence[Aval], held: Any, wanted: Sequence[bool], *, axis: int, dtype: DType
) -> list[Any]:
    sizes = [aval.shape[axis] for aval in avals]
    if sum(wanted) == 1:
        i = wanted.index(True)
        return [None] * i + [_wanted_slice(g, sum(sizes[:i]), sizes[i], avals[i], axis)]
    parts = split(g, sizes, axis)
    return [
        broadcast.convert(part, aval.dtype) if want else None
        for part, aval, want in zip(parts, avals, wanted, strict=False)
    ]


def _infer_concatenate(*avals: Aval, axis: int, dtype: DType) -> Aval:
    first = avals[0].shape
    rest = (*first[:axis], *first[axis + 1 :])
    for i, aval in enumerate(avals):
        if len(aval.shape) != len(first) or (*aval.shape[:axis], *aval.shape[axis + 1 :]) != rest:
            raise FadValueError(
                located(
                    f"concatenate: all shapes must agree except along axis {axis}, but operand 0 "
                    f"has shape {first} and operand {i} has shape {aval.shape}"
                )
            )
    total = sum([aval.shape[axis] for aval in avals])
    return make_aval((*first[:axis], total, *first[axis + 1 :]), dtype)


def _all_batched(size: int, operands: Sequence[Any], batched: Sequence[bool]) -> list[Any]:
    return [
        x if b else broadcast.broadcast_to(lift(x), (size, *aval_of(x).shape))
        for x, b in zip(operands, batched, strict=True)
    ]


def _batch_concatenate(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    return concatenate(_all_batched(size, operands, batched), operation.params["axis"] + 1), True


CONCATENATE = primitive(
    "concatenate",
    lambda *xs, axis, dtype: lax.concatenate(_converted(xs, dtype), axis),
    Variadic(_transpose_concatenate),
    infer=_infer_concatenate,
    batch=_batch_concatenate,
    samples=lambda: [
        Sample((_draw(2), _draw(3), _draw(1)), {"axis": 0, "dtype": dtypes.float64}),
        Sample((_draw(2, 1), _draw(2, 0)), {"axis": 1, "dtype": dtypes.float64}),
        Sample((np.arange(2), _draw(2)), {"axis": 0, "dtype": dtypes.float64}),
    ],
    reference=lambda *xs, axis, dtype: np.concatenate(xs, axis).astype(dtype),
)


def concatenate(xs: Sequence[Any], axis: int, dtype: DType | None = None) -> Any:
    """The tensors ``xs`` joined along an axis they have; ``dtype`` is their common one if None."""
    if dtype is None:
        dtype = _common_dtype([x.aval for x in xs])
    if len(xs) == 1:
        return broadcast.convert(xs[0], dtype)
    return apply(CONCATENATE(axis=axis, dtype=dtype), *xs)


def _offsets(sizes: Sequence[int]) -> list[int]:
    return [sum(sizes[:i]) for i in range(len(sizes))]


def _split(x: Any, *, sizes: Shape, axis: int) -> tuple[Any, ...]:
    spans = zip(_offsets(sizes), sizes, strict=True)
    return tuple([lax.slice_in_dim(x, start, start + n, axis=axis) for start, n in spans])


def _infer_split(x: Aval, *, sizes: Shape, axis: int) -> tuple[Aval, ...]:
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    return tuple([make_aval((*before, n, *after), x.dtype) for n in sizes])


def _transpose_split(g: list[Any], aval: Aval, *, sizes: Shape, axis: int) -> Any:
    parts = _infer_split(aval, sizes=sizes, axis=axis)
    present = [i for i, part in enumerate(g) if part is not None]
    if len(present) == 1:
        (i,) = present
        low, high = [0] * aval.ndim, [0] * aval.ndim
        low[axis], high[axis] = sum(sizes[:i]), sum(sizes[i + 1 :])
        return pad(g[i], low, high)
    filled = [broadcast.zeros(a) if c is None else c for c, a in zip(g, parts, strict=True)]
    return concatenate(filled, axis)


def _batch_split(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    return split(operands[0], operation.params["sizes"], operation.params["axis"] + 1), True


SPLIT = primitive(
    "split",
    _split,
    Linear([_transpose_split]),
    infer=_infer_split,
    batch=_batch_split,
    multiple=True,
    compile_cost=10.0,
    samples=lambda: [
        Sample((_draw(5),), {"sizes": (2, 0, 3), "axis": 0}),
        Sample((_draw(2, 3),), {"sizes": (1, 2), "axis": 1}),
    ],
    reference=lambda x, *, sizes, axis: tuple(np.split(x, np.cumsum(sizes)[:-1], axis)),
)


def split(x: Any, sizes: Sequence[int], axis: int) -> tuple[Any, ...]:
    """Consecutive parts of ``x`` with these lengths along ``axis``, which they cover."""
    if len(sizes) == 1:
        return (x,)
    result: tuple[Any, ...] = apply(SPLIT(sizes=tuple(sizes), axis=axis), x)
    return result


def _stack(*xs: Any, axis: int, dtype: DType) -> Any:
    return lax.concatenate([lax.expand_dims(x, (axis,)) for x in _converted(xs, dtype)], axis)


def _infer_stack(*avals: Aval, axis: int, dtype: DType) -> Aval:
    first = avals[0].shape
    for i, aval in enumerate(avals):
        if aval.shape != first:
            raise FadValueError(
                located(
                    f"stack: all shapes must be equal, but operand 0 has shape {first} "
                    f"and operand {i} has shape {aval.shape}"
                )
            )
    return make_aval((*first[:axis], len(avals), *first[axis:]), dtype)


def _transpose_stack(
    g: Any, avals: Sequence[Aval], held: Any, wanted: Sequence[bool], *, axis: int, dtype: DType
) -> list[Any]:
    if sum(wanted) == 1:
        i = wanted.index(True)
        part = _wanted_slice(g, i, 1, avals[i], axis)
        return [None] * i + [reshape(part, avals[i].shape)]
    return [
        broadcast.convert(part, aval.dtype) if want else None
        for part, aval, want in zip(unstack(g, axis), avals, wanted, strict=False)
    ]


def _batch_stack(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    p = operation.params
    whole = STACK(axis=p["axis"] + 1, dtype=p["dtype"])
    return apply(whole, *_all_batched(size, operands, batched)), True


STACK = primitive(
    "stack",
    _stack,
    Variadic(_transpose_stack),
    infer=_infer_stack,
    batch=_batch_stack,
    samples=lambda: [
        Sample((_draw(2), _draw(2), _draw(2)), {"axis": 0, "dtype": dtypes.float64}),
        Sample((_draw(2), _draw(2)), {"axis": 1, "dtype": dtypes.float64}),
        Sample((_draw(), np.array(3)), {"axis": 0, "dtype": dtypes.float64}),
        Sample((_draw(0), _draw(0)), {"axis": 1, "dtype": dtypes.float64}),
    ],
    reference=lambda *xs, axis, dtype: np.stack(xs, axis).astype(dtype),
)


def stack(xs: Sequence[Any], axis: int = 0, dtype: DType | None = None) -> Any:
    """Tensors and Python scalars of one shape, joined along a new axis.

    They are converted to ``dtype``: by default their common one, in which scalars are weak.
    """
    if dtype is None:
        dtype = _common_dtype([aval_of(x) for x in xs])
    return apply(STACK(axis=axis, dtype=dtype), *xs)


def _unstack(x: Any, *, axis: int) -> tuple[Any, ...]:
    return tuple([lax.index_in_dim(x, i, axis, keepdims=False) for i in range(x.shape[axis])])


def _infer_unstack(x: Aval, *, axis: int) -> tuple[Aval, ...]:
    part = make_aval((*x.shape[:axis], *x.shape[axis + 1 :]), x.dtype)
    return (part,) * x.shape[axis]


def _transpose_unstack(g: list[Any], aval: Aval, *, axis: int) -> Any:
    present = [i for i, part in enumerate(g) if part is not None]
    if len(present) == 1:
        (i,) = present
        low, high = [0] * aval.ndim, [0] * aval.ndim
        low[axis], high[axis] = i, len(g) - i - 1
        return pad(expand_dims(g[i], (axis,)), low, high)
    zero = broadcast.zeros(g[present[0]].aval) if len(present) < len(g) else None
    return stack([zero if part is None else part for part in g], axis)


def _batch_unstack(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    return unstack(operands[0], operation.params["axis"] + 1), True


UNSTACK = primitive(
    "unstack",
    _unstack,
    Linear([_transpose_unstack]),
    infer=_infer_unstack,
    batch=_batch_unstack,
    multiple=True,
    compile_cost=20.0,
    samples=lambda: [
        Sample((_draw(3),), {"axis": 0}),
        Sample((_draw(2, 3),), {"axis": 1}),
        Sample((_draw(1, 0),), {"axis": 0}),
    ],
    reference=lambda x, *, axis: tuple(np.moveaxis(x, axis, 0)),
)


def unstack(x: Any, axis: int = 0) -> tuple[Any, ...]:
    """The parts of ``x`` along ``axis``, without that axis."""
    n = x.aval.shape[axis]
    if n <= BLOCK:
        result: tuple[Any, ...] = apply(UNSTACK(axis=axis), x) if n else ()
        return result
    return tuple(rows(moveaxis(x, axis, 0)))


def rows(x: Any) -> Iterator[Any]:
    """The parts of ``x`` along axis 0, taken out block by block as they are asked for."""
    n = x.aval.shape[0]
    for start in range(0, n, BLOCK):
        size = min(BLOCK, n - start)
        block = x if size == n else gather.window(x, start, size, 0)
        yield from apply(UNSTACK(axis=0), block)


from fad.primitives import broadcast, gather  # noqa: E402
from fad.primitives.shape import expand_dims, moveaxis, pad, reshape, slice_axis  # noqa: E402
