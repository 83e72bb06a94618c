"""Kernels of complex functions with the values of Annex G of C99 at infinities, NaN and zeros.

Where both parts are finite the compiler's complex functions are accurate. Where one is infinite or
NaN they mostly give NaN, although the other part may say all there is to say (the exponential of
``-inf + 1j * inf`` is 0), and they ignore the sign of a zero imaginary part, which chooses the side
of a cut further on. The array API standard demands the values of Annex G (sections G.6.1 to G.6.4).

Each *correction* below takes the parts of the operand and those of what a kernel found, and gives
the parts of the result. Real operands never see one.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from jax import lax
from jax import numpy as jnp

from fad.primitives import logarithms, precise
from fad.primitives.precise import Kernel, is_complex

Parts = tuple[Any, Any]
Correction = Callable[[Any, Any, Any, Any], Parts]

_INF = math.inf
_NAN = math.nan
_RIGHT_ANGLE = math.pi / 2


def _corrected(correction: Correction, kernel: Kernel) -> Kernel:
    """``kernel``, corrected where the operand is complex."""

    @functools.wraps(kernel)
    def run(x: Any) -> Any:
        if not is_complex(x):
            return kernel(x)
        value = kernel(x)
        parts = lax.real(x), lax.imag(x), lax.real(value), lax.imag(value)
        return lax.complex(*correction(*parts))

    return run


def _turned(kernel: Kernel, turn_back: bool = True) -> Kernel:
    """f(x) = -i g(i x), for trigonometric functions f and hyperbolic g; without -i for cosines."""

    def run(x: Any) -> Any:
        value = kernel(lax.complex(-lax.imag(x), lax.real(x)))
        return lax.complex(lax.imag(value), -lax.real(value)) if turn_back else value

    return run


def _by_kind(real: Kernel, complex_: Kernel) -> Kernel:
    return lambda x: complex_(x) if is_complex(x) else real(x)


def _lost(part: Any) -> Any:
    """Whether a part says nothing of a direction: it is infinite or NaN."""
    return ~jnp.isfinite(part)


# -------------------------------------------------------------------- exponentials and logarithms


def _exponential(floor: float) -> Correction:
    """For functions that behave like exp, with the limit ``floor`` at minus infinity."""

    def correction(a: Any, b: Any, real: Any, imag: Any) -> Parts:
        lost = _lost(b)
        real = jnp.where(lost & jnp.isinf(a), jnp.where(a < 0, floor, _INF), real)
        imag = jnp.where(lost & (a == -_INF), jnp.copysign(0.0, b), imag)
        return real, jnp.where(b == 0, b, imag)

    return correction


def _complex_expm1(x: Any) -> Any:
    """exp(a) cos(b) - 1 = expm1(a) cos(b) - 2 sin(b / 2)**2, which does not cancel near 0."""
    a, b = lax.real(x), lax.imag(x)
    half = lax.sin(0.5 * b)
    real = precise.expm1(a) * lax.cos(b) - 2.0 * half * half
    # The standard has +0 for both zeros.
    return lax.complex(jnp.where(real == 0, 0.0, real), lax.exp(a) * lax.sin(b))


def _logarithm(a: Any, b: Any, real: Any, imag: Any) -> Parts:
    return jnp.where(jnp.isinf(a) | jnp.isinf(b), _INF, real), imag


exp = _corrected(_exponential(0.0), precise.exp)
exp2 = _corrected(_exponential(0.0), precise.exp2)
expm1 = _corrected(_exponential(-1.0), _by_kind(precise.expm1, _complex_expm1))
log = _corrected(_logarithm, logarithms.log)
log1p = _corrected(_logarithm, logarithms.log1p)
log2 = _corrected(_logarithm, logarithms.log2)
log10 = _corrected(_logarithm, logarithms.log10)


# ------------------------------------------------------------- roots, magnitude and direction


def _root(a: Any, b: Any, real: Any, imag: Any) -> Parts:
    lost = jnp.isnan(b)
    real = jnp.where(jnp.isinf(b) | (lost & (a == _INF)), _INF, real)
    imag = jnp.where(lost & (a == -_INF), _INF, imag)
    return real, jnp.where(jnp.isinf(b), b, imag)


sqrt = _corrected(_root, precise.sqrt)


def absolute(x: Any) -> Any:
    """The magnitude, infinite if one part is, whatever the other is."""
    if not is_complex(x):
        return x if x.dtype.kind in "bu" else lax.abs(x)
    return jnp.where(jnp.isinf(lax.real(x)) | jnp.isinf(lax.imag(x)), _INF, lax.abs(x))


def direction(x: Any) -> Any:
    """x / abs(x); +0 at all complex zeros, along the axis if just one part is infinite.

    That is NumPy's choice: Annex G says nothing of it.
    """
    if not is_complex(x):
        return lax.sign(x)
    a, b = lax.real(x), lax.imag(x)
    along, across = jnp.isinf(a) & ~jnp.isinf(b), jnp.isinf(b) & ~jnp.isinf(a)
    zero = (a == 0) & (b == 0)
    value = lax.sign(x)
    real = jnp.where(along, lax.sign(a), jnp.where(across | zero, 0.0, lax.real(value)))
    imag = jnp.where(across, lax.sign(b), jnp.where(along | zero, 0.0, lax.imag(value)))
    return lax.complex(real, imag)


# ------------------------------------------------------- hyperbolic and trigonometric functions


def _hyperbolic_sine(a: Any, b: Any, real: Any, imag: Any) -> Parts:
    real = jnp.where(_lost(b) & ((a == 0) | jnp.isinf(a)), a, real)
    return real, jnp.where(b == 0, b, imag)


def _hyperbolic_cosine(a: Any, b: Any, real: Any, imag: Any) -> Parts:
    lost = _lost(b)
    imag = jnp.where(lost & (a == 0), a, imag)
    imag = jnp.where(b == 0, jnp.where(jnp.signbit(a), -b, b), imag)
    return jnp.where(lost & jnp.isinf(a), _INF, real), imag


def _hyperbolic_tangent(a: Any, b: Any, real: Any, imag: Any) -> Parts:
    # At infinity the array API standard gives the zero the sign of b, Annex G that of sin(2 b).
    imag = jnp.where(jnp.isinf(a), jnp.copysign(0.0, b), imag)
    return jnp.where(_lost(b) & (a == 0), a, real), jnp.where(b == 0, b, imag)


sinh = _corrected(_hyperbolic_sine, precise.sinh)
cosh = _corrected(_hyperbolic_cosine, precise.cosh)
tanh = _corrected(_hyperbolic_tangent, lax.tanh)
sin = _by_kind(lax.sin, _turned(sinh))
cos = _by_kind(lax.cos, _turned(cosh, turn_back=False))
tan = _by_kind(lax.tan, _turned(tanh))


# ----------------------------------------------------------------------------------- their inverses


def _arc_cosine(a: Any, b: Any, real: Any, imag: Any) -> Parts:
    lost = jnp.isnan(b) & jnp.isfinite(a)
    real = jnp.where(lost, jnp.where(a == 0, _RIGHT_ANGLE, _NAN), real)
    return real, jnp.where(lost, _NAN, imag)


def _area_cosine(a: Any, b: Any, real: Any, imag: Any) -> Parts:
    lost = jnp.isnan(b) & jnp.isfinite(a)
    imag = jnp.where(lost, jnp.where(a == 0, _RIGHT_ANGLE, _NAN), imag)
    return jnp.where(lost, _NAN, real), imag


def _area_sine(a: Any, b: Any, real: Any, imag: Any) -> Parts:
    lost = jnp.isnan(a) & jnp.isfinite(b)
    imag = jnp.where(lost, jnp.where(b == 0, b, _NAN), imag)
    return jnp.where(lost, _NAN, real), imag


def _area_tangent(a: Any, b: Any, real: Any, imag: Any) -> Parts:
    # Odd in both parts: the signs are the operand's, and so is the side of the cut.
    lost = jnp.isnan(a) | jnp.isnan(b)
    vanishes = jnp.isinf(a) | jnp.isinf(b) | (a == 0)
    real = jnp.where(lost, jnp.where(vanishes, 0.0, _NAN), real)
    imag = jnp.where(lost, jnp.where(jnp.isinf(b), _RIGHT_ANGLE, _NAN), imag)
    return jnp.copysign(real, a), jnp.copysign(imag, b)


arccos = _corrected(_arc_cosine, precise.arccos)
arccosh = _corrected(_area_cosine, precise.arccosh)
arcsinh = _corrected(_area_sine, precise.arcsinh)
arctanh = _corrected(_area_tangent, logarithms.arctanh)
arcsin = _by_kind(precise.arcsin, _turned(arcsinh))
arctan = _by_kind(lax.atan, _turned(arctanh))
