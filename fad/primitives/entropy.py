"""x log(y) and its kin, where 0 log(0) is 0: xlogy, xlog1py, entropies and divergences."""

from __future__ import annotations

from typing import Any

from jax import lax
from jax import numpy as jnp

from fad.primitives.arithmetic import div, mul, neg, sub
from fad.primitives.declare import INEXACT, INF, NAN, REAL_INEXACT, Convention, elementwise
from fad.primitives.logarithms import log1p
from fad.primitives.precise import Constant, product, widened
from fad.primitives.series import polynomial
from fad.primitives.transcendental import log
from fad.primitives.transcendental import log1p as log1p_of

_POSITIVE = ((0.1, 3.0),)
_BOTH = ((0.1, 3.0), (0.1, 3.0))


def _unless_zero(function: Any) -> Any:
    """x times a function of y, 0 where x is, unless y is NaN."""

    def kernel(x: Any, y: Any) -> Any:
        return jnp.where((x == 0) & (y == y), jnp.zeros_like(x), x * function(y))

    return widened(kernel)


xdivy: Any = elementwise(
    "xdivy",  # x / y, 0 where x is
    widened(lambda x, y: jnp.where((x == 0) & (y == y), jnp.zeros_like(x), lax.div(x, y))),
    [lambda g, y: div(g, y), lambda g, x, y: neg(mul(g, xdivy(xdivy(x, y), y)))],
    promotion=INEXACT,
    domains=_BOTH,
    formula="x / y, and 0 where x is 0",
)
xlogy = elementwise(
    "xlogy",
    _unless_zero(lax.log),
    [lambda g, y: mul(g, log(y)), lambda g, x, y: mul(g, xdivy(x, y))],
    promotion=INEXACT,
    domains=((-3.0, 3.0), (0.1, 3.0)),
    conventions=[
        Convention((0.0, 0.0), (-INF, 0.0), "log(y); in y the function is 0 for x = 0"),
        Convention((1.0, 0.0), (-INF, INF), "log(y) and x / y"),
    ],
)
xdiv1py: Any = elementwise(
    "xdiv1py",  # x / (1 + y), 0 where x is
    _unless_zero(lambda y: lax.div(jnp.ones_like(y), 1.0 + y)),
    [
        lambda g, y: mul(g, xdiv1py(1.0, y)),
        lambda g, x, y: neg(mul(g, xdiv1py(xdiv1py(x, y), y))),
    ],
    promotion=INEXACT,
    domains=((-3.0, 3.0), (-0.9, 3.0)),
    formula="x / (1 + y), and 0 where x is 0",
)
xlog1py = elementwise(
    "xlog1py",
    _unless_zero(log1p),
    [lambda g, y: mul(g, log1p_of(y)), lambda g, x, y: mul(g, xdiv1py(x, y))],
    promotion=INEXACT,
    domains=((-3.0, 3.0), (-0.9, 3.0)),
    conventions=[
        Convention((0.0, -1.0), (-INF, 0.0), "log(1 + y); in y the function is 0 for x = 0"),
        Convention((1.0, -1.0), (-INF, INF), "log(1 + y) and x / (1 + y)"),
    ],
)

# ------------------------------------------------------------------------------------- entropies

_EULER = Constant(2.718281828459045, 1.4456468917292502e-16)
_INVERSE_E = {  # the nearest number of each precision, and what that lacks
    8: (0.36787944117144233, -1.2428753672788363e-17),
    4: (0.3678794503211975, -9.149755188170102e-09),
}


@widened
def _log_plus_1(x: Any) -> Any:
    """1 + log(x), near its zero without cancellation."""
    zero, rest = _INVERSE_E[x.dtype.itemsize]
    near = lax.abs(x - zero) < 0.5 * zero
    t = (jnp.where(near, x, zero) - zero) * _EULER.high - rest * _EULER.high
    return jnp.where(near, log1p(t), 1.0 + lax.log(x))


@widened
def _entr(x: Any) -> Any:
    value = -x * lax.log(x)
    return jnp.where(x > 0, value, jnp.where(x == 0, 0.0, jnp.where(x < 0, -jnp.inf, x)))


log_plus_1: Any = elementwise(
    "log_plus_1",
    _log_plus_1,
    [lambda g, x: div(g, x)],
    promotion=REAL_INEXACT,
    domains=_POSITIVE,
    formula="1 + log(x)",
    conventions=[Convention((0.0,), (INF,), "the one-sided limit")],
)
entr = elementwise(
    "entr",
    _entr,
    [lambda g, x: neg(mul(g, log_plus_1(x)))],
    promotion=REAL_INEXACT,
    domains=_POSITIVE,
    conventions=[
        Convention((0.0,), (INF,), "the one-sided limit"),
    ],
)


@widened
def _log_ratio(x: Any, y: Any) -> Any:
    ratio = lax.div(x, y)
    close = (ratio > 0.5) & (ratio < 2.0)
    extreme = (ratio == 0) | (ratio == jnp.inf)
    far = jnp.where(extreme, lax.log(x) - lax.log(y), lax.log(ratio))
    return jnp.where(close, log1p((x - y) / jnp.where(close, y, 1.0)), far)


def _divergence(x: Any, y: Any, inside: Any, at_0: Any) -> Any:
    """A divergence from its values for positive arguments, and for x = 0."""
    outside = jnp.where((x == 0) & (y >= 0), at_0, jnp.inf)
    value = jnp.where((x > 0) & (y > 0), inside, outside)
    return jnp.where((x == x) & (y == y), value, jnp.nan)


@widened
def _rel_entr(x: Any, y: Any) -> Any:
    return _divergence(x, y, x * _log_ratio(x, y), 0.0)


@widened
def _kl_div(x: Any, y: Any) -> Any:
    """x log(x / y) - x + y.

    With u = (x - y) / (x + y), log(x / y) = 2 artanh(u): near 0 that leaves
    (x + y) u**2 (1 + u (1 + u) (1/3 + u**2 / 5 + ...)).
    """
    total = 0.5 * x + 0.5 * y  # of which twice may overflow
    u = (0.5 * x - 0.5 * y) / total
    near = lax.abs(u) < 0.4
    u = jnp.where(near, u, 0.0)
    series = polynomial(u * u, [1.0 / (2 * k + 3) for k in range(20)])
    close = total * (2.0 * (u * u)) * (1.0 + u * (1.0 + u) * series)
    return _divergence(x, y, jnp.where(near, close, x * _log_ratio(x, y) - x + y), y)


@widened
def _log_ratio_plus_1(x: Any, y: Any) -> Any:
    """1 + log(x / y), where x is close to y / e without cancellation."""
    multiple, lost = product(x, _EULER)
    ratio = multiple / y
    near = (ratio > 0.5) & (ratio < 2.0) & (x > 0)
    t = ((multiple - y) + lost) / jnp.where(near, y, 1.0)
    return jnp.where(near, log1p(jnp.where(near, t, 0.0)), 1.0 + _log_ratio(x, y))


log_ratio: Any = elementwise(
    "log_ratio",  # log(x / y)
    _log_ratio,
    [lambda g, x: div(g, x), lambda g, y: neg(div(g, y))],
    promotion=REAL_INEXACT,
    domains=_BOTH,
    formula="log(x / y)",
)
log_ratio_plus_1: Any = elementwise(
    "log_ratio_plus_1",
    _log_ratio_plus_1,
    [lambda g, x: div(g, x), lambda g, y: neg(div(g, y))],
    promotion=REAL_INEXACT,
    domains=_BOTH,
    formula="1 + log(x / y)",
)
rel_entr = elementwise(
    "rel_entr",
    _rel_entr,
    [
        lambda g, x, y: mul(g, log_ratio_plus_1(x, y)),
        lambda g, x, y: neg(mul(g, xdivy(x, y))),
    ],
    promotion=REAL_INEXACT,
    domains=_BOTH,
    conventions=[
        Convention((0.0, 1.0), (-INF, 0.0), "the one-sided limit"),
        Convention(
            (0.0, 0.0), (NAN, 0.0), "log(x / y) has no limit; in y the function is 0 for x = 0"
        ),
        Convention((1.0, 0.0), (INF, -INF), "the one-sided limit"),
    ],
)
kl_div = elementwise(
    "kl_div",
    _kl_div,
    [lambda g, x, y: mul(g, log_ratio(x, y)), lambda g, x, y: div(mul(g, sub(y, x)), y)],
    promotion=REAL_INEXACT,
    domains=_BOTH,
    conventions=[
        Convention((0.0, 1.0), (-INF, 1.0), "the one-sided limit"),
        Convention((0.0, 0.0), (NAN, NAN), "log(x / y) and x / y have no limit"),
        Convention((1.0, 0.0), (INF, -INF), "the one-sided limit"),
    ],
)
