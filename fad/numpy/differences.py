"""Differences of neighbours: finite differences, gradients on a grid, the trapezoidal rule, phases.

All are differentiable in the values and in what says where these lie.
"""

from __future__ import annotations

import math
from operator import index
from typing import Any

import numpy as np

from fad.core import dtypes
from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy import cumulative, reductions
from fad.numpy.axes import one_axis, several_axes, tensor
from fad.numpy.shapes import ravel
from fad.primitives.arithmetic import absolute, add, div, mul, neg, sub
from fad.primitives.broadcast import broadcast_to, convert
from fad.primitives.comparison import drop_where, eq, gt, logical_and, lt, ne
from fad.primitives.division import floor_divide, remainder
from fad.primitives.join import concatenate
from fad.primitives.shape import reshape, slice_axis

__all__ = ["diff", "ediff1d", "gradient", "trapezoid", "unwrap"]


def _but_first(x: Tensor, axis: int, count: int = 1) -> Tensor:
    return slice_axis(x, min(count, x.shape[axis]), x.shape[axis], axis=axis)


def _but_last(x: Tensor, axis: int, count: int = 1) -> Tensor:
    return slice_axis(x, 0, max(x.shape[axis] - count, 0), axis=axis)


def _steps(x: Tensor, axis: int) -> Tensor:
    """Each element less the one before it; of booleans, whether they differ."""
    compare = ne if x.dtype == dtypes.bool_ else sub
    return compare(_but_first(x, axis), _but_last(x, axis))


def _joined(parts: list[Tensor], axis: int) -> Tensor:
    common = dtypes.result_type(tuple([(p.dtype, False) for p in parts]))[0]
    return concatenate([convert(p, common) for p in parts], axis)


def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
    """``a[i + 1] - a[i]`` along ``axis``, ``n`` times over; of booleans, whether they differ.

    ``prepend`` and ``append`` are put before and after ``a`` first; a number stands for one element
    in each line.

    >>> import fad.numpy as fnp
    >>> fnp.diff([1.0, 4.0, 9.0], prepend=0.0)
    fad.Tensor([1., 3., 5.])
    """
    x, count = tensor(a), index(n)
    if count < 0:
        raise FadValueError(located(f"order must be non-negative but got {count}"))
    if not x.ndim:
        raise FadValueError(located("diff requires input that is at least one dimensional"))
    along = one_axis("diff", axis, x.ndim)
    if count == 0:
        return x

    def line(given: Any) -> list[Tensor]:
        if given is None:
            return []
        end = tensor(given)
        shape = (*x.shape[:along], 1, *x.shape[along + 1 :])
        return [end if end.ndim else broadcast_to(end, shape)]

    parts = [*line(prepend), x, *line(append)]
    out = x if len(parts) == 1 else _joined(parts, along)
    for _ in range(count):
        out = _steps(out, along)
    return out


def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Tensor:
    """``ary[i + 1] - ary[i]`` of all elements, with ``to_begin`` before and ``to_end`` after.

    >>> import fad.numpy as fnp
    >>> fnp.ediff1d([[1, 2], [4, 8]], to_end=0)
    fad.Tensor([1, 2, 4, 0])
    """
    x = ravel(tensor(ary))

    def end(name: str, given: Any) -> list[Tensor]:
        if given is None:
            return []
        part = ravel(tensor(given))
        if not (part.aval.weak or np.can_cast(part.dtype, x.dtype, "same_kind")):
            raise FadTypeError(
                located(
                    f"ediff1d: dtype of `{name}` must be compatible with input `ary` under the "
                    f"same_kind rule, got {part.dtype} for {x.dtype}"
                )
            )
        return [convert(part, x.dtype)]

    steps = sub(_but_first(x, 0), _but_last(x, 0))
    parts = [*end("to_begin", to_begin), steps, *end("to_end", to_end)]
    return parts[0] if len(parts) == 1 else concatenate(parts, 0)


# --------------------------------------------------------------------------- gradients on a grid


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """The derivative of ``f``, known on a grid, by differences of second order inside.

    ``varargs`` are the spacings: one number for all axes, or for each axis a number or the
    coordinates along it; 1 if there are none. At the ends the differences are one-sided, of order
    ``edge_order``, which is 1 or 2. The result is a tensor for one axis, a tuple for several.

    >>> import fad.numpy as fnp
    >>> fnp.gradient([1.0, 2.0, 4.0, 7.0])
    fad.Tensor([1. , 1.5, 2.5, 3. ])
    """
    x = tensor(f)
    if not x.aval.inexact:
        x = convert(x, dtypes.float64)
    axes = several_axes("gradient", axis, x.ndim)
    if edge_order not in (1, 2):
        raise FadValueError(located(f"gradient: edge_order must be 1 or 2, got {edge_order}"))
    spacings = _spacings(varargs, x, axes)
    for i in axes:
        if x.shape[i] <= edge_order:
            raise FadValueError(
                located(
                    f"gradient: axis {i} of shape {x.shape} is too short: at least (edge_order + "
                    f"1) = {edge_order + 1} elements are required"
                )
            )
    found = [
        convert(_slopes(x, i, spacing, edge_order), x.dtype)
        for i, spacing in zip(axes, spacings, strict=True)
    ]
    return found[0] if len(found) == 1 else tuple(found)


def _spacings(given: tuple[Any, ...], x: Tensor, axes: tuple[int, ...]) -> list[Any]:
    """For each axis a number, or the steps along it with axes of length 1 for the others."""
    if not given:
        return [1.0] * len(axes)
    known = [d if type(d) in (int, float) else tensor(d) for d in given]
    if len(known) == 1 and not getattr(known[0], "ndim", 0):
        return known * len(axes)
    if len(known) != len(axes):
        raise FadTypeError(
            located(f"gradient: {len(known)} spacings for {len(axes)} axes; give one, or one each")
        )
    return [_steps_along(d, x, i) for d, i in zip(known, axes, strict=True)]


def _steps_along(d: Any, x: Tensor, axis: int) -> Any:
    if not getattr(d, "ndim", 0):
        return d
    if d.ndim != 1:
        raise FadValueError(located("gradient: distances must be either scalars or 1d"))
    if d.size != x.shape[axis]:
        raise FadValueError(
            located(
                f"gradient: when 1d, distances must match the length of the corresponding "
                f"dimension: {d.size} of them for axis {axis} of shape {x.shape}"
            )
        )
    steps = _steps(d if d.aval.inexact else convert(d, dtypes.float64), 0)
    return reshape(steps, tuple([steps.size if i == axis else 1 for i in range(x.ndim)]))


def _slopes(x: Tensor, axis: int, spacing: Any, edge_order: int) -> Tensor:
    """Slopes between neighbours, averaged in the middle and continued at the ends."""
    uniform = not getattr(spacing, "ndim", 0)
    if not uniform:
        x = convert(x, dtypes.promote_types(x.dtype, spacing.dtype))
    slopes = div(_steps(x, axis), spacing)
    if uniform:
        inside = div(sub(_but_first(x, axis, 2), _but_last(x, axis, 2)), mul(spacing, 2.0))
    else:
        # The weight of each slope is the length of the other's interval.
        before, after = _but_last(spacing, axis), _but_first(spacing, axis)
        share = div(before, add(before, after))
        left, right = _but_last(slopes, axis), _but_first(slopes, axis)
        inside = add(left, mul(sub(right, left), share))

    def edge(at: int, neighbour: int) -> Tensor:
        here = slice_axis(slopes, at, at + 1, axis=axis)
        if edge_order == 1:
            return here
        bend = sub(here, slice_axis(slopes, neighbour, neighbour + 1, axis=axis))
        if uniform:
            return add(here, mul(bend, 0.5))
        own = slice_axis(spacing, at, at + 1, axis=axis)
        other = slice_axis(spacing, neighbour, neighbour + 1, axis=axis)
        return add(here, mul(bend, div(own, add(own, other))))

    last = slopes.shape[axis] - 1
    return _joined([edge(0, 1), inside, edge(last, last - 1)], axis)


# -------------------------------------------------------------------------- integrals and phases


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Tensor:
    """The integral along ``axis`` by the trapezoidal rule; differentiable in ``y``, ``x``, ``dx``.

    ``x`` are the places of the samples, along ``axis`` if it is a vector; else they are ``dx``
    apart.

    >>> import fad.numpy as fnp
    >>> fnp.trapezoid([1.0, 2.0, 3.0], x=[0.0, 1.0, 3.0])
    fad.Tensor(6.5)
    """
    values = tensor(y)
    along = one_axis("trapezoid", axis, values.ndim)
    if x is None:
        width = dx if type(dx) in (int, float) else tensor(dx)
    else:
        places = tensor(x)
        if places.ndim == 1:
            width = _steps(places, 0)
            ones = [1] * values.ndim
            ones[along] = width.size
            width = reshape(width, tuple(ones))
        else:
            width = _steps(places, one_axis("trapezoid", axis, places.ndim))
    pairs = add(_but_first(values, along), _but_last(values, along))
    return reductions.sum(div(mul(width, pairs), 2.0), axis=axis)


def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * math.pi) -> Tensor:
    """Angles with multiples of ``period`` added, so that no step is larger than half of it.

    Steps smaller than ``discont`` stay as they are. The multiples do not move with ``p``, so the
    derivative in it is the identity.

    >>> import fad.numpy as fnp
    >>> fnp.unwrap([0, 3, 6, 1, 4], period=8)
    fad.Tensor([ 0,  3,  6,  9, 12])
    """
    x = tensor(p)
    along = one_axis("unwrap", axis, x.ndim)
    steps = _steps(x, along)
    period = period if type(period) in (int, float) else tensor(period)
    whole = type(period) is int or (isinstance(period, Tensor) and not period.aval.inexact)
    whole = whole and not steps.aval.inexact
    half = floor_divide(period, 2) if whole else mul(period, 0.5)
    above = add(steps, half)
    turns = neg(floor_divide(above, period))
    # A step up by half a period is kept: of the two ways, that of its own sign.
    at_half = logical_and(eq(remainder(above, period), 0), gt(steps, 0))
    if whole:
        at_half = logical_and(at_half, eq(remainder(period, 2), 0))
    turns = add(turns, convert(at_half, turns.dtype))
    limit = (half if whole else mul(period, 0.5)) if discont is None else discont
    turns = drop_where(lt(absolute(steps), limit), turns)
    shifts = mul(cumulative.cumsum(turns, axis=along), period)
    first = slice_axis(x, 0, min(1, x.shape[along]), axis=along)
    return _joined([first, add(_but_first(x, along), shifts)], along)
