"""Singular values, eigenvalues of Hermitian matrices, QR factors, and what is made of them.

The last two axes are the matrices, the others a stack of them. Gradients are right for functions
that do not depend on the signs or phases of vectors. Where values are repeated they are right for
symmetric functions of the values and for functions of the space that the vectors of a repeated
value span; not for those that pair a value with its vector, like ``v * f(w) @ v.T``, nor at order
two: see :mod:`fad.primitives.decompositions`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fad.core import dtypes
from fad.core.errors import FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy.axes import inexact, tensor
from fad.numpy.indexing import take_along_axis
from fad.numpy.reductions import count_nonzero
from fad.numpy.sorting import argsort
from fad.primitives import decompositions, norms, pseudoinverse, qr_factors, singular_values
from fad.primitives.arithmetic import absolute, mul, sign, sub
from fad.primitives.broadcast import convert, full
from fad.primitives.comparison import gt, ne
from fad.primitives.linalg import adjoint, check_matrices, hermitian_part, product
from fad.primitives.reductions import reduce_any, reduce_max
from fad.primitives.shape import reshape, slice_axis

__all__ = ["eigh", "eigvalsh", "lstsq", "matrix_rank", "pinv", "qr", "svd", "svdvals"]


class SVDResult(NamedTuple):
    """Left singular vectors as columns, singular values, right singular vectors as rows."""

    U: Tensor
    S: Tensor
    Vh: Tensor


class EighResult(NamedTuple):
    """Eigenvalues, and eigenvectors as columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class QRResult(NamedTuple):
    """Orthonormal columns, and an upper triangular matrix."""

    Q: Tensor
    R: Tensor


# -------------------------------------------------------------------------------- decompositions


def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    """Singular values and vectors: ``U * S @ Vh = a`` where ``full_matrices`` is false.

    ``full_matrices`` completes the vectors to bases. Without ``compute_uv`` the result is the
    values alone, in descending order. A ``hermitian`` matrix, whose lower triangle is read, is
    decomposed by its eigenvalues.

    The gradient is right for functions that do not depend on the signs (phases) of vectors. At
    repeated values it is right for symmetric functions of the values and for functions of the space
    that their vectors span, not for those that pair a value with its vectors. The derivative of a
    zero singular value is 0.

    >>> import fad, fad.numpy as np
    >>> np.linalg.svd([[3.0, 0.0], [0.0, 4.0]]).S
    fad.Tensor([4., 3.])
    """
    x = inexact(a)
    if hermitian:
        return _svd_of_hermitian(x, compute_uv)
    if not compute_uv:
        return singular_values.svdvals(x)
    square = x.ndim > 1 and x.shape[-1] == x.shape[-2]
    return SVDResult(*singular_values.svd(x, bool(full_matrices) and not square))


def _svd_of_hermitian(x: Tensor, vectors: bool) -> Any:
    values, u = decompositions.eigh(x)
    sizes = absolute(values)
    order = argsort(sizes, descending=True)
    s = take_along_axis(sizes, order)
    if not vectors:
        return s
    columns = decompositions.row(order)
    signs = take_along_axis(sign(values), order)
    u = take_along_axis(u, columns, -1)
    return SVDResult(u, s, adjoint(mul(u, decompositions.row(signs))))


def svdvals(x: Any, /) -> Tensor:
    """The singular values in descending order. The derivative of a zero among them is 0.

    >>> import fad, fad.numpy as np
    >>> fad.grad(lambda a: np.linalg.svdvals(a).sum())(np.asarray([[3.0, 0.0], [0.0, 4.0]]))
    fad.Tensor([[1., 0.],
                [0., 1.]])
    """
    return singular_values.svdvals(inexact(x))


def eigh(a: Any, UPLO: str = "L") -> EighResult:
    """Eigenvalues in ascending order, and eigenvectors, of a Hermitian matrix.

    Its lower triangle is read, or the upper one if ``UPLO`` is "U". The gradient is Hermitian. It
    is right for functions that do not depend on the signs (phases) of vectors. At repeated values
    it is right for symmetric functions of the values and for functions of the space that their
    vectors span, not for those that pair a value with its vector, like ``v * f(w) @ v.T``.

    >>> import fad.numpy as np
    >>> np.linalg.eigh([[2.0, 1.0], [1.0, 2.0]]).eigenvalues
    fad.Tensor([1., 3.])
    """
    return EighResult(*decompositions.eigh(inexact(a), _is_lower("eigh", UPLO)))


def eigvalsh(a: Any, UPLO: str = "L") -> Tensor:
    """The eigenvalues of a Hermitian matrix, in ascending order; see :func:`eigh`.

    >>> import fad, fad.numpy as np
    >>> fad.grad(lambda a: np.linalg.eigvalsh(a).sum())(np.eye(2))
    fad.Tensor([[1., 0.],
                [0., 1.]])
    """
    return decompositions.eigh(inexact(a), _is_lower("eigvalsh", UPLO))[0]


def _is_lower(name: str, uplo: Any) -> bool:
    if str(uplo).upper() not in ("L", "U"):
        raise FadValueError(located(f"{name}: UPLO must be 'L' or 'U', got {uplo!r}"))
    return str(uplo).upper() == "L"


def qr(a: Any, mode: str = "reduced") -> Any:
    """``Q`` with orthonormal columns and upper triangular ``R`` with ``Q @ R = a``.

    ``mode`` is "reduced", "complete" (``Q`` is a basis), or "r" for ``R`` alone. Derivatives are
    infinite or NaN where the leading columns, as many as rows at most, are linearly dependent.

    >>> import fad.numpy as np
    >>> np.linalg.qr([[3.0, 1.0], [4.0, 1.0]], "r")
    fad.Tensor([[-5. , -1.4],
                [ 0. , -0.2]])
    """
    if mode not in ("reduced", "complete", "r"):
        raise FadValueError(
            located(
                f"qr: mode must be 'reduced', 'complete' or 'r', got {mode!r}"
                + ("; Householder reflectors are LAPACK's own" if mode == "raw" else "")
            )
        )
    q, r = qr_factors.qr(inexact(a), mode == "complete")
    return r if mode == "r" else QRResult(q, r)


# -------------------------------------------------------------- ranks, pseudoinverses, systems


def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Tensor:
    """How many singular values are larger than ``tol``, or than ``rtol`` times the largest.

    By default ``rtol`` is the larger number of rows and columns times eps. A ``hermitian`` matrix
    is decomposed by its eigenvalues. The rank of a vector is that of a matrix of one row.

    >>> import fad.numpy as np
    >>> np.linalg.matrix_rank([[1.0, 2.0], [2.0, 4.0]])
    fad.Tensor(1)
    """
    if tol is not None and rtol is not None:
        raise FadValueError(located("matrix_rank: give tol or rtol, not both"))
    x = inexact(A)
    if x.ndim < 2:
        return convert(reduce_any(ne(x, 0), tuple(range(x.ndim))), dtypes.int64)
    s = absolute(eigvalsh(x)) if hermitian else singular_values.svdvals(x)
    last = s.ndim - 1
    if tol is not None:
        bound = _as_column(tol)
    elif not s.shape[last]:
        return full(s.shape[:-1], 0, dtypes.int64)
    else:
        relative = _default_rtol(x) if rtol is None else _as_column(rtol)
        bound = mul(reduce_max(s, (last,), True), relative)
    return count_nonzero(gt(s, bound), axis=-1)


def _default_rtol(x: Tensor) -> float:
    return float(max(x.shape[-2:]) * np.finfo(x.dtype).eps)


def _as_column(bound: Any) -> Tensor:
    bound = tensor(bound)
    return reshape(bound, (*bound.shape, 1))


def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = np._NoValue) -> Tensor:
    """The pseudoinverse of each matrix.

    Singular values up to ``rcond`` (or ``rtol``) times the largest count as zeros: 1e-15 by
    default, the larger number of rows and columns times eps if ``rtol`` is None. The rank this
    makes is held constant by the derivative, which has no trouble with repeated singular values.
    A ``hermitian`` matrix stands for its Hermitian part.

    >>> import fad.numpy as np
    >>> np.linalg.pinv([[2.0, 0.0], [0.0, 0.0]])
    fad.Tensor([[0.5, 0. ],
                [0. , 0. ]])
    """
    x = inexact(a)
    if rcond is not None and rtol is not np._NoValue:
        raise FadValueError(located("pinv: give rcond or rtol, not both"))
    if rcond is None:
        check_matrices("pinv", x.aval, square=False)
        rcond = 1e-15 if rtol is np._NoValue else _default_rtol(x) if rtol is None else rtol
    if hermitian:
        check_matrices("pinv", x.aval)
        x = hermitian_part(x)
    return pseudoinverse.pinv(x, tensor(rcond))


def lstsq(a: Any, b: Any, rcond: Any = None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The ``x`` of smallest norm that minimizes the norm of ``a @ x - b``, for one matrix ``a``.

    Singular values of ``a`` up to ``rcond`` times the largest count as zeros: by default the larger
    number of rows and columns times eps, eps alone if -1.

    Returns:
        The solution, the sums of squares of the columns of ``a @ x - b``, the rank of ``a``, and
        its singular values. As in NumPy the sums are left out (empty) where ``a`` has no more rows
        than columns; they are there where its rank is less than the number of columns, since a
        shape does not depend on values.

    >>> import fad.numpy as np
    >>> np.linalg.lstsq([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]], [1.0, 3.0, 5.0])[0]
    fad.Tensor([1., 2.])
    """
    x, y = inexact(a), inexact(b)
    if x.ndim != 2 or y.ndim not in (1, 2) or x.shape[0] != y.shape[0]:
        raise FadValueError(
            located(
                f"lstsq: shapes {x.shape} and {y.shape} do not fit: a matrix is expected, and a "
                "vector or a matrix with as many rows; fad.vmap solves stacks"
            )
        )
    dtype = dtypes.promote_types(x.dtype, y.dtype)
    x, y = convert(x, dtype), convert(y, dtype)
    columns = reshape(y, (y.size, 1)) if y.ndim == 1 else y
    if rcond is None:
        rcond = _default_rtol(x)
    elif isinstance(rcond, int | float) and rcond < 0:
        rcond = float(np.finfo(dtype).eps)
    solution = product(pseudoinverse.pinv(x, tensor(rcond)), columns)
    rest = norms.norm(sub(product(x, solution), columns), (0,))
    squares = mul(rest, rest)
    if x.shape[0] <= x.shape[1]:
        squares = slice_axis(squares, 0, 0)
    s = singular_values.svdvals(x)
    if y.ndim == 1:
        solution = reshape(solution, (x.shape[1],))
    return solution, squares, matrix_rank(x, rtol=rcond), s
