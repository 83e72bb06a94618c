"""Derivatives of the regularised incomplete gamma function P(a, x) in a, of every order.

P and Q = 1 - P are x**a exp(-x) / Gamma(a + 1) times a series (DLMF 8.11.4) or a times a continued
fraction (8.9.2), as in :mod:`fad.primitives.incomplete`; here every term is a truncated Taylor
series in a. Nothing cancels in those: the derivatives of a term have one sign.
"""

from __future__ import annotations

import math
from typing import Any

from jax import lax
from jax import numpy as jnp

from fad.primitives.gamma import digamma_kernel, log_gamma_1p, polygamma_kernel
from fad.primitives.incomplete_density import density
from fad.primitives.logarithms import log1p
from fad.primitives.precise import polynomial, widened
from fad.primitives.series import bernoulli, truncated_exp, truncated_product

Series = list[Any]
"""Coefficients of powers of a small change of a."""


def _reciprocal(c: Series) -> Series:
    first = 1.0 / c[0]
    out = [first]
    for n in range(1, len(c)):
        out.append(-first * sum(c[k] * out[n - k] for k in range(1, n + 1)))
    return out


def _log_less_digamma(a: Any, x: Any) -> Any:
    """log(x) - digamma(a + 1), without the cancellation where both arguments are large."""
    large = a >= 10.0
    safe = jnp.where(large, a, 10.0)
    d = (x - safe) / safe
    close = lax.abs(d) < 0.5
    ratio = jnp.where(close, log1p(jnp.where(close, d, 0.0)), lax.log(x / safe))
    inverse = 1.0 / safe  # digamma(a + 1) - log(a): DLMF 5.11.2
    coefficients = [-bernoulli(2 * k) / (2 * k) for k in range(1, 9)]
    rest = inverse * (0.5 + inverse * polynomial(inverse * inverse, coefficients))
    return jnp.where(large, ratio - rest, lax.log(x) - digamma_kernel(jnp.where(large, 1.0, a) + 1))


def _power(a: Any, x: Any, count: int) -> Series:
    """x**a exp(-x) / Gamma(a + 1)."""
    small = a <= 1.0
    near = jnp.where(small, a, 1.0)
    # A product of two exp would be merged into one, of a rounded argument.
    value = lax.pow(x, near) * lax.exp(-x) * (1.0 + lax.expm1(-log_gamma_1p(near)))
    far = jnp.where(small, 1.0, a)
    value = jnp.where(small, value, x * density(far, x) / far)
    slope = [_log_less_digamma(a, x)]
    slope += [
        polygamma_kernel(a + 1.0, order=k) * (-1.0 / math.factorial(k)) for k in range(1, count - 1)
    ]
    return truncated_exp(value, slope, count)


def _series(a: Any, x: Any, count: int) -> Series:
    """The sum of x**k / ((a+1) ... (a+k)) over k = 0, 1, 2, ..."""
    eps = jnp.finfo(x.dtype).eps

    def step(state: Any) -> Any:
        n, terms, totals = state
        n = n + 1.0
        inverse = 1.0 / n
        new = [x * terms[0] * inverse]
        for t in terms[1:]:
            new.append((x * t - new[-1]) * inverse)
        return n, new, [t + u for t, u in zip(totals, new, strict=True)]

    def unfinished(state: Any) -> Any:
        pairs = zip(state[1], state[2], strict=True)
        return jnp.any(sum(lax.abs(t) > 0.25 * eps * lax.abs(u) for t, u in pairs) > 0)

    first = [jnp.ones_like(x), *[jnp.zeros_like(x)] * (count - 1)]
    return list(lax.while_loop(unfinished, step, (a, first, first))[2])


def _fraction(a: Any, x: Any, count: int) -> Series:
    """Q over a times the power above, by the modified method of Lentz."""
    eps = jnp.finfo(x.dtype).eps
    zeros = [jnp.zeros_like(x)] * count

    def step(state: Any) -> Any:
        k, b, c, d, value, _ = state
        k = k + 1.0
        b = [b[0] + 2.0, *b[1:]]
        factor = [-k * (k - a), k, *zeros][:count]
        d = _reciprocal([u + v for u, v in zip(truncated_product(factor, d), b, strict=True)])
        c = [u + v for u, v in zip(b, truncated_product(factor, _reciprocal(c)), strict=True)]
        change = truncated_product(c, d)
        noise = truncated_product([lax.abs(u) for u in c], [lax.abs(u) for u in d])
        change_left = [lax.abs(change[0] - 1.0), *[lax.abs(u) for u in change[1:]]]
        left = sum(u > 2.0 * eps * v for u, v in zip(change_left, noise, strict=True)) > 0
        return k, b, c, d, truncated_product(value, change), left

    b = [x + (1.0 - a), jnp.full_like(x, -1.0), *zeros][:count]
    first = _reciprocal(b)
    far = [jnp.full_like(x, 1.0 / (jnp.finfo(x.dtype).tiny * 1e10)), *zeros][:count]
    start = (jnp.zeros_like(x), b, far, first, first, jnp.ones_like(x, bool))
    return list(lax.while_loop(lambda s: jnp.any(s[5]), step, start)[4])


@widened
def derivative_in_a(a: Any, x: Any, *, order: int) -> Any:
    """The derivative of P(a, x) in a of this order, 1 or more; from the right at a = 0."""
    count = order + 1
    inside = (x > 0) & (a >= 0) & (x < jnp.inf) & (a < jnp.inf)
    at, ax = jnp.where(inside, a, 1.0), jnp.where(inside, x, 1.0)
    low = ax < at + 1.0
    power = _power(at, ax, count)
    p = truncated_product(power, _series(at, jnp.where(low, ax, 0.0), count))[order]
    by_a = [at, jnp.ones_like(at), *[jnp.zeros_like(at)] * count][:count]
    fraction = _fraction(jnp.where(low, 1.0, at), jnp.where(low, 2.5, ax), count)
    q = truncated_product(truncated_product(power, by_a), fraction)[order]
    value = jnp.where(low, p, -q) * float(math.factorial(order))
    edge = (x >= 0) & (a >= 0) & ~((a == 0) & (x == 0)) & ~((a == jnp.inf) & (x == jnp.inf))
    return jnp.where(inside, value, jnp.where(edge, 0.0, jnp.nan))
