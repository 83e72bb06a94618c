"""The plane: ``hypot`` and ``arctan2``, and the functions that are their derivatives.

Scaled by the larger coordinate, so that nothing overflows or underflows on the way. The derivatives
are rational in ``direction`` and ``inversion``, at every order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.primitives.arithmetic import add, div, mul, neg, reciprocal, sub
from fad.primitives.declare import NAN, REAL_INEXACT, Convention, elementwise
from fad.primitives.precise import widened


def _unit(x: Any, y: Any) -> tuple[Any, Any, Any]:
    """Both coordinates over the larger magnitude, and that; beside infinity, others are 0."""
    size = lax.max(lax.abs(x), lax.abs(y))
    infinite = size == jnp.inf

    def over(v: Any) -> Any:
        at_infinity = jnp.where(lax.abs(v) == jnp.inf, lax.sign(v), v * 0.0)
        return jnp.where(infinite, at_infinity, v / size)

    return over(x), over(y), size


@widened
def _hypot(x: Any, y: Any) -> Any:
    a, b = lax.abs(x), lax.abs(y)
    large, small = lax.max(a, b), lax.min(a, b)
    ratio = jnp.where(large == 0, 0.0, small / large)
    value = large * lax.sqrt(1.0 + ratio * ratio)
    return jnp.where((a == jnp.inf) | (b == jnp.inf), jnp.inf, value)


@widened
def _direction(x: Any, y: Any) -> Any:
    u, v, size = _unit(x, y)
    return jnp.where(size == 0, 0.0, u / lax.sqrt(u * u + v * v))


@widened
def _inversion(x: Any, y: Any) -> Any:
    u, v, size = _unit(x, y)
    return u / (u * u + v * v) / size


hypot = elementwise(
    "hypot",
    _hypot,
    [lambda g, x, y: mul(g, direction(x, y)), lambda g, x, y: mul(g, direction(y, x))],
    promotion=REAL_INEXACT,
    reference=np.hypot,
    conventions=[
        Convention((0.0, 0.0), (0.0, 0.0), "as abs and norm at 0"),
    ],
    formula="√(x**2 + y**2)",
)
direction: Any = elementwise(
    "direction",  # x / hypot(x, y), the cosine of the angle; 0 at the origin
    _direction,
    [
        lambda g, x, y: _direction_partial(g, direction(y, x), direction(y, x), hypot(x, y)),
        lambda g, x, y: neg(_direction_partial(g, direction(x, y), direction(y, x), hypot(x, y))),
    ],
    promotion=REAL_INEXACT,
    reference=lambda x, y: x / np.hypot(x, y),
    formula="x / hypot(x, y), and 0 at 0",
)
inversion: Any = elementwise(
    "inversion",  # x / (x**2 + y**2)
    _inversion,
    [
        lambda g, x, y: _inversion_partial(g, x, y, hypot(x, y)),
        lambda g, x, y: _twice(mul(g, -2.0), inversion(x, y), inversion(y, x)),
    ],
    promotion=REAL_INEXACT,
    reference=lambda x, y: x / (x * x + y * y),
    formula="x / (x**2 + y**2), and 0 at 0",
)
arctan2 = elementwise(
    "arctan2",
    lax.atan2,
    [lambda g, x, y: mul(g, inversion(y, x)), lambda g, x, y: neg(mul(g, inversion(x, y)))],
    promotion=REAL_INEXACT,
    reference=np.arctan2,
    conventions=[
        Convention((0.0, 0.0), (NAN, NAN), "every direction has another limit"),
        Convention((0.0, -1.0), (-1.0, 0.0), "smooth but for the jump across the cut"),
    ],
)


def _twice(g: Any, a: Any, b: Any) -> Any:
    """g a b, without the product of a and b, which may overflow."""
    return mul(mul(g, a), b)


def _direction_partial(g: Any, a: Any, b: Any, r: Any) -> Any:
    """g a b / r; the product of a and b may underflow where r is small."""
    return mul(mul(g, a), div(b, r))


def _inversion_partial(g: Any, x: Any, y: Any, r: Any) -> Any:
    """g (y**2 - x**2) / r**4, by factors that neither cancel nor overflow."""
    # Not divided by r twice in a row: the compiler would divide by its square.
    return mul(div(_twice(g, div(sub(y, x), r), div(add(y, x), r)), r), reciprocal(r))
