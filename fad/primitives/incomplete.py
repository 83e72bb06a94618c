"""The regularised incomplete gamma functions P and Q, with P + Q = 1.

Both are the gamma density times a series (DLMF 8.11.4) or a continued fraction (8.9.2), whichever
converges, and 1 less that; next to x = 0, where Q may be small, by Gautschi's series (ACM TOMS 5
(1979), 466-481). The density is what carries the digits: its exponent is the distance of x from a,
taken without cancellation.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp
from jax.scipy.special import gammainc as gammainc_of_jax

from fad.core.errors import FadTypeError, located
from fad.primitives.arithmetic import div, mul, neg, sub
from fad.primitives.declare import REAL_INEXACT, Sample, elementwise
from fad.primitives.gamma import digamma, gamma_kernel, log_gamma_1p
from fad.primitives.precise import widened
from fad.primitives.series import log1p_minus, stirling
from fad.primitives.transcendental import log


@widened
def _density(a: Any, x: Any) -> Any:
    """x**(a-1) exp(-x) / Gamma(a)."""
    limit = {8: 100.0, 4: 18.0}[x.dtype.itemsize]  # up to where powers do not overflow
    large = a > limit
    near_a = jnp.where(large, 1.0, a)
    half = lax.exp(-0.5 * x)  # the whole exponential may underflow where the density does not
    near = lax.pow(x, near_a - 1.0) * half / gamma_kernel(near_a) * half
    far_a = jnp.where(large, a, limit)
    d = (x - far_a) / far_a
    close = lax.abs(d) < 0.4
    apart = jnp.where(close, log1p_minus(jnp.where(close, d, 0.0)), lax.log(x / far_a) - d)
    exponent = far_a * apart - stirling(far_a)
    far = lax.exp(exponent) * (lax.sqrt(far_a) * (1.0 / math.sqrt(2.0 * math.pi))) / x
    value = jnp.where(large, jnp.where(x > 0, far, 0.0), near)
    value = jnp.where((x == jnp.inf) & (a < jnp.inf), 0.0, value)
    return jnp.where((x >= 0) & (a > 0), value, jnp.nan)


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
    density = x * _density(a, x)
    p = density / a * _series(a, jnp.where(by_series | small, x, 0.0))
    q = density * _fraction(jnp.where(by_fraction, a, 1.0), jnp.where(by_fraction, x, 2.0))
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


def _refuse(g: Any) -> Any:
    raise FadTypeError(
        located(
            "the second derivative of gammainc and gammaincc in their first argument is not "
            "implemented. Keep that argument fixed, as fad.stop_gradient(a), or give a rule of "
            "your own."
        )
    )


def _whole_a() -> list[Sample]:
    """Samples in which a is an integer, and so not differentiated."""
    x = [0.3, 1.5, 4.0, 9.5]
    return [
        Sample((np.array([2, 1, 5, 9]), np.array(x))),
        Sample((np.array([[3], [12]]), np.array(x))),
        Sample((np.array(2), np.array(1.3))),
        Sample((np.zeros((0, 2), int), np.array([1.0, 2.0]))),
    ]


def _by_differences(a: Any, x: Any) -> Any:
    """The derivative of P in a, so that its own in x can be taken of the compiler's function."""
    h = 5e-3
    values = [gammainc_of_jax(a + k * h, x) for k in (-2.0, -1.0, 1.0, 2.0)]
    return (values[0] - values[3] + 8.0 * (values[2] - values[1])) / (12.0 * h)


gamma_density: Any = elementwise(
    "gamma_density",
    _density,
    [
        lambda g, x, y, out: mul(mul(g, out), sub(log(y), digamma(x))),
        lambda g, x, y, out: mul(mul(g, out), div(sub(sub(x, 1.0), y), y)),
    ],
    promotion=REAL_INEXACT,
    domains=((0.3, 40.0), (0.3, 40.0)),
    formula="y**(x - 1) e**(-y) / gamma(x)",
)
gammainc_da: Any = elementwise(
    "gammainc_da",  # the derivative of gammainc in its first argument
    widened(lax.igamma_grad_a),
    [
        _refuse,
        lambda g, x, y: mul(g, mul(gamma_density(x, y), sub(log(y), digamma(x)))),
    ],
    promotion=REAL_INEXACT,
    domains=((0.3, 40.0), (0.3, 40.0)),
    samples=_whole_a,
    oracle=_by_differences,
    formula="the derivative of gammainc(x, y) in x",
)
gammainc = elementwise(
    "gammainc",
    _gammainc,
    [
        lambda g, x, y: mul(g, gammainc_da(x, y)),
        lambda g, x, y: mul(g, gamma_density(x, y)),
    ],
    promotion=REAL_INEXACT,
    domains=((0.3, 40.0), (0.3, 40.0)),
    samples=_whole_a,
)
gammaincc = elementwise(
    "gammaincc",
    _gammaincc,
    [
        lambda g, x, y: neg(mul(g, gammainc_da(x, y))),
        lambda g, x, y: neg(mul(g, gamma_density(x, y))),
    ],
    promotion=REAL_INEXACT,
    domains=((0.3, 40.0), (0.3, 40.0)),
    samples=_whole_a,
)
