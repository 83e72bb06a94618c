"""NumPy's sorting."""

from __future__ import annotations

import numpy as np
import pytest

import fad
import fad.numpy as fnp

X = np.array([[3.0, 1.0, 2.0], [1.0, 1.0, 0.0]])


def same(got, expected):
    got = np.asarray(got)
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got, expected)


def test_sorts_are_numpys():
    for axis in (-1, 0, None):
        same(fnp.sort(X, axis), np.sort(X, axis))
        same(fnp.argsort(X, axis), np.argsort(X, axis, stable=True))
    same(fnp.sort(X, descending=True), -np.sort(-X))
    same(fnp.argsort(X, descending=True, stable=True), np.argsort(-X, stable=True))
    same(fnp.sort([3, 1, 2], kind="stable"), np.array([1, 2, 3]))


def test_partitions_are_sorts():
    same(fnp.partition(X, 1), np.sort(X))
    same(fnp.argpartition(X, [0, -1], axis=0), np.argsort(X, 0, stable=True))
    with pytest.raises(ValueError, match="partition: kth=3 is out of bounds for 3 elements"):
        fnp.partition(X, 3)


def test_lexsort(rng):
    keys = rng.integers(0, 3, (3, 20))
    same(fnp.lexsort(keys), np.lexsort(keys))
    same(fnp.lexsort((keys[0], keys[1])), np.lexsort((keys[0], keys[1])))
    columns = rng.integers(0, 2, (2, 5, 4))
    same(fnp.lexsort(columns, axis=0), np.lexsort(columns, axis=0))


def test_plain_numpy_calls():
    g = fad.grad(lambda x: np.sum(np.sort(x)[-2:]))(X[0])
    np.testing.assert_array_equal(np.asarray(g), [1, 0, 1])


def test_errors():
    with pytest.raises(ValueError, match="sort: axis 2 is out of bounds"):
        fnp.sort(X, 2)
    with pytest.raises(TypeError, match="order= names fields"):
        fnp.sort(X, order="a")
    with pytest.raises(TypeError, match="lexsort needs at least one key"):
        fnp.lexsort([])
