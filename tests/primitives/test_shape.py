"""Shapes: what is simplified, converted, refused; values and derivatives are generated tests."""

from __future__ import annotations

import numpy as np
import pytest

import fad
import fad.numpy as fnp
from fad.core.errors import FadValueError
from fad.primitives import join, shape
from fad.primitives.diagonal import diagonal, diagonal_matrix, tril, triu


def test_transposes_and_their_like_cancel():
    x = fad.asarray(np.arange(24.0).reshape(2, 3, 4))
    twice = shape.transpose(shape.transpose(x, (1, 2, 0)), (1, 2, 0))
    np.testing.assert_array_equal(twice, np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1))
    np.testing.assert_array_equal(shape.transpose(twice, (1, 2, 0)), x)
    np.testing.assert_array_equal(shape.flip(shape.flip(x, (1,)), (1,)), x)
    np.testing.assert_array_equal(shape.reshape(shape.reshape(x, (24,)), (2, 3, 4)), x)


def test_what_changes_nothing_is_not_recorded():
    x = fad.asarray(np.arange(6.0).reshape(2, 3))
    assert shape.transpose(x, (0, 1)) is x
    assert shape.reshape(x, (2, 3)) is x
    assert shape.flip(x, ()) is x
    assert shape.roll(x, (3, 2), (1, 0)) is x
    assert shape.slice_(x, (0, 0), (2, 3)) is x
    assert shape.pad(x, (0, 0), (0, 0)) is x
    assert join.concatenate([x], 0) is x


def test_joins_convert_and_give_back_the_dtype():
    x, y = np.ones(2, np.float32), np.ones(3)

    def f(x, y):
        return fnp.sum(join.concatenate([x, y, fad.asarray([1, 2])], 0) ** 2)

    of_x, of_y = fad.grad(f, argnums=(0, 1))(x, y)
    assert of_x.dtype == np.float32
    assert of_y.dtype == np.float64
    stacked = fad.grad(lambda t: fnp.sum(join.stack([t, 2.0, 3]) ** 2))(np.float32(4.0))
    assert stacked.dtype == np.float32
    assert float(stacked) == 8.0
    complexes = fad.grad(lambda t: fnp.sum(join.stack([t, 1j]).real))(2.0)
    assert complexes.dtype == np.float64
    assert float(complexes) == 1.0


def test_long_unstacking_goes_block_by_block():
    x = np.arange(100.0).reshape(50, 2)
    parts = join.unstack(fad.asarray(x))
    np.testing.assert_array_equal(np.stack([np.asarray(p) for p in parts]), x)
    across = join.unstack(fad.asarray(x.T), 1)
    np.testing.assert_array_equal(np.stack([np.asarray(p) for p in across]), x)
    assert join.unstack(fnp.zeros((0, 3))) == ()


def test_split_and_unstack_with_some_cotangents_missing(rng):
    x = rng.normal(size=(5, 2))
    last = fad.grad(lambda x: fnp.sum(join.split(x, (2, 0, 3), 0)[2] ** 2))(x)
    np.testing.assert_allclose(last, np.concatenate([np.zeros((2, 2)), 2 * x[2:]]))
    rows = fad.grad(lambda x: fnp.sum(join.unstack(x)[1] * join.unstack(x)[3]))(x)
    expected = np.zeros_like(x)
    expected[1], expected[3] = x[3], x[1]
    np.testing.assert_allclose(rows, expected)


@pytest.mark.parametrize("k", [-4, -2, -1, 0, 1, 3, 5])
@pytest.mark.parametrize("size", [(3, 3), (2, 4), (4, 2), (0, 2)])
def test_diagonals(size, k):
    x = np.arange(2.0 * size[0] * size[1]).reshape(2, *size)
    np.testing.assert_array_equal(diagonal(fad.asarray(x), k), np.diagonal(x, k, 1, 2))


def test_diagonal_matrices_and_triangles(rng):
    v = rng.normal(size=(2, 3))
    for k in (-1, 0, 2):
        expected = np.stack([np.diag(row, k) for row in v])
        np.testing.assert_array_equal(diagonal_matrix(fad.asarray(v), k), expected)
        assert diagonal_matrix(fnp.zeros(0), k).shape == (abs(k), abs(k))
    poisoned = fad.asarray([[1.0, np.nan], [np.inf, 2.0]])
    np.testing.assert_array_equal(triu(tril(poisoned, 0), 0), np.diag([1.0, 2.0]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda x: shape.reshape(x, (4,)),
            r"cannot reshape a tensor of shape \(2, 3\) into \(4,\)",
        ),
        (
            lambda x: join.concatenate([x, shape.reshape(x, (3, 2))], 0),
            r"operand 0 has shape \(2, 3\) and operand 1 has shape \(3, 2\)",
        ),
        (lambda x: join.stack([x, 1.0]), r"operand 0 has shape \(2, 3\) and operand 1 has shape"),
    ],
)
def test_errors(call, message):
    with pytest.raises(FadValueError, match=message):
        call(fad.asarray(np.zeros((2, 3))))
