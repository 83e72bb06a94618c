"""The beta function and its logarithm, where three values of log Gamma would cancel."""

import mpmath as mp
import numpy as np
import pytest

import fad
from fad.primitives import beta as betas
from tests.primitives.accuracy import between, derivative, in_dtype, pushed, spread, ulps

BITS = 300
A = np.concatenate([spread(1e-3, 1e6, 40, False), between(0.1, 40), spread(1e-9, 1e9, 30, False)])
B = A[np.random.default_rng(5).permutation(A.size)]


def log_beta(a, b):
    return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


def in_a(a, b):
    return mp.digamma(a) - mp.digamma(a + b)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_accuracy_of_betaln(dtype):
    a, b = in_dtype(dtype, A, B)
    got = np.asarray(betas.betaln(fad.asarray(a), fad.asarray(b)))
    away = np.abs(got) > 0.5  # next to its zeros, the error is that of the terms
    assert ulps(got[away], log_beta, a[away], b[away], bits=BITS) <= 8.0
    eps = np.finfo(dtype).eps
    with mp.workprec(BITS):
        for value, x, y in zip(got[~away], a[~away], b[~away], strict=True):
            assert abs(float(value - log_beta(mp.mpf(float(x)), mp.mpf(float(y))))) <= 4 * eps
    assert ulps(derivative(betas.betaln, [a, b], 0), in_a, a, b, bits=BITS) <= 4.0
    swapped = lambda x, y: in_a(y, x)  # noqa: E731
    assert ulps(pushed(betas.betaln, [a, b], 1), swapped, a, b, bits=BITS) <= 4.0


def test_accuracy_of_beta():
    """The exponential magnifies the rounding of a large logarithm."""
    got = np.asarray(betas.beta(fad.asarray(A), fad.asarray(B)))
    with mp.workprec(BITS):
        for value, x, y in zip(got, A, B, strict=True):
            logarithm = log_beta(mp.mpf(x), mp.mpf(y))
            if logarithm > -700:
                error = abs(float(mp.mpf(value) / mp.exp(logarithm) - 1))
                assert error <= 2.3e-16 * (8 + 2 * float(abs(logarithm)))


def test_exact_values():
    n = np.arange(1.0, 9.0)
    np.testing.assert_allclose(betas.beta(1.0, n), 1 / n, rtol=1e-15)
    np.testing.assert_allclose(betas.betaln(1e10, 1.0), -np.log(1e10), rtol=1e-15)
    assert float(fad.grad(betas.betaln)(1e8, 1.0)) == pytest.approx(-1e-8, rel=1e-15)
    assert float(betas.beta(-0.5, 2.0)) == pytest.approx(-4.0, rel=1e-15)


def test_the_zero_at_1_and_large_arguments():
    rng = np.random.default_rng(3)
    near = 1 + 10 ** rng.uniform(-15, -1, (2, 40)) * rng.choice([-1, 1], (2, 40))
    large = 10 ** rng.uniform(-2, 3, (2, 40))
    with mp.workdps(60):
        for (a, b), function, exact, bound in (
            (near, betas.betaln, log_beta, 8.0),
            (large, betas.beta, mp.beta, 16.0),
        ):
            for value, *point in zip(function(a, b), a, b, strict=True):
                want = exact(*map(mp.mpf, point))
                if abs(want) > 1e-290 and abs(sum(point) - 2) > 1e-3 * max(abs(point[0] - 1), 1e-9):
                    assert abs(float(value) / want - 1) < bound * 2.3e-16, point


def test_edges():
    a = np.array([0.0, 2.5, np.inf, 3.0, np.nan, np.inf])
    b = np.array([2.5, 0.0, 2.5, np.inf, 1.0, np.inf])
    np.testing.assert_array_equal(
        betas.betaln(a, b), [np.inf, np.inf, *[-np.inf] * 2, np.nan, -np.inf]
    )
    np.testing.assert_array_equal(betas.beta(a, b), [np.inf, np.inf, 0, 0, np.nan, 0])


def test_second_derivatives():
    for point in ((0.6, 2.3), (12.0, 0.4), (30.0, 50.0)):
        for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
            orders = (int(i == 0) + int(j == 0), int(i == 1) + int(j == 1))
            for function, value in ((betas.betaln, log_beta), (betas.beta, mp.beta)):
                got = float(fad.grad(fad.grad(function, argnums=i), argnums=j)(*point))
                with mp.workdps(40):
                    expected = float(mp.diff(value, point, orders))
                assert got == pytest.approx(expected, rel=1e-11)
