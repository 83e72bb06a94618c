"""NumPy's mathematical functions, element by element.

Operands are tensors, arrays, numbers and lists; they broadcast, and promote by NumPy 2's rules.
What holds at the edges (ties, ``abs`` at 0, ``0 ** 0``) is in the table of conventions.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fad.core import dtypes
from fad.core.aval import SCALARS
from fad.core.errors import FadTypeError, located
from fad.core.tensor import Tensor, lift
from fad.numpy.axes import tensor
from fad.numpy.dtypes import finfo
from fad.numpy.ufunc import binary, refuse_out, unary, with_options
from fad.primitives import (
    arithmetic,
    bitwise,
    comparison,
    complexes,
    division,
    extrema,
    floating,
    polar,
    transcendental,
)
from fad.primitives import (
    power as powers,
)
from fad.primitives import (
    sinc as sincs,
)
from fad.primitives.broadcast import convert, zeros

__all__ = [
    "abs", "absolute", "acos", "acosh", "add", "angle", "arccos", "arccosh", "arcsin",
    "arcsinh", "arctan", "arctan2", "arctanh", "around", "asin", "asinh", "atan", "atan2",
    "atanh", "cbrt", "ceil", "clip", "conj", "conjugate", "copysign", "cos", "cosh", "deg2rad",
    "degrees", "divide", "divmod", "exp", "exp2", "expm1", "fabs", "fix", "float_power",
    "floor", "floor_divide", "fmax", "fmin", "fmod", "frexp", "gcd", "heaviside", "hypot",
    "imag", "lcm", "ldexp", "log", "log1p", "log2", "log10", "logaddexp", "logaddexp2",
    "maximum", "minimum", "mod", "modf", "multiply", "nan_to_num", "negative", "nextafter",
    "positive", "pow", "power", "rad2deg", "radians", "real", "reciprocal", "remainder", "rint",
    "round", "sign", "sin", "sinc", "sinh", "spacing", "sqrt", "square", "subtract", "tan",
    "tanh", "true_divide", "trunc",
]  # fmt: skip

# ------------------------------------------------------------------------------------ arithmetic

add = binary("add", arithmetic.add, "x + y; logical or of booleans.")
subtract = binary("subtract", arithmetic.sub, "x - y.")
multiply = binary("multiply", arithmetic.mul, "x * y; logical and of booleans.")
divide = true_divide = binary("divide", arithmetic.div, "x / y; integers give floats.")
negative = unary("negative", arithmetic.neg, "-x.")
absolute = abs = unary("absolute", arithmetic.absolute, "The magnitude; its derivative at 0 is 0.")
sign = unary("sign", arithmetic.sign, "-1, 0 or 1; x / abs(x) for complex numbers.")
square = unary("square", arithmetic.square, "x * x.")
reciprocal = unary("reciprocal", arithmetic.reciprocal, "1 / x; integers are rounded towards 0.")
sqrt = unary("sqrt", arithmetic.sqrt, "The square root; NaN for negative real numbers.")
cbrt = unary("cbrt", arithmetic.cbrt, "The real cube root.")
power = pow = binary(
    "power",
    powers.power,
    "x ** y. A Python int y is part of the program; the derivative of x ** 0 is 0, also at x = 0,\n"
    "and that of 0 ** y in y is 0 for y > 0. Integers to negative integer powers are an error.",
)
floor_divide = binary("floor_divide", division.floor_divide, "floor(x / y); derivative 0.")
remainder = mod = binary("remainder", division.remainder, "x - floor(x / y) * y, with y's sign.")
fmod = binary("fmod", division.fmod, "x - trunc(x / y) * y, with x's sign, as in C.")
gcd = binary("gcd", bitwise.gcd, "The greatest common divisor.")
lcm = binary("lcm", bitwise.lcm, "The least common multiple.")


def _positive(x: Any) -> Tensor:
    x = tensor(x)
    if x.dtype == dtypes.bool_:
        raise FadTypeError(located("positive is not defined for dtype bool"))
    return x


def _float_power(x: Any, y: Any) -> Tensor:
    x, y = tensor(x), tensor(y)
    complex_ = "c" in (x.dtype.kind, y.dtype.kind)
    target = dtypes.complex128 if complex_ else dtypes.float64
    return powers.power(convert(x, target), convert(y, target))


def _fabs(x: Any) -> Tensor:
    x = tensor(x)
    if x.dtype.kind == "c":
        raise FadTypeError(located("fabs is not defined for complex numbers: write np.abs(x)"))
    return arithmetic.absolute(convert(x, dtypes.inexact_of(x.dtype)))


positive = unary("positive", _positive, "+x.")
float_power = binary("float_power", _float_power, "x ** y in float64 or complex128.")
fabs = unary("fabs", _fabs, "The magnitude of real numbers, as floats.")


divmod = binary(
    "divmod",
    lambda x, y: (division.floor_divide(x, y), division.remainder(x, y)),
    "``(floor_divide(x, y), remainder(x, y))``.",
)


# ------------------------------------------------------------------------------ the larger of two

maximum = binary("maximum", extrema.maximum, "The larger; NaN if either is. Ties share evenly.")
minimum = binary("minimum", extrema.minimum, "The smaller; NaN if either is. Ties share evenly.")


def _weakly(x: Any) -> Tensor:
    """A tensor; that of a Python scalar has no say in the dtype of a result."""
    return lift(x) if type(x) in SCALARS else tensor(x)


def _ignoring_nan(extremum: Any) -> Any:
    def function(x: Any, y: Any) -> Tensor:
        x, y = _weakly(x), _weakly(y)
        if not x.aval.inexact and not y.aval.inexact:
            return extremum(x, y)
        first = comparison.select(floating.isnan(x), y, x)
        return extremum(first, comparison.select(floating.isnan(y), x, y))

    return function


fmax = binary("fmax", _ignoring_nan(extrema.maximum), "The larger, or the one that is no NaN.")
fmin = binary("fmin", _ignoring_nan(extrema.minimum), "The smaller, or the one that is no NaN.")

_MISSING: Any = object()


def clip(
    a: Any, min: Any = _MISSING, max: Any = _MISSING, out: Any = None, *,
    a_min: Any = _MISSING, a_max: Any = _MISSING, **options: Any,
) -> Tensor:  # fmt: skip
    """``a`` limited to an interval; a bound may be None or left out.

    The bounds have two names each, the array API standard's and NumPy's older ones. ``options``
    are those of ufuncs. The derivative in ``a`` is 1 inside and at a bound, 0 outside, where the
    bound has it.

    >>> import fad
    >>> import fad.numpy as np
    >>> np.clip([-1.0, 0.5, 3.0], 0.0, 1.0)
    fad.Tensor([0. , 0.5, 1. ])
    >>> fad.grad(lambda x: np.clip(x, 0.0, 1.0))(1.0)
    fad.Tensor(1.)
    """
    if (a_min is not _MISSING and min is not _MISSING) or (
        a_max is not _MISSING and max is not _MISSING
    ):
        raise FadTypeError(located("clip takes a_min and a_max, or min and max, not both"))
    low = min if a_min is _MISSING else a_min
    high = max if a_max is _MISSING else a_max
    low, high = (None if x is _MISSING else x for x in (low, high))
    refuse_out("clip", out, "y, low, high")
    a = tensor(a)
    if dtypes.kind(a.dtype) in "iu":  # as in NumPy, beyond what there is nothing is clipped
        info = np.iinfo(a.dtype)
        low = None if type(low) is int and low <= info.min else low
        high = None if type(high) is int and high >= info.max else high
    bounds = tuple([_operand(x) for x in (low, high) if x is not None])
    if options:
        return with_options("clip", _limiter(low, high), (a, *bounds), None, options)
    return _limiter(low, high)(a, *bounds)


def _limiter(low: Any, high: Any) -> Any:
    """The function of (x, *bounds), of which those that are None here are left out."""

    def limited(x: Any, *bounds: Any) -> Any:
        if low is not None:
            x = extrema.raise_to(x, bounds[0])
        return x if high is None else extrema.lower_to(x, bounds[-1])

    return limited


def _operand(x: Any) -> Any:
    """A list as a tensor; what primitives take stays as it is."""
    return tensor(x) if isinstance(x, (list, tuple)) else x


# -------------------------------------------------------------------- exponentials and logarithms

exp = unary("exp", transcendental.exp, "e ** x.")
exp2 = unary("exp2", transcendental.exp2, "2 ** x, exact for integers.")
expm1 = unary("expm1", transcendental.expm1, "exp(x) - 1, without cancellation near 0.")
log = unary("log", transcendental.log, "The natural logarithm; NaN for negative real numbers.")
log1p = unary("log1p", transcendental.log1p, "log(1 + x), without cancellation near 0.")
log2 = unary("log2", transcendental.log2, "The logarithm to base 2, exact for powers of 2.")
log10 = unary("log10", transcendental.log10, "The logarithm to base 10, exact for powers of 10.")
logaddexp = binary("logaddexp", transcendental.logaddexp, "log(exp(x) + exp(y)).")
logaddexp2 = binary("logaddexp2", transcendental.logaddexp2, "log2(2**x + 2**y).")

# --------------------------------------------------------------- trigonometric, hyperbolic, polar

sin = unary("sin", transcendental.sin, "The sine.")
cos = unary("cos", transcendental.cos, "The cosine.")
tan = unary("tan", transcendental.tan, "The tangent.")
arcsin = asin = unary("arcsin", transcendental.arcsin, "The inverse sine, in [-pi/2, pi/2].")
arccos = acos = unary("arccos", transcendental.arccos, "The inverse cosine, in [0, pi].")
arctan = atan = unary("arctan", transcendental.arctan, "The inverse tangent, in [-pi/2, pi/2].")
sinh = unary("sinh", transcendental.sinh, "The hyperbolic sine.")
cosh = unary("cosh", transcendental.cosh, "The hyperbolic cosine.")
tanh = unary("tanh", transcendental.tanh, "The hyperbolic tangent.")
arcsinh = asinh = unary("arcsinh", transcendental.arcsinh, "The inverse hyperbolic sine.")
arccosh = acosh = unary("arccosh", transcendental.arccosh, "The inverse hyperbolic cosine.")
arctanh = atanh = unary("arctanh", transcendental.arctanh, "The inverse hyperbolic tangent.")
arctan2 = atan2 = binary(
    "arctan2", polar.arctan2, "The angle of the point (y, x), with y first, in [-pi, pi]."
)
hypot = binary(
    "hypot", polar.hypot, "sqrt(x**2 + y**2) without overflow; its derivative at the origin is 0."
)


def _sinc(x: Any) -> Tensor:
    x = tensor(x)
    return sincs.sinc(x if x.aval.inexact else convert(x, dtypes.float64))


sinc = unary("sinc", _sinc, "sin(pi x) / (pi x), 1 at 0 and 0 at other integers.")


def _scaled(factor: float) -> Any:
    def function(x: Any) -> Tensor:
        x = tensor(x)
        return arithmetic.mul(convert(x, dtypes.inexact_of(x.dtype)), factor)

    return function


deg2rad = radians = unary("deg2rad", _scaled(math.pi / 180.0), "Degrees as radians.")
rad2deg = degrees = unary("rad2deg", _scaled(180.0 / math.pi), "Radians as degrees.")

# ---------------------------------------------------------------------------------------- rounding

floor = unary("floor", floating.floor, "The largest integer not above x; derivative 0.")
ceil = unary("ceil", floating.ceil, "The smallest integer not below x; derivative 0.")
trunc = unary("trunc", floating.trunc, "The integer next to x towards 0; derivative 0.")
fix = unary("fix", floating.trunc, "The integer next to x towards 0; derivative 0.")
rint = unary("rint", floating.rint, "The nearest integer, even if halfway; derivative 0.")


def round(a: Any, decimals: int = 0, out: Any = None) -> Tensor:
    """Rounded to ``decimals`` decimals, to even if halfway; the derivative is 0."""
    refuse_out("round", out)
    x = tensor(a)
    if x.dtype == dtypes.bool_:
        if decimals:
            raise FadTypeError(located("round of booleans takes no decimals"))
        x = convert(x, dtypes.float16)
    if decimals == 0 or (not x.aval.inexact and decimals > 0):
        return floating.round_to_even(x)
    if not x.aval.inexact:
        return _round_integers(x, 10**-decimals)
    factor = 10.0 ** math.fabs(decimals) if math.fabs(decimals) < 309 else math.inf
    if decimals > 0:
        return arithmetic.div(floating.round_to_even(arithmetic.mul(x, factor)), factor)
    return arithmetic.mul(floating.round_to_even(arithmetic.div(x, factor)), factor)


def _round_integers(x: Tensor, unit: int) -> Tensor:
    if unit > np.iinfo(x.dtype).max:
        return zeros(x.aval)
    quotient = division.floor_divide(x, unit)
    rest = arithmetic.sub(x, arithmetic.mul(quotient, unit))
    odd = comparison.eq(bitwise.bitwise_and(quotient, 1), 1)
    up = comparison.logical_or(
        comparison.gt(rest, unit // 2), comparison.logical_and(comparison.eq(rest, unit // 2), odd)
    )
    return arithmetic.mul(arithmetic.add(quotient, convert(up, x.dtype)), unit)


around = round

# -------------------------------------------------------------------- parts of floating-point

copysign = binary("copysign", floating.copysign, "The magnitude of x with the sign of y.")
nextafter = binary("nextafter", floating.nextafter, "The number next to x towards y.")
spacing = unary("spacing", floating.spacing, "The distance to the next number away from 0.")
heaviside = binary("heaviside", floating.heaviside, "0, y or 1 where x is negative, 0, positive.")
ldexp = binary(
    "ldexp",
    lambda x, n: floating.ldexp(x, _weakly(n)),  # a number would become a float beside floats
    "x * 2**n for integers n.",
)


def _frexp(x: Any) -> tuple[Tensor, Tensor]:
    x = tensor(x)
    exponent = floating.exponent(x)
    return floating.ldexp(x, arithmetic.neg(exponent)), exponent


def _modf(x: Any) -> tuple[Tensor, Tensor]:
    x = tensor(x)
    x = convert(x, dtypes.inexact_of(x.dtype))
    whole = floating.trunc(x)
    infinite = floating.isinf(x)
    above = comparison.drop_where(infinite, arithmetic.sub(x, whole))
    below = comparison.drop_where(infinite, arithmetic.sub(whole, x))
    # Of -1.0 it is -0.0, where the derivative is 1 as everywhere.
    fraction = comparison.select(floating.signbit(x), arithmetic.neg(below), above)
    return fraction, floating.copysign(whole, x)


frexp = unary(
    "frexp", _frexp, "Mantissa in [0.5, 1) and exponent, as int32: ``x = mantissa * 2**exponent``."
)
modf = unary("modf", _modf, "Fractional and integral parts, both with the sign of x.")


def nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Tensor:
    """NaN and infinities replaced by numbers, which have no derivative in ``x``."""
    x = tensor(x)
    if not x.aval.inexact:
        return x
    if x.dtype.kind == "c":
        parts = [
            nan_to_num(p, copy, nan, posinf, neginf) for p in (complexes.real(x), complexes.imag(x))
        ]
        return complexes.make_complex(*parts)
    limits = finfo(x.dtype)
    high = float(limits.max) if posinf is None else posinf
    low = float(limits.min) if neginf is None else neginf
    x = comparison.select(floating.isnan(x), nan, x)
    x = comparison.select(comparison.eq(x, math.inf), high, x)
    return comparison.select(comparison.eq(x, -math.inf), low, x)


# ---------------------------------------------------------------------------------- complex numbers

conj = conjugate = unary("conjugate", complexes.conj, "The complex conjugate.")


def real(val: Any) -> Tensor:
    """The real part; a real tensor is its own."""
    return complexes.real(tensor(val))


def imag(val: Any) -> Tensor:
    """The imaginary part, zeros for a real tensor."""
    return complexes.imag(tensor(val))


def angle(z: Any, deg: bool = False) -> Tensor:
    """The angle of complex numbers, in (-pi, pi]; 0 or pi for real ones."""
    z = tensor(z)
    z = convert(z, dtypes.float64 if z.dtype == dtypes.bool_ else dtypes.inexact_of(z.dtype))
    turned = polar.arctan2(complexes.imag(z), complexes.real(z))
    return rad2deg(turned) if deg else turned
