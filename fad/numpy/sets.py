"""NumPy's sets: unique elements, unions, intersections, differences, membership.

How many unique elements there are depends on the values, so all but ``isin`` need concrete ones:
not under jit or vmap. The derivative goes with the elements; of several equal ones, with the first.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fad.core import dtypes
from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.tensor import Array, Tensor
from fad.numpy.axes import one_axis, tensor
from fad.numpy.indexing import getitem, known_values, take
from fad.numpy.shapes import ravel
from fad.primitives import comparison, sorting
from fad.primitives.broadcast import convert, full
from fad.primitives.extrema import minimum
from fad.primitives.join import concatenate
from fad.primitives.reductions import reduce_any
from fad.primitives.search import searchsorted
from fad.primitives.shape import expand_dims

__all__ = [
    "intersect1d", "isin", "setdiff1d", "setxor1d", "union1d", "unique", "unique_all",
    "unique_counts", "unique_inverse", "unique_values",
]  # fmt: skip


class UniqueAllResult(NamedTuple):
    """What :func:`unique_all` gives."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCountsResult(NamedTuple):
    """What :func:`unique_counts` gives."""

    values: Tensor
    counts: Tensor


class UniqueInverseResult(NamedTuple):
    """What :func:`unique_inverse` gives."""

    values: Tensor
    inverse_indices: Tensor


def _unique(
    name: str,
    x: Tensor,
    axis: int | None,
    equal_nan: bool,
    asked: tuple[bool, bool, bool] = (False, False, False),
) -> list[Any]:
    """The unique elements, and what is ``asked`` for of first indices, inverse and counts."""
    values = known_values(name, x)
    moves = x.__class__ is not Array and x.aval.inexact  # else the elements need no derivative
    numpys: Any = np.unique
    found = numpys(values, asked[0] or moves, *asked[1:], axis=axis, equal_nan=equal_nan)
    parts = list(found) if isinstance(found, tuple) else [found]
    unique_parts = parts.pop(0)
    out: list[Any] = [take(x, parts[0], axis) if moves else tensor(unique_parts)]
    if moves and not asked[0]:
        parts.pop(0)
    return out + [tensor(part) for part in parts]


def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    """The elements without repetitions, ascending; along ``axis`` its parts, else of all elements.

    With it, if asked for: the index at which each stands first, which of them each element is, and
    how often each occurs. ``sorted`` changes nothing: they always are.

    >>> import fad, fad.numpy as fnp
    >>> fnp.unique([3.0, 1.0, 3.0], return_counts=True)
    (fad.Tensor([1., 3.]), fad.Tensor([1, 2]))
    >>> fad.grad(lambda x: fnp.unique(x)[1])(fad.asarray([3.0, 1.0, 3.0]))
    fad.Tensor([1., 0., 0.])
    """
    x = tensor(ar)
    along = None if axis is None else one_axis("unique", axis, x.ndim)
    asked = (bool(return_index), bool(return_inverse), bool(return_counts))
    found = _unique("unique", x, along, equal_nan, asked)
    return tuple(found) if len(found) > 1 else found[0]


def unique_all(x: Any) -> UniqueAllResult:
    """Unique elements, their first indices, which each element is, and how often each occurs.

    As in the array API standard, each NaN is an element of its own.
    """
    return UniqueAllResult(*_unique("unique_all", tensor(x), None, False, (True, True, True)))


def unique_counts(x: Any) -> UniqueCountsResult:
    """Unique elements and how often each occurs; each NaN is one of its own.

    >>> import fad.numpy as fnp
    >>> fnp.unique_counts([3, 1, 3]).counts
    fad.Tensor([1, 2])
    """
    asked = (False, False, True)
    return UniqueCountsResult(*_unique("unique_counts", tensor(x), None, False, asked))


def unique_inverse(x: Any) -> UniqueInverseResult:
    """Unique elements, and which of them each element is; each NaN is one of its own."""
    asked = (False, True, False)
    return UniqueInverseResult(*_unique("unique_inverse", tensor(x), None, False, asked))


def unique_values(x: Any) -> Tensor:
    """Unique elements; each NaN is one of its own."""
    return _unique("unique_values", tensor(x), None, False)[0]


# ---------------------------------------------------------------------------------- sets of values


def _flat(name: str, ar: Any) -> tuple[Tensor, np.ndarray]:
    """``ar`` with one axis, and its values."""
    x = ravel(tensor(ar))
    return x, known_values(name, x)


def _distinct(values: np.ndarray, assume_unique: bool) -> np.ndarray:
    """Where each distinct value stands first, in ascending order of the values."""
    if assume_unique:
        return np.arange(values.size)
    return np.unique(values, return_index=True)[1]


def _joined(x: Tensor, y: Tensor) -> Tensor:
    common = dtypes.promote_types(x.dtype, y.dtype)
    return concatenate([convert(x, common), convert(y, common)], 0)


def union1d(ar1: Any, ar2: Any) -> Tensor:
    """The unique elements of both, ascending.

    >>> import fad.numpy as fnp
    >>> fnp.union1d([3, 1], [1, 2])
    fad.Tensor([1, 2, 3])
    """
    both = _joined(ravel(tensor(ar1)), ravel(tensor(ar2)))
    return _unique("union1d", both, None, True)[0]


def intersect1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False
) -> Any:
    """The unique elements that are in both, ascending; where they stand first if asked for.

    The derivative is that of the elements of ``ar1``.
    """
    (x, first), (y, second) = _flat("intersect1d", ar1), _flat("intersect1d", ar2)
    common = dtypes.promote_types(x.dtype, y.dtype)
    _, i, j = np.intersect1d(first, second, assume_unique, return_indices=True)
    found = convert(getitem(x, i), common)
    return (found, tensor(i), tensor(j)) if return_indices else found


def setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Tensor:
    """The unique elements of ``ar1`` that are not in ``ar2``, ascending.

    With ``assume_unique`` they stay in their order.

    >>> import fad.numpy as fnp
    >>> fnp.setdiff1d([3.0, 1.0, 2.0], [1.0])
    fad.Tensor([2., 3.])
    """
    (x, first), (_, second) = _flat("setdiff1d", ar1), _flat("setdiff1d", ar2)
    index = _distinct(first, assume_unique)
    return getitem(x, index[np.isin(first[index], second, invert=True)])


def setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Tensor:
    """The unique elements that are in exactly one of both, ascending."""
    (x, first), (y, second) = _flat("setxor1d", ar1), _flat("setxor1d", ar2)
    of_x, of_y = _distinct(first, assume_unique), _distinct(second, assume_unique)
    index = np.concatenate([of_x, first.size + of_y])
    values = np.concatenate([first[of_x], second[of_y]])
    order = np.argsort(values, stable=True)
    differ = values[order][1:] != values[order][:-1]
    ends = np.ones(min(values.size, 1), bool)
    alone = np.concatenate([ends, differ]) & np.concatenate([differ, ends])
    return getitem(_joined(x, y), index[order][alone])


_FEW = 16
"""So few candidates are compared with one by one."""


def isin(
    element: Any,
    test_elements: Any,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    kind: str | None = None,
) -> Tensor:
    """Whether each of ``element`` is among ``test_elements`` (is not, if ``invert``).

    NaN is not equal to anything. ``assume_unique`` and ``kind`` change nothing.

    >>> import fad.numpy as fnp
    >>> fnp.isin([1, 2, 5], [5, 1])
    fad.Tensor([ True, False,  True])
    """
    if kind not in (None, "sort", "table"):
        raise FadValueError(located(f"isin: kind must be None, 'sort' or 'table', got {kind!r}"))
    x = tensor(element)
    if isinstance(test_elements, set | frozenset):
        raise FadTypeError(located("isin: test_elements is a set; make it a list"))
    candidates = ravel(tensor(test_elements))
    if not candidates.size:
        found = full(x.shape, False, dtypes.bool_)
    elif candidates.size <= _FEW:
        each = comparison.eq(expand_dims(x, (x.ndim,)), candidates)
        found = reduce_any(each, (x.ndim,))
    else:
        common = dtypes.promote_types(x.dtype, candidates.dtype)
        ordered, x = sorting.sort(convert(candidates, common), 0), convert(x, common)
        nearest = minimum(searchsorted(ordered, x), ordered.size - 1)
        found = comparison.eq(getitem(ordered, nearest), x)
    return comparison.logical_not(found) if invert else found
