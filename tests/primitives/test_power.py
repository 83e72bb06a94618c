"""Powers: every corner of x**y, integers, and accuracy at extreme arguments."""

import jax
import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fad
from fad.primitives.power import integer_pow, power
from tests.primitives.accuracy import between, derivative, pushed, spread, ulps

INF, NAN = np.inf, np.nan

# x, y: d/dx, d/dy
CORNERS = [
    (0.0, 0.0, 0.0, 0.0),
    (0.0, 1.0, 1.0, 0.0),
    (0.0, 2.0, 0.0, 0.0),
    (0.0, 0.5, INF, 0.0),
    (0.0, -1.0, -INF, NAN),
    (2.0, 0.0, 0.0, np.log(2.0)),
    (INF, 0.0, 0.0, INF),
    (INF, 2.0, INF, INF),
    (INF, -2.0, 0.0, NAN),
    (NAN, 0.0, 0.0, NAN),
    (-2.0, 3.0, 12.0, NAN),
    (-2.0, -2.0, 0.25, NAN),
    (-2.0, 0.0, 0.0, NAN),
    (-2.0, 0.5, NAN, NAN),
    (1.0, 7.5, 7.5, 0.0),
]


@pytest.mark.parametrize("rule", [derivative, pushed])
def test_corners(rule):
    x, y, dx, dy = (np.array(column) for column in zip(*CORNERS, strict=True))
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(power(fad.asarray(x), y), np.power(x, y))
    np.testing.assert_allclose(rule(power, [x, y], 0), dx, rtol=1e-15)
    np.testing.assert_allclose(rule(power, [x, y], 1), dy, rtol=1e-15)


def test_higher_derivatives_at_0():
    def nested(n, y):
        f = lambda x: power(x, y)  # noqa: E731
        for _ in range(n):
            f = fad.grad(f)
        return float(f(0.0))

    assert [nested(n, 2.0) for n in range(4)] == [0, 0, 2, 0]
    assert [nested(n, 2) for n in range(4)] == [0, 0, 2, 0]
    assert nested(1, 0) == nested(1, 0.0) == 0


def test_mixed_derivatives():
    x, y = 1.7, -0.6
    log = np.log(x)
    orders = {
        (0, 0): y * (y - 1) * x ** (y - 2),
        (0, 1): x ** (y - 1) * (1 + y * log),
        (1, 0): x ** (y - 1) * (1 + y * log),
        (1, 1): x**y * log**2,
    }
    for (i, j), expected in orders.items():
        got = fad.grad(fad.grad(power, argnums=i), argnums=j)(x, y)
        np.testing.assert_allclose(float(got), expected, rtol=1e-14)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, 8, 20, 64, -1, -2, -7, -30])
def test_integer_exponents(n):
    x = np.array([-2.5, -1.0, 0.3, 1.9])
    np.testing.assert_allclose(power(fad.asarray(x), n), x ** float(n), rtol=1e-15)
    np.testing.assert_allclose(
        pushed(lambda x: power(x, n), [x]), n * x ** float(n - 1), rtol=2e-15
    )


def test_an_integer_exponent_is_part_of_the_program():
    graph = str(fad.make_graph(lambda x: power(x, 3))(2.0)) if hasattr(fad, "make_graph") else None
    assert graph is None or "integer_pow[exponent=3]" in graph


EXPONENTS = {
    3: spread(1e-90, 1e90),
    -2: spread(1e-90, 1e90),
    33: spread(1e-8, 1e8),
    0.3: spread(1e-300, 1e300, signed=False),
    -5.2: spread(1e-50, 1e50, signed=False),
    1e-20: spread(1e-280, 1e280, signed=False),
    1e5: 1 + spread(1e-9, 1e-3),
}


@pytest.mark.parametrize("y", EXPONENTS)
def test_accuracy_in_the_base(y):
    exact = mp.mpf(y)
    points = EXPONENTS[y]
    assert ulps(power(fad.asarray(points), y), lambda x: x**exact, points) <= 3.0
    slope = derivative(lambda x: power(x, y), [points])
    assert ulps(slope, lambda x: exact * x ** (exact - 1), points) <= 4.0


def test_accuracy_in_the_exponent():
    points = between(-700, 700)
    assert ulps(power(2.5, fad.asarray(points)), lambda y: mp.mpf(2.5) ** y, points) <= 3.0
    slope = derivative(lambda y: power(2.5, y), [points])
    assert ulps(slope, lambda y: mp.log(2.5) * mp.mpf(2.5) ** y, points) <= 4.0


@given(
    st.lists(st.integers(-50, 50), min_size=1, max_size=5),
    st.integers(0, 70),
    st.sampled_from(["int8", "int16", "int32", "int64", "uint8", "uint64"]),
)
def test_integers_wrap_as_numpy_s(bases, exponent, dtype):
    x = np.array(bases).astype(dtype)
    y = np.full(len(bases), exponent, dtype)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(power(fad.asarray(x), fad.asarray(y)), np.power(x, y))


def test_negative_exponents_of_integers_are_an_error():
    x = fad.asarray([1, 2])
    for y in (-1, np.array([1, -1]), np.int64(-3)):
        with pytest.raises(ValueError, match="Integers to negative integer powers"):
            power(x, y)
    # Of tensors the values are not known: they are rounded towards 0.
    y = fad.asarray([-1, -1, -2, 0, -3])
    np.testing.assert_array_equal(power(fad.asarray([1, 2, -1, 0, -1]), y), [1, 0, 1, 1, -1])


@pytest.mark.parametrize(
    ("x", "y"), [("bool", "bool"), ("bool", "int8"), ("int8", "uint8"), ("float32", "int64")]
)
def test_dtypes_are_numpy_s(x, y):
    a, b = np.ones(2, x), np.ones(2, y)
    assert power(fad.asarray(a), fad.asarray(b)).dtype == np.power(a, b).dtype
    assert power(fad.asarray(a), 3).dtype == (a**3).dtype
    assert power(2.0, fad.asarray(a)).dtype == (2.0**a).dtype


def test_complex():
    z, w = np.array([0.5 + 1j, -2 + 0.1j]), np.array([1.5 - 0.2j, 2.0 + 1j])
    with jax.enable_x64(True):
        expected = jax.vmap(jax.grad(jax.lax.pow, argnums=(0, 1), holomorphic=True))(z, w)
    np.testing.assert_allclose(power(fad.asarray(z), w), z**w, rtol=1e-14)
    for i in (0, 1):
        np.testing.assert_allclose(derivative(power, [z, w], i), expected[i], rtol=1e-13)
    np.testing.assert_allclose(integer_pow(fad.asarray(z), -3), z**-3, rtol=1e-14)
