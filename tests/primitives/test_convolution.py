"""Convolution: both ways to compute it, special values, one cotangent for an unbatched kernel."""

from __future__ import annotations

import numpy as np
import pytest

import fad
from fad.core.apply import apply2
from fad.primitives import convolution
from fad.primitives.convolution import CONVOLVE, convolve
from tests.primitives.checks import adjoint


def full(x, y):
    x, y = fad.asarray(x), fad.asarray(y)
    n, m = x.shape[-1], y.shape[-1]
    return convolve(x.reshape(1, 1, 1, n), y.reshape(1, 1, 1, m), 0, n + m - 1).reshape(-1)


LONG = [
    *[(n, m, "float64") for n, m in [(100, 3000), (1000, 999), (70000, 9), (9, 70000)]],
    *[(3000, 100, dtype) for dtype in ("float64", "complex128", "int64", "float32")],
]


@pytest.mark.parametrize(("n", "m", "dtype"), LONG)
def test_long_operands_go_through_a_matrix_product(rng, n, m, dtype):
    assert (n + m - 1) * min(n, m) > convolution._SHORT
    x, y = (rng.normal(size=k) * 10 for k in (n, m))
    if dtype == "complex128":
        x, y = x + 1j * x[::-1], y - 2j * y
    x, y = x.astype(dtype), y.astype(dtype)
    expected = np.convolve(x, y)
    got = np.asarray(full(x, y))
    assert got.dtype == expected.dtype
    scale = np.max(np.abs(expected))
    tolerance = {"float32": 1e-5, "int64": 0}.get(dtype, 1e-14)
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance * scale)


def test_rows_in_chunks(rng, monkeypatch):
    # In memory there are so many frames at a time; the last chunk overlaps the one before.
    monkeypatch.setattr(convolution, "_CHUNK", 5000)
    x, y = rng.normal(size=2500), rng.normal(size=150)
    np.testing.assert_allclose(np.asarray(full(x, y)), np.convolve(x, y), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("size", [(5, 3), (4000, 200)])
def test_infinity_and_nan_reach_only_the_sums_they_are_in(size):
    n, m = size
    x, y = np.ones(n), np.ones(m)
    x[1], x[n - 1] = np.inf, np.nan
    y[0] = 0.0
    expected = np.convolve(x, y)
    np.testing.assert_array_equal(np.asarray(full(x, y)), expected)
    assert np.isfinite(expected).sum() == n - m - 1
    np.testing.assert_array_equal(np.asarray(full(y, x)), expected)
    x[1], x[n - 1], y[m // 2] = 1.0, 2.0, -np.inf
    np.testing.assert_array_equal(np.asarray(full(x, y)), np.convolve(x, y))


def test_derivatives_of_long_operands(rng):
    x, y = rng.normal(size=(1, 2, 1, 900)), rng.normal(size=(1, 1, 2, 150))
    operation = CONVOLVE(start=3, length=1000)
    adjoint(lambda x, y: [apply2(operation, x, y)], [x, y])


@pytest.mark.parametrize("start", [-3, 0, 2, 11])
def test_any_window_of_the_full_convolution(rng, start):
    x, y = rng.normal(size=(1, 1, 1, 6)), rng.normal(size=(1, 1, 1, 4))
    whole = np.pad(np.convolve(x[0, 0, 0], y[0, 0, 0]), (5, 20))
    got = np.asarray(convolve(fad.asarray(x), fad.asarray(y), start, 7))[0, 0, 0]
    np.testing.assert_allclose(got, whole[start + 5 : start + 12], rtol=1e-14, atol=1e-15)


def test_an_unbatched_kernel_gets_one_cotangent(rng):
    xs, y = rng.normal(size=(64, 50)), rng.normal(size=7)

    def loss(y):
        return (fad.vmap(lambda x: full(x, y))(xs) ** 2).sum()

    graph = str(fad.make_graph(fad.grad(loss))(y))
    stacked = [line for line in graph.splitlines() if "64," in line and ",7]" in line]
    assert not stacked, graph
    expected = sum(2 * np.correlate(np.convolve(x, y), x, "valid") for x in xs)
    np.testing.assert_allclose(np.asarray(fad.grad(loss)(y)), expected, rtol=1e-12)


def test_booleans_are_ored():
    x, y = np.array([True, False, True, False]), np.array([True, True])
    got = np.asarray(full(x, y))
    np.testing.assert_array_equal(got, np.convolve(x, y))
    assert got.dtype == np.bool_


def test_half_precision_is_accumulated_in_single():
    x = np.full(3000, 1.0, np.float16)
    got = np.asarray(full(x, x))
    assert got.dtype == np.float16
    assert got.max() == 3000.0
