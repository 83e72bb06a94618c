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
from fad.primitives.precise import widened
from fad.primitives.series import bernoulli, log1p_minus, stirling

_LARGE = 10.0


def _small_beta(a: Any, b: Any) -> Any:
    """Of arguments of which none is large, or one is negative."""
    return gamma_kernel(a) * (gamma_kernel(b) / gamma_kernel(a + b))


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
    return _at_the_ends(a, b, jnp.where(large, jnp.where(both, two, one), near), -jnp.inf)


@widened
def _beta(a: Any, b: Any) -> Any:
    large = (lax.min(a, b) > 0) & (lax.max(a, b) >= _LARGE)
    near = _small_beta(jnp.where(large, 1.0, a), jnp.where(large, 1.0, b))
    return _at_the_ends(a, b, jnp.where(large, lax.exp(_betaln(a, b)), near), 0.0)


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
