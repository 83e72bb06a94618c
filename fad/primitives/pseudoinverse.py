"""The pseudoinverse, with its derivative at constant rank.

The derivative is that of G. H. Golub and V. Pereyra, "The differentiation of pseudo-inverses and
nonlinear least squares problems whose variables separate", 1973, formula (4.12). It takes no
singular vectors, and so it is as accurate where singular values are repeated or zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core import dtypes
from fad.core.apply import apply2
from fad.core.aval import Aval, make_aval
from fad.primitives.arithmetic import add, sub
from fad.primitives.broadcast import broadcast_to, convert
from fad.primitives.complexes import conj
from fad.primitives.declare import Convention, Sample, primitive
from fad.primitives.decompositions import draw, draw_complex, times_adjoint
from fad.primitives.derivative import PerOperand
from fad.primitives.linalg import adjoint, all_on_stacks, check_matrices, product


def _pinv(x: Any, cutoff: Any) -> Any:
    if not x.size:
        return jnp.zeros((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype)
    u, s, vh = lax.linalg.svd(x, full_matrices=False)
    large = s > cutoff[..., None] * s[..., :1]
    inverted = jnp.where(large, 1 / jnp.where(large, s, 1), 0).astype(x.dtype)
    left = jnp.conj(jnp.swapaxes(vh, -1, -2)) * inverted[..., None, :]
    right = jnp.conj(jnp.swapaxes(u, -1, -2))
    return jnp.matmul(left, right, precision=lax.Precision.HIGHEST)


def _infer(x: Aval, cutoff: Aval) -> Aval:
    check_matrices("pinv", x, square=False)
    return make_aval((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype)


def _push(g: Any, x: Any, out: Any) -> Any:
    inside = product(out, product(g, out))
    change = adjoint(g)
    weighted = product(times_adjoint(out, out), change)
    left = sub(weighted, product(product(weighted, x), out))
    weighted = product(change, product(adjoint(out), out))
    right = sub(weighted, product(out, product(x, weighted)))
    return sub(add(left, right), inside)


def _pull(g: Any, x: Any, out: Any) -> Any:
    g, transposed = conj(g), adjoint(out)
    inside = product(transposed, product(g, transposed))
    change = adjoint(g)
    weighted = product(change, times_adjoint(out, out))
    left = sub(weighted, product(x, product(out, weighted)))
    weighted = product(product(transposed, out), change)
    right = sub(weighted, product(product(weighted, out), x))
    return conj(sub(add(left, right), inside))


def _samples() -> list[Sample]:
    small = np.array(1e-15)
    dependent = draw(3, 1) @ draw(1, 2) + 0.0
    return [
        Sample((draw(3, 2), small)),
        Sample((draw_complex(2, 3), small)),
        Sample((dependent, np.array(1e-8))),
        Sample((draw(2, 2, 2), np.full(2, 1e-15))),
        Sample((draw(0, 2), small)),
    ]


PINV = primitive(
    "pinv",
    _pinv,
    PerOperand([_push, None], [_pull, None]),
    infer=_infer,
    batch=all_on_stacks,
    compile_cost=25.0,
    samples=_samples,
    reference=np.linalg.pinv,
    conventions=[
        Convention(
            ([[2.0, 0.0], [0.0, 0.0]], 1e-15),
            ([[-0.25, 0.25], [0.25, 0.0]], 0.0),
            "the rank is kept",
            point="rank n - 1",
        ),
    ],
    formula="the pseudoinverse of x; singular values up to y times the largest count as zeros",
)


def pinv(x: Any, cutoff: Any) -> Any:
    """The pseudoinverse of each matrix. The derivative is that at constant rank.

    ``cutoff`` is a real number for each matrix: singular values up to that times the largest count
    as zeros. The rank it makes is constant, so it has no derivative.
    """
    check_matrices("pinv", x.aval, square=False)
    cutoff = convert(cutoff, dtypes.real_of(x.aval.dtype))
    return apply2(PINV(), x, broadcast_to(cutoff, x.aval.shape[:-2]))
