"""The gamma function, its logarithm and the derivatives of that, also next to their zeros."""

import mpmath as mp
import numpy as np
import pytest

import fad
from fad.primitives import gamma as gammas
from tests.primitives.accuracy import between, derivative, in_dtype, pushed, spread, ulps

BITS = 250
ZERO = 1.4616321449683622  # of digamma


def join(*parts):
    return np.concatenate(parts)


def log_gamma(x):
    return mp.re(mp.loggamma(x))


def polygamma(order):
    def value(x):
        if x > 1e6:  # DLMF 5.15.8
            sign, factor = (-1) ** (order + 1), mp.factorial(order - 1)
            terms = 1 + order / (2 * x) + order * (order + 1) / (12 * x * x)
            return sign * factor * terms / x**order
        return mp.psi(order, x)

    return value


POSITIVE = join(
    spread(1e-300, 1e300, signed=False),
    spread(1e-4, 1e3, signed=False),
    between(0, 12, 60),
    between(0, 3.2),
)
AT_ZEROS = join(1 + spread(1e-15, 0.1), 2 + spread(1e-15, 0.1))
NEXT_TO_ZERO = np.array([ZERO, np.nextafter(ZERO, 2), 1.46163, 1.461632, np.float32(ZERO)])
BELOW_0 = -join(spread(1e-30, 1, signed=False), between(0, 1), between(10, 160))

CASES = {
    "gammaln": (log_gamma, mp.digamma, join(POSITIVE, AT_ZEROS)),
    "digamma": (mp.digamma, polygamma(1), join(POSITIVE, AT_ZEROS, NEXT_TO_ZERO)),
    "gamma": (mp.gamma, lambda x: mp.gamma(x) * mp.digamma(x), POSITIVE[POSITIVE < 169]),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", CASES)
def test_accuracy(name, dtype):
    function = getattr(gammas, name)
    value, slope, points = CASES[name]
    (points,) = in_dtype(dtype, points)
    if name == "gamma" and dtype == np.float32:
        points = points[points < 34]
    bound = 8.0 if name == "gamma" else 4.0
    assert ulps(function(fad.asarray(points)), value, points, bits=BITS) <= 4.5
    assert ulps(derivative(function, [points]), slope, points, bits=BITS) <= bound
    assert ulps(pushed(function, [points])[::5], slope, points[::5], bits=BITS) <= bound


@pytest.mark.parametrize("order", [1, 2, 3, 7])
def test_accuracy_of_polygamma(order):
    points = POSITIVE[(POSITIVE > 1e-30) & (POSITIVE < 1e30)][::2]
    got = gammas.polygamma(order, fad.asarray(points))
    assert ulps(got, polygamma(order), points, bits=BITS) <= (8.0 if order > 3 else 4.0)


def test_negative_arguments():
    exact = {
        "gammaln": lambda x: mp.log(abs(mp.gamma(x))),
        "gamma": mp.gamma,
    }
    for name, value in exact.items():
        got = getattr(gammas, name)(fad.asarray(BELOW_0))
        assert ulps(got, value, BELOW_0, bits=BITS) <= 4.5
    # The others have zeros between any two poles, next to which the error is that of their terms.
    for order in range(4):
        got = np.asarray(gammas.polygamma(order, fad.asarray(BELOW_0)))
        with mp.workprec(BITS):
            expected = [float(mp.psi(order, mp.mpf(float(x)))) for x in BELOW_0]
        size = np.abs(expected) + 1.0
        finite = np.isfinite(expected)
        assert np.max(np.abs(got - expected)[finite] / size[finite]) <= 4e-14


def test_special_values():
    inf, nan = np.inf, np.nan
    x = np.array([0.0, -0.0, 1.0, 2.0, -1.0, -2.0, inf, -inf, nan])
    expected = {
        "gammaln": [inf, inf, 0, 0, inf, inf, inf, -inf, nan],
        "gamma": [inf, -inf, 1, 1, nan, nan, inf, nan, nan],
        "digamma": [-inf, inf, -0.5772156649015329, 0.42278433509846714, nan, nan, inf, nan, nan],
    }
    for name, values in expected.items():
        got = np.asarray(getattr(gammas, name)(x))
        np.testing.assert_allclose(got, values, rtol=1e-15, err_msg=name)
    np.testing.assert_array_equal(gammas.polygamma(1, x)[:2], [inf, inf])
    np.testing.assert_array_equal(gammas.polygamma(2, x)[:2], [-inf, -inf])
    np.testing.assert_array_equal(gammas.polygamma(1, x)[4:8], [inf, inf, 0, inf])


def test_whole_numbers():
    n = np.arange(1.0, 171.0)
    with mp.workprec(BITS):
        factorials = [float(mp.factorial(int(k) - 1)) for k in n]
    np.testing.assert_allclose(gammas.gamma(n), factorials, rtol=1e-15)
    np.testing.assert_array_equal(gammas.gamma(n[:9]), factorials[:9])


@pytest.mark.parametrize("x", [0.3, 1.46, 2.0, 7.5, 40.0, -0.4, -3.7])
def test_derivatives_of_every_order_are_polygamma(x):
    function = gammas.gammaln
    for order in range(4):
        function = fad.grad(function)
        expected = float(mp.psi(order, x))
        assert float(function(x)) == pytest.approx(expected, rel=1e-12)


def test_second_derivative_of_gamma():
    for x in (0.4, 3.3, 20.0, -1.6):
        with mp.workdps(40):
            expected = float(mp.diff(mp.gamma, mp.mpf(x), 2))
        assert float(fad.grad(fad.grad(gammas.gamma))(x)) == pytest.approx(expected, rel=1e-13)
