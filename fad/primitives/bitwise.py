"""Bits of integers, and their divisors."""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core import dtypes
from fad.primitives.declare import Promotion, elementwise

BITS = Promotion(allowed="biu")
SHIFT = Promotion(compute=lambda d: np.dtype(np.int8) if d == dtypes.bool_ else d, allowed="biu")
INTEGERS = Promotion(allowed="iu")
_COUNT = Promotion(
    compute=lambda d: np.dtype(np.uint8) if d.kind == "b" else d,
    result=lambda d: np.dtype(np.uint8),
    allowed="biu",
)
_AMOUNTS = ((-9.0, 9.0), (0.0, 9.0))

bitwise_and = elementwise(
    "and",
    lax.bitwise_and,
    None,
    arity=2,
    promotion=BITS,
    reference=np.bitwise_and,
    formula="x & y",
)
bitwise_or = elementwise(
    "or",
    lax.bitwise_or,
    None,
    arity=2,
    promotion=BITS,
    reference=np.bitwise_or,
    formula="x | y",
)
bitwise_xor = elementwise(
    "xor",
    lax.bitwise_xor,
    None,
    arity=2,
    promotion=BITS,
    reference=np.bitwise_xor,
    formula="x ^ y",
)
invert = elementwise(
    "not",
    lax.bitwise_not,
    None,
    promotion=BITS,
    reference=np.invert,
    formula="~x",
)


def _width(x: Any) -> int:
    return 8 * int(x.dtype.itemsize)


def _right_shift(x: Any, n: Any) -> Any:
    signed = bool(jnp.issubdtype(x.dtype, jnp.signedinteger))
    shift = lax.shift_right_arithmetic if signed else lax.shift_right_logical
    outside = (n < 0) | (n >= _width(x))
    shifted = shift(x, jnp.where(outside, jnp.zeros_like(n), n))
    return jnp.where(outside, jnp.where(x < 0, ~jnp.zeros_like(x), jnp.zeros_like(x)), shifted)


def _left_shift(x: Any, n: Any) -> Any:
    outside = (n < 0) | (n >= _width(x))
    shifted = lax.shift_left(x, jnp.where(outside, jnp.zeros_like(n), n))
    return jnp.where(outside, jnp.zeros_like(x), shifted)


left_shift = elementwise(
    "left_shift", _left_shift, None, arity=2, promotion=SHIFT, domains=_AMOUNTS,
    reference=np.left_shift,
 formula="x << y",)  # fmt: skip
right_shift = elementwise(
    "right_shift", _right_shift, None, arity=2, promotion=SHIFT, domains=_AMOUNTS,
    reference=np.right_shift,
 formula="x >> y",)  # fmt: skip


def _magnitude(x: Any) -> Any:
    return lax.abs(x) if jnp.issubdtype(x.dtype, jnp.signedinteger) else x


bitwise_count = elementwise(
    "bitwise_count",
    lambda x: lax.convert_element_type(lax.population_count(_magnitude(x)), jnp.uint8),
    None,
    promotion=_COUNT,
    reference=np.bitwise_count,
)
gcd = elementwise("gcd", jnp.gcd, None, arity=2, promotion=INTEGERS, reference=np.gcd)
lcm = elementwise("lcm", jnp.lcm, None, arity=2, promotion=INTEGERS, reference=np.lcm)
