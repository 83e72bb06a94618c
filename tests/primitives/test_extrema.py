"""The larger and the smaller of two: ties, NaN, bounds."""

import numpy as np
import pytest

import fad
from fad.primitives import extrema
from tests.primitives.accuracy import derivative, pushed

X = np.array([1.0, 2.0, 3.0, np.inf, -np.inf])
Y = np.array([2.0, 2.0, 2.0, np.inf, -np.inf])


@pytest.mark.parametrize("rule", [derivative, pushed])
def test_ties_are_split_evenly(rule):
    np.testing.assert_array_equal(rule(extrema.maximum, [X, Y], 0), [0, 0.5, 1, 0.5, 0.5])
    np.testing.assert_array_equal(rule(extrema.maximum, [X, Y], 1), [1, 0.5, 0, 0.5, 0.5])
    np.testing.assert_array_equal(rule(extrema.minimum, [X, Y], 0), [1, 0.5, 0, 0.5, 0.5])
    np.testing.assert_array_equal(rule(extrema.minimum, [X, Y], 1), [0, 0.5, 1, 0.5, 0.5])


@pytest.mark.parametrize("rule", [derivative, pushed])
def test_at_a_bound_the_derivative_is_that_of_the_bounded(rule):
    np.testing.assert_array_equal(rule(extrema.raise_to, [X, Y], 0), [0, 1, 1, 1, 1])
    np.testing.assert_array_equal(rule(extrema.raise_to, [X, Y], 1), [1, 0, 0, 0, 0])
    np.testing.assert_array_equal(rule(extrema.lower_to, [X, Y], 0), [1, 1, 0, 1, 1])
    np.testing.assert_array_equal(rule(extrema.lower_to, [X, Y], 1), [0, 0, 1, 0, 0])


def test_what_is_not_taken_gets_zero_even_of_an_infinite_tangent():
    infinite = np.array([np.inf])
    _, tangent = fad.jvp(lambda x: extrema.maximum(x, 1.0), (np.zeros(1),), (infinite,))
    np.testing.assert_array_equal(tangent, [0.0])


def test_nan_wins_as_in_numpy():
    x, y = np.array([np.nan, 1.0, np.nan]), np.array([1.0, np.nan, np.nan])
    assert np.isnan(np.asarray(extrema.maximum(fad.asarray(x), y))).all()
    assert np.isnan(np.asarray(extrema.minimum(fad.asarray(x), y))).all()


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_other_dtypes(name):
    function, reference = getattr(extrema, name), getattr(np, name)
    for x, y in [
        (np.array([True, False]), np.array([False, False])),
        (np.array([1, -5], np.int8), np.array([3, -7], np.int16)),
        (np.array([200, 1], np.uint8), np.array([3, 7], np.uint8)),
        (np.array([1 + 2j, 2 - 1j, 1]), np.array([1 + 3j, 1 + 9j, 2])),
    ]:
        got = function(fad.asarray(x), fad.asarray(y))
        assert got.dtype == reference(x, y).dtype
        np.testing.assert_array_equal(got, reference(x, y))
    z = np.array([1 + 2j, 2 - 1j, 3j])
    w = np.array([1 + 3j, 1 + 9j, 3j])
    np.testing.assert_array_equal(derivative(extrema.maximum, [z, w], 0), [0, 1, 0.5])
