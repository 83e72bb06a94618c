"""convolve and correlate: NumPy's values in every mode, JAX's derivatives."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fad
import fad.numpy as fnp
from fad.core.errors import FadTypeError, FadValueError
from tests.against import as_numpy, derivatives_as_jax

MODES = ["full", "same", "valid"]


@given(st.integers(1, 7), st.integers(1, 7), st.sampled_from(MODES), st.integers(0, 2**32 - 1))
def test_as_numpy(n, m, mode, seed):
    rng = np.random.default_rng(seed)
    a, v = (rng.normal(size=k) + 1j * rng.normal(size=k) for k in (n, m))
    as_numpy("convolve", a, v, mode, rtol=1e-12)
    as_numpy("correlate", a, v, mode, rtol=1e-12)


def test_dtypes_and_other_ways_to_call():
    a, v = np.array([1, -2, 3, 4], np.int8), np.array([2, 1], np.int16)
    for name in ("convolve", "correlate"):
        as_numpy(name, a, v)
        as_numpy(name, a.astype(np.float32), v, mode="same")
        as_numpy(name, a > 0, v > 1, "full")
        as_numpy(name, [1.0, 2.0], a, "valid")
    as_numpy("convolve", 3.0, a)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["convolve", "correlate"])
@pytest.mark.parametrize("sizes", [(4, 3), (2, 4)])
def test_derivatives(rng, mode, sizes, name):
    a, v = (rng.normal(size=k) for k in sizes)
    ours, theirs = (partial(getattr(m, name), mode=mode) for m in (fnp, jnp))
    derivatives_as_jax(ours, theirs, a, v)


def test_complex_gradient(rng):
    a, v = rng.normal(size=5) + 1j, rng.normal(size=3) - 2j

    def loss(np, a, v):
        return (abs(np.correlate(a, v, "full")) ** 2).sum()

    found = fad.grad(lambda a, v: loss(fnp, a, v), (0, 1))(a, v)
    with jax.enable_x64(True):
        expected = jax.grad(lambda a, v: loss(jnp, a, v), (0, 1))(jnp.asarray(a), jnp.asarray(v))
    for x, e in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.asarray(x), e, rtol=1e-12)


def test_mapped(rng):
    a, v = rng.normal(size=(4, 6)), rng.normal(size=(4, 3))
    for axes, expected in (
        ((0, 0), [np.convolve(x, y) for x, y in zip(a, v, strict=True)]),
        ((0, None), [np.convolve(x, v[0]) for x in a]),
        ((None, 0), [np.convolve(a[0], y) for y in v]),
    ):
        xs = [x if axis == 0 else x[0] for x, axis in zip((a, v), axes, strict=True)]
        out = fad.vmap(fnp.convolve, in_axes=axes)(*xs)
        np.testing.assert_allclose(np.asarray(out), expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fnp.convolve([], [1.0]), FadValueError, "a cannot be empty"),
        (lambda: fnp.correlate([1.0], []), FadValueError, "v cannot be empty"),
        (lambda: fnp.convolve(np.eye(2), [1.0]), FadValueError, "too deep .* fad.vmap"),
        (lambda: fnp.convolve([1.0], [1.0], "no"), FadValueError, "mode must be one of"),
        (lambda: fnp.convolve([1.0], [1.0], 2), FadTypeError, "mode must be one of"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
