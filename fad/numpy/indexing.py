"""Indexing as functions: take, nonzero, delete and their relatives.

Index tensors are not checked against the bounds, as nobody knows their values yet; host arrays and
lists are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fad.core.errors import FadIndexError, FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy.axes import as_shape, one_axis, tensor
from fad.numpy.shapes import ravel
from fad.primitives import broadcast
from fad.primitives import shape as shapes
from fad.primitives.arithmetic import add, mul
from fad.primitives.declare import broadcast_shapes
from fad.primitives.division import floor_divide, remainder
from fad.primitives.extrema import maximum, minimum
from fad.primitives.gather import Selection, gather
from fad.primitives.index_key import checked_array
from fad.primitives.indexing import getitem
from fad.primitives.join import concatenate

__all__ = [
    "argwhere", "compress", "delete", "diag_indices", "extract", "flatnonzero", "getitem",
    "insert", "ix_", "nonzero", "ravel_multi_index", "take", "take_along_axis", "tril_indices",
    "triu_indices", "unravel_index",
]  # fmt: skip


def take(
    a: Any, indices: Any, axis: int | None = None, out: None = None, mode: str = "raise"
) -> Tensor:
    """``a[indices]`` along ``axis``; of all elements, flattened, if None.

    Indices out of bounds are an error ("raise"; where they are a tensor, they count as the nearest
    valid one), count modulo the length ("wrap"), or as the nearest valid one ("clip", to which
    negative ones count as 0).

    >>> import fad.numpy as fnp
    >>> fnp.take(fnp.arange(5), [3, -1])
    fad.Tensor([3, 4])
    """
    x = tensor(a)
    if axis is None:
        x, axis = ravel(x), 0
    axis = one_axis("take", axis, x.ndim)
    if mode not in ("raise", "wrap", "clip"):
        raise FadValueError(located(f"take: mode must be 'raise', 'wrap' or 'clip', got {mode!r}"))
    if mode != "raise" and x.shape[axis]:
        indices = _brought_inside(indices, x.shape[axis], mode)
    return getitem(x, (slice(None),) * axis + (indices,))


def _brought_inside(indices: Any, n: int, mode: str) -> Any:
    if isinstance(indices, Tensor):
        return remainder(indices, n) if mode == "wrap" else maximum(indices, 0)
    given = np.asarray(indices)
    return given % n if mode == "wrap" else np.clip(given, 0, n - 1)


def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Tensor:
    """``out[..., i, ...] = arr[..., indices[..., i, ...], ...]`` along ``axis``: each line its own.

    The other axes of ``arr`` and ``indices`` broadcast. If ``axis`` is None, ``arr`` is flattened.
    """
    x = tensor(arr)
    if axis is None:
        x, axis = ravel(x), 0
    axis = one_axis("take_along_axis", axis, x.ndim)
    index, known = _index_tensor(indices, x.shape[axis], axis)
    if index.ndim != x.ndim:
        raise FadValueError(
            located(
                "take_along_axis: indices and array must have the same number of dimensions, got "
                f"shapes {index.shape} and {x.shape}"
            )
        )
    last = x.ndim - 1
    x, index = shapes.moveaxis(x, axis, last), shapes.moveaxis(index, axis, last)
    lead = broadcast_shapes("take_along_axis", [x.shape[:-1], index.shape[:-1]])
    x = broadcast.broadcast_to(x, lead + x.shape[-1:])
    index = broadcast.broadcast_to(index, lead + index.shape[-1:])
    mode: Any = "checked" if known else "clip"
    out = gather(x, (index,), Selection((last,), (None,), 0, last, mode))
    return shapes.moveaxis(out, last, axis)


def _index_tensor(indices: Any, size: int, axis: int) -> tuple[Tensor, bool]:
    """Indices as a tensor, and whether they are known to be in bounds."""
    known = not isinstance(indices, Tensor)
    if known:
        indices = np.asarray(indices)
    if indices.dtype.kind not in "iu":
        raise FadIndexError(located(f"indices must be integers, got {indices.dtype}"))
    return tensor(checked_array(indices, size, axis) if known else indices), known


# ------------------------------------------------------------------------ where the values decide


def _values(name: str, a: Any) -> np.ndarray:
    """The numbers of ``a``, on which the shape of the result depends."""
    return np.asarray(a.concrete(name).realize()) if isinstance(a, Tensor) else np.asarray(a)


def nonzero(a: Any) -> tuple[Tensor, ...]:
    """The indices of the elements that are not zero, one tensor for each axis.

    Their number depends on the values, so this needs concrete ones: not under jit or vmap.
    """
    return tuple([tensor(i) for i in np.nonzero(_values("nonzero", a))])


def flatnonzero(a: Any) -> Tensor:
    """The indices, in the flattened tensor, of the elements that are not zero."""
    return tensor(np.flatnonzero(_values("flatnonzero", a)))


def argwhere(a: Any) -> Tensor:
    """The indices of the elements that are not zero, one row for each."""
    return tensor(np.argwhere(_values("argwhere", a)))


def compress(condition: Any, a: Any, axis: int | None = None, out: None = None) -> Tensor:
    """The parts of ``a`` along ``axis`` (flattened if None) for which the condition holds."""
    return take(a, np.flatnonzero(_values("compress", condition)), axis)


def extract(condition: Any, arr: Any) -> Tensor:
    """The elements for which the condition holds."""
    return compress(ravel(tensor(condition)), arr)


def delete(arr: Any, obj: Any, axis: int | None = None) -> Tensor:
    """``arr`` without the parts along ``axis`` (flattened if None) that ``obj`` selects."""
    x = tensor(arr)
    if axis is None:
        x, axis = ravel(x), 0
    axis = one_axis("delete", axis, x.ndim)
    kept = np.delete(np.arange(x.shape[axis]), _known_index("delete", obj))
    return take(x, kept, axis)


def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Tensor:
    """``arr`` with ``values`` put in before places ``obj`` along ``axis`` (flattened if None)."""
    x = tensor(arr)
    if axis is None:
        x, axis = ravel(x), 0
    axis = one_axis("insert", axis, x.ndim)
    where = _known_index("insert", obj)
    new = broadcast.convert(tensor(values), x.dtype)
    new = shapes.reshape(new, (1,) * (x.ndim - new.ndim) + new.shape)
    if isinstance(where, slice) or np.ndim(where):
        count = np.arange(x.shape[axis])[where].size if isinstance(where, slice) else len(where)
    else:  # all values go to one place, along their first axis
        new = shapes.moveaxis(new, 0, axis)
        count = new.shape[axis]
    n = x.shape[axis]
    new = broadcast.broadcast_to(new, (*x.shape[:axis], count, *x.shape[axis + 1 :]))
    order = np.insert(np.arange(n), where, np.arange(n, n + count))
    return take(concatenate([x, new], axis), order, axis)


def _known_index(name: str, obj: Any) -> Any:
    return _values(name, obj) if isinstance(obj, Tensor) else obj


# ---------------------------------------------------------------------------------- index arrays


def ix_(*args: Any) -> tuple[Any, ...]:
    """Index arrays that select the product of several sets of indices, or masks."""
    return np.ix_(*[_values("ix_", a) for a in args])


def tril_indices(n: int, k: int = 0, m: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Row and column numbers of the lower triangle of an n by m matrix, as host arrays."""
    return np.tril_indices(n, k, m)


def triu_indices(n: int, k: int = 0, m: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Row and column numbers of the upper triangle of an n by m matrix, as host arrays."""
    return np.triu_indices(n, k, m)


def diag_indices(n: int, ndim: int = 2) -> tuple[np.ndarray, ...]:
    """Indices of the main diagonal, as host arrays."""
    return np.diag_indices(n, ndim)


def unravel_index(indices: Any, shape: Any, order: str = "C") -> tuple[Tensor, ...]:
    """The index along each axis of a tensor of this shape, of indices into it when flattened."""
    lengths = list(as_shape(shape))
    left = tensor(indices)
    found = []
    for n in lengths if order == "F" else lengths[::-1]:
        found.append(remainder(left, n))
        left = floor_divide(left, n)
    return tuple(found if order == "F" else found[::-1])


def ravel_multi_index(multi_index: Any, dims: Any, mode: str = "raise", order: str = "C") -> Tensor:
    """Indices into the flattened tensor from indices along each axis, which must be in bounds.

    With ``mode`` "wrap" or "clip" they are brought into bounds first, as :func:`take` does.
    """
    pairs = list(zip(multi_index, as_shape(dims), strict=True))
    total: Any = 0
    for index, n in pairs if order == "C" else pairs[::-1]:
        if mode != "raise":
            index = _brought_inside(index, n, mode)
            index = minimum(index, n - 1) if isinstance(index, Tensor) else index
        total = add(mul(total, n), tensor(index))
    return total
