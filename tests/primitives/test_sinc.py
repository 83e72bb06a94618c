"""sinc and its derivatives of all orders, near 0 and near integers."""

import mpmath as mp
import numpy as np
import pytest

import fad
from fad.core.apply import apply1
from fad.primitives.sinc import SINC, sinc
from tests.primitives.accuracy import between, derivative, relative, spread, ulps


def exact(x):
    return mp.sin(mp.pi * x) / (mp.pi * x)


def slope(x):
    return (mp.cos(mp.pi * x) - exact(x)) / x


def test_accuracy():
    points = np.concatenate([spread(1e-100, 1e-3), between(-1, 1), between(-9, 9)])
    assert ulps(sinc(fad.asarray(points)), exact, points) <= 3.0
    away = points[abs(np.asarray(derivative(sinc, [points]))) > 1e-2]
    assert ulps(derivative(sinc, [away]), slope, away) <= 12.0
    tiny = spread(1e-100, 1e-3)
    assert ulps(derivative(sinc, [tiny]), slope, tiny) <= 4.0


def test_near_integers_the_value_is_accurate():
    points = np.concatenate([n + spread(1e-12, 1e-2, 10) for n in (-7.0, 1.0, 2.0, 50.0)])
    assert ulps(sinc(fad.asarray(points)), exact, points) <= 3.0
    np.testing.assert_array_equal(sinc(np.array([0.0, 1.0, -2.0, 1e6])), [1, 0, 0, 0])


@pytest.mark.parametrize("order", [2, 3, 4, 6])
def test_higher_derivatives(order):
    points = np.array([-3.3, -1.0, -0.2, 1e-8, 0.0, 0.5, 1.2, 2.0, 5.7])
    got = np.asarray(apply1(SINC(order=order), fad.asarray(points)))
    with mp.workdps(40):
        # d^n sinc = pi^n times the integral of t^n cos(pi x t + n pi/2) from 0 to 1
        expected = [
            mp.pi**order
            * mp.quad(
                lambda t, x=x: t**order * mp.cos(mp.pi * x * t + order * mp.pi / 2), [0, 0.5, 1]
            )
            for x in points
        ]
    np.testing.assert_allclose(got, np.array(expected, float), rtol=1e-11, atol=1e-12)


def test_complex():
    z = np.array([0.1 + 0.2j, 1 + 1e-6j, -2.3 + 1.5j, 1e-9 + 1e-9j, 210.8 - 97.2j, 3 + 200j])
    assert relative(sinc(fad.asarray(z)), exact, z) <= 4.0
    assert relative(derivative(sinc, [z]), slope, z) <= 4.0
