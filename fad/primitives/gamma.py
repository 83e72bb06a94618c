"""The gamma function: itself, its logarithm and the derivatives of that (digamma, polygamma).

From 10 on Stirling's series (DLMF 5.11.1, 5.11.2), below that the recurrence to [2, 3), where a
rational function stands for what remains after the zeros are divided out: so values next to a zero
keep their digits. Negative arguments by reflection (DLMF 5.5.3, 5.15.6).
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
    NAN,
    REAL_INEXACT,
    Convention,
    elementwise,
    elementwise_family,
    function_of,
)
from fad.primitives.precise import cos_pi, sin_pi, widened
from fad.primitives.series import bernoulli, polynomial, stirling

_LARGE = 10.0
_POSITIVE = ((0.1, 12.0),)

# In powers of z = x - 1, for x from 1 to 3: log Gamma(x) / ((x - 1) (x - 2)), and digamma(x) over
# the distance to its zero. In powers of x - 2, for x from 2 to 3: Gamma(x). All are least-squares
# fits at 60 digits, reweighted towards minimax; the first two have positive coefficients.
_LOG_ABOVE = (
    0.5772156649015329, 1.592806967424278, 1.6591177179702716, 0.81311973052203,
    0.19041764373644346, 0.019153273144038294, 0.0006057680658480719, 1.324347973062751e-06,
)  # fmt: skip
_LOG_BELOW = (
    1.0, 3.1843528298221253, 3.9580532553094376, 2.432412686713692,
    0.7729888832797982, 0.12127588823116953, 0.008096613902827681, 0.00015636463993335347,
)  # fmt: skip
_PSI_ABOVE = (
    1.2503801375034054, 1.8386855348675992, 0.9330564783421988, 0.20033384985392583,
    0.017509775029250378, 0.00047040089555658245, 7.733148453580105e-07,
)  # fmt: skip
_PSI_BELOW = (
    1.0, 2.1540480488175096, 1.6168193265055564, 0.5405608032599228,
    0.08294259945554255, 0.005248671395084353, 9.561932048687061e-05,
)  # fmt: skip
_GAMMA_ABOVE = (
    1.0, 0.5830945532188881, 0.25627146785991795, 0.06868212699682226,
    0.01566136117913142, 0.0023507153603776155, 0.00030551490796909715, 1.8667068384485895e-05,
)  # fmt: skip
_GAMMA_BELOW = (
    1.0, 0.16031021812041735, -0.22334551154380358, 0.015509978136926044,
    0.013760050279234272, -0.0032705079184124335, 0.00022797622138386395,
)  # fmt: skip

_PSI_ZERO = {
    8: (1.4616321449683622, 9.549995429965697e-17),
    4: (1.4616321325302124, 1.2438149938918909e-08),
}
"""Where digamma is 0: the nearest number of each precision, and what that lacks."""
_PSI_SLOPE = 0.9676722454476212


def _reduced(x: Any) -> Any:
    """z with 1 + z = x + 1 for x < 1, x for x < 3, and else x less an integer, in [2, 3)."""
    return jnp.where(x < 1.0, x, jnp.where(x < 3.0, x - 1.0, x - lax.floor(x) + 1.0))


def _steps(x: Any, upto: int) -> list[tuple[Any, Any]]:
    """x - 1, x - 2, ... and which of them the recurrence down to [2, 3) takes."""
    return [(x - float(k), x - float(k) >= 2.0) for k in range(1, upto - 2)]


def _magnitude_below(x: Any) -> tuple[Any, Any]:
    """``(argument, rest)`` with log Gamma(x) = log(argument) + rest, for 0 < x < 10."""
    z = _reduced(x)
    rest = z * polynomial(z, _LOG_ABOVE) / polynomial(z, _LOG_BELOW)
    rest = rest * jnp.where(x < 1.0, x - 1.0, z - 1.0)
    product = jnp.ones_like(x)
    for factor, taken in _steps(x, 10):
        product = product * jnp.where(taken, factor, 1.0)
    return product, rest


def log_gamma_1p(z: Any) -> Any:
    """log Gamma(1 + z) for z from 0 to 2."""
    return z * (z - 1.0) * polynomial(z, _LOG_ABOVE) / polynomial(z, _LOG_BELOW)


@widened
def gammaln_kernel(x: Any) -> Any:
    """log|Gamma(x)|."""
    a = lax.abs(x)
    large = a >= _LARGE
    product, rest = _magnitude_below(jnp.where(large, 1.0, a))
    negative = x < 0
    small = a < 1.0
    # Of x < 1, the recurrence takes log(x) off; in the reflection that meets the same logarithm.
    argument = jnp.where(large, a, jnp.where(small, jnp.where(negative, 1.0, a), product))
    log = lax.log(argument)
    safe = jnp.where(large, a, _LARGE)
    far = (safe - 0.5) * (log - 1.0) + ((0.5 * math.log(2.0 * math.pi) - 0.5) + stirling(safe))
    value = jnp.where(large, far, jnp.where(small, -log, log) + rest)
    value = jnp.where(a < jnp.inf, value, a)
    reflected = lax.abs(sin_pi(a)) * (1.0 / math.pi) * jnp.where(small, 1.0, a)
    reflected = jnp.where(a < jnp.inf, -lax.log(reflected) - value, -jnp.inf)
    return jnp.where(negative, reflected, value)


@widened
def gamma_kernel(x: Any) -> Any:
    """Gamma(x)."""
    a = lax.abs(x)
    large = a >= 8.0
    near = jnp.where(large, 2.0, a)
    z = _reduced(near) - 1.0
    one_below, two_below = near < 2.0, near < 1.0
    z = jnp.where(two_below, near, jnp.where(one_below, near - 1.0, z))
    value = polynomial(z, _GAMMA_ABOVE) / polynomial(z, _GAMMA_BELOW)
    value = value / jnp.where(two_below, near * (near + 1.0), jnp.where(one_below, near, 1.0))
    for factor, taken in _steps(near, 8):
        value = value * jnp.where(taken, factor, 1.0)
    safe = jnp.where(large, a, 8.0)
    half = lax.pow(safe, 0.5 * safe - 0.25)  # the whole power overflows before Gamma does
    far = half * (math.sqrt(2.0 * math.pi) * lax.exp(-safe) * lax.exp(stirling(safe))) * half
    far = jnp.where(safe > (200.0 if x.dtype == jnp.float64 else 40.0), jnp.inf, far)
    value = jnp.where(large, far, value)
    reflected = jnp.where(a == 0, -jnp.inf, -math.pi / sin_pi(a) / (a * value))
    pole = (x == lax.floor(x)) & (x < 0)
    return jnp.where(pole, jnp.nan, jnp.where(jnp.signbit(x), reflected, value))


@widened
def digamma_kernel(x: Any) -> Any:
    """digamma(x)."""
    a = lax.abs(x)
    large = a >= _LARGE
    near = jnp.where(large, 1.0, a)
    z = _reduced(near)
    zero, rest = _PSI_ZERO[x.dtype.itemsize]
    slope = polynomial(z, _PSI_ABOVE) / polynomial(z, _PSI_BELOW)
    value = (z - (zero - 1.0)) * slope - rest * _PSI_SLOPE
    above, below = jnp.zeros_like(x), jnp.ones_like(x)
    for term, taken in _steps(near, 10):
        above = jnp.where(taken, above * term + below, above)
        below = jnp.where(taken, below * term, below)
    value = value + above / below
    small = a < 1.0
    positive = jnp.where(small, value - 1.0 / near, value)
    safe = jnp.where(large, a, _LARGE)
    inverse = 1.0 / safe
    coefficients = [bernoulli(2 * k) / (2 * k) for k in range(1, 9)]
    square = inverse * inverse
    far = lax.log(safe) - (0.5 * inverse + square * polynomial(square, coefficients))
    far = jnp.where(safe < jnp.inf, far, safe)
    positive = jnp.where(large, far, positive)
    # digamma(-a) = digamma(a) + 1 / a + pi cot(pi a): for a < 1 the pole at 0 cancels.
    cotangent = math.pi * cos_pi(a) / sin_pi(a)
    reflected = jnp.where(small, value, positive + 1.0 / a) + cotangent
    pole = (x == lax.floor(x)) & (x < 0)
    value = jnp.where(x < 0, jnp.where(pole, jnp.nan, reflected), positive)
    return jnp.where(x == 0, jnp.where(jnp.signbit(x), jnp.inf, -jnp.inf), value)


def _cotangent_derivative(order: int) -> list[int]:
    """Coefficients q of the derivative of cot(u) of this order as a polynomial in cot(u)."""
    q = [0, 1]
    for _ in range(order):
        slope = [k * c for k, c in enumerate(q)][1:]
        q = [
            -(slope[k] if k < len(slope) else 0) - (slope[k - 2] if 0 <= k - 2 < len(slope) else 0)
            for k in range(len(slope) + 2)
        ]
    return q


def _scaled_zeta(x: Any, n: int) -> Any:
    """n! zeta(n + 1, x) for x > 0 by the Euler-Maclaurin formula (DLMF 2.10.1)."""
    shift = 10 + n
    factorial = float(math.factorial(n))
    far = x >= float(shift)
    terms = jnp.zeros_like(x)
    for k in range(shift - 1, -1, -1):
        terms = terms + factorial / lax.integer_pow(x + float(k), n + 1)
    a = jnp.where(far, x, x + float(shift))
    inverse = 1.0 / a
    rising = [
        bernoulli(2 * k) / math.factorial(2 * k) * float(math.perm(n + 2 * k - 1, 2 * k - 1))
        for k in range(1, 10)
    ]
    tail = 1.0 / n + inverse * (0.5 + inverse * polynomial(inverse * inverse, rising))
    half = n // 2  # the whole power may overflow before the result underflows
    tail = factorial / lax.integer_pow(a, n - half) * tail / lax.integer_pow(a, half)
    return jnp.where(far, tail, terms + tail)


@widened
def polygamma_kernel(x: Any, *, order: int) -> Any:
    """The derivative of digamma of this order; of order -1 log|Gamma(x)|."""
    if order == -1:
        return gammaln_kernel(x)
    if order == 0:
        return digamma_kernel(x)
    sign = 1.0 if order % 2 else -1.0
    negative = x < 0
    value = sign * _scaled_zeta(jnp.where(negative, 1.0 - x, x), order)
    q = [float(c) * math.pi ** (order + 1) for c in _cotangent_derivative(order)]
    cotangent = cos_pi(x) / sin_pi(x)
    reflected = -polynomial(cotangent, q) - sign * value
    pole = (x <= 0) & (x == lax.floor(x))
    return jnp.where(pole, sign * jnp.inf, jnp.where(negative, reflected, value))


POLYGAMMA: Primitive = elementwise_family(
    "polygamma",
    polygamma_kernel,
    [lambda g, x, *, order: mul(g, apply1(POLYGAMMA(order=order + 1), x))],
    params=[{"order": n} for n in range(-1, 4)],
    promotion=REAL_INEXACT,
    domains=_POSITIVE,
    conventions=[
        Convention(
            (0.0,),
            (-INF,),
            "the pole, of 0 and not of -0",
            point="gammaln at 0",
            params={"order": -1},
        ),
        Convention(
            (0.0,), (INF,), "the limit from both sides", point="digamma at 0", params={"order": 0}
        ),
    ],
)
"""The derivatives of log|Gamma(x)|: of order -1 itself, 0 digamma, 1 trigamma."""


gammaln = function_of(POLYGAMMA(order=-1))
digamma = function_of(POLYGAMMA(order=0))


def polygamma(order: int, x: Any) -> Any:
    """The derivative of :func:`digamma` of this order."""
    return apply1(POLYGAMMA(order=order), x)


gamma = elementwise(
    "gamma",
    gamma_kernel,
    [lambda g, x, out: mul(mul(g, out), digamma(x))],
    promotion=REAL_INEXACT,
    domains=_POSITIVE,
    conventions=[
        Convention((0.0,), (-INF,), "the pole, of 0 and not of -0"),
        Convention((-1.0,), (NAN,), "the value is NaN: the sides differ"),
    ],
)
