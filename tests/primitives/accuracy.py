"""Distances from the exact value, in units in the last place, against mpmath."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np

import fad


def spread(low: float, high: float, count: int = 40, signed: bool = True) -> np.ndarray:
    """Numbers of all magnitudes between two."""
    exponents = np.random.default_rng(1).uniform(np.log10(low), np.log10(high), count)
    numbers = 10.0**exponents
    return np.concatenate([numbers, -numbers]) if signed else numbers


def between(low: float, high: float, count: int = 40) -> np.ndarray:
    """Numbers of an interval."""
    return np.random.default_rng(2).uniform(low, high, count)


def ulps(got: Any, exact: Callable[..., Any], *operands: np.ndarray, bits: int = 1200) -> float:
    """The largest distance of ``got`` from ``exact(*operands)``, in units in the last place.

    Results below the normal range do not count: XLA flushes them to zero.
    """
    worst = 0.0
    got = np.asarray(got)
    info, number = np.finfo(got.dtype), got.dtype.type
    with mpmath.workprec(bits):
        for value, *xs in zip(got, *operands, strict=True):
            want = exact(*[mpmath.mpf(float(x)) for x in xs])
            if not float(info.tiny) * 1.04 < abs(want) < float(info.max) * 0.99:
                continue
            if not np.isfinite(value):
                return np.inf
            unit = mpmath.mpf(float(np.spacing(number(abs(float(want))))))
            worst = max(worst, float(abs(mpmath.mpf(float(value)) - want) / unit))
    return worst


def in_dtype(dtype: Any, *operands: np.ndarray) -> list[np.ndarray]:
    """The points that a precision can hold, rounded to it."""
    info = np.finfo(dtype)
    inside = np.ones(operands[0].shape, bool)
    for x in operands:
        inside &= (x == 0) | ((np.abs(x) > info.tiny * 1.04) & (np.abs(x) < info.max * 0.99))
    return [x[inside].astype(dtype) for x in operands]


def relative(got: Any, exact: Callable[..., Any], points: np.ndarray) -> float:
    """The same for complex numbers, relative to the magnitude, in units of epsilon."""
    worst = 0.0
    with mpmath.workprec(1200):
        for value, z in zip(np.asarray(got), points, strict=True):
            want = exact(mpmath.mpmathify(complex(z)))
            if not 1e-300 < abs(want) < 1e300:
                continue
            if not np.isfinite(value):
                return np.inf
            error = abs(mpmath.mpmathify(complex(value)) - want) / abs(want)
            worst = max(worst, float(error) / 2.2e-16)
    return worst


def derivative(function: Callable[..., Any], operands: Sequence[Any], index: int = 0) -> np.ndarray:
    """The elementwise derivative in one operand, by the reverse rule."""
    out, pull = fad.vjp(function, *operands)
    ones = np.ones(out.shape, out.dtype)
    return np.asarray(pull(ones)[index])


def pushed(function: Callable[..., Any], operands: Sequence[Any], index: int = 0) -> np.ndarray:
    """The same by the forward rule."""

    def of_one(x: Any) -> Any:
        return function(*[x if i == index else other for i, other in enumerate(operands)])

    point = operands[index]
    return np.asarray(fad.jvp(of_one, (point,), (np.ones_like(point),))[1])
