"""numpy.linalg: the same results as NumPy's."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import fad
from fad.numpy import linalg

inf = np.inf


def same(got, expected, rtol=1e-10):
    got, expected = np.asarray(got), np.asarray(expected)
    assert (got.shape, got.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=1e-12)


@pytest.fixture(params=["real", "stack", "complex", "integer", "single"])
def matrix(request, rng):
    a = rng.normal(size=(3, 3)) + 2 * np.eye(3)
    return {
        "real": a,
        "stack": np.stack([a, a.T]),
        "complex": a + 1j * rng.normal(size=(3, 3)),
        "integer": np.arange(9).reshape(3, 3) + 5 * np.eye(3, dtype=int),
        "single": a.astype(np.float32),
    }[request.param]


def test_square_matrices(matrix):
    close = partial(same, rtol=1e-4 if matrix.dtype == np.float32 else 1e-10)
    close(linalg.det(matrix), np.linalg.det(matrix))
    close(linalg.inv(matrix), np.linalg.inv(matrix))
    for got, expected in zip(linalg.slogdet(matrix), np.linalg.slogdet(matrix), strict=True):
        close(got, expected)
    for n in (-2, 0, 1, 5):
        close(linalg.matrix_power(matrix, n), np.linalg.matrix_power(matrix, n))
    close(linalg.matrix_transpose(matrix), np.linalg.matrix_transpose(matrix))
    close(linalg.trace(matrix, offset=-1), np.linalg.trace(matrix, offset=-1))
    close(linalg.diagonal(matrix, offset=1), np.linalg.diagonal(matrix, offset=1))


def test_cholesky(matrix):
    adjoint = np.conj(np.swapaxes(matrix, -1, -2))
    positive = matrix @ adjoint + np.eye(3, dtype=matrix.dtype)
    rtol = 1e-4 if matrix.dtype == np.float32 else 1e-10
    for upper in (False, True):
        same(
            linalg.cholesky(positive, upper=upper), np.linalg.cholesky(positive, upper=upper), rtol
        )


@pytest.mark.parametrize("shape", [(3,), (3, 2), (2, 3, 2), (4, 1, 3, 2)])
def test_solve(rng, shape):
    b = rng.normal(size=shape)
    for a in (rng.normal(size=(3, 3)), rng.normal(size=(2, 3, 3))):
        same(linalg.solve(a, b), np.linalg.solve(a, b), 1e-8)


@pytest.mark.parametrize("order", [None, 1, 2, 3, 0.5, inf, -inf, 0, -1])
def test_norms_of_vectors(rng, order):
    for x in (rng.normal(size=4), rng.normal(size=4) + 1j, np.arange(1, 5)):
        same(linalg.norm(x, order), np.linalg.norm(x, order))
    x = rng.normal(size=(2, 3, 2))
    same(linalg.norm(x, order, 1, True), np.linalg.norm(x, order, 1, True))
    if order is not None:
        got = linalg.vector_norm(x, axis=(0, 2), ord=order)
        same(got, np.linalg.vector_norm(x, axis=(0, 2), ord=order))


@pytest.mark.parametrize("order", [None, "fro", 1, -1, inf, -inf])
def test_norms_of_matrices(rng, order):
    x = rng.normal(size=(2, 3, 4))
    same(linalg.norm(x[0], order), np.linalg.norm(x[0], order))
    for axes in ((1, 2), (2, 0)):
        for keepdims in (False, True):
            expected = np.linalg.norm(x, order, axes, keepdims)
            same(linalg.norm(x, order, axes, keepdims), expected)
    if order is not None:
        same(linalg.matrix_norm(x, ord=order), np.linalg.matrix_norm(x, ord=order))


def test_the_norm_of_everything(rng):
    x = rng.normal(size=(2, 3, 2))
    same(linalg.norm(x), np.linalg.norm(x))


def test_the_gradient_of_the_one_norm_is_zero_at_zero():
    gradient = fad.grad(lambda x: linalg.norm(x, 1))(np.array([-2.0, 0.0, 3.0]))
    assert np.asarray(gradient).tolist() == [-1.0, 0.0, 1.0]


def test_multi_dot(rng):
    matrices = [rng.normal(size=s) for s in ((2, 5), (5, 1), (1, 4), (4, 3))]
    same(linalg.multi_dot(matrices), np.linalg.multi_dot(matrices))
    with_vectors = [rng.normal(size=5), *matrices[1:3], rng.normal(size=4)]
    same(linalg.multi_dot(with_vectors), np.linalg.multi_dot(with_vectors))


@pytest.mark.parametrize(
    ("function", "shapes", "text"),
    [
        (linalg.inv, [(2, 3)], "inv: the last two axes must be those of square matrices"),
        (linalg.solve, [(3, 3), (4,)], r"shapes \(3, 3\) and \(4, 1\) do not fit"),
        (linalg.outer, [(2, 2), (2,)], "takes vectors"),
        (partial(linalg.norm, ord="xx"), [(2, 2)], "Invalid norm order 'xx' for matrices"),
        (partial(linalg.norm, ord="fro"), [(2,)], "Invalid norm order 'fro' for vectors"),
        (partial(linalg.norm, ord=1), [(2, 2, 2)], "needs axis="),
        (partial(linalg.matrix_power, n=2), [(2, 3)], "must be square"),
        (lambda a: linalg.multi_dot([a]), [(2, 2)], "at least two"),
    ],
)
def test_messages(rng, function, shapes, text):
    with pytest.raises(ValueError, match=text):
        function(*[rng.normal(size=s) for s in shapes])


def test_half_precision_is_refused_as_in_numpy():
    with pytest.raises(TypeError, match="float16"):
        linalg.det(np.eye(2, dtype=np.float16))
