"""The methods of ufuncs: ``np.add.reduce``, ``np.multiply.accumulate``, ``np.subtract.outer``."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate as accumulated
from typing import Any

import numpy as np

from fad.core.dtypes import inexact_of
from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy import cumulative, join, reductions, shapes
from fad.numpy.axes import one_axis
from fad.numpy.constants import full_like
from fad.numpy.creation import asarray
from fad.numpy.dtypes import astype
from fad.primitives import cumulative as scans
from fad.primitives.broadcast import convert
from fad.primitives.logsumexp import cumlogsumexp

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
    np.logaddexp: lambda x, axis: cumlogsumexp(convert(x, inexact_of(x.dtype)), axis),
}
"""Accumulations that have no function of their own in NumPy's namespace."""


def reduce(
    ufunc: np.ufunc,
    function: Callable[..., Any],
    x: Any,
    axis: Any = 0,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    **options: Any,
) -> Tensor:
    """``np.<ufunc>.reduce(x)``: a reduction where there is one, else one call per element."""
    x = _operand(x, dtype)
    known = _REDUCTIONS.get(ufunc)
    if known is not None:
        return known(x, axis=axis, keepdims=keepdims, **options)
    parts = _slices(ufunc, "reduce", x, axis)
    if options.get("where", True) is not True:
        raise FadTypeError(
            located(f"numpy.{ufunc.__name__}.reduce takes no where=: use fad.numpy.where first")
        )
    total = options.get("initial")
    for part in parts:
        total = part if total is None else function(total, part)
    if total is None:
        if ufunc.identity is None:
            raise FadValueError(
                located(f"numpy.{ufunc.__name__}.reduce of no elements has no value: give initial=")
            )
        total = full_like(reductions.sum(x, axis=axis), ufunc.identity)
    if not keepdims:
        return asarray(total)
    ones = (1,) * x.ndim
    return shapes.reshape(total, ones) if axis is None else shapes.expand_dims(total, axis)


def accumulate(
    ufunc: np.ufunc,
    function: Callable[..., Any],
    x: Any,
    axis: int = 0,
    dtype: Any = None,
    out: None = None,
) -> Tensor:
    """``np.<ufunc>.accumulate(x)``: all partial reductions along an axis."""
    x = _operand(x, dtype)
    known = _ACCUMULATIONS.get(ufunc)
    if known is not None:
        return known(x, axis=axis)
    run = _SCANS.get(ufunc)
    if run is not None:
        return run(x, one_axis(f"numpy.{ufunc.__name__}.accumulate", axis, x.ndim))
    parts = _slices(ufunc, "accumulate", x, axis)
    return join.stack(list(accumulated(parts, function)), axis=axis) if parts else x


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


def _slices(ufunc: np.ufunc, method: str, x: Tensor, axis: Any) -> list[Tensor]:
    if axis is None:
        x, axis = shapes.ravel(x), 0
    if isinstance(axis, tuple):
        if len(axis) != 1:
            raise FadTypeError(
                located(f"numpy.{ufunc.__name__}.{method} takes one axis on tensors, got {axis}")
            )
        axis = axis[0]
    return list(join.unstack(x, axis=axis))
