"""x log(y) and its kin: digits where arguments are close, conventions at 0."""

import mpmath as mp
import numpy as np
import pytest

import fad
from fad.primitives import entropy
from tests.primitives.accuracy import between, derivative, in_dtype, pushed, spread, ulps

BITS = 250
MAGNITUDES = np.concatenate([spread(1e-30, 1e30, 60, False), between(0.1, 3, 60)])
CLOSE = MAGNITUDES * (1 + spread(1e-13, 0.9, 60))
X = np.concatenate([MAGNITUDES, MAGNITUDES, MAGNITUDES])
NEAR_E = np.e * MAGNITUDES * (1 + spread(1e-4, 0.9, 60))  # where 1 + log(x / y) is close to 0
Y = np.concatenate([MAGNITUDES[::-1], CLOSE, NEAR_E])
NEAR_1_OVER_E = np.exp(-1) * (1 + spread(1e-15, 0.4, 20))
POSITIVE = np.concatenate([MAGNITUDES, NEAR_1_OVER_E])

# function: value, derivatives
CASES = {
    "xlogy": (lambda x, y: x * mp.log(y), lambda x, y: mp.log(y), lambda x, y: x / y),
    "xlog1py": (lambda x, y: x * mp.log1p(y), lambda x, y: mp.log1p(y), lambda x, y: x / (1 + y)),
    "log_ratio": (lambda x, y: mp.log(x / y), lambda x, y: 1 / x, lambda x, y: -1 / y),
    "rel_entr": (
        lambda x, y: x * mp.log(x / y),
        lambda x, y: 1 + mp.log(x / y),
        lambda x, y: -x / y,
    ),
    "kl_div": (
        lambda x, y: x * mp.log(x / y) - x + y,
        lambda x, y: mp.log(x / y),
        lambda x, y: (y - x) / y,
    ),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", CASES)
def test_accuracy(name, dtype):
    function = getattr(entropy, name)
    value, *slopes = CASES[name]
    x, y = in_dtype(dtype, X, Y)
    assert ulps(function(fad.asarray(x), fad.asarray(y)), value, x, y, bits=BITS) <= 4.0
    for index, slope in enumerate(slopes):
        if slope is not None:
            got = derivative(function, [x, y], index)
            assert ulps(got, slope, x, y, bits=BITS) <= 4.0
            got = pushed(function, [x, y], index)
            assert ulps(got[::5], slope, x[::5], y[::5], bits=BITS) <= 4.0


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_accuracy_of_entropy_and_of_its_slope_next_to_the_maximum(dtype):
    (x,) = in_dtype(dtype, POSITIVE)
    assert ulps(entropy.entr(fad.asarray(x)), lambda x: -x * mp.log(x), x, bits=BITS) <= 4.0
    slope = derivative(entropy.entr, [x])
    assert ulps(slope, lambda x: -1 - mp.log(x), x, bits=BITS) <= 4.0


def test_0_log_0_is_0():
    zero = np.array([0.0, 0.0, 0.0, 0.0, 1.0, np.nan])
    y = np.array([0.0, -1.0, np.inf, np.nan, 0.0, 1.0])
    np.testing.assert_array_equal(entropy.xlogy(zero, y), [0, 0, 0, np.nan, -np.inf, np.nan])
    np.testing.assert_array_equal(entropy.xlog1py(zero, y), [0, 0, 0, np.nan, 0, np.nan])
    np.testing.assert_array_equal(derivative(entropy.xlogy, [zero[:4], y[:4]], 1)[:3], [0, 0, 0])
    assert float(fad.grad(entropy.xlogy)(0.0, 0.0)) == -np.inf
    x = np.array([0.0, -0.0, -1.0, np.inf, np.nan])
    np.testing.assert_array_equal(entropy.entr(x), [0, 0, -np.inf, -np.inf, np.nan])


def test_second_derivatives():
    for name in CASES:
        function = getattr(entropy, name)
        value = CASES[name][0]
        point = (0.7, 1.9)
        for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
            got = float(fad.grad(fad.grad(function, argnums=i), argnums=j)(*point))
            orders = (int(i == 0) + int(j == 0), int(i == 1) + int(j == 1))
            expected = float(mp.diff(value, point, orders))
            assert got == pytest.approx(expected, rel=1e-12, abs=1e-14)


def test_complex_numbers():
    x, y = np.array([0.0, 2.0 + 1j]), np.array([0.0, 0.5 - 2j])
    np.testing.assert_allclose(entropy.xlogy(x, y), [0, x[1] * np.log(y[1])], rtol=1e-15)
    gradient = fad.grad(entropy.xlogy, argnums=1, holomorphic=True)(x[1], y[1])
    assert complex(gradient) == pytest.approx(x[1] / y[1], rel=1e-15)
