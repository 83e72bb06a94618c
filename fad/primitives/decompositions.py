"""Eigenvalues of Hermitian matrices, and singular values.

Derivatives of the values take no more than the vectors: they are exact for repeated values too,
where the values enter symmetrically (a sum, a norm, the largest of all). Derivatives of the vectors
divide by the differences of the values (M. Giles, "Collected matrix derivative results for forward
and reverse mode algorithmic differentiation", 2008; J. Townsend, "Differentiating the singular
value decomposition", 2016; for complex matrices Z.-Q. Wan and S.-X. Zhang, "Automatic
differentiation for complex valued SVD", arXiv:1909.02659).

*Phases.* Vectors are defined up to a sign, or a phase if complex. Their derivatives belong to
vectors whose phase does not turn on the way (``v^H dv`` has no imaginary part), and are
right for every function that does not depend on phases.

*Ties.* Vectors of values that are equal up to rounding (8 eps times the largest) are defined up
to a rotation among themselves, and have no derivative; so do singular vectors of zeros. What
would be infinite in theirs, that rotation, is left out. Then the first derivative is right, in both
modes, for functions of the space that tied vectors span, such as the projector on it, and for
symmetric functions of the values. It is finite, and not right, for a function like
``v f(values) v^H``: there f's slope between tied values enters, a quotient 0 / 0 that no rule for
values and vectors can know. In second derivatives the same part is missing, and not only for such
functions. (The sum of singular values does not need it: its derivatives are right at any order.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core import dtypes
from fad.core.apply import apply
from fad.core.aval import Aval, make_aval
from fad.primitives.arithmetic import absolute, add, mul, sub
from fad.primitives.comparison import gt, keep_where
from fad.primitives.complexes import conj, real
from fad.primitives.declare import Sample, primitive
from fad.primitives.derivative import PerOperand
from fad.primitives.diagonal import diagonal, diagonal_matrix
from fad.primitives.linalg import check_matrices, hermitian_part, product, same_on_stacks
from fad.primitives.norms import ratio
from fad.primitives.reductions import reduce_max
from fad.primitives.shape import expand_dims, pad

_ROUNDING = 8.0
"""Errors of computed values in units of eps times the largest are a few of these."""


def draw(*shape: int) -> np.ndarray:
    """Numbers for samples, always the same."""
    return np.random.default_rng(11).normal(size=shape)


def draw_complex(*shape: int) -> np.ndarray:
    """Complex numbers for samples, always the same."""
    parts = draw(2, *shape)
    return parts[0] + 1j * parts[1]


def row(values: Any) -> Any:
    """``values`` as a row, one for each column of a matrix."""
    return expand_dims(values, (values.aval.ndim - 1,))


def column(values: Any) -> Any:
    """``values`` as a column, one for each row of a matrix."""
    return expand_dims(values, (values.aval.ndim,))


def significant(x: Any, values: Any) -> Any:
    """``x``, with 0 for what may be nothing but a rounding error of ``values``."""
    if not values.aval.size:
        return x
    last = values.aval.ndim - 1
    eps = float(np.finfo(values.aval.dtype).eps)
    bound = mul(reduce_max(absolute(values), (last,), True), _ROUNDING * eps)
    if x.aval.ndim > values.aval.ndim:
        bound = row(bound)
    return keep_where(gt(absolute(x), bound), x)


def gaps(values: Any) -> Any:
    """``values[j] - values[i]`` at [i, j], 0 for ties."""
    return significant(sub(row(values), column(values)), values)


def inner(x: Any, y: Any) -> Any:
    """``adjoint(x) @ y``."""
    return product(conj(x), y, -2, -2)


def times_adjoint(x: Any, y: Any) -> Any:
    """``x @ adjoint(y)``."""
    return product(x, conj(y), -1, -1)


def sized(x: Any, rows: int, columns: int) -> Any:
    """Matrices with zeros added, or cut off, below and to the right."""
    none = (0,) * (x.aval.ndim - 2)
    m, n = x.aval.shape[-2:]
    return pad(x, (*none, 0, 0), (*none, rows - m, columns - n))


# ------------------------------------------------------------- eigenvalues of Hermitian matrices


def _eigh(x: Any, *, lower: bool) -> Any:
    vectors, values = lax.linalg.eigh(x, lower=lower, symmetrize_input=False)
    return values, vectors


def _infer_eigh(x: Aval, *, lower: bool) -> tuple[Aval, Aval]:
    check_matrices("eigh", x)
    return make_aval(x.shape[:-1], dtypes.real_of(x.dtype)), make_aval(x.shape, x.dtype)


def _push_eigh(g: Any, out: Any) -> Any:
    values, vectors = out
    turned = inner(vectors, product(hermitian_part(g), vectors))
    return real(diagonal(turned)), product(vectors, ratio(turned, gaps(values)))


def _pull_eigh(g: Any, out: Any) -> Any:
    values, vectors = out
    by_values, by_vectors = g
    if by_vectors is None:
        return conj(times_adjoint(mul(vectors, row(by_values)), vectors))
    turned = ratio(inner(vectors, conj(by_vectors)), gaps(values))
    if by_values is not None:
        turned = add(turned, diagonal_matrix(by_values))
    return conj(hermitian_part(times_adjoint(product(vectors, turned), vectors)))


def _hermitian(x: np.ndarray) -> np.ndarray:
    return x + np.conj(np.swapaxes(x, -1, -2))


def _eigh_oracle(x: Any, *, lower: bool) -> Any:
    """Of the Hermitian part, with vectors whose phase does not turn near the complex sample."""
    vectors, values = lax.linalg.eigh((x + jnp.conj(jnp.swapaxes(x, -1, -2))) / 2)
    if jnp.iscomplexobj(x):
        start = np.linalg.eigh(_hermitian(draw_complex(3, 3)))[1]
        vectors = vectors * jnp.conj(phases(start, vectors, -2))
    return values, vectors


def phases(start: Any, vectors: Any, axis: int) -> Any:
    """How vectors have turned since ``start``, as constants."""
    turn = lax.stop_gradient(jnp.sum(np.conj(start) * vectors, axis=axis, keepdims=True))
    return turn / abs(turn)


EIGH = primitive(
    "eigh",
    _eigh,
    PerOperand([_push_eigh], [_pull_eigh]),
    infer=_infer_eigh,
    batch=same_on_stacks,
    multiple=True,
    compile_cost=10.0,
    samples=lambda: [
        Sample((_hermitian(draw(3, 3)),), {"lower": True}),
        Sample((_hermitian(draw_complex(3, 3)),), {"lower": True}),
        Sample((_hermitian(draw(2, 2, 2)),), {"lower": False}),
        Sample((draw(0, 0),), {"lower": True}),
    ],
    reference=lambda x, *, lower: tuple(np.linalg.eigh(x, "L" if lower else "U")),
    oracle=_eigh_oracle,
    formula="eigenvalues, ascending, and eigenvectors of a Hermitian matrix",
)


def eigh(x: Any, lower: bool = True) -> tuple[Any, Any]:
    """Eigenvalues in ascending order, and eigenvectors as columns, of Hermitian matrices.

    One triangle is read. For the derivative the matrix counts as Hermitian: the tangent's Hermitian
    part is what enters, and so the gradient is Hermitian.
    """
    return apply(EIGH(lower=lower), x)
