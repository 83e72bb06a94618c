"""NumPy's reductions that leave NaN out. The derivative in an element that is NaN is 0."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from fad.core import dtypes
from fad.core.errors import FadTypeError, located
from fad.core.tensor import Tensor
from fad.numpy import cumulative, reductions, statistics
from fad.numpy.axes import tensor
from fad.numpy.dtypes import as_dtype
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


def _check_dtype(name: str, x: Tensor, dtype: Any) -> None:
    """Raise, as NumPy does, if a statistic of floats is asked for in integers."""
    if dtype is not None and x.aval.inexact and not dtypes.is_inexact(as_dtype(dtype)):
        raise FadTypeError(
            located(
                f"{name} of {x.dtype} cannot have dtype={as_dtype(dtype)}, which has no NaN: write "
                f"{name}(x).astype({str(as_dtype(dtype))!r})"
            )
        )


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
    _check_dtype("nanmean", x, dtype)
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
    """The variance over ``axis`` of what is not NaN; NaN if no degree of freedom is left."""
    x = tensor(a)
    _check_dtype("nanvar", x, dtype)
    return statistics.variance(
        "nanvar", x, axis, dtype, out, ddof, keepdims, _numbers(x, where), mean, correction,
        none=math.nan if x.aval.inexact else 0.0,
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
    """The square root of :func:`nanvar`."""
    x = tensor(a)
    _check_dtype("nanstd", x, dtype)
    return statistics.deviation(
        "nanstd", x, axis, dtype, out, ddof, keepdims, _numbers(x, where), mean, correction,
        none=math.nan if x.aval.inexact else 0.0,
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
