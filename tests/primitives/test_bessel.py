"""Modified Bessel functions, plain and scaled, and their derivatives."""

import mpmath as mp
import numpy as np
import pytest

import fad
from fad.primitives import bessel
from tests.primitives.accuracy import between, derivative, in_dtype, pushed, spread, ulps

BITS = 300
PARTS = [between(-40, 40), between(-9, 9), between(-3, 3), between(600, 713, 10)]
PARTS += [spread(1e-10, 1e3, 25), between(7.5, 8.5, 20), between(1.9, 2.1, 20)]
POINTS = np.concatenate(PARTS)


def plain(order):
    return lambda x: mp.besseli(order, x)


def scaled(function):
    """The function times exp(-|x|), at a precision that covers what cancels in it."""

    def value(x):
        with mp.workprec(BITS + 4 * int(abs(x))):
            return function(x) * mp.exp(-abs(x))

    return value


def gap(x):
    return mp.besseli(0, x) - mp.besseli(1, abs(x))


def i1_slope(x):
    return mp.besseli(0, x) - mp.besseli(1, x) / x


CASES = {
    "i0": (plain(0), plain(1)),
    "i1": (plain(1), i1_slope),
    "i0e": (scaled(plain(0)), scaled(lambda x: -mp.sign(x) * gap(x))),
    "i1e": (scaled(plain(1)), None),
    "bessel_gap": (scaled(gap), None),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", CASES)
def test_accuracy(name, dtype):
    function = getattr(bessel, name)
    value, slope = CASES[name]
    (points,) = in_dtype(dtype, POINTS)
    assert ulps(function(fad.asarray(points)), value, points, bits=BITS) <= 5.0
    if slope is not None:
        points = points[np.abs(points) < 700]
        assert ulps(derivative(function, [points]), slope, points, bits=BITS) <= 5.0
        assert ulps(pushed(function, [points])[::5], slope, points[::5], bits=BITS) <= 5.0


def test_the_slope_of_i1e_but_for_its_zero():
    exact = scaled(lambda x: gap(x) - mp.besseli(1, x) / x)
    points = POINTS[np.abs(np.abs(POINTS) - 1.5453) > 0.5]
    assert ulps(derivative(bessel.i1e, [points]), exact, points, bits=BITS) <= 16.0


@pytest.mark.parametrize("order", [2, 3, 5])
def test_ratios_of_higher_order(order):
    points = between(-30, 30, 30)
    for is_scaled in (False, True):
        exact = lambda x: mp.besseli(order, x) / x**order  # noqa: E731
        exact = scaled(exact) if is_scaled else exact
        got = bessel.ratio(fad.asarray(points), order, is_scaled)
        assert ulps(got, exact, points, bits=BITS) <= (8.0 if order < 4 else 64.0)


@pytest.mark.parametrize("name", ["i0", "i1", "i0e", "i1e"])
def test_third_derivatives(name):
    third = fad.grad(fad.grad(fad.grad(getattr(bessel, name))))
    for x in (-10.0, 0.3, 1.7, 5.0, 12.0):
        rate = -np.sign(x) if name.endswith("e") else 0.0
        value = lambda t, rate=rate: mp.besseli(int(name[1]), t) * mp.exp(rate * t)  # noqa: E731
        with mp.workdps(50):
            expected = float(mp.diff(value, mp.mpf(x), 3))
        assert float(third(x)) == pytest.approx(expected, rel=1e-11)


def test_at_0_where_the_scaled_functions_have_a_kink():
    derivatives = {"i0": (1, 0, 0.5), "i1": (0, 0.5, 0), "i0e": (1, 0, None), "i1e": (0, 0.5, None)}
    for name, (value, slope, second) in derivatives.items():
        function = getattr(bessel, name)
        assert float(function(0.0)) == value
        assert float(fad.grad(function)(0.0)) == slope
        if second is not None:
            assert float(fad.grad(fad.grad(function))(0.0)) == second


def test_at_infinity():
    x = np.array([np.inf, -np.inf, np.nan])
    np.testing.assert_array_equal(bessel.i0(x), [np.inf, np.inf, np.nan])
    np.testing.assert_array_equal(bessel.i1(x), [np.inf, -np.inf, np.nan])
    np.testing.assert_array_equal(bessel.i0e(x), [0, 0, np.nan])
    np.testing.assert_array_equal(bessel.i1e(x), [0, 0, np.nan])
    large = np.array([1e300])
    root = 1 / np.sqrt(2 * np.pi * 1e300)
    np.testing.assert_allclose(bessel.i0e(large), root, rtol=1e-15)
    np.testing.assert_allclose(bessel.i1e(-large), -root, rtol=1e-15)
