"""Linear algebra, under the names of ``scipy.linalg`` and with its conventions.

The last two axes are the matrices. As everywhere in fad nothing is written to, so the options
``overwrite_a`` and the like have no effect; nor has ``check_finite``: NaN in gives NaN out.
"""

from __future__ import annotations

from typing import Any

from numpy import finfo

from fad.core.errors import FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy import linalg as _numpy
from fad.numpy.axes import inexact, tensor
from fad.numpy.linalg import columns
from fad.numpy.linalg import det as _det
from fad.numpy.linalg import inv as _inv
from fad.numpy.sorting import argsort
from fad.primitives import linalg
from fad.primitives import lu as _lu
from fad.primitives.arithmetic import add
from fad.primitives.broadcast import broadcast_to
from fad.primitives.constants import eye
from fad.primitives.diagonal import tril, triu
from fad.primitives.linalg import adjoint, matrix_transpose, triangular_solve
from fad.primitives.norms import ratio
from fad.primitives.shape import reshape

__all__ = [
    "cho_factor", "cho_solve", "cholesky", "det", "eigh", "eigvalsh", "inv", "lstsq", "lu", "pinv",
    "solve", "solve_triangular", "svd", "svdvals",
]  # fmt: skip


def cholesky(
    a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> Tensor:
    """The factor ``r`` with ``r.conj().mT @ r = a``, or if ``lower`` its adjoint.

    The Hermitian part of ``a`` is factored; NaN where that is not positive definite.
    """
    factor = linalg.cholesky(inexact(a))
    return factor if lower else adjoint(factor)


def cho_factor(
    a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> tuple[Tensor, bool]:
    """The Cholesky factor in the form that :func:`cho_solve` takes; its other triangle is zero."""
    return cholesky(a, lower), lower


def cho_solve(
    c_and_lower: tuple[Any, bool], b: Any, overwrite_b: bool = False, check_finite: bool = True
) -> Tensor:
    """The solution of ``a @ x = b`` from the Cholesky factor of ``a``."""
    c, lower = c_and_lower

    def solver(c: Tensor, b: Tensor) -> Tensor:
        half = triangular_solve(c, b, lower, transpose=not lower, conjugate=not lower)
        return triangular_solve(c, half, lower, transpose=lower, conjugate=lower)

    return columns(solver, inexact(c), inexact(b))


_TRANSPOSED = {0: False, "N": False, 1: True, "T": True, 2: True, "C": True}


def solve_triangular(
    a: Any,
    b: Any,
    trans: int | str = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Tensor:
    """The solution of ``a @ x = b`` for triangular ``a``, of which one triangle is read.

    ``trans`` is 0 or "N", 1 or "T" for the transpose, 2 or "C" for the conjugate transpose.

    >>> from fad.scipy.linalg import solve_triangular
    >>> solve_triangular([[2.0, 0.0], [1.0, 1.0]], [2.0, 3.0], lower=True)
    fad.Tensor([1., 2.])
    """
    if trans not in _TRANSPOSED:
        raise FadValueError(
            located(f"solve_triangular: trans must be 0, 1, 2, 'N', 'T' or 'C', got {trans!r}")
        )
    options = (bool(lower), _TRANSPOSED[trans], trans in (2, "C"), bool(unit_diagonal))
    return columns(lambda a, b: triangular_solve(a, b, *options), inexact(a), inexact(b))


def solve(
    a: Any,
    b: Any,
    lower: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    assume_a: str | None = None,
    transposed: bool = False,
) -> Tensor:
    """The solution of ``a @ x = b``, or of ``a.mT @ x = b`` if ``transposed``.

    ``assume_a="pos"`` uses a Cholesky factor; ``"lower triangular"`` and ``"upper triangular"``
    read one triangle only; any other structure is solved as a general matrix.
    """
    a, b = inexact(a), inexact(b)
    if assume_a in ("pos", "positive definite"):
        return cho_solve(cho_factor(a, True), b)
    if assume_a in ("lower triangular", "upper triangular"):
        return solve_triangular(a, b, int(transposed), assume_a == "lower triangular")
    return columns(_lu.solve, matrix_transpose(a) if transposed else a, b)


def inv(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Tensor:
    """The inverse of each matrix."""
    return _inv(a)


def det(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Tensor:
    """The determinant of each matrix."""
    return _det(a)


def lu(
    a: Any,
    permute_l: bool = False,
    overwrite_a: bool = False,
    check_finite: bool = True,
    p_indices: bool = False,
) -> tuple[Tensor, ...]:
    """``p, l, u`` with ``p @ l @ u = a`` for square matrices.

    ``p_indices`` gives ``p`` as indices with ``l[p] @ u = a``, and ``permute_l`` the pair
    ``p @ l, u``.
    """
    factors, _, permutation = _lu.lu_factor(inexact(a))
    n = factors.shape[-1]
    identity = broadcast_to(eye(n, n, 0, factors.dtype), factors.shape)
    lower, upper = add(tril(factors, -1), identity), triu(factors)
    if permute_l:
        return _lu.permute_rows(lower, permutation, inverse=True), upper
    if p_indices:
        return argsort(permutation), lower, upper
    return _lu.permute_rows(identity, permutation, inverse=True), lower, upper


# -------------------------------------------------------------- eigenvalues and singular values


def eigh(
    a: Any,
    b: None = None,
    *,
    lower: bool = True,
    eigvals_only: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    type: int = 1,
    check_finite: bool = True,
    subset_by_index: None = None,
    subset_by_value: None = None,
    driver: str | None = None,
) -> Any:
    """Eigenvalues in ascending order, and eigenvectors, of a Hermitian matrix.

    One triangle is read. See :func:`fad.numpy.linalg.eigh` for the derivative; ``driver`` has no
    effect. Problems with a second matrix ``b`` and subsets are not supported.

    >>> from fad.scipy.linalg import eigh
    >>> eigh([[2.0, 1.0], [1.0, 2.0]], eigvals_only=True)
    fad.Tensor([1., 3.])
    """
    if b is not None:
        raise FadValueError(
            located(
                "eigh: a second matrix is not supported; with l = cholesky(b, lower=True) the "
                "eigenvalues are those of inv(l) @ a @ inv(l).conj().mT"
            )
        )
    if subset_by_index is not None or subset_by_value is not None:
        raise FadValueError(
            located("eigh: subsets are not supported; index the result instead: w[i:j], v[:, i:j]")
        )
    values, vectors = _numpy.eigh(a, "L" if lower else "U")
    return values if eigvals_only else (values, vectors)


def eigvalsh(
    a: Any,
    b: None = None,
    *,
    lower: bool = True,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    type: int = 1,
    check_finite: bool = True,
    subset_by_index: None = None,
    subset_by_value: None = None,
    driver: str | None = None,
) -> Tensor:
    """The eigenvalues of a Hermitian matrix in ascending order; see :func:`eigh`."""
    values: Tensor = eigh(
        a, b, lower=lower, eigvals_only=True, subset_by_index=subset_by_index,
        subset_by_value=subset_by_value,
    )  # fmt: skip
    return values


def svd(
    a: Any,
    full_matrices: bool = True,
    compute_uv: bool = True,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> Any:
    """Singular vectors and values ``u, s, vh``; the values alone without ``compute_uv``.

    See :func:`fad.numpy.linalg.svd` for the derivative; ``lapack_driver`` has no effect.
    """
    found = _numpy.svd(a, full_matrices, compute_uv)
    return tuple(found) if compute_uv else found


def svdvals(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Tensor:
    """The singular values in descending order."""
    return _numpy.svdvals(a)


def pinv(
    a: Any,
    *,
    atol: Any = None,
    rtol: Any = None,
    return_rank: bool = False,
    check_finite: bool = True,
) -> Any:
    """The pseudoinverse, and the rank if ``return_rank``; see :func:`fad.numpy.linalg.pinv`.

    Singular values up to ``atol + rtol * s[0]`` count as zeros. By default ``rtol`` is the larger
    number of rows and columns times eps.
    """
    x = inexact(a)
    if rtol is None:
        rtol = max(x.shape[-2:], default=0) * float(finfo(x.dtype).eps)
    if atol is not None:
        rtol = add(ratio(tensor(atol), _numpy.norm(x, 2, (-2, -1))), rtol)
    inverse = _numpy.pinv(x, rtol=rtol)
    return (inverse, _numpy.matrix_rank(x, rtol=rtol)) if return_rank else inverse


def lstsq(
    a: Any,
    b: Any,
    cond: Any = None,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    lapack_driver: str | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The least-squares solution, its residuals, the rank and the singular values of ``a``.

    Singular values up to ``cond`` times the largest count as zeros, up to eps times if None. See
    :func:`fad.numpy.linalg.lstsq`; ``lapack_driver`` has no effect.
    """
    x, squares, rank, s = _numpy.lstsq(a, b, -1 if cond is None else cond)
    if tensor(b).ndim == 1 and squares.size:
        squares = reshape(squares, ())
    return x, squares, rank, s
