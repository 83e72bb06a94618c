"""Binary search: NumPy's places, one program for all examples that search the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import fad
from fad.primitives import search

SPECIAL = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.5, np.inf, -np.inf, np.nan])


@given(
    hnp.arrays(np.float64, 50, elements=SPECIAL),
    hnp.arrays(np.float64, (2, 3), elements=SPECIAL),
    st.sampled_from(["left", "right"]),
    st.sampled_from([5, 50]),  # by comparing with all, and by halving
)
def test_places_are_numpys(numbers, v, side, n):
    a = np.sort(numbers[:n])
    got = fad.jit(lambda a, v: search.searchsorted(a, v, side))(a, v)
    np.testing.assert_array_equal(np.asarray(got), np.searchsorted(a, v, side))


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float16", "float32", "complex128"])
def test_dtypes(dtype, rng):
    a = np.sort(rng.integers(0, 5, 40).astype(dtype))
    v = rng.integers(0, 6, 7).astype(dtype)
    for side in ("left", "right"):
        got = search.searchsorted(a, v, side)
        np.testing.assert_array_equal(np.asarray(got), np.searchsorted(a, v, side))


def test_dtypes_are_promoted_together():
    a = np.array([1, 2, 3])
    assert int(np.asarray(search.searchsorted(a, 2.5))) == 2
    assert int(np.asarray(search.searchsorted(a, np.float32(2.5)))) == 2


def test_examples_that_search_the_same_numbers_are_one_search(rng):
    a = np.sort(rng.normal(size=9))
    v = rng.normal(size=(4, 3))
    text = str(fad.make_graph(fad.vmap(lambda v: search.searchsorted(a, v)))(v))
    assert text.count("searchsorted") == 1
    assert "[4,9]" not in text


def test_numbers_in_common_under_two_batches(rng):
    a = np.sort(rng.normal(size=(2, 3, 9)))
    v = rng.normal(size=(2, 3, 5))
    expected = [[np.searchsorted(a[i, j], v[i, j]) for j in range(3)] for i in range(2)]
    got = fad.vmap(fad.vmap(search.searchsorted))(a, v)
    np.testing.assert_array_equal(np.asarray(got), expected)
    np.testing.assert_array_equal(np.asarray(search.searchsorted(a, v, batch=2)), expected)


def test_the_sorted_numbers_have_one_axis():
    with pytest.raises(ValueError, match=r"must lie along one axis, got shape \(2, 2\)"):
        search.searchsorted(np.zeros((2, 2)), 1.0)
