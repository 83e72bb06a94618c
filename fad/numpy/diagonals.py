"""Diagonals and triangles of matrices, and matrices of powers."""

from __future__ import annotations

from typing import Any

from fad.core.errors import FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy.axes import several_axes, tensor
from fad.numpy.dtypes import as_dtype
from fad.numpy.reductions import sum as _sum
from fad.numpy.shapes import moveaxis, ravel
from fad.numpy.ufunc import refuse_out
from fad.primitives import constants
from fad.primitives import diagonal as diagonals
from fad.primitives.broadcast import broadcast_to, convert
from fad.primitives.power import power
from fad.primitives.shape import flip, reshape

__all__ = ["diag", "diagflat", "diagonal", "trace", "tri", "tril", "triu", "vander"]


def diag(v: Any, k: int = 0) -> Tensor:
    """A matrix with the vector ``v`` on diagonal ``k``; or diagonal ``k`` of a matrix.

    >>> import fad.numpy as fnp
    >>> fnp.diag([1, 2])
    fad.Tensor([[1, 0],
                [0, 2]])
    """
    x = tensor(v)
    if x.ndim == 1:
        return diagonals.diagonal_matrix(x, int(k))
    if x.ndim == 2:
        return diagonals.diagonal(x, int(k))
    raise FadValueError(located(f"diag takes a vector or a matrix, got shape {x.shape}"))


def diagflat(v: Any, k: int = 0) -> Tensor:
    """A matrix with the elements of ``v``, flattened, on diagonal ``k``."""
    return diagonals.diagonal_matrix(ravel(v), int(k))


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The diagonals of the matrices in two axes, along a new last axis."""
    return diagonals.diagonal(_matrices("diagonal", a, axis1, axis2), int(offset))


def _matrices(name: str, a: Any, axis1: int, axis2: int) -> Tensor:
    x = tensor(a)
    if x.ndim == 2 and (axis1, axis2) == (0, 1):
        return x
    if x.ndim < 2:
        raise FadValueError(located(f"{name} needs at least two axes, got shape {x.shape}"))
    return moveaxis(x, several_axes(name, (axis1, axis2), x.ndim), (-2, -1))


def trace(
    a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: None = None
) -> Tensor:
    """The sum of the diagonal of the matrices in two axes.

    >>> import fad.numpy as fnp
    >>> fnp.trace([[1.0, 2.0], [3.0, 4.0]])
    fad.Tensor(5.)
    """
    refuse_out("trace", out)
    x = diagonals.diagonal(_matrices("trace", a, axis1, axis2), int(offset))
    return _sum(x, axis=-1, dtype=dtype)


def tril(m: Any, k: int = 0) -> Tensor:
    """Zeros above diagonal ``k`` of the last two axes."""
    return diagonals.tril(_with_rows("tril", m), int(k))


def triu(m: Any, k: int = 0) -> Tensor:
    """Zeros below diagonal ``k`` of the last two axes."""
    return diagonals.triu(_with_rows("triu", m), int(k))


def _with_rows(name: str, m: Any) -> Tensor:
    x = tensor(m)
    if not x.ndim:
        raise FadValueError(located(f"{name} needs at least one axis"))
    return x if x.ndim > 1 else broadcast_to(x, (x.size, x.size))  # as NumPy does


def tri(
    N: int, M: int | None = None, k: int = 0, dtype: Any = float, *, like: Any = None
) -> Tensor:
    """A matrix with ones at and below diagonal ``k`` and zeros above."""
    made = constants.tri(int(N), int(N if M is None else M), int(k))
    return convert(made, as_dtype(dtype))


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Tensor:
    """The Vandermonde matrix: ``x`` to the powers 0 to N - 1 in columns, the highest first."""
    v = tensor(x)
    if v.ndim != 1:
        raise FadValueError(located(f"vander takes a vector, got shape {v.shape}"))
    exponents = constants.iota(v.size if N is None else int(N))
    return power(reshape(v, (v.size, 1)), exponents if increasing else flip(exponents, (0,)))
