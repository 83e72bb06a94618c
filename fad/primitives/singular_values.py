"""Singular values and vectors; what holds of phases and ties stands in ``decompositions``."""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core import dtypes
from fad.core.apply import apply, apply1
from fad.core.aval import Aval, make_aval
from fad.core.primitive import Operation, ReverseRule
from fad.primitives.arithmetic import add, mul, neg, sub
from fad.primitives.broadcast import zeros
from fad.primitives.comparison import gt, keep_where
from fad.primitives.complexes import conj, real
from fad.primitives.declare import Convention, Sample, primitive
from fad.primitives.decompositions import (
    column,
    draw,
    draw_complex,
    gaps,
    inner,
    phases,
    row,
    significant,
    sized,
    times_adjoint,
)
from fad.primitives.derivative import PerOperand
from fad.primitives.diagonal import diagonal, diagonal_matrix
from fad.primitives.linalg import adjoint, check_matrices, hermitian_part, product, same_on_stacks
from fad.primitives.norms import ratio
from fad.primitives.reductions import reduce_sum
from fad.primitives.shape import pad

# ------------------------------------------------------------------------ parts of the rules


def _sums(values: Any) -> Any:
    """``values[j] + values[i]`` at [i, j], 0 where both are zero."""
    return significant(add(row(values), column(values)), values)


def _padded(s: Any, size: int) -> Any:
    none = (0,) * (s.aval.ndim - 1)
    return pad(s, (*none, 0), (*none, size - s.aval.shape[-1]))


def _change(middle: Any, s: Any) -> Any:
    """The change of the singular values: none of zeros, as of the absolute value at 0."""
    return keep_where(gt(s, 0.0), real(diagonal(middle)))


def _antihermitian_part(x: Any) -> Any:
    return mul(sub(x, adjoint(x)), 0.5)


def _rotations(middle: Any, s: Any) -> tuple[Any, Any]:
    """``adjoint(u) @ du`` and ``adjoint(v) @ dv`` for ``middle = adjoint(u) @ dx @ v``, square."""
    near = ratio(hermitian_part(middle), gaps(s))
    far = ratio(_antihermitian_part(middle), _sums(s))
    of_u, of_v = add(near, far), sub(near, far)
    if middle.aval.dtype.kind == "c":  # the phase that the two share is that of v, and stays
        common = diagonal_matrix(diagonal(far))
        of_u, of_v = add(of_u, common), add(of_v, common)
    return of_u, of_v


def _middle_of_rotations(of_u: Any, of_v: Any, s: Any) -> Any:
    """The adjoint of :func:`_rotations`."""
    total, difference = add(of_u, of_v), sub(of_u, of_v)
    if total.aval.dtype.kind == "c":
        difference = add(difference, diagonal_matrix(diagonal(total)))
    near = hermitian_part(ratio(total, gaps(s)))
    return add(near, _antihermitian_part(ratio(difference, _sums(s))))


# ---------------------------------------------------------------------- values with vectors


def _svd(x: Any, *, full: bool) -> Any:
    return tuple(lax.linalg.svd(x, full_matrices=full))


def _infer_svd(x: Aval, *, full: bool) -> tuple[Aval, Aval, Aval]:
    check_matrices("svd", x, square=False)
    *stack, m, n = x.shape
    k = min(m, n)
    return (
        make_aval((*stack, m, m if full else k), x.dtype),
        make_aval((*stack, k), dtypes.real_of(x.dtype)),
        make_aval((*stack, n if full else k, n), x.dtype),
    )


def _push_svd(g: Any, out: Any) -> Any:
    u, s, vh = out
    m, n = g.aval.shape[-2:]
    middle = inner(u, times_adjoint(g, vh))
    rows, columns = middle.aval.shape[-2:]
    size = max(rows, columns)
    of_u, of_v = _rotations(sized(middle, size, size), _padded(s, size))
    du = product(u, sized(of_u, rows, rows))
    dvh = neg(product(sized(of_v, columns, columns), vh))
    if rows < m:
        outside = sub(times_adjoint(g, vh), product(u, middle))
        du = add(du, ratio(outside, row(significant(s, s))))
    if columns < n:
        outside = sub(inner(u, g), product(middle, vh))
        dvh = add(dvh, ratio(outside, column(significant(s, s))))
    return du, _change(middle, s), dvh


def _pull_svd(g: Any, x_aval: Aval, out: Any) -> Any:
    by_u, by_s, by_vh = g
    u, s, vh = out
    m, n = x_aval.shape[-2:]
    rows, columns = u.aval.shape[-1], vh.aval.shape[-2]
    if by_u is None and by_vh is None:
        k = s.aval.shape[-1]
        return _pull_values(by_s, sized(u, m, k), s, sized(vh, k, n))
    size = max(rows, columns)
    by_u = zeros(u.aval) if by_u is None else conj(by_u)
    by_vh = zeros(vh.aval) if by_vh is None else conj(by_vh)
    of_u = sized(inner(u, by_u), size, size)
    of_v = neg(sized(times_adjoint(by_vh, vh), size, size))
    middle = _middle_of_rotations(of_u, of_v, _padded(s, size))
    if by_s is not None:
        by_s = _padded(keep_where(gt(s, 0.0), by_s), size)
        middle = add(middle, diagonal_matrix(by_s))
    whole = product(u, product(sized(middle, rows, columns), vh))
    if rows < m:
        outside = ratio(by_u, row(significant(s, s)))
        whole = add(whole, product(sub(outside, product(u, inner(u, outside))), vh))
    if columns < n:
        outside = ratio(by_vh, column(significant(s, s)))
        inside = product(times_adjoint(outside, vh), vh)
        whole = add(whole, product(u, sub(outside, inside)))
    return conj(whole)


def _pull_values(g: Any, u: Any, s: Any, vh: Any) -> Any:
    return conj(product(mul(u, row(keep_where(gt(s, 0.0), g))), vh))


def _svd_oracle(x: Any, *, full: bool) -> Any:
    """With vectors whose phase does not turn near the complex sample; what completes a full
    basis keeps orthogonal to the others, and does no more."""
    u, s, vh = lax.linalg.svd(x, full_matrices=False)
    if jnp.iscomplexobj(x):
        turn = jnp.conj(phases(np.linalg.svd(draw_complex(3, 2))[2], vh, -1))
        u, vh = u * jnp.conj(jnp.swapaxes(turn, -1, -2)), vh * turn
    if full:
        more_u, _, more_vh = lax.linalg.svd(lax.stop_gradient(x), full_matrices=True)
        more_u, more_vh = more_u[..., s.shape[-1] :], more_vh[..., s.shape[-1] :, :]
        u = jnp.concatenate([u, more_u - u @ (jnp.conj(u.mT) @ more_u)], -1)
        vh = jnp.concatenate([vh, more_vh - more_vh @ jnp.conj(vh.mT) @ vh], -2)
    return u, s, vh


SVD = primitive(
    "svd",
    _svd,
    PerOperand([_push_svd], [_pull_svd]),
    infer=_infer_svd,
    batch=same_on_stacks,
    multiple=True,
    compile_cost=20.0,
    samples=lambda: [
        Sample((draw(3, 2),), {"full": False}),
        Sample((draw_complex(3, 2),), {"full": False}),
        Sample((draw(2, 2, 3),), {"full": False}),
        Sample((draw(3, 2),), {"full": True}),
        Sample((draw(2, 3),), {"full": True}),
        Sample((draw(0, 2),), {"full": False}),
    ],
    reference=lambda x, *, full: tuple(np.linalg.svd(x, full)),
    oracle=_svd_oracle,
    formula="U, s, Vᴴ with U diag(s) Vᴴ = x",
)


def svd(x: Any, full: bool = False) -> tuple[Any, Any, Any]:
    """Singular vectors and values, ``u * s @ vh = x``, the values in descending order.

    ``full`` completes both sets of vectors to bases; else there are as many as values.
    """
    return apply(SVD(full=full), x)


# ------------------------------------------------------------------------------ values alone


class _ValuesDerivative:
    """Differentiated, the values come with their vectors, which cost more than the values."""

    def forward(
        self, operation: Operation, primals: tuple[Any, ...], tangents: tuple[Any, ...]
    ) -> tuple[Any, Any]:
        u, s, vh = svd(*primals)
        turned = mul(conj(u), times_adjoint(tangents[0], vh))
        change = reduce_sum(real(turned), (turned.aval.ndim - 2,))
        return s, keep_where(gt(s, 0.0), change)

    def reverse(self, operation: Operation, mask: int) -> ReverseRule:
        return ReverseRule(
            operation,
            mask,
            lambda operands, out: out,
            lambda g, saved, targets: (_pull_values(g, *saved),),
            SVD(full=False),
            lambda out: out[1],
            keeps=0,
        )


def _infer_svdvals(x: Aval) -> Aval:
    check_matrices("svdvals", x, square=False)
    return make_aval((*x.shape[:-2], min(x.shape[-2:])), dtypes.real_of(x.dtype))


SVDVALS = primitive(
    "svdvals",
    lambda x: lax.linalg.svd(x, full_matrices=False, compute_uv=False),
    _ValuesDerivative(),
    infer=_infer_svdvals,
    batch=same_on_stacks,
    compile_cost=10.0,
    samples=lambda: [
        Sample((draw(3, 2),)),
        Sample((draw_complex(2, 3),)),
        Sample((draw(2, 2, 2),)),
        Sample((draw(0, 2),)),
    ],
    reference=lambda x: np.linalg.svd(x, compute_uv=False),
    oracle=lambda x: lax.linalg.svd(x, full_matrices=False)[1],
    conventions=[
        Convention(
            ([[2.0, 0.0], [0.0, 0.0]],),
            ([[1.0, 0.0], [0.0, 0.0]],),
            "of a zero singular value 0, as of abs at 0",
            point="rank n - 1",
        ),
        Convention(
            ([[1.0, 0.0], [0.0, 1.0]],),
            ([[1.0, 0.0], [0.0, 1.0]],),
            "exact: symmetric functions of the values do not depend on the vectors",
            point="ties",
        ),
    ],
    formula="the singular values, descending",
)


def svdvals(x: Any) -> Any:
    """The singular values of each matrix, in descending order.

    The derivative of a zero singular value is 0, as that of the absolute value at 0.
    """
    return apply1(SVDVALS(), x)
