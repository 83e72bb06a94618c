"""Indexing as functions: take, nonzero, compress, delete and their relatives.

Index tensors are not checked against the bounds, as nobody knows their values yet; host arrays and
lists are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fad.core.errors import FadIndexError, FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy.axes import one_axis, several_axes, tensor
from fad.numpy.dtypes import check_int
from fad.numpy.shapes import ravel
from fad.numpy.ufunc import refuse_out
from fad.primitives import broadcast
from fad.primitives import shape as shapes
from fad.primitives.declare import broadcast_shapes
from fad.primitives.division import remainder
from fad.primitives.extrema import maximum, minimum
from fad.primitives.gather import Selection, gather
from fad.primitives.index_key import checked_array
from fad.primitives.indexing import getitem
from fad.primitives.join import concatenate

__all__ = [
    "argwhere", "compress", "delete", "extract", "flatnonzero", "getitem", "insert", "nonzero",
    "take", "take_along_axis", "trim_zeros",
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
    refuse_out("take", out)
    x = tensor(a)
    if axis is None:
        x, axis = ravel(x), 0
    axis = one_axis("take", axis, x.ndim)
    if mode not in ("raise", "wrap", "clip"):
        raise FadValueError(located(f"take: mode must be 'raise', 'wrap' or 'clip', got {mode!r}"))
    if mode != "raise" and x.shape[axis]:
        indices = brought_inside(indices, x.shape[axis], mode)
    return getitem(x, (slice(None),) * axis + (indices,))


def brought_inside(indices: Any, n: int, mode: str) -> Any:
    """Indices modulo ``n`` ("wrap"), or the nearest from 0 to ``n - 1`` ("clip")."""
    if isinstance(indices, Tensor):
        return remainder(indices, n) if mode == "wrap" else minimum(maximum(indices, 0), n - 1)
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


def known_values(name: str, a: Any) -> np.ndarray:
    """The numbers of ``a``, on which the shape of the result depends."""
    return np.asarray(a.concrete(name).realize()) if isinstance(a, Tensor) else np.asarray(a)


def nonzero(a: Any) -> tuple[Tensor, ...]:
    """The indices of the elements that are not zero, one tensor for each axis.

    Their number depends on the values, so this needs concrete ones: not under jit or vmap.
    """
    values = known_values("nonzero", a)
    if not values.ndim:
        raise FadValueError(located("nonzero: a single number has no axis; write x != 0"))
    return tuple([tensor(i) for i in np.nonzero(values)])


def flatnonzero(a: Any) -> Tensor:
    """The indices, in the flattened tensor, of the elements that are not zero."""
    return tensor(np.flatnonzero(known_values("flatnonzero", a)))


def argwhere(a: Any) -> Tensor:
    """The indices of the elements that are not zero, one row for each."""
    return tensor(np.argwhere(known_values("argwhere", a)))


def compress(condition: Any, a: Any, axis: int | None = None, out: None = None) -> Tensor:
    """The parts of ``a`` along ``axis`` (flattened if None) for which the condition holds.

    The condition has one axis and may be shorter than ``a``; its values must be known.

    >>> import fad, fad.numpy as fnp
    >>> x = fad.asarray([1.0, -2.0, 3.0])
    >>> fad.grad(lambda x: fnp.sum(fnp.compress(x > 0, x) ** 2))(x)
    fad.Tensor([2., 0., 6.])
    """
    refuse_out("compress", out)
    holds = known_values("compress", condition)
    if holds.ndim != 1:
        raise FadValueError(
            located(f"compress: the condition must have one axis, got shape {holds.shape}")
        )
    return take(a, np.flatnonzero(holds), axis)


def extract(condition: Any, arr: Any) -> Tensor:
    """The elements for which the condition holds, whose values must be known."""
    return take(arr, np.flatnonzero(known_values("extract", condition)))


def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Tensor:
    """``filt`` without the zeros at its front ("f" in ``trim``) and back ("b"), along each axis.

    An all-zero ``filt`` becomes empty. The values must be known.

    >>> import fad.numpy as fnp
    >>> fnp.trim_zeros([0, 0, 1, 0, 2, 0])
    fad.Tensor([1, 0, 2])
    """
    x, where = tensor(filt), trim.lower()
    if where not in ("f", "b", "fb", "bf"):
        raise FadValueError(located(f"trim_zeros: trim must be 'f', 'b' or 'fb', got {trim!r}"))
    axes = several_axes("trim_zeros", axis, x.ndim)
    if not axes:
        return x
    kept = np.argwhere(known_values("trim_zeros", x))
    if not kept.size:
        return getitem(x, tuple([slice(0 if i in axes else None) for i in range(x.ndim)]))
    low, high = kept.min(0), kept.max(0) + 1
    return getitem(
        x,
        tuple(
            [
                slice(low[i] if "f" in where else None, high[i] if "b" in where else None)
                if i in axes
                else slice(None)
                for i in range(x.ndim)
            ]
        ),
    )


def delete(arr: Any, obj: Any, axis: int | None = None) -> Tensor:
    """``arr`` without the parts along ``axis`` (flattened if None) that ``obj`` selects."""
    x = tensor(arr)
    if axis is None:
        x, axis = ravel(x), 0
    axis = one_axis("delete", axis, x.ndim)
    kept = _in_bounds(np.delete, "delete", np.arange(x.shape[axis]), _known_index("delete", obj))
    return take(x, kept, axis)


def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Tensor:
    """``arr`` with ``values`` put in before places ``obj`` along ``axis`` (flattened if None)."""
    x = tensor(arr)
    if axis is None:
        x, axis = ravel(x), 0
    axis = one_axis("insert", axis, x.ndim)
    where = _known_index("insert", obj)
    check_int(values, x.dtype)
    new = broadcast.convert(tensor(values), x.dtype)
    new = shapes.reshape(new, (1,) * (x.ndim - new.ndim) + new.shape)
    if isinstance(where, slice) or np.ndim(where):
        count = np.arange(x.shape[axis])[where].size if isinstance(where, slice) else len(where)
    else:  # all values go to one place, along their first axis
        new = shapes.moveaxis(new, 0, axis)
        count = new.shape[axis]
    n = x.shape[axis]
    new = broadcast.broadcast_to(new, (*x.shape[:axis], count, *x.shape[axis + 1 :]))
    order = _in_bounds(np.insert, "insert", np.arange(n), where, np.arange(n, n + count))
    return take(concatenate([x, new], axis), order, axis)


def _in_bounds(function: Any, name: str, numbers: np.ndarray, *args: Any) -> np.ndarray:
    """NumPy's function of the numbers of elements, with its errors as fad's."""
    try:
        found: np.ndarray = function(numbers, *args)
    except IndexError as error:
        raise FadIndexError(located(f"{name}: {error}")) from None
    except ValueError as error:
        raise FadValueError(located(f"{name}: {error}")) from None
    return found


def _known_index(name: str, obj: Any) -> Any:
    return known_values(name, obj) if isinstance(obj, Tensor) else obj
