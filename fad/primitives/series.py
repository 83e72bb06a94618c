"""Polynomials and series that kernels of special functions share, in JAX's kernel language."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from math import comb
from typing import Any

from jax import lax
from jax import numpy as jnp

from fad.primitives.logarithms import log1p
from fad.primitives.precise import polynomial


def log1p_minus(x: Any) -> Any:
    """log(1 + x) - x, without the cancellation near 0.

    With u = x / (2 + x), log(1 + x) = 2 artanh(u) = 2 u + 2 u**3 (1/3 + u**2 / 5 + ...), and
    2 u - x = -u x.
    """
    near = lax.abs(x) < 0.4
    safe = jnp.where(near, x, 0.0)
    u = safe / (2.0 + safe)
    square = u * u
    series = polynomial(square, [2.0 / (2 * k + 3) for k in range(12)])
    return jnp.where(near, u * (square * series - safe), log1p(x) - x)


def truncated_product(a: Sequence[Any], b: Sequence[Any]) -> list[Any]:
    """The product of two power series, as many coefficients as both have."""
    return [sum(a[i] * b[n - i] for i in range(n + 1)) for n in range(len(a))]


def truncated_exp(value: Any, slope: Sequence[Any], count: int) -> list[Any]:
    """The power series of a function with this value and this logarithmic derivative."""
    out = [value]
    for n in range(1, count):
        out.append(sum(slope[k] * out[n - 1 - k] for k in range(n)) / float(n))
    return out


@cache
def _bernoulli(n: int) -> Fraction:
    return -sum((comb(n + 1, k) * _bernoulli(k) for k in range(n)), Fraction(-(n == 0))) / (n + 1)


def bernoulli(n: int) -> float:
    """The n-th Bernoulli number."""
    return float(_bernoulli(n))


_STIRLING = [bernoulli(2 * k) / (2 * k * (2 * k - 1)) for k in range(1, 9)]


def stirling(x: Any) -> Any:
    """What log Gamma(x) adds to (x - 1/2) log(x) - x + log(2 pi) / 2, from about 8 on.

    DLMF 5.11.1.
    """
    inverse = 1.0 / x
    return inverse * polynomial(inverse * inverse, _STIRLING)
