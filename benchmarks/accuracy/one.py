"""Exact functions of one operand."""

from __future__ import annotations

from typing import Any

from mpmath import mp

from benchmarks.accuracy.exact import Exact, one
from benchmarks.accuracy.grid import Domain, Plane

LINE = Domain()
POSITIVE = Domain(low=0.0, spans=((0.5, 2.0), (0.0, 40.0)))
UNIT = Domain(-1.0, 1.0, around=(0.5, -0.5), spans=((-1.0, 1.0), (-0.5, 0.5)))
EXPONENTS = Domain(
    around=(1.0, 709.7, -708.3, 88.7, -87.3), spans=((-1, 1), (-40, 40), (-745, 710))
)
HALF_TURNS = tuple(k * 1.5707963267948966 for k in range(-4, 5) if k)
ANGLES = Domain(around=(1.0, *HALF_TURNS), spans=((-4.0, 4.0), (-40.0, 40.0), (-1e6, 1e6)))
TAILS = Domain(around=(1.0, -1.0, 19.0, 37.0), spans=((-4, 4), (-24, 24), (-350, 350), (-745, 745)))
ERRORS = Domain(around=(0.5, -0.5, 1.0, 2.0), spans=((-1, 1), (-6, 6), (-27, 27)), density=0.5)
INTEGERS = Domain(around=(0.5, 1.5, 2.5, 1.0, -1.5, 1e6), spans=((-4.0, 4.0), (-40.0, 40.0)))

LN2 = lambda: mp.log(2)  # noqa: E731 (at the precision of the moment)
LN10 = lambda: mp.log(10)  # noqa: E731


def sech2(x: Any) -> Any:
    """The square of 1 / cosh(x)."""
    return mp.sech(x) ** 2


def cosine(x: Any) -> Any:
    """The cosine of the arc sine."""
    return mp.sqrt(1 - x) * mp.sqrt(1 + x)


def arcosine(x: Any) -> Any:
    """The square root of x**2 - 1, on the branch of arccosh."""
    return mp.sqrt(x - 1) * mp.sqrt(x + 1)


def gaussian(x: Any) -> Any:
    """exp(-x**2)."""
    return mp.exp(-x * x)


def slope_of_erf() -> Any:
    """The derivative of erf at 0."""
    return 2 / mp.sqrt(mp.pi)


def sinc(order: int) -> Any:
    """A derivative of sin(pi x) / (pi x)."""

    def near(u: Any) -> Any:  # sum of (-1)**k u**(2k) / (2k+1)!, differentiated
        total = mp.mpf(0)
        for k in range((order + 1) // 2, 40):
            denominator = (2 * k + 1) * mp.factorial(2 * k - order)
            total += mp.mpf(-1) ** k * u ** (2 * k - order) / denominator
        return total

    def far(x: Any) -> Any:
        u, sine, cosine = mp.pi * x, mp.sinpi(x), mp.cospi(x)
        value = sine / u
        for n in range(1, order + 1):
            value = ((sine, cosine, -sine, -cosine)[n % 4] - n * value) / u
        return value

    def function(x: Any) -> Any:
        u = mp.pi * x
        return mp.pi**order * (near(u) if abs(u) < 1 else far(x))

    return function


def power(n: int) -> Exact:
    """x**n for a fixed integer."""
    return one(
        lambda x: x**n,
        lambda x: n * x ** (n - 1),
        lambda x: n * (n - 1) * x ** (n - 2),
        LINE,
        plane=Plane(1e30, 1e30) if n < 9 else None,
        params={"exponent": n},
    )


ONE: dict[str, Exact] = {
    "abs": one(abs, mp.sign),
    "floor": one(mp.floor, domain=INTEGERS),
    "ceil": one(mp.ceil, domain=INTEGERS),
    "trunc": one(lambda x: mp.sign(x) * mp.floor(abs(x)), domain=INTEGERS),
    "round": one(mp.nint, domain=INTEGERS),
    "rint": one(mp.nint, domain=INTEGERS),
    # ------------------------------------------------------------------------------ powers, roots
    "square": one(lambda x: x * x, lambda x: 2 * x, lambda x: mp.mpf(2), plane=Plane()),
    "integer_pow[3]": power(3),
    "integer_pow[-2]": power(-2),
    "integer_pow[9]": power(9),
    "reciprocal": one(
        lambda x: 1 / x, lambda x: -1 / x**2, lambda x: 2 / x**3, plane=Plane(1e90, 1e90)
    ),
    "sqrt": one(
        mp.sqrt,
        lambda x: 1 / (2 * mp.sqrt(x)),
        lambda x: -1 / (4 * x * mp.sqrt(x)),
        POSITIVE,
        plane=Plane(),
    ),
    "rsqrt": one(
        lambda x: 1 / mp.sqrt(x),
        lambda x: -1 / (2 * x * mp.sqrt(x)),
        lambda x: 3 / (4 * x * x * mp.sqrt(x)),
        POSITIVE,
        plane=Plane(),
    ),
    "cbrt": one(
        lambda x: mp.sign(x) * mp.cbrt(abs(x)),
        lambda x: 1 / (3 * mp.cbrt(abs(x)) ** 2),
        lambda x: -2 * mp.sign(x) / (9 * mp.cbrt(abs(x)) ** 5),
    ),
    # --------------------------------------------------------------- exponentials and logarithms
    "exp": one(mp.exp, mp.exp, mp.exp, EXPONENTS, plane=Plane(700, 1e6)),
    "exp2": one(
        lambda x: mp.exp(x * LN2()),
        lambda x: mp.exp(x * LN2()) * LN2(),
        lambda x: mp.exp(x * LN2()) * LN2() ** 2,
        Domain(
            around=(1.0, 1023.9, -1021.9, 127.9, -125.9), spans=((-1, 1), (-40, 40), (-1075, 1024))
        ),
        plane=Plane(1000, 1e6),
    ),
    "expm1": one(mp.expm1, mp.exp, mp.exp, EXPONENTS, plane=Plane(700, 1e6)),
    "log": one(mp.log, lambda x: 1 / x, lambda x: -1 / x**2, POSITIVE, plane=Plane()),
    "log1p": one(
        mp.log1p,
        lambda x: 1 / (1 + x),
        lambda x: -1 / (1 + x) ** 2,
        Domain(low=-1.0, around=(-0.5, -0.25, 1.0), spans=((-1.0, 1.0), (-0.5, 0.5), (-1.0, 40.0))),
        plane=Plane(),
    ),
    "log2": one(
        lambda x: mp.log(x) / LN2(),
        lambda x: 1 / (x * LN2()),
        lambda x: -1 / (x**2 * LN2()),
        POSITIVE,
        plane=Plane(),
    ),
    "log10": one(
        lambda x: mp.log(x) / LN10(),
        lambda x: 1 / (x * LN10()),
        lambda x: -1 / (x**2 * LN10()),
        POSITIVE,
        plane=Plane(),
    ),
    # ------------------------------------------------------------------------------ trigonometry
    "sin": one(mp.sin, mp.cos, lambda x: -mp.sin(x), ANGLES, plane=Plane(1e6, 700)),
    "cos": one(mp.cos, lambda x: -mp.sin(x), lambda x: -mp.cos(x), ANGLES, plane=Plane(1e6, 700)),
    "tan": one(
        mp.tan,
        lambda x: mp.sec(x) ** 2,
        lambda x: 2 * mp.sec(x) ** 2 * mp.tan(x),
        ANGLES,
        plane=Plane(1e6, 300),
    ),
    "arcsin": one(
        mp.asin,
        lambda x: 1 / cosine(x),
        lambda x: x / cosine(x) ** 3,
        UNIT,
        plane=Plane(1e90, 1e90),
    ),
    "arccos": one(
        mp.acos,
        lambda x: -1 / cosine(x),
        lambda x: -x / cosine(x) ** 3,
        UNIT,
        plane=Plane(1e90, 1e90),
    ),
    "arctan": one(
        mp.atan,
        lambda x: 1 / (1 + x * x),
        lambda x: -2 * x / (1 + x * x) ** 2,
        plane=Plane(1e90, 1e90),
    ),
    "sinc[0]": one(sinc(0), sinc(1), sinc(2), ANGLES, params={"order": 0}, plane=Plane(1e3, 100)),
    "sinc[1]": one(sinc(1), sinc(2), sinc(3), ANGLES, params={"order": 1}),
    "cosine_of_arcsine": one(
        cosine,
        lambda x: -x / cosine(x),
        lambda x: -1 / cosine(x) ** 3,
        UNIT,
        plane=Plane(1e90, 1e90),
    ),
    "sinh_of_arccosh": one(
        arcosine,
        lambda x: x / arcosine(x),
        lambda x: -1 / arcosine(x) ** 3,
        Domain(low=1.0, around=(2.0,), spans=((1.0, 2.0), (1.0, 40.0))),
        plane=Plane(1e90, 1e90),
    ),
    "slope_of_arctan": one(
        lambda x: 1 / (1 + x * x),
        lambda x: -2 * x / (1 + x * x) ** 2,
        lambda x: (6 * x * x - 2) / (1 + x * x) ** 3,
        plane=Plane(1e60, 1e60),
    ),
    "slope_of_arctanh": one(
        lambda x: 1 / ((1 - x) * (1 + x)),
        lambda x: 2 * x / ((1 - x) * (1 + x)) ** 2,
        lambda x: (2 + 6 * x * x) / ((1 - x) * (1 + x)) ** 3,
        UNIT,
        plane=Plane(1e60, 1e60),
    ),
    # --------------------------------------------------------------------- hyperbolic functions
    "sinh": one(mp.sinh, mp.cosh, mp.sinh, EXPONENTS, plane=Plane(700, 1e6)),
    "cosh": one(mp.cosh, mp.sinh, mp.cosh, EXPONENTS, plane=Plane(700, 1e6)),
    "tanh": one(mp.tanh, sech2, lambda x: -2 * sech2(x) * mp.tanh(x), TAILS, plane=Plane(300, 1e6)),
    "sech2": one(
        sech2,
        lambda x: -2 * sech2(x) * mp.tanh(x),
        lambda x: sech2(x) * (4 - 6 * sech2(x)),
        TAILS,
        plane=Plane(300, 1e6),
    ),
    "sigmoid": one(
        lambda x: 1 / (1 + mp.exp(-x)),
        lambda x: sech2(x / 2) / 4,
        lambda x: -sech2(x / 2) * mp.tanh(x / 2) / 4,
        TAILS,
        plane=Plane(300, 9),
    ),
    "arcsinh": one(
        mp.asinh,
        lambda x: (
            1 / (mp.sqrt(1 - 1j * x) * mp.sqrt(1 + 1j * x)).real
            if isinstance(x, mp.mpf)
            else 1 / (mp.sqrt(1 - 1j * x) * mp.sqrt(1 + 1j * x))
        ),
        lambda x: (
            -x / mp.hypot(1, x) ** 3
            if isinstance(x, mp.mpf)
            else -x / (mp.sqrt(1 - 1j * x) * mp.sqrt(1 + 1j * x)) ** 3
        ),
        plane=Plane(1e90, 1e90),
    ),
    "arccosh": one(
        mp.acosh,
        lambda x: 1 / arcosine(x),
        lambda x: -x / arcosine(x) ** 3,
        Domain(low=1.0, around=(2.0,), spans=((1.0, 2.0), (1.0, 40.0))),
        plane=Plane(1e90, 1e90),
    ),
    "arctanh": one(
        mp.atanh,
        lambda x: 1 / ((1 - x) * (1 + x)),
        lambda x: 2 * x / ((1 - x) * (1 + x)) ** 2,
        UNIT,
        plane=Plane(1e60, 1e60),
    ),
    # ---------------------------------------------------------------------------- error functions
    "gaussian": one(
        gaussian, lambda x: -2 * x * gaussian(x), lambda x: (4 * x * x - 2) * gaussian(x), ERRORS
    ),
    "erf": one(
        mp.erf,
        lambda x: slope_of_erf() * gaussian(x),
        lambda x: -2 * x * slope_of_erf() * gaussian(x),
        ERRORS,
    ),
    "erfc": one(
        mp.erfc,
        lambda x: -slope_of_erf() * gaussian(x),
        lambda x: 2 * x * slope_of_erf() * gaussian(x),
        ERRORS,
    ),
}
