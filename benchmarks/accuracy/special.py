"""Exact special functions of one operand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpmath import mp

from benchmarks.accuracy.exact import Exact, one
from benchmarks.accuracy.grid import Domain

Function = Callable[[Any], Any]

# ------------------------------------------------------------------------ the normal distribution


def _erfcx(x: Any, order: int = 0) -> Any:
    """A derivative of exp(x**2) erfc(x)."""
    if x > 10**4:  # DLMF 7.12.1; the recurrence below would cancel
        total, term = mp.mpf(0), 1 / (x * mp.sqrt(mp.pi))
        for k in range(40):
            rising = mp.rf(2 * k + 1, order) / (-x) ** order
            total += term * rising
            term *= -(2 * k + 1) / (2 * x * x)
        return total
    before, here = mp.mpf(0), mp.exp(x * x) * mp.erfc(x)
    for n in range(1, order + 1):
        constant = 2 / mp.sqrt(mp.pi) if n == 1 else 0
        before, here = here, 2 * x * here + 2 * (n - 1) * before - constant
    return here


def _density(x: Any) -> Any:
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def _ndtr(x: Any) -> Any:
    return mp.erfc(-x / mp.sqrt(2)) / 2


def _log_ndtr(x: Any) -> Any:
    if x > 0:
        return mp.log1p(-mp.erfc(x / mp.sqrt(2)) / 2)
    return mp.log(_erfcx(-x / mp.sqrt(2)) / 2) - x * x / 2


def _hazard(order: int) -> Function:
    """A derivative of c / erfcx(-x / sqrt(2)), with c = sqrt(2 / pi)."""

    def function(x: Any) -> Any:
        z, c = -x / mp.sqrt(2), mp.sqrt(2 / mp.pi)
        y = [_erfcx(z, n) for n in range(order + 1)]
        if order == 0:
            return c / y[0]
        if order == 1:
            return c * y[1] / y[0] ** 2 / mp.sqrt(2)
        return -c * (y[2] * y[0] - 2 * y[1] ** 2) / y[0] ** 3 / 2

    return function


def _inverse_erfc(q: Any) -> Any:
    """The y >= 0 with erfc(y) = q, for q up to 1, by Newton's method."""
    if q > 0.25:
        y, target = 0.9 * (1 - q), 1 - q
        for _ in range(60):
            step = (mp.erf(y) - target) / (2 / mp.sqrt(mp.pi) * mp.exp(-y * y))
            y -= step
            if abs(step) <= mp.eps * abs(y):
                return y
        return y
    y = mp.sqrt(-mp.log(q))
    for _ in range(60):
        ratio = mp.erfc(y)
        step = (mp.log(ratio) - mp.log(q)) * ratio * mp.exp(y * y) * mp.sqrt(mp.pi) / 2
        y += step
        if abs(step) <= mp.eps * y:
            return y
    return y


def _erfinv(x: Any) -> Any:
    if abs(x) < 1e-40:
        u = mp.sqrt(mp.pi) / 2 * x
        return u + u**3 / 3
    return mp.sign(x) * _inverse_erfc(1 - abs(x))


def _erfcinv(x: Any) -> Any:
    return _inverse_erfc(x) if x <= 1 else -_inverse_erfc(2 - x)


def _ndtri(p: Any) -> Any:
    return -mp.sqrt(2) * _erfcinv(2 * p)


def _inverse(y: Function, sign: int, scale: Function, factor: int) -> dict[str, Exact]:
    """An inverse function and its slope s = sign * scale(y), with s' = factor y s**2."""

    def slope(x: Any) -> Any:
        return sign * scale(y(x))

    def second(x: Any) -> Any:
        value = y(x)
        return factor * value * scale(value) ** 2

    def third(x: Any) -> Any:
        value = y(x)
        s = sign * scale(value)
        return factor * s**3 * (1 + 2 * factor * value * value)

    return {"": one(y, slope, second), "_slope": one(slope, second, third)}


def _of_erf(y: Any) -> Any:
    return mp.sqrt(mp.pi) / 2 * mp.exp(y * y)


def _of_ndtr(y: Any) -> Any:
    return mp.sqrt(2 * mp.pi) * mp.exp(y * y / 2)


_UNIT = Domain(-1.0, 1.0, around=(0.75, -0.75), spans=((-1.0, 1.0),), density=0.2)
_TO_TWO = Domain(0.0, 2.0, around=(1.0, 0.25, 1.75), spans=((0.0, 2.0),), density=0.2)
_PROBABILITY = Domain(0.0, 1.0, around=(0.5, 0.125), spans=((0.0, 1.0),), density=0.2)


def _on(domain: Domain, made: dict[str, Exact], name: str) -> dict[str, Exact]:
    return {name + suffix: Exact(e.derivatives, (domain,)) for suffix, e in made.items()}


INVERSES = {
    **_on(_UNIT, _inverse(_erfinv, 1, _of_erf, 2), "erfinv"),
    **_on(_TO_TWO, _inverse(_erfcinv, -1, _of_erf, 2), "erfcinv"),
    **_on(_PROBABILITY, _inverse(_ndtri, 1, _of_ndtr, 1), "ndtri"),
}

_TAIL = Domain(around=(1.0, -1.0, 1.77), spans=((-4.0, 4.0), (-40.0, 40.0)), density=0.3)
_ABOVE = Domain(low=-27.0, around=(1.25, 4.0), spans=((-4.0, 4.0), (-27.0, 40.0)), density=0.3)
_LOW = Domain(low=-1e30, around=(1.0, -1.0), spans=((-4.0, 4.0), (-40.0, 40.0)), density=0.3)

NORMAL = {
    **{
        f"erfcx[{n}]": one(
            lambda x, n=n: _erfcx(x, n),
            lambda x, n=n: _erfcx(x, n + 1),
            lambda x, n=n: _erfcx(x, n + 2),
            _ABOVE,
            bits=400,
            params={"order": n},
        )
        for n in (0, 1)
    },
    "normal_density": one(
        _density, lambda x: -x * _density(x), lambda x: (x * x - 1) * _density(x), _TAIL
    ),
    "ndtr": one(_ndtr, _density, lambda x: -x * _density(x), _TAIL),
    "hazard": one(_hazard(0), _hazard(1), _hazard(2), _LOW, bits=500),
    "log_ndtr": one(_log_ndtr, _hazard(0), _hazard(1), _LOW, bits=400),
}

# -------------------------------------------------------------------------------------- logistic


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def exprel(order: int) -> Function:
    """A derivative of (exp(x) - 1) / x."""

    def function(x: Any) -> Any:
        if abs(x) < 1:
            return mp.fsum([x**k / (mp.factorial(k) * (k + order + 1)) for k in range(60)])
        value = mp.expm1(x) / x
        for n in range(1, order + 1):
            value = (mp.exp(x) - n * value) / x
        return value

    return function


_WIDE = Domain(around=(1.0, -1.0), spans=((-4, 4), (-40, 40), (-745, 715)), density=0.5)

LOGISTIC = {
    "softplus": one(
        lambda x: mp.log1p(mp.exp(x)) if x < 0 else x + mp.log1p(mp.exp(-x)),
        _sigmoid,
        lambda x: mp.sech(x / 2) ** 2 / 4,
        _WIDE,
    ),
    "soft_sign": one(
        lambda x: x / (1 + abs(x)),
        lambda x: 1 / (1 + abs(x)) ** 2,
        lambda x: -2 * mp.sign(x) / (1 + abs(x)) ** 3,
    ),
    "logit": one(
        lambda x: mp.log(x / (1 - x)),
        lambda x: 1 / (x * (1 - x)),
        lambda x: (2 * x - 1) / (x * (1 - x)) ** 2,
        Domain(0.0, 1.0, around=(0.5, 0.25, 0.75), spans=((0.0, 1.0),)),
    ),
    "exprel[0]": one(exprel(0), exprel(1), exprel(2), _WIDE, params={"order": 0}),
    "exprel[1]": one(exprel(1), exprel(2), exprel(3), _WIDE, params={"order": 1}),
    "log_plus_1": one(
        lambda x: 1 + mp.log(x),
        lambda x: 1 / x,
        lambda x: -1 / x**2,
        Domain(0.0, around=(0.36787944117144233, 1.0), spans=((0.0, 2.0), (0.0, 40.0))),
    ),
    "entr": one(
        lambda x: -x * mp.log(x),
        lambda x: -1 - mp.log(x),
        lambda x: -1 / x,
        Domain(0.0, around=(0.36787944117144233, 1.0), spans=((0.0, 2.0), (0.0, 40.0))),
    ),
}

# ----------------------------------------------------------------------------- the gamma function


def _gammaln(x: Any) -> Any:
    if x > 0:
        return mp.loggamma(x)
    return mp.log(mp.pi / abs(mp.sinpi(x))) - mp.loggamma(1 - x)


def _psi(order: int) -> Function:
    """A derivative of log Gamma; far below 0 by reflection (DLMF 5.15.6)."""

    def function(x: Any) -> Any:
        if x > -30 or order == 0:
            return mp.psi(order, x)
        cotangent, square = mp.cospi(x) / mp.sinpi(x), 1 / mp.sinpi(x) ** 2
        derivative = {
            1: -square,
            2: 2 * square * cotangent,
            3: -2 * square * (square + 2 * cotangent**2),
        }[order]
        return (-1) ** order * mp.psi(order, 1 - x) - mp.pi ** (order + 1) * derivative

    return function


_ZEROS = (1.0, 2.0, 1.4616321449683623, -0.5040830082644554, -2.4570247382208006, 10.0)
_GAMMA = Domain(
    low=-1e15, around=_ZEROS, spans=((-4.0, 4.0), (-40.0, 40.0), (0.0, 200.0)), density=0.15
)
_BOUNDED = Domain(-200.0, 200.0, around=_ZEROS, spans=((-4.0, 4.0), (-185.0, 172.0)), density=0.3)

GAMMA = {
    "polygamma[-1]": one(_gammaln, _psi(0), _psi(1), _GAMMA, params={"order": -1}),
    "polygamma[0]": one(_psi(0), _psi(1), _psi(2), _GAMMA, params={"order": 0}),
    "polygamma[1]": one(_psi(1), _psi(2), _psi(3), _GAMMA, params={"order": 1}),
    "gamma": one(
        mp.gamma,
        lambda x: mp.gamma(x) * mp.psi(0, x),
        lambda x: mp.gamma(x) * (mp.psi(0, x) ** 2 + mp.psi(1, x)),
        _BOUNDED,
    ),
}

# ------------------------------------------------------------------------------- Bessel functions


def _bessel(coefficients: dict[int, float], scaled: bool, odd: bool = False) -> Function:
    """A combination of I_0, I_1, ... of abs(x), times exp(-abs(x)) if scaled, or its odd part."""

    def function(x: Any) -> Any:
        a = abs(x)
        total = mp.fsum([c * mp.besseli(n, a) for n, c in coefficients.items()])
        return total * (mp.exp(-a) if scaled else 1) * (mp.sign(x) if odd else 1)

    return function


_CIRCULAR = Domain(-750.0, 750.0, (8.0,), ((-4.0, 4.0), (-40.0, 40.0), (-715.0, 715.0)), 0.15)
_DECAYING = Domain(-1e6, 1e6, (2.0, 8.0), ((-4.0, 4.0), (-40.0, 40.0), (-715.0, 715.0)), 0.15)

# I_0' = I_1, I_1' = (I_0 + I_2) / 2, I_2' = (I_1 + I_3) / 2: DLMF 10.29.1.
BESSEL = {
    "bessel_ratio[0]": one(
        _bessel({0: 1}, False),
        _bessel({1: 1}, False, odd=True),
        _bessel({0: 0.5, 2: 0.5}, False),
        _CIRCULAR,
        params={"order": 0, "scaled": False},
    ),
    "bessel_ratio[0, scaled]": one(
        _bessel({0: 1}, True),
        _bessel({0: -1, 1: 1}, True, odd=True),
        _bessel({0: 1.5, 1: -2, 2: 0.5}, True),
        _DECAYING,
        params={"order": 0, "scaled": True},
    ),
    "bessel_gap": one(
        _bessel({0: 1, 1: -1}, True),
        _bessel({0: -1.5, 1: 2, 2: -0.5}, True, odd=True),
        _bessel({0: 2.5, 1: -3.75, 2: 1.5, 3: -0.25}, True),
        _DECAYING,
    ),
    "i1": one(
        _bessel({1: 1}, False, odd=True),
        _bessel({0: 0.5, 2: 0.5}, False),
        _bessel({1: 0.75, 3: 0.25}, False, odd=True),
        _CIRCULAR,
    ),
    "i1e": one(
        _bessel({1: 1}, True, odd=True),
        _bessel({0: 0.5, 1: -1, 2: 0.5}, True),
        _bessel({0: -1, 1: 1.75, 2: -1, 3: 0.25}, True, odd=True),
        _DECAYING,
    ),
}

SPECIAL: dict[str, Exact] = {**NORMAL, **INVERSES, **LOGISTIC, **GAMMA, **BESSEL}
