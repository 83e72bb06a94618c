"""NumPy's indexing: what ``x[index]`` selects, as static slices and one gather.

Integers are run-time operands, so ``x[i]`` in a loop over i is one program; so are the bounds of
unit-step slices such as ``x[i:i+32]``, whose length alone is static. A slice with an open end
(``x[1:]``), with one bound counted from the end (``x[1:-1]``: moving either changes the length), or
with another step is part of the program, where it costs least.

Integers and host arrays are checked against the bounds; tensors are not, as nobody knows their
values yet: reading out of bounds gives the nearest element.
"""

from __future__ import annotations

from operator import index as to_int
from typing import Any, NamedTuple

import numpy as np

from fad.core import kernels
from fad.core.apply import apply
from fad.core.aval import Shape
from fad.core.errors import FadIndexError, located
from fad.core.tensor import Tensor, lift
from fad.primitives.declare import broadcast_shapes
from fad.primitives.gather import GATHER, Mode, Selection, gather
from fad.primitives.shape import expand_dims, flip, reshape, slice_

_PICKS = [
    GATHER(selection=Selection(tuple(range(k)), (None,) * k, mode="checked", unique=True))
    for k in range(5)
]
"""Picking one element along each of the first k axes."""


def getitem(x: Tensor, index: Any) -> Tensor:
    """``x[index]``, with NumPy's basic and advanced indices.

    >>> import fad
    >>> x = fad.asarray([[1.0, 2.0], [3.0, 4.0]])
    >>> x[1, 0], x[:, [1, 1, 0]].shape
    (fad.Tensor(3.), (2, 3))
    """
    if index.__class__ is int:
        shape = x.aval.shape
        if shape:
            return apply(_PICKS[1], x, checked(index, shape[0], 0))
    elif index.__class__ is tuple and len(index) < 5 and all(i.__class__ is int for i in index):
        shape = x.aval.shape
        if len(index) <= len(shape):
            starts = [checked(i, shape[axis], axis) for axis, i in enumerate(index)]
            return apply(_PICKS[len(index)], x, *starts) if index else x
    return plan(x.aval.shape, index).read(x)


def checked(index: int, size: int, axis: int) -> int:
    """``index`` counted from the front, in bounds."""
    if -size <= index < size:
        return index if index >= 0 else index + size
    raise FadIndexError(located(f"index {index} is out of bounds for axis {axis} with size {size}"))


class Span(NamedTuple):
    """A static slice of one axis, in ascending order, and whether it is then reversed."""

    start: int
    stop: int
    step: int
    reverse: bool


class Plan(NamedTuple):
    """What an index means for tensors of one shape, in the order in which it is done.

    Attributes:
        inserted: axes of length 1 put in for zero-dimensional masks.
        spans: static slices by axis.
        selection: what is gathered then, or None.
        indices: its index operands.
        shape: shape of the result; new axes are put in last.
    """

    inserted: tuple[int, ...]
    spans: dict[int, Span]
    selection: Selection | None
    indices: list[Any]
    shape: Shape

    def read(self, x: Tensor) -> Tensor:
        """What the index selects from ``x``."""
        x = self.sliced(expand_dims(x, self.inserted) if self.inserted else x)
        if self.selection is not None:
            x = gather(x, self.indices, self.selection)
        return reshape(x, self.shape)

    def sliced(self, x: Tensor) -> Tensor:
        """``x`` after the static slices."""
        if not self.spans:
            return x
        start, stop, step = [0] * x.ndim, list(x.shape), [1] * x.ndim
        for axis, span in self.spans.items():
            start[axis], stop[axis], step[axis] = span.start, span.stop, span.step
        return flip(slice_(x, start, stop, step), self.reversed_axes)

    @property
    def reversed_axes(self) -> list[int]:
        """The axes that the static slices reverse."""
        return [axis for axis, span in self.spans.items() if span.reverse]


class _Pick(NamedTuple):
    """An axis from which an integer, or one of the index arrays, picks elements."""

    axis: int
    index: Any
    is_array: bool


def plan(shape: Shape, index: Any, writing: bool = False, mode: Mode = "clip") -> Plan:
    """The plan of an index for tensors of this shape; ``mode`` is for indices that are tensors."""
    entries = _expanded(shape, [_entry(e) for e in (index if type(index) is tuple else (index,))])
    picking = any(not (e is None or e.__class__ is slice) for e in entries)
    lengths = list(shape)
    inserted: list[int] = []
    spans: dict[int, Span] = {}
    picks: list[_Pick] = []
    windows: list[tuple[int, int, int]] = []
    rest: list[tuple[int, bool]] = []  # length of each axis that stays, and whether it is new
    marks = []  # how many of those come before each pick
    axis = 0
    for e in entries:
        if e is None:
            rest.append((1, True))
        elif e.__class__ is slice:
            n = lengths[axis]
            start, stop, step = e.indices(n)
            size = len(range(start, stop, step))
            rest.append((size, False))
            if step == 1 and size and (writing or picking or _moves(e)):
                if size < n:
                    windows.append((axis, size, start))
            elif size < n or step != 1:
                spans[axis] = _span(start, size, step)
            axis += 1
        else:
            found = _picks(e, axis, lengths, inserted)
            picks += found
            marks += [len(rest)] * len(found)
            axis += len(found)
    arrays = [p.index for p in picks if p.is_array]
    front = not arrays or any(mark != marks[0] for mark in marks)
    place = 0 if front else marks[0]
    inner = broadcast_shapes("indexing", [a.shape for a in arrays]) if arrays else ()
    before, after = rest[:place], rest[place:]
    out = (*[n for n, _ in before], *inner, *[n for n, _ in after])
    if not (picks or windows):
        return Plan(tuple(inserted), spans, None, [], out)
    selection, indices = _selection(picks, windows, entries, mode)
    position = sum(not new for _, new in before)
    return Plan(tuple(inserted), spans, selection._replace(position=position), indices, out)


def _selection(
    picks: list[_Pick], windows: list[tuple[int, int, int]], entries: list[Any], mode: Mode
) -> tuple[Selection, list[Any]]:
    known = not any(isinstance(p.index, Tensor) for p in picks)
    array_entries = [e for e in entries if isinstance(e, (np.ndarray, Tensor)) and e.shape]
    unique = not any(p.is_array for p in picks) or (
        len(array_entries) == 1 and array_entries[0].dtype == np.bool_
    )
    parts = [(p.axis, None, p.index) for p in picks] + windows
    parts.sort(key=lambda part: part[0])
    axes, sizes, indices = zip(*parts, strict=True)
    selection = Selection(axes, sizes, mode="checked" if known else mode, unique=unique)
    return selection, [lift(i) if isinstance(i, np.ndarray) else i for i in indices]


# ---------------------------------------------------------------------------------------- entries


def _entry(e: Any) -> Any:
    """One entry as None, Ellipsis, a slice, an integer, or an array or tensor of ints or bools."""
    if e is None or e is Ellipsis or e.__class__ is slice or e.__class__ is int:
        return e
    if isinstance(e, (list, tuple)):
        if any(isinstance(part, Tensor) for part in e):
            return _integral(join.stack(e))
        e = np.asarray(e)
        e = e.astype(np.int64) if not e.size else e
    elif kernels.is_buffer(e):
        e = lift(e)
    if isinstance(e, (bool, np.bool_)):
        return np.asarray(e)
    if isinstance(e, (np.ndarray, Tensor)):
        return _integral(e)
    try:
        return to_int(e)
    except TypeError:
        raise FadIndexError(
            located(
                "only integers, slices (`:`), ellipsis (`...`), numpy.newaxis (`None`) and integer "
                f"or boolean arrays are valid indices, got {type(e).__name__}"
            )
        ) from None


def _integral(e: Any) -> Any:
    """An index array, and an integer for one without axes on the host."""
    if e.dtype.kind not in "biu":
        raise FadIndexError(
            located(
                f"arrays used as indices must be of integer or boolean type, got {e.dtype}. "
                "Convert it with .astype(int)."
            )
        )
    is_number = isinstance(e, np.ndarray) and not e.ndim and e.dtype != np.bool_
    return int(e) if is_number else e


def _consumed(e: Any) -> int:
    """How many axes of the tensor an entry takes up."""
    if e is None or e is Ellipsis:
        return 0
    return e.ndim if _is_mask(e) else 1


def _is_mask(e: Any) -> bool:
    return isinstance(e, (np.ndarray, Tensor)) and e.dtype == np.bool_


def _expanded(shape: Shape, entries: list[Any]) -> list[Any]:
    """The entries with the ellipsis, which stands at the end if there is none, written out."""
    places = [i for i, e in enumerate(entries) if e is Ellipsis]
    if len(places) > 1:
        raise FadIndexError(located("an index can only have a single ellipsis ('...')"))
    missing = len(shape) - sum([_consumed(e) for e in entries])
    if missing < 0:
        raise FadIndexError(
            located(
                f"too many indices: the tensor is {len(shape)}-dimensional, "
                f"but {len(shape) - missing} were indexed"
            )
        )
    place = places[0] if places else len(entries)
    return entries[:place] + [slice(None)] * missing + entries[place + 1 :]


def _moves(e: slice) -> bool:
    """Whether a unit-step slice may be one of several of the same length, as in ``x[i:i+32]``."""
    if e.start is None or e.stop is None:
        return False
    return (to_int(e.start) < 0) == (to_int(e.stop) < 0)


def _span(start: int, size: int, step: int) -> Span:
    if not size:
        return Span(0, 0, 1, False)
    last = start + (size - 1) * step
    low, high = (start, last) if step > 0 else (last, start)
    return Span(low, high + 1, abs(step) if size > 1 else 1, step < 0 and size > 1)


def _picks(e: Any, axis: int, lengths: list[int], inserted: list[int]) -> list[_Pick]:
    """The picks of an integer, an index array or a mask, the next axis being ``axis``."""
    if e.__class__ is int:
        return [_Pick(axis, checked(e, lengths[axis], axis - len(inserted)), False)]
    if not _is_mask(e):
        if isinstance(e, Tensor):
            return [_Pick(axis, e, e.ndim > 0)]
        return [_Pick(axis, checked_array(e, lengths[axis], axis - len(inserted)), True)]
    mask = concrete_mask(e)
    if not mask.ndim:
        lengths.insert(axis, 1)
        inserted.append(axis)
        return [_Pick(axis, np.zeros(int(mask), np.int64), True)]
    for k, n in enumerate(mask.shape):
        if lengths[axis + k] != n:
            raise FadIndexError(
                located(
                    "boolean index did not match the indexed tensor along axis "
                    f"{axis + k - len(inserted)}; size of axis is {lengths[axis + k]} "
                    f"but size of corresponding boolean axis is {n}"
                )
            )
    return [_Pick(axis + k, part, True) for k, part in enumerate(np.nonzero(mask))]


def concrete_mask(mask: Any) -> np.ndarray:
    """The values of a boolean index, on which the shape of the result depends."""
    if not isinstance(mask, Tensor):
        return np.asarray(mask)
    return np.asarray(mask.concrete("indexing with a boolean mask").realize())


def checked_array(indices: np.ndarray, size: int, axis: int) -> np.ndarray:
    """Indices counted from the front, in bounds."""
    if not indices.size:
        return indices
    low, high = int(indices.min()), int(indices.max())
    checked(high, size, axis)
    checked(low, size, axis)
    return np.where(indices < 0, indices + size, indices) if low < 0 else indices


from fad.primitives import join  # noqa: E402
