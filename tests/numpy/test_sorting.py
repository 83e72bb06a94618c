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
    same(fnp.partition(X, np.array([0, 2])), np.sort(X))
    same(fnp.partition(X, fad.asarray([0, 2])), np.sort(X))
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


def test_complex_sorts():
    for dtype in ("int8", "uint16", "int32", "float32", "float64", "complex64"):
        same(fnp.sort_complex(X.astype(dtype)), np.sort_complex(X.astype(dtype)))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_the_largest(axis, rng):
    x = rng.permutation(np.arange(24.0)).reshape(4, 6)
    values, indices = fnp.top_k(x, 3, axis)
    order = np.argsort(-x, axis)
    same(indices, np.take(order, range(3), axis))
    same(values, np.take(-np.sort(-x, axis), range(3), axis))
    chosen = np.zeros(x.shape)
    np.put_along_axis(chosen, np.take(order, range(3), axis), 1.0, axis)
    loss = fad.grad(lambda x: fnp.sum(fnp.top_k(x, 3, axis)[0] ** 2))
    same(loss(x), 2 * x * chosen)
    same(fad.jit(loss)(x), 2 * x * chosen)


def test_the_largest_of_equals_and_of_nan():
    values, indices = fnp.top_k([1.0, 5.0, np.nan, 5.0], 3)
    same(values, np.array([np.nan, 5.0, 5.0]))
    same(indices, np.array([2, 1, 3]))
    assert fnp.top_k(X, 0)[0].shape == (2, 0)
    batched = fad.vmap(lambda row: fnp.top_k(row, 2)[0])(X)
    same(batched, -np.sort(-X)[:, :2])


def test_searchsorted(rng):
    a, v = np.sort(rng.integers(0, 9, 12)), rng.integers(-1, 11, (2, 3))
    for side in ("left", "right"):
        same(fnp.searchsorted(a, v, side), np.searchsorted(a, v, side))
        same(fnp.searchsorted(a, 4, side=side), np.searchsorted(a, np.array(4), side=side))
        same(np.searchsorted(fad.asarray(a), v, side), np.searchsorted(a, v, side))
    order = rng.permutation(12)
    unsorted, sorter = a[order], np.argsort(order)
    same(fnp.searchsorted(unsorted, v, sorter=sorter), np.searchsorted(unsorted, v, sorter=sorter))
    same(fad.jit(fnp.searchsorted)(a, v), np.searchsorted(a, v))
    same(fad.vmap(fnp.searchsorted, in_axes=(None, 0))(a, v), np.searchsorted(a, v))
    same(fnp.searchsorted([1, 2, 3], 2.5), np.array(2))
    same(fad.asarray(a).searchsorted(3), np.array(np.searchsorted(a, 3)))


def test_digitize(rng):
    x = np.append(rng.uniform(-1, 4, 9), [0.0, 1.0, 2.5])
    for bins in ([0.0, 1.0, 2.5], [2.5, 1.0, 0.0], [1.0, 1.0, 1.0], [0.5]):
        for right in (False, True):
            expected = np.digitize(x, bins, right)
            same(fnp.digitize(x, bins, right), expected)
            jitted = fad.jit(fnp.digitize, static_argnums=2)
            same(jitted(x, np.array(bins), right), expected)
    same(fnp.digitize(x, []), np.digitize(x, []))


def test_search_errors():
    with pytest.raises(ValueError, match="side must be 'left' or 'right', got 'middle'"):
        fnp.searchsorted(X[0], 1.0, "middle")
    with pytest.raises(ValueError, match=r"must have one axis, got shape \(2, 3\)"):
        fnp.searchsorted(X, 1.0)
    with pytest.raises(ValueError, match=r"sorter must have the shape of a, \(3,\), got \(2,\)"):
        fnp.searchsorted(X[0], 1.0, sorter=[0, 1])
    with pytest.raises(ValueError, match="digitize: bins must ascend or descend"):
        fnp.digitize(1.0, [0.0, 2.0, 1.0])
    with pytest.raises(TypeError, match="digitize is not defined for complex numbers"):
        fnp.digitize(1j, [0.0])


def test_errors():
    with pytest.raises(ValueError, match="sort: kind must be one of"):
        fnp.sort(X, kind="bubble")
    with pytest.raises(ValueError, match="argsort: give kind or stable, not both"):
        fnp.argsort(X, kind="stable", stable=True)
    with pytest.raises(ValueError, match="argpartition: kind must be 'introselect'"):
        fnp.argpartition(X, 1, kind="quick")
    with pytest.raises(ValueError, match=r"lexsort: all keys must have one shape, got \(3,\) and"):
        fnp.lexsort([X[0], X[0, :2]])
    with pytest.raises(ValueError, match="sort: axis 2 is out of bounds"):
        fnp.sort(X, 2)
    with pytest.raises(TypeError, match="order= names fields"):
        fnp.sort(X, order="a")
    with pytest.raises(TypeError, match="lexsort needs at least one key"):
        fnp.lexsort([])
