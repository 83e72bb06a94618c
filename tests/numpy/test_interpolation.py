"""interp: NumPy's values, infinities and NaN included; JAX's derivatives; conventions at points."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

import fad
import fad.numpy as fnp
from fad.core.errors import FadTypeError, FadValueError
from tests.against import as_numpy, derivatives_as_jax

RNG = np.random.default_rng(0)
XP = np.sort(RNG.normal(size=9))
FP = RNG.normal(size=9)
X = np.concatenate([RNG.normal(size=30) * 2, XP, [np.nan, np.inf, -np.inf]])


def test_as_numpy():
    as_numpy("interp", X, XP, FP)
    as_numpy("interp", X.reshape(2, 21), XP, FP + 1j * FP[::-1], left=-1, right=9j)
    as_numpy("interp", X, XP, FP, left=np.nan, right=np.float64(5))
    as_numpy("interp", 0.3, XP, FP)
    as_numpy("interp", 1, [0, 1, 4], [3, 4, 5])
    as_numpy("interp", X, XP[:1], FP[:1])
    as_numpy("interp", X, [0, 1, 1, 2], [0, 1, 5, 6])  # a jump
    as_numpy("interp", np.zeros((0, 2)), XP, FP)
    as_numpy("interp", X.astype(np.float32), XP.astype(np.float32), np.arange(9))


def test_periodic():
    as_numpy("interp", X[:30], XP[::-1], FP, period=1.7)
    as_numpy("interp", X[:30], RNG.normal(size=9), FP, period=-1.7)


def test_infinite_values():
    values = FP.copy()
    values[2] = values[8] = np.inf
    values[5] = values[6] = -np.inf
    as_numpy("interp", X, XP, values)


def test_values_at_both_ends_of_a_line_are_exact():
    knots, values = np.array([0.1, 0.7, 0.9]), np.array([0.3, 1e10, 0.1])
    np.testing.assert_array_equal(np.asarray(fnp.interp(knots, knots, values)), values)


def test_derivatives():
    x = np.array([-3.0, 0.2, 0.45, 1.9, 5.0])
    knots, values = np.array([-1.0, 0.3, 1.2, 2.5]), np.array([1.0, -2.0, 0.5, 3.0])
    derivatives_as_jax(fnp.interp, jnp.interp, x, knots, values)
    derivatives_as_jax(
        lambda x, left, right: fnp.interp(x, knots, values, left, right),
        lambda x, left, right: jnp.interp(x, knots, values, left, right),
        x, np.float64(2.0), np.float64(-1.0),
    )  # fmt: skip
    derivatives_as_jax(
        lambda x, knots, values: fnp.interp(x, knots, values, period=3.0),
        lambda x, knots, values: jnp.interp(x, knots, values, period=3.0),
        x, knots[[2, 0, 1]], values[:3],
    )  # fmt: skip


def test_slopes_at_points_and_outside():
    slope = fad.vmap(fad.grad(fnp.interp), in_axes=(0, None, None))
    points = np.array([-1.0, 0.0, 1.0, 2.0, 3.0, np.inf])
    found = slope(points, np.array([0.0, 1.0, 2.0]), np.array([0.0, 10.0, 5.0]))
    np.testing.assert_array_equal(found, [0, 10, -5, -5, 0, 0])


def test_infinite_arguments_leave_the_gradient_finite():
    found = fad.grad(lambda v: fnp.interp([np.inf, -np.inf, 0.5], [0.0, 1.0, 2.0], v).sum())
    np.testing.assert_array_equal(found(np.array([1.0, 3.0, 4.0])), [1.5, 0.5, 1.0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fnp.interp(0.0, [], []), FadValueError, "array of sample points is empty"),
        (lambda: fnp.interp(0.0, [1.0], [1.0, 2.0]), FadValueError, "not of the same length: 2"),
        (lambda: fnp.interp(0.0, np.eye(2), np.eye(2)), FadValueError, "1-D sequences"),
        (lambda: fnp.interp(0.0, [1.0], [1.0], period=0), FadValueError, "non-zero"),
        (lambda: fnp.interp(1j, [1.0], [1.0]), FadTypeError, "x must be real"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
