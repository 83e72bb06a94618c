"""Sets: NumPy's elements, indices and counts; derivatives that go with the elements."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import fad
import fad.numpy as fnp

NAN = np.nan
FEW = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.5, np.inf, NAN])


def parts(result):
    return [np.asarray(r) for r in (result if isinstance(result, tuple) else (result,))]


def compare(name, *args, **kwargs):
    got, expected = (
        parts(getattr(fnp, name)(*args, **kwargs)),
        parts(getattr(np, name)(*args, **kwargs)),
    )
    assert len(got) == len(expected)
    for g, e in zip(got, expected):
        assert (g.shape, g.dtype) == (e.shape, e.dtype)
        np.testing.assert_array_equal(g, e)


OPTIONS = {"return_index": True, "return_inverse": True, "return_counts": True}


@given(
    hnp.arrays(np.float64, hnp.array_shapes(max_dims=2, min_side=0), elements=FEW), st.booleans()
)
def test_unique_is_numpys(x, equal_nan):
    compare("unique", x, **OPTIONS, equal_nan=equal_nan)
    compare("unique_all", x)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float32", "complex128"])
def test_unique_dtypes(dtype):
    x = np.array([[3, 1, 3], [0, 1, 1]]).astype(dtype)
    for options in ({}, {"return_counts": True}, {"axis": 0}, {"axis": -1, **OPTIONS}):
        compare("unique", x, **options)
    compare("unique_counts", x)
    compare("unique_inverse", x)
    np.testing.assert_array_equal(np.asarray(fnp.unique_values(x)), np.unique(x))
    np.testing.assert_array_equal(np.asarray(np.unique(fad.asarray(x), sorted=False)), np.unique(x))


def test_results_of_the_standard_have_names():
    found = fnp.unique_all([3, 1, 3])
    assert np.asarray(found.indices).tolist() == [1, 0]
    assert np.asarray(found.inverse_indices).tolist() == [1, 0, 1]
    assert np.asarray(fnp.unique_inverse([3, 1, 3]).values).tolist() == [1, 3]
    assert fnp.unique_values([NAN, NAN]).shape == (2,)


@given(hnp.arrays(np.float64, st.integers(0, 6), elements=FEW), hnp.arrays(np.int8, (2, 2)))
def test_sets_are_numpys(x, y):
    compare("union1d", x, y)
    compare("intersect1d", x, y, return_indices=True)
    compare("setdiff1d", x, y)
    compare("setxor1d", x, y)


def test_sets_of_unique_elements():
    for name in ("intersect1d", "setdiff1d", "setxor1d"):
        compare(name, [3, 1, 2], [2, 5, 1], assume_unique=True)
        compare(name, [], [])


@given(
    hnp.arrays(np.float64, (2, 3), elements=FEW),
    hnp.arrays(np.float64, st.sampled_from([0, 3, 40]), elements=FEW),
    st.booleans(),
)
def test_membership_is_numpys(x, candidates, invert):
    compare("isin", x, candidates, invert=invert)


def test_membership_under_transforms(rng):
    x, candidates = rng.integers(0, 60, (3, 5)), rng.integers(0, 60, 40)
    expected = np.isin(x, candidates)
    np.testing.assert_array_equal(np.asarray(fad.jit(np.isin)(x, candidates)), expected)
    got = fad.vmap(fnp.isin, in_axes=(0, None))(x, candidates)
    np.testing.assert_array_equal(np.asarray(got), expected)
    compare("isin", 3, [True])
    compare("isin", 1j * x, 2j * x)


def test_slopes_go_with_the_elements():
    x, w = fad.asarray([3.0, 1.0, 3.0, 2.0]), np.array([10.0, 20.0, 30.0])

    def loss(x):
        return fnp.sum(w * fnp.unique(x) ** 2)

    for _ in range(2):  # the second time by replay
        np.testing.assert_array_equal(np.asarray(fad.grad(loss)(x)), [180.0, 20.0, 0.0, 80.0])
    moved = fad.jvp(fnp.unique, (x,), (np.array([1.0, 2.0, 3.0, 4.0]),))[1]
    np.testing.assert_array_equal(np.asarray(moved), [2.0, 4.0, 1.0])
    np.testing.assert_array_equal(np.asarray(fad.hessian(loss)(x)).diagonal(), [60, 20, 0, 40])
    y = fad.asarray([2.0, 5.0])
    slopes = fad.grad(lambda x, y: fnp.sum(fnp.setxor1d(x, y) ** 2), (0, 1))(x, y)
    np.testing.assert_array_equal(np.asarray(slopes[0]), [6.0, 2.0, 0.0, 0.0])
    np.testing.assert_array_equal(np.asarray(slopes[1]), [0.0, 10.0])
    common = fad.grad(lambda x, y: fnp.sum(fnp.intersect1d(x, y) ** 2), (0, 1))(x, y)
    np.testing.assert_array_equal(np.asarray(common[0]), [0.0, 0.0, 0.0, 4.0])
    rest = fad.grad(lambda x: fnp.sum(fnp.setdiff1d(x, y) ** 2))(x)
    np.testing.assert_array_equal(np.asarray(rest), [6.0, 2.0, 0.0, 0.0])


@pytest.mark.parametrize("name", ["unique", "unique_values", "unique_counts", "unique_all"])
def test_other_values_are_another_program(name):
    """What was recorded for one set of values is not used for others."""
    gradient = fad.grad(lambda x: fnp.sum(parts_of(getattr(fnp, name)(x))[0] ** 2))
    for x in ([1.0, 1.0, 2.0], [1.0, 2.0, 2.0], [2.0, 1.0, 1.0], [3.0, 1.0, 2.0]):
        seen = np.unique(x, return_index=True)[1]
        expected = np.where(np.isin(np.arange(3), seen), 2 * np.array(x), 0.0)
        np.testing.assert_array_equal(np.asarray(gradient(fad.asarray(x))), expected)


def parts_of(result):
    return result if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize("transform", [fad.jit, fad.vmap])
def test_values_must_be_known(transform):
    for name, args in [
        ("unique", 1),
        ("union1d", 2),
        ("setxor1d", 2),
        ("setdiff1d", 2),
        ("intersect1d", 2),
    ]:
        with pytest.raises(TypeError, match=f"{name} needs .* concrete value"):
            transform(getattr(fnp, name))(*[np.ones((2, 3))] * args)


def test_errors():
    with pytest.raises(ValueError, match="isin: kind must be None, 'sort' or 'table'"):
        fnp.isin([1], [1], kind="hash")
    with pytest.raises(TypeError, match="test_elements is a set; make it a list"):
        fnp.isin([1], {1})
    with pytest.raises(ValueError, match="unique: axis 2 is out of bounds"):
        fnp.unique([[1]], axis=2)
