"""``sinc`` and all its derivatives, which are one primitive.

With u = pi x and f = sin(u) / u, differentiating u f = sin(u) n times gives
u f_n + n f_{n-1} = sin(u + n pi / 2). The recurrence is stable for |u| > n; closer to 0 the Taylor
series serves. So sinc' keeps its digits near 0, where (cos - sinc) / u has none.
"""

from __future__ import annotations

import math
from typing import Any

from jax import lax
from jax import numpy as jnp

from fad.core.apply import apply1
from fad.core.primitive import Primitive
from fad.primitives.arithmetic import mul
from fad.primitives.declare import INEXACT, elementwise_family
from fad.primitives.precise import cos_pi, sin_pi, widened


def _series(u: Any, n: int) -> Any:
    """The Taylor series of f_n, for |u| up to n + 1."""
    first = (n + 1) // 2  # the first k of (-1)**k u**(2k) / (2k+1)! whose n-th derivative is not 0
    count = 10 + n
    total = jnp.zeros_like(u)
    for k in range(first + count, first - 1, -1):
        coefficient = (-1) ** k / ((2 * k + 1) * math.factorial(2 * k - n))
        total = total * (u * u) + coefficient
    return total * u if n % 2 else total


def _recurrence(x: Any, u: Any, order: int) -> Any:
    """f_n by the recurrence, from sin(u) and cos(u)."""
    sine, cosine = sin_pi(x), cos_pi(x)
    value = sine / u
    for n in range(1, order + 1):
        shifted = (sine, cosine, -sine, -cosine)[n % 4]
        value = (shifted - n * value) / u
    return value


@widened
def _sinc(x: Any, *, order: int) -> Any:
    u = math.pi * x
    near = lax.abs(x) < (order + 1) / math.pi
    safe = jnp.where(near, jnp.ones_like(x), x)
    series = _series(jnp.where(near, u, 0.0), order)
    value = jnp.where(near, series, _recurrence(safe, math.pi * safe, order))
    return value * math.pi**order


SINC: Primitive = elementwise_family(
    "sinc",
    _sinc,
    [lambda g, x, *, order: mul(g, apply1(SINC(order=order + 1), x))],
    params=[{"order": n} for n in range(3)],
    promotion=INEXACT,
    formula="the derivative of sin(πx) / (πx) of this order",
)


def sinc(x: Any) -> Any:
    """sin(pi x) / (pi x), and 1 at 0."""
    return apply1(SINC(order=0), x)
