"""NumPy's quantiles and percentiles, by all of its methods.

The nine methods of Hyndman and Fan, "Sample quantiles in statistical packages", The American
Statistician 50 (1996), and NumPy's four others find a *place* among the n sorted numbers. Either it
is one of theirs, or the result is the mean of two neighbours, or it lies between two.

The derivative in the numbers goes with the elements. In q it is the slope between the two
neighbours for methods that interpolate, and 0 for the others. Where a place is exactly that of an
element, the slope is that towards the next one; at the last, that from the one before.

Infinities are limits: between two that are equal lies the same, and a neighbour without weight does
not count, where NumPy has NaN for both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fad.core import dtypes
from fad.core.aval import Shape
from fad.core.dtypes import DType
from fad.core.errors import FadIndexError, FadTypeError, FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy.axes import tensor
from fad.numpy.indexing import getitem, take_along_axis
from fad.numpy.medians import Lines, lined_up, sort_lines, spoilt
from fad.numpy.reductions import reduced_axes
from fad.numpy.statistics import fitting_weights
from fad.numpy.ufunc import refuse_out
from fad.primitives import comparison, cumulative, extrema, floating, sorting
from fad.primitives.arithmetic import div
from fad.primitives.broadcast import broadcast_to, convert, full
from fad.primitives.reductions import Axes, reduced_shape
from fad.primitives.search import searchsorted
from fad.primitives.segments import lerp, midpoint
from fad.primitives.shape import reshape, transpose

__all__ = ["nanpercentile", "nanquantile", "percentile", "quantile"]

# --------------------------------------------------------------------------------------- methods
# Functions of n and q, each of which is a number, an array or a tensor, to places counted from 0.

Place = Callable[[Any, Any], Any]


def _product(n: Any, q: Any) -> Any:
    """``n q``, rounded: the compiler does not round what is added at once, and then the place of an
    element may fall just short of it. So it is led through a choice (NaN is dealt with later)."""
    out = n * q
    inexact = isinstance(out, Tensor) and out.aval.inexact
    return comparison.drop_where(floating.isnan(out), out) if inexact else out


def _linear(n: Any, q: Any) -> Any:
    return _product(n - 1, q)


def _steps(n: Any, q: Any) -> Any:
    return _product(n, q) - 1


def _between(alpha: float, beta: float) -> Place:
    return lambda n, q: _product(n, q) + (alpha + q * (1 - alpha - beta)) - 1


def _closest(n: Any, q: Any) -> Any:
    """The closest one; halfway between two, that with the even ordinal, counted from 1."""
    place = _steps(n, q) - 0.5
    below = np.floor(place)
    return np.where((place == below) & (below % 2 == 1), below, below + 1)


_INTERPOLATING: dict[str, Place] = {
    "linear": _linear,
    "interpolated_inverted_cdf": _between(0, 1),
    "hazen": _between(0.5, 0.5),
    "weibull": _between(0, 0),
    "median_unbiased": _between(1 / 3, 1 / 3),
    "normal_unbiased": _between(3 / 8, 3 / 8),
}
_STEPPING: dict[str, tuple[Place, ...]] = {  # one place, or two whose mean is taken
    "inverted_cdf": (lambda n, q: np.ceil(_steps(n, q)),),
    "averaged_inverted_cdf": (
        lambda n, q: np.ceil(_steps(n, q)),
        lambda n, q: np.floor(_steps(n, q)) + 1,
    ),
    "closest_observation": (_closest,),
    "lower": (lambda n, q: np.floor(_linear(n, q)),),
    "higher": (lambda n, q: np.ceil(_linear(n, q)),),
    "midpoint": (lambda n, q: np.floor(_linear(n, q)), lambda n, q: np.ceil(_linear(n, q))),
    "nearest": (lambda n, q: np.round(_linear(n, q)),),
}


# -------------------------------------------------------------------------------------- quantiles


class _Fraction(NamedTuple):
    """``q``: a number, an array or a tensor from 0 to 1, and the dtype in which it weighs."""

    value: Any
    dtype: DType
    exact: bool
    """Whether it is an integer, 0 or 1."""

    @property
    def shape(self) -> Shape:
        """Its shape."""
        return tuple(np.shape(self.value))

    def flat(self) -> Any:
        """The same along one axis."""
        if isinstance(self.value, Tensor):
            return reshape(self.value, (self.value.size,))
        return np.ravel(self.value)


def _read_fraction(name: str, q: Any, scale: int, of: DType) -> _Fraction:
    """``q``, divided by ``scale``. What is no tensor is checked, and a Python number is weak."""
    plain = type(q) in (int, float)
    weak = plain or (isinstance(q, Tensor) and q.aval.weak)
    several = isinstance(q, list | tuple) and any(isinstance(v, Tensor) for v in q)
    value: Any = tensor(q) if several else q if plain or isinstance(q, Tensor) else np.asarray(q)
    given = np.dtype(type(q)) if plain else value.dtype
    if dtypes.kind(given) not in "biuf":
        raise FadTypeError(located(f"{name}: q must be made of real numbers, got {given}"))
    if not isinstance(value, Tensor) and not np.all((value >= 0) & (value <= scale)):
        raise FadValueError(located(f"{name}: q must be in the range [0, {scale}]"))
    if given.itemsize == 2 and dtypes.is_inexact(given):  # in which n q overflows
        value = value.astype(np.float32)
    if scale != 1:
        value = np.true_divide(value, scale) if not weak else value / scale
    dtype = of if weak else given
    exact = scale == 1 and not dtypes.is_inexact(given)
    return _Fraction(value, dtype if dtypes.is_inexact(dtype) else dtypes.float64, exact)


def _interpolated(lines: Lines, place: Any, dtype: DType) -> Tensor:
    """Between the elements around a place; before the first and after the last lie these."""
    n = lines.count
    if isinstance(place, Tensor):
        place = extrema.raise_to(extrema.lower_to(place, n - 1), 0)
        below: Any = extrema.maximum(extrema.minimum(floating.floor(place), n - 2), 0)
    else:
        place = np.clip(place, 0, n - 1)
        below = np.clip(np.floor(place), 0, max(n - 2, 0))
    low, high, weight = lines.at(below), lines.at(below + 1), place - below
    common = dtypes.promote_types(low.dtype, dtype)
    # A single number enters the program as one, so that another is no new program.
    weight = float(weight) if np.ndim(weight) == 0 and not isinstance(weight, Tensor) else weight
    if type(weight) is not float:
        weight = convert(tensor(weight), dtype)
    return lerp(convert(low, common), convert(high, common), weight)


def _unweighted(lines: Lines, q: Any, method: str, dtype: DType, exact: bool) -> Tensor:
    n = lines.count
    if isinstance(n, Tensor) and not exact:  # a place has the dtype of q
        n = convert(n, q.dtype if dtypes.is_inexact(q.dtype) else dtypes.float64)
    if method in _INTERPOLATING and not exact:
        return _interpolated(lines, _INTERPOLATING[method](n, q), dtype)
    found = [lines.at(place(n, q)) for place in ((_linear,) if exact else _STEPPING[method])]
    if len(found) == 1:
        return found[0]
    common = dtypes.promote_types(found[0].dtype, dtype)
    return midpoint(*[convert(x, common) for x in found])


def _weighted(lines: Tensor, weights: Tensor, q: Any, dtype: DType, ignore_nan: bool) -> Tensor:
    """The first element up to which the share in all weights is at least q, which has one axis."""
    *lead, n = lines.shape
    last = len(lead)
    if ignore_nan:
        weights = comparison.drop_where(floating.isnan(lines), weights)
    values, order = sorting.sort_with_order(lines, last)
    share = cumulative.cumsum(convert(sorting.permute(weights, order, last), dtypes.float64), last)
    share = div(share, getitem(share, (Ellipsis, slice(-1, None))))
    invalid = floating.isnan(getitem(share, (Ellipsis, slice(-1, None))))
    share = convert(share, dtype)  # that of q: 0.4 in single precision exceeds 0.4 in double
    share = comparison.select(comparison.eq(share, 0.0), -1.0, share)  # q = 0 exceeds it, too
    rows = math.prod(lead)
    wanted = broadcast_to(tensor(q), (rows, q.shape[0]))
    index = searchsorted(reshape(share, (rows, n)), wanted, batch=1)
    index = reshape(extrema.minimum(index, n - 1), (*lead, q.shape[0]))
    out = take_along_axis(values, index, -1)
    if lines.aval.inexact:
        out = comparison.select(invalid, math.nan, out)
    return out if ignore_nan else spoilt(out, values)


def _check(name: str, x: Tensor, method: str, weights: Any, exact: bool) -> None:
    """Refuse what there are no quantiles of."""
    if x.dtype.kind == "c":
        raise FadTypeError(located(f"{name}: complex numbers have no quantiles; take those of abs"))
    if method not in _INTERPOLATING and method not in _STEPPING:
        known = ", ".join([*_INTERPOLATING, *_STEPPING])
        raise FadValueError(located(f"{name}: unknown method {method!r}; there are {known}"))
    if weights is not None and method != "inverted_cdf":
        raise FadValueError(
            located(f"{name}: weights go with method='inverted_cdf' only, not with {method!r}")
        )
    mixes = method in _INTERPOLATING or len(_STEPPING[method]) > 1
    if x.dtype == dtypes.bool_ and mixes and not (exact and method == "linear"):
        raise FadTypeError(
            located(
                f"{name}: method {method!r} mixes elements, and these are booleans; convert them "
                "with .astype(float), or take method='inverted_cdf'"
            )
        )


def _read_weights(name: str, weights: Any, x: Tensor, axis: Any, axes: Axes) -> Tensor:
    if not isinstance(weights, Tensor) and np.any(np.asarray(weights) < 0):
        raise FadValueError(located(f"{name}: weights must not be negative"))
    fitting = fitting_weights(name, tensor(weights), x, axis)
    return lined_up(broadcast_to(fitting, x.shape), axes)


def _quantile(
    name: str,
    scale: int,
    ignore_nan: bool,
    a: Any,
    q: Any,
    axis: Any,
    out: Any,
    method: str,
    keepdims: Any,
    weights: Any,
) -> Tensor:
    """All functions here but the medians."""
    refuse_out(name, out)
    x = tensor(a)
    fraction = _read_fraction(name, q, scale, x.dtype)
    _check(name, x, method, weights, fraction.exact)
    axes = reduced_axes(name, axis, x.ndim)
    lines = lined_up(x, axes)
    ignore_nan = ignore_nan and x.aval.inexact
    *lead, n = lines.shape
    shape = (*lead, *fraction.shape)
    exact = fraction.exact and method == "linear"
    if not n and 0 not in lead:
        if not ignore_nan:
            raise FadIndexError(located(f"{name}: there are no elements along axis {axis}"))
        found = full(shape, math.nan, x.dtype)
    elif weights is not None:
        lined = _read_weights(name, weights, x, axis, axes)
        found = _weighted(lines, lined, fraction.flat(), fraction.dtype, ignore_nan)
    elif ignore_nan:
        found = _unweighted(sort_lines(lines, True), fraction.flat(), method, fraction.dtype, exact)
    else:
        ordered = sort_lines(lines, False)
        found = _unweighted(ordered, fraction.value, method, fraction.dtype, exact)
        found = spoilt(found, ordered.values)
    if isinstance(fraction.value, Tensor) and found.aval.inexact:  # whose values nobody has checked
        inside = comparison.logical_and(fraction.value >= 0, fraction.value <= 1)
        found = comparison.select(inside, reshape(found, shape), math.nan)
    found = transpose(reshape(found, shape), (*range(len(lead), len(shape)), *range(len(lead))))
    return reshape(found, (*fraction.shape, *reduced_shape(x.shape, axes, bool(keepdims))))


def quantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Tensor:
    """The numbers below which a share ``q`` of the elements along ``axis`` lies.

    ``q`` is a number or an array from 0 to 1; its axes come first in the result. Where it is a
    tensor that leaves this range the result is NaN. ``weights`` go with method "inverted_cdf"
    only. NaN among the elements gives NaN. Integers and booleans keep their dtype under the methods
    that choose an element, and give float64 under the others.

    >>> import fad, fad.numpy as fnp
    >>> x = fad.asarray([3.0, 1.0, 2.0, 10.0])
    >>> fnp.quantile(x, 0.25), fnp.quantile(x, [0.5, 1.0], method="lower")
    (fad.Tensor(1.75), fad.Tensor([ 2., 10.]))
    >>> fad.grad(fnp.quantile, argnums=(0, 1))(x, 0.25)
    (fad.Tensor([0.  , 0.25, 0.75, 0.  ]), fad.Tensor(3.))
    """
    return _quantile("quantile", 1, False, a, q, axis, out, method, keepdims, weights)


def percentile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Tensor:
    """The same as :func:`quantile` for ``q`` from 0 to 100."""
    return _quantile("percentile", 100, False, a, q, axis, out, method, keepdims, weights)


def nanquantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Tensor:
    """The same as :func:`quantile` of what is not NaN; NaN if nothing is left."""
    return _quantile("nanquantile", 1, True, a, q, axis, out, method, keepdims, weights)


def nanpercentile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Tensor:
    """The same as :func:`percentile` of what is not NaN; NaN if nothing is left."""
    return _quantile("nanpercentile", 100, True, a, q, axis, out, method, keepdims, weights)
