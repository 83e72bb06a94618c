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
