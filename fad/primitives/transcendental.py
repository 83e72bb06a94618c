"""Exponentials, logarithms, trigonometric, hyperbolic and error functions.

Every derivative is written in the form that keeps its digits over the whole domain: tanh'(20) is
1.7e-17, where 1 - tanh(20)**2 is 0.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.primitives import annex_g, logarithms, precise, tails
from fad.primitives.arithmetic import add, div, is_complex, mul, neg, square
from fad.primitives.complexes import times_i
from fad.primitives.declare import INEXACT, INF, REAL_INEXACT, Convention, elementwise
from fad.primitives.polar import hypot

_POSITIVE = ((0.1, 3.0),)
_UNIT = ((-0.9, 0.9),)

# -------------------------------------------------------------------- exponentials and logarithms

exp = elementwise(
    "exp", annex_g.exp, [lambda g, out: mul(g, out)], promotion=INEXACT, reference=np.exp
)
exp2 = elementwise(
    "exp2",
    annex_g.exp2,
    [lambda g, out: mul(g, mul(out, precise.LN2))],
    promotion=INEXACT,
    reference=np.exp2,
)
expm1 = elementwise(
    "expm1",
    annex_g.expm1,
    [lambda g, x: mul(g, exp(x))],  # not expm1(x) + 1, which loses exp(-40)
    promotion=INEXACT,
    reference=np.expm1,
)
log = elementwise(
    "log",
    annex_g.log,
    [lambda g, x: div(g, x)],
    promotion=INEXACT,
    domains=_POSITIVE,
    reference=np.log,
    conventions=[
        Convention((0.0,), (INF,), "the one-sided limit"),
    ],
)
log1p = elementwise(
    "log1p",
    annex_g.log1p,
    [lambda g, x: div(g, add(x, 1.0))],
    promotion=INEXACT,
    domains=((-0.9, 3.0),),
    reference=np.log1p,
    conventions=[
        Convention((-1.0,), (INF,), "the one-sided limit"),
    ],
)
log2 = elementwise(
    "log2",
    annex_g.log2,
    [lambda g, x: div(mul(g, 1.0 / math.log(2.0)), x)],
    promotion=INEXACT,
    domains=_POSITIVE,
    reference=np.log2,
    oracle=jnp.log2,
    conventions=[
        Convention((0.0,), (INF,), "the one-sided limit"),
    ],
)
log10 = elementwise(
    "log10",
    annex_g.log10,
    [lambda g, x: div(mul(g, 1.0 / math.log(10.0)), x)],
    promotion=INEXACT,
    domains=_POSITIVE,
    reference=np.log10,
    oracle=jnp.log10,
    conventions=[
        Convention((0.0,), (INF,), "the one-sided limit"),
    ],
)


@precise.widened
def _logaddexp(x: Any, y: Any) -> Any:
    distance = lax.abs(x - y)
    larger = lax.max(x, y)  # where both are the same infinity, the distance is NaN
    return jnp.where(x == y, larger + precise.LN2, larger + logarithms.log1p(lax.exp(-distance)))


@precise.widened
def _logaddexp2(x: Any, y: Any) -> Any:
    ratio = precise.exp2(-lax.abs(x - y))
    larger = lax.max(x, y)
    return jnp.where(x == y, larger + 1.0, larger + logarithms.log1p(ratio) / precise.LN2)


def _share(exponential: Any, scale: float) -> Any:
    """The kernel of exp(x) / (exp(x) + exp(y)); one half where they are equal, even if infinite.

    The exponential magnifies the rounding of the difference, so that is made good.
    """

    def kernel(x: Any, y: Any) -> Any:
        d, lost = precise.difference(y, x)
        ratio = exponential(d)
        return jnp.where(x == y, 0.5, 1.0 / (1.0 + ratio * (1.0 + scale * lost)))

    return precise.widened(kernel)


share: Any = elementwise(
    "share",
    _share(lax.exp, 1.0),
    [
        lambda g, x, y: mul(g, mul(share(x, y), share(y, x))),
        lambda g, x, y: neg(mul(g, mul(share(x, y), share(y, x)))),
    ],
    promotion=REAL_INEXACT,
    formula="e**x / (e**x + e**y)",
)
share2: Any = elementwise(
    "share2",
    _share(precise.exp2, precise.LN2),
    [
        lambda g, x, y: mul(g, mul(mul(share2(x, y), share2(y, x)), precise.LN2)),
        lambda g, x, y: mul(g, mul(mul(share2(x, y), share2(y, x)), -precise.LN2)),
    ],
    promotion=REAL_INEXACT,
    formula="2**x / (2**x + 2**y)",
)
logaddexp = elementwise(
    "logaddexp",
    _logaddexp,
    [lambda g, x, y: mul(g, share(x, y)), lambda g, x, y: mul(g, share(y, x))],
    promotion=REAL_INEXACT,
    reference=np.logaddexp,
    conventions=[
        Convention((-INF, -INF), (0.5, 0.5), "shared evenly, as between any equal operands"),
        Convention((INF, INF), (0.5, 0.5), "shared evenly"),
        Convention((0.0, -INF), (1.0, 0.0), "the limit"),
    ],
)
logaddexp2 = elementwise(
    "logaddexp2",
    _logaddexp2,
    [lambda g, x, y: mul(g, share2(x, y)), lambda g, x, y: mul(g, share2(y, x))],
    promotion=REAL_INEXACT,
    reference=np.logaddexp2,
    conventions=[
        Convention((-INF, -INF), (0.5, 0.5), "shared evenly, as between any equal operands"),
    ],
)

# ------------------------------------------------------------------------- trigonometric functions

sin = elementwise(
    "sin", annex_g.sin, [lambda g, x: mul(g, cos(x))], promotion=INEXACT, reference=np.sin
)
cos: Any = elementwise(
    "cos", annex_g.cos, [lambda g, x: neg(mul(g, sin(x)))], promotion=INEXACT, reference=np.cos
)


def _tan_slope(x: Any, out: Any) -> Any:
    # Of complex numbers, 1 + tan**2 cancels where tan is close to i or -i.
    return sech2(times_i(x)) if is_complex(x) else add(square(out), 1.0)


tan = elementwise(
    "tan",
    annex_g.tan,
    [lambda g, x, out: mul(g, _tan_slope(x, out))],
    promotion=INEXACT,
    domains=((-1.2, 1.2),),
    reference=np.tan,
)


# The derivatives of the inverse functions are primitives, as the derivatives of their factors, such
# as 1 - x and 1 + x, would cancel each other near 0.


def _shifted(x: Any, by: float) -> Any:
    """``x + by``; the sign of a zero imaginary part, which chooses the branch, stays."""
    return lax.complex(lax.real(x) + by, lax.imag(x)) if precise.is_complex(x) else x + by


def _one_less_square(x: Any) -> Any:
    """1 - x**2 of real numbers; by factors near 1, where one of them is exact."""
    return jnp.where(lax.abs(x) < 0.5, 1.0 - x * x, (1.0 - x) * (1.0 + x))


@precise.widened
def _cosine_of_arcsine(x: Any) -> Any:
    if precise.is_complex(x):  # the principal branch
        return precise.sqrt(_shifted(-x, 1.0)) * precise.sqrt(_shifted(x, 1.0))
    return lax.sqrt(_one_less_square(x))


@precise.widened
def _sinh_of_arccosh(x: Any) -> Any:
    return precise.sqrt(_shifted(x, -1.0)) * precise.sqrt(_shifted(x, 1.0))


@precise.widened
def _slope_of_arctan(x: Any) -> Any:
    if precise.is_complex(x):
        return (1.0 / (x - 1j)) * (1.0 / (x + 1j))  # the product could overflow
    return 1.0 / (1.0 + x * x)


@precise.widened
def _slope_of_arctanh(x: Any) -> Any:
    if precise.is_complex(x):
        return (1.0 / (1.0 - x)) * (1.0 / (1.0 + x))
    return 1.0 / _one_less_square(x)


cosine_of_arcsine: Any = elementwise(
    "cosine_of_arcsine",  # sqrt(1 - x**2)
    _cosine_of_arcsine,
    [lambda g, x, out: neg(mul(g, div(x, out)))],
    promotion=INEXACT,
    domains=_UNIT,
    reference=lambda x: np.sqrt((1.0 - x) * (1.0 + x)),
    formula="√(1 - x**2)",
)
sinh_of_arccosh: Any = elementwise(
    "sinh_of_arccosh",  # sqrt(x**2 - 1)
    _sinh_of_arccosh,
    [lambda g, x, out: mul(g, div(x, out))],
    promotion=INEXACT,
    domains=((1.1, 3.0),),
    reference=lambda x: np.sqrt(x - 1.0) * np.sqrt(x + 1.0),
    formula="√(x - 1) √(x + 1)",
)
slope_of_arctan: Any = elementwise(
    "slope_of_arctan",  # 1 / (1 + x**2)
    _slope_of_arctan,
    [lambda g, x, out: mul(mul(g, mul(x, out)), mul(out, -2.0))],
    promotion=INEXACT,
    reference=lambda x: 1.0 / (1.0 + x * x),
    formula="1 / (1 + x**2)",
)
slope_of_arctanh: Any = elementwise(
    "slope_of_arctanh",  # 1 / (1 - x**2)
    _slope_of_arctanh,
    [lambda g, x, out: mul(mul(g, mul(x, out)), mul(out, 2.0))],
    promotion=INEXACT,
    domains=_UNIT,
    reference=lambda x: 1.0 / ((1.0 - x) * (1.0 + x)),
    formula="1 / (1 - x**2)",
)
arcsin = elementwise(
    "arcsin",
    annex_g.arcsin,
    [lambda g, x: div(g, cosine_of_arcsine(x))],
    promotion=INEXACT,
    domains=_UNIT,
    reference=np.arcsin,
    conventions=[
        Convention((1.0,), (INF,), "the one-sided limit"),
        Convention((-1.0,), (INF,), "the one-sided limit"),
    ],
)
arccos = elementwise(
    "arccos",
    annex_g.arccos,
    [lambda g, x: neg(div(g, cosine_of_arcsine(x)))],
    promotion=INEXACT,
    domains=_UNIT,
    reference=np.arccos,
    conventions=[
        Convention((1.0,), (-INF,), "the one-sided limit"),
        Convention((-1.0,), (-INF,), "the one-sided limit"),
    ],
)


arctan = elementwise(
    "arctan",
    annex_g.arctan,
    [lambda g, x: mul(g, slope_of_arctan(x))],
    promotion=INEXACT,
    reference=np.arctan,
)

# ---------------------------------------------------------------------------- hyperbolic functions

sinh = elementwise(
    "sinh", annex_g.sinh, [lambda g, x: mul(g, cosh(x))], promotion=INEXACT, reference=np.sinh
)
cosh: Any = elementwise(
    "cosh", annex_g.cosh, [lambda g, x: mul(g, sinh(x))], promotion=INEXACT, reference=np.cosh
)
tanh = elementwise(
    "tanh", annex_g.tanh, [lambda g, x: mul(g, sech2(x))], promotion=INEXACT, reference=np.tanh
)
sech2: Any = elementwise(
    "sech2",
    precise.sech2,
    [lambda g, x, out: mul(g, mul(mul(out, tanh(x)), -2.0))],
    promotion=INEXACT,
    reference=lambda x: 1.0 / np.cosh(x) ** 2,
    formula="1 / cosh(x)**2",
)
sigmoid = elementwise(
    "sigmoid",
    lax.logistic,
    [lambda g, x: mul(g, mul(sech2(mul(x, 0.5)), 0.25))],
    promotion=INEXACT,
    reference=lambda x: 1.0 / (1.0 + np.exp(-x)),
    formula="1 / (1 + e**(-x))",
)


def _arcsinh_partial(g: Any, x: Any) -> Any:
    return div(g, cosine_of_arcsine(times_i(x)) if is_complex(x) else hypot(x, 1.0))


arcsinh = elementwise(
    "arcsinh", annex_g.arcsinh, [_arcsinh_partial], promotion=INEXACT, reference=np.arcsinh
)
arccosh = elementwise(
    "arccosh",
    annex_g.arccosh,
    [lambda g, x: div(g, sinh_of_arccosh(x))],
    promotion=INEXACT,
    domains=((1.1, 3.0),),
    reference=np.arccosh,
    conventions=[
        Convention((1.0,), (INF,), "the one-sided limit"),
    ],
)
arctanh = elementwise(
    "arctanh",
    annex_g.arctanh,
    [lambda g, x: mul(g, slope_of_arctanh(x))],
    promotion=INEXACT,
    domains=_UNIT,
    reference=np.arctanh,
    conventions=[
        Convention((1.0,), (INF,), "the one-sided limit"),
        Convention((-1.0,), (INF,), "the one-sided limit"),
    ],
)

# --------------------------------------------------------------------------------- error functions

_TWO_OVER_ROOT_PI = 2.0 / math.sqrt(math.pi)

gaussian = elementwise(
    "gaussian",
    tails.gaussian,
    [lambda g, x, out: mul(g, mul(mul(x, -2.0), out))],
    promotion=REAL_INEXACT,
    reference=lambda x: np.exp(-x * x),
    formula="e**(-x**2)",
)
erf = elementwise(
    "erf",
    lax.erf,
    [lambda g, x: mul(g, mul(gaussian(x), _TWO_OVER_ROOT_PI))],
    promotion=REAL_INEXACT,
)
erfc = elementwise(
    "erfc",
    tails.erfc,
    [lambda g, x: mul(g, mul(gaussian(x), -_TWO_OVER_ROOT_PI))],
    promotion=REAL_INEXACT,
)
