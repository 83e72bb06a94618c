"""Rounding, questions, signs and exponents, against NumPy's."""

import numpy as np
import pytest

import fad
from fad.primitives import arithmetic, floating
from tests.primitives.accuracy import derivative, pushed

SPECIAL = np.array([0.0, -0.0, 0.5, 1.5, -2.5, 2.5000001, -0.3, np.inf, -np.inf, np.nan, 1e300])


@pytest.mark.parametrize("name", ["floor", "ceil", "trunc", "rint", "round_to_even"])
def test_rounding(name):
    function = getattr(floating, name)
    reference = getattr(np, {"round_to_even": "round"}.get(name, name))
    got, expected = np.asarray(function(SPECIAL)), reference(SPECIAL)
    np.testing.assert_array_equal(got, expected)
    number = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(got)[number], np.signbit(expected)[number])
    for dtype in ("bool", "int8", "uint64"):
        x = np.array([1, 0]).astype(dtype)
        if (name, dtype) != ("round_to_even", "bool"):
            assert function(fad.asarray(x)).dtype == reference(x).dtype
    f = lambda x: arithmetic.add(function(x), x)  # noqa: E731
    assert float(fad.grad(f)(1.2)) == 1.0


@pytest.mark.parametrize("name", ["isnan", "isinf", "isfinite"])
def test_questions(name):
    function, reference = getattr(floating, name), getattr(np, name)
    z = np.array([complex(a, b) for a in (0, np.nan, np.inf) for b in (1, np.nan, -np.inf)])
    for x in (SPECIAL, z, np.array([1, 2]), np.array([True]), np.float16(np.inf)):
        np.testing.assert_array_equal(function(fad.asarray(x)), reference(x))


def test_signs():
    np.testing.assert_array_equal(floating.signbit(SPECIAL), np.signbit(SPECIAL))
    np.testing.assert_array_equal(floating.signbit(np.array([-1, 2])), [True, False])
    x, y = np.meshgrid(SPECIAL, SPECIAL[:8])
    got = np.asarray(floating.copysign(fad.asarray(x), y))
    np.testing.assert_array_equal(np.signbit(got), np.signbit(np.copysign(x, y)))


@pytest.mark.parametrize("rule", [derivative, pushed])
def test_derivatives(rule):
    x, y = np.array([2.0, -3.0, 4.0]), np.array([-1.0, -0.0, 5.0])
    np.testing.assert_array_equal(rule(floating.copysign, [x, y], 0), [-1, 1, 1])
    np.testing.assert_array_equal(rule(floating.nextafter, [x, y], 0), 1)
    step, half = np.array([-1.0, 0.0, 2.0]), np.array([0.5, 0.5, 0.5])
    np.testing.assert_array_equal(rule(floating.heaviside, [step, half], 1), [0, 1, 0])
    n = np.array([3, -1, 0])
    np.testing.assert_array_equal(rule(lambda x: floating.ldexp(x, n), [x]), [8, 0.5, 1])


def test_neighbours():
    x = np.array([1.0, -1.0, 0.5, 1e300, np.inf, np.nan])
    np.testing.assert_array_equal(floating.spacing(x), np.spacing(x))
    np.testing.assert_array_equal(floating.nextafter(fad.asarray(x), 0.0), np.nextafter(x, 0.0))
    y = np.full_like(SPECIAL, 0.25)
    np.testing.assert_array_equal(
        floating.heaviside(fad.asarray(SPECIAL), y), np.heaviside(SPECIAL, y)
    )


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_exponents(dtype):
    x = np.array([1.0, -0.75, 3.0, 1e-4, 6e4, 0.0, np.inf, np.nan], dtype)
    _, expected = np.frexp(x)
    got = floating.exponent(fad.asarray(x))
    assert got.dtype == np.int32
    np.testing.assert_array_equal(np.asarray(got)[:6], expected[:6])
    n = np.array([3, -2, 10, 0, -20, 5, 7, 1], np.int32)
    got = floating.ldexp(fad.asarray(x), n)
    assert got.dtype == dtype
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(got, np.ldexp(x, n))


def test_ldexp_does_not_overflow_on_the_way():
    x, n = np.array([1e-300, 1e300, 1.0, 1.0]), np.array([2000, -2000, 1023, 5000])
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(floating.ldexp(fad.asarray(x), n), np.ldexp(x, n))
    with pytest.raises(TypeError, match="integer exponent"):
        floating.ldexp(1.0, 2.0)
