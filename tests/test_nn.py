"""fad.nn against JAX's functions, and where those lose digits or turn into NaN."""

from __future__ import annotations

from typing import Any

import jax
import mpmath as mp
import numpy as np
import pytest

import fad
from fad import nn
from tests.primitives.accuracy import between, derivative, pushed, spread, ulps

INF, NAN = np.inf, np.nan
POINTS = np.concatenate([between(-8.0, 8.0, 30), [0.0, 1.0, -1.0, 3.0, -3.0, 6.0]])
ELEMENTWISE = sorted(
    set(nn.__all__) - {"glu", "log_softmax", "logsumexp", "one_hot", "softmax", "standardize"}
)


def test_every_name_is_jaxs() -> None:
    for name in nn.__all__:
        assert hasattr(jax.nn, name), name


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_values_and_derivatives_at_kinks_too(name: str) -> None:
    function, oracle = getattr(nn, name), getattr(jax.nn, name)
    with jax.enable_x64(True):
        expected = np.asarray(oracle(POINTS))
        slopes = np.asarray(jax.vmap(jax.grad(oracle))(POINTS))
    np.testing.assert_allclose(function(POINTS), expected, rtol=1e-13, atol=2e-14)
    np.testing.assert_allclose(derivative(function, [POINTS]), slopes, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(pushed(function, [POINTS]), slopes, rtol=1e-12, atol=1e-13)
    assert function(POINTS.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("name", ["silu", "gelu", "mish", "elu", "celu", "selu", "squareplus"])
def test_second_derivatives(name: str) -> None:
    x = np.array([-2.5, -0.3, 0.4, 1.7])
    with jax.enable_x64(True):
        expected = jax.vmap(jax.grad(jax.grad(getattr(jax.nn, name))))(x)
    got = fad.vmap(fad.grad(fad.grad(getattr(nn, name))))(x)
    np.testing.assert_allclose(got, expected, rtol=1e-11)


def test_parameters() -> None:
    x = np.array([-2.0, -0.5, 0.0, 1.5])
    with jax.enable_x64(True):
        for name, value in (("elu", 0.7), ("celu", 0.7), ("leaky_relu", 0.2), ("squareplus", 2.0)):
            expected = getattr(jax.nn, name)(x, value)
            np.testing.assert_allclose(getattr(nn, name)(x, value), expected, rtol=1e-15)
        in_alpha = jax.grad(lambda a: jax.numpy.sum(jax.nn.celu(x, a)))(0.7)
    got = fad.grad(lambda a: np.sum(nn.celu(x, a)))(0.7)
    np.testing.assert_allclose(got, in_alpha, rtol=1e-13)


# name: derivatives at the kinks
KINKS: dict[str, dict[float, float]] = {
    "relu": {0.0: 0.0},
    "relu6": {0.0: 0.0, 6.0: 0.0},
    "leaky_relu": {0.0: 1.0},
    "elu": {0.0: 1.0},
    "celu": {0.0: 1.0},
    "hard_tanh": {-1.0: 1.0, 1.0: 1.0},
    "hard_sigmoid": {-3.0: 0.0, 3.0: 0.0},
    "soft_sign": {0.0: 1.0},
}


@pytest.mark.parametrize("name", KINKS)
def test_kinks(name: str) -> None:
    for x, slope in KINKS[name].items():
        assert float(fad.grad(getattr(nn, name))(x)) == slope
        assert float(fad.jvp(getattr(nn, name), (x,), (1.0,))[1]) == slope


EXTREME = np.array([-INF, -1e200, -800.0, 800.0, 1e200, INF])
# name: values at EXTREME, derivatives there
EXTREMES: dict[str, tuple[list[float], list[float]]] = {
    "relu": ([0, 0, 0, 800, 1e200, INF], [0, 0, 0, 1, 1, 1]),
    "elu": ([-1, -1, -1, 800, 1e200, INF], [0, 0, 0, 1, 1, 1]),
    "softplus": ([0, 0, 0, 800, 1e200, INF], [0, 0, 0, 1, 1, 1]),
    "log_sigmoid": ([-INF, -1e200, -800, 0, 0, 0], [1, 1, 1, 0, 0, 0]),
    "sigmoid": ([0, 0, 0, 1, 1, 1], [0] * 6),
    "silu": ([0, 0, 0, 800, 1e200, INF], [0, 0, 0, 1, 1, 1]),
    "mish": ([0, 0, 0, 800, 1e200, INF], [0, 0, 0, 1, 1, 1]),
    "gelu": ([0, 0, 0, 800, 1e200, INF], [0, 0, 0, 1, 1, 1]),
    "hard_silu": ([0, 0, 0, 800, 1e200, INF], [0, 0, 0, 1, 1, 1]),
    "squareplus": ([0, 1e-200, None, None, 1e200, INF], [0, 0, None, None, 1, 1]),  # type: ignore[list-item]
    "soft_sign": ([-1, -1, -800 / 801, 800 / 801, 1, 1], [0, 0, 801**-2, 801**-2, 0, 0]),
}


@pytest.mark.parametrize("name", EXTREMES)
def test_extremes(name: str) -> None:
    function = getattr(nn, name)
    values, slopes = EXTREMES[name]
    got, slope = np.asarray(function(EXTREME)), derivative(function, [EXTREME])
    for i in range(6):
        if values[i] is not None:
            assert got[i] == pytest.approx(values[i], rel=1e-15), EXTREME[i]
            assert slope[i] == pytest.approx(slopes[i], rel=1e-15, abs=1e-199), EXTREME[i]
    assert np.isnan(float(function(NAN)))


def test_exact_gelu_at_extremes() -> None:
    def function(x: Any) -> Any:
        return nn.gelu(x, approximate=False)

    np.testing.assert_array_equal(function(EXTREME), [0, 0, 0, 800, 1e200, INF])
    np.testing.assert_array_equal(derivative(function, [EXTREME]), [0, 0, 0, 1, 1, 1])


# --------------------------------------------------------------------- relative precision in tails

TAIL = np.concatenate([between(-700, -2, 30), between(2, 40, 10), spread(1e-300, 1, 20)])


def sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def ndtr(x: Any) -> Any:
    return mp.erfc(-x / mp.sqrt(2)) / 2


def cubic(x: Any) -> Any:
    return 2 * mp.sqrt(2 / mp.pi) * (x + mp.mpf(0.044715) * x**3)


def test_silu_keeps_its_digits() -> None:
    value = lambda x: x * sigmoid(x)  # noqa: E731
    slope = lambda x: sigmoid(x) * (1 + x * sigmoid(-x))  # noqa: E731
    assert ulps(nn.silu(TAIL), value, TAIL, bits=300) <= 4.0
    assert ulps(derivative(nn.silu, [TAIL]), slope, TAIL, bits=300) <= 5.0


def test_gelu_keeps_its_digits() -> None:
    x = np.concatenate([between(-37, -2, 30), between(2, 40, 10), spread(1e-300, 0.5, 20)])
    exact = lambda x: nn.gelu(x, approximate=False)  # noqa: E731
    slope = lambda x: ndtr(x) + x * mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)  # noqa: E731
    assert ulps(exact(x), lambda x: x * ndtr(x), x, bits=300) <= 4.0
    assert ulps(derivative(exact, [x]), slope, x, bits=300) <= 8.0
    # The exponential magnifies the rounding of its argument, -29 at x = -6.
    x = np.concatenate([between(-6, 6, 30), spread(1e-300, 0.5, 20)])
    assert ulps(nn.gelu(x), lambda x: x * sigmoid(cubic(x)), x, bits=300) <= 64.0
    assert float(nn.gelu(-6.0)) < 0  # 0.5 * (1 + tanh(...)) is 0 there


def test_mish_keeps_its_digits() -> None:
    value = lambda x: x * mp.tanh(mp.log1p(mp.exp(x)))  # noqa: E731
    assert ulps(nn.mish(TAIL), value, TAIL, bits=300) <= 6.0


# ---------------------------------------------------------------------------------- along axes

X = np.random.default_rng(6).normal(size=(3, 4))
MASK = np.array([[True, False, True, True], [True] * 4, [False, True, False, False]])


@pytest.mark.parametrize("axis", [-1, 0, (0, 1)])
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "standardize"])
def test_along_axes(name: str, axis: Any) -> None:
    for where in (None, MASK):
        with jax.enable_x64(True):
            expected = getattr(jax.nn, name)(X, axis=axis, where=where)
        got = getattr(nn, name)(X, axis=axis, where=where)
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)


def test_masked_elements_have_no_gradient() -> None:
    gradient = np.asarray(fad.grad(lambda x: np.sum(nn.softmax(x, where=MASK) ** 2))(X))
    assert np.all(gradient[~MASK] == 0)
    assert np.all(np.isfinite(gradient))
    with jax.enable_x64(True):
        expected = jax.grad(lambda x: jax.nn.logsumexp(x, where=MASK))(X)
    got = fad.grad(lambda x: nn.logsumexp(x, where=MASK))(X)
    np.testing.assert_allclose(got, expected, rtol=1e-13, atol=1e-16)


def test_standardize() -> None:
    got = nn.standardize(X, mean=0.5, variance=4.0, epsilon=0.0)
    np.testing.assert_allclose(got, (X - 0.5) / 2.0, rtol=1e-15)
    far = X + 1e8  # the mean of squares less the square of the mean would be noise
    spread_out = np.asarray(nn.standardize(far, epsilon=0.0))
    np.testing.assert_allclose(np.std(spread_out, axis=-1), 1.0, rtol=1e-14)
    with jax.enable_x64(True):
        expected = jax.grad(lambda x: jax.numpy.sum(jax.nn.standardize(x) ** 3))(X)
    got = fad.grad(lambda x: np.sum(nn.standardize(x) ** 3))(X)
    np.testing.assert_allclose(got, expected, rtol=1e-8, atol=1e-11)


def test_one_hot() -> None:
    labels = np.array([[0, 2], [3, -1]])
    for axis in (-1, 0, 1):
        with jax.enable_x64(True):
            expected = np.asarray(jax.nn.one_hot(labels, 4, axis=axis))
        got = nn.one_hot(labels, 4, axis=axis)
        assert got.dtype == np.float64
        np.testing.assert_array_equal(got, expected)
    assert nn.one_hot(1, 3, dtype="int32").dtype == np.int32
    assert nn.one_hot(labels, 0).shape == (2, 2, 0)
    np.testing.assert_array_equal(fad.vmap(lambda k: nn.one_hot(k, 3))(np.arange(3)), np.eye(3))
    with pytest.raises(TypeError, match=r"num_classes is an int, got float\n  at .*test_nn"):
        nn.one_hot(labels, 4.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="axis 3 is out of bounds"):
        nn.one_hot(labels, 4, axis=3)


def test_glu() -> None:
    with jax.enable_x64(True):
        for axis in (-1, 1):
            np.testing.assert_allclose(nn.glu(X, axis), jax.nn.glu(X, axis), rtol=1e-14)
    with pytest.raises(ValueError, match=r"glu halves axis 0, whose length 3 is odd"):
        nn.glu(X, 0)


def test_activations_compile_and_batch() -> None:
    for name in ELEMENTWISE:
        function = getattr(nn, name)
        slope = fad.grad(function)
        batched = fad.jit(fad.vmap(slope))(POINTS[:5])
        np.testing.assert_allclose(batched, [float(slope(float(x))) for x in POINTS[:5]], 1e-12)


def test_integers_become_floats_where_they_must() -> None:
    assert nn.relu([-1, 2]).dtype == np.int64
    assert nn.relu6(np.array([-1, 9])).tolist() == [0, 6]
    assert nn.silu([1, 2]).dtype == np.float64
    assert nn.leaky_relu([-1, 2]).dtype == np.float64
