"""erfcx, the normal distribution and its inverses: right to the last digits, far into the tails."""

import mpmath as mp
import numpy as np
import pytest

import fad
from fad.primitives import normal
from tests.primitives.accuracy import between, derivative, in_dtype, pushed, spread, ulps

BITS = 200


def join(*parts):
    return np.concatenate(parts)


def erfcx(x):
    if x > 1e3:  # DLMF 7.12.1
        return mp.fsum((-1) ** k * mp.fac2(2 * k - 1) / (2 * x * x) ** k for k in range(12)) / (
            x * mp.sqrt(mp.pi)
        )
    return mp.exp(x * x) * mp.erfc(x)


def erfcx_slope(x):
    if x > 1e3:
        terms = [(-1) ** k * mp.fac2(2 * k - 1) / (2 * x * x) ** k for k in range(1, 12)]
        return 2 / mp.sqrt(mp.pi) * mp.fsum(terms)
    return 2 * x * erfcx(x) - 2 / mp.sqrt(mp.pi)


def density(x):
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def ndtr(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def hazard(x):
    return mp.sqrt(2 / mp.pi) / erfcx(-x / mp.sqrt(2)) if x < 0 else density(x) / ndtr(x)


def log_ndtr(x):
    if x < 0:
        return mp.log(erfcx(-x / mp.sqrt(2)) / 2) - x * x / 2
    return mp.log1p(-ndtr(-x))


def erfcinv(q):
    """By Newton's method from the asymptotic form; 0 < q < 1."""
    w = -mp.log(q)
    y = mp.sqrt(w - mp.log(mp.sqrt(mp.pi * w))) if q < 1e-3 else mp.erfinv(1 - q)
    for _ in range(60):
        step = (mp.erfc(y) / q - 1) * q / (2 / mp.sqrt(mp.pi) * mp.exp(-y * y))
        y += step / (1 + y * step)
        if abs(step) < mp.mpf(2) ** (20 - BITS) * abs(y):
            break
    return y


def erfinv(x):
    return mp.sign(x) * erfcinv(1 - abs(x)) if abs(x) > 0.9 else mp.erfinv(x)


def erfcinv_of_all(q):
    return -erfinv(q - 1) if q > 0.1 else erfcinv(q)


def ndtri(p):
    return -mp.sqrt(2) * erfcinv_of_all(2 * p)


def inverse_slope(inverse, factor):
    return lambda x: factor * mp.exp(inverse(x) ** 2)


HALF_ROOT_PI = mp.sqrt(mp.pi) / 2
TAILS = join(spread(1e-300, 1e-3), between(-37, 9), between(-2, 2), -spread(1, 36, signed=False))
FAR = join(TAILS, -spread(10, 1e10, signed=False), between(5, 37))
UNIT = join(spread(1e-300, 1e-3), between(-1, 1), 1 - spread(1e-16, 0.5, signed=False))
SMALL = spread(1e-300, 0.5, signed=False)
PROBABILITY = join(SMALL, between(0, 1), 0.5 + spread(1e-15, 0.1), 1 - spread(1e-16, 0.5)[:40])
CASES = {
    "erfcx": (erfcx, erfcx_slope, join(TAILS, -TAILS[:80], spread(1, 1e150), between(-26, 26))),
    "normal_density": (density, lambda x: -x * density(x), TAILS),
    "ndtr": (ndtr, density, TAILS),
    "log_ndtr": (log_ndtr, hazard, FAR),
    "erfinv": (erfinv, inverse_slope(erfinv, HALF_ROOT_PI), UNIT),
    "erfcinv": (
        erfcinv_of_all,
        inverse_slope(erfcinv_of_all, -HALF_ROOT_PI),
        join(SMALL, 2 * PROBABILITY[40:80], 1 + spread(1e-15, 0.1)),
    ),
    "ndtri": (
        ndtri,
        lambda p: mp.sqrt(2 * mp.pi) * mp.exp(ndtri(p) ** 2 / 2),
        PROBABILITY,
    ),
}
VALUE_BOUNDS = {"erfcinv": 5.0}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", CASES)
def test_accuracy(name, dtype):
    function = getattr(normal, name)
    value, slope, points = CASES[name]
    (points,) = in_dtype(dtype, points)
    if name == "erfcx":
        points = points[points > -26]
    if name in ("erfinv", "ndtri"):
        points = points[np.abs(points) < 1]  # some are rounded to the ends
    if name == "normal_density" and dtype == np.float32:
        points = points[np.abs(points) < 13]  # beyond, it is flushed to 0 before its slope is
    bound = 4.0 if dtype == np.float64 else 6.0
    got = function(fad.asarray(points))
    assert got.dtype == dtype
    assert ulps(got, value, points, bits=BITS) <= VALUE_BOUNDS.get(name, 4.0)
    assert ulps(derivative(function, [points]), slope, points, bits=BITS) <= bound
    assert ulps(pushed(function, [points])[::5], slope, points[::5], bits=BITS) <= bound


def test_the_design_s_example():
    # 2e-11 is what the usual formula, exp(-x**2 / 2 - log_ndtr(x)), leaves of it
    slope = float(fad.grad(normal.log_ndtr)(-40.0))
    with mp.workprec(BITS):
        assert slope == pytest.approx(float(hazard(mp.mpf(-40))), rel=2e-16)
    assert float(fad.grad(fad.grad(normal.log_ndtr))(-1e6)) == pytest.approx(-1 + 1e-12, rel=1e-15)


def test_second_derivatives_keep_their_digits():
    points = join(-spread(0.5, 1e4, 12, signed=False), between(-3, 8, 12))
    exact = lambda x: -hazard(x) * (x + hazard(x))  # noqa: E731
    second = fad.vmap(fad.grad(fad.grad(normal.log_ndtr)))(points)
    assert ulps(second, exact, points, bits=400) <= 16.0
    points = points[points > -20]
    second = fad.vmap(fad.grad(fad.grad(normal.erfcx)))(points)
    exact = lambda x: 2 * x * erfcx_slope(x) + 2 * erfcx(x)  # noqa: E731
    assert ulps(second, exact, points, bits=400) <= 8.0
    points = between(-0.95, 0.95, 15)
    second = fad.vmap(fad.grad(fad.grad(normal.erfinv)))(points)
    exact = lambda x: 2 * erfinv(x) * (HALF_ROOT_PI * mp.exp(erfinv(x) ** 2)) ** 2  # noqa: E731
    assert ulps(second, exact, points, bits=BITS) <= 12.0


@pytest.mark.parametrize("name", ["erfcx", "log_ndtr", "erfinv", "ndtri"])
def test_third_derivatives(name):
    points = np.array([0.15, 0.4, 0.75])
    value = CASES[name][0]
    third = fad.vmap(fad.grad(fad.grad(fad.grad(getattr(normal, name)))))(points)
    with mp.workdps(60):
        expected = [float(mp.diff(value, mp.mpf(float(x)), 3)) for x in points]
    np.testing.assert_allclose(third, expected, rtol=1e-13)


def test_special_values():
    inf, nan = np.inf, np.nan
    x = np.array([0.0, -0.0, inf, -inf, nan, 1.0, -1.0, 2.0, 3.0])
    expected = {
        "erfcx": [1, 1, 0, inf, nan],
        "ndtr": [0.5, 0.5, 1, 0, nan],
        "log_ndtr": [-np.log(2), -np.log(2), 0, -inf, nan],
        "erfinv": [0, -0.0, nan, nan, nan, inf, -inf, nan, nan],
        "erfcinv": [inf, inf, nan, nan, nan, 0, nan, -inf, nan],
        "ndtri": [-inf, -inf, nan, nan, nan, inf, nan, nan, nan],
    }
    for name, values in expected.items():
        got = np.asarray(getattr(normal, name)(x[: len(values)]))
        np.testing.assert_allclose(got, values, rtol=1e-15, err_msg=name)
    assert np.signbit(np.asarray(normal.erfinv(-0.0)))
    np.testing.assert_array_equal(normal.erfcx(np.array([-30.0, -1e200])), [inf, inf])
    np.testing.assert_array_equal(derivative(normal.erfcx, [np.array([-30.0, -inf])]), [-inf] * 2)
    # of the logarithm, the derivative is that of -x**2 / 2, and then 0
    slopes = fad.vmap(fad.grad(normal.log_ndtr))(np.array([-1e300, -inf, inf, 1e300]))
    np.testing.assert_array_equal(slopes, [1e300, inf, 0, 0])


def test_close_to_underflow():
    """Corrections of what is almost too small must not be lost."""
    for dtype, low, high in ((np.float32, 12.7, 13.1), (np.float64, 37.3, 37.5)):
        x = -np.linspace(low, high, 40).astype(dtype)
        for name in ("normal_density", "ndtr"):
            got = getattr(normal, name)(fad.asarray(x))
            assert ulps(got, CASES[name][0], x, bits=BITS) <= 4.0


def test_half_precision():
    x = np.float16([-3.0, -0.5, 0.0, 2.0])
    for name in ("erfcx", "ndtr", "log_ndtr"):
        got = getattr(normal, name)(x)
        assert got.dtype == np.float16
        wide = getattr(normal, name)(x.astype(float))
        np.testing.assert_allclose(np.asarray(got, float), wide, rtol=1e-3)
