"""Powers: ``x ** n`` with a fixed integer, and ``x ** y``.

All mixed partial derivatives of x**y are one primitive. Its kernel knows the corners, where the
textbook formulas give 0 * inf: the derivative of x**0 is 0 at x = 0, and that of 0**y in y is 0 for
y > 0.
"""

from __future__ import annotations

from functools import cache
from math import comb
from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core.apply import apply1, apply2
from fad.core.errors import FadValueError, located
from fad.core.primitive import Primitive
from fad.core.tensor import Tensor, aval_of
from fad.primitives import logarithms
from fad.primitives.arithmetic import COUNTING, mul
from fad.primitives.declare import INF, NAN, Convention, elementwise_family, function_of
from fad.primitives.precise import difference, is_complex

MAX_STATIC = 64
"""Larger exponents are run-time arguments: a program per exponent would be too many."""

_MULTIPLIED = 6  # up to here, repeated multiplication is within 3 units in the last place


def _integer_pow(x: Any, *, exponent: int) -> Any:
    n = abs(exponent)
    if n > _MULTIPLIED and jnp.issubdtype(x.dtype, jnp.floating):
        return lax.pow(x, jnp.full_like(x, exponent))
    power = lax.integer_pow(x, n)
    return power if exponent >= 0 else lax.div(jnp.ones_like(x), power)


def _integer_pow_partial(g: Any, x: Any, *, exponent: int) -> Any:
    if exponent == 0:
        return None
    if exponent == 1:
        return g
    return mul(g, mul(integer_pow(x, exponent - 1), float(exponent)))


INTEGER_POW = elementwise_family(
    "integer_pow",
    _integer_pow,
    [_integer_pow_partial],
    params=[{"exponent": n} for n in (3, 0, 1, 2, -2, 9)],
    promotion=COUNTING,
    domains=((0.5, 2.0),),
    reference=lambda x, *, exponent: np.power(x, float(exponent)),
    conventions=[
        Convention((0.0,), (0.0,), "constant", point="x**0 at 0", params={"exponent": 0}),
        Convention(
            (0.0,),
            (-INF,),
            "-2 / x**3, of 0 and not of -0",
            point="x**-2 at 0",
            params={"exponent": -2},
        ),
    ],
    formula="x**exponent",
)


def integer_pow(x: Any, exponent: int) -> Any:
    """``x ** exponent`` with the exponent part of the program."""
    return x if exponent == 1 else apply1(INTEGER_POW(exponent=exponent), x)


@cache
def _falling_factorial(k: int, order: int) -> tuple[int, ...]:
    """Coefficients, highest first, of a derivative of y (y-1) ... (y-k+1)."""
    return tuple([int(c) for c in np.poly1d(np.poly(range(k)) if k else [1]).deriv(order).coeffs])


def _power(x: Any, y: Any, *, dx: int, dy: int) -> Any:
    if not jnp.issubdtype(x.dtype, jnp.inexact):
        return _integers(x, y)
    if dx == 0 and dy == 0:
        return lax.pow(x, y)
    value = _shifted_power(x, y, dx)
    if dy == 0:
        factor = y
        for i in range(1, dx):
            factor = factor * (y - i)
        # Where x**(y - k) is 0 the factor may overflow.
        return jnp.where((factor == 0) | (value == 0), 0.0, factor * value)
    # Leibniz: the derivatives in y of a polynomial in y times x**(y - dx). The logarithm of 0,
    # where x**y is 0, counts as 0.
    log = logarithms.log(jnp.where(x == 0, jnp.ones_like(x), x))
    factor = jnp.zeros_like(x)
    for j in range(min(dx, dy) + 1):
        polynomial = jnp.full_like(y, 0.0)
        for c in _falling_factorial(dx, j):
            polynomial = polynomial * y + c
        factor = factor + comb(dy, j) * polynomial * lax.integer_pow(log, dy - j)
    return factor * value


def _shifted_power(x: Any, y: Any, k: int) -> Any:
    """x**(y - k). The rounding of y - k is magnified by log(x), so it is corrected for."""
    if k == 0 or is_complex(x):
        return lax.pow(x, y - k)
    s, lost = difference(y, jnp.full_like(y, k))
    ordinary = (lost != 0) & (x != 0) & (lax.abs(x) < jnp.inf)
    log = lax.log(jnp.where(ordinary, lax.abs(x), 1.0))
    return lax.pow(x, s) * (1.0 + jnp.where(ordinary, lost, 0.0) * log)


def _integers(x: Any, y: Any) -> Any:
    """Powers of integers by repeated squaring; with a negative exponent, rounded towards 0."""
    one, zero = jnp.ones_like(x), jnp.zeros_like(x)

    def step(state: Any) -> Any:
        result, base, left = state
        result = jnp.where(left & 1 == 1, result * base, result)
        return result, base * base, lax.shift_right_logical(left, jnp.ones_like(left))

    result, _, _ = lax.while_loop(lambda s: jnp.any(s[2] > 0), step, (one, x, jnp.maximum(y, zero)))
    if x.dtype.kind == "u":
        return result
    odd = jnp.where(y & 1 == 1, x, one)  # of 1 and -1
    return jnp.where(y < 0, jnp.where(x * x == 1, odd, zero), result)


POWER: Primitive = elementwise_family(
    "power",
    _power,
    [
        lambda g, x, y, *, dx, dy: mul(g, apply2(POWER(dx=dx + 1, dy=dy), x, y)),
        lambda g, x, y, *, dx, dy: mul(g, apply2(POWER(dx=dx, dy=dy + 1), x, y)),
    ],
    params=[{"dx": 0, "dy": 0}],
    promotion=COUNTING,
    domains=((0.5, 3.0), (-3.0, 3.0)),
    reference=lambda x, y, **params: np.power(x, y),
    conventions=[
        Convention(
            (0.0, 0.0),
            (0.0, 0.0),
            "x**0 is 1 for every x; 0**y counts as constant",
            params={"dx": 0, "dy": 0},
        ),
        Convention(
            (0.0, 1.0),
            (1.0, 0.0),
            "y x**(y - 1), and 0**y is 0 for y > 0",
            params={"dx": 0, "dy": 0},
        ),
        Convention(
            (0.0, 2.0),
            (0.0, 0.0),
            "y x**(y - 1), and 0**y is 0 for y > 0",
            params={"dx": 0, "dy": 0},
        ),
        Convention(
            (0.0, 0.5),
            (INF, 0.0),
            "the one-sided limit, and 0**y is 0 for y > 0",
            params={"dx": 0, "dy": 0},
        ),
        Convention(
            (0.0, -1.0),
            (-INF, NAN),
            "-1 / x**2; 0**y is infinite for y < 0",
            params={"dx": 0, "dy": 0},
        ),
        Convention(
            (-2.0, 3.0),
            (12.0, NAN),
            "in y the function is defined at integers alone",
            params={"dx": 0, "dy": 0},
        ),
        Convention((-2.0, 0.5), (NAN, NAN), "outside the domain", params={"dx": 0, "dy": 0}),
    ],
    formula="x**y",
)
_power_of = function_of(POWER(dx=0, dy=0))


_STATIC = {n: INTEGER_POW(exponent=n) for n in range(-MAX_STATIC, MAX_STATIC + 1) if n != 1}


def power(x: Any, y: Any) -> Any:
    """``x ** y``. A Python int as exponent becomes part of the program, if it is not too large."""
    if y.__class__ is int:
        operation = _STATIC.get(y)
        if operation is not None and isinstance(x, Tensor) and x.aval.inexact:
            return apply1(operation, x)
        return _power_of_integer_exponent(x, y)
    if (
        isinstance(y, np.ndarray | np.generic)
        and y.dtype.kind in "iu"
        and bool(np.any(np.asarray(y) < 0))
        and aval_of(x).dtype.kind in "biu"
    ):
        raise _negative("x.astype(float) ** y")
    return _power_of(x, y)


def _power_of_integer_exponent(x: Any, y: int) -> Any:
    kind = aval_of(x).dtype.kind
    if kind in "iu" and y < 0:
        raise _negative(f"x.astype(float) ** {y}, or write x ** {float(y)}")
    if kind != "b" and -MAX_STATIC <= y <= MAX_STATIC:
        return integer_pow(x, y)
    return _power_of(x, y)


def _negative(instead: str) -> FadValueError:
    return FadValueError(
        located(
            "Integers to negative integer powers are not allowed. Convert the base first: "
            f"{instead}."
        )
    )
