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
from fad.primitives.series import bernoulli, truncated_product

_SHIFT, _TERMS = 10, 12

Series = list[Any]
"""Coefficients of powers of a small change of s."""


def _linear(constant: Any, slope: Any, count: int) -> Series:
    return [constant, slope, *[jnp.zeros_like(constant)] * count][:count]


def _power(base: Any, s: Any, dq: int, small: Any, count: int) -> Series:
    """base**-(s + dq), times ``_scale`` where it is small.

    The rounding of s + dq would be magnified by the logarithm.
    """
    root = lax.pow(base, jnp.where(small, -0.5 * s, -s))
    value = jnp.where(small, (root * _scale(s)) * root, root)
    value = value / lax.integer_pow(base, dq) if dq >= 0 else value * base
    if count == 1:
        return [value]
    log = jnp.where(value == 0, 0.0, -lax.log(base))  # derivatives of 0 are 0
    return [value * lax.integer_pow(log, n) / math.factorial(n) for n in range(count)]


def _scale(x: Any) -> float:
    """Keeps the terms of a sum above the normal range as long as the sum is."""
    return 2.0 ** (2 * jnp.finfo(x.dtype).nmant)


def _is_small(s: Any, base: Any) -> Any:
    info = jnp.finfo(s.dtype)
    return s * lax.log(base) > (-info.minexp - 1.5 * info.nmant) * math.log(2.0)


def _tail(a: Any, s: Any, dq: int, count: int) -> Series:
    """What the terms from ``a`` on add, over a**-(s + dq - 1)."""
    inverse = 1.0 / a
    less_1 = s - 1.0 if dq == 0 else s + (dq - 1.0)
    total = [(-1.0) ** n / lax.integer_pow(less_1, n + 1) for n in range(count)]
    total[0] = total[0] + 0.5 * inverse
    rising = _linear((s + float(dq)) * inverse, inverse, count)
    rising = [r * inverse for r in rising]
    for k in range(1, _TERMS + 1):
        factor = bernoulli(2 * k) / math.factorial(2 * k)
        total = [t + factor * r for t, r in zip(total, rising, strict=True)]
        for shift in (2.0 * k - 1.0, 2.0 * k):
            rise = _linear((s + (dq + shift)) * inverse, inverse, count)
            rising = truncated_product(rising, rise)
    # Where s is large beside a, the rest of the terms is nothing beside the first.
    return [jnp.where(s + float(dq) > 30.0 * a, 0.0, t) for t in total]


def hurwitz(x: Any, base: Any, dq: int, count: int) -> Series:
    """The power series in s of a derivative in q, for x > 1 and base > 0."""
    far, small = base >= x + float(_SHIFT), _is_small(x, base)
    a = jnp.where(far, base, base + float(_SHIFT))
    total = truncated_product(_power(a, x, dq - 1, small, count), _tail(a, x, dq, count))
    for k in range(_SHIFT - 1, -1, -1):
        term = _power(jnp.where(far, 1.0, base + float(k)), x, dq, small, count)
        total = [t + jnp.where(far, 0.0, u) for t, u in zip(total, term, strict=True)]
    for k in range(dq):
        total = truncated_product(total, _linear(-(x + float(k)), jnp.full_like(x, -1.0), count))
    return [jnp.where(small, t * (1.0 / _scale(x)), t) for t in total]


@widened
def _zeta(s: Any, q: Any, *, ds: int, dq: int) -> Any:
    inside = (s > 1.0) & (s < jnp.inf) & (q > 0)
    x, base = jnp.where(inside, s, 2.0), jnp.where(inside, q, 1.0)
    value = hurwitz(x, base, dq, ds + 1)[ds] * float(math.factorial(ds))
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
