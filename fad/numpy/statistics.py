"""NumPy's means, variances and standard deviations, plain and weighted."""

from __future__ import annotations

import math
from typing import Any

from fad.core import dtypes
from fad.core.apply import apply1
from fad.core.dtypes import DType
from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy.axes import several_axes, tensor
from fad.numpy.dtypes import as_dtype, cast
from fad.numpy.reductions import masked, reduced_axes, reduction
from fad.numpy.ufunc import refuse_out
from fad.primitives import arithmetic, comparison, complexes, norms, reductions
from fad.primitives.broadcast import broadcast_to, convert
from fad.primitives.reductions import Axes
from fad.primitives.shape import reshape, transpose

_WIDE = (dtypes.float64, dtypes.float32)
"""What is summed and divided as it is."""

__all__ = ["average", "mean", "std", "var"]


def _mean_dtypes(dtype: DType, requested: Any) -> tuple[DType, DType]:
    """In which dtype a mean is computed and in which it is given."""
    if requested is not None:
        target = as_dtype(requested)
    else:
        target = dtype if dtypes.is_inexact(dtype) else dtypes.float64
    return (reductions.accumulator(target) if dtypes.is_inexact(target) else target), target


def _count(x: Tensor, axes: Axes, where: Any) -> Any:
    """How many elements are reduced: a number, or a tensor with its axes kept."""
    if where is True:
        return float(math.prod([x.shape[axis] for axis in axes]))
    mask = broadcast_to(convert(tensor(where), dtypes.bool_), x.shape)
    real = dtypes.real_of(x.dtype) if dtypes.is_inexact(x.dtype) else dtypes.float64
    return convert(reductions.reduce_sum(mask, axes, True), real)


def _over(total: Tensor, count: Any) -> Tensor:
    """``total / count`` for a count with its axes kept."""
    if isinstance(count, Tensor) and count.ndim != total.ndim:
        count = reshape(count, total.shape)
    return arithmetic.div(total, count)


def mean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    *,
    where: Any = True,
) -> Tensor:
    """The arithmetic mean over ``axis``; of nothing it is NaN. Integers give float64.

    >>> import fad, fad.numpy as fnp
    >>> fad.grad(fnp.mean)(fad.asarray([2.0, 0.0, 3.0, 1.0]))
    fad.Tensor([0.25, 0.25, 0.25, 0.25])
    """
    plain = dtype is None and out is None and where is True and isinstance(a, Tensor)
    if plain and a.aval.dtype in _WIDE and (axis is None or axis.__class__ is int):
        total = apply1(reduction(reductions.REDUCE_SUM, a, axis, keepdims), a)
        count = a.aval.size if axis is None else a.aval.shape[axis]
        result: Tensor = arithmetic.div(total, float(count))
        return result  # the short way
    refuse_out("mean", out)
    x = tensor(a)
    axes = reduced_axes("mean", axis, x.ndim)
    computed, target = _mean_dtypes(x.dtype, dtype)
    x = masked(cast(x, computed), where, 0)
    total = convert(reductions.reduce_sum(x, axes, bool(keepdims)), computed)
    return convert(_over(total, _count(x, axes, where)), target)


def _freedom(count: Any, ddof: float, none: float) -> Any:
    """``count - ddof``, and ``none`` where that is not positive."""
    if not isinstance(count, Tensor):
        return float(count - ddof) if count > ddof else none
    left = arithmetic.sub(count, float(ddof))
    return comparison.select(comparison.gt(left, 0.0), left, none)


def _ddof(name: str, ddof: float, correction: float | None) -> float:
    if correction is None:
        return ddof
    if ddof:
        raise FadValueError(located(f"{name}: ddof and correction are the same; give only one"))
    return correction


def _spread(
    name: str, a: Any, axis: Any, dtype: Any, ddof: float, where: Any, mean: Any, none: float
) -> tuple[Tensor, Axes, Any, DType, DType]:
    """Deviations from the mean, zero outside the mask, the axes to reduce, n - ddof, and the dtypes
    in which the result is computed and given: only a requested one can be complex."""
    x = tensor(a)
    axes = reduced_axes(name, axis, x.ndim)
    computed, target = _mean_dtypes(x.dtype, dtype)
    wide = x if dtypes.kind(x.dtype) == "c" else convert(x, dtypes.promote_types(x.dtype, computed))
    count = _count(wide, axes, where)
    if mean is None:
        total = reductions.reduce_sum(masked(cast(x, computed), where, 0), axes, True)
        mean = convert(arithmetic.div(convert(total, computed), count), computed)
    deviations = masked(arithmetic.sub(wide, mean), where, 0)
    freedom = _freedom(count, ddof, none)
    if dtype is None:
        computed, target = dtypes.real_of(computed), dtypes.real_of(target)
    return deviations, axes, freedom, computed, target


def var(
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
    """The mean squared distance from the mean, divided by n - ``ddof`` instead of n.

    ``mean``, if known, has its axes kept. For complex numbers the result is real.
    """
    return variance("var", a, axis, dtype, out, ddof, keepdims, where, mean, correction)


def variance(
    name: str,
    a: Any,
    axis: Any,
    dtype: Any,
    out: None,
    ddof: float,
    keepdims: bool,
    where: Any,
    mean: Any,
    correction: float | None,
    none: float = 0.0,
) -> Tensor:
    """:func:`var`, with ``none`` to divide by where no degree of freedom is left."""
    refuse_out(name, out)
    ddof = _ddof(name, ddof, correction)
    deviations, axes, freedom, computed, target = _spread(
        name, a, axis, dtype, ddof, where, mean, none
    )
    if dtypes.kind(deviations.dtype) == "c":
        squares = complexes.real(arithmetic.mul(deviations, complexes.conj(deviations)))
    else:
        squares = arithmetic.square(deviations)
    if not dtypes.is_inexact(computed):
        squares = convert(squares, computed)
    total = reductions.reduce_sum(squares, axes, bool(keepdims))
    return convert(_over(total, freedom), target)


def std(
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
    """The square root of the variance. Where all are equal its derivative is 0, as a norm's is."""
    return deviation("std", a, axis, dtype, out, ddof, keepdims, where, mean, correction)


def deviation(
    name: str,
    a: Any,
    axis: Any,
    dtype: Any,
    out: None,
    ddof: float,
    keepdims: bool,
    where: Any,
    mean: Any,
    correction: float | None,
    none: float = 0.0,
) -> Tensor:
    """:func:`std`, with ``none`` to divide by where no degree of freedom is left."""
    refuse_out(name, out)
    if dtype is not None and not dtypes.is_inexact(as_dtype(dtype)):  # of the truncated variance
        squared = variance(name, a, axis, dtype, out, ddof, keepdims, where, mean, correction, none)
        return convert(arithmetic.sqrt(squared), squared.dtype)
    ddof = _ddof(name, ddof, correction)
    deviations, axes, freedom, _, target = _spread(name, a, axis, dtype, ddof, where, mean, none)
    root = arithmetic.sqrt(freedom) if isinstance(freedom, Tensor) else math.sqrt(freedom)
    return convert(_over(norms.norm(deviations, axes, bool(keepdims)), root), target)


def average(
    a: Any,
    axis: Any = None,
    weights: Any = None,
    returned: bool = False,
    *,
    keepdims: bool = False,
) -> Any:
    """The weighted mean over ``axis``, and the sum of weights if ``returned``.

    ``weights`` have the shape of ``a``, or lengths for the axes in ``axis`` alone. Weights that sum
    to 0 give NaN or infinity, where NumPy raises.
    """
    x = tensor(a)
    axes = reduced_axes("average", axis, x.ndim)
    if weights is None:
        value = mean(x, axes, keepdims=keepdims)
        total = tensor(_count(x, axes, True))
    else:
        w = fitting_weights("average", tensor(weights), x, axis)
        dtype = dtypes.promote_types(x.dtype, w.dtype)
        if not dtypes.is_inexact(x.dtype):
            dtype = dtypes.promote_types(dtype, dtypes.float64)
        w = convert(w, dtype)
        total = reductions.reduce_sum(w, axes, keepdims)
        weighted = arithmetic.mul(convert(x, dtype), w)
        value = arithmetic.div(reductions.reduce_sum(weighted, axes, keepdims), total)
    if not returned:
        return value
    return value, convert(broadcast_to(total, value.shape), value.dtype)


def fitting_weights(name: str, weights: Tensor, x: Tensor, axis: Any) -> Tensor:
    """``weights`` with the axes of length 1 that they need to meet ``x``."""
    if weights.shape == x.shape:
        return weights
    if axis is None:
        raise FadTypeError(
            located(
                f"{name}: weights of shape {weights.shape} for a tensor of shape {x.shape} need "
                "axis=, which says along which axes they lie"
            )
        )
    axes = several_axes(name, axis, x.ndim)
    lengths = tuple([x.shape[axis] for axis in axes])
    if weights.shape != lengths:
        raise FadValueError(
            located(
                f"{name}: weights of shape {weights.shape} do not fit axis {axis} of shape "
                f"{x.shape}, which needs weights of shape {lengths}"
            )
        )
    order = sorted(range(len(axes)), key=axes.__getitem__)
    return reshape(
        transpose(weights, order), tuple([n if i in axes else 1 for i, n in enumerate(x.shape)])
    )
