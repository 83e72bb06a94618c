"""What can be asked of an array: mostly without its numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from fad.core import dtypes
from fad.core.tensor import Tensor
from fad.numpy.creation import asarray
from fad.primitives import complexes

__all__ = [
    "copy", "iscomplexobj", "isrealobj", "isscalar", "iterable", "may_share_memory", "ndim",
    "real_if_close", "shape", "shares_memory", "size",
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


def real_if_close(a: Any, tol: float = 100) -> Tensor:
    """The real part, if all imaginary parts are below ``tol`` units of epsilon (or below ``tol``
    itself, if that is at most 1); else ``a``.

    The dtype of the result depends on the values, so this needs concrete ones: not under jit.
    """
    x = asarray(a)
    if dtypes.kind(x.dtype) != "c":
        return x
    limit = float(np.finfo(x.dtype).eps) * tol if tol > 1 else tol
    imag = np.asarray(x.concrete("real_if_close").realize()).imag
    return complexes.real(x) if np.all(np.abs(imag) < limit) else x


def isscalar(element: Any) -> bool:
    """Whether ``element`` is a number and neither an array nor a tensor."""
    return np.isscalar(element)


def iterable(y: Any) -> bool:
    """Whether ``y`` can be iterated over; a tensor can if it has an axis."""
    return ndim(y) > 0 if isinstance(y, Tensor) else np.iterable(y)


def copy(a: Any, order: str = "K", subok: bool = False) -> Tensor:
    """A tensor of ``a`` with memory of its own, as ``asarray(a, copy=True)``."""
    return asarray(a, copy=True)


def may_share_memory(a: Any, b: Any, max_work: int | None = None) -> bool:
    """False if one is a tensor: nobody can write to it, so sharing could not be noticed."""
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return False
    return np.may_share_memory(a, b, max_work)  # type: ignore[arg-type]


shares_memory = may_share_memory
