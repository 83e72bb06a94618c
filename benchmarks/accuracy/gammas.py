"""Exact functions of two operands around the gamma function: beta, and incomplete ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpmath import mp

from benchmarks.accuracy.exact import Exact, two
from benchmarks.accuracy.grid import Domain

_SIZES = Domain(1e-6, 1e8, around=(1.0, 10.0), spans=((0.0, 2.0), (0.0, 40.0)), density=0.3)
_SHAPES = Domain(1e-6, 1e3, around=(1.0, 100.0), spans=((0.0, 2.0), (0.0, 120.0)), density=0.3)

_SMALL_SHAPES = Domain(1e-3, 150.0, (1.0, 100.0), ((0.0, 2.0), (0.0, 40.0)), density=0.15)

Function = Callable[[Any, Any], Any]


def _betaln(a: Any, b: Any) -> Any:
    return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


def _slope(a: Any, b: Any) -> Any:
    """The derivative of log B in its first argument."""
    return mp.digamma(a) - mp.digamma(a + b)


def _own(a: Any, b: Any) -> Any:
    return mp.psi(1, a) - mp.psi(1, a + b)


def _mixed(a: Any, b: Any) -> Any:
    return -mp.psi(1, a + b)


def _beta(a: Any, b: Any) -> Any:
    return mp.exp(_betaln(a, b))


def _density(a: Any, x: Any) -> Any:
    return mp.exp((a - 1) * mp.log(x) - x - mp.loggamma(a))


def _in_shape(a: Any, x: Any) -> Any:
    return mp.log(x) - mp.digamma(a)


def _in_x(a: Any, x: Any) -> Any:
    return (a - 1) / x - 1


def _lower(order: int) -> Function:
    """A derivative of P(a, x) in a: integrals of the power series (DLMF 8.7.1) are 2F2 and 3F3."""

    def whole(a: Any, x: Any) -> Any:
        return mp.gammainc(a, 0, x) if x < a + 1 else mp.gamma(a) - mp.gammainc(a, x)

    def function(a: Any, x: Any) -> Any:
        if order == 0:
            return whole(a, x) / mp.gamma(a)
        with mp.extraprec(int(3 * x) + 20):  # the hypergeometric functions cancel in the result
            parts = [whole(a, x)]
            parts.append(x**a / a**2 * mp.hyp2f2(a, a, a + 1, a + 1, -x))
            log, psi = mp.log(x), mp.digamma(a)
            slope = log * parts[0] - parts[1]
            if order == 1:
                return (slope - psi * parts[0]) / mp.gamma(a)
            parts.append(2 * x**a / a**3 * mp.hyper([a] * 3, [a + 1] * 3, -x))
            twice = log**2 * parts[0] - 2 * log * parts[1] + parts[2]
            return (twice - 2 * psi * slope + (psi**2 - mp.psi(1, a)) * parts[0]) / mp.gamma(a)

    return function


def _incomplete(sign: int, value: Function) -> Exact:
    def signed(function: Function) -> Function:
        return lambda a, x: sign * function(a, x)

    return two(
        value,
        (signed(_lower(1)), signed(_density)),
        (
            signed(_lower(2)),
            signed(lambda a, x: _density(a, x) * _in_shape(a, x)),
            signed(lambda a, x: _density(a, x) * _in_x(a, x)),
        ),
        (_SMALL_SHAPES, _SMALL_SHAPES),
        bits=500,
    )


GAMMAS: dict[str, Exact] = {
    "gammainc": _incomplete(1, _lower(0)),
    "gammaincc": _incomplete(-1, lambda a, x: mp.gammainc(a, x, regularized=True)),
    "betaln": two(
        _betaln,
        (_slope, lambda a, b: _slope(b, a)),
        (_own, _mixed, lambda a, b: _own(b, a)),
        (_SIZES, _SIZES),
        bits=400,
    ),
    "beta": two(
        _beta,
        (lambda a, b: _beta(a, b) * _slope(a, b), lambda a, b: _beta(a, b) * _slope(b, a)),
        (
            lambda a, b: _beta(a, b) * (_slope(a, b) ** 2 + _own(a, b)),
            lambda a, b: _beta(a, b) * (_slope(a, b) * _slope(b, a) + _mixed(a, b)),
            lambda a, b: _beta(a, b) * (_slope(b, a) ** 2 + _own(b, a)),
        ),
        (_SIZES, _SIZES),
        bits=400,
    ),
    "digamma_step": two(
        lambda a, b: -_slope(a, b),
        (lambda a, b: -_own(a, b), lambda a, b: -_mixed(a, b)),
        (
            lambda a, b: mp.psi(2, a + b) - mp.psi(2, a),
            lambda a, b: mp.psi(2, a + b),
            lambda a, b: mp.psi(2, a + b),
        ),
        (_SIZES, _SIZES),
        bits=400,
    ),
    "gamma_density": two(
        _density,
        (lambda a, x: _density(a, x) * _in_shape(a, x), lambda a, x: _density(a, x) * _in_x(a, x)),
        (
            lambda a, x: _density(a, x) * (_in_shape(a, x) ** 2 - mp.psi(1, a)),
            lambda a, x: _density(a, x) * (_in_shape(a, x) * _in_x(a, x) + 1 / x),
            lambda a, x: _density(a, x) * (_in_x(a, x) ** 2 - (a - 1) / x**2),
        ),
        (_SHAPES, _SHAPES),
        bits=400,
    ),
}
