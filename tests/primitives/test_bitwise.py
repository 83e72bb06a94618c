"""Bits and divisors of integers of every dtype, against NumPy's."""

import numpy as np
import pytest

import fad
from fad.primitives import bitwise

DTYPES = ["bool", "int8", "uint8", "int32", "int64", "uint64"]


def values(dtype):
    if dtype == "bool":
        return np.array([False, True])
    info = np.iinfo(dtype)
    return np.array([info.min, info.max, 0, 1, 2, 3, 8, 12, 90, info.max // 2], dtype)


@pytest.mark.parametrize("name", ["bitwise_and", "bitwise_or", "bitwise_xor"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_bits(name, dtype):
    x, y = np.meshgrid(values(dtype), values(dtype))
    got, expected = getattr(bitwise, name)(fad.asarray(x), y), getattr(np, name)(x, y)
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_operand(dtype):
    x = values(dtype)
    np.testing.assert_array_equal(bitwise.invert(fad.asarray(x)), np.invert(x))
    got = bitwise.bitwise_count(fad.asarray(x))
    assert got.dtype == np.uint8
    np.testing.assert_array_equal(got, np.bitwise_count(x))


@pytest.mark.parametrize("name", ["left_shift", "right_shift"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_shifts_by_any_amount(name, dtype):
    amounts = np.array([0, 1, 3, 7, 8, 31, 63, 64, 100]).astype(dtype)
    x, n = np.meshgrid(values(dtype), np.unique(amounts))
    got, expected = getattr(bitwise, name)(fad.asarray(x), n), getattr(np, name)(x, n)
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("name", ["gcd", "lcm"])
def test_divisors(name):
    x, y = np.meshgrid([0, 1, -4, 6, 12, 35], [0, 1, 4, -9, 10, 21])
    np.testing.assert_array_equal(
        getattr(bitwise, name)(fad.asarray(x), y), getattr(np, name)(x, y)
    )


def test_floats_have_no_bits():
    with pytest.raises(TypeError, match="and is not defined for dtype float64"):
        bitwise.bitwise_and(1.0, 2)
