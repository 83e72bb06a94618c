"""The regularised incomplete gamma functions P and Q, with P + Q = 1.

Both are the gamma density times a series (DLMF 8.11.4) or a continued fraction (8.9.2), whichever
converges, and 1 less that; next to x = 0, where Q may be small, by Gautschi's series (ACM TOMS 5
(1979), 466-481). The density is what carries the digits: its exponent is the distance of x from a,
taken without cancellation.
"""

from __future__ import annotations

from functools import reduce
from math import comb, inf
from typing import Any

from jax import lax
from jax import numpy as jnp

from fad.core.apply import apply2
from fad.core.primitive import Primitive
from fad.primitives.arithmetic import add, div, mul, neg, sub
from fad.primitives.declare import (
    REAL_INEXACT,
    Convention,
    elementwise,
    elementwise_family,
    function_of,
)
from fad.primitives.gamma import digamma, log_gamma_1p, polygamma
from fad.primitives.incomplete_density import density
from fad.primitives.incomplete_in_a import derivative_in_a
from fad.primitives.precise import widened
from fad.primitives.transcendental import log


def _series(a: Any, x: Any) -> Any:
    """The sum of x**k / ((a+1) ... (a+k)) over k = 0, 1, 2, ..."""
    eps = jnp.finfo(x.dtype).eps

    def step(state: Any) -> Any:
        n, term, total = state
        n = n + 1.0
        term = term * (x / n)
        return n, term, total + term

    one = jnp.ones_like(x)
    return lax.while_loop(lambda s: jnp.any(s[1] > 0.25 * eps * s[2]), step, (a, one, one))[2]


def _fraction(a: Any, x: Any) -> Any:
    """Q(a, x) / (x density), by the modified method of Lentz."""
    eps = jnp.finfo(x.dtype).eps
    tiny = jnp.finfo(x.dtype).tiny * 1e10

    def step(state: Any) -> Any:
        k, b, c, d, value, _ = state
        k, b = k + 1.0, b + 2.0
        factor = -k * (k - a)
        d = factor * d + b
        c = b + factor / c
        d = 1.0 / jnp.where(lax.abs(d) < tiny, tiny, d)
        c = jnp.where(lax.abs(c) < tiny, tiny, c)
        return k, b, c, d, value * (c * d), c * d

    b = x + (1.0 - a)
    first = 1.0 / b
    start = (jnp.zeros_like(x), b, jnp.full_like(x, 1.0 / tiny), first, first, jnp.zeros_like(x))
    return lax.while_loop(lambda s: jnp.any(lax.abs(s[5] - 1.0) > eps), step, start)[4]


def _small(a: Any, x: Any) -> Any:
    """Q(a, x) for a up to 1 and x up to 3/2: 1 - x**a / Gamma(1 + a), and the rest of a series."""
    exponent = a * lax.log(x) - log_gamma_1p(a)
    total = jnp.zeros_like(x)
    for k in range(24, 0, -1):
        total = (total + 1.0 / (a + float(k))) * (-x / float(k))
    return -lax.expm1(exponent) - a * lax.exp(exponent) * total


def _both(a: Any, x: Any) -> tuple[Any, Any]:
    """P and Q."""
    inside = (x > 0) & (a > 0) & (x < jnp.inf) & (a < jnp.inf)
    a, x = jnp.where(inside, a, 1.0), jnp.where(inside, x, 1.0)
    small = (a <= 1.0) & (x <= 1.5)
    by_series = ~small & (x < a + 1.0)
    by_fraction = ~small & ~by_series
    weight = x * density(a, x)
    p = weight / a * _series(a, jnp.where(by_series | small, x, 0.0))
    q = weight * _fraction(jnp.where(by_fraction, a, 1.0), jnp.where(by_fraction, x, 2.0))
    near = _small(jnp.where(small, a, 1.0), jnp.where(small, x, 1.0))
    p_value = jnp.where(by_fraction, 1.0 - q, p)
    q_value = jnp.where(small, near, jnp.where(by_fraction, q, 1.0 - p))
    return p_value, q_value


def _at_the_ends(a: Any, x: Any, inside: Any, at_0: float) -> Any:
    """The value at x = 0, where a is 0 and at infinity; NaN for negative arguments."""
    outside = jnp.where(x == jnp.inf, 1.0 - at_0, jnp.where(x == 0, at_0, jnp.nan))
    outside = jnp.where(a == jnp.inf, at_0, jnp.where(a == 0, 1.0 - at_0, outside))
    undefined = (x < 0) | (a < 0) | (x != x) | (a != a) | ((a == 0) & (x == 0))
    undefined = undefined | ((a == jnp.inf) & (x == jnp.inf))
    ordinary = (x > 0) & (a > 0) & (x < jnp.inf) & (a < jnp.inf)
    return jnp.where(undefined, jnp.nan, jnp.where(ordinary, inside, outside))


@widened
def _gammainc(a: Any, x: Any) -> Any:
    return _at_the_ends(a, x, _both(a, x)[0], 0.0)


@widened
def _gammaincc(a: Any, x: Any) -> Any:
    return _at_the_ends(a, x, _both(a, x)[1], 1.0)


def _density_in_a(x: Any, y: Any, order: int) -> Any:
    """A derivative of the density in its shape: those of its logarithm are -polygamma."""
    slopes = [sub(log(y), digamma(x)), *[neg(polygamma(k, x)) for k in range(1, order)]]
    found = [gamma_density(x, y)]
    for n in range(1, order + 1):
        terms = [mul(mul(found[k], slopes[n - 1 - k]), float(comb(n - 1, k))) for k in range(n)]
        found.append(reduce(add, terms))
    return found[order]


gamma_density: Any = elementwise(
    "gamma_density",
    density,
    [
        lambda g, x, y, out: mul(mul(g, out), sub(log(y), digamma(x))),
        lambda g, x, y, out: mul(mul(g, out), div(sub(sub(x, 1.0), y), y)),
    ],
    promotion=REAL_INEXACT,
    domains=((0.3, 40.0), (0.3, 40.0)),
    formula="y**(x - 1) e**(-y) / gamma(x)",
)
GAMMAINC_IN_A: Primitive = elementwise_family(
    "gammainc_in_a",
    derivative_in_a,
    [
        lambda g, x, y, *, order: mul(g, apply2(GAMMAINC_IN_A(order=order + 1), x, y)),
        lambda g, x, y, *, order: mul(g, _density_in_a(x, y, order)),
    ],
    params=[{"order": 1}, {"order": 2}],
    promotion=REAL_INEXACT,
    domains=((0.3, 40.0), (0.3, 40.0)),
    formula="the derivative of gammainc(x, y) in x of this order",
)


def _at_zero(sign: float) -> list[Convention]:
    """Where the domain of ``y`` ends."""
    return [
        Convention((0.5, 0.0), (0.0, sign * inf), "the one-sided limit, where x < 1"),
        Convention((1.0, 0.0), (0.0, sign), "the one-sided limit"),
        Convention((2.0, 0.0), (0.0, 0.0), "the one-sided limit, where x > 1"),
    ]


gammainc_in_a = function_of(GAMMAINC_IN_A(order=1))
gammainc = elementwise(
    "gammainc",
    _gammainc,
    [
        lambda g, x, y: mul(g, gammainc_in_a(x, y)),
        lambda g, x, y: mul(g, gamma_density(x, y)),
    ],
    promotion=REAL_INEXACT,
    domains=((0.3, 40.0), (0.3, 40.0)),
    conventions=_at_zero(1.0),
)
gammaincc = elementwise(
    "gammaincc",
    _gammaincc,
    [
        lambda g, x, y: neg(mul(g, gammainc_in_a(x, y))),
        lambda g, x, y: neg(mul(g, gamma_density(x, y))),
    ],
    promotion=REAL_INEXACT,
    domains=((0.3, 40.0), (0.3, 40.0)),
    conventions=_at_zero(-1.0),
)
