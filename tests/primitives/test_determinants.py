"""Determinants: exact gradients and Hessians at singular matrices, slogdet."""

from __future__ import annotations

import itertools

import jax
import numpy as np
import pytest
from jax import numpy as jnp

import fad
from fad.primitives.complexes import real
from fad.primitives.determinants import det, slogdet


def leibniz(a):
    """The determinant as the polynomial that it is."""
    n = a.shape[-1]
    total = 0.0
    for p in itertools.permutations(range(n)):
        inversions = sum(p[i] > p[j] for i in range(n) for j in range(i + 1, n))
        term = (-1.0) ** inversions
        for i in range(n):
            term = term * a[i, p[i]]
        total = total + term
    return total


def low_rank(n, rank):
    rng = np.random.default_rng(n + rank)
    return rng.normal(size=(n, rank)) @ rng.normal(size=(rank, n))


MATRICES = {
    "regular": low_rank(3, 3),
    "one row exchanged": np.eye(3)[[1, 0, 2]],
    "rank 2 of 3": np.arange(9.0).reshape(3, 3),
    "rank 1 of 3": np.outer([1.0, 2.0, 3.0], [1.0, 0.0, 2.0]),
    "zero": np.zeros((3, 3)),
    "zero row": np.array([[0.0, 0.0], [1.0, 2.0]]),
    "nearly singular": np.array([[1.0, 2.0], [2.0, 4.0 + 1e-13]]),
    "one element": np.array([[0.0]]),
}


@pytest.mark.parametrize("name", MATRICES)
def test_gradient_and_hessian_are_exact(name):
    a = MATRICES[name]
    with jax.enable_x64(True):
        value = leibniz(jnp.asarray(a))
        gradient, hessian = jax.grad(leibniz)(a), jax.hessian(leibniz)(a)
    np.testing.assert_allclose(float(det(fad.asarray(a))), value, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(np.asarray(fad.grad(det)(a)), gradient, rtol=1e-11, atol=1e-13)
    got = np.asarray(fad.jacfwd(fad.grad(det))(a))
    np.testing.assert_allclose(got, hessian, rtol=1e-11, atol=1e-13)


def test_third_derivative_of_a_regular_matrix():
    a = MATRICES["regular"]
    with jax.enable_x64(True):
        expected = jax.jacfwd(jax.hessian(leibniz))(a)
    got = np.asarray(fad.jacfwd(fad.jacfwd(fad.grad(det)))(a))
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-11)


def test_a_stack_with_a_singular_matrix():
    stack = np.stack([MATRICES["regular"], MATRICES["rank 2 of 3"], MATRICES["zero"]])
    batched = np.asarray(fad.vmap(fad.grad(det))(stack))
    for one, a in zip(batched, stack, strict=True):
        np.testing.assert_allclose(one, np.asarray(fad.grad(det)(a)), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_slogdet(rng, n):
    a = rng.normal(size=(n, n))
    sign, logabsdet = slogdet(fad.asarray(a))
    expected = np.linalg.slogdet(a)
    assert float(sign) == expected.sign
    np.testing.assert_allclose(float(logabsdet), expected.logabsdet, rtol=1e-12, atol=1e-14)
    gradient = np.asarray(fad.grad(lambda a: slogdet(a)[1])(a))
    np.testing.assert_allclose(gradient, np.linalg.inv(a).T, rtol=1e-10)


def test_slogdet_of_complex_matrices(rng):
    a = rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3))
    sign, logabsdet = slogdet(fad.asarray(a))
    expected = np.linalg.slogdet(a)
    np.testing.assert_allclose(np.asarray(sign), expected.sign, rtol=1e-12)
    np.testing.assert_allclose(float(logabsdet), expected.logabsdet, rtol=1e-12)
    with jax.enable_x64(True):
        oracle = jax.grad(lambda a: jnp.linalg.slogdet(a)[0].real)(a)
    got = np.asarray(fad.grad(lambda a: real(slogdet(a)[0]))(a))
    np.testing.assert_allclose(got, oracle, rtol=1e-9, atol=1e-12)


def test_slogdet_at_the_edges():
    sign, logabsdet = slogdet(fad.asarray(np.zeros((2, 2))))
    assert (float(sign), float(logabsdet)) == (0.0, -np.inf)
    sign, logabsdet = slogdet(fad.asarray(np.zeros((0, 0))))
    assert (float(sign), float(logabsdet)) == (1.0, 0.0)
    assert float(det(fad.asarray(np.zeros((0, 0))))) == 1.0
