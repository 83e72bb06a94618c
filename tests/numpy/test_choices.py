"""Choices among several tensors are NumPy's, and derivatives go with what was chosen."""

from __future__ import annotations

import numpy as np
import pytest

import fad
import fad.numpy as fnp

X = np.linspace(-2.0, 2.0, 7)


def compare(name, *args, **kwargs):
    got = np.asarray(getattr(fnp, name)(*args, **kwargs))
    expected = np.asarray(getattr(np, name)(*args, **kwargs))
    assert (got.shape, got.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("args", "options"),
    [
        (([2, 0, 1], [[1, 2, 3], [4, 5, 6], [7, 8, 9]]), {}),
        (([[2, 0, 1]] * 2, np.arange(9).reshape(3, 3)), {}),
        ((0, [[1, 2], [3, 4]]), {}),
        (([[0], [0]], [[1.0, 2.0]]), {}),
        (([True, False], [1, 2.5]), {}),
        (([3, -1, -4], [[1, 2, 3], [4.0, 5, 6]]), {"mode": "wrap"}),
        (([3, -1, -4], [[1, 2, 3], [4.0, 5, 6]]), {"mode": "clip"}),
        (([[0], [1]], [5, np.float32([1, 2, 3])]), {}),
    ],
)
def test_choose(args, options):
    compare("choose", *args, **options)


@pytest.mark.parametrize(
    ("args", "options"),
    [
        (([X < 0, X > 1], [X, X**2]), {}),
        (([X < 0, X > -1], [X, X**2], 5), {}),
        (([X < 0, [True] * 7], [1, 2]), {}),
        (([X[:, None] < 0, X > 1], [1, X]), {}),
        (([X < 0], [[1] * 7]), {"default": np.nan}),
        (([X < 0], [np.float32(X)]), {"default": 0}),
    ],
)
def test_select(args, options):
    compare("select", *args, **options)


@pytest.mark.parametrize(
    "args",
    [
        (X, [X < 0, X >= 0], [-1, 1]),
        (X, [X < 0, X > 1], [lambda x: -x, lambda x: x, 7]),
        (X, X < 0, [lambda x: -x, 2]),
        (X, [X < 1, X < 0], [1, 2]),
        (np.float64(2.0), [True, False], [3, 4]),
        (np.array([1.0, 2.0]), [True, False], [3, 4]),
        (np.arange(4), [np.arange(4) > 1], [1.7]),
        (2.0, True, [5.0, 6.0]),
        (X, [X < 0], [lambda x, a: x * a], 3),
    ],
)
def test_piecewise(args):
    compare("piecewise", *args)


def test_slopes_go_with_the_choice():
    x = fad.asarray(X)
    chosen = fad.grad(lambda x: fnp.sum(fnp.select([x < 0, x > 1], [x**2, 3 * x], x)))
    for gradient in (chosen, fad.jit(chosen)):
        np.testing.assert_allclose(
            np.asarray(gradient(x)), np.where(X < 0, 2 * X, np.where(X > 1, 3, 1))
        )
    pieces = fad.vmap(fad.grad(lambda x: np.piecewise(x, [x < 0], [lambda x: x**2, 1.0])))
    np.testing.assert_allclose(np.asarray(pieces(x)), np.where(X < 0, 2 * X, 0))
    index = np.array([1, 0, 2, 1, 0, 0, 1])
    options = np.arange(21.0).reshape(3, 7)
    slope = fad.grad(lambda c: fnp.sum(np.choose(index, c) ** 2))(fad.asarray(options))
    expected = np.zeros((3, 7))
    expected[index, np.arange(7)] = 2 * options[index, np.arange(7)]
    np.testing.assert_allclose(np.asarray(slope), expected)


def test_a_tensor_that_chooses_is_clipped():
    got = fnp.choose(fad.asarray([5, -3]), [[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(np.asarray(got), [3.0, 2.0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fnp.choose([3], [1, 2]), ValueError, "invalid entry 3: there are 2 choices"),
        (lambda: fnp.choose([0.0], [1]), TypeError, "must be integers, got float64"),
        (lambda: fnp.choose([0], [1], mode="x"), ValueError, "mode must be 'raise', 'wrap' or"),
        (lambda: fnp.choose([0], []), ValueError, "there are no choices"),
        (lambda: fnp.choose([0], [1], out=X), TypeError, "cannot write through out="),
        (lambda: fnp.select([], []), ValueError, "as many conditions as choices"),
        (lambda: fnp.select([X], [X]), TypeError, "conditions must be boolean, got float64"),
        (lambda: fnp.piecewise(X, [X < 0], [1, 2, 3]), ValueError, "either 1 or 2 functions"),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
