"""NumPy's sorting. Every sort is stable; NaN comes last, or first if descending."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy.axes import one_axis, tensor, tensors
from fad.primitives import sorting
from fad.primitives.shape import reshape

__all__ = ["argpartition", "argsort", "lexsort", "partition", "sort"]


def _operand(name: str, a: Any, axis: Any, order: Any) -> tuple[Tensor, int]:
    if order is not None:
        raise FadTypeError(located(f"{name}: order= names fields, and tensors have none"))
    x = tensor(a)
    return (reshape(x, (x.size,)), 0) if axis is None else (x, one_axis(name, axis, x.ndim))


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
    x, along = _operand("argsort", a, axis, order)
    return sorting.argsort(x, along, bool(descending))


def partition(
    a: Any,
    kth: int | Sequence[int],
    axis: int | None = -1,
    kind: str = "introselect",
    order: None = None,
) -> Tensor:
    """``a`` with element ``kth`` in its sorted place along ``axis``: here all elements are."""
    x, along = _operand("partition", a, axis, order)
    _check_kth("partition", kth, x.shape[along])
    return sorting.sort(x, along)


def argpartition(
    a: Any,
    kth: int | Sequence[int],
    axis: int | None = -1,
    kind: str = "introselect",
    order: None = None,
) -> Tensor:
    """The indices that partition ``a``: here those that sort it."""
    x, along = _operand("argpartition", a, axis, order)
    _check_kth("argpartition", kth, x.shape[along])
    return sorting.argsort(x, along)


def _check_kth(name: str, kth: int | Sequence[int], n: int) -> None:
    for k in kth if isinstance(kth, Sequence) else [kth]:
        if not -n <= k < n:
            raise FadValueError(located(f"{name}: kth={k} is out of bounds for {n} elements"))


def lexsort(keys: Any, axis: int = -1) -> Tensor:
    """The indices that sort by the last key, ties by the one before it, and so on."""
    columns = tensors(list(keys))
    if not columns:
        raise FadTypeError(located("lexsort needs at least one key"))
    along = one_axis("lexsort", axis, columns[0].ndim)
    order = sorting.argsort(columns[0], along)
    for key in columns[1:]:
        by_key = sorting.argsort(sorting.permute(key, order, along), along)
        order = sorting.permute(order, by_key, along)
    return order
