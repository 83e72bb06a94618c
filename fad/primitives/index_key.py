"""Reading an index: its key, which says all that is static about it, and its operands.

A key has one entry for each of: a new axis (None), the ellipsis, an operand that picks elements (a
``Pick``), a slice (a tuple), and a window of some length that starts at an operand (an integer).
"""

from __future__ import annotations

from operator import index as to_int
from typing import Any, NamedTuple

import numpy as np

from fad.core import kernels
from fad.core.aval import Shape
from fad.core.errors import FadIndexError, located
from fad.core.tensor import Tensor, lift


class Pick(NamedTuple):
    """One operand that addresses an axis: an integer, or an array of this shape.

    ``known`` indices are in bounds. ``mask`` says that it comes from a mask; ``new`` that the axis
    has to be put in first, which a zero-dimensional mask asks for.
    """

    shape: Shape | None
    known: bool
    mask: bool = False
    new: bool = False


_INTEGER = Pick(None, True)
_SCALAR = Pick(None, False)


def read_index(shape: Shape, entries: tuple[Any, ...]) -> tuple[tuple[Any, ...], list[Any]]:
    """Key and operands of an index."""
    parts: list[Any] = []
    operands: list[Any] = []
    axis = 0
    for place, raw in enumerate(entries):
        e = raw if raw.__class__ is int or raw.__class__ is slice else _entry(raw)
        if e is None:
            parts.append(None)
        elif e is Ellipsis:
            parts.append(e)
            axis = len(shape) - sum([_consumed(_entry(later)) for later in entries[place + 1 :]])
        elif e.__class__ is slice:
            parts.append(_read_slice(e, shape[axis] if axis < len(shape) else 0, operands))
            axis += 1
        elif _is_mask(e):
            axis += _read_mask(e, shape, axis, parts, operands)
        else:
            parts.append(_read_pick(e, shape, axis, operands))
            axis += 1
    if axis > len(shape) or parts.count(Ellipsis) > 1:
        raise _wrong_number(shape, entries)
    return tuple(parts), operands


def _wrong_number(shape: Shape, entries: tuple[Any, ...]) -> FadIndexError:
    read = [_entry(e) for e in entries]
    if sum([e is Ellipsis for e in read]) > 1:
        return FadIndexError(located("an index can only have a single ellipsis ('...')"))
    return FadIndexError(
        located(
            f"too many indices: the tensor is {len(shape)}-dimensional, "
            f"but {sum(map(_consumed, read))} were indexed"
        )
    )


def _read_slice(e: slice, n: int, operands: list[Any]) -> Any:
    start, stop, step = e.start, e.stop, e.step
    if step is None and start is not None and stop is not None:
        start, stop = to_int(start), to_int(stop)
        if (start < 0) == (stop < 0):  # it may be one of several of this length
            start, stop, _ = slice(start, stop).indices(n)
            if start < stop:
                operands.append(start)
                return stop - start
    return tuple([None if bound is None else to_int(bound) for bound in (start, stop, step)])


def _read_mask(mask: Any, shape: Shape, axis: int, parts: list[Any], operands: list[Any]) -> int:
    """A mask becomes the indices of its true elements; returns how many axes it takes up."""
    values = concrete_mask(mask)
    if not values.ndim:
        operands.append(lift(np.zeros(int(values), np.int64)))
        parts.append(Pick((int(values),), True, mask=True, new=True))
        return 0
    if values.shape != shape[axis : axis + values.ndim] and axis + values.ndim <= len(shape):
        k = next(k for k, n in enumerate(values.shape) if n != shape[axis + k])
        raise FadIndexError(
            located(
                f"boolean index did not match the indexed tensor along axis {axis + k}; size of "
                f"axis is {shape[axis + k]} but size of corresponding boolean axis is "
                f"{values.shape[k]}"
            )
        )
    for indices in np.nonzero(values):
        operands.append(lift(indices))
        parts.append(Pick(indices.shape, True, mask=True))
    return values.ndim


def _read_pick(e: Any, shape: Shape, axis: int, operands: list[Any]) -> Any:
    inside = axis < len(shape)
    if e.__class__ is int:
        operands.append(checked(e, shape[axis], axis) if inside else e)
        return _INTEGER
    if isinstance(e, Tensor):
        operands.append(e)
        return Pick(e.shape, False) if e.ndim else _SCALAR
    operands.append(lift(checked_array(e, shape[axis], axis) if inside else e))
    return Pick(e.shape, True)


def _entry(e: Any) -> Any:
    """One entry as None, Ellipsis, a slice, an integer, or an array or tensor of ints or bools."""
    if e is None or e is Ellipsis or e.__class__ is slice or e.__class__ is int:
        return e
    if isinstance(e, (list, tuple, range)):
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


def _is_mask(e: Any) -> bool:
    return isinstance(e, (np.ndarray, Tensor)) and e.dtype == np.bool_


def _consumed(e: Any) -> int:
    """How many axes of the tensor an entry takes up."""
    if e is None or e is Ellipsis:
        return 0
    return e.ndim if _is_mask(e) else 1


def concrete_mask(mask: Any) -> np.ndarray:
    """The values of a boolean index, on which the shape of the result depends."""
    if not isinstance(mask, Tensor):
        return np.asarray(mask)
    return np.asarray(mask.concrete("indexing with a boolean mask").realize())


def checked_array(indices: np.ndarray, size: int, axis: int) -> np.ndarray:
    """Indices counted from the front, in bounds."""
    if not indices.size:
        return indices
    if indices.dtype == np.int64 and indices.view(np.uint64).max() < size:
        return indices  # as unsigned numbers, negative ones are large
    low, high = int(indices.min()), int(indices.max())
    checked(high, size, axis)
    checked(low, size, axis)
    return np.where(indices < 0, indices + size, indices) if low < 0 else indices


def checked(index: int, size: int, axis: int) -> int:
    """``index`` counted from the front, in bounds."""
    if -size <= index < size:
        return index if index >= 0 else index + size
    raise FadIndexError(located(f"index {index} is out of bounds for axis {axis} with size {size}"))


from fad.primitives import join  # noqa: E402
