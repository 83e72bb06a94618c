"""Padding: tensors with something around them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fad.core.errors import FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy import constants, reductions, sorting, statistics
from fad.numpy.axes import tensor
from fad.numpy.indexing import take
from fad.primitives import broadcast
from fad.primitives import shape as shapes
from fad.primitives.arithmetic import mul, sub
from fad.primitives.floating import rint
from fad.primitives.join import concatenate

__all__ = ["pad"]

Amounts = list[tuple[Any, Any]]


def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Tensor:
    """``array`` with ``pad_width`` elements put before and after along each axis.

    ``pad_width`` is one number, a pair for all axes, a pair for each axis, or a dictionary from
    axes to either. Modes are NumPy's: "constant" (``constant_values=``, which may be tensors),
    "edge", "reflect" and "symmetric" (``reflect_type=``), "wrap", "linear_ramp" (``end_values=``),
    "maximum", "minimum", "mean", "median" (``stat_length=``) and "empty", which puts zeros.

    >>> import fad.numpy as fnp
    >>> fnp.pad([1, 2, 3], (1, 2), mode="edge")
    fad.Tensor([1, 1, 2, 3, 3, 3])
    """
    x = tensor(array)
    widths = _widths(pad_width, x.ndim)
    if callable(mode):
        raise FadValueError(
            located(
                "pad: a function as mode would write into its argument, and tensors are immutable; "
                "put the parts together with fad.numpy.concatenate"
            )
        )
    if mode not in _MODES:
        raise FadValueError(located(f"pad: mode {mode!r} is not one of {', '.join(_MODES)}"))
    allowed, by_axis = _MODES[mode]
    if not set(kwargs) <= {allowed}:
        raise FadValueError(located(f"pad: mode {mode!r} does not take {sorted(kwargs)}"))
    option = kwargs.get(allowed) if allowed else None
    if mode == "empty" or (mode == "constant" and _is_zero(option)):
        return shapes.pad(x, [low for low, _ in widths], [high for _, high in widths])
    per_axis = _pairs(option, x.ndim) if allowed != "reflect_type" else [(option, None)] * x.ndim
    for axis, ((low, high), values) in enumerate(zip(widths, per_axis, strict=True)):
        if low or high:
            x = by_axis(x, axis, low, high, values, mode)
    return x


def _is_zero(option: Any) -> bool:
    return option is None or (type(option) in (int, float) and option == 0)


def _pairs(given: Any, ndim: int) -> Amounts:
    """One value, a pair, or a pair for each axis, as a pair for each axis."""
    if not isinstance(given, list | tuple | np.ndarray):
        return [(given, given)] * ndim
    rows = [list(row) if isinstance(row, list | tuple | np.ndarray) else row for row in given]
    if not any(isinstance(row, list) for row in rows):
        return [(rows[0], rows[-1])] * ndim
    if len(rows) == 1:
        rows = rows * ndim
    if len(rows) != ndim:
        raise FadValueError(located(f"pad: {len(rows)} pairs for {ndim} axes"))
    return [(row[0], row[-1]) if isinstance(row, list) else (row, row) for row in rows]


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    if isinstance(pad_width, dict):
        by_axis = {axis % ndim: width for axis, width in pad_width.items()}
        pad_width = [_pairs(by_axis.get(axis, 0), 1)[0] for axis in range(ndim)]
    widths = [(int(low), int(high)) for low, high in _pairs(pad_width, ndim)]
    if any(low < 0 or high < 0 for low, high in widths):
        raise FadValueError(located("pad: widths must not be negative; cut with x[a:b] instead"))
    return widths


def _between(x: Tensor, axis: int, before: list[Any], after: list[Any]) -> Tensor:
    parts = [broadcast.convert(p, x.dtype) for p in (*before, x, *after) if p.shape[axis]]
    return concatenate(parts, axis)


def _block(x: Tensor, axis: int, width: int, value: Any) -> Tensor:
    """A value, or one for each line along ``axis``, repeated ``width`` times."""
    shape = (*x.shape[:axis], width, *x.shape[axis + 1 :])
    return constants.full(shape, 0 if value is None else value, x.dtype)


def _constant(x: Tensor, axis: int, low: int, high: int, values: Any, mode: str) -> Tensor:
    return _between(x, axis, [_block(x, axis, low, values[0])], [_block(x, axis, high, values[1])])


def _by_index(x: Tensor, axis: int, low: int, high: int, values: Any, mode: str) -> Tensor:
    """The modes that repeat elements: NumPy pads the indices."""
    n = x.shape[axis]
    if not n:
        raise FadValueError(located(f"pad: axis {axis} is empty, so mode {mode!r} has no elements"))
    return take(x, np.pad(np.arange(n), (low, high), mode), axis)  # type: ignore[call-overload]


def _reflected(x: Tensor, axis: int, low: int, high: int, values: Any, mode: str) -> Tensor:
    if values[0] in (None, "even"):
        return _by_index(x, axis, low, high, values, mode)
    if values[0] != "odd":
        raise FadValueError(located("pad: reflect_type must be 'even' or 'odd'"))
    skip = 1 if mode == "reflect" else 0
    if x.shape[axis] == skip:  # nothing to reflect: NumPy repeats it
        return _by_index(x, axis, low, high, values, "edge")
    while low or high:
        n = x.shape[axis]
        here, there = min(low, n - skip), min(high, n - skip)
        before = shapes.flip(shapes.slice_axis(x, skip, skip + here, axis=axis), (axis,))
        after = shapes.flip(shapes.slice_axis(x, n - skip - there, n - skip, axis=axis), (axis,))
        first = shapes.slice_axis(x, 0, 1, axis=axis)
        last = shapes.slice_axis(x, n - 1, n, axis=axis)
        x = _between(x, axis, [sub(mul(first, 2), before)], [sub(mul(last, 2), after)])
        low, high = low - here, high - there
    return x


def _ramp(x: Tensor, axis: int, low: int, high: int, values: Any, mode: str) -> Tensor:
    def ramp(end: Any, edge: int, width: int) -> Any:
        line = shapes.squeeze(shapes.slice_axis(x, edge, edge + 1, axis=axis), (axis,))
        return constants.linspace(
            tensor(0 if end is None else end), line, width, endpoint=False, axis=axis,
            dtype=x.dtype,
        )  # fmt: skip

    after = shapes.flip(ramp(values[1], x.shape[axis] - 1, high), (axis,))
    return _between(x, axis, [ramp(values[0], 0, low)], [after])


def _median(x: Tensor, axis: int) -> Tensor:
    n = x.shape[axis]
    middle = shapes.slice_axis(sorting.sort(x, axis), (n - 1) // 2, n // 2 + 1, axis=axis)
    return statistics.mean(middle, axis=axis, keepdims=True)


_STATISTICS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "maximum": lambda x, axis: reductions.max(x, axis=axis, keepdims=True),
    "mean": lambda x, axis: statistics.mean(x, axis=axis, keepdims=True),
    "median": _median,
    "minimum": lambda x, axis: reductions.min(x, axis=axis, keepdims=True),
}


def _statistic(x: Tensor, axis: int, low: int, high: int, values: Any, mode: str) -> Tensor:
    function = _STATISTICS[mode]
    n = x.shape[axis]

    def block(length: Any, width: int, at_end: bool) -> Tensor:
        count = n if length is None else min(int(length), n)
        part = shapes.slice_axis(x, n - count if at_end else 0, n if at_end else count, axis=axis)
        value = function(part, axis)
        if x.dtype.kind in "iu" and value.aval.inexact:
            value = rint(value)
        return _block(x, axis, width, value)

    return _between(x, axis, [block(values[0], low, False)], [block(values[1], high, True)])


_MODES: dict[str, tuple[str, Any]] = {
    "constant": ("constant_values", _constant),
    "edge": ("", _by_index),
    "empty": ("", None),
    "linear_ramp": ("end_values", _ramp),
    "maximum": ("stat_length", _statistic),
    "mean": ("stat_length", _statistic),
    "median": ("stat_length", _statistic),
    "minimum": ("stat_length", _statistic),
    "reflect": ("reflect_type", _reflected),
    "symmetric": ("reflect_type", _reflected),
    "wrap": ("", _by_index),
}
"""For each mode the name of its option, and how one axis is padded."""
