"""Division with remainder, with NumPy's signs: ``floor_divide``, ``remainder``, ``fmod``.

The quotient is piecewise constant, so its derivative is zero. Integers divided by 0 give 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core import dtypes
from fad.primitives.arithmetic import div, mul, neg, sub
from fad.primitives.declare import INF, NAN, Convention, Promotion, elementwise
from fad.primitives.floating import rint

DIVISION = Promotion(
    compute=lambda d: np.dtype(np.int8) if d == dtypes.bool_ else d, allowed="biuf"
)
_DOMAINS = ((-9.0, 9.0), (0.7, 3.0))


def _is_integer(x: Any) -> bool:
    return bool(jnp.issubdtype(x.dtype, jnp.integer))


def _nonzero(y: Any) -> Any:
    return jnp.where(y == 0, jnp.ones_like(y), y)


def _signs_differ(remainder: Any, y: Any) -> Any:
    return (remainder != 0) & ((remainder < 0) != (y < 0))


def _floor_divide(x: Any, y: Any) -> Any:
    if _is_integer(x):
        safe = _nonzero(y)
        quotient = lax.div(x, safe)
        low = _signs_differ(lax.rem(x, safe), y).astype(x.dtype)
        return jnp.where(y == 0, jnp.zeros_like(x), quotient - low)
    remainder = lax.rem(x, y)
    # x - remainder is a multiple of y, and its quotient an integer but for rounding
    quotient = (x - remainder) / y - _signs_differ(remainder, y).astype(x.dtype)
    whole = lax.floor(quotient)
    whole = jnp.where(quotient - whole > 0.5, whole + 1, whole)
    signed = jnp.where(quotient == 0, jnp.copysign(jnp.zeros_like(x), x / y), whole)
    return jnp.where(y == 0, x / y, signed)


def _remainder(x: Any, y: Any) -> Any:
    if _is_integer(x):
        remainder = lax.rem(x, _nonzero(y))
        fitted = jnp.where(_signs_differ(remainder, y), remainder + y, remainder)
        return jnp.where(y == 0, jnp.zeros_like(x), fitted)
    # Of small divisors the remainder may be below the normal range where its sum with them is not.
    info = jnp.finfo(x.dtype)
    up = 2.0 ** (info.nmant + 3)
    small = (lax.abs(y) < float(info.tiny) * up) & (lax.abs(x) < float(info.max) / up)
    scale = jnp.where(small, up, 1.0).astype(x.dtype)
    divisor = y * scale
    remainder = lax.rem(x * scale, divisor)
    fitted = jnp.where(_signs_differ(remainder, divisor), remainder + divisor, remainder)
    fitted = fitted * jnp.where(small, 1.0 / up, 1.0).astype(x.dtype)
    return jnp.where(remainder == 0, jnp.copysign(remainder, y), fitted)


def _fmod(x: Any, y: Any) -> Any:
    if _is_integer(x):
        return jnp.where(y == 0, jnp.zeros_like(x), lax.rem(x, _nonzero(y)))
    return lax.rem(x, y)


floor_divide = elementwise(
    "floor_divide",
    _floor_divide,
    [None, None],
    promotion=DIVISION,
    domains=_DOMAINS,
    reference=np.floor_divide,
    conventions=[
        Convention(
            (2.0, 1.0), (0.0, 0.0), "zero everywhere; the jumps are left out", point="at multiples"
        ),
    ],
    formula="⌊x / y⌋",
)
remainder = elementwise(
    "remainder",
    _remainder,
    [lambda g: g, lambda g, x, y: neg(mul(g, floor_divide(x, y)))],
    promotion=DIVISION,
    domains=_DOMAINS,
    reference=np.remainder,
    conventions=[
        Convention(
            (2.0, 1.0),
            (1.0, -2.0),
            "x - n y with the quotient n that is taken there",
            point="at multiples",
        ),
        Convention((1.0, 0.0), (1.0, -INF), "the quotient is infinite"),
    ],
    formula="x - y ⌊x / y⌋",
)
fmod = elementwise(
    "fmod",
    _fmod,
    [lambda g: g, lambda g, x, y, out: neg(mul(g, rint(div(sub(x, out), y))))],
    promotion=DIVISION,
    domains=_DOMAINS,
    reference=np.fmod,
    conventions=[
        Convention(
            (2.0, 1.0),
            (1.0, -2.0),
            "x - n y with the quotient n that is taken there",
            point="at multiples",
        ),
        Convention((1.0, 0.0), (1.0, NAN), "the result is NaN"),
    ],
    formula="x - y trunc(x / y)",
)
