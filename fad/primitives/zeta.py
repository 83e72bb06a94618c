"""Hurwitz's zeta function, with its derivatives in both arguments.

All are one primitive, of which the parameter says how often it is differentiated in s. Its kernel
is the Euler-Maclaurin formula (DLMF 25.11.5 and 2.10.1), every term a truncated Taylor series in s.
"""

from __future__ import annotations

import math
from typing import Any

from jax import lax
from jax import numpy as jnp

from fad.core.apply import apply2
from fad.core.primitive import Primitive
from fad.primitives.arithmetic import mul
from fad.primitives.declare import (
    INF,
    NAN,
    REAL_INEXACT,
    Convention,
    elementwise_family,
    function_of,
)
from fad.primitives.precise import widened
from fad.primitives.series import bernoulli

_SHIFT, _TERMS = 10, 12

Series = list[Any]
"""Coefficients of powers of a small change of s."""


def _product(a: Series, b: Series) -> Series:
    return [sum(a[i] * b[n - i] for i in range(n + 1)) for n in range(len(a))]


def _linear(constant: Any, slope: Any, count: int) -> Series:
    return [constant, slope, *[jnp.zeros_like(constant)] * count][:count]


def _power(base: Any, s: Any, dq: int, count: int) -> Series:
    """base**-(s + dq). The rounding of s + dq would be magnified by the logarithm."""
    value = lax.pow(base, -s) / lax.integer_pow(base, dq)
    if count == 1:
        return [value]
    log = jnp.where(value == 0, 0.0, -lax.log(base))  # derivatives of 0 are 0
    return [value * lax.integer_pow(log, n) / math.factorial(n) for n in range(count)]


def _tail(a: Any, s: Any, count: int) -> Series:
    """What the terms from ``a`` on add, over a**-s."""
    inverse = 1.0 / a
    total = [a * (-1.0) ** n / lax.integer_pow(s - 1.0, n + 1) for n in range(count)]
    total[0] = total[0] + 0.5
    rising = _linear(s * inverse, inverse, count)
    for k in range(1, _TERMS + 1):
        factor = bernoulli(2 * k) / math.factorial(2 * k)
        total = [t + factor * r for t, r in zip(total, rising, strict=True)]
        for shift in (2.0 * k - 1.0, 2.0 * k):
            rising = _product(rising, _linear((s + shift) * inverse, inverse, count))
    # Where s is large beside a, the rest of the terms is nothing beside the first.
    return [jnp.where(s > 30.0 * a, 0.0, t) for t in total]


@widened
def _zeta(s: Any, q: Any, *, ds: int, dq: int) -> Any:
    count = ds + 1
    inside = (s > 1.0) & (s < jnp.inf) & (q > 0)
    x, base = jnp.where(inside, s, 2.0), jnp.where(inside, q, 1.0)
    far = base >= x + float(_SHIFT)
    a = jnp.where(far, base, base + float(_SHIFT))
    total = _product(_power(a, x, dq, count), _tail(a, x + float(dq), count))
    for k in range(_SHIFT - 1, -1, -1):
        term = _power(jnp.where(far, 1.0, base + float(k)), x, dq, count)
        total = [t + jnp.where(far, 0.0, u) for t, u in zip(total, term, strict=True)]
    for k in range(dq):
        total = _product(total, _linear(-(x + float(k)), jnp.full_like(x, -1.0), count))
    value = total[ds] * float(math.factorial(ds))
    return jnp.where(inside, value, _outside(s, q, ds, dq))


def _outside(s: Any, q: Any, ds: int, dq: int) -> Any:
    """Poles, the limit for large s, and NaN."""
    nan = jnp.full_like(s, jnp.nan)
    pole = (s == 1.0) | ((s > 1.0) & (q <= 0) & (q == lax.floor(q)))
    if ds or dq:
        return jnp.where((s == 1.0) & (q > 0), -jnp.inf if dq == 0 and ds % 2 else jnp.nan, nan)
    limit = jnp.where(q < 1.0, jnp.inf, jnp.where(q == 1.0, 1.0, 0.0))
    value = jnp.where(pole, jnp.inf, jnp.where((s == jnp.inf) & (q > 0), limit, nan))
    return jnp.where(jnp.isnan(s) | jnp.isnan(q), nan, value)


ZETA: Primitive = elementwise_family(
    "zeta",
    _zeta,
    [
        lambda g, x, y, *, ds, dq: mul(g, apply2(ZETA(ds=ds + 1, dq=dq), x, y)),
        lambda g, x, y, *, ds, dq: mul(g, apply2(ZETA(ds=ds, dq=dq + 1), x, y)),
    ],
    params=[{"ds": 0, "dq": 0}, {"ds": 1, "dq": 0}, {"ds": 1, "dq": 1}],
    promotion=REAL_INEXACT,
    domains=((1.5, 6.0), (0.2, 12.0)),
    conventions=[
        Convention((1.0, 1.0), (-INF, NAN), "the pole, from above", params={"ds": 0, "dq": 0}),
    ],
)


zeta = function_of(ZETA(ds=0, dq=0))
"""The sum of (q + k)**-s over k = 0, 1, 2, ..."""
