"""Shape: reshape, transpose, flip, roll, slice and pad. All linear; all parameters static."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jax import lax

from fad.core.apply import apply1
from fad.core.aval import Aval, Shape, make_aval
from fad.core.errors import FadValueError, located
from fad.core.primitive import Operation
from fad.primitives.declare import Sample, primitive
from fad.primitives.derivative import Linear


def _draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(2).normal(size=shape)


def _infer_reshape(x: Aval, *, shape: Shape) -> Aval:
    if math.prod(shape) != x.size:
        raise FadValueError(located(f"cannot reshape a tensor of shape {x.shape} into {shape}"))
    return make_aval(shape, x.dtype)


def _batch_reshape(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    return reshape(operands[0], (size, *operation.params["shape"])), True


def _simplify_reshape(
    operation: Operation, inputs: tuple[int, ...], definitions: Mapping[int, Any], avals: Any
) -> Any:
    """Two reshapes are one, or none."""
    inner = definitions.get(inputs[0])
    if inner is None or inner.operation.primitive is not RESHAPE:
        return None
    origin = inner.inputs[0]
    return (() if avals[origin].shape == operation.params["shape"] else (operation,)), origin


RESHAPE = primitive(
    "reshape",
    lambda x, *, shape: lax.reshape(x, shape),
    Linear([lambda g, aval: reshape(g, aval.shape)]),
    infer=_infer_reshape,
    batch=_batch_reshape,
    simplify=_simplify_reshape,
    samples=lambda: [
        Sample((_draw(2, 3),), {"shape": (3, 2)}),
        Sample((_draw(1),), {"shape": ()}),
        Sample((_draw(0, 3),), {"shape": (3, 0)}),
    ],
    reference=lambda x, *, shape: np.reshape(x, shape),
)


def reshape(x: Any, shape: Shape) -> Any:
    """The same elements in row-major order under another shape."""
    return x if x.aval.shape == shape else apply1(RESHAPE(shape=shape), x)


def inverse_permutation(axes: Sequence[int]) -> tuple[int, ...]:
    """The permutation that undoes ``axes``."""
    inverse = [0] * len(axes)
    for position, axis in enumerate(axes):
        inverse[axis] = position
    return tuple(inverse)


def _batch_transpose(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    axes = operation.params["axes"]
    return transpose(operands[0], (0, *[a + 1 for a in axes])), True


def _simplify_transpose(
    operation: Operation, inputs: tuple[int, ...], definitions: Mapping[int, Any], avals: Any
) -> Any:
    """Two transposes are one, or none."""
    inner = definitions.get(inputs[0])
    if inner is None or inner.operation.primitive is not TRANSPOSE:
        return None
    first = inner.operation.params["axes"]
    axes = tuple([first[a] for a in operation.params["axes"]])
    return (
        ((), inner.inputs[0])
        if axes == tuple(range(len(axes)))
        else ((TRANSPOSE(axes=axes),), inner.inputs[0])
    )


TRANSPOSE = primitive(
    "transpose",
    lambda x, *, axes: lax.transpose(x, axes),
    Linear([lambda g, *, axes: transpose(g, inverse_permutation(axes))]),
    infer=lambda x, *, axes: make_aval(tuple([x.shape[a] for a in axes]), x.dtype),
    batch=_batch_transpose,
    simplify=_simplify_transpose,
    samples=lambda: [
        Sample((_draw(2, 3),), {"axes": (1, 0)}),
        Sample((_draw(2, 3, 4),), {"axes": (1, 2, 0)}),
        Sample((_draw(2, 0, 4),), {"axes": (2, 0, 1)}),
        Sample((_draw(),), {"axes": ()}),
    ],
    reference=lambda x, *, axes: np.transpose(x, axes),
)


def transpose(x: Any, axes: Sequence[int]) -> Any:
    """Axis i of the result is axis ``axes[i]`` of ``x``: a permutation of 0 ... ndim - 1."""
    axes = tuple(axes)
    return x if axes == tuple(range(len(axes))) else apply1(TRANSPOSE(axes=axes), x)


def moved_axes(ndim: int, sources: Sequence[int], targets: Sequence[int]) -> tuple[int, ...]:
    """The permutation that moves axes ``sources`` to ``targets`` and keeps the others' order."""
    rest = iter([axis for axis in range(ndim) if axis not in sources])
    source_of = dict(zip(targets, sources, strict=True))
    return tuple([source_of[i] if i in source_of else next(rest) for i in range(ndim)])


def moveaxis(x: Any, source: int, target: int) -> Any:
    """``x`` with axis ``source`` moved to ``target``; both count from the front."""
    return transpose(x, moved_axes(x.aval.ndim, (source,), (target,)))


def expand_dims(x: Any, axes: Sequence[int]) -> Any:
    """``x`` with axes of length 1 inserted where the result's ``axes`` are."""
    kept = iter(x.aval.shape)
    ndim = x.aval.ndim + len(axes)
    return reshape(x, tuple([1 if i in axes else next(kept) for i in range(ndim)]))


def squeeze(x: Any, axes: Sequence[int]) -> Any:
    """``x`` without these axes, which have length 1."""
    return reshape(x, tuple([n for i, n in enumerate(x.aval.shape) if i not in axes]))


def _batch_flip(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    return flip(operands[0], tuple([a + 1 for a in operation.params["axes"]])), True


def _simplify_flip(
    operation: Operation, inputs: tuple[int, ...], definitions: Mapping[int, Any], avals: Any
) -> Any:
    """A flip of the same flip is none."""
    inner = definitions.get(inputs[0])
    return ((), inner.inputs[0]) if inner is not None and inner.operation is operation else None


FLIP = primitive(
    "flip",
    lambda x, *, axes: lax.rev(x, axes),
    Linear([lambda g, *, axes: flip(g, axes)]),
    infer=lambda x, *, axes: make_aval(x.shape, x.dtype),
    batch=_batch_flip,
    simplify=_simplify_flip,
    samples=lambda: [
        Sample((_draw(2, 3),), {"axes": (1,)}),
        Sample((_draw(2, 3),), {"axes": (0, 1)}),
        Sample((_draw(0, 3),), {"axes": (0,)}),
    ],
    reference=lambda x, *, axes: np.flip(x, axes),
)


def flip(x: Any, axes: Sequence[int]) -> Any:
    """``x`` with the order of elements along ``axes`` reversed."""
    return apply1(FLIP(axes=tuple(axes)), x) if axes else x


def _roll(x: Any, *, shifts: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    for shift, axis in zip(shifts, axes, strict=True):
        cut = x.shape[axis] - shift
        front = lax.slice_in_dim(x, cut, None, axis=axis)
        x = lax.concatenate([front, lax.slice_in_dim(x, 0, cut, axis=axis)], axis)
    return x


def _batch_roll(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    axes = operation.params["axes"]
    return roll(operands[0], operation.params["shifts"], [a + 1 for a in axes]), True


ROLL = primitive(
    "roll",
    _roll,
    Linear([lambda g, *, shifts, axes: roll(g, [-shift for shift in shifts], axes)]),
    infer=lambda x, *, shifts, axes: make_aval(x.shape, x.dtype),
    batch=_batch_roll,
    samples=lambda: [
        Sample((_draw(5),), {"shifts": (2,), "axes": (0,)}),
        Sample((_draw(3, 4),), {"shifts": (1, 3), "axes": (0, 1)}),
    ],
    reference=lambda x, *, shifts, axes: np.roll(x, shifts, axes),
)


def roll(x: Any, shifts: Sequence[int], axes: Sequence[int]) -> Any:
    """``x`` with element i along each of ``axes`` moved to i + shift, modulo the axis' length."""
    total: dict[int, int] = {}
    for shift, axis in zip(shifts, axes, strict=True):
        n = x.aval.shape[axis]
        total[axis] = (total.get(axis, 0) + shift) % n if n else 0
    moved = {axis: shift for axis, shift in sorted(total.items()) if shift}
    if not moved:
        return x
    return apply1(ROLL(shifts=tuple(moved.values()), axes=tuple(moved)), x)


def _infer_slice(x: Aval, *, start: Shape, limit: Shape, stride: Shape) -> Aval:
    spans = zip(start, limit, stride, strict=True)
    return make_aval(tuple([len(range(a, b, step)) for a, b, step in spans]), x.dtype)


def _batch_slice(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    p = operation.params
    limit = (size, *p["limit"])
    return slice_(operands[0], (0, *p["start"]), limit, (1, *p["stride"])), True


def _transpose_slice(g: Any, aval: Aval, *, start: Shape, limit: Shape, stride: Shape) -> Any:
    high = []
    for n, k, a, step in zip(aval.shape, g.aval.shape, start, stride, strict=True):
        high.append(n - a - (1 + (k - 1) * step if k else 0))
    return pad(g, start, high, [step - 1 for step in stride])


SLICE = primitive(
    "slice",
    lambda x, *, start, limit, stride: lax.slice(x, start, limit, stride),
    Linear([_transpose_slice]),
    infer=_infer_slice,
    batch=_batch_slice,
    samples=lambda: [
        Sample((_draw(5),), {"start": (1,), "limit": (4,), "stride": (1,)}),
        Sample((_draw(6, 2),), {"start": (1, 0), "limit": (6, 2), "stride": (2, 1)}),
        Sample((_draw(3),), {"start": (2,), "limit": (2,), "stride": (3,)}),
    ],
    reference=lambda x, *, start, limit, stride: x[
        tuple([slice(a, b, c) for a, b, c in zip(start, limit, stride, strict=True)])
    ],
    formula="x[start:limit:stride]",
)


def slice_(
    x: Any, start: Sequence[int], limit: Sequence[int], stride: Sequence[int] | None = None
) -> Any:
    """``x[start:limit:stride]`` along every axis, where 0 <= start <= limit <= length."""
    step = (1,) * len(start) if stride is None else tuple(stride)
    begin, end = tuple(start), tuple(limit)
    if end == x.aval.shape and not any(begin) and all(s == 1 for s in step):
        return x
    return apply1(SLICE(start=begin, limit=end, stride=step), x)


def slice_axis(x: Any, start: int, limit: int, stride: int = 1, axis: int = 0) -> Any:
    """``x[start:limit:stride]`` along one axis."""
    shape = x.aval.shape
    begin, end, step = [0] * len(shape), list(shape), [1] * len(shape)
    begin[axis], end[axis], step[axis] = start, limit, stride
    return slice_(x, begin, end, step)


def _infer_pad(x: Aval, *, low: Shape, high: Shape, interior: Shape) -> Aval:
    shape = []
    for n, a, b, c in zip(x.shape, low, high, interior, strict=True):
        shape.append(a + b + n + max(n - 1, 0) * c)
    return make_aval(tuple(shape), x.dtype)


def _batch_pad(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    p = operation.params
    return pad(operands[0], (0, *p["low"]), (0, *p["high"]), (0, *p["interior"])), True


def _transpose_pad(g: Any, *, low: Shape, high: Shape, interior: Shape) -> Any:
    if min(low) < 0 or min(high) < 0:
        g = pad(g, [max(-a, 0) for a in low], [max(-b, 0) for b in high])
    start = [max(a, 0) for a in low]
    limit = [n - max(b, 0) for n, b in zip(g.aval.shape, high, strict=True)]
    return slice_(g, start, limit, [c + 1 for c in interior])


def _pad(x: Any, *, low: Shape, high: Shape, interior: Shape) -> Any:
    zero = np.zeros((), x.dtype)
    return lax.pad(x, zero, list(zip(low, high, interior, strict=True)))


PAD = primitive(
    "pad",
    _pad,
    Linear([_transpose_pad]),
    infer=_infer_pad,
    batch=_batch_pad,
    samples=lambda: [
        Sample((_draw(3),), {"low": (1,), "high": (2,), "interior": (0,)}),
        Sample((_draw(3, 2),), {"low": (0, 1), "high": (0, 0), "interior": (2, 1)}),
        Sample((_draw(4),), {"low": (-1,), "high": (-2,), "interior": (1,)}),
        Sample((_draw(0, 2),), {"low": (2, 0), "high": (0, 1), "interior": (1, 0)}),
    ],
)


def pad(
    x: Any, low: Sequence[int], high: Sequence[int], interior: Sequence[int] | None = None
) -> Any:
    """``x`` with ``low`` zeros before, ``high`` after and ``interior`` between elements of an axis.

    Negative ``low`` and ``high`` cut off instead.
    """
    between = (0,) * len(low) if interior is None else tuple(interior)
    if not (any(low) or any(high) or any(between)):
        return x
    return apply1(PAD(low=tuple(low), high=tuple(high), interior=between), x)


from fad.primitives.join import concatenate, split, stack, unstack  # noqa: E402, F401
