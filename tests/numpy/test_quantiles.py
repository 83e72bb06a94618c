"""Quantiles and percentiles: NumPy's values by every method, slopes in the numbers and in q."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fad
import fad.numpy as fnp
from fad.core import kernels
from fad.numpy.quantiles import _INTERPOLATING, _STEPPING

METHODS = [*_INTERPOLATING, *_STEPPING]
NAN, INF = np.nan, np.inf
X = np.random.default_rng(1).normal(size=(3, 4, 2))
HOLES = X.copy()
HOLES[0, 1, 1] = HOLES[1, :, 0] = NAN
INTEGERS = np.array([[3, -1, 2, 8], [0, 0, 5, -7]], np.int8)

pytestmark = pytest.mark.filterwarnings("ignore:All-NaN:RuntimeWarning")


def compare(name, *args, like=None, **kwargs):
    got = getattr(fnp, name)(*args, **kwargs)
    expected = np.asarray(getattr(np, like or name)(*args, **kwargs))
    assert (got.shape, got.dtype) == (expected.shape, expected.dtype)
    eps = 1e-6 if expected.dtype == np.float32 else 1e-13
    np.testing.assert_allclose(np.asarray(got), expected, rtol=eps, atol=eps)


# ----------------------------------------------------------------------------------------- values


@pytest.mark.parametrize("method", METHODS)
def test_methods_are_numpys(method):
    several = [0.0, 0.1, 0.3, 0.5, 0.77, 1.0]
    compare("quantile", X, several, axis=1, method=method)
    compare("quantile", INTEGERS, 0.3, axis=1, method=method)
    compare("nanquantile", HOLES, several, axis=(0, 2), method=method)
    compare("quantile", HOLES, 0.4, method=method, keepdims=True)
    compare("quantile", [5.0], several, method=method)


@given(st.sampled_from(METHODS), st.integers(1, 12), st.integers(0, 12), st.booleans())
def test_places_of_elements_are_met_exactly(method, n, k, as_tensor):
    """Rounding decides between neighbours, so it has to be NumPy's."""
    q = min(k / n, 1.0)
    given_q = fad.asarray(q) if as_tensor else q
    numbers = np.arange(float(n)) ** 2
    got = float(fnp.quantile(numbers, given_q, method=method))
    np.testing.assert_allclose(got, np.quantile(numbers, q, method=method), rtol=1e-13, atol=1e-13)
    holes = np.append(numbers, [NAN, NAN])
    got = float(fnp.nanquantile(holes, given_q, method=method))
    np.testing.assert_allclose(got, np.quantile(numbers, q, method=method), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("q", [0, 1, 1.0, [0, 1], np.float32([0.2, 0.4, 0.6]), np.array([[0.5]])])
def test_kinds_of_q(q):
    compare("quantile", INTEGERS, q)
    compare("quantile", X.astype(np.float32), q, axis=0)
    compare("quantile", np.array([True, False, True]), q, method="lower")
    if np.ndim(q) < 2:
        compare("nanquantile", HOLES, q, axis=1)
        compare("nanquantile", HOLES.astype(np.float32), q, axis=1)


def test_percentiles():
    compare("percentile", X, 30, axis=0)
    compare("percentile", X, [7, 50.0], axis=(1, 2), keepdims=True, method="weibull")
    compare("nanpercentile", HOLES, np.array([7, 100]), axis=1)
    exact = np.percentile(X.ravel()[:21], 35, method="inverted_cdf")  # 35 / 100 * 20 is 7, rounded
    assert float(fnp.percentile(X.ravel()[:21], fad.asarray(35), method="inverted_cdf")) == exact


def test_weights(rng):
    weights = rng.integers(0, 4, X.shape) + 0.25
    weights[:, 1, 0] = 0.0
    several = [0.0, 0.2, 0.5, 1.0]
    for axis in (None, 1, (0, 2)):
        options = {"axis": axis, "weights": weights, "method": "inverted_cdf"}
        compare("quantile", X, several, **options)
        compare("nanquantile", HOLES, several, **options)
        compare("quantile", (X * 9).astype(int), 0.4, **options, keepdims=True)
    one = [1.0, 2.0, 0.0, 3.0]
    compare("quantile", X, several, axis=1, weights=one, method="inverted_cdf")
    fifths = np.full(5, 0.2)
    compare("quantile", np.arange(5.0), np.float32(0.4), weights=fifths, method="inverted_cdf")
    nothing = fnp.quantile(X[0, 0], 0.5, weights=[0.0, 0.0], method="inverted_cdf")
    assert np.isnan(float(nothing))


@pytest.mark.parametrize(
    ("numbers", "q", "expected"),
    [
        ([1.0, INF], 0.0, 1.0),
        ([1.0, INF], 0.3, INF),
        ([INF, INF, 1.0], 0.9, INF),
        ([-INF, -INF, 2.0], 0.1, -INF),
        ([-INF, 5.0], 1.0, 5.0),
        ([-INF, INF], 0.5, NAN),
        ([-1e308, 1e308], 0.25, -5e307),
        ([1.0, NAN, 2.0], 0.0, NAN),
    ],
)
def test_infinities_are_limits(numbers, q, expected):
    np.testing.assert_equal(float(fnp.quantile(numbers, q)), expected)


def test_nothing_and_nothing_but_nan():
    np.testing.assert_array_equal(
        np.asarray(fnp.nanquantile([[NAN, NAN], [1.0, NAN]], 0.3, 1)), [NAN, 1]
    )
    np.testing.assert_array_equal(
        np.asarray(fnp.nanquantile(np.zeros((2, 0)), [0.3], 1)), [[NAN] * 2]
    )
    with pytest.raises(IndexError, match="quantile: there are no elements along axis 0"):
        fnp.quantile(np.zeros((0, 2)), 0.5, axis=0)
    assert fnp.quantile(np.zeros((0, 2)), 0.5, axis=1).shape == (0,)


def test_a_tensor_q_that_leaves_the_range_gives_nan():
    got = fad.jit(lambda q: fnp.quantile(np.array([1.0, 2.0]), q))(np.array([-0.1, 0.5, 1.1, NAN]))
    np.testing.assert_array_equal(np.asarray(got), [NAN, 1.5, NAN, NAN])


# ----------------------------------------------------------------------------------------- slopes


@pytest.mark.parametrize("method", ["linear", "lower", "higher", "midpoint", "nearest"])
def test_gradients_are_jaxs_where_both_exist(method, rng):
    x, q = rng.normal(size=(5, 3)), np.array([0.13, 0.4, 0.9])
    weights = rng.normal(size=(3, 3))
    with jax.enable_x64(True):
        expected = jax.grad(
            lambda x, q: jnp.sum(weights * jnp.quantile(x, q, axis=0, method=method)), (0, 1)
        )(x, q)

    def loss(x, q):
        return fnp.sum(weights * fnp.quantile(x, q, axis=0, method=method))

    for gradient in (fad.grad(loss, (0, 1)), fad.jit(fad.grad(loss, (0, 1)))):
        for got, want in zip(gradient(x, q), expected):
            np.testing.assert_allclose(np.asarray(got), np.asarray(want), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("method", METHODS)
def test_slopes_are_those_of_differences(method, rng):
    x, q = rng.normal(size=7), np.array([0.02, 0.31, 0.55, 0.98])

    def f(x, q):
        return fnp.quantile(x, q, method=method)

    by_x, by_q = (np.asarray(fad.jacobian(f, argnums=i)(x, q)) for i in (0, 1))
    pushed = fad.jvp(f, (x, q), (np.ones(7), np.ones(4)))[1]
    np.testing.assert_allclose(np.asarray(pushed), by_x.sum(1) + by_q.sum(1), rtol=1e-12)
    np.testing.assert_allclose(by_x.sum(1), 1.0, rtol=1e-12)  # it moves with the numbers
    h = 1e-6
    for i in range(7):
        step = h * (np.arange(7) == i)
        slope = np.quantile(x + step, q, method=method) - np.quantile(x - step, q, method=method)
        np.testing.assert_allclose(by_x[:, i], slope / (2 * h), atol=1e-8)
    slope = (np.quantile(x, q + h, method=method) - np.quantile(x, q - h, method=method)) / (2 * h)
    np.testing.assert_allclose(by_q, np.diag(slope), atol=1e-7)


def test_slope_at_the_place_of_an_element():
    x = fad.asarray([3.0, 1.0, 2.0, 10.0])
    slope = fad.grad(lambda q: fnp.quantile(x, q))
    got = [float(slope(q)) for q in (0.0, 1 / 3, 2 / 3, 1.0)]
    np.testing.assert_allclose(got, [3.0, 3.0, 21.0, 21.0])
    beyond = fad.grad(lambda q: fnp.quantile(x, q, method="hazen"))
    assert (float(beyond(0.01)), float(beyond(0.99))) == (0.0, 0.0)


def test_second_order():
    x = fad.asarray([3.0, 1.0, 2.0, 10.0])
    (_, mixed), (_, twice) = fad.hessian(lambda q, x: fnp.quantile(x, q) ** 2, (0, 1))(0.3, x)
    v, dq = 1.9, np.array([0.0, -3.0, 3.0, 0.0])
    dx = np.array([0.0, 0.1, 0.9, 0.0])
    np.testing.assert_allclose(np.asarray(mixed), 2 * (3.0 * dx + v * dq), atol=1e-12)
    np.testing.assert_allclose(np.asarray(twice), 2 * np.outer(dx, dx), atol=1e-12)


def test_nan_and_weights_have_no_slope():
    g = fad.grad(lambda x: fnp.nanquantile(x, 0.25))(fad.asarray([3.0, NAN, 1.0, 2.0]))
    np.testing.assert_allclose(np.asarray(g), [0.0, 0.0, 0.5, 0.5])

    def weighted(x, w):
        return fnp.quantile(x, 0.5, weights=w, method="inverted_cdf")

    by_x, by_w = fad.grad(weighted, (0, 1))(X[0, :, 0], np.ones(4))
    np.testing.assert_array_equal(np.asarray(by_x), X[0, :, 0] == np.sort(X[0, :, 0])[1])
    np.testing.assert_array_equal(np.asarray(by_w), np.zeros(4))


# ------------------------------------------------------------------------------------- transforms


def test_under_vmap_and_jit():
    q = np.array([0.2, 0.9])
    expected = np.quantile(X, q, axis=1)
    for one, want in zip(q, expected):
        got = fad.vmap(lambda x, one=one: fnp.quantile(x, one, axis=0))(X)
        np.testing.assert_allclose(np.asarray(got), want)
    got = fad.jit(fad.vmap(lambda q: fnp.quantile(X, q, axis=1)))(q)
    np.testing.assert_allclose(np.asarray(got), expected)
    got = fad.vmap(lambda x: np.nanquantile(x, q))(fad.asarray(HOLES[0]))
    np.testing.assert_allclose(np.asarray(got), np.nanquantile(HOLES[0], q, axis=1).T)
    weights = np.arange(1.0, 9.0).reshape(4, 2)
    got = fad.vmap(lambda x, w: fnp.quantile(x, q, weights=w, method="inverted_cdf"))(X[0], weights)
    each = [np.quantile(x, q, weights=w, method="inverted_cdf") for x, w in zip(X[0], weights)]
    np.testing.assert_allclose(np.asarray(got), each)


def test_python_numbers_stay_weak_within_transforms():
    x = X[:, 0, 0].astype(np.float32)
    assert fad.jit(fnp.quantile)(x, 0.3).dtype == np.float32
    assert fad.value_and_grad(fnp.quantile, argnums=1)(x, 0.3)[0].dtype == np.float32
    assert fnp.quantile(x, np.float64(0.3)).dtype == np.float64
    for dtype in (np.float16, fnp.bfloat16):
        assert fnp.quantile(fnp.asarray(x).astype(dtype), 0.3).dtype == dtype


def test_another_q_is_no_other_program():
    x = fad.asarray(X[:, 0, 0])
    slope = fad.grad(lambda x, q: fnp.quantile(x, q))
    slope(x, 0.3)
    before = kernels.compilations()
    for q in (0.1, 0.62, 0.9):
        np.testing.assert_allclose(np.asarray(slope(x, q)).sum(), 1.0)
    assert kernels.compilations() == before


# ----------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fnp.quantile(X, 1.2), ValueError, r"q must be in the range \[0, 1\]"),
        (lambda: fnp.percentile(X, [5, -1]), ValueError, r"percentile: .* range \[0, 100\]"),
        (lambda: fnp.quantile(X, "a"), TypeError, "q must be made of real numbers"),
        (lambda: fnp.quantile(X, 0.5, method="mean"), ValueError, "'mean'; there are linear"),
        (lambda: fnp.quantile([1j], 0.5), TypeError, "complex numbers have no quantiles"),
        (lambda: fnp.quantile([True], 0.5), TypeError, "'linear' mixes elements"),
        (lambda: fnp.quantile([True], 0.5, method="midpoint"), TypeError, "these are booleans"),
        (lambda: fnp.quantile([1.0], 0.5, weights=[1.0]), ValueError, "weights go with method"),
        (
            lambda: fnp.quantile([1.0], 0.5, weights=[-1.0], method="inverted_cdf"),
            ValueError,
            "weights must not be negative",
        ),
        (
            lambda: fnp.quantile(X, 0.5, weights=[1.0], method="inverted_cdf"),
            TypeError,
            r"quantile: weights of shape \(1,\) .* need axis=",
        ),
        (lambda: fnp.quantile(X, 0.5, out=X), TypeError, "cannot write through out="),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
