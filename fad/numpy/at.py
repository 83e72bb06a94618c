"""``x.at[index]``: functional updates.

``x.at[i].set(v)`` is the tensor that ``x`` would be after ``x[i] = v``. Every update can be
differentiated with respect to ``x`` and to ``v``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fad.core.aval import SCALARS, Shape
from fad.core.dtypes import DType, kind
from fad.core.errors import (
    FadIndexError,
    FadTypeError,
    FadValueError,
    located,
)
from fad.core.primitive import Primitive
from fad.core.tensor import Tensor, aval_of, lift
from fad.numpy.axes import tensor
from fad.numpy.dtypes import check_int
from fad.primitives import broadcast
from fad.primitives import shape as shapes
from fad.primitives.arithmetic import add, div, mul, neg
from fad.primitives.comparison import select
from fad.primitives.extrema import maximum, minimum
from fad.primitives.gather import Mode, gather, index_shape
from fad.primitives.indexing import Span, plan
from fad.primitives.power import power
from fad.primitives.scatter import (
    SCATTER_ADD,
    SCATTER_MAX,
    SCATTER_MIN,
    SCATTER_MUL,
    SCATTER_SET,
    scatter,
)

__all__ = ["At"]

_MODES: dict[str | None, Mode] = {
    None: "fill",
    "fill": "fill",
    "drop": "fill",
    "clip": "clip",
    "promise_in_bounds": "checked",
}
_RANK = {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}


class At:
    """``x.at``: index it, then say what becomes of the elements selected.

    >>> import fad
    >>> x = fad.asarray([1.0, 2.0, 3.0])
    >>> x.at[0].set(10.0)
    fad.Tensor([10.,  2.,  3.])
    >>> x.at[[0, 0, 2]].add(1.0)
    fad.Tensor([3., 2., 4.])
    """

    __slots__ = ("_x",)

    def __init__(self, x: Any) -> None:
        self._x = tensor(x)

    def __getitem__(self, index: Any) -> AtIndex:
        return AtIndex(self._x, index)


class AtIndex:
    """``x.at[index]``. Each method returns a new tensor with the shape and dtype of ``x``.

    ``mode`` says what becomes of indices (those that are tensors; others are always checked) that
    are out of bounds: they are ignored ("drop", the default), or count as the nearest valid ones
    ("clip"). ``unique_indices=True`` promises that no element is selected twice, which saves work.
    """

    __slots__ = ("_index", "_x")

    def __init__(self, x: Tensor, index: Any) -> None:
        self._x = x
        self._index = index

    def get(self, *, mode: str | None = "clip", fill_value: Any = None) -> Tensor:
        """``x[index]``. With ``mode="fill"``, ``fill_value`` (NaN) where it is out of bounds."""
        chosen = _mode(mode)
        read = plan(self._x.shape, self._index, mode=chosen)
        out = read.read(self._x)
        if chosen != "fill":
            return out
        if fill_value is None:
            fill_value = np.nan if self._x.aval.inexact else _extreme(self._x.dtype)
        inside = read.read(broadcast.full(self._x.shape, True, np.dtype(np.bool_)))
        return select(inside, out, _value(fill_value, out, out.shape, out.shape))

    def set(self, values: Any, *, mode: str | None = None, unique_indices: bool = False) -> Tensor:
        """``x`` after ``x[index] = values``; of several values for one element, the last stays."""
        return self._update(SCATTER_SET, _second, values, mode, unique_indices)

    def add(self, values: Any, *, mode: str | None = None, unique_indices: bool = False) -> Tensor:
        """``x`` with ``values`` added; an element selected twice gets two of them added."""
        return self._update(SCATTER_ADD, add, values, mode, unique_indices)

    def subtract(
        self, values: Any, *, mode: str | None = None, unique_indices: bool = False
    ) -> Tensor:
        """``x`` with ``values`` subtracted."""
        return self.add(neg(tensor(values)), mode=mode, unique_indices=unique_indices)

    def multiply(
        self, values: Any, *, mode: str | None = None, unique_indices: bool = False
    ) -> Tensor:
        """``x`` with elements multiplied by ``values``."""
        return self._update(SCATTER_MUL, mul, values, mode, unique_indices)

    mul = multiply

    def divide(
        self, values: Any, *, mode: str | None = None, unique_indices: bool = False
    ) -> Tensor:
        """``x`` with elements divided by ``values``."""
        divisors = AtIndex(broadcast.ones(self._x.aval), self._index)
        return div(self._x, divisors.multiply(values, mode=mode, unique_indices=unique_indices))

    def power(
        self, values: Any, *, mode: str | None = None, unique_indices: bool = False
    ) -> Tensor:
        """``x`` with elements raised to the power ``values``."""
        exponents = AtIndex(broadcast.ones(self._x.aval), self._index)
        return power(self._x, exponents.multiply(values, mode=mode, unique_indices=unique_indices))

    def min(self, values: Any, *, mode: str | None = None, unique_indices: bool = False) -> Tensor:
        """``x`` with elements lowered to ``values`` where these are smaller."""
        return self._update(SCATTER_MIN, minimum, values, mode, unique_indices)

    def max(self, values: Any, *, mode: str | None = None, unique_indices: bool = False) -> Tensor:
        """``x`` with elements raised to ``values`` where these are larger."""
        return self._update(SCATTER_MAX, maximum, values, mode, unique_indices)

    def _update(
        self,
        kind: Primitive,
        change: Callable[[Any, Any], Any],
        values: Any,
        mode: str | None,
        unique_indices: bool,
    ) -> Tensor:
        x, index = self._x, self._index
        if _is_mask(index) and np.ndim(values) <= x.ndim - index.ndim:
            return _update_by_mask(x, tensor(index), change, values)
        where = plan(x.shape, index, writing=True, mode=_mode(mode))
        recipe = where.recipe
        base = shapes.expand_dims(x, recipe.inserted) if recipe.inserted else x
        part = where.sliced(base)
        selection = recipe.selection
        if selection is None:
            part = change(part, _value(values, x, recipe.shape, part.shape))
        else:
            selected = selection.shape(part.shape, index_shape(map(aval_of, where.indices)))
            update: Any = values
            if selected or type(values) not in SCALARS:
                update = _value(values, x, recipe.shape, selected)
            else:
                _check_fits(values, aval_of(values).dtype, x.dtype)
            if (unique_indices or selection.unique) and kind not in (SCATTER_SET, SCATTER_ADD):
                update = change(gather(part, where.indices, selection), update)
                kind = SCATTER_SET
            selection = selection._replace(unique=unique_indices or selection.unique)
            part = scatter(kind, part, update, where.indices, selection)
        return shapes.reshape(_put_back(base, part, recipe.spans), x.shape)


def _second(old: Any, new: Any) -> Any:
    return new


def _mode(mode: str | None) -> Mode:
    if mode not in _MODES:
        raise FadValueError(located(f"mode must be 'clip', 'drop' or 'fill', got {mode!r}"))
    return _MODES[mode]


def _extreme(dtype: Any) -> int:
    """What reading out of bounds gives for integers, where there is no NaN."""
    if dtype == np.bool_:
        return True
    return np.iinfo(dtype).min if dtype.kind == "i" else np.iinfo(dtype).max


def _is_mask(index: Any) -> bool:
    return isinstance(index, np.ndarray | Tensor) and index.dtype == np.bool_


def _value(values: Any, like: Tensor, shape: Shape, selected: Shape) -> Tensor:
    """``values`` broadcast to ``shape``, which differs from ``selected`` by axes of length 1."""
    value = lift(values) if type(values) in SCALARS else tensor(values)
    _check_fits(values, value.dtype, like.dtype)
    extra = value.ndim - len(shape)
    if extra > 0 and all(n == 1 for n in value.shape[:extra]):
        value = shapes.reshape(value, value.shape[extra:])
    try:
        fits = np.broadcast_shapes(value.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise FadValueError(
            located(f"values of shape {value.shape} for an index that selects shape {shape}")
        )
    wide = shapes.reshape(broadcast.broadcast_to(value, shape), selected)
    return wide if wide.dtype == like.dtype else broadcast.convert(wide, like.dtype)


def _check_fits(values: Any, given: DType, dtype: DType) -> None:
    """Raise if conversion to ``dtype`` would lose a fraction, an imaginary part, or high bits."""
    if _RANK[kind(given)] > _RANK[kind(dtype)]:
        raise FadTypeError(
            located(
                f"values of dtype {given} do not fit a tensor of dtype {dtype}: convert "
                f"the tensor with .astype({given}), or the values"
            )
        )
    check_int(values, dtype)


def _update_by_mask(x: Tensor, mask: Tensor, change: Any, values: Any) -> Tensor:
    """An update by values that are the same for each place where a mask is true: no gather."""
    if mask.shape != x.shape[: mask.ndim]:
        raise FadIndexError(
            located(f"a mask of shape {mask.shape} does not match a tensor of shape {x.shape}")
        )
    rest = x.shape[mask.ndim :]
    value = _value(values, x, rest, rest)
    mask = shapes.reshape(mask, mask.shape + (1,) * len(rest))
    return select(mask, change(x, value), x)


def _put_back(x: Tensor, part: Tensor, spans: Sequence[Span]) -> Tensor:
    """``x`` with its static slices replaced by ``part``."""
    if not spans:
        return part
    low, high, between = [0] * x.ndim, [0] * x.ndim, [0] * x.ndim
    for span in spans:
        axis = span.axis
        size = part.shape[axis]
        low[axis], between[axis] = span.start, span.step - 1
        high[axis] = x.shape[axis] - span.start - (1 + (size - 1) * span.step if size else 0)
    inside = broadcast.full(part.shape, True, np.dtype(np.bool_))
    placed = shapes.pad(
        shapes.flip(part, [span.axis for span in spans if span.reverse]), low, high, between
    )
    return select(shapes.pad(inside, low, high, between), placed, x)
