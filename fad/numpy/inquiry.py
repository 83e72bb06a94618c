"""What can be asked of arrays: shapes and kinds, without their numbers; whether they are equal."""

from __future__ import annotations

from typing import Any

import numpy as np

from fad.core import dtypes
from fad.core.tensor import Tensor
from fad.numpy.creation import asarray
from fad.numpy.logic import equal, isclose, isnan, logical_and, logical_or
from fad.numpy.reductions import all as _all
from fad.primitives.broadcast import full

__all__ = [
    "allclose", "array_equal", "array_equiv", "copy", "iscomplexobj", "isrealobj", "isscalar",
    "iterable", "may_share_memory", "ndim", "shape", "shares_memory", "size",
]  # fmt: skip


def _asked(a: Any) -> Any:
    """Something with a shape and a dtype; lists that hold tensors become one."""
    return a if isinstance(a, Tensor | np.ndarray) else asarray(a)


def shape(a: Any) -> tuple[int, ...]:
    """Length of each axis."""
    return _asked(a).shape


def ndim(a: Any) -> int:
    """Number of axes."""
    return _asked(a).ndim


def size(a: Any, axis: Any = None) -> int:
    """Number of elements, or of those along an axis, or along each of several."""
    if axis is None:
        return _asked(a).size
    axes = axis if isinstance(axis, tuple) else (axis,)
    lengths = [_asked(a).shape[i] for i in axes]
    return int(np.prod(lengths, dtype=int))


def iscomplexobj(x: Any) -> bool:
    """Whether the dtype is complex, whatever the imaginary parts are."""
    return dtypes.kind(_asked(x).dtype) == "c"


def isrealobj(x: Any) -> bool:
    """Whether the dtype is not complex."""
    return not iscomplexobj(x)


def isscalar(element: Any) -> bool:
    """Whether ``element`` is a number and neither an array nor a tensor."""
    return np.isscalar(element)


def iterable(y: Any) -> bool:
    """Whether ``y`` can be iterated over; a tensor can if it has an axis."""
    return ndim(y) > 0 if isinstance(y, Tensor) else np.iterable(y)


def copy(a: Any, order: str = "K", subok: bool = False) -> Tensor:
    """A tensor of ``a``; a tensor itself, since nobody can write to it."""
    return asarray(a)


def may_share_memory(a: Any, b: Any, max_work: int | None = None) -> bool:
    """False if one is a tensor: nobody can write to it, so sharing could not be noticed."""
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return False
    return np.may_share_memory(a, b, max_work)  # type: ignore[arg-type]


shares_memory = may_share_memory


def allclose(
    a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Tensor:
    """Whether all elements are equal within ``atol + rtol * abs(b)``, as a boolean tensor.

    >>> import fad.numpy as fnp
    >>> bool(fnp.allclose([1.0, 2.0], [1.0, 2.0 + 1e-9]))
    True
    """
    return _all(isclose(a, b, rtol, atol, equal_nan))


def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Tensor:
    """Whether shapes and all elements are equal, as a boolean tensor."""
    x, y = asarray(a1), asarray(a2)
    if x.shape != y.shape:
        return full((), False, dtypes.bool_)
    same = equal(x, y)
    if equal_nan and x.aval.inexact and y.aval.inexact:
        same = logical_or(same, logical_and(isnan(x), isnan(y)))
    return _all(same)


def array_equiv(a1: Any, a2: Any) -> Tensor:
    """Whether all elements are equal once broadcast to one shape, as a boolean tensor."""
    x, y = asarray(a1), asarray(a2)
    try:
        np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        return full((), False, dtypes.bool_)
    return _all(equal(x, y))
