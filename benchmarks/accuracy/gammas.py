"""Exact functions of two operands around the gamma function: beta, and the gamma density."""

from __future__ import annotations

from typing import Any

from mpmath import mp

from benchmarks.accuracy.exact import Exact, two
from benchmarks.accuracy.grid import Domain

_SIZES = Domain(1e-6, 1e8, around=(1.0, 10.0), spans=((0.0, 2.0), (0.0, 40.0)), density=0.3)
_SHAPES = Domain(1e-6, 1e3, around=(1.0, 100.0), spans=((0.0, 2.0), (0.0, 120.0)), density=0.3)


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


GAMMAS: dict[str, Exact] = {
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
