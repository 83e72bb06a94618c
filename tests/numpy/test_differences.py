"""diff, ediff1d, gradient, trapezoid and unwrap: NumPy's values, JAX's derivatives."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

import fad
import fad.numpy as fnp
from fad.core.errors import FadTypeError, FadValueError
from tests.against import as_numpy, derivatives_as_jax

RNG = np.random.default_rng(0)
A = RNG.normal(size=(4, 5, 3))
I = RNG.integers(-9, 9, (3, 6))  # noqa: E741
X = np.array([0.0, 0.5, 0.7, 2.0, 2.25])
ALL = [A, I, I.astype(np.uint8), I > 0, A.astype(np.float32), A + 1j]


@pytest.mark.parametrize("x", ALL, ids=lambda x: str(x.dtype))
def test_diff(x):
    for n in (0, 1, 2, 7):
        as_numpy("diff", x, n)
        as_numpy("diff", x, n, axis=0)


def test_ends_of_diff():
    as_numpy("diff", A, axis=1, prepend=0, append=A[:, :2])
    as_numpy("diff", I, prepend=0.5)
    as_numpy("ediff1d", A)
    as_numpy("ediff1d", I, to_end=[1, 2], to_begin=-3)
    as_numpy("ediff1d", np.zeros(0))
    derivatives_as_jax(fnp.diff, jnp.diff, A[0, :, 0])


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("x", [A, I, A + 1j], ids=lambda x: str(x.dtype))
def test_gradient(x, edge_order):
    places = np.linspace(-1.0, 2.0, x.shape[1]) ** 3
    as_numpy("gradient", x, edge_order=edge_order)
    as_numpy("gradient", x, 2, axis=-1, edge_order=edge_order)
    as_numpy("gradient", x, 0.3, axis=(1,), edge_order=edge_order)
    as_numpy("gradient", x, places, axis=1, edge_order=edge_order)
    as_numpy("gradient", x, places, 2.5, axis=(1, 0), edge_order=edge_order)
    as_numpy("gradient", x, np.arange(x.shape[0]), axis=0, edge_order=edge_order)


def test_gradient_keeps_the_dtype_and_is_exact_for_parabolas():
    as_numpy("gradient", A.astype(np.float32), rtol=1e-6)
    slope = fnp.gradient(3 * X**2 - X, X, edge_order=2)
    np.testing.assert_allclose(np.asarray(slope), 6 * X - 1, rtol=1e-14, atol=1e-14)


def _slopes(f, x):
    """The same with JAX's functions."""
    s = jnp.diff(f) / jnp.diff(x)
    h = jnp.diff(x)
    inside = (h[1:] * s[:-1] + h[:-1] * s[1:]) / (h[1:] + h[:-1])
    return jnp.concatenate([s[:1], inside, s[-1:]])


def test_derivatives_of_gradient_in_values_and_places():
    f = A[0, :, 0]
    derivatives_as_jax(fnp.gradient, _slopes, f, X)
    derivatives_as_jax(
        lambda f, h: fnp.gradient(f, h, edge_order=1), lambda f, h: jnp.gradient(f) / h, f, 0.7
    )


def test_trapezoid():
    as_numpy("trapezoid", A)
    as_numpy("trapezoid", A, dx=0.5, axis=0)
    as_numpy("trapezoid", A, x=np.arange(5), axis=1)
    as_numpy("trapezoid", A, x=A**2, axis=1)
    as_numpy("trapezoid", I)
    as_numpy("trapezoid", A.astype(np.float32), rtol=1e-6)
    as_numpy("trapezoid", np.zeros((2, 0)))
    derivatives_as_jax(fnp.trapezoid, jnp.trapezoid, A[0, :, 0], X)


def test_unwrap():
    p = RNG.normal(size=(5, 40)) * 6
    for options in ({}, {"axis": 0}, {"discont": 4.0}, {"period": 3.0}):
        as_numpy("unwrap", p, **options)
    for options in ({"period": 4}, {"period": 5}, {"period": 5.0}, {"period": 6, "discont": 4}):
        as_numpy("unwrap", I, **options)
    as_numpy("unwrap", np.cumsum(np.full(9, np.pi)))  # steps of exactly half a period
    as_numpy("unwrap", np.array([0.0, np.pi, 0.0, -np.pi, 0.0]))
    as_numpy("unwrap", np.zeros((3, 0)))
    as_numpy("unwrap", p.astype(np.float32), rtol=1e-5)


def test_unwrap_has_the_identity_for_derivative():
    p = RNG.normal(size=12) * 6
    np.testing.assert_array_equal(fad.jacobian(fnp.unwrap)(p), np.eye(12))
    turns = (np.unwrap(p) - p) / (2 * np.pi)
    slope = fad.jacfwd(lambda period: fnp.unwrap(p, period=period))(2 * np.pi)
    np.testing.assert_allclose(np.asarray(slope), turns, atol=1e-13)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fnp.diff(3.0), FadValueError, "at least one dimensional"),
        (lambda: fnp.diff(A, -1), FadValueError, "order must be non-negative"),
        (lambda: fnp.ediff1d(I, to_end=1.5), FadTypeError, "same_kind"),
        (lambda: fnp.gradient(A, 1.0, 2.0), FadTypeError, "2 spacings for 3 axes"),
        (lambda: fnp.gradient(A, X[:3], axis=1), FadValueError, "distances must match"),
        (lambda: fnp.gradient(A, A, axis=1), FadValueError, "scalars or 1d"),
        (lambda: fnp.gradient(A, edge_order=3), FadValueError, "edge_order must be 1 or 2"),
        (lambda: fnp.gradient(A[:2], edge_order=2), FadValueError, "too short"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
