"""The beta function, its logarithm, and the derivative of that.

Three values of log Gamma cancel when one argument is large. What is left of Stirling's series for
their combination is written without the cancellation: Didonato and Morris, ACM TOMS 18 (1992),
360-373 (BCORR and ALGDIV).
"""

from __future__ import annotations

import math
from typing import Any

from jax import lax
from jax import numpy as jnp

from fad.primitives.arithmetic import add, mul, neg, sub
from fad.primitives.declare import INF, NAN, REAL_INEXACT, Convention, elementwise
from fad.primitives.gamma import digamma_kernel, gamma_kernel, gammaln_kernel, polygamma
from fad.primitives.logarithms import log1p
from fad.primitives.precise import difference, upper_half, widened
from fad.primitives.series import bernoulli, log1p_minus, stirling

_LARGE = 10.0


def _small_beta(a: Any, b: Any) -> Any:
    """Of arguments of which none is large, or one is negative."""
    total, lost = difference(a, -b)
    # Gamma magnifies the rounding of the sum by digamma, of which the logarithm is close enough.
    made_good = 1.0 - lost * lax.log(jnp.maximum(total, 1.0))
    return gamma_kernel(a) * (gamma_kernel(b) / gamma_kernel(total)) * made_good


# (-1)**k (zeta(k) - 1) / k for k = 2, 3, ..., the coefficients of log Gamma(1 + z) + log(1 + z).
_NEAR_1 = (
    0.3224670334241132, -0.0673523010531981, 0.020580808427784546, -0.007385551028673986,
    0.0028905103307415234, -0.001192753911703261, 0.0005096695247430425, -0.00022315475845357939,
    9.945751278180853e-05, -4.492623673813314e-05, 2.050721277567069e-05, -9.439488275268397e-06,
    4.374866789907488e-06, -2.039215753801366e-06, 9.55141213040742e-07, -4.492469198764566e-07,
)  # fmt: skip


def _near_one(a: Any, b: Any) -> Any:
    """log B for a and b within 1/8 of 1, next to the zero at (1, 1): -log(a b) and a series.

    With a = 1 + x, b = 1 + y, s = x + y, that (DLMF 5.7.3) has the terms x**k + y**k - s**k, which
    are x y e_k with e_k = s e_(k-1) - (x**(k-2) + y**(k-2)): what is linear cancels by itself.
    """
    x, y = a - 1.0, b - 1.0
    s, p = x + y, x * y
    before, here = jnp.full_like(x, 2.0), s  # x**k + y**k
    e, total = jnp.zeros_like(x), jnp.zeros_like(x)
    for c in _NEAR_1:
        e = s * e - before
        total = total + c * e
        before, here = here, s * here - p * before
    return p * total - log1p(s + p)


def _at_the_ends(a: Any, b: Any, inside: Any, at_infinity: float) -> Any:
    """The value, and its limits where an argument is 0 or infinite."""
    p, q = lax.min(a, b), lax.max(a, b)
    value = jnp.where((q == jnp.inf) & (p > 0), at_infinity, inside)
    return jnp.where((p == 0) & (q < jnp.inf), jnp.inf, value)


@widened
def _betaln(a: Any, b: Any) -> Any:
    p, q = lax.min(a, b), lax.max(a, b)
    positive = p > 0
    large, both = positive & (q >= _LARGE), p >= _LARGE
    small_p, small_q = jnp.where(large, 1.0, p), jnp.where(large, 1.0, q)
    near = lax.log(lax.abs(_small_beta(small_p, small_q)))
    p, q = jnp.where(large, p, 1.0), jnp.where(large, q, _LARGE)
    ratio = p / q
    # One large: log(Gamma(q) / Gamma(p + q)), and log Gamma(p).
    correction = stirling(q) - stirling(p + q)
    quotient = correction - q * log1p_minus(ratio) - (p - 0.5) * log1p(ratio) - p * lax.log(q)
    one = gammaln_kernel(jnp.where(both, 1.0, p)) + quotient
    large_p = jnp.where(both, p, _LARGE)
    two = (large_p - 0.5) * lax.log(ratio / (1.0 + ratio)) - q * log1p(ratio)
    two = two + (0.5 * math.log(2.0 * math.pi) - 0.5 * lax.log(q) + correction + stirling(large_p))
    at_1 = (lax.abs(a - 1.0) < 0.125) & (lax.abs(b - 1.0) < 0.125)
    near = jnp.where(at_1, _near_one(jnp.where(at_1, a, 1.0), jnp.where(at_1, b, 1.0)), near)
    return _at_the_ends(a, b, jnp.where(large, jnp.where(both, two, one), near), -jnp.inf)


def _share(p: Any, total: Any, lost: Any) -> tuple[Any, Any]:
    """w = p / (total + lost), rounded, and p times what w lacks, relative to it."""
    w = p / total
    h, k = upper_half(w), upper_half(total)
    rest = ((p - h * k) - h * (total - k)) - (w - h) * total
    return w, rest - w * lost


def _large_beta(p: Any, q: Any) -> Any:
    """Of 0 < p <= q, q from 10 on: by Stirling's series, as powers of accurate bases.

    With s = p + q, for p from 10 on sqrt(2 pi s / (p q)) (p / s)**p (q / s)**q and little more;
    else Gamma(p) s**-p sqrt(s / q) exp(-q (log(1 + p / q) - p / q)).
    """
    both = p >= _LARGE
    s, lost = difference(q, -p)
    w, of_w = _share(p, s, lost)
    v, of_v = _share(q, s, lost)
    power = lax.pow(jnp.where(both, w, s), jnp.where(both, p, -0.5 * p))
    large_p, small_p = jnp.where(both, p, _LARGE), jnp.where(both, 1.0, p)
    exponent = jnp.where(both, stirling(large_p) + (of_w + of_v), -q * log1p_minus(small_p / q)) + (
        stirling(q) - stirling(s)
    )
    root = lax.sqrt(s / q * jnp.where(both, 2.0 * math.pi / large_p, 1.0))
    one = gamma_kernel(small_p) * (1.0 - small_p * (lost / s)) * power
    return power * root * lax.exp(exponent) * jnp.where(both, lax.pow(v, q), one)


@widened
def _beta(a: Any, b: Any) -> Any:
    p, q = lax.min(a, b), lax.max(a, b)
    large = (p > 0) & (q >= _LARGE)
    near = _small_beta(jnp.where(large, 1.0, a), jnp.where(large, 1.0, b))
    far = _large_beta(jnp.where(large, p, 1.0), jnp.where(large, q, _LARGE))
    return _at_the_ends(a, b, jnp.where(large, far, near), 0.0)


@widened
def _digamma_step(a: Any, b: Any) -> Any:
    """digamma(a + b) - digamma(a), every term of its series as a product with b."""
    plain = (a <= 0) | (b < -0.5 * a)
    x, step = jnp.where(plain, 1.0, a), jnp.where(plain, 1.0, b)
    shift = jnp.where(x < _LARGE, _LARGE, 0.0)
    total = jnp.zeros_like(x)
    for k in range(int(_LARGE) - 1, -1, -1):
        # Not divided twice in a row: the compiler would divide by the product, which underflows.
        total = total + step / (x + float(k)) * (1.0 / (x + step + float(k)))
    total = jnp.where(x < _LARGE, total, 0.0)
    low = x + shift
    high = low + step
    gap = step / low / high  # 1 / low - 1 / high
    u, v = 1.0 / (low * low), 1.0 / (high * high)
    square_gap = gap * (1.0 / low + 1.0 / high)
    difference, power = square_gap, v
    rest = 0.5 * gap
    for k in range(1, 9):
        rest = rest + (bernoulli(2 * k) / (2 * k)) * difference
        difference, power = u * difference + power * square_gap, power * v
    value = log1p(step / low) + (rest + total)
    return jnp.where(plain, digamma_kernel(a + b) - digamma_kernel(a), value)


_POSITIVE = ((0.2, 15.0), (0.2, 15.0))

digamma_step: Any = elementwise(
    "digamma_step",
    _digamma_step,
    [
        lambda g, x, y: mul(g, sub(polygamma(1, add(x, y)), polygamma(1, x))),
        lambda g, x, y: mul(g, polygamma(1, add(x, y))),
    ],
    promotion=REAL_INEXACT,
    domains=_POSITIVE,
    formula="digamma(x + y) - digamma(x)",
)
betaln = elementwise(
    "betaln",
    _betaln,
    [
        lambda g, x, y: neg(mul(g, digamma_step(x, y))),
        lambda g, x, y: neg(mul(g, digamma_step(y, x))),
    ],
    promotion=REAL_INEXACT,
    domains=_POSITIVE,
    conventions=[
        Convention((0.0, 1.0), (-INF, 0.0), "the one-sided limit"),
    ],
)
beta = elementwise(
    "beta",
    _beta,
    [
        lambda g, x, y, out: neg(mul(mul(g, out), digamma_step(x, y))),
        lambda g, x, y, out: neg(mul(mul(g, out), digamma_step(y, x))),
    ],
    promotion=REAL_INEXACT,
    domains=_POSITIVE,
    conventions=[
        Convention((0.0, 1.0), (-INF, NAN), "the limit in x; in y the infinite value counts"),
    ],
)
