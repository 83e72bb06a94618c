"""Linear algebra: triangular systems and Cholesky factors.

Every operation works on stacks: the last two axes are the matrix. Cotangents are paired without
conjugation (see the conventions for complex numbers), so the transpose of ``x -> A x`` is ``A.T``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core import dtypes
from fad.core.apply import apply, apply1, apply2
from fad.core.aval import Aval, make_aval
from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.primitive import Operation
from fad.primitives.arithmetic import add, mul, neg
from fad.primitives.broadcast import broadcast_to, convert
from fad.primitives.complexes import conj
from fad.primitives.declare import NAN, Convention, Sample, broadcast_shapes, primitive
from fad.primitives.derivative import PerOperand
from fad.primitives.diagonal import tril, triu
from fad.primitives.products import dot_general
from fad.primitives.shape import reshape, transpose


def _draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(4).normal(size=shape)


def _complex(*shape: int) -> np.ndarray:
    return _draw(2, *shape)[0] + 1j * _draw(2, *shape)[1]


def check_matrices(name: str, x: Aval, square: bool = True) -> None:
    """Raise unless ``x`` is a stack of (square) matrices of a dtype that LAPACK has."""
    if x.ndim < 2 or (square and x.shape[-1] != x.shape[-2]):
        kind = "square matrices" if square else "matrices"
        raise FadValueError(
            located(f"{name}: the last two axes must be those of {kind}, got shape {x.shape}")
        )
    if x.dtype.kind not in "fc" or x.dtype.itemsize < 4:
        raise FadTypeError(
            located(f"{name} is not defined for dtype {x.dtype}; convert with x.astype(float)")
        )


def product(x: Any, y: Any, x_axis: int = -1, y_axis: int = -2) -> Any:
    """The products of two stacks of matrices, contracting these axes: ``x @ y`` by default."""
    ndim = x.aval.ndim
    stack = tuple(range(ndim - 2))
    return dot_general(x, y, ((ndim + x_axis,), (ndim + y_axis,)), (stack, stack))


def matrix_transpose(x: Any) -> Any:
    """The last two axes swapped."""
    ndim = x.aval.ndim
    return transpose(x, (*range(ndim - 2), ndim - 1, ndim - 2))


def adjoint(x: Any) -> Any:
    """The conjugate transpose of each matrix."""
    return conj(matrix_transpose(x))


def hermitian_part(x: Any) -> Any:
    """``(x + adjoint(x)) / 2``, its own transpose in the real pairing."""
    return mul(add(x, adjoint(x)), 0.5)


def same_on_stacks(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    """The batch rule of operations whose kernels take stacks and that have one operand."""
    return apply(operation, *operands), True


def all_on_stacks(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    """The same for several operands: those that all examples share are repeated."""
    whole = [
        x if flag else broadcast_to(x, (size, *x.aval.shape))
        for x, flag in zip(operands, batched, strict=True)
    ]
    return apply(operation, *whole), True


def triangle(x: Any, lower: bool, strict: bool) -> Any:
    """The triangle of each matrix that a solver reads."""
    return tril(x, -int(strict)) if lower else triu(x, int(strict))


def half_triangle(x: Any) -> Any:
    """The lower triangle with half the diagonal: what is left of a Hermitian matrix."""
    return mul(add(tril(x), tril(x, -1)), 0.5)


# ------------------------------------------------------------------------ triangular systems


def _infer_solve(a: Aval, b: Aval, **params: Any) -> Aval:
    check_matrices("triangular_solve", a)
    if b.ndim != a.ndim or b.shape[:-1] != a.shape[:-1]:
        raise FadValueError(
            located(
                f"triangular_solve: shapes {a.shape} and {b.shape} do not fit: the right-hand side "
                "must be a stack of matrices with as many rows as the triangular matrix"
            )
        )
    return make_aval(b.shape, b.dtype)


def _solve_kernel(
    a: Any, b: Any, *, lower: bool, transpose: bool, conjugate: bool, unit_diagonal: bool
) -> Any:
    return lax.linalg.triangular_solve(
        a, b, left_side=True, lower=lower, transpose_a=transpose,
        conjugate_a=conjugate and jnp.iscomplexobj(a), unit_diagonal=unit_diagonal,
    )  # fmt: skip


def _push_a(
    g: Any, x: Any, out: Any, *, lower: bool, transpose: bool, conjugate: bool, unit_diagonal: bool
) -> Any:
    g = triangle(g, lower, unit_diagonal)
    right = product(conj(g) if conjugate else g, out, -2 if transpose else -1)
    return neg(triangular_solve(x, right, lower, transpose, conjugate, unit_diagonal))


def _pull_a(
    g: Any, x: Any, out: Any, *, lower: bool, transpose: bool, conjugate: bool, unit_diagonal: bool
) -> Any:
    left = triangular_solve(x, g, lower, not transpose, conjugate, unit_diagonal)
    g = product(out, left, -1, -1) if transpose else product(left, out, -1, -1)
    return neg(triangle(conj(g) if conjugate else g, lower, unit_diagonal))


def _push_b(
    g: Any, x: Any, *, lower: bool, transpose: bool, conjugate: bool, unit_diagonal: bool
) -> Any:
    return triangular_solve(x, g, lower, transpose, conjugate, unit_diagonal)


def _pull_b(
    g: Any, x: Any, *, lower: bool, transpose: bool, conjugate: bool, unit_diagonal: bool
) -> Any:
    return triangular_solve(x, g, lower, not transpose, conjugate, unit_diagonal)


def batch_solve(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    """The batch rule of solvers: all operands but the last belong to the matrix.

    A matrix that all examples share solves for all their right-hand sides at once.
    """
    *matrix, b = operands
    if not any(batched[:-1]):
        return with_more_columns(lambda b: apply(operation, *matrix, b), b, 1), True
    return all_on_stacks(operation, size, operands, batched)


def with_more_columns(solve: Any, b: Any, count: int) -> Any:
    """``solve`` of stacks of matrices, whose ``count`` leading axes become further columns."""
    shape = b.aval.shape
    ndim = len(shape)
    axes = (*range(count, ndim), *range(count))
    moved = transpose(b, axes)
    wide = moved.aval.shape
    out = solve(reshape(moved, (*shape[count : ndim - 1], math.prod(wide[ndim - 1 - count :]))))
    return transpose(reshape(out, wide), (*range(ndim - count, ndim), *range(ndim - count)))


def _lower_well_conditioned(x: np.ndarray) -> np.ndarray:
    return np.tril(x) + 3 * np.eye(x.shape[-1])


def _solve_samples() -> list[Sample]:
    def params(
        lower: bool, transpose: bool = False, conjugate: bool = False, unit_diagonal: bool = False
    ) -> dict[str, Any]:
        return {
            "lower": lower, "transpose": transpose, "conjugate": conjugate,
            "unit_diagonal": unit_diagonal,
        }  # fmt: skip

    a = _lower_well_conditioned(_draw(3, 3))
    c = _lower_well_conditioned(_complex(2, 2))
    return [
        Sample((a, _draw(3, 2)), params(True)),
        Sample((a.T.copy(), _draw(3, 2)), params(False, unit_diagonal=True)),
        Sample((np.stack([a, 2 * a]), _draw(2, 3, 2)), params(True, transpose=True)),
        Sample((c, _complex(2, 2)), params(True, transpose=True, conjugate=True)),
        Sample((_draw(0, 0), _draw(0, 2)), params(True)),
    ]


def _solve_reference(
    a: Any, b: Any, *, lower: bool, transpose: bool, conjugate: bool, unit_diagonal: bool
) -> Any:
    a = np.tril(a) if lower else np.triu(a)
    if unit_diagonal:
        a = a - a * np.eye(a.shape[-1]) + np.eye(a.shape[-1])
    a = np.swapaxes(a, -1, -2) if transpose else a
    return np.linalg.solve(np.conj(a) if conjugate else a, b)


TRIANGULAR_SOLVE = primitive(
    "triangular_solve",
    _solve_kernel,
    PerOperand([_push_a, _push_b], [_pull_a, _pull_b]),
    infer=_infer_solve,
    batch=batch_solve,
    compile_cost=10.0,
    samples=_solve_samples,
    reference=_solve_reference,
    formula="x⁻¹ y for triangular x",
)


def triangular_solve(
    a: Any,
    b: Any,
    lower: bool = True,
    transpose: bool = False,
    conjugate: bool = False,
    unit_diagonal: bool = False,
) -> Any:
    """The solution of ``op(a) x = b`` for stacks of matrices; only one triangle of ``a`` is read.

    ``op`` transposes, then conjugates, as asked. Leading axes broadcast; a single ``a`` serves
    all right-hand sides in one solve.
    """
    operation = TRIANGULAR_SOLVE(
        lower=lower, transpose=transpose, conjugate=conjugate, unit_diagonal=unit_diagonal
    )
    return on_stacks("triangular_solve", lambda a, b: apply2(operation, a, b), a, b)


def on_stacks(name: str, solve: Any, a: Any, b: Any) -> Any:
    """``solve(a, b)`` with equal dtypes and equal leading axes."""
    if a.aval.dtype != b.aval.dtype:
        dtype = dtypes.promote_types(a.aval.dtype, b.aval.dtype)
        a, b = convert(a, dtype), convert(b, dtype)
    xs, ys = a.aval.shape, b.aval.shape
    if xs[:-2] == ys[:-2] or len(xs) < 2 or len(ys) < 2:
        return solve(a, b)
    if len(xs) == 2:
        return with_more_columns(lambda b: solve(a, b), b, len(ys) - 2)
    leading = broadcast_shapes(name, [xs[:-2], ys[:-2]])
    return solve(broadcast_to(a, (*leading, *xs[-2:])), broadcast_to(b, (*leading, *ys[-2:])))


# ---------------------------------------------------------------------------------- Cholesky


def _infer_cholesky(x: Aval) -> Aval:
    check_matrices("cholesky", x)
    return make_aval(x.shape, x.dtype)


def _push_cholesky(g: Any, out: Any) -> Any:
    inner = triangular_solve(out, adjoint(triangular_solve(out, hermitian_part(g))))
    return product(out, half_triangle(inner))


def _pull_cholesky(g: Any, out: Any) -> Any:
    inner = half_triangle(product(out, g, -2, -2))
    half = matrix_transpose(triangular_solve(out, inner, transpose=True))
    whole = triangular_solve(out, half, transpose=True, conjugate=True)
    return conj(hermitian_part(whole))


def _positive(x: np.ndarray) -> np.ndarray:
    return x @ np.conj(np.swapaxes(x, -1, -2)) + np.eye(x.shape[-1])


CHOLESKY = primitive(
    "cholesky",
    lambda x: lax.linalg.cholesky(x, symmetrize_input=True),
    PerOperand([_push_cholesky], [_pull_cholesky]),
    infer=_infer_cholesky,
    batch=same_on_stacks,
    compile_cost=10.0,
    samples=lambda: [
        Sample((_positive(_draw(3, 3)),)),
        Sample((_positive(_complex(3, 3)),)),
        Sample((_draw(0, 2, 2),)),
    ],
    reference=np.linalg.cholesky,
    conventions=[
        Convention(
            ([[4.0, 0.0], [0.0, 4.0]],),
            ([[0.25, 0.25], [0.25, 0.25]],),
            "symmetrised: the matrix counts as symmetric",
            point="a multiple of 1",
            cotangent=[[1.0, 0.0], [1.0, 1.0]],
        ),
        Convention(
            ([[1.0, 2.0], [2.0, 1.0]],),
            ([[NAN, NAN], [NAN, NAN]],),
            "not positive definite: the result is NaN",
        ),
    ],
    formula="L with L Lᴴ = x",
)


def cholesky(x: Any) -> Any:
    """The lower triangular ``l`` with ``l @ adjoint(l)`` = ``hermitian_part(x)``.

    NaN where that is not positive definite, as XLA does: nothing can be raised when the
    computation is deferred. The gradient is Hermitian.
    """
    return apply1(CHOLESKY(), x)
