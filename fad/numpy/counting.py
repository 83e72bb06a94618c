"""NumPy's counts and histograms. Counts have no derivative, sums of weights are linear in them.

The edges of bins may depend on the data, and a density depends on the edges: that derivative is
there, too. Data that are tensors are not checked: an infinity or NaN among them gives NaN for edges
that are found from them.
"""

from __future__ import annotations

import math
from operator import index
from typing import Any

import numpy as np

from fad.core import dtypes
from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy.axes import is_sequence, tensor
from fad.numpy.dtypes import result_type
from fad.numpy.indexing import getitem, known_values
from fad.numpy.shapes import ravel
from fad.primitives import comparison
from fad.primitives.arithmetic import add, div, mul, sub
from fad.primitives.broadcast import convert, full
from fad.primitives.extrema import maximum, minimum
from fad.primitives.floating import floor
from fad.primitives.gather import Selection, spread
from fad.primitives.join import stack
from fad.primitives.reductions import reduce_max, reduce_min, reduce_sum
from fad.primitives.search import searchsorted
from fad.primitives.segments import bin_edges
from fad.primitives.shape import reshape, transpose

__all__ = ["bincount", "histogram", "histogram2d", "histogram_bin_edges", "histogramdd"]


def _tally(numbers: Tensor, weights: Tensor | None, count: int) -> Tensor:
    """How often each number from 0 to ``count - 1`` occurs, or the sum of its weights; others are
    left out."""
    inside = comparison.select(comparison.lt(numbers, 0), count, numbers)
    if weights is None:
        weights = full(numbers.shape, 1, dtypes.int64)
    return spread(weights, (inside,), Selection((0,), (None,), mode="fill"), (count,))


def bincount(
    x: Any, /, weights: Any = None, minlength: int = 0, *, length: int | None = None
) -> Tensor:
    """How often each number from 0 to the largest occurs in ``x``, or the sum of its ``weights``.

    ``x`` has one axis and is not negative. How long the result is, at least ``minlength``, depends
    on its values; under jit and vmap say it by ``length``: numbers beyond it are left out, and so
    are negative ones.

    >>> import fad, fad.numpy as fnp
    >>> fnp.bincount([0, 2, 2])
    fad.Tensor([1, 0, 2])
    >>> fad.grad(lambda w: fnp.bincount([0, 2, 2], w)[2])(fad.asarray([1.0, 2.0, 3.0]))
    fad.Tensor([0., 1., 1.])
    """
    numbers = tensor(x)
    if numbers.dtype.kind not in "biu" and numbers.size:
        raise FadTypeError(located(f"bincount: x must be integers, got {numbers.dtype}"))
    if numbers.ndim != 1:
        raise FadValueError(located(f"bincount: x must have one axis, got shape {numbers.shape}"))
    numbers = convert(numbers, dtypes.int64)
    minlength = index(minlength)
    if minlength < 0:
        raise FadValueError(located("bincount: minlength must not be negative"))
    w = None
    if weights is not None:
        w = tensor(weights)
        if w.shape != numbers.shape:
            raise FadValueError(
                located(f"bincount: weights have shape {w.shape}, and x has {numbers.shape}")
            )
        w = convert(w, dtypes.promote_types(w.dtype, dtypes.float64))
    if length is None:
        values = known_values("bincount without length=", numbers)
        if values.size and values.min() < 0:
            raise FadValueError(located(f"bincount: x must not be negative, got {values.min()}"))
        length = max(minlength, int(values.max(initial=-1)) + 1)
    return _tally(numbers, w, max(index(length), minlength))


# ------------------------------------------------------------------------------------------ edges


def _given_range(name: str, span: Any) -> tuple[Any, Any]:
    """The bounds of a range; those that are no tensors are checked."""
    first, last = span
    if isinstance(first, Tensor) or isinstance(last, Tensor):
        return first, last
    if not (math.isfinite(first) and math.isfinite(last)):
        raise FadValueError(located(f"{name}: the range must be finite, got {(first, last)}"))
    if first > last:
        raise FadValueError(located(f"{name}: the range must ascend, got {(first, last)}"))
    return (first - 0.5, last + 0.5) if first == last else (first, last)


def _equal_bins(name: str, x: Tensor, count: int, span: Any) -> Tensor:
    """The edges of bins of one width over a range, or over all of ``x``."""
    if span is None and not x.size:
        span = (0, 1)
    if span is not None:
        first, last = _given_range(name, span)
    else:
        axes = tuple(range(x.ndim))
        first, last = reduce_min(x, axes), reduce_max(x, axes)
    kind = result_type(first, last, x)
    kind = kind if dtypes.is_inexact(kind) else dtypes.float64
    if not isinstance(first, Tensor) and not isinstance(last, Tensor):
        edges = np.linspace(first, last, count + 1, dtype=kind)
        if np.any(edges[:-1] >= edges[1:]):
            raise FadValueError(located(f"{name}: {count} bins are too many for the data's range"))
        return tensor(edges)
    first, last = convert(tensor(first), kind), convert(tensor(last), kind)
    half = mul(convert(comparison.eq(first, last), kind), 0.5)  # of the width, if there is none
    return bin_edges(sub(first, half), add(last, half), count)


def _estimated_count(name: str, x: Tensor, estimator: str, span: Any) -> int:
    """How many bins one of NumPy's estimators takes: an integer, which has no derivative."""
    what = f"{name} with bins={estimator!r}"
    values = known_values(what, x)
    if span is not None:
        span = [known_values(what, bound) for bound in _given_range(name, span)]
    try:
        return len(np.histogram_bin_edges(values, estimator, span)) - 1
    except ValueError as error:
        raise FadValueError(located(f"{name}: {error}")) from None


def _edges(name: str, x: Tensor, bins: Any, span: Any, weights: Any) -> Tensor:
    if isinstance(bins, str):
        if weights is not None:
            raise FadTypeError(located(f"{name}: bins={bins!r} is not supported with weights"))
        bins = _estimated_count(name, x, bins, span)
    if is_sequence(bins):
        edges = tensor(bins)
        if edges.ndim != 1:
            raise FadValueError(located(f"{name}: bins must have one axis, got {edges.shape}"))
        if not isinstance(bins, Tensor) and np.any(np.diff(np.asarray(bins)) < 0):
            raise FadValueError(located(f"{name}: bins must ascend"))
        return edges
    try:
        count = index(bins)
    except TypeError:
        raise FadTypeError(
            located(f"{name}: bins must be an integer, an array or a name, got {bins!r}")
        ) from None
    if count < 1:
        raise FadValueError(located(f"{name}: the number of bins must be positive, got {count}"))
    return _equal_bins(name, x, count, span)


def _bins_of(x: Tensor, edges: Tensor, equal: bool) -> Tensor:
    """The number of each element's bin, negative or too large outside; the last edge counts."""
    if equal and edges.size > _MANY:
        return _equal_bins_of(x, edges)
    found = sub(searchsorted(edges, x, "right"), 1)
    on_last = comparison.eq(x, getitem(edges, -1))
    return sub(found, convert(on_last, dtypes.int64))


_MANY = 64
"""Among more edges, at equal distances, the place is guessed and then corrected by the edges."""


def _equal_bins_of(x: Tensor, edges: Tensor) -> Tensor:
    """The same for bins of one width. Rounding moves the guess by no more than one bin."""
    count = edges.size - 1
    x = convert(x, edges.dtype)
    first, last = getitem(edges, 0), getitem(edges, -1)
    inside = comparison.logical_and(comparison.ge(x, first), comparison.le(x, last))
    scaled = mul(div(sub(x, first), sub(last, first)), float(count))
    safe = comparison.select(inside, scaled, 0.0)
    guess = minimum(maximum(convert(floor(safe), dtypes.int64), 0), count - 1)
    guess = sub(guess, convert(comparison.lt(x, getitem(edges, guess)), dtypes.int64))
    beyond = comparison.ge(x, getitem(edges, add(guess, 1)))
    beyond = comparison.logical_and(beyond, comparison.lt(guess, count - 1))
    return comparison.select(inside, add(guess, convert(beyond, dtypes.int64)), -1)


def _widths(edges: Tensor) -> Tensor:
    return sub(getitem(edges, slice(1, None)), getitem(edges, slice(None, -1)))


def _sample(name: str, a: Any, bins: Any, span: Any) -> Tensor:
    """The data, which must be finite if edges are found from them; tensors are not checked."""
    x = tensor(a)
    if x.dtype.kind == "c":
        raise FadTypeError(located(f"{name} is not defined for complex numbers; take abs, or real"))
    finds_range = span is None and not is_sequence(bins) and x.aval.inexact
    if finds_range and not isinstance(a, Tensor) and not np.isfinite(np.asarray(a)).all():
        raise FadValueError(
            located(f"{name}: the range of the data is not finite; give a range, or edges")
        )
    return x


# ------------------------------------------------------------------------------------- histograms


def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Tensor:
    """The edges of the bins that :func:`histogram` takes.

    >>> import fad.numpy as fnp
    >>> fnp.histogram_bin_edges([1.0, 2.0, 5.0], bins=4)
    fad.Tensor([1., 2., 3., 4., 5.])
    """
    x = _sample("histogram_bin_edges", a, bins, range)
    return _edges("histogram_bin_edges", ravel(x), bins, range, weights)


def histogram(
    a: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> tuple[Tensor, Tensor]:
    """How many elements of ``a`` lie in each bin, or the sum of their weights; and the bins' edges.

    ``bins`` is a number, edges, or the name of one of NumPy's estimators, which needs concrete
    values. A bin includes its first edge and the last bin both. With ``density`` the integral over
    all bins is 1. Differentiable in the weights; the density in the edges, too, and so in the data
    that the edges are found from.

    >>> import fad.numpy as fnp
    >>> fnp.histogram([1.0, 2.0, 2.5, 5.0], bins=2)
    (fad.Tensor([3, 1]), fad.Tensor([1., 3., 5.]))
    """
    x = _sample("histogram", a, bins, range)
    w = None if weights is None else tensor(weights)
    if w is not None and w.shape != x.shape:
        raise FadValueError(
            located(f"histogram: weights have shape {w.shape}, and the data {x.shape}")
        )
    x = ravel(x)
    edges = _edges("histogram", x, bins, range, weights)
    place = _bins_of(x, edges, not is_sequence(bins))
    counts = _tally(place, w if w is None else ravel(w), edges.size - 1)
    if density:
        counts = div(div(counts, _widths(edges)), reduce_sum(counts, (0,)))
    return counts, edges


def histogram2d(
    x: Any,
    y: Any,
    bins: Any = 10,
    range: Any = None,
    density: bool | None = None,
    weights: Any = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """The histogram of pairs of numbers, as float64, and the edges along both axes.

    ``bins`` is a number or edges for both axes, or a pair of these.
    """
    pairs = stack([tensor(x), tensor(y)]) if np.shape(x) == np.shape(y) else None
    if pairs is None or pairs.ndim != 2:
        raise FadValueError(
            located(
                "histogram2d: x and y must have one axis and one length, got shapes "
                f"{np.shape(x)} and {np.shape(y)}"
            )
        )
    if is_sequence(bins) and len(bins) not in (1, 2):
        bins = [bins, bins]
    counts, (first, second) = histogramdd(transpose(pairs, (1, 0)), bins, range, density, weights)
    return counts, first, second


def histogramdd(
    sample: Any,
    bins: Any = 10,
    range: Any = None,
    density: bool | None = None,
    weights: Any = None,
) -> tuple[Tensor, list[Tensor]]:
    """The histogram of points in D dimensions, as float64, and the edges along each axis.

    ``sample`` has a row for each point, or is a sequence of D coordinates. ``bins`` is a number for
    all axes, or a sequence of numbers or edges. Differentiable as :func:`histogram` is.

    >>> import fad.numpy as fnp
    >>> points = fnp.asarray([[0.0, 0.0], [0.1, 3.0], [1.0, 4.0]])
    >>> fnp.histogramdd(points, bins=2)[0]
    fad.Tensor([[1., 1.],
                [0., 1.]])
    """
    points = _points(_sample("histogramdd", sample, bins, range), sample)
    size, dims = points.shape
    each = list(bins) if is_sequence(bins) else [bins] * dims
    spans = [None] * dims if range is None else list(range)
    if len(each) != dims or len(spans) != dims:
        raise FadValueError(
            located(f"histogramdd: bins and range need an entry for each of {dims} dimensions")
        )
    edges, place = [], None
    inside: Any = None
    for i, (one, span) in enumerate(zip(each, spans)):
        column = getitem(points, (slice(None), i))
        edges.append(_edges("histogramdd", column, one, span, None))
        found, count = _bins_of(column, edges[i], not is_sequence(one)), edges[i].size - 1
        fits = comparison.logical_and(comparison.ge(found, 0), comparison.lt(found, count))
        inside = fits if inside is None else comparison.logical_and(inside, fits)
        place = found if place is None else add(mul(place, count), found)
    lengths = tuple([e.size - 1 for e in edges])
    w = full((size,), 1.0, dtypes.float64) if weights is None else tensor(weights)
    w = convert(w, dtypes.promote_types(w.dtype, dtypes.float64))
    place = comparison.select(inside, place, -1)
    counts = reshape(_tally(place, w, math.prod(lengths)), lengths)
    if density:
        total = reduce_sum(counts, tuple([i for i, _ in enumerate(edges)]))
        for i, e in enumerate(edges):
            widths = reshape(_widths(e), tuple([n if i == k else 1 for k, n in enumerate(lengths)]))
            counts = div(counts, widths)
        counts = div(counts, total)
    return counts, edges


def _points(x: Tensor, given: Any) -> Tensor:
    """One row for each point."""
    if x.ndim > 2:
        raise FadValueError(located(f"histogramdd: points have two axes, got shape {x.shape}"))
    if x.ndim < 2:
        return reshape(x, (x.size, 1))
    return x if isinstance(given, Tensor | np.ndarray) else transpose(x, (1, 0))
