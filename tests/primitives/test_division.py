"""Division with remainder: NumPy's signs and special values, and the derivatives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fad
from fad.primitives import arithmetic, division
from tests.primitives.accuracy import between, derivative, pushed

NAMES = ["floor_divide", "remainder", "fmod"]
SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, 0.1, 5.5, -5.5, 1e300, np.inf, -np.inf, np.nan, 3.0])


@pytest.mark.parametrize("name", NAMES)
def test_special_values(name):
    x, y = np.meshgrid(SPECIAL, SPECIAL)
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x, y)
    got = np.asarray(getattr(division, name)(fad.asarray(x), y))
    np.testing.assert_array_equal(got, expected)
    number = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(got)[number], np.signbit(expected)[number])


FLOATS = st.floats(-1e6, 1e6, allow_subnormal=False)


@pytest.mark.parametrize("name", NAMES)
@given(x=st.lists(FLOATS, min_size=3, max_size=3), y=st.lists(FLOATS, min_size=3, max_size=3))
def test_floats(name, x, y):
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x, y)
    np.testing.assert_array_equal(getattr(division, name)(np.array(x), np.array(y)), expected)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["int8", "int64", "uint8", "uint64", "bool"])
def test_integers(name, dtype):
    values = [0, 1] if dtype == "bool" else [0, 1, 2, 3, 7, 100]
    if dtype.startswith("int"):
        values += [-1, -2, -7, np.iinfo(dtype).min, np.iinfo(dtype).max]
    x, y = np.meshgrid(np.array(values, dtype), np.array(values, dtype))
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x, y)
    got = getattr(division, name)(fad.asarray(x), fad.asarray(y))
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("rule", [derivative, pushed])
def test_derivatives(rule):
    x = np.array([5.5, -5.5, 5.5, -5.5, 1.0])
    y = np.array([2.0, 2.0, -2.0, -2.0, 0.1])
    with np.errstate(all="ignore"):
        floors, truncated = np.floor_divide(x, y), np.round((x - np.fmod(x, y)) / y)
    np.testing.assert_array_equal(rule(division.remainder, [x, y], 0), 1)
    np.testing.assert_array_equal(rule(division.remainder, [x, y], 1), -floors)
    np.testing.assert_array_equal(rule(division.fmod, [x, y], 0), 1)
    np.testing.assert_array_equal(rule(division.fmod, [x, y], 1), -truncated)


def test_the_quotient_has_no_derivative():
    f = lambda x: arithmetic.add(division.floor_divide(x, 2.0), arithmetic.mul(x, 3.0))  # noqa: E731
    assert float(fad.grad(f)(5.0)) == 3.0


def test_complex_numbers_have_no_remainder():
    with pytest.raises(TypeError, match="remainder is not defined for dtype complex128"):
        division.remainder(1j, 2.0)


def test_remainders_by_the_smallest_divisors() -> None:
    # The remainder of the truncated quotient is below the normal range, and would be flushed.
    for dtype in (np.float32, np.float64):
        y = (np.finfo(dtype).tiny * between(1.5, 9.0)).astype(dtype)
        x = -between(0.1, 60.0)[::-1].astype(dtype)
        got, expected = np.asarray(division.remainder(x, y)), np.remainder(x, y)
        normal = expected >= np.finfo(dtype).tiny
        assert np.any(normal & (y - expected < np.finfo(dtype).tiny))
        np.testing.assert_array_equal(got[normal], expected[normal])
