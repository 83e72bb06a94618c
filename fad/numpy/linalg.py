"""Linear algebra, under the names of ``numpy.linalg`` and with its conventions.

The last two axes are the matrices, the others a stack of them. Integers are computed in float64;
half precision is an error, as in NumPy. Where NumPy raises ``LinAlgError`` (a singular matrix, one
that is not positive definite) the result is infinite or NaN: a computation that is deferred or
compiled cannot raise.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from operator import index
from typing import Any, NamedTuple

import numpy as np

from fad.core import dtypes
from fad.core.errors import FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy import dispatch, products
from fad.numpy.axes import inexact, one_axis, several_axes, tensor
from fad.numpy.decompositions import (
    eigh,
    eigvalsh,
    lstsq,
    matrix_rank,
    pinv,
    qr,
    svd,
    svdvals,
)
from fad.numpy.products import matmul, tensordot, vecdot
from fad.numpy.shapes import expand_dims, moveaxis
from fad.numpy.ufunc import refuse_out
from fad.primitives import determinants, linalg, lu
from fad.primitives import diagonal as diagonals
from fad.primitives.arithmetic import absolute, div, mul
from fad.primitives.broadcast import broadcast_to, convert
from fad.primitives.comparison import logical_and, logical_not, ne, select
from fad.primitives.constants import eye
from fad.primitives.floating import isnan
from fad.primitives.linalg import adjoint
from fad.primitives.norms import norm as _norm
from fad.primitives.products import matmul as _matmul
from fad.primitives.reductions import Axes, reduce_any, reduce_max, reduce_min, reduce_sum
from fad.primitives.shape import reshape

__all__ = [
    "cholesky", "cond", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "lstsq", "matmul",
    "matrix_norm", "matrix_power", "matrix_rank", "matrix_transpose", "multi_dot", "norm", "outer",
    "pinv", "qr", "slogdet", "solve", "svd", "svdvals", "tensordot", "trace", "vecdot",
    "vector_norm",
]  # fmt: skip


class SlogdetResult(NamedTuple):
    """Sign and logarithm of the absolute value of a determinant."""

    sign: Tensor
    logabsdet: Tensor


# ------------------------------------------------------------------- factors, systems, inverses


def cholesky(a: Any, /, *, upper: bool = False) -> Tensor:
    """The lower triangular ``l`` with ``l @ l.conj().mT = a``, or its adjoint if ``upper``.

    ``a`` must be Hermitian and positive definite. Its Hermitian part is what is factored, so that
    the gradient is Hermitian; NaN where that is not positive definite.

    >>> import fad.numpy as np
    >>> np.linalg.cholesky([[4.0, 2.0], [2.0, 5.0]])
    fad.Tensor([[2., 0.],
                [1., 2.]])
    """
    lower = linalg.cholesky(inexact(a))
    return adjoint(lower) if upper else lower


def solve(a: Any, b: Any) -> Tensor:
    """The solution ``x`` of ``a @ x = b``. ``b`` is a vector if it has one axis, else matrices.

    >>> import fad.numpy as np
    >>> np.linalg.solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0])
    fad.Tensor([1. , 0.5])
    """
    return columns(lu.solve, inexact(a), inexact(b))


def columns(solver: Any, a: Tensor, b: Tensor) -> Tensor:
    """``solver(a, b)``, where a vector ``b`` counts as one column."""
    if b.ndim != 1:
        return solver(a, b)
    x = solver(a, reshape(b, (b.size, 1)))
    return reshape(x, x.shape[:-1])


def inv(a: Any) -> Tensor:
    """The inverse of each matrix. To apply it to something, use :func:`solve`."""
    return lu.inverse(inexact(a))


def matrix_power(a: Any, n: int) -> Tensor:
    """The n-th power of each matrix; that of the inverse if ``n`` is negative."""
    x = tensor(a)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise FadValueError(
            located(f"matrix_power: the last two axes must be square, got shape {x.shape}")
        )
    n = index(n)
    if n == 0:
        return broadcast_to(eye(x.shape[-1], x.shape[-1], 0, x.dtype), x.shape)
    if n < 0:
        x, n = inv(x), -n
    while not n & 1:
        x, n = _matmul(x, x), n >> 1
    result = x
    while n > 1:
        x, n = _matmul(x, x), n >> 1
        if n & 1:
            result = _matmul(result, x)
    return result


# -------------------------------------------------------------------------------- determinants


def det(a: Any) -> Tensor:
    """The determinant of each matrix; gradient and Hessian are exact for singular ones too.

    >>> import fad.numpy as np
    >>> np.linalg.det([[1.0, 2.0], [3.0, 4.0]])
    fad.Tensor(-2.)
    """
    return determinants.det(inexact(a))


def slogdet(a: Any) -> SlogdetResult:
    """Sign and logarithm of the absolute value of each determinant: (0, -inf) where singular."""
    return SlogdetResult(*determinants.slogdet(inexact(a)))


# --------------------------------------------------------------------------------------- norms


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """A norm of vectors (one axis) or matrices (two axes).

    Without ``ord`` and ``axis`` it is the 2-norm of all elements. ``ord`` is a number, inf or -inf
    for vectors; ``"fro"``, 1, -1, inf, -inf, 2 or -2 (the largest and the smallest singular value)
    or ``"nuc"`` (their sum) for matrices. Tiny and huge elements neither underflow nor overflow on
    the way. The derivative at 0 is 0; singular values that are equally large share evenly.

    >>> import fad.numpy as np
    >>> np.linalg.norm([3e200, 4e200])
    fad.Tensor(5.e+200)
    """
    x = inexact(x)
    if axis is None:
        axes: Axes = tuple(range(x.ndim))
        if ord is None:
            return _norm(x, axes, keepdims)
        if x.ndim > 2:
            raise FadValueError(
                located(f"norm: ord={ord!r} needs axis= for a tensor of shape {x.shape}")
            )
    else:
        axes = several_axes("norm", axis, x.ndim)
    if len(axes) == 1:
        return _vector_norm(x, 2 if ord is None else ord, axes, keepdims)
    if len(axes) == 2:
        return _matrix_norm(x, "fro" if ord is None else ord, axes, keepdims)
    raise FadValueError(located("norm: axis must be one integer or a pair of integers"))


def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: float = 2) -> Tensor:
    """The norm of vectors along one axis or, flattened, along several; see :func:`norm`."""
    x = inexact(x)
    return _vector_norm(x, ord, several_axes("vector_norm", axis, x.ndim), keepdims)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    """The norm of the matrices in the last two axes; see :func:`norm`."""
    x = inexact(x)
    if x.ndim < 2:
        raise FadValueError(located(f"matrix_norm: needs matrices, got shape {x.shape}"))
    return _matrix_norm(x, ord, (x.ndim - 2, x.ndim - 1), keepdims)


def _vector_norm(x: Tensor, ord: Any, axes: Axes, keepdims: bool) -> Tensor:
    axes = tuple(sorted(axes))
    if not isinstance(ord, int | float | np.number):
        raise FadValueError(
            located(f"Invalid norm order {ord!r} for vectors: a number, inf or -inf is expected")
        )
    ord = float(ord)
    if ord == 1:
        return reduce_sum(absolute(x), axes, keepdims)
    if ord == inf:
        return reduce_max(absolute(x), axes, keepdims)
    if ord == -inf:
        return reduce_min(absolute(x), axes, keepdims)
    if ord == 0:
        real = dtypes.real_of(x.dtype)
        return reduce_sum(convert(ne(x, 0), real), axes, keepdims)
    return _norm(x, axes, keepdims, ord)


_OF_SINGULAR_VALUES: dict[Any, Any] = {2: reduce_max, -2: reduce_min, "nuc": reduce_sum}


def _matrix_norm(x: Tensor, ord: Any, axes: Axes, keepdims: bool) -> Tensor:
    rows, columns = axes
    if ord == "fro":
        return _norm(x, tuple(sorted(axes)), keepdims)
    if ord in (2, -2, "nuc"):
        s = svdvals(moveaxis(x, axes, (-2, -1)))
        out = _OF_SINGULAR_VALUES[ord](s, (s.ndim - 1,))
        return expand_dims(out, sorted(axes)) if keepdims else out
    if ord in (1, -1):
        summed, compared = rows, columns
    elif ord in (inf, -inf):
        summed, compared = columns, rows
    else:
        raise FadValueError(
            located(
                f"Invalid norm order {ord!r} for matrices: 'fro', 'nuc', 1, -1, 2, -2, inf or -inf "
                "expected"
            )
        )
    sums = reduce_sum(absolute(x), (summed,), True)
    extremum = (reduce_max if ord > 0 else reduce_min)(sums, (compared,), True)
    if keepdims:
        return extremum
    return reshape(extremum, tuple([n for i, n in enumerate(x.shape) if i not in axes]))


def cond(x: Any, p: Any = None) -> Tensor:
    """The condition number: the norm of order ``p`` times that of the inverse.

    If ``p`` is None or 2 that is the largest over the smallest singular value (their inverse
    quotient if -2), also of matrices that are not square. Infinite for singular matrices.

    >>> import fad.numpy as np
    >>> np.linalg.cond([[4.0, 0.0], [0.0, 2.0]])
    fad.Tensor(2.)
    """
    x = inexact(x)
    if x.ndim < 2 or not x.size:
        raise FadValueError(
            located(f"cond: needs matrices that are not empty, got shape {x.shape}")
        )
    if p is None or p in (2, -2):
        s = svdvals(x)
        largest, smallest = reduce_max(s, (s.ndim - 1,)), reduce_min(s, (s.ndim - 1,))
        return _infinite(x, div(smallest, largest) if p == -2 else div(largest, smallest))
    return _infinite(x, mul(matrix_norm(x, ord=p), matrix_norm(inv(x), ord=p)))


def _infinite(x: Tensor, quotient: Tensor) -> Tensor:
    """``quotient``, infinite where it is NaN and ``x`` is not: the matrix is singular."""
    known = logical_not(reduce_any(isnan(x), (x.ndim - 2, x.ndim - 1)))
    return select(logical_and(known, isnan(quotient)), inf, quotient)


# ------------------------------------------------------------------ products, parts of matrices


def outer(x1: Any, x2: Any, /) -> Tensor:
    """All products of an element of ``x1`` and one of ``x2``, which are vectors."""
    x, y = tensor(x1), tensor(x2)
    if x.ndim != 1 or y.ndim != 1:
        raise FadValueError(
            located(
                f"linalg.outer takes vectors, got shapes {x.shape} and {y.shape}; "
                "numpy.outer flattens its operands"
            )
        )
    return products.outer(x, y)


def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Tensor:
    """The cross product of vectors in three dimensions; the other axes broadcast."""
    x, y = tensor(x1), tensor(x2)
    lengths = [v.shape[one_axis("linalg.cross", axis, v.ndim)] for v in (x, y)]
    if lengths != [3, 3]:
        raise FadValueError(
            located(
                "linalg.cross: both operands must be (arrays of) 3-dimensional vectors, but they "
                f"are {lengths[0]} and {lengths[1]} dimensional"
            )
        )
    return products.cross(x, y, axis=axis)


def multi_dot(arrays: Sequence[Any], *, out: None = None) -> Tensor:
    """The product of several matrices, in the order that takes the fewest multiplications.

    The first may be a vector (a row) and the last one too (a column).
    """
    refuse_out("linalg.multi_dot", out, "matrices")
    factors = [tensor(a) for a in arrays]
    if len(factors) < 2:
        raise FadValueError(located("multi_dot: expected at least two matrices"))
    for i, x in enumerate(factors):
        if x.ndim != 2 and not (x.ndim == 1 and i in (0, len(factors) - 1)):
            raise FadValueError(located(f"multi_dot: operand {i} has shape {x.shape}"))
    rows = [1 if x.ndim == 1 and i == 0 else x.shape[0] for i, x in enumerate(factors)]
    split = _best_splits([*rows, 1 if factors[-1].ndim == 1 else factors[-1].shape[1]])

    def multiplied(first: int, last: int) -> Tensor:
        if first == last:
            return factors[first]
        middle = split[first, last]
        return _matmul(multiplied(first, middle), multiplied(middle + 1, last))

    return multiplied(0, len(factors) - 1)


def _best_splits(lengths: list[int]) -> dict[tuple[int, int], int]:
    """Where to split each run of factors; factor i is ``lengths[i]`` by ``lengths[i + 1]``."""
    count = len(lengths) - 1
    cost = {(i, i): 0 for i in range(count)}
    split = {}
    for width in range(1, count):
        for i in range(count - width):
            j = i + width
            cost[i, j], split[i, j] = min(
                (cost[i, k] + cost[k + 1, j] + lengths[i] * lengths[k + 1] * lengths[j + 1], k)
                for k in range(i, j)
            )
    return split


def matrix_transpose(x: Any, /) -> Tensor:
    """The last two axes swapped."""
    x = tensor(x)
    if x.ndim < 2:
        raise FadValueError(located(f"matrix_transpose: needs matrices, got shape {x.shape}"))
    return linalg.matrix_transpose(x)


def diagonal(x: Any, /, *, offset: int = 0) -> Tensor:
    """A diagonal of each matrix, in the last two axes."""
    return diagonals.diagonal(_of_matrices("diagonal", x), offset)


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Tensor:
    """The sum of a diagonal of each matrix, in the last two axes."""
    found = diagonals.diagonal(_of_matrices("trace", x), offset)
    if dtype is not None:
        found = convert(found, np.dtype(dtype))
    return reduce_sum(found, (found.ndim - 1,))


def _of_matrices(name: str, x: Any) -> Tensor:
    x = tensor(x)
    if x.ndim < 2:
        raise FadValueError(located(f"linalg.{name}: needs matrices, got shape {x.shape}"))
    return x


def __getattr__(name: str) -> Any:
    raise dispatch.missing(f"linalg.{name}")
