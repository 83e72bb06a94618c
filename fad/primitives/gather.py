"""Gather: elements and windows at computed places, and the way back, ``spread``.

Index operands are integers or arrays of them, which broadcast together; they enter at run time, so
that ``x[i]`` in a loop over i is one program. A ``Selection`` says which axes they address. A
scalar index becomes a dynamic slice, arrays a gather, and the way back a dynamic update or one
scatter-add.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from jax import lax

from fad.core.apply import apply
from fad.core.aval import Aval, Shape, make_aval
from fad.core.errors import FadIndexError, located
from fad.core.primitive import Operation
from fad.core.tensor import aval_of, lift
from fad.primitives import broadcast
from fad.primitives.declare import Sample, broadcast_shapes, primitive
from fad.primitives.derivative import Variadic
from fad.primitives.shape import expand_dims, moveaxis, reshape

Mode = Literal["checked", "clip", "fill"]


class Selection(NamedTuple):
    """Which elements of a tensor some index operands select, and where they go in the result.

    Attributes:
        axes: the axis that each index operand addresses.
        sizes: for each of them, None to pick one element and drop the axis, or the length of the
            window that starts at the index.
        position: where the axes of the indices stand among those of the tensor that remain.
        batch: how many leading axes tensor and indices have in common.
        mode: indices are "checked", or out of bounds they "clip" to the nearest valid one, or read
            zeros and write nothing ("fill").
        unique: no element is selected twice.
    """

    axes: tuple[int, ...]
    sizes: tuple[int | None, ...]
    position: int = 0
    batch: int = 0
    mode: Mode = "clip"
    unique: bool = False

    def __str__(self) -> str:
        picks = ["i" if size is None else f"i:i+{size}" for size in self.sizes]
        return ",".join([f"{axis}@{pick}" for axis, pick in zip(self.axes, picks)])

    def window(self, shape: Shape) -> list[int]:
        """Length along each axis of what one index selects."""
        lengths = [1] * self.batch + list(shape[self.batch :])
        for axis, size in zip(self.axes, self.sizes):
            lengths[axis] = 1 if size is None else size
        return lengths

    @property
    def dropped(self) -> tuple[int, ...]:
        """The axes of which one element is picked."""
        return tuple(sorted([a for a, size in zip(self.axes, self.sizes) if size is None]))

    def rest(self, shape: Shape) -> list[int]:
        """Length of each axis that remains, those in common excepted."""
        lengths = self.window(shape)
        gone = set(self.dropped)
        return [lengths[i] for i in range(self.batch, len(shape)) if i not in gone]

    def shape(self, shape: Shape, indices: Shape) -> Shape:
        """Shape of what is selected from a tensor of this shape by indices of that shape."""
        rest = self.rest(shape)
        inner = [*rest[: self.position], *indices[self.batch :], *rest[self.position :]]
        return (*shape[: self.batch], *inner)

    def offset_dims(self, shape: Shape, rank: int) -> tuple[int, ...]:
        """Which axes of the result are not the indices', which have ``rank`` axes."""
        first = self.batch
        count = len(self.rest(shape))
        middle = rank - self.batch
        shifts = [0 if i < self.position else middle for i in range(count)]
        return tuple([first + i + shift for i, shift in enumerate(shifts)])

    def beneath(self) -> Selection:
        """The same selection from a tensor with one more axis, behind those in common."""
        axes = tuple([a + 1 for a in self.axes])
        return self._replace(axes=axes, position=self.position + 1)

    def paired(self) -> Selection:
        """The same selection where tensor and indices have a leading batch axis each."""
        return self._replace(axes=tuple([a + 1 for a in self.axes]), batch=self.batch + 1)


# ---------------------------------------------------------------------------------------- kernels


def starts_of(selection: Selection, shape: Shape, indices: Sequence[Any]) -> Any:
    """The indices broadcast, negative ones counted from the end, along a new last axis."""
    common = np.broadcast_shapes(*[i.shape for i in indices])
    starts = []
    for axis, i in zip(selection.axes, indices):
        i = lax.convert_element_type(i, np.int64)
        if selection.mode != "checked":
            i = lax.select(i < 0, i + shape[axis], i)
        leading = range(len(common) - i.ndim, len(common))
        starts.append(_broadcast(i, common, tuple(leading)))
    if len(starts) == 1:
        return lax.expand_dims(starts[0], (len(common),))
    return lax.concatenate([lax.expand_dims(s, (len(common),)) for s in starts], len(common))


def _broadcast(i: Any, shape: Shape, leading: tuple[int, ...]) -> Any:
    kept = [k for k, n in enumerate(i.shape) if n == shape[leading[k]]]
    if len(kept) < i.ndim:
        i = lax.reshape(i, [i.shape[k] for k in kept])
    return lax.broadcast_in_dim(i, shape, [leading[k] for k in kept])


def lax_mode(selection: Selection) -> Any:
    """The mode under its name in the kernel language."""
    modes = lax.GatherScatterMode
    return {
        "checked": modes.PROMISE_IN_BOUNDS,
        "clip": modes.CLIP,
        "fill": modes.FILL_OR_DROP,
    }[selection.mode]


def is_window(selection: Selection, indices: Sequence[Any]) -> bool:
    """Whether it is one window, that of scalar indices."""
    return selection.batch == 0 and all(i.ndim == 0 for i in indices)


def window_starts(selection: Selection, shape: Shape, indices: Sequence[Any]) -> list[Any]:
    """Where one window starts along each axis."""
    starts: list[Any] = [np.int64(0)] * len(shape)
    for axis, i in zip(selection.axes, indices):
        i = lax.convert_element_type(i, np.int64)
        starts[axis] = i if selection.mode == "checked" else lax.select(i < 0, i + shape[axis], i)
    return starts


def window_inside(selection: Selection, shape: Shape, starts: Sequence[Any]) -> Any:
    """Whether one window lies within the tensor."""
    inside = np.True_
    for axis in selection.axes:
        last = shape[axis] - selection.window(shape)[axis]
        inside = inside & (starts[axis] >= 0) & (starts[axis] <= last)
    return inside


def update_window(
    selection: Selection, x: Any, indices: Sequence[Any], change: Any, update: Any
) -> Any:
    """``x`` with one window replaced by ``change(window, update)``."""
    starts = window_starts(selection, x.shape, indices)
    lengths = selection.window(x.shape)
    update = lax.reshape(update, lengths)
    old = lax.dynamic_slice(x, starts, lengths, allow_negative_indices=False)
    new = change(old, update)
    if selection.mode == "fill":
        inside = lax.broadcast(window_inside(selection, x.shape, starts), lengths)
        new = lax.select(inside, new, old)
    return lax.dynamic_update_slice(x, new, starts, allow_negative_indices=False)


def _gather(x: Any, *indices: Any, selection: Selection) -> Any:
    lengths = selection.window(x.shape)
    common = np.broadcast_shapes(*[i.shape for i in indices])
    shape = selection.shape(x.shape, common)
    if 0 in shape:
        return lax.full(shape, 0, x.dtype)
    if is_window(selection, indices):
        starts = window_starts(selection, x.shape, indices)
        out = lax.dynamic_slice(x, starts, lengths, allow_negative_indices=False)
        out = lax.reshape(out, shape)
        if selection.mode != "fill":
            return out
        inside = lax.broadcast(window_inside(selection, x.shape, starts), shape)
        return lax.select(inside, out, lax.full_like(out, 0))
    shared = tuple(range(selection.batch))
    numbers = lax.GatherDimensionNumbers(
        offset_dims=selection.offset_dims(x.shape, len(common)),
        collapsed_slice_dims=selection.dropped,
        start_index_map=selection.axes,
        operand_batching_dims=shared,
        start_indices_batching_dims=shared,
    )
    starts = starts_of(selection, x.shape, indices)
    fill = 0 if selection.mode == "fill" else None
    return lax.gather(x, starts, numbers, lengths, mode=lax_mode(selection), fill_value=fill)


def scatter_numbers(selection: Selection, shape: Shape, rank: int) -> Any:
    """How the axes of a scatter correspond, for indices with ``rank`` axes."""
    shared = tuple(range(selection.batch))
    return lax.ScatterDimensionNumbers(
        update_window_dims=selection.offset_dims(shape, rank),
        inserted_window_dims=selection.dropped,
        scatter_dims_to_operand_dims=selection.axes,
        operand_batching_dims=shared,
        scatter_indices_batching_dims=shared,
    )


def scatter_by(
    scatter: Any, selection: Selection, x: Any, updates: Any, indices: Sequence[Any]
) -> Any:
    """``scatter``, one of the kernel language's, for a selection."""
    if 0 in updates.shape or 0 in x.shape:
        return x
    starts = starts_of(selection, x.shape, indices)
    numbers = scatter_numbers(selection, x.shape, starts.ndim - 1)
    return scatter(
        x, starts, updates, numbers, mode=lax_mode(selection), unique_indices=selection.unique
    )


def _spread(g: Any, *indices: Any, selection: Selection, shape: Shape) -> Any:
    zeros = lax.full(shape, 0, g.dtype)
    if is_window(selection, indices) and 0 not in g.shape:
        return update_window(selection, zeros, indices, lambda old, new: new, g)
    return scatter_by(lax.scatter_add, selection, zeros, g, indices)


# --------------------------------------------------------------------------------------- batching


def aligned(
    selection: Selection, indices: Sequence[Any], batched: Sequence[bool], at: int
) -> list[Any]:
    """Indices with the batch, now at axis 0 of those that have it, at axis ``at``: 0 or behind the
    axes that tensor and indices have in common already."""
    ranks = [aval_of(i).ndim - b for i, b in zip(indices, batched)]
    rank = max(ranks)
    out = []
    for i, b, r in zip(indices, batched, ranks):
        if not b:
            has_shared = selection.batch and r == rank
            out.append(expand_dims(i, (at,)) if has_shared and at else i)
            continue
        i = reshape(i, (i.shape[0],) + (1,) * (rank - r) + i.shape[1:])
        out.append(moveaxis(i, 0, at))
    return out


def with_batch(x: Any, batched: bool, size: int) -> Any:
    """``x`` with the batch at axis 0."""
    return x if batched else broadcast.broadcast_to(lift(x), (size, *aval_of(x).shape))


def _batch_gather(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    selection: Selection = operation.params["selection"]
    (x, *indices), (x_batched, *flags) = operands, batched
    shared = selection.batch
    if not any(flags):
        out = gather(moveaxis(x, 0, shared), indices, selection.beneath())
        return moveaxis(out, shared, 0), True
    if x_batched:
        return gather(x, aligned(selection, indices, flags, 0), selection.paired()), True
    out = gather(x, aligned(selection, indices, flags, shared), selection._replace(unique=False))
    return moveaxis(out, shared + selection.position, 0), True


def _batch_spread(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    selection: Selection = operation.params["selection"]
    shape = operation.params["shape"]
    (g, *indices), (g_batched, *flags) = operands, batched
    shared = selection.batch
    if any(flags):
        g = with_batch(g, g_batched, size)
        indices = aligned(selection, indices, flags, 0)
        return spread(g, indices, selection.paired(), (size, *shape)), True
    wide = (*shape[:shared], size, *shape[shared:])
    out = spread(moveaxis(g, 0, shared), indices, selection.beneath(), wide)
    return moveaxis(out, shared, 0), True


# ------------------------------------------------------------------------------------ declarations


def index_shape(indices: Iterable[Aval]) -> Shape:
    """The shape to which index operands broadcast."""
    return broadcast_shapes("indexing", [i.shape for i in indices])


def _infer_gather(x: Aval, *indices: Aval, selection: Selection) -> Aval:
    shape = selection.shape(x.shape, index_shape(indices))
    empty = [a for a in selection.dropped if not x.shape[a]]
    if empty and 0 not in shape:
        raise FadIndexError(
            located(f"index is out of bounds: axis {empty[0]} of shape {x.shape} is empty")
        )
    return make_aval(shape, x.dtype)


def _transpose_gather(
    g: Any, avals: Sequence[Aval], indices: Sequence[Any], wanted: Any, *, selection: Selection
) -> list[Any]:
    return [spread(g, indices, selection, avals[0].shape)]


def _transpose_spread(
    g: Any, avals: Any, indices: Sequence[Any], wanted: Any, *, selection: Selection, shape: Shape
) -> list[Any]:
    return [gather(g, indices, selection)]


def _draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).normal(size=shape)


_ROW = Selection((0,), (None,), mode="checked", unique=True)
_PAIRED = Selection((2,), (None,), batch=1)


def samples() -> list[tuple[np.ndarray, tuple[Any, ...], Selection]]:
    """A tensor, indices and their selection: every kind of one."""
    table = np.array([[1, 0, 1], [-1, 2, 2]])
    return [
        (_draw(3, 2), (np.int64(1),), _ROW),
        (_draw(3, 4), (np.int64(2), np.int64(1)), Selection((0, 1), (None, 2), mode="checked")),
        (_draw(3, 4), (table,), Selection((0,), (None,))),
        (_draw(2, 4), (np.array([0, 3, -1]),), Selection((1,), (None,), position=1)),
        (_draw(4, 3, 4), (table, np.array([0, -1, 5])), Selection((0, 2), (None, None))),
        (_draw(4, 3), (np.array([0, 1, 9]),), Selection((0,), (2,), mode="clip")),
        (
            _draw(
                4,
            ),
            (np.array([0, 4, -5, 1]),),
            Selection((0,), (None,), mode="fill"),
        ),
        (
            _draw(
                4,
            ),
            (np.int64(4),),
            Selection((0,), (None,), mode="fill"),
        ),
        (_draw(2, 3, 4), (table,), _PAIRED),
        (_draw(2, 3), (np.zeros(0, int),), Selection((1,), (None,), position=1)),
    ]


GATHER = primitive(
    "gather",
    _gather,
    Variadic(_transpose_gather, leading=1),
    infer=_infer_gather,
    batch=_batch_gather,
    compile_cost=3.0,
    samples=lambda: [Sample((x, *i), {"selection": s}) for x, i, s in samples()],
    formula="out[i] = x[y[i]]",
)

SPREAD = primitive(
    "spread",
    _spread,
    Variadic(_transpose_spread, leading=1),
    infer=lambda g, *indices, selection, shape: make_aval(shape, g.dtype),
    batch=_batch_spread,
    compile_cost=3.0,
    samples=lambda: [
        Sample(
            (_draw(*s.shape(x.shape, np.broadcast_shapes(*[np.shape(k) for k in i]))), *i),
            {"selection": s, "shape": x.shape},
        )
        for x, i, s in samples()
    ],
    formula="out[y[i]] += x[i]",
)


def gather(x: Any, indices: Sequence[Any], selection: Selection) -> Any:
    """What ``selection`` takes out of ``x`` at these indices."""
    return apply(GATHER(selection=selection), x, *indices)


def spread(g: Any, indices: Sequence[Any], selection: Selection, shape: Shape) -> Any:
    """Zeros of this shape with ``g`` added where :func:`gather` would read it."""
    return apply(SPREAD(selection=selection, shape=shape), g, *indices)


def window(x: Any, start: int, size: int, axis: int) -> Any:
    """``x[start:start + size]`` along one axis, in bounds; a new start is no new program."""
    return gather(x, (start,), Selection((axis,), (size,), mode="checked", unique=True))
