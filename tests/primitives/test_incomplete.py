"""The incomplete gamma functions, their density, and their derivatives in both arguments."""

import mpmath as mp
import numpy as np
import pytest

import fad
from fad.primitives import incomplete
from tests.primitives.accuracy import derivative, pushed

RNG = np.random.default_rng(4)
A = np.concatenate([10 ** RNG.uniform(-3, 3.5, 40), 10 ** RNG.uniform(-8, 0, 15)])
X = np.concatenate(
    [A[:40] * np.exp(2 * RNG.normal(size=40) / np.sqrt(1 + A[:40])), 10 ** RNG.uniform(-6, 0.6, 15)]
)


def log_density(a, x):
    return (a - 1) * mp.log(x) - x - mp.loggamma(a)


def lower(a, x):
    if x < a + 1:
        return mp.gammainc(a, 0, x, regularized=True)
    return 1 - mp.gammainc(a, x, regularized=True)


def upper(a, x):
    return mp.gammainc(a, x, regularized=True)


def errors(got, exact):
    """Relative errors in units of epsilon, and how much the density's exponent magnifies them."""
    got = np.asarray(got)
    out = []
    with mp.workdps(60):
        for value, a, x in zip(got, A, X, strict=True):
            want = exact(mp.mpf(a), mp.mpf(x))
            if abs(want) > 1e-290:
                relative = float(abs(mp.mpf(float(value)) / want - 1)) / 2.2e-16
                magnified = float(abs(log_density(mp.mpf(a), mp.mpf(x))))
                out.append((relative, magnified))
    return np.array(out).T


def test_density():
    error, magnified = errors(
        incomplete.gamma_density(fad.asarray(A), fad.asarray(X)),
        lambda a, x: mp.exp(log_density(a, x)),
    )
    assert np.all(error <= 8 + 2 * magnified)
    assert np.median(error) < 4


@pytest.mark.parametrize(("name", "exact"), [("gammainc", lower), ("gammaincc", upper)])
def test_values_and_derivatives_in_x(name, exact):
    function = getattr(incomplete, name)
    error, magnified = errors(function(fad.asarray(A), fad.asarray(X)), exact)
    assert np.all(error <= 80 + 2 * magnified)
    assert np.median(error) < 8
    sign = 1 if name == "gammainc" else -1
    slope = lambda a, x: sign * mp.exp(log_density(a, x))  # noqa: E731
    for rule in (derivative, pushed):
        error, magnified = errors(rule(function, [A, X], 1), slope)
        assert np.all(error <= 8 + 2 * magnified)


def in_a(a, x, order):
    """A derivative of P in a: of the power series (DLMF 8.7.1), integrals being 2F2 and 3F3."""
    power = x**a
    parts = [mp.gammainc(a, 0, x), power / a**2 * mp.hyp2f2(a, a, a + 1, a + 1, -x)]
    parts.append(2 * power / a**3 * mp.hyper([a] * 3, [a + 1] * 3, -x))
    log, psi = mp.log(x), mp.digamma(a)
    lower = [parts[0], log * parts[0] - parts[1]]
    lower.append(log**2 * parts[0] - 2 * log * parts[1] + parts[2])
    first = lower[1] - psi * lower[0]
    second = lower[2] - 2 * psi * lower[1] + (psi**2 - mp.psi(1, a)) * lower[0]
    return (first if order == 1 else second) / mp.gamma(a)


@pytest.mark.parametrize("order", [1, 2])
def test_derivatives_in_a(order):
    a = np.array([0.4, 3.0, 12.0, 50.0, 1e-4, 0.02, 0.9, 120.0, 5.0, 130.0])
    x = np.array([0.2, 5.0, 10.0, 55.0, 1.2, 0.3, 6.0, 121.0, 30.0, 60.0])
    with mp.workdps(150):
        expected = [float(in_a(mp.mpf(s), mp.mpf(t), order)) for s, t in zip(a, x, strict=True)]
    for name, sign in (("gammainc", 1), ("gammaincc", -1)):
        function = getattr(incomplete, name)
        for rule in (derivative, pushed):
            got = rule(function, [a, x], 0)
            if order == 2:
                got = rule(lambda s, t, f=function, r=rule: slope(f, s, t), [a, x], 0)
            np.testing.assert_allclose(got, np.multiply(sign, expected), rtol=1e-13)


def slope(function, a, x):
    return fad.vjp(lambda s: function(s, x), a)[1](np.ones(a.shape))[0]


def test_the_third_derivative_in_a():
    third = fad.grad(fad.grad(fad.grad(incomplete.gammainc)))
    with mp.workdps(60):
        expected = mp.diff(lambda s: in_a(s, mp.mpf(3.5), 2), mp.mpf(2.5))
    assert float(third(2.5, 3.5)) == pytest.approx(float(expected), rel=1e-12)


def test_mixed_derivatives():
    in_x = fad.grad(incomplete.gammainc, argnums=1)
    a, x = mp.mpf(2.5), mp.mpf(3.5)
    density = mp.exp(log_density(a, x))
    twice = float(fad.grad(in_x, argnums=1)(2.5, 3.5))
    assert twice == pytest.approx(float(density * ((a - 1) / x - 1)), rel=1e-14)
    expected = float(density * (mp.log(x) - mp.digamma(a)))
    assert float(fad.grad(in_x, argnums=0)(2.5, 3.5)) == pytest.approx(expected, rel=1e-14)
    by_a = fad.grad(incomplete.gammainc, argnums=0)
    assert float(fad.grad(by_a, argnums=1)(2.5, 3.5)) == pytest.approx(expected, rel=1e-14)
    twice = density * ((mp.log(x) - mp.digamma(a)) ** 2 - mp.psi(1, a))
    for first, last in ((0, 1), (1, 0)):
        got = fad.grad(fad.grad(by_a, argnums=first), argnums=last)(2.5, 3.5)
        assert float(got) == pytest.approx(float(twice), rel=1e-13)


def test_derivatives_in_a_at_the_ends():
    inf, nan = np.inf, np.nan
    a = np.array([2.0, 2.0, inf, 0.0, -1.0, nan, 0.0])
    x = np.array([0.0, inf, 1.0, 0.0, 1.0, 1.0, 1.0])
    got = derivative(incomplete.gammainc, [a, x], 0)
    expected = [0, 0, 0, nan, nan, nan, float(-mp.e1(1))]
    np.testing.assert_allclose(got, expected, rtol=1e-14)


def test_edges():
    inf, nan = np.inf, np.nan
    a = np.array([2.0, 2.0, 0.0, inf, 0.0, inf, -1.0, 1.0, nan, 0.5])
    x = np.array([0.0, inf, 1.0, 1.0, 0.0, inf, 1.0, -1.0, 1.0, nan])
    lower_values = np.array([0, 1, 1, 0, nan, nan, nan, nan, nan, nan])
    np.testing.assert_array_equal(incomplete.gammainc(a, x), lower_values)
    np.testing.assert_array_equal(incomplete.gammaincc(a, x), 1 - lower_values)


def test_single_precision():
    a, x = A.astype(np.float32), X.astype(np.float32)
    got = incomplete.gammaincc(fad.asarray(a), fad.asarray(x))
    assert got.dtype == np.float32
    wide = np.asarray(incomplete.gammaincc(a.astype(float), x.astype(float)))
    normal = wide > 1e-20
    np.testing.assert_allclose(np.asarray(got)[normal], wide[normal], rtol=2e-5)
