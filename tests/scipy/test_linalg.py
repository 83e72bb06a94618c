"""scipy.linalg: the same results as SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

import fad
from fad.scipy import linalg


@pytest.fixture(params=["real", "complex"])
def a(request, rng):
    x = rng.normal(size=(3, 3)) + 2 * np.eye(3)
    return x + 1j * rng.normal(size=(3, 3)) if request.param == "complex" else x


def positive(a):
    return a @ a.conj().T + np.eye(3)


@pytest.mark.parametrize("lower", [True, False])
def test_cholesky(rng, a, lower):
    p = positive(a)
    expected = scipy.linalg.cholesky(p, lower)
    np.testing.assert_allclose(np.asarray(linalg.cholesky(p, lower)), expected, atol=1e-13)
    for b in (rng.normal(size=3), rng.normal(size=(3, 2))):
        got = np.asarray(linalg.cho_solve(linalg.cho_factor(p, lower), b))
        np.testing.assert_allclose(got, np.linalg.solve(p, b), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("trans", [0, "T", 2])
@pytest.mark.parametrize("unit_diagonal", [True, False])
def test_solve_triangular(rng, a, trans, lower, unit_diagonal):
    for b in (rng.normal(size=3), rng.normal(size=(3, 2))):
        options = (trans, lower, unit_diagonal)
        expected = scipy.linalg.solve_triangular(a, b, *options)
        got = np.asarray(linalg.solve_triangular(a, b, *options))
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)


def test_solve(rng, a):
    b = rng.normal(size=(3, 2))
    np.testing.assert_allclose(np.asarray(linalg.solve(a, b)), np.linalg.solve(a, b), rtol=1e-9)
    got = np.asarray(linalg.solve(a, b, transposed=True))
    np.testing.assert_allclose(got, np.linalg.solve(a.T, b), rtol=1e-9)
    for structure, matrix in {
        "pos": positive(a), "lower triangular": np.tril(a), "upper triangular": np.triu(a)
    }.items():  # fmt: skip
        got = np.asarray(linalg.solve(matrix, b, assume_a=structure))
        np.testing.assert_allclose(got, np.linalg.solve(matrix, b), rtol=1e-8)


@pytest.mark.parametrize("options", [{}, {"permute_l": True}, {"p_indices": True}])
def test_lu(a, options):
    for got, expected in zip(linalg.lu(a, **options), scipy.linalg.lu(a, **options), strict=True):
        np.testing.assert_allclose(np.asarray(got), expected, atol=1e-12)


def test_gradient_of_a_gaussian_log_density(rng):
    """Through a Cholesky factor and through the closed form."""
    p, x = positive(rng.normal(size=(3, 3))), rng.normal(size=3)

    def by_factor(p):
        factor = linalg.cholesky(p, lower=True)
        z = linalg.solve_triangular(factor, x, lower=True)
        diagonal = fad.numpy.linalg.diagonal(factor)
        return fad.numpy.sum(z * z) / 2 + fad.numpy.sum(fad.numpy.log(diagonal))

    inverse = np.linalg.inv(p)
    expected = (inverse - inverse @ np.outer(x, x) @ inverse) / 2
    np.testing.assert_allclose(np.asarray(fad.grad(by_factor)(p)), expected, rtol=1e-9, atol=1e-12)


def test_an_unknown_transposition_is_refused():
    with pytest.raises(ValueError, match="trans must be"):
        linalg.solve_triangular(np.eye(2), np.ones(2), trans="X")


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_singular_values(rng, shape):
    x = rng.normal(size=shape)
    for full in (False, True):
        for got, expected in zip(linalg.svd(x, full), scipy.linalg.svd(x, full), strict=True):
            np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-10, atol=1e-12)
    expected = scipy.linalg.svdvals(x)
    np.testing.assert_allclose(np.asarray(linalg.svdvals(x)), expected, rtol=1e-12)
    np.testing.assert_allclose(np.asarray(linalg.svd(x, compute_uv=False)), expected, rtol=1e-12)
    for options in ({}, {"atol": 1.0}, {"rtol": 0.5}, {"atol": 0.2, "rtol": 0.3}):
        got, rank = linalg.pinv(x, return_rank=True, **options)
        expected, full_rank = scipy.linalg.pinv(x, return_rank=True, **options)
        np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-9, atol=1e-12)
        assert int(rank) == full_rank
    for b in (rng.normal(size=shape[0]), rng.normal(size=(shape[0], 1))):
        for got, expected in zip(linalg.lstsq(x, b), scipy.linalg.lstsq(x, b), strict=True):
            assert got.shape == np.shape(expected)
            np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("lower", [True, False])
def test_eigenvalues_of_symmetric_matrices(rng, lower):
    x = rng.normal(size=(3, 3))
    values, vectors = linalg.eigh(x, lower=lower)
    expected = scipy.linalg.eigh(x, lower=lower)
    np.testing.assert_allclose(np.asarray(values), expected[0], rtol=1e-10)
    np.testing.assert_allclose(np.abs(np.asarray(vectors)), np.abs(expected[1]), rtol=1e-9)
    np.testing.assert_allclose(np.asarray(linalg.eigvalsh(x, lower=lower)), expected[0], rtol=1e-10)


@pytest.mark.parametrize(
    ("options", "text"),
    [({"b": np.eye(2)}, "a second matrix"), ({"subset_by_index": [0, 1]}, "index the result")],
)
def test_what_eigh_does_not_do(options, text):
    with pytest.raises(ValueError, match=text):
        linalg.eigh(np.eye(2), **options)
