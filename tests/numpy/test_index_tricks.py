"""Index arrays, grids and the joining brackets are NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

import fad
import fad.numpy as fnp

A = np.arange(6).reshape(2, 3)


def flat(result):
    if isinstance(result, (tuple, list)):
        return [part for r in result for part in flat(r)]
    return [np.asarray(result)]


def compare(function):
    got, expected = flat(function(fnp)), flat(function(np))
    assert len(got) == len(expected)
    for g, e in zip(got, expected):
        assert (g.shape, g.dtype) == (e.shape, e.dtype)
        np.testing.assert_allclose(g, e, rtol=1e-15)


@pytest.mark.parametrize(
    "function",
    [
        lambda m: m.r_[np.array([1, 2, 3]), 0, 0, np.array([4, 5, 6])],
        lambda m: m.r_[-1:1:6j, [0] * 3, 5, 6],
        lambda m: m.r_["-1", A, A],
        lambda m: m.r_["0,2", [1, 2, 3], [4, 5, 6]],
        lambda m: m.r_["0,2,0", [1, 2, 3], [4, 5, 6]],
        lambda m: m.r_["1,2,0", [1, 2, 3], [4, 5, 6]],
        lambda m: m.r_["0,3,1", [1, 2], [3, 4]],
        lambda m: m.r_["0,3,-2", 1:4, [3, 4, 5]],
        lambda m: m.r_[1:4, 7],
        lambda m: m.r_[:3, 5:6],
        lambda m: m.r_[np.float32([1, 2]), 3.5],
        lambda m: m.r_[5, 2.5],
        lambda m: m.c_[np.array([1, 2, 3]), np.array([4, 5, 6])],
        lambda m: m.c_[np.array([[1, 2, 3]]), 0, 0, np.array([[4, 5, 6]])],
        lambda m: m.c_[1:4, 5:8],
        lambda m: m.c_[A, [7, 8]],
        lambda m: m.mgrid[0:5, 0:3],
        lambda m: m.mgrid[-1:1:5j],
        lambda m: m.mgrid[0:1:3j, 0:2],
        lambda m: m.ogrid[0:5, 0:3],
        lambda m: m.ogrid[0:1:3j, 0:2:0.5],
        lambda m: m.ogrid[:3],
        lambda m: A[m.s_[:, 1:]],
        lambda m: A[m.index_exp[..., 0]],
    ],
)
def test_brackets(function):
    compare(function)


def test_tensors_between_brackets():
    x = fad.asarray([1.0, 2.0])

    def loss(x):
        return fnp.sum(fnp.r_[x[1], 0:2, x, 3.0] * np.arange(6.0))

    np.testing.assert_array_equal(np.asarray(fad.grad(loss)(x)), [3.0, 4.0])
    np.testing.assert_array_equal(
        np.asarray(fad.jit(lambda x: fnp.c_[x, x**2])(x)), [[1, 1], [2, 4]]
    )
    span = fad.grad(lambda end: fnp.sum(fnp.r_[0:end:3j]))  # points of a segment
    np.testing.assert_allclose(np.asarray(span(4.0)), 1.5)
    np.testing.assert_array_equal(np.asarray(fnp.mgrid[0 : fad.asarray(3)]), [0, 1, 2])


@pytest.mark.parametrize(
    "function",
    [
        lambda m: m.ix_([0, 1], [True, False, True]),
        lambda m: m.diag_indices(3),
        lambda m: m.diag_indices_from(np.zeros((2, 2, 2))),
        lambda m: m.tril_indices(3, 1, 4),
        lambda m: m.triu_indices(3, -1),
        lambda m: m.tril_indices_from(np.zeros((3, 4)), -1),
        lambda m: m.triu_indices_from(np.zeros((3, 4)), 1),
        lambda m: m.mask_indices(3, m.tril, -1),
        lambda m: m.indices((2, 3), sparse=True),
        lambda m: m.ravel_multi_index(([3, 6, 6], [4, 5, 1]), (7, 6)),
        lambda m: m.ravel_multi_index(([3, 16, 6], [4, 5, -1]), (7, 6), ("clip", "wrap")),
        lambda m: m.ravel_multi_index(([3, 16, -6], [4, 5, -1]), (7, 6), "clip"),
        lambda m: m.ravel_multi_index(([3, 6, 6], [4, 5, 1]), (7, 6), order="F"),
        lambda m: m.ravel_multi_index(np.array([[3, 6], [4, 5]], np.int8), (7, 6)),
        lambda m: m.unravel_index([22, 41, 37], (7, 6)),
        lambda m: m.unravel_index(1621, (6, 7, 8, 9), "F"),
    ],
)
def test_index_arrays(function):
    compare(function)


def test_index_arrays_of_tensors():
    x = fad.asarray(np.arange(9.0).reshape(3, 3))
    gradient = fad.grad(lambda x: fnp.sum(x[np.tril_indices_from(x)] ** 2))(x)
    np.testing.assert_array_equal(np.asarray(gradient), 2 * np.tril(np.asarray(x)))
    jitted = fad.jit(lambda x: x[fnp.diag_indices_from(x)])(x)
    np.testing.assert_array_equal(np.asarray(jitted), [0.0, 4.0, 8.0])
    flat_index = np.array([1, 8])
    there = fad.jit(lambda i: fnp.ravel_multi_index(fnp.unravel_index(i, (3, 3)), (3, 3)))
    np.testing.assert_array_equal(np.asarray(there(flat_index)), flat_index)
    wrapped = fnp.ravel_multi_index((fad.asarray([4]), fad.asarray([-7])), (3, 3), "clip")
    assert np.asarray(wrapped).tolist() == [6]
    product = fad.jit(lambda x, i: x[fnp.ix_(i, [0, 2])])(x, np.array([2, 0]))
    np.testing.assert_array_equal(np.asarray(product), [[6.0, 8.0], [0.0, 2.0]])
    masked = x[fnp.ix_(x[0] > 0, x[:, 0] > 0)]  # un-jitted: a mask's values have to be known
    np.testing.assert_array_equal(np.asarray(masked), [[4.0, 5.0], [7.0, 8.0]])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fnp.unravel_index([99], (7, 6)), ValueError, "index 99 is out of bounds for"),
        (lambda: fnp.unravel_index([1.0], (7, 6)), TypeError, "indices must be integers"),
        (lambda: fnp.unravel_index([1], (7, 6), "K"), ValueError, "order must be 'C' or 'F'"),
        (lambda: fnp.ravel_multi_index(([9], [0]), (7, 6)), ValueError, "index 9 is out of bounds"),
        (lambda: fnp.ravel_multi_index(([1],), (7, 6)), ValueError, "each axis needs an index"),
        (lambda: fnp.diag_indices_from(A), ValueError, r"must have one length, got shape \(2, 3\)"),
        (lambda: fnp.diag_indices_from(A[0]), ValueError, "at least two axes is needed"),
        (lambda: fnp.triu_indices_from(A[0]), ValueError, "a tensor with two axes is needed"),
        (lambda: fnp.r_["r", [1]], ValueError, "there are no matrices here"),
        (lambda: fnp.r_[()], ValueError, "there is nothing to join"),
        (lambda: fad.jit(lambda n: fnp.mgrid[0:n])(3), TypeError, "a grid needs a concrete value"),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
