"""The methods of ufuncs: ``np.add.reduce``, ``np.multiply.accumulate``, ``np.subtract.outer``.

A reduction or accumulation that has a primitive is that. An associative ufunc without one goes by
halves: a number of operations that grows as the logarithm of the length. Others go element by
element, one operation each.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import accumulate as accumulated
from typing import Any

import numpy as np

from fad.core.aval import SCALARS
from fad.core.dtypes import bool_, inexact_of
from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy import cumulative, join, reductions, shapes
from fad.numpy.axes import one_axis
from fad.numpy.constants import full
from fad.numpy.creation import asarray
from fad.numpy.dtypes import astype
from fad.primitives import cumulative as scans
from fad.primitives.broadcast import convert
from fad.primitives.join import concatenate
from fad.primitives.logsumexp import cumlogsumexp, logsumexp
from fad.primitives.reductions import Axes, reduced_shape
from fad.primitives.shape import reshape, slice_axis, transpose

_REDUCTIONS: dict[Any, Callable[..., Tensor]] = {
    np.add: reductions.sum,
    np.multiply: reductions.prod,
    np.maximum: reductions.max,
    np.minimum: reductions.min,
    np.logical_and: reductions.all,
    np.logical_or: reductions.any,
}
_ACCUMULATIONS: dict[Any, Callable[..., Tensor]] = {
    np.add: cumulative.cumsum,
    np.multiply: cumulative.cumprod,
}
_SCANS: dict[Any, Callable[[Any, int], Tensor]] = {
    np.maximum: scans.cummax,
    np.minimum: scans.cummin,
    np.logaddexp: cumlogsumexp,
}
"""Accumulations that have no function of their own in NumPy's namespace."""

_ASSOCIATIVE = frozenset(
    [
        np.logaddexp, np.logaddexp2, np.hypot, np.fmax, np.fmin, np.gcd, np.lcm, np.logical_and,
        np.logical_or, np.logical_xor, np.bitwise_and, np.bitwise_or, np.bitwise_xor,
    ]
)  # fmt: skip
"""Ufuncs that may be applied in any order; those with a primitive of their own are not needed."""

_OF_TRUTH = (np.logical_and, np.logical_or, np.logical_xor)
_COMPARISONS = (
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
)  # fmt: skip
_OF_FLOATS = (np.logaddexp, np.logaddexp2, np.hypot)

Function = Callable[..., Any]


def reduce(
    ufunc: np.ufunc,
    function: Function,
    x: Any,
    axis: Any = 0,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Tensor:
    """``np.<ufunc>.reduce(x)``: the function between all elements along one or several axes."""
    name = f"numpy.{ufunc.__name__}.reduce"
    x = _chained(ufunc, name, x, dtype)
    if not x.ndim and axis in (0, -1, None, ()):  # axes of a single number, here and only here
        x = reshape(x, (1,))
        return reduce(ufunc, function, x, dtype=dtype, initial=initial, where=where)
    known = _REDUCTIONS.get(ufunc)
    if known is not None:
        starts_after = initial is not None and ufunc in _OF_TRUTH
        options: dict[str, Any] = {}
        if initial is not None and not starts_after:
            options["initial"] = initial
        if where is not True:
            options["where"] = where
        if ufunc in _ACCUMULATIONS:
            options["dtype"] = dtype  # which keeps small integers small
        result = known(x, axis=axis, keepdims=keepdims, **options)
        return function(initial, result) if starts_after else result
    axes = reductions.reduced_axes(name, axis, x.ndim)
    if ufunc not in _ASSOCIATIVE:
        _check_one_axis(ufunc, name, axes, where)
    x = _prepared(ufunc, x)
    if where is not True:
        fill = _filling(ufunc, name, initial)
        x = reductions.masked(x, where, bool(fill) if x.dtype == bool_ else fill)
    if ufunc is np.logaddexp and 0 not in [x.shape[i] for i in axes]:
        total = logsumexp(x, axes)
    else:
        total = _total(ufunc, function, x, axes, initial)
    if initial is not None and (ufunc in _ASSOCIATIVE or not axes):
        total = function(initial if type(initial) in SCALARS else asarray(initial), total)
    return reshape(total, reduced_shape(x.shape, axes, True)) if keepdims else total


def _chained(ufunc: np.ufunc, name: str, x: Any, dtype: Any) -> Tensor:
    """The operand of a method that gives results back to the ufunc as arguments."""
    x = _operand(x, dtype)
    if ufunc in _COMPARISONS and x.dtype != bool_:
        raise FadTypeError(
            located(
                f"{name}: No loop matching the specified signature and casting was found for ufunc "
                f"{ufunc.__name__}: a truth value would be compared with {x.dtype}. To compare "
                f"neighbours, write numpy.{ufunc.__name__}(x[:-1], x[1:])"
            )
        )
    return x


def _prepared(ufunc: np.ufunc, x: Tensor) -> Tensor:
    """``x`` in the dtype of the results of the ufunc, where that is known."""
    if ufunc in _OF_TRUTH:
        return convert(x, bool_)
    return convert(x, inexact_of(x.dtype)) if ufunc in _OF_FLOATS else x


def _check_one_axis(ufunc: np.ufunc, name: str, axes: Axes, where: Any) -> None:
    if len(axes) > 1:
        raise FadValueError(
            located(
                f"reduction operation {ufunc.__name__!r} is not reorderable, so at most one axis "
                f"may be specified; {name} got {axes}"
            )
        )
    if where is not True:
        raise FadTypeError(located(f"{name} takes no where=: use fad.numpy.where first"))


def _filling(ufunc: np.ufunc, name: str, initial: Any) -> Any:
    """What takes the place of elements that take no part."""
    if initial is None and ufunc.identity is None:
        raise FadValueError(
            located(f"{name} with where= needs initial=: a value for the case of no elements")
        )
    return initial if ufunc.identity is None else ufunc.identity


def _total(ufunc: np.ufunc, function: Function, x: Tensor, axes: Axes, initial: Any) -> Tensor:
    """The reduction of ``axes``; associative ufuncs leave ``initial`` to be put in afterwards."""
    kept = [i for i in range(x.ndim) if i not in axes]
    lead = tuple([x.shape[i] for i in kept])
    n = math.prod([x.shape[i] for i in axes])
    if not axes:
        return x
    x = reshape(transpose(x, (*kept, *axes)), (*lead, n))
    if n and ufunc in _ASSOCIATIVE:
        x = _by_halves(function, x)
        if n == 1 and ufunc in (np.hypot, np.gcd):  # which NumPy begins with 0
            x = function(x, 0)
        return reshape(x, lead)
    total = None if ufunc in _ASSOCIATIVE else initial
    for part in join.unstack(x, axis=-1):
        total = part if total is None else function(total, part)
    if total is None:
        if ufunc.identity is None and initial is None:
            raise FadValueError(
                located(f"numpy.{ufunc.__name__}.reduce of no elements has no value: give initial=")
            )
        total = full(lead, _filling(ufunc, "", initial), x.dtype)
    return asarray(total)


def _by_halves(function: Function, x: Tensor) -> Tensor:
    """The last axis reduced to length 1."""
    axis = x.ndim - 1
    while x.shape[axis] > 1:
        n = x.shape[axis]
        half = n // 2
        pairs = function(
            slice_axis(x, 0, half, axis=axis), slice_axis(x, half, 2 * half, axis=axis)
        )
        rest = [convert(slice_axis(x, n - 1, n, axis=axis), pairs.dtype)] if n % 2 else []
        x = concatenate([pairs, *rest], axis) if rest else pairs
    return x


def accumulate(
    ufunc: np.ufunc,
    function: Function,
    x: Any,
    axis: int | None = 0,
    dtype: Any = None,
    out: None = None,
) -> Tensor:
    """``np.<ufunc>.accumulate(x)``: all partial reductions along an axis."""
    name = f"numpy.{ufunc.__name__}.accumulate"
    x = _chained(ufunc, name, x, dtype)
    if not x.ndim:
        raise FadTypeError(
            located(
                f"{name} cannot run along a single number: write x.reshape(1), which has an axis"
            )
        )
    if axis is None:
        if x.ndim > 1:
            raise FadValueError(
                located(f"{name} runs along one axis only: give axis=, or write x.ravel()")
            )
        axis = 0
    known = _ACCUMULATIONS.get(ufunc)
    if known is not None:
        return known(x, axis=axis, dtype=dtype)
    along = one_axis(name, axis, x.ndim)
    x = _prepared(ufunc, x)
    run = _SCANS.get(ufunc)
    if run is not None:
        return run(x, along)
    if ufunc in _ASSOCIATIVE:
        return _by_doubling(function, x, along)
    parts = join.unstack(x, axis=along)
    return join.stack(list(accumulated(parts, function)), axis=along) if parts else x


def _by_doubling(function: Function, x: Tensor, axis: int) -> Tensor:
    """Partial reductions of 1, 2, 4, ... elements that end at each (Hillis and Steele, 1986)."""
    n, step = x.shape[axis], 1
    while step < n:
        joined = function(slice_axis(x, 0, n - step, axis=axis), slice_axis(x, step, n, axis=axis))
        first = convert(slice_axis(x, 0, step, axis=axis), joined.dtype)
        x = concatenate([first, joined], axis)
        step *= 2
    return x


def outer(
    ufunc: np.ufunc, function: Callable[..., Any], x: Any, y: Any, dtype: Any = None
) -> Tensor:
    """``np.<ufunc>.outer(x, y)``: the function of every pair of elements."""
    x, y = _operand(x, dtype), _operand(y, dtype)
    return function(shapes.reshape(x, x.shape + (1,) * y.ndim), y)


METHODS: dict[str, Callable[..., Any]] = {
    "reduce": reduce,
    "accumulate": accumulate,
    "outer": outer,
}


def _operand(x: Any, dtype: Any) -> Tensor:
    x = asarray(x)
    return x if dtype is None else astype(x, dtype)
