"""Factors, systems, inverses: derivatives against JAX, sharing of factors, stacks, errors."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from jax import numpy as jnp

import fad
from fad.core.graph import simplify
from fad.primitives.broadcast import sum_to
from fad.primitives.linalg import cholesky, triangular_solve
from fad.primitives.lu import inverse, lu_factor, solve


def cubed(x):
    return sum_to(x * x * x, ())


def operations(f, *args):
    return [eqn.operation.name for eqn in simplify(fad.make_graph(f)(*args)).equations]


def positive(rng, *shape):
    a = rng.normal(size=shape)
    return a @ np.swapaxes(a, -1, -2) + np.eye(shape[-1])


def oracle(transform, f, *args):
    with jax.enable_x64(True):
        return np.asarray(transform(lambda *xs: jnp.sum(f(*xs) ** 3))(*args))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(cholesky, jnp.linalg.cholesky), (inverse, jnp.linalg.inv)],
)
def test_derivatives_up_to_order_two(rng, ours, theirs):
    a = positive(rng, 3, 3)

    def f(a):
        return cubed(ours(a))

    np.testing.assert_allclose(np.asarray(fad.grad(f)(a)), oracle(jax.grad, theirs, a), rtol=1e-9)
    expected = oracle(jax.hessian, theirs, a)
    tolerance = 1e-11 * np.abs(expected).max()
    np.testing.assert_allclose(np.asarray(fad.hessian(f)(a)), expected, rtol=1e-8, atol=tolerance)


def test_derivatives_of_solve_up_to_order_two(rng):
    a, b = rng.normal(size=(3, 3)) + 2 * np.eye(3), rng.normal(size=(3, 2))

    def f(a, b):
        return cubed(solve(fad.asarray(a), fad.asarray(b)))

    for argnum in (0, 1):
        expected = oracle(lambda f, i=argnum: jax.grad(f, i), jnp.linalg.solve, a, b)
        np.testing.assert_allclose(np.asarray(fad.grad(f, argnum)(a, b)), expected, rtol=1e-9)
    expected = oracle(jax.hessian, jnp.linalg.solve, a, b)
    got = np.asarray(fad.hessian(lambda a: f(a, b))(a))
    np.testing.assert_allclose(got, expected, rtol=1e-8, atol=1e-11 * np.abs(expected).max())


def test_the_gradient_of_cholesky_is_symmetric(rng):
    g = np.asarray(fad.grad(lambda a: cubed(cholesky(a)))(positive(rng, 4, 4)))
    np.testing.assert_allclose(g, g.T, rtol=1e-12, atol=1e-14)


def test_cholesky_of_an_indefinite_matrix_is_nan():
    assert np.isnan(np.asarray(cholesky(fad.asarray([[1.0, 2.0], [2.0, 1.0]])))).any()


def test_solve_factors_once_for_value_and_gradient(rng):
    a, b = fad.asarray(rng.normal(size=(3, 3))), fad.asarray(rng.normal(size=(3, 1)))
    names = operations(fad.value_and_grad(lambda a, b: cubed(solve(a, b)), (0, 1)), a, b)
    assert names.count("lu") == 1
    assert names.count("lu_solve") == 2


@pytest.mark.parametrize("name", ["triangular_solve", "lu_solve"])
def test_a_shared_matrix_solves_for_all_right_hand_sides_at_once(rng, name):
    solver = {"triangular_solve": triangular_solve, "lu_solve": solve}[name]
    a = np.tril(rng.normal(size=(3, 3))) + 3 * np.eye(3)
    bs = rng.normal(size=(5, 3, 2))

    def pull(a, bs):
        return fad.grad(lambda a: cubed(fad.vmap(lambda b: solver(a, b))(bs)))(a)

    names = operations(pull, fad.asarray(a), fad.asarray(bs))
    assert names.count(name) == 2
    assert names.count("dot_general") == 1
    out = np.asarray(fad.vmap(lambda b: solver(fad.asarray(a), b))(bs))
    np.testing.assert_allclose(out, np.linalg.solve(a, bs), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("a_shape", "b_shape"),
    [((3, 3), (5, 3, 2)), ((2, 3, 3), (3, 2)), ((2, 3, 3), (4, 1, 3, 1)), ((0, 0), (0, 2))],
)
def test_leading_axes_broadcast(rng, a_shape, b_shape):
    a = np.tril(rng.normal(size=a_shape)) + 3 * np.eye(a_shape[-1])
    b = rng.normal(size=b_shape)
    expected = np.linalg.solve(a, b)
    for solver in (solve, triangular_solve):
        out = np.asarray(solver(fad.asarray(a), fad.asarray(b)))
        assert out.shape == expected.shape
        np.testing.assert_allclose(out, expected, rtol=1e-11, atol=1e-13)


def test_the_other_triangle_is_never_read(rng):
    a = np.tril(rng.normal(size=(3, 3))) + 3 * np.eye(3) + np.triu(np.full((3, 3), np.nan), 1)
    b = rng.normal(size=(3, 2))
    value, gradient = fad.value_and_grad(lambda a: cubed(triangular_solve(a, fad.asarray(b))))(a)
    assert np.isfinite(float(value))
    assert np.isfinite(np.asarray(gradient)).all()


def test_lu_multiplies_back(rng):
    a = rng.normal(size=(2, 4, 4))
    lu, pivots, permutation = map(np.asarray, lu_factor(fad.asarray(a)))
    lower, upper = np.tril(lu, -1) + np.eye(4), np.triu(lu)
    rows = np.take_along_axis(a, permutation[..., None], axis=-2)
    np.testing.assert_allclose(lower @ upper, rows, rtol=1e-13, atol=1e-14)
    assert pivots.shape == (2, 4)


@pytest.mark.parametrize(
    ("f", "shapes", "text"),
    [
        (cholesky, [(2, 3)], "square matrices"),
        (inverse, [(3,)], "square matrices"),
        (solve, [(3, 3), (2, 1)], "do not fit"),
        (triangular_solve, [(3, 3), (2, 1)], "do not fit"),
    ],
)
def test_messages(rng, f, shapes, text):
    with pytest.raises(ValueError, match=text):
        f(*[fad.asarray(rng.normal(size=s)) for s in shapes])


def test_half_precision_is_refused():
    with pytest.raises(TypeError, match="not defined for dtype float16"):
        cholesky(fad.asarray(np.eye(2, dtype=np.float16)))
