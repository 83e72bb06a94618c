"""Piecewise linear interpolation."""

from __future__ import annotations

from typing import Any

from fad.core import dtypes
from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy.axes import tensor
from fad.numpy.indexing import getitem
from fad.primitives import sorting
from fad.primitives.arithmetic import absolute, add, div, mul, sub
from fad.primitives.broadcast import broadcast_to, convert
from fad.primitives.comparison import eq, gt, le, logical_or, lt, select
from fad.primitives.division import remainder
from fad.primitives.extrema import maximum, minimum
from fad.primitives.floating import isfinite, isnan
from fad.primitives.join import concatenate
from fad.primitives.search import searchsorted
from fad.primitives.shape import reshape, slice_axis

__all__ = ["interp"]


def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Tensor:
    """The value at ``x`` of the lines between the points (``xp[i]``, ``fp[i]``); ``xp`` ascends.

    Before the first point and after the last one it is ``left`` and ``right``, or the value there.
    With ``period`` the points are a whole turn of a periodic function, in any order. Computed in
    float64, or complex128 if ``fp`` is complex.

    Differentiable in all operands. At a point the derivative in ``x`` is the slope of the line that
    begins there, at the last point that of the line that ends there; outside of the points it is 0.

    >>> import fad, fad.numpy as fnp
    >>> fnp.interp([0.5, 9.0], [0.0, 1.0, 2.0], [0.0, 10.0, 0.0])
    fad.Tensor([5., 0.])
    >>> fad.grad(fnp.interp)(1.0, [0.0, 1.0, 2.0], [0.0, 10.0, 0.0])
    fad.Tensor(-10.)
    """
    at, knots = (_real("interp", name, v) for name, v in (("x", x), ("xp", xp)))
    values = tensor(fp)
    values = convert(
        values, dtypes.complex128 if dtypes.kind(values.dtype) == "c" else dtypes.float64
    )
    if knots.ndim != 1 or values.ndim != 1:
        raise FadValueError(
            located(
                f"interp: data points must be 1-D sequences, got shapes {knots.shape} and "
                f"{values.shape}"
            )
        )
    if knots.size != values.size:
        raise FadValueError(
            located(f"interp: fp and xp are not of the same length: {values.size} and {knots.size}")
        )
    if not knots.size:
        raise FadValueError(located("interp: array of sample points is empty"))
    if period is not None:
        at, knots, values = _unrolled(at, knots, values, period)
        left = right = None
    first, last = _element(knots, 0), _element(knots, knots.size - 1)
    before, after = lt(at, first), gt(at, last)
    inside = _on_lines(at, logical_or(before, after), knots, values)
    low = _element(values, 0) if left is None else _bound(left)
    high = _element(values, values.size - 1) if right is None else _bound(right)
    return select(before, low, select(after, high, inside))


def _real(name: str, which: str, given: Any) -> Tensor:
    x = tensor(given)
    if dtypes.kind(x.dtype) == "c":
        raise FadTypeError(located(f"{name}: {which} must be real, got {x.dtype}"))
    return convert(x, dtypes.float64)


def _element(x: Tensor, i: int) -> Tensor:
    return reshape(slice_axis(x, i, i + 1), ())


def _bound(given: Any) -> Any:
    return given if type(given) in (int, float, complex) else tensor(given)


def _unrolled(at: Tensor, knots: Tensor, values: Tensor, period: Any) -> tuple[Tensor, ...]:
    """One turn of a periodic function, with a point more at each end."""
    if type(period) in (int, float) and period == 0:
        raise FadValueError(located("interp: period must be a non-zero value"))
    turn = absolute(tensor(period))
    ordered, order = sorting.sort_with_order(remainder(knots, turn), 0)
    values = sorting.permute(values, order, 0)
    n = knots.size
    (first, last), (start, end) = (
        (slice_axis(v, 0, 1), slice_axis(v, n - 1, n)) for v in (ordered, values)
    )
    knots = concatenate([sub(last, turn), ordered, add(first, turn)], 0)
    return remainder(at, turn), knots, concatenate([end, values, start], 0)


def _on_lines(at: Tensor, outside: Tensor, knots: Tensor, values: Tensor) -> Tensor:
    """The values on the lines between points; anything finite where ``outside`` holds."""
    n = knots.size
    if n == 1:
        return broadcast_to(values, at.shape) if at.ndim else _element(values, 0)
    i = minimum(maximum(sub(searchsorted(knots, at, "right"), 1), 0), n - 2)
    begin, end = getitem(knots, (i,)), getitem(knots, (add(i, 1),))
    low, high = getitem(values, (i,)), getitem(values, (add(i, 1),))
    at = select(outside, begin, at)
    width, rise = sub(end, begin), sub(high, low)
    # From the nearer end, so that the value at both is exact.
    done, left = div(sub(at, begin), width), div(sub(end, at), width)
    out = select(le(done, 0.5), add(low, mul(done, rise)), sub(high, mul(left, rise)))
    # Beside an infinite value a line has no rise: that value is on all of it but the other end.
    limit = select(eq(at, begin), low, select(eq(at, end), high, add(low, high)))
    return select(logical_or(isfinite(rise), isnan(at)), out, limit)
