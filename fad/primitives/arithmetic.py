"""Arithmetic: the elementwise operations behind the operators, and roots."""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core import dtypes
from fad.core.config import is_zero_strong
from fad.core.tensor import aval_of
from fad.primitives import annex_g, precise
from fad.primitives.declare import (
    INEXACT,
    INF,
    NAN,
    REAL_INEXACT,
    SAME,
    TO_REAL,
    Convention,
    Promotion,
    Sample,
    elementwise,
    elementwise_samples,
)

NUMERIC = Promotion(allowed="iufc")  # NumPy has no boolean minus

_INT8 = np.dtype(np.int8)
COUNTING = Promotion(compute=lambda d: _INT8 if d == dtypes.bool_ else d)
"""For operations whose results on booleans NumPy gives as int8."""

QUOTIENT = Promotion(compute=lambda d: d if dtypes.is_inexact(d) else dtypes.float64)
"""NumPy divides integers of any size in float64."""


def is_complex(x: Any) -> bool:
    """Whether an operand is complex."""
    return aval_of(x).dtype.kind == "c"


def _on_booleans(boolean: Any, number: Any) -> Any:
    """A kernel that treats booleans as NumPy's + and * do: as logical or, and."""
    return lambda x, y: boolean(x, y) if x.dtype == jnp.bool_ else number(x, y)


add = elementwise(
    "add",
    _on_booleans(lax.bitwise_or, lax.add),
    [lambda g: g, lambda g: g],
    reference=np.add,
    formula="x + y",
)
sub = elementwise(
    "sub",
    lax.sub,
    [lambda g: g, lambda g: neg(g)],
    promotion=NUMERIC,
    reference=np.subtract,
    formula="x - y",
)
mul: Any = elementwise(
    "mul",
    _on_booleans(lax.bitwise_and, lax.mul),
    [lambda g, y: mul(g, y), lambda g, x: mul(g, x)],
    reference=np.multiply,
    formula="x y",
)


def _strong_mul(x: Any, y: Any) -> Any:
    zero = jnp.zeros_like(x)
    return lax.select(lax.bitwise_or(lax.eq(x, zero), lax.eq(y, zero)), zero, lax.mul(x, y))


strong_mul: Any = elementwise(
    "strong_mul",
    _strong_mul,
    [lambda g, y: strong_mul(g, y), lambda g, x: strong_mul(g, x)],
    strong=True,
    promotion=Promotion(allowed="fc"),
    reference=np.multiply,
    formula="x y, and 0 where either is 0",
)
"""x * y, and 0 where either is 0, whatever the other is. So are its derivatives."""


def times(g: Any, partial: Any) -> Any:
    """A tangent or cotangent times a partial derivative, which may be infinite or NaN."""
    return strong_mul(g, partial) if is_zero_strong() else mul(g, partial)


def over(g: Any, divisor: Any) -> Any:
    """The same over a divisor, which may be 0 or NaN."""
    return strong_mul(g, div(1.0, divisor)) if is_zero_strong() else div(g, divisor)


def _div(x: Any, y: Any) -> Any:
    # XLA divides by a broadcast scalar as it multiplies by its reciprocal, which rounds twice (and
    # underflows). Behind a choice it does not see the broadcast. A sum of quotients it takes apart,
    # into arrays of dividends and of divisors, unless the quotient is a choice as well.
    is_nan = lax.ne(x, x)
    quotient = lax.div(x, lax.select(is_nan, x, y))
    return quotient if jnp.iscomplexobj(x) else lax.select(is_nan, x, quotient)


div: Any = elementwise(
    "div",
    _div,
    [lambda g, y: div(g, y), lambda g, y, out: neg(div(mul(g, out), y))],
    promotion=QUOTIENT,
    domains=((-3.0, 3.0), (0.5, 3.0)),
    reference=np.true_divide,
    conventions=[
        Convention((1.0, 0.0), (INF, -INF), "1 / y and -x / y**2"),
        Convention((0.0, 0.0), (INF, NAN), "1 / y, and 0 / 0"),
    ],
    formula="x / y",
)
neg: Any = elementwise(
    "neg",
    lax.neg,
    [lambda g: neg(g)],
    promotion=NUMERIC,
    reference=np.negative,
    formula="-x",
)


# ---------------------------------------------------------------------------- sign and magnitude


def _sign(x: Any) -> Any:
    """As NumPy's, +0 at both zeros."""
    return lax.select(x == 0, jnp.zeros_like(x), jnp.sign(x))


absolute = elementwise(
    "abs",
    annex_g.absolute,
    [lambda g, x: mul(g, conj(sign(x)))],  # 0 at 0
    promotion=TO_REAL,
    reference=np.abs,
    conventions=[
        Convention((0.0,), (0.0,), "the middle of the subgradients; so it is for complex numbers"),
    ],
    formula="|x|",
)

_real_sign = elementwise(
    "sign",
    _sign,
    [None],
    promotion=Promotion(allowed="iuf"),
    samples=lambda: [
        *elementwise_samples(((-3.0, 3.0),), SAME),
        Sample((np.array([-1.5, 0.0, 2.5]),)),
    ],
    reference=np.sign,
    conventions=[
        Convention((0.0,), (0.0,), "zero wherever it is defined; the jump is left out"),
    ],
    formula="-1, 0 or 1",
)


def _turned(g: Any, direction: Any, x: Any) -> Any:
    """``g`` without its part along ``direction``, over the distance of ``x`` from 0."""
    across = imag(mul(g, conj(direction)))
    return div(mul(times_i(direction), across), absolute(x))


_complex_sign = elementwise(
    "complex_sign",
    annex_g.direction,
    [lambda g, x, out: _turned(g, conj(out), x)],
    forwards=[lambda g, x, out: _turned(g, out, x)],
    promotion=Promotion(allowed="fc"),
    samples=lambda: [
        *elementwise_samples(((-3.0, 3.0),), SAME),
        Sample((np.array([3.0 - 4.0j, -1.0 + 0.5j, 2.0j]),)),
    ],
    reference=np.sign,
    oracle=lambda x: x / jnp.abs(x),  # the compiler's own has no derivative
    conventions=[
        Convention((0j,), (complex(NAN, NAN),), "every direction has another limit"),
    ],
    formula="x / |x|, and 0 at 0",
)


def sign(x: Any) -> Any:
    """-1, 0 or 1 with zero derivative; x / abs(x) for complex numbers."""
    return _complex_sign(x) if is_complex(x) else _real_sign(x)


# ------------------------------------------------------------------------------ powers and roots

square = elementwise(
    "square",
    lax.square,
    [lambda g, x: mul(g, mul(x, 2.0))],
    promotion=COUNTING,
    reference=np.square,
    formula="x**2",
)


def _reciprocal(x: Any) -> Any:
    one = jnp.ones_like(x)
    return lax.div(one, x) if jnp.issubdtype(x.dtype, jnp.inexact) else lax.div(one, x + (x == 0))


reciprocal = elementwise(
    "reciprocal",
    _reciprocal,
    [lambda g, out: neg(mul(mul(g, out), out))],
    promotion=COUNTING,
    domains=((0.5, 3.0),),
    reference=np.reciprocal,
    conventions=[
        Convention((0.0,), (-INF,), "-1 / x**2"),
    ],
    formula="1 / x",
)
sqrt = elementwise(
    "sqrt",
    annex_g.sqrt,
    [lambda g, out: div(mul(g, 0.5), out)],
    promotion=INEXACT,
    domains=((0.1, 3.0),),
    reference=np.sqrt,
    conventions=[
        Convention(
            (0.0,), (INF,), "the one-sided limit; see strong zero for where it is not chosen"
        ),
    ],
    formula="√x",
)
rsqrt = elementwise(
    "rsqrt",
    lax.rsqrt,
    [lambda g, x, out: mul(mul(g, -0.5), div(out, x))],  # out**3 could overflow
    promotion=INEXACT,
    domains=((0.1, 3.0),),
    reference=lambda x: 1.0 / np.sqrt(x),
    conventions=[
        Convention((0.0,), (-INF,), "the one-sided limit"),
    ],
    formula="1 / √x",
)
cbrt = elementwise(
    "cbrt",
    precise.cbrt,
    [lambda g, out: div(g, mul(square(out), 3.0))],
    promotion=REAL_INEXACT,
    domains=((0.1, 3.0),),
    reference=np.cbrt,
    conventions=[
        Convention((0.0,), (INF,), "the limit from both sides"),
    ],
    formula="∛x",
)


from fad.primitives.complexes import conj, imag, times_i  # noqa: E402
