"""hypot, arctan2 and what their derivatives are made of."""

import jax
import mpmath as mp
import numpy as np
import pytest

import fad
from fad.primitives import polar
from tests.primitives.accuracy import between, derivative, pushed, spread, ulps

X = np.concatenate([spread(1e-150, 1e150, 60), between(-2, 2, 60)])
Y = np.random.default_rng(4).permutation(X)


def r(x, y):
    return mp.hypot(x, y)


EXACT = {
    "hypot": (mp.hypot, lambda x, y: x / r(x, y), lambda x, y: y / r(x, y)),
    "arctan2": (mp.atan2, lambda x, y: y / r(x, y) ** 2, lambda x, y: -x / r(x, y) ** 2),
    "direction": (
        lambda x, y: x / r(x, y),
        lambda x, y: y * y / r(x, y) ** 3,
        lambda x, y: -x * y / r(x, y) ** 3,
    ),
    "inversion": (
        lambda x, y: x / r(x, y) ** 2,
        lambda x, y: (y * y - x * x) / r(x, y) ** 4,
        lambda x, y: -2 * x * y / r(x, y) ** 4,
    ),
}
BOUNDS = {"inversion": 9.0}


@pytest.mark.parametrize("name", EXACT)
def test_accuracy(name):
    function = getattr(polar, name)
    value, *slopes = EXACT[name]
    assert ulps(function(fad.asarray(X), Y), value, X, Y) <= 2.0
    for i, slope in enumerate(slopes):
        assert ulps(derivative(function, [X, Y], i), slope, X, Y) <= BOUNDS.get(name, 4.0)


def test_extreme_arguments():
    assert float(polar.hypot(1e-200, 1e-200)) == pytest.approx(np.sqrt(2) * 1e-200)
    assert float(polar.hypot(1e300, 1e300)) == pytest.approx(np.sqrt(2) * 1e300)
    for x, y in ((np.inf, np.nan), (1.0, -np.inf)):
        assert float(polar.hypot(x, y)) == np.inf
    gradient = fad.grad(polar.hypot, argnums=(0, 1))(3e-200, 4e-200)
    np.testing.assert_allclose([float(g) for g in gradient], [0.6, 0.8])


@pytest.mark.parametrize("rule", [derivative, pushed])
def test_at_the_origin_and_at_infinity(rule):
    zero, infinite, one = np.zeros(1), np.array([np.inf]), np.ones(1)
    assert rule(polar.hypot, [zero, zero]) == 0.0
    assert rule(polar.hypot, [infinite, one], 0) == 1.0
    assert rule(polar.hypot, [infinite, one], 1) == 0.0
    assert rule(polar.arctan2, [infinite, one], 0) == 0.0
    assert rule(polar.arctan2, [one, infinite], 0) == 0.0
    assert np.isnan(rule(polar.arctan2, [zero, zero]))  # as in JAX


def test_angles_of_signed_zeros():
    special = np.array([0.0, -0.0, np.inf, -np.inf, 1.0])
    y, x = np.meshgrid(special, special)
    np.testing.assert_array_equal(polar.arctan2(fad.asarray(y), x), np.arctan2(y, x))


@pytest.mark.parametrize("name", ["hypot", "arctan2"])
def test_third_derivatives(name):
    function, oracle = getattr(polar, name), getattr(jax.numpy, name)

    def third(grad, f):
        return grad(grad(grad(f, argnums=0), argnums=1), argnums=0)

    with jax.enable_x64(True):
        expected = third(jax.grad, oracle)(0.7, -1.3)
    np.testing.assert_allclose(float(third(fad.grad, function)(0.7, -1.3)), expected, rtol=1e-12)
