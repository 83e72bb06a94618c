"""Kernels of logarithms and the inverse hyperbolic tangent that are accurate everywhere.

Measured against mpmath, XLA's ``log1p`` is 110 units in the last place off near -0.4; ``atanh`` and
the logarithm of complex numbers contain it. See also :mod:`fad.primitives.precise`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.primitives.precise import LN2, is_complex, upper_half, widened


def split_exponent(x: Any) -> tuple[Any, Any]:
    """``(m, k)`` with x = m * 2**k and m in [sqrt(1/2), sqrt(2)), for normal positive ``x``."""
    info = jnp.finfo(x.dtype)
    bits = np.dtype(f"int{info.bits}").type
    whole = lax.bitcast_convert_type(x, bits)
    # Adding the distance from sqrt(1/2) to 1 carries into the exponent where the mantissa is large.
    offset = bits(np.asarray(1.0, x.dtype).view(bits) - np.asarray(0.5**0.5, x.dtype).view(bits))
    shifted = whole + offset
    bias = bits(1 - info.minexp)
    k = lax.shift_right_arithmetic(shifted, bits(info.nmant)) - bias
    m = lax.bitcast_convert_type(whole - lax.shift_left(k, bits(info.nmant)), x.dtype)
    return m, lax.convert_element_type(k, x.dtype)


@widened
def log1p(x: Any) -> Any:
    """log(1 + x); the compiler's is inaccurate for x < -1/4 only, where -x / (1 + x) serves."""
    if is_complex(x):
        a, b = lax.real(x), lax.imag(x)
        direct = lax.log(lax.complex(1.0 + a, b))  # near -1, where the sum is exact, and far out
        size = lax.max(lax.abs(1.0 + a), lax.abs(b))
        ordinary = (size > 0.5) & (size < 1e3)
        square = jnp.where(ordinary, a * (2.0 + a) + b * b, 0.0)
        return lax.complex(
            jnp.where(ordinary, 0.5 * log1p(square), lax.real(direct)), lax.imag(direct)
        )
    low = (x < -0.25) & (x >= -1.0)
    value = lax.log1p(jnp.where(low, -x / (1.0 + x), x))
    return jnp.where(low, -value, value)


def log(x: Any) -> Any:
    """The logarithm; the compiler's, of complex numbers, is 45 units off at magnitudes near 3/4.

    There, and up to 2, by log1p of the square less 1, as W. Kahan's CLOG ("Branch cuts for
    complex elementary functions", in The State of the Art in Numerical Analysis, 1987).
    """
    if not is_complex(x):
        return lax.log(x)
    a, b = lax.abs(lax.real(x)), lax.abs(lax.imag(x))
    large, small = lax.max(a, b), lax.min(a, b)
    near = (large > 0.5) & (large < 2.0)
    # The squares of the upper halves are exact, and so is what remains of them when they cancel.
    h, k = upper_half(large), upper_half(small)
    less_1 = ((h * h - 1.0) + k * k) + ((large - h) * (large + h) + (small - k) * (small + k))
    ratio = jnp.where(large == 0, 0.0, small / large)
    rest = 0.5 * log1p(jnp.where(near, less_1, ratio * ratio))
    return lax.complex(
        lax.log(jnp.where(near, 1.0, large)) + rest, lax.atan2(lax.imag(x), lax.real(x))
    )


def _times(x: Any, factor: float) -> Any:
    """A complex ``x`` times a real number; as a complex one it would turn infinities to NaN."""
    return lax.complex(lax.real(x) * factor, lax.imag(x) * factor)


def _normal(x: Any) -> Any:
    return (x >= jnp.finfo(x.dtype).tiny) & (x < jnp.inf)


@widened
def log2(x: Any) -> Any:
    """The logarithm to base 2; exact for powers of 2."""
    if is_complex(x):
        return _times(log(x), 1.0 / LN2)
    m, k = split_exponent(x)
    return jnp.where(_normal(x), k + lax.log(m) / LN2, lax.log(x) / LN2)


_LOG10_2 = {  # upper part, of which small multiples are exact, and the rest
    8: (3.01029995663611771306e-01, 3.69423907715893078616e-13),
    4: (3.0102920532226562500e-01, 7.9034151667538935388e-07),
}


@widened
def log10(x: Any) -> Any:
    """The logarithm to base 10; exact for powers of 10."""
    if is_complex(x):
        return _times(log(x), 1.0 / math.log(10.0))
    m, k = split_exponent(x)
    high, low = _LOG10_2[x.dtype.itemsize]
    inverse = 1.0 / math.log(10.0)
    value = (k * low + lax.log(m) * inverse) + k * high
    return jnp.where(_normal(x), value, lax.log(x) * inverse)


@widened
def arctanh(x: Any) -> Any:
    """The inverse hyperbolic tangent."""
    if is_complex(x):
        return lax.atanh(x)
    a = lax.abs(x)
    return jnp.copysign(0.5 * log1p(2.0 * a / (1.0 - a)), x)
