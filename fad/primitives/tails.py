"""Kernels of the Gaussian and its tails: exp(-x**2), erfc, and erfcx(x) = exp(x**2) erfc(x).

A square that is rounded before its exponential is taken costs x**2 units in the last place: squares
are split into an exact part and the rest. A tail is its square's exponential times erfcx, which
neither underflows nor magnifies the rounding of its argument.
"""

from __future__ import annotations

import math
from typing import Any

from jax import lax
from jax import numpy as jnp

from fad.primitives.precise import polynomial, upper_half, widened

ROOT_PI = math.sqrt(math.pi)

# (1 + 5/4 x) erfcx(x) for x >= 0, as a polynomial in (x - 4) / (x + 4): the form of Shepherd and
# Laframboise, Math. Comp. 36 (1981), 249-253. The coefficients are those of Chebyshev interpolation
# at 50 digits; the factor keeps them small.
_ERFCX = (
    0.8219967457503683, -0.1844137163104158, 0.09163216215848657, -0.019036022352321366,
    -0.022288224748097888, 0.03491759100948979, -0.029719332438122897, 0.018413217442956476,
    -0.008600984928212374, 0.0028453087323266, -0.0004817689355817964, -9.49170015119737e-05,
    8.567992789125323e-05, -1.5962353867219785e-05, -5.90913326414683e-06, 3.413439356464228e-06,
    7.601473415933326e-08, -4.771680889455849e-07, 5.785249126970424e-08, 6.073528750689278e-08,
    -1.3687896629110537e-08, -6.9797639976093185e-09, 2.0557236070440446e-09, 5.239001576653946e-10,
    -1.7117179750182345e-10,
)  # fmt: skip

# erf(x) / x in x**2, near 0: DLMF 7.6.1.
_ERF = tuple([(-1) ** k * 2.0 / ROOT_PI / (math.factorial(k) * (2 * k + 1)) for k in range(13)])


def squared_exponential(x: Any, factor: float = -1.0) -> Any:
    """exp(factor x**2)."""
    h = upper_half(x)
    rest = jnp.where(lax.abs(x) < 100.0, factor * (x - h) * (x + h), 0.0)
    whole = lax.exp(factor * h * h)
    # A product of two exp would be merged into one. With the difference multiplied out, a small
    # part of a small whole would underflow, and of an infinite one be NaN.
    return whole * (1.0 + lax.expm1(rest))


def erfcx_above(x: Any) -> Any:
    """exp(x**2) erfc(x) for x >= 0."""
    t = jnp.where(x < jnp.inf, (x - 4.0) / (x + 4.0), 1.0)
    return polynomial(t, _ERFCX) / (1.0 + 1.25 * x)


def erf_near(x: Any) -> Any:
    """erf(x) for abs(x) <= 1/2."""
    return x * polynomial(x * x, _ERF)


@widened
def gaussian(x: Any) -> Any:
    """exp(-x**2)."""
    return squared_exponential(x)


@widened
def erfc(x: Any) -> Any:
    """1 - erf(x), without cancellation where that is small."""
    a = lax.abs(x)
    tail = squared_exponential(x) * erfcx_above(a)
    central = 1.0 - erf_near(jnp.where(a < 0.5, x, 0.0))
    return jnp.where(a < 0.5, central, jnp.where(x < 0, 2.0 - tail, tail))
