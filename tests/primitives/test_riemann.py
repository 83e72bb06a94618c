"""Riemann's zeta function on the whole real line, and its derivatives."""

import mpmath as mp
import numpy as np
from scipy import special

import fad
from fad.core.apply import apply1
from fad.primitives.riemann import RIEMANN, riemann_zeta
from tests.primitives.accuracy import between, derivative, pushed, spread, ulps

POINTS = np.concatenate(
    [
        between(-260, -10, 15),
        between(-10, -0.5, 15),
        between(-0.6, 2, 15),
        between(2, 40, 8),
        1 + spread(1e-12, 1e-1, 6),
        spread(1e-12, 1e-1, 6),
        [-0.5, np.nextafter(-0.5, -1), np.nextafter(1.0, 0), np.nextafter(1.0, 2)],
    ]
)


def test_accuracy():
    got = riemann_zeta(fad.asarray(POINTS))
    assert ulps(got, mp.zeta, POINTS, bits=150) <= 5.0


def test_first_derivative():
    # Below -2 it has zeros: the error is that of its terms, the larger of which is the magnitude.
    by_reverse, by_forward = [rule(riemann_zeta, [POINTS]) for rule in (derivative, pushed)]
    np.testing.assert_allclose(by_reverse, by_forward, rtol=1e-15)
    with mp.workprec(150):
        for s, value in zip(POINTS[::2], by_reverse[::2], strict=True):
            exact = mp.zeta(mp.mpf(s), 1, 1)
            scale = abs(exact) + (abs(mp.zeta(mp.mpf(s))) * mp.log(2 - s) if s < -2 else 0)
            assert abs(mp.mpf(float(value)) - exact) <= 8 * 2.3e-16 * scale, s


def test_second_derivative():
    s = np.array([-11.3, -3.3, -0.2, 0.6, 1.4, 6.0])
    got = derivative(lambda x: derivative_of(riemann_zeta, x), [s])
    expected = [float(mp.zeta(mp.mpf(x), 1, 2)) for x in s]
    np.testing.assert_allclose(got, expected, rtol=1e-13)
    third = [float(mp.zeta(mp.mpf(x), 1, 3)) for x in s]
    np.testing.assert_allclose(apply1(RIEMANN(order=3), s), third, rtol=1e-12)


def derivative_of(function, x):
    return fad.vjp(function, x)[1](np.ones(x.shape))[0]


def test_special_values_are_scipys():
    inf, nan = np.inf, np.nan
    s = np.array([0, -1, -2, -3, -4, 1, -inf, inf, nan, -1000, -261.3, -270.2, -1e300, 1e300, 50])
    np.testing.assert_allclose(riemann_zeta(s), special.zeta(s), rtol=1e-14)
    slopes = derivative(riemann_zeta, [np.array([0.0, 1.0, inf, -2.0])])
    expected = [-0.5 * np.log(2 * np.pi), -inf, 0.0, -special.zeta(3.0) / (4 * np.pi**2)]
    np.testing.assert_allclose(slopes, expected, rtol=1e-14)


def test_single_precision():
    s = POINTS[(POINTS > -30) & (abs(POINTS - 1) > 1e-3)].astype(np.float32)
    got = riemann_zeta(s)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, special.zeta(s.astype(float)), rtol=5e-7)
