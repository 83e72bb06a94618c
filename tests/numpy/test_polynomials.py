"""Polynomials: NumPy's values, derivatives in coefficients and points."""

from __future__ import annotations

import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

import fad.numpy as fnp
from fad.core.errors import FadValueError
from tests.against import as_numpy, derivatives_as_jax

RNG = np.random.default_rng(0)
P = RNG.normal(size=5)
Q = RNG.normal(size=3) + 1j
I = np.array([1, 2, -3])  # noqa: E741
X = RNG.normal(size=(2, 3))
POLYNOMIALS = [P, Q, I]


def test_polyval():
    for p in (*POLYNOMIALS, RNG.normal(size=50)):
        for x in (X, 2.0, I, X.astype(np.float32), 3):
            as_numpy("polyval", p, x, rtol=1e-12)
    as_numpy("polyval", RNG.normal(size=(4, 3)), X)
    as_numpy("polyval", RNG.normal(size=(40, 3)), X, rtol=1e-12)
    as_numpy("polyval", np.zeros(0), X)
    as_numpy("polyval", np.arange(60, dtype=np.int8), np.int64(3))


@pytest.mark.parametrize("count", [4, 40])
def test_derivatives_of_polyval(count):
    p, x = RNG.normal(size=count), np.array([0.5, -0.9, 0.0])
    derivatives_as_jax(fnp.polyval, lambda p, x: jnp.polyval(p, x, unroll=8), p, x)


def test_polyval_is_accurate():
    p, x = RNG.normal(size=60), 0.97
    exact = mpmath.fsum(mpmath.mpf(float(c)) * mpmath.mpf(x) ** i for i, c in enumerate(p[::-1]))
    condition = float(np.polyval(np.abs(p), x) / abs(exact))
    assert abs(float(fnp.polyval(p, x)) / float(exact) - 1) < 2.3e-16 * 120 * condition


def test_derivatives_and_integrals_of_polynomials():
    for p in POLYNOMIALS:
        for m in range(4):
            as_numpy("polyder", p, m)
            as_numpy("polyint", p, m)
            as_numpy("polyint", p, m, k=2.5)
    as_numpy("polyder", P, 5)
    as_numpy("polyint", P, 2, k=[1, 2])
    as_numpy("polyint", I, 3, k=[1, 2, 4, 5])
    derivatives_as_jax(lambda p, k: fnp.polyint(p, 1, k), lambda p, k: jnp.polyint(p, 1, k), P, 2.0)


def test_arithmetic():
    for a in POLYNOMIALS:
        for b in (P[1:], Q[::-1], np.array([2, 5]), 3.0):
            for name in ("polyadd", "polysub", "polymul"):
                as_numpy(name, a, b)
            if np.size(b) > 1:
                as_numpy("polydiv", a, b, rtol=1e-12)
    derivatives_as_jax(fnp.polymul, jnp.polymul, P, Q.real)


def test_leading_zeros_stay():
    np.testing.assert_array_equal(fnp.polymul([0.0, 2.0], [0.0, 1.0]), [0, 0, 2])
    quotient, rest = fnp.polydiv([1.0, 3.0, 2.0], [1.0, 1.0])
    np.testing.assert_array_equal(quotient, [1, 2])
    np.testing.assert_array_equal(rest, [0])
    quotient, rest = fnp.polydiv([1.0, 3.0], [1.0, 0.0, 2.0])
    np.testing.assert_array_equal(quotient, [0])
    np.testing.assert_array_equal(rest, [1, 3])


def test_division_undoes_multiplication():
    quotient, rest = fnp.polydiv(fnp.polyadd(fnp.polymul(P, I), [1.0, -2.0]), I)
    np.testing.assert_allclose(np.asarray(quotient), P, rtol=1e-13)
    np.testing.assert_allclose(np.asarray(rest), [1, -2], rtol=1e-12)


def test_poly():
    for zeros in POLYNOMIALS:
        as_numpy("poly", zeros)
    assert fnp.poly([]).shape == ()
    roots = np.array([1.0, 2.0, 4.0])

    def product(z):
        a, b, c = z
        return jnp.stack([z[0] * 0 + 1, -(a + b + c), a * b + a * c + b * c, -a * b * c])

    derivatives_as_jax(fnp.poly, product, roots)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fnp.polyder(P, -1), "must not be negative; polyint"),
        (lambda: fnp.polyint(P, -1), "must not be negative; polyder"),
        (lambda: fnp.polyint(P, 3, k=[1, 2]), "one number or 3 of them, got 2"),
        (lambda: fnp.polyadd(X, P), "vector of coefficients"),
        (lambda: fnp.poly(np.eye(2)), "eigenvalues"),
    ],
)
def test_errors(call, message):
    with pytest.raises(FadValueError, match=message):
        call()
