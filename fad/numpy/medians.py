"""NumPy's medians, and the sorted lines from which they and the quantiles are read."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from fad.core import dtypes
from fad.core.tensor import Tensor
from fad.numpy.axes import tensor
from fad.numpy.indexing import getitem, take_along_axis
from fad.numpy.reductions import reduced_axes
from fad.numpy.ufunc import refuse_out
from fad.primitives import comparison, extrema, floating, sorting
from fad.primitives.broadcast import convert, full
from fad.primitives.reductions import Axes, reduce_sum, reduced_shape
from fad.primitives.segments import midpoint
from fad.primitives.shape import reshape, transpose

__all__ = ["median", "nanmedian"]

# ----------------------------------------------------------------------------------- sorted lines


class Lines(NamedTuple):
    """Numbers sorted along the last axis, NaN last, and how many of each line take part.

    ``count`` is an integer, or, where NaN is left out, a tensor with an axis of length 1 for q.
    """

    values: Tensor
    count: Any

    def at(self, place: Any) -> Tensor:
        """The elements at these places, or at the nearest end."""
        index: Any
        if isinstance(place, Tensor):
            bounded = extrema.maximum(extrema.minimum(place, self.count - 1), 0)
            index = convert(bounded, dtypes.int64)
        else:
            host = np.clip(place, 0, self.count - 1).astype(np.int64)
            index = host if host.ndim else int(host)
        if isinstance(self.count, Tensor):
            return take_along_axis(self.values, index, -1)
        return getitem(self.values, (Ellipsis, index))


def lined_up(x: Tensor, axes: Axes) -> Tensor:
    """``x`` with the axes that are reduced flattened into one, the last."""
    kept = [i for i in range(x.ndim) if i not in axes]
    lengths = [x.shape[i] for i in kept]
    return reshape(transpose(x, (*kept, *axes)), (*lengths, math.prod([x.shape[i] for i in axes])))


def sort_lines(lines: Tensor, ignore_nan: bool) -> Lines:
    last = lines.ndim - 1
    count: Any = lines.shape[last]
    if ignore_nan:
        count = reduce_sum(comparison.logical_not(floating.isnan(lines)), (last,), True)
    return Lines(sorting.sort(lines, last), count)


def spoilt(out: Tensor, lines: Tensor) -> Tensor:
    """``out``, but NaN for each of the sorted lines that ends with one."""
    if not lines.aval.inexact:
        return out
    largest = getitem(lines, (Ellipsis, -1))
    largest = reshape(largest, largest.shape + (1,) * (out.ndim - largest.ndim))
    return comparison.select(floating.isnan(largest), convert(largest, out.dtype), out)


# ---------------------------------------------------------------------------------------- medians


def _median(name: str, ignore_nan: bool, a: Any, axis: Any, out: Any, keepdims: Any) -> Tensor:
    refuse_out(name, out)
    x = tensor(a)
    axes = reduced_axes(name, axis, x.ndim)
    ignore_nan = ignore_nan and x.aval.inexact
    lines = lined_up(x if x.aval.inexact else convert(x, dtypes.float64), axes)
    size = lines.shape[-1]
    shape = reduced_shape(x.shape, axes, bool(keepdims))
    if not size:
        return full(shape, math.nan, lines.dtype)
    ordered = sort_lines(lines, ignore_nan)
    n = ordered.count
    if not ignore_nan and n % 2:
        found = ordered.at(n // 2)
    else:
        found = midpoint(ordered.at((n - 1) // 2), ordered.at(n // 2))
    return reshape(found if ignore_nan else spoilt(found, ordered.values), shape)


def median(
    a: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    keepdims: bool = False,
) -> Tensor:
    """The middle one of the elements along ``axis`` when sorted, or the mean of the middle two.

    NaN if there is one, or if there is no element. Integers give float64; complex numbers are in
    lexicographic order.

    >>> import fad, fad.numpy as fnp
    >>> fad.value_and_grad(fnp.median)(fad.asarray([3.0, 1.0, 2.0, 10.0]))
    (fad.Tensor(2.5), fad.Tensor([0.5, 0. , 0.5, 0. ]))
    """
    return _median("median", False, a, axis, out, keepdims)


def nanmedian(
    a: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    keepdims: bool = False,
) -> Tensor:
    """The median of what is not NaN; NaN if nothing is left."""
    return _median("nanmedian", True, a, axis, out, keepdims)
