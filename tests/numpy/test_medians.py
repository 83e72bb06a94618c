"""Medians: NumPy's values, and slopes that go with the one or two in the middle."""

from __future__ import annotations

import numpy as np
import pytest

import fad
import fad.numpy as fnp

NAN, INF = np.nan, np.inf
X = np.random.default_rng(1).normal(size=(3, 4, 5))
HOLES = X.copy()
HOLES[0, 1, 1] = HOLES[1, :, 0] = HOLES[2, 2] = NAN

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*(All-NaN|Mean of empty|invalid value).*:RuntimeWarning"
)


def compare(name, *args, **kwargs):
    got = getattr(fnp, name)(*args, **kwargs)
    expected = np.asarray(getattr(np, name)(*args, **kwargs))
    assert (got.shape, got.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-15)


@pytest.mark.parametrize("name", ["median", "nanmedian"])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2)])
def test_values_are_numpys(name, axis):
    compare(name, X, axis=axis)
    compare(name, HOLES, axis, keepdims=True)
    compare(name, X.astype(np.float16), axis=axis)
    compare(name, (9 * X).astype(int), axis=axis)


def test_special_values():
    compare("median", [True, False])
    compare("median", [3j, 1 + 1j, 1 - 1j])
    compare("median", np.zeros((0, 3)), axis=0)
    compare("nanmedian", np.zeros((3, 0)), axis=1)
    compare("median", [INF, INF, 1.0, 2.0])
    compare("median", [INF, INF, INF, 2.0])
    assert float(fnp.median([1e308, 1.5e308])) == 1.25e308
    assert float(fnp.median([2.3e-308, 2.3e-308])) == 2.3e-308


def test_slopes_go_with_the_middle():
    x = np.array([3.0, 1.0, NAN, 2.0, 10.0])
    g = fad.grad(fnp.nanmedian)
    for gradient in (g, fad.jit(g)):
        np.testing.assert_array_equal(np.asarray(gradient(x)), [0.5, 0, 0, 0.5, 0])
    np.testing.assert_array_equal(np.asarray(fad.grad(fnp.median)(x[[0, 1, 4]])), [1, 0, 0])
    np.testing.assert_array_equal(
        np.asarray(fad.grad(np.median)(x[[0, 1, 3, 4]])), [0.5, 0, 0.5, 0]
    )
    tangent = fad.jvp(lambda x: fnp.median(x**2, axis=1), (X[0],), (np.ones((4, 5)),))[1]
    middle = np.take_along_axis(X[0], np.argsort(X[0] ** 2, 1)[:, 2:3], 1)[:, 0]
    np.testing.assert_allclose(np.asarray(tangent), 2 * middle)


def test_batched():
    got = fad.vmap(fnp.nanmedian)(HOLES[0])
    np.testing.assert_allclose(np.asarray(got), np.nanmedian(HOLES[0], axis=1))
    gradient = np.asarray(fad.vmap(fad.grad(fnp.median))(X[0]))
    assert ((gradient == 1).sum(1) == 1).all()
    assert (gradient == 0).sum() == 16


def test_out_is_refused():
    with pytest.raises(TypeError, match="median cannot write through out="):
        fnp.median(X, out=X)
