"""Index arrays and grids: ``ix_``, ``tril_indices``, ``unravel_index``, ``r_``, ``mgrid``.

Index arrays that depend on nothing but shapes are host arrays: they are known to be in bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy.axes import as_shape, tensor
from fad.numpy.constants import arange, linspace
from fad.numpy.dtypes import result_type
from fad.numpy.indexing import brought_inside, known_values
from fad.numpy.join import concatenate
from fad.primitives.arithmetic import add, mul
from fad.primitives.broadcast import convert
from fad.primitives.division import floor_divide, remainder
from fad.primitives.shape import reshape, transpose

__all__ = [
    "c_", "diag_indices", "diag_indices_from", "index_exp", "ix_", "mask_indices", "mgrid", "ogrid",
    "r_", "ravel_multi_index", "s_", "tril_indices", "tril_indices_from", "triu_indices",
    "triu_indices_from", "unravel_index",
]  # fmt: skip


class _Index:
    """What stands between the brackets, as an index to be used later."""

    def __init__(self, name: str, as_tuple: bool, doc: str) -> None:
        self._name = name
        self._as_tuple = as_tuple
        self.__doc__ = doc

    def __repr__(self) -> str:
        return f"fad.numpy.{self._name}"

    def __getitem__(self, key: Any) -> Any:
        return (key,) if self._as_tuple and not isinstance(key, tuple) else key


s_ = _Index("s_", False, "``s_[1:, ::2]`` is the index between the brackets, for later use.")
index_exp = _Index("index_exp", True, "The index between the brackets, always as a tuple.")


def ix_(*args: Any) -> tuple[Any, ...]:
    """Index arrays that select the product of several sets of indices, or masks.

    >>> import fad.numpy as fnp
    >>> fnp.arange(6).reshape(2, 3)[fnp.ix_([1], [0, 2])]
    fad.Tensor([[3, 5]])
    """
    return tuple([_along(a, axis, len(args)) for axis, a in enumerate(args)])


def _along(indices: Any, axis: int, ndim: int) -> Any:
    """One of the index arrays of :func:`ix_`; only a mask's values have to be known."""
    shape = (1,) * axis + (-1,) + (1,) * (ndim - axis - 1)
    if isinstance(indices, Tensor) and indices.ndim == 1 and indices.dtype != np.bool_:
        return indices.reshape(shape)
    (index,) = np.ix_(known_values("ix_", indices))
    return index.reshape(shape)


# ------------------------------------------------------------------------ diagonals and triangles


def _square(name: str, arr: Any, least: int = 2) -> tuple[int, ...]:
    shape = arr.shape if isinstance(arr, Tensor) else np.shape(arr)
    if len(shape) < 2 or (least == 2 and len(shape) != 2):
        needed = "two axes" if least == 2 else "at least two axes"
        raise FadValueError(located(f"{name}: a tensor with {needed} is needed, got shape {shape}"))
    return tuple(shape)


def tril_indices(n: int, k: int = 0, m: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Row and column numbers of the lower triangle of an n by m matrix, as host arrays."""
    return np.tril_indices(n, k, m)


def triu_indices(n: int, k: int = 0, m: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Row and column numbers of the upper triangle of an n by m matrix, as host arrays."""
    return np.triu_indices(n, k, m)


def tril_indices_from(arr: Any, k: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Row and column numbers of the lower triangle of ``arr``, as host arrays.

    >>> import fad.numpy as fnp
    >>> x = fnp.arange(9).reshape(3, 3)
    >>> x[fnp.tril_indices_from(x, -1)]
    fad.Tensor([3, 6, 7])
    """
    rows, columns = _square("tril_indices_from", arr)
    return np.tril_indices(rows, k, columns)


def triu_indices_from(arr: Any, k: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Row and column numbers of the upper triangle of ``arr``, as host arrays."""
    rows, columns = _square("triu_indices_from", arr)
    return np.triu_indices(rows, k, columns)


def diag_indices(n: int, ndim: int = 2) -> tuple[np.ndarray, ...]:
    """Indices of the main diagonal, as host arrays."""
    return np.diag_indices(n, ndim)


def diag_indices_from(arr: Any) -> tuple[np.ndarray, ...]:
    """Indices of the main diagonal of ``arr``, whose axes have one length, as host arrays."""
    shape = _square("diag_indices_from", arr, least=0)
    if len(set(shape)) > 1:
        raise FadValueError(
            located(f"diag_indices_from: all axes must have one length, got shape {shape}")
        )
    return np.diag_indices(shape[0], len(shape))


def mask_indices(
    n: int, mask_func: Callable[[Any, Any], Any], k: Any = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Row and column numbers where ``mask_func(ones((n, n)), k)`` is not zero, as host arrays.

    >>> import numpy as np
    >>> import fad.numpy as fnp
    >>> fnp.mask_indices(3, fnp.triu, 1)
    (array([0, 0, 1]), array([1, 2, 2]))
    """
    mask = mask_func(np.ones((n, n), int), k)
    rows, columns = np.nonzero(known_values("mask_indices", mask))
    return rows, columns


# ---------------------------------------------------------------------------------- flat and back


def _check_order(name: str, order: str) -> None:
    if order not in ("C", "F"):
        raise FadValueError(located(f"{name}: order must be 'C' or 'F', got {order!r}"))


def _integers(name: str, values: Any) -> Tensor:
    x = tensor(values)
    if x.dtype.kind not in "iu":
        raise FadTypeError(located(f"{name}: indices must be integers, got {x.dtype}"))
    return x


def _check_inside(name: str, indices: Any, n: int) -> None:
    """Host indices must be in bounds; nobody knows the values of tensors yet."""
    if isinstance(indices, Tensor):
        return
    given = np.asarray(indices)
    bad = given[(given < 0) | (given >= n)] if given.dtype.kind in "iu" else given[:0]
    if bad.size:
        raise FadValueError(located(f"{name}: index {bad[0]} is out of bounds for size {n}"))


def unravel_index(indices: Any, shape: Any, order: str = "C") -> tuple[Tensor, ...]:
    """The index along each axis of a tensor of this shape, of indices into it when flattened.

    >>> import fad.numpy as fnp
    >>> fnp.unravel_index([22, 41], (7, 6))
    (fad.Tensor([3, 6]), fad.Tensor([4, 5]))
    """
    _check_order("unravel_index", order)
    lengths = as_shape(shape)
    _check_inside("unravel_index", indices, int(np.prod(lengths)))
    left = _integers("unravel_index", indices)
    found = []
    for n in lengths if order == "F" else lengths[::-1]:
        found.append(remainder(left, n))
        left = floor_divide(left, n)
    return tuple(found if order == "F" else found[::-1])


def ravel_multi_index(multi_index: Any, dims: Any, mode: Any = "raise", order: str = "C") -> Tensor:
    """Indices into the flattened tensor from indices along each axis.

    Indices out of bounds are an error ("raise"; tensors are not checked), or ``mode``, for all axes
    or one for each, brings them into bounds as :func:`take` does.

    >>> import fad.numpy as fnp
    >>> fnp.ravel_multi_index(([3, 6], [4, 5]), (7, 6))
    fad.Tensor([22, 41])
    """
    _check_order("ravel_multi_index", order)
    lengths = as_shape(dims)
    modes = (mode,) * len(lengths) if isinstance(mode, str) else tuple(mode)
    parts = list(multi_index)
    if not len(parts) == len(lengths) == len(modes) or not set(modes) <= {"raise", "wrap", "clip"}:
        raise FadValueError(
            located(
                f"ravel_multi_index: {len(parts)} indices and modes {modes} do not fit {lengths}: "
                "each axis needs an index and a mode 'raise', 'wrap' or 'clip'"
            )
        )
    total: Any = None
    for index, n, how in list(zip(parts, lengths, modes))[:: 1 if order == "C" else -1]:
        if how == "raise":
            _check_inside("ravel_multi_index", index, n)
        else:
            index = brought_inside(index, n, how)
        index = _integers("ravel_multi_index", index)
        total = index if total is None else add(mul(total, n), index)
    return convert(total, np.dtype(np.int64))


# ----------------------------------------------------------------------------- grids and joining


def _number(value: Any) -> Any:
    """A bound of a grid, which has to be known, since the number of points depends on it."""
    return known_values("a grid", value)[()] if isinstance(value, Tensor) else value


class _Grid:
    """``mgrid`` and ``ogrid``: coordinates of the points of a grid, given as slices."""

    def __init__(self, name: str, host: Any, doc: str) -> None:
        self._name = name
        self._host = host
        self.__doc__ = doc

    def __repr__(self) -> str:
        return f"fad.numpy.{self._name}"

    def __getitem__(self, key: Any) -> Any:
        slices = key if isinstance(key, tuple) else (key,)
        known = [slice(_number(s.start), _number(s.stop), _number(s.step)) for s in slices]
        made = self._host[tuple(known) if isinstance(key, tuple) else known[0]]
        return tuple([tensor(part) for part in made]) if isinstance(made, tuple) else tensor(made)


mgrid = _Grid(
    "mgrid", np.mgrid, "``mgrid[0:3, 0:1:5j]``: the coordinates of all points, one axis each."
)
ogrid = _Grid(
    "ogrid", np.ogrid, "The same as a tuple of tensors that broadcast against each other."
)


class _Joiner:
    """``r_`` and ``c_``: what stands between the brackets, one after the other along an axis.

    A slice is a range; an imaginary step is a number of points, and then both ends may be tensors.
    Numbers have one axis.
    """

    def __init__(self, name: str, settings: tuple[int, int, int], doc: str) -> None:
        self._name = name
        self._settings = settings  # axis, least number of axes, place of the given ones among them
        self.__doc__ = doc

    def __repr__(self) -> str:
        return f"fad.numpy.{self._name}"

    def __getitem__(self, key: Any) -> Tensor:
        items = list(key) if isinstance(key, tuple) else [key]
        settings = self._settings
        if items and isinstance(items[0], str):
            settings = self._read(items.pop(0))
        if not items:
            raise FadValueError(located(f"{self._name}: there is nothing to join"))
        axis, ndmin, place = settings
        numbers = [
            v for v in items if not isinstance(v, slice) and type(v) in (int, float, complex)
        ]
        parts = [_with_axes(_joined_item(v), ndmin, place) for v in items]
        strong = [p for p, v in zip(parts, items) if type(v) not in (int, float, complex)]
        target = result_type(*strong, *numbers) if strong else result_type(*parts)
        return concatenate([convert(p, target) for p in parts], axis)

    def _read(self, text: str) -> tuple[int, int, int]:
        """Axis, least number of axes, and where the given ones stand among them."""
        try:
            values = [int(part) for part in text.split(",")]
        except ValueError:
            values = []
        if not 1 <= len(values) <= 3:
            raise FadValueError(
                located(
                    f"{self._name}: the directive must be one to three integers such as '0,2,1', "
                    f"got {text!r}; there are no matrices here"
                )
            )
        return tuple(values + list(self._settings[len(values) :]))  # type: ignore[return-value]


def _joined_item(item: Any) -> Tensor:
    if not isinstance(item, slice):
        return tensor(item)
    step = item.step
    if isinstance(step, complex):
        return linspace(item.start or 0, item.stop, int(abs(step)))
    return arange(item.start or 0, item.stop, 1 if step is None else step)


def _with_axes(x: Tensor, ndmin: int, place: int) -> Tensor:
    """``x`` with at least ``ndmin`` axes; those it has begin at ``place`` (from the end if < 0)."""
    missing = ndmin - x.ndim
    if missing <= 0:
        return x
    if not x.ndim:
        return reshape(x, (1,) * ndmin)
    before = place if place >= 0 else missing + 1 + place
    order = _moved(missing, x.ndim, before)
    return transpose(reshape(x, (1,) * missing + x.shape), order)


def _moved(missing: int, ndim: int, before: int) -> Sequence[int]:
    """Axes of length 1 come first; ``before`` of them stay there, the others go behind."""
    own = range(missing, missing + ndim)
    return (*range(before), *own, *range(before, missing))


r_ = _Joiner(
    "r_", (0, 1, -1), "``r_[1:4, 0, x]``: ranges, numbers and tensors joined along the first axis."
)
c_ = _Joiner("c_", (-1, 2, 0), "The same with vectors as columns, joined along the last axis.")
