"""NumPy's reductions that leave NaN out. The derivative in an element that is NaN is 0."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from fad.core import dtypes
from fad.core.tensor import Tensor
from fad.numpy import cumulative, reductions, statistics
from fad.numpy.axes import tensor
from fad.numpy.reductions import masked
from fad.primitives import comparison, floating

__all__ = [
    "nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmin", "nanprod",
    "nanstd", "nansum", "nanvar",
]  # fmt: skip


def _numbers(x: Tensor, where: Any = True) -> Any:
    """The mask of elements that take part: inside ``where`` and not NaN. True if all do."""
    if not dtypes.is_inexact(x.dtype):
        return where
    valid = comparison.logical_not(floating.isnan(x))
    return valid if where is True else comparison.logical_and(valid, tensor(where))


def nansum(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Tensor:
    """The sum over ``axis`` of what is not NaN; 0 if nothing is left."""
    x = tensor(a)
    return reductions.sum(x, axis, dtype, out, keepdims, initial, _numbers(x, where))


def nanprod(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Tensor:
    """The product over ``axis`` of what is not NaN; 1 if nothing is left."""
    x = tensor(a)
    return reductions.prod(x, axis, dtype, out, keepdims, initial, _numbers(x, where))


def _extremum(
    function: Callable[..., Tensor],
    worst: float,
    a: Any,
    axis: Any,
    out: None,
    keepdims: bool,
    initial: Any,
    where: Any,
) -> Tensor:
    x = tensor(a)
    valid = _numbers(x)
    if valid is True:
        return function(x, axis, out, keepdims, initial, where)
    result = function(masked(x, valid, worst), axis, out, keepdims, initial, where)
    if initial is not None:
        return result
    return masked(result, reductions.any(valid, axis, keepdims=keepdims), math.nan)


def nanmax(
    a: Any,
    axis: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Tensor:
    """The maximum over ``axis`` of what is not NaN; NaN if nothing is left."""
    return _extremum(reductions.max, -math.inf, a, axis, out, keepdims, initial, where)


def nanmin(
    a: Any,
    axis: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Tensor:
    """The minimum over ``axis`` of what is not NaN; NaN if nothing is left."""
    return _extremum(reductions.min, math.inf, a, axis, out, keepdims, initial, where)


def nanmean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    *,
    where: Any = True,
) -> Tensor:
    """The mean over ``axis`` of what is not NaN; NaN if nothing is left."""
    x = tensor(a)
    return statistics.mean(x, axis, dtype, out, keepdims, where=_numbers(x, where))


def nanvar(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: float | None = None,
) -> Tensor:
    """The variance over ``axis`` of what is not NaN; NaN if nothing is left."""
    x = tensor(a)
    return statistics.var(
        x, axis, dtype, out, ddof, keepdims,
        where=_numbers(x, where), mean=mean, correction=correction,
    )  # fmt: skip


def nanstd(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: float | None = None,
) -> Tensor:
    """The standard deviation over ``axis`` of what is not NaN; NaN if nothing is left."""
    x = tensor(a)
    return statistics.std(
        x, axis, dtype, out, ddof, keepdims,
        where=_numbers(x, where), mean=mean, correction=correction,
    )  # fmt: skip


def nanargmax(a: Any, axis: Any = None, out: None = None, *, keepdims: bool = False) -> Tensor:
    """Index of the first maximum of what is not NaN; 0, where NumPy raises, if nothing is."""
    x = tensor(a)
    return reductions.argmax(masked(x, _numbers(x), -math.inf), axis, out, keepdims=keepdims)


def nanargmin(a: Any, axis: Any = None, out: None = None, *, keepdims: bool = False) -> Tensor:
    """Index of the first minimum of what is not NaN; 0, where NumPy raises, if nothing is."""
    x = tensor(a)
    return reductions.argmin(masked(x, _numbers(x), math.inf), axis, out, keepdims=keepdims)


def nancumsum(a: Any, axis: Any = None, dtype: Any = None, out: None = None) -> Tensor:
    """Sums of the elements up to and including each, NaN counting as 0."""
    x = tensor(a)
    return cumulative.cumsum(masked(x, _numbers(x), 0), axis, dtype, out)


def nancumprod(a: Any, axis: Any = None, dtype: Any = None, out: None = None) -> Tensor:
    """Products of the elements up to and including each, NaN counting as 1."""
    x = tensor(a)
    return cumulative.cumprod(masked(x, _numbers(x), 1), axis, dtype, out)
