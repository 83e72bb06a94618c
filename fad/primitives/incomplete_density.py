"""The gamma density, which carries the digits of the incomplete gamma functions, as a kernel."""

from __future__ import annotations

import math
from typing import Any

from jax import lax
from jax import numpy as jnp

from fad.primitives.gamma import gamma_kernel
from fad.primitives.precise import difference, upper_half, widened
from fad.primitives.series import log1p_minus, stirling

_ROOT_2_PI = math.sqrt(2.0 * math.pi)


def _near(a: Any, x: Any) -> Any:
    """As it stands, where the power does not overflow."""
    small = a < 0.5  # where a - 1 would be rounded, which the logarithm of x magnifies
    half = lax.exp(-0.5 * x)  # the whole exponential may underflow where the density does not
    power = lax.pow(x, jnp.where(small, a, a - 1.0)) / jnp.where(small, x, 1.0)
    return power * half / gamma_kernel(a) * half


def _far(a: Any, x: Any) -> Any:
    """By Stirling's series: (x / a)**a exp(a - x) sqrt(a / (2 pi)) / x and little more."""
    rest = lax.exp(-stirling(a)) * (lax.sqrt(a) / _ROOT_2_PI) / x
    ratio = x / a
    # The rounding of the ratio and of a - x, magnified by the power and the exponential.
    h, k = upper_half(ratio), upper_half(a)
    lost = ((x - h * k) - h * (a - k)) - (ratio - h) * a
    d, lost_of_d = difference(a, x)
    t = a * (lost / x) + lost_of_d
    half = lax.pow(ratio, 0.5 * a) * lax.exp(0.5 * d)
    by_power = half * (1.0 + t * (1.0 + 0.5 * t)) * rest * half
    # Farther out, where the power would underflow before the density does.
    d = (x - a) / a
    close = lax.abs(d) < 0.4
    log = lax.log(ratio)
    apart = jnp.where(close, log1p_minus(jnp.where(close, d, 0.0)), log - d)
    limit = {8: 1300.0, 4: 150.0}[x.dtype.itemsize]
    return jnp.where(a * lax.abs(log) < limit, by_power, lax.exp(a * apart) * rest)


@widened
def density(a: Any, x: Any) -> Any:
    """x**(a-1) exp(-x) / Gamma(a), which tends to 0 as a does."""
    limit = {8: 100.0, 4: 18.0}[x.dtype.itemsize]  # up to where powers do not overflow
    large = a > limit
    far = _far(jnp.where(large, a, limit), jnp.where(x > 0, x, 1.0))
    value = jnp.where(large, jnp.where(x > 0, far, 0.0), _near(jnp.where(large, 1.0, a), x))
    value = jnp.where((x == jnp.inf) & (a < jnp.inf), 0.0, value)
    return jnp.where((x >= 0) & (a >= 0), value, jnp.nan)
