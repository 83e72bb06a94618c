"""Comparisons of everything with everything, logic, and choices."""

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fad
from fad.primitives import arithmetic, comparison
from tests.primitives.accuracy import derivative, pushed

NAMES = ["eq", "ne", "lt", "le", "gt", "ge"]
DTYPES = ["bool", "int8", "uint8", "int64", "uint64", "float32", "float64"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("dtype", "number"),
    [("uint8", 300), ("uint8", -1), ("int8", 200), ("int8", -200), ("int64", 2**70), ("int64", 5),
     ("uint64", -(2**70)), ("uint64", 2**63 + 5), ("float64", 7), ("bool", 3)],
)  # fmt: skip
def test_python_integers_that_do_not_fit(name, dtype, number):
    compare = getattr(operator, name)
    x = np.array([0, 1, 5]).astype(dtype)
    function = getattr(comparison, name)
    np.testing.assert_array_equal(function(fad.asarray(x), number), compare(x, number))
    np.testing.assert_array_equal(function(number, fad.asarray(x)), compare(number, x))


@pytest.mark.parametrize("name", NAMES)
def test_signed_and_unsigned_64_bits_compare_exactly(name):
    x = np.array([-1, 0, 2**53 + 1, 2**63 - 1], np.int64)
    y = np.array([2**64 - 1, 0, 2**53, 2**63], np.uint64)
    compare = getattr(operator, name)
    np.testing.assert_array_equal(getattr(comparison, name)(x, fad.asarray(y)), compare(x, y))
    np.testing.assert_array_equal(getattr(comparison, name)(y, fad.asarray(x)), compare(y, x))


@pytest.mark.parametrize("name", NAMES)
def test_complex_numbers_are_in_lexicographic_order(name):
    parts = [0.0, 1.0, np.nan]
    z = np.array([complex(a, b) for a in parts for b in parts])
    x, y = np.meshgrid(z, z)
    with np.errstate(invalid="ignore"):
        expected = getattr(operator, name)(x, y)
    np.testing.assert_array_equal(getattr(comparison, name)(fad.asarray(x), y), expected)


@given(
    st.sampled_from(NAMES), st.sampled_from(DTYPES), st.sampled_from(DTYPES),
    st.lists(st.integers(0, 3), min_size=4, max_size=4),
)  # fmt: skip
def test_mixed_dtypes(name, a, b, values):
    x, y = np.array(values).astype(a), np.array([0, 1, 2, 3]).astype(b)
    expected = getattr(operator, name)(x, y)
    got = getattr(comparison, name)(fad.asarray(x), fad.asarray(y))
    assert got.dtype == bool
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("name", ["logical_and", "logical_or", "logical_xor"])
def test_logic_of_any_dtypes(name):
    x = np.array([0, 0.5, np.nan, 0, 2])
    y = np.array([1j, 0, 0, 0, 1])
    reference = getattr(np, name)
    np.testing.assert_array_equal(getattr(comparison, name)(fad.asarray(x), y), reference(x, y))
    np.testing.assert_array_equal(
        getattr(comparison, name)(fad.asarray(x), np.uint8([0, 0, 7, 0, 1])),
        reference(x, np.uint8([0, 0, 7, 0, 1])),
    )
    np.testing.assert_array_equal(comparison.logical_not(y), np.logical_not(y))


@pytest.mark.parametrize("rule", [derivative, pushed])
def test_select(rule):
    c = np.array([True, False, True])
    x, y = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])
    np.testing.assert_array_equal(comparison.select(c, fad.asarray(x), y), [1, 5, 3])
    f = lambda a, b: comparison.select(c, a, b)  # noqa: E731
    np.testing.assert_array_equal(rule(f, [x, y], 0), [1, 0, 1])
    np.testing.assert_array_equal(rule(f, [x, y], 1), [0, 1, 0])


def test_select_promotes_as_numpy_s_where():
    c = np.array([True, False])
    cases = [
        (1.0, 0.0), (1, 0), (True, 2), (1, 2.5), (np.float32(1), 2.0), (np.int8([1, 2]), 3),
        (np.int8([1, 2]), 2.5), (np.float32([1, 2]), np.float64(1)), (1.0, 1j),
    ]  # fmt: skip
    for x, y in cases:
        got, expected = comparison.select(fad.asarray(c), x, y), np.where(c, x, y)
        assert got.dtype == expected.dtype, (x, y)
        np.testing.assert_array_equal(got, expected)
    # A chosen Python number is not weak any more.
    scaled = arithmetic.mul(comparison.select(fad.asarray(c), 1.0, 0.0), np.float32([1, 2]))
    assert scaled.dtype == np.float64


def test_select_blocks_an_infinite_tangent():
    f = lambda x: comparison.select(comparison.gt(x, 0.0), arithmetic.sqrt(x), 0.0)  # noqa: E731
    assert float(fad.jvp(f, (0.0,), (1.0,))[1]) == 0.0
