"""Riemann's zeta function of all real numbers, with its derivatives.

Above 1 it is Hurwitz's at q = 1, below -1/2 the functional equation (DLMF 25.4.1) leads there, and
between them its Laurent series about the pole (25.2.4) has few terms. All derivatives are one
primitive: below -1/2 each factor is a truncated Taylor series.
"""

from __future__ import annotations

import math
from typing import Any

from jax import lax
from jax import numpy as jnp

from fad.core.apply import apply1
from fad.core.primitive import Primitive
from fad.primitives.arithmetic import mul
from fad.primitives.declare import (
    INF,
    REAL_INEXACT,
    Convention,
    elementwise_family,
    function_of,
)
from fad.primitives.gamma import gamma_kernel, polygamma_kernel
from fad.primitives.precise import (
    Constant,
    cos_pi,
    difference,
    polynomial,
    product,
    sin_pi,
    widened,
)
from fad.primitives.series import stirling, truncated_exp, truncated_product
from fad.primitives.zeta import hurwitz

# (-1)**n / n! times Stieltjes' constants: zeta(s) - 1 / (s - 1) in powers of s - 1.
_LAURENT = (
    0.5772156649015329, 0.07281584548367673, -0.00484518159643616, -0.00034230573671722433,
    9.689041939447084e-05, -6.6110318108421895e-06, -3.316240908752772e-07, 1.0462094584479188e-07,
    -8.733218100273798e-09, 9.47827778276236e-11, 5.658421927608708e-11, -6.768689863513697e-12,
    3.4921159366720317e-13, 4.4104247417577536e-15, -2.3997862217709992e-15, 2.1677312200726828e-16,
    -9.544466076366965e-18, -7.387676660538637e-20, 4.8008507880824652e-20, -4.1399567377133056e-21,
    1.916820159399123e-22,
)  # fmt: skip
_BY_2_PI_E = Constant(0.05854983152431916, -4.121231590292303e-19)
_LOST_2_PI = {8: 3.8981718325193755e-17, 4: -2.782753437848454e-08}
"""What 2 pi lacks in each precision, relative to it."""


def _near_the_pole(s: Any, order: int) -> Any:
    d = s - 1.0
    coefficients = [math.perm(n, order) * c for n, c in enumerate(_LAURENT)][order:]
    pole = (-1.0) ** order * math.factorial(order) / lax.integer_pow(d, order + 1)
    return pole + polynomial(d, coefficients)


def _gamma_part(z: Any) -> tuple[Any, Any]:
    """Gamma(z) / (2 pi)**z as a product, since it may overflow where zeta does not; z > 1.4."""
    large = z >= 10.0
    near, far = jnp.where(large, 2.0, z), jnp.where(large, z, 10.0)
    rounding = near * _LOST_2_PI[z.dtype.itemsize]
    below = gamma_kernel(near) * lax.pow(jnp.full_like(z, 2.0 * math.pi), -near)
    # Stirling's series (DLMF 5.11.3), made good for the rounding of the power's base.
    base, lost = product(far, _BY_2_PI_E)
    half = lax.pow(base, 0.5 * far)
    rest = lax.sqrt(2.0 * math.pi / far) * lax.exp(stirling(far) + far * (lost / base))
    below = below - below * rounding
    return jnp.where(large, half * rest, below), jnp.where(large, half, 1.0)


def _reflected(s: Any, zeta: list[Any]) -> Any:
    """2 (2 pi)**(s-1) sin(pi s / 2) Gamma(1-s) zeta(1-s), where ``zeta`` is the last's series."""
    count = len(zeta)
    # Gamma magnifies the rounding of 1 - s by digamma, of which the logarithm is close enough.
    far, lost = difference(jnp.ones_like(s), s)
    lost = jnp.where(s < -9.0, lost, 0.0)
    limit = 400.0 if s.dtype == jnp.float64 else 80.0  # beyond it the result is infinite, or 0
    z = jnp.minimum(jnp.where(s < -9.0, far, 1.0 - s), limit)
    sine, cosine = sin_pi(0.5 * s), cos_pi(0.5 * s)
    turned = [(sine, cosine, -sine, -cosine)[n % 4] for n in range(count)]
    turned = [t * ((0.5 * math.pi) ** n / math.factorial(n)) for n, t in enumerate(turned)]
    value, factor = _gamma_part(z)
    value = value * (1.0 + lost * lax.log(z * (0.5 / math.pi)))
    slope = [
        -((-1.0) ** k) / math.factorial(k) * polygamma_kernel(z, order=k) for k in range(count - 1)
    ]
    if slope:
        slope[0] = slope[0] + math.log(2.0 * math.pi)
    mirrored = [(-1.0) ** n * c for n, c in enumerate(zeta)]
    series = truncated_product(truncated_exp(value, slope, count), turned)
    return 2.0 * truncated_product(series, mirrored)[-1] * factor


@widened
def _riemann(s: Any, *, order: int) -> Any:
    below, above = s < -0.5, (s > 1.0) & (s < jnp.inf)
    x = jnp.where(below, 1.0 - s, jnp.where(above, s, 2.0))
    series = hurwitz(jnp.minimum(x, 1e4), jnp.ones_like(x), 0, order + 1)
    value = jnp.where(below, _reflected(jnp.where(below, s, -1.0), series), series[-1])
    middle = _near_the_pole(jnp.where(below | above, 0.5, s), order)
    value = jnp.where(below | above, value * float(math.factorial(order)), middle)
    at_infinity = jnp.where(s == jnp.inf, 0.0 if order else 1.0, jnp.nan)
    return jnp.where(lax.abs(s) == jnp.inf, at_infinity, value)


RIEMANN: Primitive = elementwise_family(
    "riemann_zeta",
    _riemann,
    [lambda g, x, *, order: mul(g, apply1(RIEMANN(order=order + 1), x))],
    params=[{"order": n} for n in range(3)],
    promotion=REAL_INEXACT,
    domains=((-3.4, 5.0),),
    conventions=[
        Convention((1.0,), (-INF,), "the pole, from above", params={"order": 0}),
    ],
    formula="the derivative of ∑ k**-x over k = 1, 2, 3, ..., continued to x < 1, of this order",
)


riemann_zeta = function_of(RIEMANN(order=0))
"""The sum of k**-s over k = 1, 2, 3, ..., for s > 1, and its analytic continuation."""
