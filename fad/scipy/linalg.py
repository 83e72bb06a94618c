"""Linear algebra, under the names of ``scipy.linalg`` and with its conventions.

The last two axes are the matrices. As everywhere in fad nothing is written to, so the options
``overwrite_a`` and the like have no effect; nor has ``check_finite``: NaN in gives NaN out.
"""

from __future__ import annotations

from typing import Any

from fad.core.errors import FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy.axes import inexact
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

__all__ = [
    "cho_factor", "cho_solve", "cholesky", "det", "inv", "lu", "solve", "solve_triangular",
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
