"""NumPy's sorting and searching. Every sort is stable; NaN comes last, or first if descending."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from fad.core import dtypes
from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy.axes import is_sequence, one_axis, tensor, tensors
from fad.numpy.indexing import getitem
from fad.primitives import search, sorting
from fad.primitives.arithmetic import sub
from fad.primitives.broadcast import convert, full
from fad.primitives.comparison import ge, select
from fad.primitives.shape import flip, reshape

__all__ = [
    "argpartition", "argsort", "digitize", "lexsort", "partition", "searchsorted", "sort",
    "sort_complex", "top_k",
]  # fmt: skip


def _operand(name: str, a: Any, axis: Any, order: Any) -> tuple[Tensor, int]:
    if order is not None:
        raise FadTypeError(located(f"{name}: order= names fields, and tensors have none"))
    x = tensor(a)
    return (reshape(x, (x.size,)), 0) if axis is None else (x, one_axis(name, axis, x.ndim))


_KINDS = (None, "quicksort", "mergesort", "heapsort", "stable")


def _check_kind(name: str, kind: Any, stable: Any) -> None:
    if kind not in _KINDS:
        raise FadValueError(located(f"{name}: kind must be one of {_KINDS[1:]}, got {kind!r}"))
    if kind is not None and stable is not None:
        raise FadValueError(located(f"{name}: give kind or stable, not both; both change nothing"))


def sort(
    a: Any,
    axis: int | None = -1,
    kind: str | None = None,
    order: None = None,
    *,
    stable: bool | None = None,
    descending: bool = False,
) -> Tensor:
    """``a`` sorted along ``axis``. The derivative goes with the elements.

    ``kind`` and ``stable`` change nothing: every sort is stable.

    >>> import fad, fad.numpy as fnp
    >>> fad.grad(lambda x: fnp.sort(x)[0])(fad.asarray([2.0, 0.0, 3.0]))
    fad.Tensor([0., 1., 0.])
    """
    _check_kind("sort", kind, stable)
    x, along = _operand("sort", a, axis, order)
    return sorting.sort(x, along, bool(descending))


def argsort(
    a: Any,
    axis: int | None = -1,
    kind: str | None = None,
    order: None = None,
    *,
    stable: bool | None = None,
    descending: bool = False,
) -> Tensor:
    """The indices that sort ``a`` along ``axis``; equal elements keep their order."""
    _check_kind("argsort", kind, stable)
    x, along = _operand("argsort", a, axis, order)
    return sorting.argsort(x, along, bool(descending))


def sort_complex(a: Any) -> Tensor:
    """``a`` sorted along its last axis, as complex numbers: by real, then by imaginary part.

    >>> import fad.numpy as fnp
    >>> fnp.sort_complex([3, 1, 2]).dtype
    dtype('complex128')
    """
    x = sort(a)
    if x.dtype.kind == "c":
        return x
    narrow = x.dtype.itemsize <= 2 and x.dtype.kind in "iu"  # as NumPy has it
    return convert(x, dtypes.complex64 if narrow else dtypes.complex128)


def lexsort(keys: Any, axis: int = -1) -> Tensor:
    """The indices that sort by the last key, ties by the one before it, and so on.

    >>> import fad.numpy as fnp
    >>> fnp.lexsort(([3, 1, 2], [0, 1, 0]))
    fad.Tensor([2, 0, 1])
    """
    columns = tensors(list(keys))
    if not columns:
        raise FadTypeError(located("lexsort needs at least one key"))
    if len({key.shape for key in columns}) > 1:
        raise FadValueError(
            located(
                "lexsort: all keys must have one shape, got "
                + " and ".join([str(key.shape) for key in columns])
            )
        )
    if not columns[0].ndim:
        return full((), 0, dtypes.int64)
    along = one_axis("lexsort", axis, columns[0].ndim)
    order = sorting.argsort(columns[0], along)
    for key in columns[1:]:
        by_key = sorting.argsort(sorting.permute(key, order, along), along)
        order = sorting.permute(order, by_key, along)
    return order


# ------------------------------------------------------------------------------------- selection


def partition(
    a: Any,
    kth: Any,
    axis: int | None = -1,
    kind: str = "introselect",
    order: None = None,
) -> Tensor:
    """``a`` with element ``kth`` in its sorted place along ``axis``: here all elements are."""
    x, along = _operand("partition", a, axis, order)
    _check_kth("partition", kth, x.shape[along], kind)
    return sorting.sort(x, along)


def argpartition(
    a: Any,
    kth: Any,
    axis: int | None = -1,
    kind: str = "introselect",
    order: None = None,
) -> Tensor:
    """The indices that partition ``a``: here those that sort it."""
    x, along = _operand("argpartition", a, axis, order)
    _check_kth("argpartition", kth, x.shape[along], kind)
    return sorting.argsort(x, along)


def _check_kth(name: str, kth: Any, n: int, kind: str) -> None:
    if kind != "introselect":
        raise FadValueError(located(f"{name}: kind must be 'introselect', got {kind!r}"))
    if isinstance(kth, Tensor) and kth.ndim:
        kth = np.asarray(kth.concrete(name).realize())
    for k in map(index, kth if is_sequence(kth) else [kth]):
        if not -n <= k < n:
            raise FadValueError(located(f"{name}: kth={k} is out of bounds for {n} elements"))


def top_k(x: Any, k: int, axis: int = -1) -> tuple[Tensor, Tensor]:
    """The ``k`` largest along ``axis``, in descending order, and their indices.

    Of equal elements the first ones are taken; NaN counts as the largest. The derivative goes with
    the elements. The smallest are ``top_k(-x, k)``.

    >>> import fad.numpy as fnp
    >>> values, indices = fnp.top_k([1.0, 5.0, 3.0, 5.0], 3)
    >>> values, indices
    (fad.Tensor([5., 5., 3.]), fad.Tensor([1, 3, 2]))
    """
    x = tensor(x)
    return sorting.top_k(x, index(k), one_axis("top_k", axis, x.ndim))


# ------------------------------------------------------------------------------------- searching


def _search(name: str, a: Tensor, v: Any, side: str) -> Tensor:
    if a.ndim != 1:
        raise FadValueError(
            located(f"{name}: the sorted numbers must have one axis, got shape {a.shape}")
        )
    return search.searchsorted(a, v, side)


def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Tensor:
    """Where each of ``v`` is to be inserted into ``a``, which is sorted, to keep it so.

    Before elements equal to it, or after them if ``side`` is "right". ``sorter`` holds the indices
    that sort ``a`` if it is not. NaN is the largest number.

    >>> import fad.numpy as fnp
    >>> fnp.searchsorted([1.0, 2.0, 2.0, 5.0], [2.0, 9.0])
    fad.Tensor([1, 4])
    """
    if side not in ("left", "right"):
        raise FadValueError(located(f"searchsorted: side must be 'left' or 'right', got {side!r}"))
    x = tensor(a)
    if sorter is not None:
        order = tensor(sorter)
        if order.shape != x.shape:
            raise FadValueError(
                located(
                    f"searchsorted: sorter must have the shape of a, {x.shape}, got {order.shape}"
                )
            )
        x = getitem(x, order)
    return _search("searchsorted", x, tensor(v), side)


def digitize(x: Any, bins: Any, right: bool = False) -> Tensor:
    """For each of ``x`` the number of its bin: 0 before all edges, ``len(bins)`` after all.

    Bin i reaches from ``bins[i - 1]`` to ``bins[i]``, including the smaller of both, or the larger
    if ``right``. ``bins`` ascend or descend; that is checked unless they are a tensor.

    >>> import fad.numpy as fnp
    >>> fnp.digitize([0.2, 6.4, 1.0], [0.0, 1.0, 2.5, 4.0])
    fad.Tensor([1, 4, 2])
    """
    values, edges = tensor(x), tensor(bins)
    if values.dtype.kind == "c" or edges.dtype.kind == "c":
        raise FadTypeError(located("digitize is not defined for complex numbers"))
    if not edges.ndim:
        raise FadValueError(located("digitize: bins must have one axis, got a single number"))
    if not isinstance(bins, Tensor):
        steps = np.diff(np.asarray(bins))
        if np.any(steps < 0) and np.any(steps > 0):
            raise FadValueError(located("digitize: bins must ascend or descend"))
        return _in_bins(values, edges, right, bool(np.any(steps < 0)))
    rising = _in_bins(values, edges, right, False)
    if edges.size < 2:
        return rising
    falling = _in_bins(values, edges, right, True)
    return select(ge(getitem(edges, -1), getitem(edges, 0)), rising, falling)


def _in_bins(values: Tensor, edges: Tensor, right: bool, descending: bool) -> Tensor:
    side = "left" if right else "right"
    if not descending:
        return _search("digitize", edges, values, side)
    return sub(edges.size, _search("digitize", flip(edges, (0,)), values, side))
