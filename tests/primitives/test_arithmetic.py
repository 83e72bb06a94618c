"""Arithmetic, signs and roots: edges, dtypes, accuracy."""

import mpmath as mp
import numpy as np
import pytest

import fad
from fad.primitives import arithmetic
from tests.primitives.accuracy import derivative, pushed, spread, ulps


@pytest.mark.parametrize("rule", [derivative, pushed])
def test_the_derivative_of_abs_is_0_at_0(rule):
    x = np.array([-2.0, -0.0, 0.0, 3.0, np.inf])
    np.testing.assert_array_equal(rule(arithmetic.absolute, [x]), [-1, 0, 0, 1, 1])
    z = np.array([3 + 4j, 0, -2j])
    np.testing.assert_allclose(derivative(arithmetic.absolute, [z]), [0.6 - 0.8j, 0, 1j])


@pytest.mark.parametrize("rule", [derivative, pushed])
def test_the_derivative_of_sign_is_0(rule):
    if rule is derivative:  # a symbolic zero has no node
        assert float(fad.grad(lambda x: arithmetic.add(arithmetic.sign(x), x))(2.0)) == 1.0
    else:
        np.testing.assert_array_equal(rule(arithmetic.sign, [np.array([-1.0, 0.0, 2.0])]), 0)


def test_sign_of_complex_numbers_turns_with_them():
    z = np.array([3 + 4j, -1 + 0.5j, 1e-200 + 1e-200j])
    np.testing.assert_allclose(arithmetic.sign(z), np.sign(z))
    z = z[:2]
    tangent = np.array([0.3 - 0.2j, 1.1 + 0.7j])
    _, got = fad.jvp(arithmetic.sign, (z,), (tangent,))
    h = 1e-7
    expected = (np.sign(z + h * tangent) - np.sign(z - h * tangent)) / (2 * h)
    np.testing.assert_allclose(got, expected, rtol=1e-7)
    weights = np.array([0.5 + 1j, -0.2 + 0.4j])
    _, pull = fad.vjp(arithmetic.sign, z)
    (cotangent,) = pull(weights)
    left = np.sum(np.asarray(cotangent) * tangent).real
    np.testing.assert_allclose(left, np.sum(weights * np.asarray(got)).real)


def test_second_derivative_of_abs_of_complex_numbers():
    z = 1.5 - 0.7j

    def radius(x, y):
        return arithmetic.absolute(arithmetic.add(x, arithmetic.mul(y, 1j)))

    hessian = [
        [float(fad.grad(fad.grad(radius, argnums=i), argnums=j)(1.5, -0.7)) for j in (0, 1)]
        for i in (0, 1)
    ]
    x, y, r = z.real, z.imag, abs(z)
    expected = np.array([[y * y, -x * y], [-x * y, x * x]]) / r**3
    np.testing.assert_allclose(hessian, expected, rtol=1e-13)


ROOTS = {
    "sqrt": (mp.sqrt, lambda x: 1 / mp.sqrt(x) / 2, spread(1e-300, 1e300, signed=False)),
    "rsqrt": (
        lambda x: 1 / mp.sqrt(x),
        lambda x: -1 / mp.sqrt(x) / x / 2,
        spread(1e-200, 1e200, signed=False),
    ),
    "cbrt": (
        lambda x: mp.sign(x) * mp.cbrt(abs(x)),
        lambda x: 1 / mp.cbrt(abs(x)) ** 2 / 3,
        spread(1e-300, 1e300),
    ),
    "reciprocal": (lambda x: 1 / x, lambda x: -1 / x / x, spread(1e-150, 1e150)),
    "square": (lambda x: x * x, lambda x: 2 * x, spread(1e-150, 1e150)),
}


@pytest.mark.parametrize("name", ROOTS)
def test_accuracy(name):
    function = getattr(arithmetic, name)
    value, slope, points = ROOTS[name]
    assert ulps(function(fad.asarray(points)), value, points) <= (1.0 if name == "cbrt" else 2.0)
    assert ulps(derivative(function, [points]), slope, points) <= 4.0


def test_roots_at_0_and_infinity():
    x = np.array([0.0, np.inf])
    np.testing.assert_array_equal(derivative(arithmetic.sqrt, [x]), [np.inf, 0])
    np.testing.assert_array_equal(derivative(arithmetic.cbrt, [x]), [np.inf, 0])
    np.testing.assert_array_equal(derivative(arithmetic.rsqrt, [x]), [-np.inf, 0])
    np.testing.assert_array_equal(derivative(arithmetic.reciprocal, [x]), [-np.inf, 0])


def test_square_root_on_the_cut_follows_the_sign_of_zero():
    z = np.array([complex(-4, 0.0), complex(-4, -0.0)])
    np.testing.assert_array_equal(arithmetic.sqrt(z), np.sqrt(z))
    np.testing.assert_array_equal(derivative(arithmetic.sqrt, [z]), [-0.25j, 0.25j])


@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "uint8", "int64", "uint64", "float16", "float32"]
)
def test_dtypes_are_numpy_s(dtype):
    x = np.array([1, 2, 3]).astype(dtype)
    pairs = {"absolute": "abs", "square": "square", "sqrt": "sqrt", "reciprocal": "reciprocal"}
    pairs |= {"add": "add", "mul": "multiply", "div": "divide"}
    for ours, theirs in pairs.items():
        function, reference = getattr(arithmetic, ours), getattr(np, theirs)
        operands = (x, x) if ours in ("add", "mul", "div") else (x,)
        got, expected = function(*operands), reference(*operands)
        assert got.dtype == expected.dtype
        np.testing.assert_allclose(np.asarray(got, float), expected.astype(float), rtol=1e-3)


def test_division_by_a_scalar_rounds_once():
    x = np.concatenate([np.arange(100.0), [1e308, 1.7e308]])
    for y in (10.0, 3.0, 1e307):
        np.testing.assert_array_equal(arithmetic.div(fad.asarray(x), y), x / y)


def test_booleans_have_no_minus():
    for function, operands in ((arithmetic.neg, (True,)), (arithmetic.sub, (True, False))):
        with pytest.raises(TypeError, match="is not defined for dtype bool"):
            function(*operands)


def test_the_sign_of_a_zero_is_a_positive_zero():
    for dtype in (np.float64, np.float32, np.float16):
        got = np.asarray(arithmetic.sign(np.array([-0.0, 0.0, -2.0, np.nan], dtype)))
        np.testing.assert_array_equal(got, np.sign(np.array([-0.0, 0.0, -2.0, np.nan], dtype)))
        assert not np.signbit(got[:2]).any()
    np.testing.assert_array_equal(arithmetic.sign(np.array([0, 3], np.uint8)), [0, 1])
