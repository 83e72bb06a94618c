"""NumPy's cumulative sums and products."""

from __future__ import annotations

import numpy as np
import pytest

import fad
import fad.numpy as fnp

X = np.arange(1.0, 7.0).reshape(2, 3)


def same(got, expected):
    got = np.asarray(got)
    assert got.dtype == expected.dtype
    np.testing.assert_allclose(got, expected, rtol=1e-14)


@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
def test_values_are_numpys(name):
    ours, theirs = getattr(fnp, name), getattr(np, name)
    for axis in (None, 0, -1):
        same(ours(X, axis), theirs(X, axis))
    small = np.array([100, 100, 3], np.int8)
    same(ours(small), theirs(small))
    same(ours(small, dtype=np.int8), theirs(small, dtype=np.int8))
    same(ours(small, dtype=np.float32), theirs(small, dtype=np.float32))
    same(ours(np.array([True, True, False])), theirs([True, True, False]))


@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod"])
def test_the_standards_form(name):
    ours, theirs = getattr(fnp, name), getattr(np, name)
    same(ours(X, axis=1), theirs(X, axis=1))
    same(ours(X, axis=-2, include_initial=True), theirs(X, axis=-2, include_initial=True))
    same(ours(X[0], include_initial=True), theirs(X[0], include_initial=True))
    with pytest.raises(ValueError, match=f"{name}: give axis= for a tensor of shape"):
        ours(X)


@pytest.mark.parametrize("axis", [None, 0, -1])
def test_a_single_number_is_a_vector_of_one(axis):
    for number in (np.array(2.0), np.array(3, np.int32)):
        for name in ("cumsum", "cumprod", "cumulative_sum", "cumulative_prod"):
            same(getattr(fnp, name)(number, axis=axis), getattr(np, name)(number, axis=axis))
        for name in ("cumulative_sum", "cumulative_prod"):
            options = {"axis": axis, "include_initial": True}
            same(getattr(fnp, name)(number, **options), getattr(np, name)(number, **options))
    with pytest.raises(ValueError, match="cumulative_sum: axis 1 is out of bounds"):
        fnp.cumulative_sum(2.0, axis=1)
    slope = fad.jacfwd(lambda x: fnp.cumulative_sum(x, include_initial=True))(2.0)
    np.testing.assert_array_equal(np.asarray(slope), [0, 1])


def test_derivatives():
    x = np.array([2.0, 0.0, 3.0])
    jacobian = fad.jacrev(fnp.cumprod)(x)
    np.testing.assert_array_equal(np.asarray(jacobian), [[1, 0, 0], [0, 2, 0], [0, 6, 0]])
    np.testing.assert_array_equal(
        np.asarray(fad.grad(lambda x: fnp.sum(fnp.cumsum(x)))(x)), [3, 2, 1]
    )


@pytest.mark.parametrize("ufunc", [np.maximum, np.minimum, np.logaddexp])
def test_accumulations_are_one_operation(ufunc):
    x = np.array([[3.0, 1.0, 4.0], [1.0, 5.0, 9.0]])
    same(ufunc.accumulate(fad.asarray(x), axis=-1), ufunc.accumulate(x, axis=-1))
    assert len(fad.make_graph(ufunc.accumulate)(x).equations) == 1
    with pytest.raises(ValueError, match="accumulate: axis 2 is out of bounds"):
        ufunc.accumulate(fad.asarray(x), axis=2)


def test_errors():
    with pytest.raises(ValueError, match="cumsum: axis 2 is out of bounds"):
        fnp.cumsum(X, 2)
    with pytest.raises(TypeError, match="cumprod cannot write through out="):
        fnp.cumprod(X, out=X)
