"""The logistic function's relatives: softplus, logit, and (exp(x) - 1) / x with its derivatives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core.apply import apply1
from fad.core.primitive import Primitive
from fad.primitives.arithmetic import absolute, add, div, mul, neg, sub
from fad.primitives.declare import (
    INF,
    REAL_INEXACT,
    Convention,
    elementwise,
    elementwise_family,
    function_of,
)
from fad.primitives.precise import widened
from fad.primitives.series import polynomial
from fad.primitives.transcendental import sigmoid


@widened
def _softplus(x: Any) -> Any:
    return lax.max(x, jnp.zeros_like(x)) + lax.log1p(lax.exp(-lax.abs(x)))


@widened
def _logit(x: Any) -> Any:
    """log(x / (1 - x)); around 1/2 as 2 artanh(2 x - 1)."""
    d = 2.0 * x - 1.0
    near = lax.abs(d) < 0.5
    a = jnp.where(near, lax.abs(d), 0.0)
    value = jnp.copysign(lax.log1p(2.0 * a / (1.0 - a)), d)
    return jnp.where(near, value, lax.log(x / (1.0 - x)))


softplus = elementwise(
    "softplus",
    _softplus,
    [lambda g, x: mul(g, sigmoid(x))],
    promotion=REAL_INEXACT,
    reference=lambda x: np.logaddexp(x, x.dtype.type(0)),
    formula="log(1 + e**x)",
)
logit = elementwise(
    "logit",
    _logit,
    [lambda g, x: div(div(g, x), sub(1.0, x))],
    promotion=REAL_INEXACT,
    domains=((0.1, 0.9),),
    conventions=[
        Convention((0.0,), (INF,), "the one-sided limit"),
        Convention((1.0,), (INF,), "the one-sided limit"),
    ],
)


@widened
def _soft_sign(x: Any) -> Any:
    return jnp.where(lax.abs(x) < jnp.inf, x / (1.0 + lax.abs(x)), lax.sign(x))


def _soft_sign_partial(g: Any, x: Any) -> Any:
    below = add(absolute(x), 1.0)
    return div(div(g, below), below)  # in the quotient's rule, two terms would cancel


soft_sign = elementwise(
    "soft_sign",
    _soft_sign,
    [_soft_sign_partial],
    promotion=REAL_INEXACT,
    reference=lambda x: x / (1 + np.abs(x)),
    formula="x / (1 + |x|)",
)


def log_sigmoid(x: Any) -> Any:
    """log(1 / (1 + exp(-x)))."""
    return neg(softplus(neg(x)))


# ------------------------------------------------------------------------------------------ exprel


def _series(x: Any, order: int) -> Any:
    """The derivative of this order near 0: the integral of t**n exp(x t) over the unit interval.

    For x < 0 it is exp(x) times a series in -x (DLMF 13.2.39), so no terms cancel.
    """
    count = 26 + 2 * order
    rising = [1.0 / (math.factorial(k) * (k + order + 1)) for k in range(count)]
    falling = [1.0 / math.prod(range(order + 1, order + k + 2)) for k in range(count)]
    above = polynomial(jnp.where(x > 0, x, 0.0), rising)
    below = lax.exp(x) * polynomial(jnp.where(x < 0, -x, 0.0), falling)
    return jnp.where(x > 0, above, below)


@widened
def _exprel(x: Any, *, order: int) -> Any:
    """x f_n = exp(x) - n f_(n-1), stable for |x| > n.

    For x > 0 over exp(x), which overflows before the function does.
    """
    near = (lax.abs(x) < order + 2.0) if order else (x == 0)
    safe = jnp.where(near, order + 2.0, x)
    exponential = jnp.where(safe > 0, 1.0, lax.exp(safe))
    value = jnp.where(safe > 0, -lax.expm1(-safe), lax.expm1(safe)) / safe
    for n in range(1, order + 1):
        value = (exponential - n * value) / safe
    half = jnp.where(safe > 80.0, 0.5 * safe, safe)
    grown = jnp.where(safe > 80.0, lax.exp(half), 1.0) * (value * lax.exp(half))
    grown = jnp.where(safe < jnp.inf, grown, safe)
    value = jnp.where(safe > 0, grown, value)
    close = _series(jnp.where(near, x, 0.0), order) if order else jnp.ones_like(x)
    return jnp.where(x == x, jnp.where(near, close, value), x)


EXPREL: Primitive = elementwise_family(
    "exprel",
    _exprel,
    [lambda g, x, *, order: mul(g, apply1(EXPREL(order=order + 1), x))],
    params=[{"order": n} for n in range(4)],
    promotion=REAL_INEXACT,
)


exprel = function_of(EXPREL(order=0))
