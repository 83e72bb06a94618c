"""LU factors, and the general linear systems solved with them."""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core import kernels
from fad.core.apply import apply, apply1, apply2
from fad.core.aval import Aval, make_aval
from fad.core.errors import FadValueError, located
from fad.primitives.arithmetic import add, neg
from fad.primitives.constants import eye
from fad.primitives.declare import Sample, primitive
from fad.primitives.derivative import Linear, PerOperand
from fad.primitives.diagonal import tril, triu
from fad.primitives.identity import STOP_GRADIENT
from fad.primitives.linalg import (
    batch_solve,
    check_matrices,
    matrix_transpose,
    on_stacks,
    product,
    same_on_stacks,
    triangular_solve,
)

INT32 = np.dtype(np.int32)


def draw_matrices(*shape: int) -> np.ndarray:
    """Well-conditioned matrices, on which row exchanges take place."""
    return np.random.default_rng(7).normal(size=shape) + 2 * np.eye(shape[-1])[::-1]


# ------------------------------------------------------------------------- permuted rows


def _permute(x: Any, permutation: Any, *, inverse: bool) -> Any:
    order = jnp.argsort(permutation, axis=-1) if inverse else permutation
    return jnp.take_along_axis(x, order[..., None], axis=-2)


PERMUTE_ROWS = primitive(
    "permute_rows",
    _permute,
    Linear([lambda g, y, *, inverse: permute_rows(g, y, not inverse), None]),
    infer=lambda x, y, *, inverse: make_aval(x.shape, x.dtype),
    samples=lambda: [
        Sample((draw_matrices(3, 3), np.array([2, 0, 1], np.int32)), {"inverse": False}),
        Sample((draw_matrices(3, 3)[:, :2], np.array([2, 0, 1], np.int32)), {"inverse": True}),
    ],
    formula="the rows of x in the order y",
)


def permute_rows(x: Any, permutation: Any, inverse: bool = False) -> Any:
    """Row ``permutation[i]`` of each matrix as row i, or the other way round."""
    return apply2(PERMUTE_ROWS(inverse=inverse), x, permutation)


# ---------------------------------------------------------------------------- factorization


def _infer_lu(x: Aval) -> tuple[Aval, Aval, Aval]:
    check_matrices("lu", x)
    rows = make_aval(x.shape[:-1], INT32)
    return x if not x.weak else make_aval(x.shape, x.dtype), rows, rows


def _lu(x: Any) -> Any:
    if x.size:
        return tuple(lax.linalg.lu(x))
    rows = jnp.zeros(x.shape[:-1], INT32)
    return x, rows, rows


def _push_lu(g: Any, out: Any) -> Any:
    lu, _, permutation = out
    left = triangular_solve(lu, permute_rows(g, permutation), unit_diagonal=True)
    inner = _times_inverse_of_upper(left, lu)
    lower, upper = tril(inner, -1), triu(inner)
    below = add(lower, product(tril(lu, -1), lower))
    return add(below, product(upper, triu(lu))), None, None


def _times_inverse_of_upper(x: Any, lu: Any) -> Any:
    solved = triangular_solve(lu, matrix_transpose(x), lower=False, transpose=True)
    return matrix_transpose(solved)


def _pull_lu(g: Any, out: Any) -> Any:
    lu, _, permutation = out
    g = g[0]
    lower, upper = tril(g, -1), triu(g)
    below = add(lower, product(tril(lu, -1), lower, -2, -2))
    inner = add(tril(below, -1), triu(product(upper, triu(lu), -1, -1)))
    right = matrix_transpose(triangular_solve(lu, matrix_transpose(inner), lower=False))
    left = triangular_solve(lu, right, transpose=True, unit_diagonal=True)
    return permute_rows(left, permutation, inverse=True)


LU = primitive(
    "lu",
    _lu,
    PerOperand([_push_lu], [_pull_lu]),
    infer=_infer_lu,
    batch=same_on_stacks,
    multiple=True,
    compile_cost=10.0,
    samples=lambda: [
        Sample((draw_matrices(3, 3),)),
        Sample((draw_matrices(2, 2) + 1j,)),
        Sample((np.zeros((0, 0)),)),
    ],
    formula="L U = P x: both factors in one matrix, pivots, permutation",
)


def lu_factor(x: Any) -> Any:
    """Both factors in one matrix, pivots and permutation: ``x[permutation]`` is ``lower @ upper``.

    The lower factor has an implied diagonal of ones. ``pivots[i]`` is the row that row i was
    exchanged with at step i.
    """
    return apply(LU(), x)


# ---------------------------------------------------------------------------- linear systems


def _lu_solve(a: Any, lu: Any, permutation: Any, b: Any, *, transpose: bool) -> Any:
    def triangular(b: Any, lower: bool) -> Any:
        return lax.linalg.triangular_solve(
            lu, b, left_side=True, lower=lower, transpose_a=transpose, unit_diagonal=lower
        )

    if transpose:
        return _permute(triangular(triangular(b, False), True), permutation, inverse=True)
    return triangular(triangular(_permute(b, permutation, inverse=False), True), False)


def _push_a(g: Any, x: Any, y: Any, z: Any, out: Any, *, transpose: bool) -> Any:
    right = product(g, out, -2 if transpose else -1)
    return neg(apply(LU_SOLVE(transpose=transpose), x, y, z, right))


def _pull_a(g: Any, x: Any, y: Any, z: Any, out: Any, *, transpose: bool) -> Any:
    left = apply(LU_SOLVE(transpose=not transpose), x, y, z, g)
    return neg(product(out, left, -1, -1) if transpose else product(left, out, -1, -1))


def _push_b(g: Any, x: Any, y: Any, z: Any, *, transpose: bool) -> Any:
    return apply(LU_SOLVE(transpose=transpose), x, y, z, g)


def _pull_b(g: Any, x: Any, y: Any, z: Any, *, transpose: bool) -> Any:
    return apply(LU_SOLVE(transpose=not transpose), x, y, z, g)


def _infer_lu_solve(a: Aval, lu: Aval, permutation: Aval, b: Aval, *, transpose: bool) -> Aval:
    if b.ndim != a.ndim or b.shape[:-1] != a.shape[:-1]:
        raise FadValueError(
            located(
                f"solve: shapes {a.shape} and {b.shape} do not fit: the right-hand side must be a "
                "vector, or a stack of matrices with as many rows as the matrix"
            )
        )
    return make_aval(b.shape, b.dtype)


def _lu_solve_samples() -> list[Sample]:
    def case(a: np.ndarray, b: np.ndarray, transpose: bool) -> Sample:
        with kernels.enable_x64(True):
            lu, _, permutation = (np.asarray(part) for part in _lu(jnp.asarray(a)))
        return Sample((a, lu, permutation, b), {"transpose": transpose})

    rng = np.random.default_rng(8)
    a = draw_matrices(3, 3)
    return [
        case(a, rng.normal(size=(3, 2)), False),
        case(draw_matrices(2, 2, 2), rng.normal(size=(2, 2, 1)), True),
    ]


LU_SOLVE = primitive(
    "lu_solve",
    _lu_solve,
    PerOperand([_push_a, None, None, _push_b], [_pull_a, None, None, _pull_b]),
    infer=_infer_lu_solve,
    batch=batch_solve,
    compile_cost=20.0,
    samples=_lu_solve_samples,
    oracle=lambda a, lu, permutation, b, *, transpose: jnp.linalg.solve(
        jnp.swapaxes(a, -1, -2) if transpose else a, b
    ),
    formula="x⁻¹ w, with y, z the factors of x",
)
"""The solution of ``a x = b``, or of ``a.T x = b``, from the LU factors of ``a``.

The factors are taken for what they are, functions of ``a``: its derivative in ``a`` is that of the
solution, and there is none in the factors.
"""


def solve(a: Any, b: Any) -> Any:
    """The solution of ``a x = b`` for stacks of matrices, whose leading axes broadcast.

    Infinite or NaN where ``a`` is singular. One factorization serves the solution, its derivatives
    of any order, and all right-hand sides of a matrix that is not itself stacked.
    """
    check_matrices("solve", a.aval)

    def with_factors(a: Any, b: Any) -> Any:
        lu, _, permutation = lu_factor(apply1(STOP_GRADIENT(), a))
        return apply(LU_SOLVE(transpose=False), a, lu, permutation, b)

    return on_stacks("solve", with_factors, a, b)


def inverse(a: Any) -> Any:
    """The inverse of each matrix; infinite or NaN where it is singular."""
    check_matrices("inv", a.aval)
    return solve(a, eye(a.shape[-1], a.shape[-1], 0, a.dtype))
