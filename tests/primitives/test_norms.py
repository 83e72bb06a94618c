"""Norms: the whole range of floats, zero, order two."""

from __future__ import annotations

import jax
import mpmath as mp
import numpy as np
import pytest
from jax import numpy as jnp

import fad
from fad.primitives.norms import norm

VECTORS = [
    [3.0, 4.0], [3e200, 4e200], [3e-200, 4e-200], [1e308, 1e308], [3e-300, 4e-305], [1e200, 1e-200],
    [1.0, 1e-300], [1e-160, 1e-170], [1e155, 1e155, 1e155], [1e-140, 1e-141], [-2.5], [0.0, 3.0],
]  # fmt: skip


def two_norm(x):
    return norm(x, (0,))


@pytest.mark.parametrize("x", VECTORS)
def test_value_and_gradient_over_the_whole_range(x):
    exact = mp.sqrt(mp.fsum([mp.mpf(v) ** 2 for v in x]))
    value, gradient = fad.value_and_grad(two_norm)(np.array(x))
    np.testing.assert_allclose(float(value), float(exact), rtol=1e-15)
    expected = [float(mp.mpf(v) / exact) for v in x]
    np.testing.assert_allclose(np.asarray(gradient), expected, rtol=1e-15, atol=1e-307)


def test_single_precision_over_the_whole_range():
    for scale in (1e30, 1e-30, 1.0, 5e37):
        x = np.float32([3 * scale, 4 * scale])
        value, gradient = fad.value_and_grad(two_norm)(x)
        np.testing.assert_allclose(float(value), 5 * scale, rtol=3e-7)
        np.testing.assert_allclose(np.asarray(gradient), [0.6, 0.8], rtol=3e-7)


@pytest.mark.parametrize("order", [2.0, 3.0])
def test_zero_has_gradient_zero(order):
    value, gradient = fad.value_and_grad(lambda x: norm(x, (0,), order=order))(np.zeros(3))
    assert float(value) == 0.0
    np.testing.assert_array_equal(np.asarray(gradient), np.zeros(3))
    assert np.isfinite(np.asarray(fad.jacfwd(fad.grad(two_norm))(np.zeros(2)))).all()


def test_special_values():
    for x, expected in [([np.inf, 1.0], np.inf), ([np.nan, 1.0], np.nan), ([], 0.0)]:
        np.testing.assert_array_equal(float(two_norm(fad.asarray(np.array(x)))), expected)


def test_one_row_out_of_range_does_not_change_the_others():
    x = np.array([[3e200, 4e200], [3.0, 4.0], [0.0, 0.0]])
    out = np.asarray(fad.vmap(two_norm)(x))
    np.testing.assert_allclose(out, [5e200, 5.0, 0.0], rtol=1e-15)
    assert out[1] == 5.0


@pytest.mark.parametrize("dtype", [float, complex])
def test_derivatives_up_to_order_two(rng, dtype):
    x = rng.normal(size=3).astype(dtype)
    if dtype is complex:
        x = x + 1j * rng.normal(size=3)
    with jax.enable_x64(True):
        gradient = np.asarray(jax.grad(jnp.linalg.norm)(x))
        hessian = np.asarray(jax.jacfwd(jax.jacrev(jnp.linalg.norm))(x)) if dtype is float else None
    np.testing.assert_allclose(np.asarray(fad.grad(two_norm)(x)), gradient, rtol=1e-13)
    if hessian is not None:
        got = np.asarray(fad.jacfwd(fad.grad(two_norm))(x))
        np.testing.assert_allclose(got, hessian, rtol=1e-12, atol=1e-14)


def test_other_orders(rng):
    x = rng.normal(size=(2, 3))
    for order in (0.5, 1.5, 3.0, -1.0):
        expected = np.linalg.vector_norm(x, ord=order, axis=1)
        got = np.asarray(norm(fad.asarray(x), (1,), order=order))
        np.testing.assert_allclose(got, expected, rtol=1e-13)
        scaled = np.asarray(norm(fad.asarray(x * 1e300), (1,), order=order))
        np.testing.assert_allclose(scaled, expected * 1e300, rtol=1e-12)


def test_integers_count_as_float64():
    assert float(two_norm(fad.asarray(np.array([3, 4])))) == 5.0
