"""Determinants, with first and second derivatives that are exact for singular matrices too.

The gradient of the determinant is the matrix of cofactors, a polynomial in the entries, although
the textbook's formula for it, ``det(a) inv(a).T``, breaks down at singular matrices. Where that
happens the cofactors are computed from singular values: the cofactors of a diagonal matrix are
products of all its other elements.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core import dtypes
from fad.core.apply import apply, apply1, apply2
from fad.core.aval import Aval, make_aval
from fad.primitives.arithmetic import add, mul, sub
from fad.primitives.complexes import imag, make_complex, real
from fad.primitives.declare import Convention, Sample, primitive
from fad.primitives.derivative import PerOperand
from fad.primitives.diagonal import diagonal
from fad.primitives.linalg import (
    all_on_stacks,
    check_matrices,
    matrix_transpose,
    product,
    same_on_stacks,
)
from fad.primitives.lu import draw_matrices, inverse
from fad.primitives.products import dot_general
from fad.primitives.reductions import reduce_sum
from fad.primitives.shape import reshape

# ------------------------------------------------------------------------------------ kernels


def _sign(pivots: Any) -> Any:
    moved = pivots != lax.broadcasted_iota(pivots.dtype, pivots.shape, pivots.ndim - 1)
    return jnp.where(jnp.sum(moved, axis=-1) % 2 == 1, -1, 1)


def _of_factors(lu: Any, pivots: Any) -> Any:
    pivot_product = jnp.prod(jnp.diagonal(lu, axis1=-2, axis2=-1), axis=-1)
    return pivot_product * _sign(pivots).astype(lu.dtype)


def _det(x: Any) -> Any:
    if x.shape[-1] == 0:
        return jnp.ones(x.shape[:-2], x.dtype)
    return _of_factors(*lax.linalg.lu(x)[:2]) if x.size else jnp.zeros(x.shape[:-2], x.dtype)


def _cofactors(x: Any) -> Any:
    """By the inverse if that exists for all matrices of the stack, else by singular values."""
    if not x.size:
        return x
    lu, pivots, permutation = lax.linalg.lu(x)
    det = _of_factors(lu, pivots)

    def by_inverse(x: Any) -> Any:
        identity = jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), x.shape)
        columns = jnp.take_along_axis(identity, permutation[..., None], axis=-2)
        half = lax.linalg.triangular_solve(
            lu, columns, left_side=True, lower=True, unit_diagonal=True
        )
        whole = lax.linalg.triangular_solve(lu, half, left_side=True, lower=False)
        return det[..., None, None] * jnp.swapaxes(whole, -1, -2)

    regular = jnp.all((det != 0) & jnp.isfinite(det))
    return lax.cond(regular, by_inverse, _cofactors_of_singular, x)


def _cofactors_of_singular(x: Any) -> Any:
    u, s, vh = jnp.linalg.svd(x)
    ones = jnp.ones_like(s[..., :1])
    before = jnp.cumprod(jnp.concatenate([ones, s[..., :-1]], -1), -1)
    after = jnp.cumprod(jnp.concatenate([ones, s[..., :0:-1]], -1), -1)[..., ::-1]
    others = (before * after).astype(x.dtype)
    turn = (_det(u) * _det(vh))[..., None, None]
    return turn * _product(jnp.conj(u) * others[..., None, :], jnp.conj(vh))


def _product(x: Any, y: Any) -> Any:
    return jnp.matmul(x, y, precision=lax.Precision.HIGHEST)


def _cofactors_push(x: Any, direction: Any) -> Any:
    """The derivative of the cofactors: products of all singular values but two."""
    if x.shape[-1] < 2 or not x.size:
        return jnp.zeros_like(x)
    u, s, vh = jnp.linalg.svd(x)
    inner = _product(_product(jnp.conj(jnp.swapaxes(u, -1, -2)), direction), _adjoint(vh))
    others = _all_but_two(s).astype(x.dtype)
    traces = jnp.sum(others * jnp.diagonal(inner, axis1=-2, axis2=-1)[..., None, :], axis=-1)
    crossed = -others * jnp.swapaxes(inner, -1, -2)
    middle = crossed + traces[..., None] * jnp.eye(x.shape[-1], dtype=x.dtype)
    turn = (_det(u) * _det(vh))[..., None, None]
    return turn * _product(_product(jnp.conj(u), middle), jnp.conj(vh))


def _adjoint(x: Any) -> Any:
    return jnp.conj(jnp.swapaxes(x, -1, -2))


def _all_but_two(s: Any) -> Any:
    """``out[i, j]``, for i != j, is the product of all but elements i and j; 0 on the diagonal."""
    n = s.shape[-1]
    index = np.arange(n)
    ones = jnp.ones_like(s[..., :1])
    before = jnp.cumprod(jnp.concatenate([ones, s[..., :-1]], -1), -1)
    after = jnp.cumprod(jnp.concatenate([ones, s[..., :0:-1]], -1), -1)[..., ::-1]
    # between[i, j]: the product of elements i + 1 to j - 1, cumulated along j.
    inside = jnp.where(index[None, :] > index[:, None] + 1, jnp.roll(s, 1, -1)[..., None, :], 1)
    between = jnp.cumprod(inside, axis=-1)
    upper = before[..., :, None] * between * after[..., None, :]
    upper = jnp.where(index[None, :] > index[:, None], upper, 0)
    return upper + jnp.swapaxes(upper, -1, -2)


# -------------------------------------------------------------------------------- declarations


def _infer_det(x: Aval) -> Aval:
    check_matrices("det", x)
    return make_aval(x.shape[:-2], x.dtype)


def _against(g: Any, matrices: Any) -> Any:
    """Each number of ``g`` times its matrix."""
    return mul(reshape(g, (*g.aval.shape, 1, 1)), matrices)


def pairing(x: Any, y: Any) -> Any:
    """The sum of products of all entries, for each matrix of two stacks."""
    ndim = x.aval.ndim
    entries, stack = (ndim - 2, ndim - 1), tuple(range(ndim - 2))
    return dot_general(x, y, (entries, entries), (stack, stack))


def _samples() -> list[Sample]:
    return [
        Sample((draw_matrices(3, 3),)),
        Sample((draw_matrices(3, 3) + 0.1j * np.arange(9.0).reshape(3, 3),)),
        Sample((np.zeros((0, 0)),)),
    ]


DET = primitive(
    "det",
    _det,
    PerOperand(
        [lambda g, x: pairing(g, cofactors(x))],
        [lambda g, x: _against(g, cofactors(x))],
    ),
    infer=_infer_det,
    batch=same_on_stacks,
    compile_cost=10.0,
    samples=_samples,
    reference=np.linalg.det,
    conventions=[
        Convention(
            ([[1.0, 2.0], [2.0, 4.0]],),
            ([[4.0, -2.0], [-2.0, 1.0]],),
            "exact: the cofactors",
            point="rank n - 1",
        ),
        Convention(
            ([[0.0, 0.0], [0.0, 0.0]],),
            ([[0.0, 0.0], [0.0, 0.0]],),
            "exact: the cofactors",
            point="rank n - 2",
        ),
    ],
    formula="det(x)",
)

COFACTORS = primitive(
    "cofactors",
    _cofactors,
    PerOperand([lambda g, x: cofactors_push(x, g)], [lambda g, x: cofactors_push(x, g)]),
    infer=lambda x: make_aval(x.shape, x.dtype),
    batch=same_on_stacks,
    compile_cost=40.0,
    samples=_samples,
    formula="the derivative of det(x)",
)


def _push_twice(g: Any, x: Any, y: Any) -> Any:
    """The third derivative of the determinant, in the directions ``y`` and ``g``."""
    inverted = inverse(x)
    first, second = product(inverted, y), product(inverted, g)
    forward = product(first, second)
    traces = trace(first), trace(second)
    both = sub(mul(*traces), trace(forward))
    terms = add(_against(traces[1], first), _against(traces[0], second))
    turned = product(sub(add(forward, product(second, first)), terms), inverted)
    whole = matrix_transpose(add(turned, _against(both, inverted)))
    return _against(det(x), whole)


def trace(x: Any) -> Any:
    """The sum of the diagonal of each matrix."""
    return reduce_sum(diagonal(x), (x.aval.ndim - 2,))


COFACTORS_PUSH = primitive(
    "cofactors_push",
    _cofactors_push,
    PerOperand(
        [_push_twice, lambda g, x: cofactors_push(x, g)],
        [_push_twice, lambda g, x: cofactors_push(x, g)],
    ),
    infer=lambda x, y: make_aval(x.shape, x.dtype),
    batch=all_on_stacks,
    compile_cost=60.0,
    samples=lambda: [
        Sample((draw_matrices(4, 4), np.ones((4, 4)) + np.eye(4))),  # of order 3 it is linear in x
        Sample((draw_matrices(3, 3) + 1j * np.eye(3), draw_matrices(3, 3) - 0.5j)),
    ],
    formula="the derivative of cofactors(x) in the direction y",
)
"""The derivative of the cofactors: symmetric in its directions, as second derivatives are."""


def det(x: Any) -> Any:
    """The determinant of each matrix.

    First and second derivatives are exact everywhere, those of higher order at regular matrices.
    """
    return apply1(DET(), x)


def cofactors(x: Any) -> Any:
    """The gradient of the determinant of each matrix."""
    return apply1(COFACTORS(), x)


def cofactors_push(x: Any, direction: Any) -> Any:
    """The derivative of the cofactors in a direction."""
    return apply2(COFACTORS_PUSH(), x, direction)


def _slogdet(x: Any) -> Any:
    if not x.size:
        zeros = jnp.zeros(x.shape[:-2], x.real.dtype)
        return jnp.ones(x.shape[:-2], x.dtype), zeros
    lu, pivots, _ = lax.linalg.lu(x)
    pivot = jnp.diagonal(lu, axis1=-2, axis2=-1)
    sign = jnp.prod(lax.sign(pivot), axis=-1) * _sign(pivots).astype(x.dtype)
    return sign, jnp.sum(lax.log(lax.abs(pivot)), axis=-1)


def _infer_slogdet(x: Aval) -> tuple[Aval, Aval]:
    check_matrices("slogdet", x)
    shape = x.shape[:-2]
    return make_aval(shape, x.dtype), make_aval(shape, dtypes.real_of(x.dtype))


def _push_slogdet(g: Any, x: Any, out: Any) -> Any:
    change = pairing(matrix_transpose(inverse(x)), g)  # of the logarithm of the determinant
    if x.aval.dtype.kind != "c":
        return None, change
    return mul(out[0], make_complex(0.0, imag(change))), real(change)


def _pull_slogdet(g: Any, x: Any, out: Any) -> Any:
    change = g[1]
    if x.aval.dtype.kind == "c":
        turn = None if g[0] is None else make_complex(0.0, imag(mul(g[0], out[0])))
        change = turn if change is None else change if turn is None else add(change, turn)
    return None if change is None else _against(change, matrix_transpose(inverse(x)))


SLOGDET = primitive(
    "slogdet",
    _slogdet,
    PerOperand([_push_slogdet], [_pull_slogdet]),
    infer=_infer_slogdet,
    batch=same_on_stacks,
    multiple=True,
    compile_cost=10.0,
    samples=_samples,
    oracle=lambda x: tuple(jnp.linalg.slogdet(x)),
    formula="sign and logarithm of |det(x)|",
)


def slogdet(x: Any) -> tuple[Any, Any]:
    """Sign and logarithm of the absolute value of the determinant: 0 and -inf where singular."""
    return apply(SLOGDET(), x)
