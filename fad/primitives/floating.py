"""Rounding, the parts of floating-point numbers, and questions about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core import dtypes
from fad.core.aval import Aval, make_aval
from fad.core.dtypes import DType
from fad.core.errors import FadTypeError, located
from fad.primitives.arithmetic import neg
from fad.primitives.comparison import eq, keep_where, select
from fad.primitives.declare import (
    COMPARE,
    INEXACT,
    REAL_INEXACT,
    SAME,
    Convention,
    Promotion,
    Sample,
    broadcast_shapes,
    elementwise,
    elementwise_samples,
)
from fad.primitives.precise import is_complex, scaled

REAL = Promotion(allowed="biuf")
REAL_TO_BOOL = Promotion(result=lambda d: dtypes.bool_, allowed="biuf")


def _float_only(kernel: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A rounding kernel; integers and booleans are round already."""
    return lambda x: kernel(x) if jnp.issubdtype(x.dtype, jnp.inexact) else x


def _trunc(x: Any) -> Any:
    return jnp.where(x < 0, lax.ceil(x), lax.floor(x))


def _to_even(x: Any) -> Any:
    if is_complex(x):
        return lax.complex(_to_even(lax.real(x)), _to_even(lax.imag(x)))
    return lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN)


_JUMPS_AT_INTEGERS = [
    Convention((1.0,), (0.0,), "zero everywhere; the jump is left out", point="at integers")
]

floor = elementwise(
    "floor",
    _float_only(lax.floor),
    [None],
    promotion=REAL,
    reference=np.floor,
    conventions=_JUMPS_AT_INTEGERS,
)
ceil = elementwise(
    "ceil",
    _float_only(lax.ceil),
    [None],
    promotion=REAL,
    reference=np.ceil,
    conventions=_JUMPS_AT_INTEGERS,
)
trunc = elementwise(
    "trunc",
    _float_only(_trunc),
    [None],
    promotion=REAL,
    reference=np.trunc,
    conventions=_JUMPS_AT_INTEGERS,
)
round_to_even = elementwise(
    "round",
    _float_only(_to_even),
    [None],
    reference=np.round,
    conventions=[
        Convention(
            (0.5,),
            (0.0,),
            "zero everywhere; the jump is left out",
            point="halfway between integers",
        ),
    ],
)
rint = elementwise(
    "rint",
    _to_even,
    [None],
    promotion=INEXACT,
    reference=np.rint,
    conventions=[
        Convention(
            (0.5,),
            (0.0,),
            "zero everywhere; the jump is left out",
            point="halfway between integers",
        ),
    ],
    formula="the nearest integer, halves to even",
)


# ------------------------------------------------------------------------------------- questions


def _question(real: Callable[[Any], Any], combine: Any, of_integers: bool) -> Callable[[Any], Any]:
    """A kernel that asks about both parts of complex numbers; integers are neither inf nor NaN."""

    def kernel(x: Any) -> Any:
        if is_complex(x):
            return combine(real(lax.real(x)), real(lax.imag(x)))
        if jnp.issubdtype(x.dtype, jnp.floating):
            return real(x)
        return jnp.full(x.shape, of_integers)

    return kernel


def _samples_special() -> list[Sample]:
    special = Sample((np.array([np.nan, 1.0, np.inf, -np.inf, 2.0]),))
    return [*elementwise_samples(((-3.0, 3.0),), SAME), special]


isnan = elementwise(
    "isnan", _question(jnp.isnan, lax.bitwise_or, False), None, promotion=COMPARE,
    samples=_samples_special, reference=np.isnan,
)  # fmt: skip
isinf = elementwise(
    "isinf", _question(jnp.isinf, lax.bitwise_or, False), None, promotion=COMPARE,
    samples=_samples_special, reference=np.isinf,
)  # fmt: skip
isfinite = elementwise(
    "isfinite", _question(lax.is_finite, lax.bitwise_and, True), None, promotion=COMPARE,
    samples=_samples_special, reference=np.isfinite,
)  # fmt: skip
signbit = elementwise(
    "signbit",
    lambda x: jnp.signbit(x) if jnp.issubdtype(x.dtype, jnp.floating) else x < 0,
    None,
    promotion=REAL_TO_BOOL,
    samples=lambda: [
        *elementwise_samples(((-3.0, 3.0),), SAME),
        Sample((np.array([-1.5, -0.0, 2.5]),)),
    ],
    reference=np.signbit,
)


# -------------------------------------------------------------------------- signs and neighbours

copysign = elementwise(
    "copysign",
    jnp.copysign,
    [lambda g, x, y: select(eq(signbit(x), signbit(y)), g, neg(g)), None],
    promotion=REAL_INEXACT,
    reference=np.copysign,
    strong=True,
    conventions=[
        Convention((0.0, 1.0), (1.0, 0.0), "0 counts as positive"),
        Convention((-0.0, 1.0), (-1.0, 0.0), "-0 counts as negative"),
        Convention((1.0, 0.0), (1.0, 0.0), "zero in y; the jump is left out"),
        Convention((1.0, -0.0), (-1.0, 0.0), "zero in y; the jump is left out"),
    ],
)
nextafter = elementwise(
    "nextafter",
    lambda x, y: lax.nextafter(x, y),
    [lambda g: g, None],
    promotion=REAL_INEXACT,
    reference=np.nextafter,
    oracle=lambda x, y: x,
    conventions=[
        Convention(
            (1.0, 2.0),
            (1.0, 0.0),
            "x up to rounding; where it steps to is left out",
            point="everywhere",
        ),
    ],
)
spacing = elementwise(
    "spacing",
    lambda x: jnp.copysign(lax.nextafter(lax.abs(x), jnp.full_like(x, jnp.inf)) - lax.abs(x), x),
    [None],
    promotion=REAL_INEXACT,
    samples=lambda: [
        *elementwise_samples(((-3.0, 3.0),), SAME),
        Sample((np.array([-1e-3, 0.5, 1e5]),)),
    ],
    reference=np.spacing,
    oracle=jnp.zeros_like,
)


def _samples_of_a_step() -> list[Sample]:
    """With the step itself, where alone there is a derivative."""
    x, y = np.array([0.0, -1.3, 0.0, 2.1]), np.array([0.4, -0.5, 1.5, 2.0])
    return [
        Sample((x, y)),
        Sample((x[:, None], y)),
        Sample((np.array(0.0), y)),
        Sample((np.zeros((0, 2)), np.zeros(2))),
    ]


heaviside = elementwise(
    "heaviside",
    lambda x, y: jnp.where(x == 0, y, jnp.where(jnp.isnan(x), x, (x > 0).astype(x.dtype))),
    [None, lambda g, x: keep_where(eq(x, 0.0), g)],
    promotion=REAL_INEXACT,
    samples=_samples_of_a_step,
    reference=np.heaviside,
    strong=True,
    conventions=[
        Convention((0.0, 0.5), (0.0, 1.0), "it is y there; the jump in x is left out"),
    ],
)


# ---------------------------------------------------------------------- exponents and mantissas


class _Scaling(Promotion):
    """The first operand is a float, the second stays the integer that it is."""

    def operands(self, avals: tuple[Aval, ...]) -> tuple[DType, ...]:
        return dtypes.inexact_of(avals[0].dtype), avals[1].dtype

    def infer(self, name: str, avals: tuple[Aval, ...]) -> Aval:
        if dtypes.kind(avals[0].dtype) not in "biuf" or dtypes.kind(avals[1].dtype) not in "biu":
            raise FadTypeError(
                located(
                    f"{name} takes a real number and an integer exponent, not {avals[0].dtype} and "
                    f"{avals[1].dtype}. Write x * 2.0**n for other exponents."
                )
            )
        shape = broadcast_shapes(name, [a.shape for a in avals])
        return make_aval(shape, dtypes.inexact_of(avals[0].dtype))


ldexp: Any = elementwise(
    "ldexp",
    scaled,
    [lambda g, y: ldexp(g, y), None],
    promotion=_Scaling(),
    samples=lambda: [
        Sample((np.array([1.5, -2.0, 0.0]), np.array([3, -1, 7]))),
        Sample((np.ones((2, 1)), np.arange(3))),
        Sample((np.float64(0.7), np.int64(2))),
        Sample((np.ones((0, 2)), np.arange(2))),
    ],
    reference=np.ldexp,
    oracle=lambda x, n: x * jnp.exp2(n),
    strong=True,
)


def _exponent(x: Any) -> Any:
    """Exponents as frexp has them; those of subnormal numbers from their digits."""
    wide = lax.convert_element_type(x, jnp.float32) if x.dtype.itemsize == 2 else x
    return jnp.frexp(wide)[1].astype(jnp.int32)


exponent = elementwise(
    "exponent",
    _exponent,
    None,
    promotion=Promotion(
        compute=dtypes.inexact_of, result=lambda d: np.dtype(np.int32), allowed="biuf"
    ),
    reference=lambda x: np.frexp(x)[1],
    formula="the n with 2**(n - 1) <= |x| < 2**n",
)
