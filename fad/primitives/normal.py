"""The normal distribution: erfcx, its distribution function and logarithm, and their inverses.

Tails are carried by erfcx(x) = exp(x**2) erfc(x), which neither underflows nor magnifies the
rounding of its argument; what multiplies it is an exponential of an exactly split square.
"""

from __future__ import annotations

import math
from typing import Any

from jax import lax
from jax import numpy as jnp
from jax.scipy.special import ndtri as _jax_ndtri

from fad.core.apply import apply1
from fad.core.primitive import Primitive
from fad.primitives.arithmetic import add, mul, neg, square
from fad.primitives.comparison import keep_where, lt, select
from fad.primitives.declare import (
    INF,
    REAL_INEXACT,
    Convention,
    elementwise,
    elementwise_family,
    function_of,
)
from fad.primitives.logarithms import log1p
from fad.primitives.precise import polynomial, widened
from fad.primitives.tails import ROOT_PI, erf_near, erfcx_above, squared_exponential

_ROOT_2 = math.sqrt(2.0)

# ------------------------------------------------------------------------------------------ erfcx

# (1 + x)**2 times minus the derivative of erfcx, for x >= 0, as a polynomial in (x - 4) / (x + 4):
# see tails.py.
_SLOPE = (
    0.8095876523755363, -0.3954928103885118, 0.19097099450548036, -0.006258557207699581,
    -0.09401791025931802, 0.10607993522530858, -0.06828598925974626, 0.024378361210384464,
    0.0018136078826957803, -0.008891788721132913, 0.006192177129619819, -0.0021673862989914703,
    0.00011491894709935918, 0.0002684653096951014, -0.00010757904281658659, -9.176201978170452e-06,
    1.8795253883901145e-05, -2.4687103653760564e-06, -2.5971568192228354e-06, 7.636756900747338e-07,
    3.4688770154010143e-07, -1.4983380848353403e-07, -4.743558661955985e-08, 2.19987699379109e-08,
    5.962628329911587e-09, -1.8312385230950958e-09, -4.687243191641714e-10,
)  # fmt: skip
_TERMS = 96
"""Of the continued fraction from x = 5/4 on; more change nothing in float64."""


def _upper_slope(x: Any) -> Any:
    """Minus the derivative of erfcx, for x >= 0."""
    t = jnp.where(x < jnp.inf, (x - 4.0) / (x + 4.0), 1.0)
    return polynomial(t, _SLOPE) / (1.0 + x) / (1.0 + x)


def _ratios(x: Any, order: int) -> Any:
    """The derivative of this order over the first, for x >= 5/4.

    With r_n = -y_n / y_(n-1), from the recurrence below: r_n = 2 n / (2 x + r_(n+1)).
    """
    last = 2.0 * (order + _TERMS)
    ratio = last / (x + lax.sqrt(x * x + last))
    ratio = lax.fori_loop(
        0, _TERMS, lambda k, r: 2.0 * (order + _TERMS - k).astype(x.dtype) / (2.0 * x + r), ratio
    )
    product = jnp.ones_like(x)
    for n in range(order, 1, -1):
        ratio = 2.0 * n / (2.0 * x + ratio)
        product = -product * ratio
    return product


@widened
def _erfcx(x: Any, *, order: int) -> Any:
    """The derivative of this order, y_n: y_n = 2 x y_(n-1) + 2 (n-1) y_(n-2), y_1 as below.

    The recurrence is stable for x <= 0. For positive x it is so in the other direction, which is
    a continued fraction (DLMF 7.18(iii), (v)).
    """
    a = lax.abs(x)
    above = erfcx_above(a)
    if order:
        above_slope = -_upper_slope(a)
    y = jnp.where(x < 0, 2.0 * squared_exponential(x, 1.0) - above, above)
    if order == 0:
        return y
    slope = jnp.where(x < 0, 2.0 * x * y - 2.0 / ROOT_PI, above_slope)
    before, here = y, slope
    for n in range(2, order + 1):
        before, here = here, 2.0 * x * here + 2.0 * (n - 1) * before
    if order == 1:
        return here
    large = x > 1.25
    safe = jnp.where(large, x, 1.25)
    return jnp.where(large, above_slope * _ratios(safe, order), here)


ERFCX: Primitive = elementwise_family(
    "erfcx",
    _erfcx,
    [lambda g, x, *, order: mul(g, apply1(ERFCX(order=order + 1), x))],
    params=[{"order": n} for n in range(4)],
    promotion=REAL_INEXACT,
)


erfcx = function_of(ERFCX(order=0))


def erfcx_slope(x: Any) -> Any:
    """The derivative of erfcx: 2 x erfcx(x) - 2 / sqrt(pi), without cancellation."""
    return apply1(ERFCX(order=1), x)


# ----------------------------------------------------------------------------- the distribution


@widened
def _density(x: Any) -> Any:
    return squared_exponential(x, -0.5) * (1.0 / (_ROOT_2 * ROOT_PI))


def _half_erfcx(x: Any) -> Any:
    return 0.5 * erfcx_above(lax.abs(x) / _ROOT_2)


def _distribution(x: Any, tail: Any) -> Any:
    """The distribution function from its smaller tail; near 0 that is not needed."""
    near = lax.abs(x) < 0.7
    central = 0.5 + 0.5 * erf_near(jnp.where(near, x, 0.0) * (1.0 / _ROOT_2))
    return jnp.where(near, central, jnp.where(x > 0, 1.0 - tail, tail))


@widened
def _ndtr(x: Any) -> Any:
    return _distribution(x, _half_erfcx(x) * squared_exponential(x, -0.5))


@widened
def _log_ndtr(x: Any) -> Any:
    scaled = _half_erfcx(x)
    tail = scaled * squared_exponential(x, -0.5)
    low = lax.log(scaled) - 0.5 * x * x
    high = jnp.where(x < 0.7, lax.log(_distribution(x, tail)), log1p(-tail))
    return jnp.where(x < -1.0, low, high)


@widened
def _hazard(x: Any) -> Any:
    scaled = _half_erfcx(x)
    exponential = squared_exponential(x, -0.5)
    constant = 1.0 / (_ROOT_2 * ROOT_PI)
    above = constant * exponential / _distribution(x, scaled * exponential)
    return jnp.where(x > 0, above, constant / scaled)


def _hazard_partial(g: Any, x: Any, out: Any) -> Any:
    """-out (x + out), where x < 0 without its cancellation."""
    negative = lt(x, 0.0)
    slope = erfcx_slope(mul(keep_where(negative, x), -1.0 / _ROOT_2))
    below = mul(mul(mul(slope, out), out), ROOT_PI / 2.0)  # the square may overflow
    below = select(lt(x, -1e9), -1.0, below)  # where the slope may underflow
    return mul(g, select(negative, below, neg(mul(out, add(x, out)))))


normal_density: Any = elementwise(
    "normal_density",
    _density,
    [lambda g, x, out: neg(mul(mul(g, out), x))],
    promotion=REAL_INEXACT,
    formula="e**(-x**2 / 2) / √(2π)",
)
ndtr = elementwise("ndtr", _ndtr, [lambda g, x: mul(g, normal_density(x))], promotion=REAL_INEXACT)
hazard: Any = elementwise(
    "hazard",  # normal_density(x) / ndtr(x), the derivative of log_ndtr
    _hazard,
    [_hazard_partial],
    promotion=REAL_INEXACT,
    formula="φ(x) / Φ(x)",
)
log_ndtr = elementwise(
    "log_ndtr", _log_ndtr, [lambda g, x: mul(g, hazard(x))], promotion=REAL_INEXACT
)

# ----------------------------------------------------------------------------------- its inverse

# erfinv(x) / x for |x| <= 3/4, as a polynomial in -log(1 - x**2) (Giles, GPU Computing Gems 2,
# 2011, chapter 10). Farther out, what is left to 1 decides.
_ERFINV = (
    0.886226925452758, 0.2320136665346547, 0.011549342038260326, -0.0023351016413762624,
    -0.0001280432969445155, 4.66114584860091e-05, 2.019912079905881e-06, -1.0123419455819523e-06,
    -3.768073851318457e-08, 2.3240172112094203e-08, 4.522516302283062e-10, -4.3844261858988016e-10,
)  # fmt: skip


def _central(x: Any) -> Any:
    return x * polynomial(-log1p(-x * x), _ERFINV)


def _outer(tail: Any) -> Any:
    """The inverse of erfc for less than 1/4."""
    return _jax_ndtri(0.5 * tail) * (-1.0 / _ROOT_2)


@widened
def _erfinv(x: Any) -> Any:
    a = lax.abs(x)
    near = a < 0.75
    outer = jnp.copysign(_outer(jnp.where(near, 0.25, 1.0 - a)), x)
    return jnp.where(near, _central(jnp.where(near, x, 0.0)), outer)


@widened
def _erfcinv(x: Any) -> Any:
    d = 1.0 - x
    near = lax.abs(d) < 0.75
    outer = jnp.copysign(_outer(jnp.where(near, 0.25, jnp.minimum(x, 2.0 - x))), d)
    return jnp.where(near, _central(jnp.where(near, d, 0.0)), outer)


def _erfinv_slope_at(y: Any, tail: Any) -> Any:
    """exp(y**2) sqrt(pi) / 2 for y = erfinv(x), since erfcx(y) = exp(y**2) (1 - x)."""
    value = (0.5 * ROOT_PI) * erfcx_above(lax.abs(y)) / tail
    return jnp.where(tail == 0, jnp.inf, value)


@widened
def _erfinv_slope(x: Any) -> Any:
    return _erfinv_slope_at(_erfinv(x), 1.0 - lax.abs(x))


@widened
def _erfcinv_slope(x: Any) -> Any:
    return -_erfinv_slope_at(_erfcinv(x), jnp.minimum(x, 2.0 - x))


@widened
def _ndtri(x: Any) -> Any:
    return _jax_ndtri(x)


@widened
def _ndtri_slope(x: Any) -> Any:
    y = _ndtri(x) * (1.0 / _ROOT_2)
    return _ROOT_2 * _erfinv_slope_at(y, jnp.minimum(x, 1.0 - x))


_UNIT = ((-0.9, 0.9),)
_PROBABILITY = ((0.05, 0.95),)
_UP_TO_TWO = ((0.1, 1.9),)


def _inverse(
    name: str, kernel: Any, slope_kernel: Any, factor: float, domain: Any, ends: dict[float, float]
) -> Any:
    """An inverse f and its derivative, whose own is ``factor`` f f'**2.

    ``ends`` has the derivative at each end of the domain.
    """
    slope: Any = elementwise(
        f"{name}_slope",
        slope_kernel,
        [lambda g, x, out: mul(mul(mul(g, factor), value(x)), square(out))],
        promotion=REAL_INEXACT,
        domains=domain,
        formula=f"the derivative of {name}(x)",
    )
    value: Any = elementwise(
        name,
        kernel,
        [lambda g, x: mul(g, slope(x))],
        promotion=REAL_INEXACT,
        domains=domain,
        conventions=[Convention((x,), (end,), "the one-sided limit") for x, end in ends.items()],
    )
    return value


erfinv = _inverse("erfinv", _erfinv, _erfinv_slope, 2.0, _UNIT, {-1.0: INF, 1.0: INF})
erfcinv = _inverse("erfcinv", _erfcinv, _erfcinv_slope, 2.0, _UP_TO_TWO, {0.0: -INF, 2.0: -INF})
ndtri = _inverse("ndtri", _ndtri, _ndtri_slope, 1.0, _PROBABILITY, {0.0: INF, 1.0: INF})
