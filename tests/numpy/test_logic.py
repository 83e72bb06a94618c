"""NumPy's choices and questions."""

import numpy as np
import pytest

import fad
import fad.numpy as fnp

X = np.array([-2.0, -0.0, 0.5, 3.0, np.inf, -np.inf, np.nan])


@pytest.mark.parametrize("name", ["isposinf", "isneginf", "isreal", "iscomplex"])
def test_questions(name):
    function, reference = getattr(fnp, name), getattr(np, name)
    np.testing.assert_array_equal(function(X), reference(X))
    z = np.array([1 + 0j, 1 + 2j, 3j])
    if name.endswith("inf"):
        with pytest.raises(TypeError, match="not defined for complex"):
            function(z)
    else:
        np.testing.assert_array_equal(function(z), reference(z))


@pytest.mark.parametrize("equal_nan", [False, True])
def test_isclose(equal_nan):
    y = X + np.array([1e-9, 1e-9, 1e-7, 1e-3, 0, 0, 0])
    for a, b in ((X, y), (X, X[::-1]), (np.array([1, 2]), np.array([1, 3])), (1e10, 1.00001e10)):
        np.testing.assert_array_equal(
            fnp.isclose(a, b, equal_nan=equal_nan), np.isclose(a, b, equal_nan=equal_nan)
        )
    np.testing.assert_array_equal(fnp.isclose([True, False], [True, True]), [True, False])


def test_where():
    c = X > 0
    np.testing.assert_array_equal(fnp.where(c, X, 0.0), np.where(c, X, 0.0))
    np.testing.assert_array_equal(np.where(fad.asarray(c), [1, 2, 3, 4, 5, 6, 7], X), np.where(
        c, [1, 2, 3, 4, 5, 6, 7], X))  # fmt: skip
    np.testing.assert_array_equal(fnp.where(X[:3], 1, 2), np.where(X[:3], 1, 2))
    gradient = fad.grad(lambda x: fnp.sum(fnp.where(c[:4], x * x, 1.0)))(X[:4])
    np.testing.assert_array_equal(gradient, [0, 0, 1, 6])
    with pytest.raises(ValueError, match="either both or neither"):
        fnp.where(c, X)


def test_select():
    x = X[:4]
    args = ([x < 0, x < 1], [x * 2, x + 1], 7.0)
    np.testing.assert_array_equal(fnp.select(*args), np.select(*args))
    np.testing.assert_array_equal(fnp.select(args[0], [1, 2]), np.select(args[0], [1, 2]))
    with pytest.raises(TypeError, match="must be boolean"):
        fnp.select([x], [x])
    with pytest.raises(ValueError, match="as many conditions as choices"):
        fnp.select([x > 0], [])


def test_piecewise():
    x = np.array([-2.0, -1.0, 0.0, 2.5])
    for conditions, functions in [
        ([x < 0, x >= 0], [lambda x: -x, lambda x: x * x]),
        ([x < -1, x > 1], [1.0, 2.0, lambda x: x]),
        (x < 0, [5.0]),
        (x < 0, [5.0, 6.0]),
        ([x < 1, x < 0], [3.0, 4.0]),
    ]:
        np.testing.assert_array_equal(
            fnp.piecewise(x, conditions, functions), np.piecewise(x, conditions, functions)
        )
    f = lambda x: fnp.sum(fnp.piecewise(x, [x < 0], [lambda x: -x, lambda x: x * x]))  # noqa: E731
    np.testing.assert_array_equal(fad.grad(f)(x), [-1, -1, 0, 5])
    with pytest.raises(ValueError, match="functions are expected"):
        fnp.piecewise(x, [x < 0], [])


def test_choose():
    index = np.array([2, 0, 1, 2])
    choices = [np.arange(4), np.arange(4) * 10, np.arange(4) * 100]
    np.testing.assert_array_equal(fnp.choose(index, choices), np.choose(index, choices))
    wild = np.array([-1, 5, 1, 2])
    for mode in ("clip", "wrap"):
        np.testing.assert_array_equal(
            fnp.choose(wild, choices, mode=mode), np.choose(wild, choices, mode=mode)
        )


def test_operators_compare_with_numbers_that_do_not_fit():
    x = fad.asarray(np.uint8([1, 200]))
    np.testing.assert_array_equal(x < 300, [True, True])
    np.testing.assert_array_equal(x < -1, [False, False])
    np.testing.assert_array_equal(x == 256, [False, False])


def test_equality_of_whole_arrays():
    x = np.array([1.0, np.nan])
    for y in (x, np.array([1.0, 2.0]), np.array([1.0]), x + 1e-12):
        for equal_nan in (False, True):
            assert bool(fnp.array_equal(x, y, equal_nan)) == np.array_equal(x, y, equal_nan)
            expected = np.allclose(x, y, equal_nan=equal_nan)
            assert bool(fnp.allclose(x, y, equal_nan=equal_nan)) == expected
    assert bool(fnp.array_equiv([1, 1], [[1], [1]]))
    assert not bool(fnp.array_equiv([1, 1], [1, 1, 1]))
    assert bool(np.allclose(fad.asarray([1.0]), [1.0]))
