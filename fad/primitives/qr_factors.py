"""QR factors: an orthonormal basis and a triangular matrix.

The diagonal of the triangular factor is real, which fixes the phases; its signs are LAPACK's. With
``w = adjoint(q) @ dx @ inv(r)`` the factors change by ``dq = q @ omega`` within the space that q
spans, where the antihermitian ``omega`` takes its lower triangle from ``w``, and by the rest of
``dx @ inv(r)`` outside of it (S. F. Walter, L. Lehmann and R. Lamour, "On evaluating higher-order
derivatives of the QR decomposition of tall matrices with full column rank in forward and reverse
mode", 2012). The columns that complete a basis may be rotated among themselves; they are not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core.apply import apply
from fad.core.aval import Aval, make_aval
from fad.primitives.arithmetic import add, sub
from fad.primitives.broadcast import zeros
from fad.primitives.complexes import conj, imag, make_complex
from fad.primitives.declare import Sample, primitive
from fad.primitives.decompositions import draw, draw_complex, inner, sized, times_adjoint
from fad.primitives.derivative import PerOperand
from fad.primitives.diagonal import diagonal, diagonal_matrix, tril, triu
from fad.primitives.linalg import (
    adjoint,
    check_matrices,
    matrix_transpose,
    product,
    same_on_stacks,
    triangular_solve,
)


def _qr(x: Any, *, complete: bool) -> Any:
    return tuple(lax.linalg.qr(x, full_matrices=complete))


def _infer(x: Aval, *, complete: bool) -> tuple[Aval, Aval]:
    check_matrices("qr", x, square=False)
    *stack, m, n = x.shape
    k = m if complete else min(m, n)
    return make_aval((*stack, m, k), x.dtype), make_aval((*stack, k, n), x.dtype)


def _leading(r: Any) -> Any:
    """The square part of the triangular factor."""
    k = min(r.aval.shape[-2:])
    return sized(r, k, k)


def _turn(w: Any) -> Any:
    """The imaginary part of the diagonal: it turns q, since the diagonal of r stays real."""
    return diagonal_matrix(make_complex(0.0, imag(diagonal(w))))


def _push(g: Any, out: Any) -> Any:
    q, r = out
    m, k = q.aval.shape[-2:]
    first = _leading(r)
    columns = matrix_transpose(sized(g, m, first.aval.shape[-1]))
    change = matrix_transpose(triangular_solve(first, columns, lower=False, transpose=True))
    within = inner(q, change)
    w = sized(within, k, k)
    below = tril(w, -1)
    omega = sub(below, adjoint(below))
    if w.aval.dtype.kind == "c":
        omega = add(omega, _turn(w))
    dq = product(q, omega)
    if k < m:
        dq = add(dq, sub(change, product(q, within)))
    return dq, triu(sub(inner(q, g), product(omega, r)))


def _pull(g: Any, out: Any) -> Any:
    q, r = out
    m, k = q.aval.shape[-2:]
    by_q = zeros(q.aval) if g[0] is None else conj(g[0])
    by_r = zeros(r.aval) if g[1] is None else triu(conj(g[1]))
    first = _leading(r)
    within = inner(q, by_q)
    by_omega = sub(within, times_adjoint(by_r, r))
    by_w = tril(sub(by_omega, adjoint(by_omega)), -1)
    if by_w.aval.dtype.kind == "c":
        by_w = add(by_w, _turn(by_omega))
    change = product(q, sized(by_w, k, first.aval.shape[-1]))
    if k < m:
        change = add(change, sub(by_q, product(q, within)))
    columns = matrix_transpose(change)
    solved = triangular_solve(first, columns, lower=False, conjugate=True)
    by_first = sized(matrix_transpose(solved), m, r.aval.shape[-1])
    return conj(add(by_first, product(q, by_r)))


def _oracle(x: Any, *, complete: bool) -> Any:
    """Of square and tall matrices, to which the others are led back."""
    m, n = x.shape[-2:]
    q, r = lax.linalg.qr(x[..., : min(m, n)], full_matrices=False)
    if n > m:
        r = jnp.concatenate([r, jnp.conj(q.mT) @ x[..., m:]], -1)
    if complete and m > n:
        more = lax.linalg.qr(lax.stop_gradient(x), full_matrices=True)[0][..., n:]
        q = jnp.concatenate([q, more - q @ (jnp.conj(q.mT) @ more)], -1)
        r = jnp.concatenate([r, jnp.zeros((*r.shape[:-2], m - n, n), r.dtype)], -2)
    return q, r


QR = primitive(
    "qr",
    _qr,
    PerOperand([_push], [_pull]),
    infer=_infer,
    batch=same_on_stacks,
    multiple=True,
    compile_cost=20.0,
    samples=lambda: [
        Sample((draw(3, 2),), {"complete": False}),
        Sample((draw_complex(3, 2),), {"complete": False}),
        Sample((draw(2, 2, 3),), {"complete": False}),
        Sample((draw(3, 2),), {"complete": True}),
        Sample((draw(0, 2),), {"complete": False}),
    ],
    reference=lambda x, *, complete: tuple(np.linalg.qr(x, "complete" if complete else "reduced")),
    oracle=_oracle,
    formula="Q, R with Q R = x, R upper triangular",
)


def qr(x: Any, complete: bool = False) -> tuple[Any, Any]:
    """``q`` with orthonormal columns and upper triangular ``r`` with ``q @ r = x``.

    ``complete`` makes a basis of q. Derivatives are infinite or NaN where the leading columns, as
    many as rows at most, are linearly dependent: the factors are not continuous there.
    """
    return apply(QR(complete=complete), x)
