"""softplus, logit, log_sigmoid, and (exp(x) - 1) / x with its derivatives."""

import mpmath as mp
import numpy as np
import pytest

import fad
from fad.core.apply import apply1
from fad.primitives import logistic
from tests.primitives.accuracy import between, derivative, in_dtype, pushed, spread, ulps

BITS = 250
LINE = np.concatenate([between(-700, 700), between(-40, 40), between(-3, 3), spread(1e-10, 1)])
SMALL = spread(1e-300, 1, signed=False)
NEAR_1 = 1 - spread(1e-15, 1, signed=False)
UNIT = np.concatenate([between(0, 1), SMALL, 0.5 + spread(1e-15, 0.49), NEAR_1])


def sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def exprel(order):
    """By the recurrence, at a precision that covers what cancels in it."""

    def value(x):
        with mp.workprec(BITS + 60 * (order + 1)):
            f = mp.expm1(x) / x
            for n in range(1, order + 1):
                f = (mp.exp(x) - n * f) / x
            return f

    return value


CASES = {
    "softplus": (lambda x: mp.log1p(mp.exp(x)), sigmoid, LINE),
    "log_sigmoid": (lambda x: -mp.log1p(mp.exp(-x)), lambda x: sigmoid(-x), LINE),
    "logit": (lambda x: mp.log(x / (1 - x)), lambda x: 1 / (x * (1 - x)), UNIT),
    "exprel": (exprel(0), exprel(1), LINE),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", CASES)
def test_accuracy(name, dtype):
    function = getattr(logistic, name)
    value, slope, points = CASES[name]
    (points,) = in_dtype(dtype, points)
    if name == "logit":
        points = points[(points > 0) & (points < 1)]
    bound = 4.0 if name != "exprel" or dtype == np.float64 else 5.0
    assert ulps(function(fad.asarray(points)), value, points, bits=BITS) <= bound
    assert ulps(derivative(function, [points]), slope, points, bits=BITS) <= 4.0
    assert ulps(pushed(function, [points])[::5], slope, points[::5], bits=BITS) <= 4.0


@pytest.mark.parametrize("order", [2, 3, 5])
def test_derivatives_of_exprel(order):
    got = apply1(logistic.EXPREL(order=order), fad.asarray(LINE))
    assert ulps(got, exprel(order), LINE, bits=BITS) <= 5.0


def test_special_values():
    inf, nan = np.inf, np.nan
    x = np.array([0.0, 1.0, -800.0, 800.0, inf, -inf, nan])
    np.testing.assert_array_equal(logistic.softplus(x)[2:], [0, 800, inf, 0, nan])
    np.testing.assert_array_equal(logistic.log_sigmoid(x)[2:], [-800, 0, 0, -inf, nan])
    np.testing.assert_array_equal(logistic.exprel(x)[4:], [inf, 0, nan])
    unit = np.array([0.0, 1.0, 0.5, -0.1, 1.1, nan])
    np.testing.assert_array_equal(logistic.logit(unit), [-inf, inf, 0, nan, nan, nan])
    slopes = fad.vmap(fad.grad(logistic.softplus))(x)
    np.testing.assert_array_equal(slopes[2:], [0, 1, 1, 0, nan])
    for order in range(4):
        assert float(apply1(logistic.EXPREL(order=order), 0.0)) == pytest.approx(1 / (order + 1))
    # beyond the range of the exponential
    with mp.workprec(BITS):
        expected = float(mp.expm1(713) / 713)
    assert float(logistic.exprel(713.0)) == pytest.approx(expected, rel=1e-15)
