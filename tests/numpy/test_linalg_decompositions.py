"""numpy.linalg's decompositions and what is made of them: NumPy's results, JAX's derivatives."""

from __future__ import annotations

from functools import partial

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jax import numpy as jnp

import fad
import fad.numpy as fnp
from fad.core.errors import FadTypeError, FadValueError
from fad.numpy import linalg

inf = np.inf


@pytest.fixture(autouse=True)
def kernels_are_shared():
    """Programs would each be compiled, kernels are by the first test that needs them."""
    with fad.config(compile="never"):
        yield


def same(got, expected, rtol=1e-10):
    """The same numbers, or the same tuples of them; integers of any width."""
    if isinstance(expected, tuple):
        assert isinstance(got, tuple)
        assert getattr(got, "_fields", None) == getattr(expected, "_fields", None)
        for g, e in zip(got, expected, strict=True):
            same(g, e, rtol)
        return
    got, expected = np.asarray(got), np.asarray(expected)
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype or expected.dtype.kind == "i" == got.dtype.kind
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=rtol)


@pytest.fixture(params=["square", "tall", "wide", "stack", "complex", "integer", "single", "empty"])
def matrix(request, rng):
    return {
        "square": rng.normal(size=(3, 3)),
        "tall": rng.normal(size=(4, 2)),
        "wide": rng.normal(size=(2, 4)),
        "stack": rng.normal(size=(2, 3, 2)),
        "complex": rng.normal(size=(3, 2)) + 1j * rng.normal(size=(3, 2)),
        "integer": np.arange(6).reshape(3, 2),
        "single": rng.normal(size=(3, 2)).astype(np.float32),
        "empty": np.zeros((0, 2)),
    }[request.param]


def test_decompositions(matrix):
    close = partial(same, rtol=1e-5 if matrix.dtype == np.float32 else 1e-10)
    for full in (False, True):
        close(linalg.svd(matrix, full), np.linalg.svd(matrix, full))
    close(linalg.svd(matrix, compute_uv=False), np.linalg.svd(matrix, compute_uv=False))
    close(linalg.svdvals(matrix), np.linalg.svdvals(matrix))
    for mode in ("reduced", "complete", "r"):
        close(linalg.qr(matrix, mode), np.linalg.qr(matrix, mode))
    square = matrix @ np.conj(np.swapaxes(matrix, -1, -2))
    for uplo in "LU":
        close(linalg.eigvalsh(square, uplo), np.linalg.eigvalsh(square, uplo))
        got, expected = linalg.eigh(square, uplo), np.linalg.eigh(square, uplo)
        close(got.eigenvalues, expected.eigenvalues)
        assert got.eigenvectors.dtype == expected.eigenvectors.dtype


def test_pseudoinverses_and_ranks(matrix):
    close = partial(same, rtol=1e-4 if matrix.dtype == np.float32 else 1e-10)
    close(linalg.pinv(matrix), np.linalg.pinv(matrix))
    for rtol in (None, 1e-3, 0.5):
        floats = matrix * 1.0 if matrix.dtype.kind == "i" else matrix  # NumPy's has no eps of int
        close(linalg.pinv(matrix, rtol=rtol), np.linalg.pinv(floats, rtol=rtol))
        if matrix.size:
            close(linalg.matrix_rank(matrix, rtol=rtol), np.linalg.matrix_rank(matrix, rtol=rtol))
            close(linalg.matrix_rank(matrix, rtol), np.linalg.matrix_rank(matrix, rtol))


def test_of_hermitian_matrices(rng):
    a = rng.normal(size=(2, 3, 3)) + 1j * rng.normal(size=(2, 3, 3))
    a = a + np.conj(np.swapaxes(a, -1, -2))
    u, s, vh = map(np.asarray, linalg.svd(a, hermitian=True))
    np.testing.assert_allclose((u * s[..., None, :]) @ vh, a, rtol=1e-12, atol=1e-12)
    same(s, np.linalg.svd(a, hermitian=True).S)
    same(linalg.svd(a, compute_uv=False, hermitian=True), s)
    same(linalg.pinv(a, hermitian=True), np.linalg.pinv(a, hermitian=True))
    low = a[0, :, :1] @ np.conj(a[0, :, :1].T)
    same(linalg.matrix_rank(low, hermitian=True), np.linalg.matrix_rank(low, hermitian=True))
    symmetric = a.real + np.swapaxes(a.real, -1, -2)
    gradient = fad.grad(lambda a: linalg.svd(a, hermitian=True).S.sum())(symmetric)
    expected = fad.grad(lambda a: linalg.svdvals(a).sum())(symmetric)
    np.testing.assert_allclose(np.asarray(gradient), np.asarray(expected), rtol=1e-10, atol=1e-12)


def test_ranks_of_few_axes_and_of_nothing():
    for x in (3.0, 0.0, np.zeros(3), np.array([0.0, 1.0])):
        same(linalg.matrix_rank(x), np.linalg.matrix_rank(x))
    same(linalg.matrix_rank(np.zeros((2, 0, 3))), np.zeros(2, int))


@pytest.mark.parametrize("order", [2, -2, "nuc"])
def test_norms_that_take_singular_values(rng, order):
    x = rng.normal(size=(2, 3, 4))
    for y in (x[0], x[0] + 1j * x[1], x[0].astype(np.float32), np.arange(6).reshape(2, 3)):
        rtol = 1e-5 if y.dtype == np.float32 else 1e-10
        same(linalg.norm(y, order), np.linalg.norm(y, order), rtol)
    for axes in ((1, 2), (2, 0), (-1, 1)):
        for keepdims in (False, True):
            expected = np.linalg.norm(x, order, axes, keepdims)
            same(linalg.norm(x, order, axes, keepdims), expected)
    for keepdims in (False, True):
        expected = np.linalg.matrix_norm(x, ord=order, keepdims=keepdims)
        same(linalg.matrix_norm(x, ord=order, keepdims=keepdims), expected)
    if order != -2:  # JAX's does not divide ties evenly, but there are none
        with jax.enable_x64(True):
            expected = jax.jit(jax.grad(lambda x: jnp.linalg.norm(x, order)))(x[0])
        np.testing.assert_allclose(
            np.asarray(fad.grad(lambda x: linalg.norm(x, order))(x[0])), expected, rtol=1e-10
        )


@pytest.mark.parametrize("order", [2, -2, "nuc"])
def test_the_gradient_of_these_norms_is_zero_at_zero(order):
    for shape in ((2, 2), (2, 3)):
        gradient = fad.grad(lambda x: linalg.norm(x, order))(np.zeros(shape))
        np.testing.assert_array_equal(np.asarray(gradient), np.zeros(shape))


def test_equally_large_singular_values_share_evenly():
    for order in (2, -2):
        gradient = fad.grad(lambda x, order=order: linalg.norm(x, order))(3 * np.eye(2))
        np.testing.assert_allclose(np.asarray(gradient), np.eye(2) / 2, rtol=1e-14)


@pytest.mark.parametrize("order", [None, 2, -2, 1, -1, inf, -inf, "fro", "nuc"])
def test_condition_numbers(rng, order):
    stack = rng.normal(size=(2, 3, 3))
    same(linalg.cond(stack, order), np.linalg.cond(stack, order))
    for singular in (np.ones((2, 2)), np.zeros((2, 2))):
        got = float(linalg.cond(singular, order))
        expected = inf if order == "nuc" else np.linalg.cond(singular, order)  # NumPy's raises
        assert got == expected or min(got, expected) > 1e15 or max(got, expected) < 1e-15
    same(linalg.cond(np.full((2, 2), np.nan), order), np.array(np.nan))
    if order in (None, 2, -2):
        same(linalg.cond(stack[:, :2], order), np.linalg.cond(stack[:, :2], order))


# ---------------------------------------------------------------------------------- least squares


@pytest.mark.parametrize("shape", [(5, 3), (3, 3), (2, 4), (0, 2), (2, 0)])
@pytest.mark.parametrize("columns", [(), (2,)])
def test_least_squares(rng, shape, columns):
    a, b = rng.normal(size=shape), rng.normal(size=(shape[0], *columns))
    same(linalg.lstsq(a, b), tuple(np.linalg.lstsq(a, b)))
    same(linalg.lstsq(a + 1j * a[::-1], b), tuple(np.linalg.lstsq(a + 1j * a[::-1], b)))


def test_least_squares_of_low_rank(rng):
    a, b = rng.normal(size=(4, 2)) @ rng.normal(size=(2, 3)), rng.normal(size=4)
    x, squares, rank, s = linalg.lstsq(a, b)
    expected = np.linalg.lstsq(a, b)
    same((x, rank, s), (expected[0], expected[2], expected[3]))
    np.testing.assert_allclose(np.asarray(squares), [np.sum((a @ expected[0] - b) ** 2)])
    for rcond in (-1, 0.3):
        same(linalg.lstsq(a, b, rcond)[2], np.linalg.lstsq(a, b, rcond)[2])


def test_derivatives_of_least_squares(rng):
    a, b = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    with jax.enable_x64(True):
        of_jax = jax.jacobian(lambda a, b: jnp.linalg.lstsq(a, b)[0], argnums=(0, 1))
        expected = jax.jit(of_jax)(a, b)
    got = fad.jacobian(lambda a, b: linalg.lstsq(a, b)[0], argnums=(0, 1))(a, b)
    for g, e in zip(got, expected, strict=True):
        np.testing.assert_allclose(np.asarray(g), e, rtol=1e-9, atol=1e-10)
    squares = fad.grad(lambda a: linalg.lstsq(a, b)[1].sum())(a)
    x = np.linalg.lstsq(a, b)[0]
    np.testing.assert_allclose(np.asarray(squares), 2 * (a @ x - b) @ x.T, rtol=1e-9, atol=1e-10)


def test_least_squares_with_equal_singular_values(rng):
    """The derivative does not go through singular vectors, which would not be differentiable."""
    b = rng.normal(size=3)
    gradient = np.asarray(fad.grad(lambda a: linalg.lstsq(a, b)[0].sum())(np.eye(3)))
    np.testing.assert_allclose(gradient, -np.outer(np.ones(3), b), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("options", [{}, {"full": True}, {"cov": True}, {"cov": "unscaled"}])
@pytest.mark.parametrize("weighted", [False, True])
def test_polyfit(rng, options, weighted):
    x, w = rng.normal(size=7), rng.uniform(0.5, 1.5, 7)
    for y in (rng.normal(size=7), rng.normal(size=(7, 2))):
        for degree in (0, 2):
            more = {**options, "w": w if weighted else None}
            got, expected = fnp.polyfit(x, y, degree, **more), np.polyfit(x, y, degree, **more)
            same(got, expected, 1e-9)
    same(fnp.polyfit(np.arange(4), [1, 3, 5, 7], 1), np.polyfit(np.arange(4), [1, 3, 5, 7], 1))


def test_derivatives_of_polyfit(rng):
    x, y, w = rng.normal(size=6), rng.normal(size=6), rng.uniform(0.5, 1.5, 6)
    with jax.enable_x64(True):
        of_jax = jax.jacobian(lambda x, y, w: jnp.polyfit(x, y, 2, w=w), argnums=(0, 1, 2))
        expected = jax.jit(of_jax)(x, y, w)
    got = fad.jacobian(lambda *a: fnp.polyfit(*a[:2], 2, w=a[2]), argnums=(0, 1, 2))(x, y, w)
    for g, e in zip(got, expected, strict=True):
        np.testing.assert_allclose(np.asarray(g), e, rtol=1e-8, atol=1e-9)


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=4))
def test_polyfit_finds_a_polynomial(coefficients):
    x = np.linspace(-1, 1, 6)
    found = fnp.polyfit(x, np.polyval(coefficients, x), len(coefficients) - 1)
    np.testing.assert_allclose(np.asarray(found), coefficients, atol=1e-12)


# ------------------------------------------------------------------------- dispatch and transforms


def test_numpys_own_functions_on_tensors(rng):
    a = fad.asarray(rng.normal(size=(3, 3)))
    names = ["svd", "svdvals", "eigh", "eigvalsh", "qr", "pinv", "matrix_rank", "cond"]
    for name in names:
        out = getattr(np.linalg, name)(a)
        for one in out if isinstance(out, tuple) else (out,):
            assert isinstance(one, fad.Tensor)
    gradient = fad.grad(lambda a: np.linalg.norm(a, "nuc") + np.linalg.cond(a))(a)
    assert np.isfinite(np.asarray(gradient)).all()
    x = fad.grad(lambda y: np.polyfit(np.arange(4.0), y, 1)[0])(np.ones(4))
    np.testing.assert_allclose(np.asarray(x), [-0.3, -0.1, 0.1, 0.3], rtol=1e-12)


def test_under_jit_and_vmap(rng):
    stack, b = rng.normal(size=(3, 4, 2)), rng.normal(size=4)

    def f(a):
        solution, squares, rank, s = linalg.lstsq(a, b)
        return solution.sum() + squares.sum() + rank + s[0] + linalg.cond(a)

    looped = np.array([float(f(a)) for a in stack])
    np.testing.assert_allclose(np.asarray(fad.vmap(f)(stack)), looped, rtol=1e-10)
    np.testing.assert_allclose(float(fad.jit(f)(stack[0])), looped[0], rtol=1e-10)
    each = np.stack([np.asarray(fad.grad(f)(a)) for a in stack])
    np.testing.assert_allclose(np.asarray(fad.vmap(fad.grad(f))(stack)), each, rtol=1e-9)


# ----------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("function", "shapes", "text"),
    [
        (linalg.svd, [(3,)], r"svd: the last two axes must be those of matrices, got shape \(3,\)"),
        (linalg.svdvals, [()], "svdvals: the last two axes must be those of matrices"),
        (linalg.eigh, [(2, 3)], "eigh: the last two axes must be those of square matrices"),
        (partial(linalg.eigvalsh, UPLO="X"), [(2, 2)], "UPLO must be 'L' or 'U', got 'X'"),
        (linalg.qr, [(3,)], "qr: the last two axes must be those of matrices"),
        (partial(linalg.qr, mode="raw"), [(2, 2)], "'reduced', 'complete' or 'r', got 'raw'"),
        (linalg.pinv, [(3,)], "pinv: the last two axes must be those of matrices"),
        (partial(linalg.pinv, rcond=0.1, rtol=0.1), [(2, 2)], "rcond or rtol, not both"),
        (partial(linalg.matrix_rank, tol=0.1, rtol=0.1), [(2, 2)], "tol or rtol, not both"),
        (linalg.cond, [(0, 2)], "not empty"),
        (partial(linalg.cond, p=1), [(2, 3)], "square matrices"),
        (linalg.lstsq, [(2, 3), (3,)], r"shapes \(2, 3\) and \(3,\) do not fit"),
        (linalg.lstsq, [(2, 2, 2), (2,)], "fad.vmap solves stacks"),
        (partial(linalg.norm, ord="nuc"), [(2,)], "Invalid norm order 'nuc' for vectors"),
        (partial(linalg.norm, ord=3), [(2, 2)], "'fro', 'nuc', 1, -1, 2, -2, inf or -inf expected"),
        (partial(fnp.polyfit, deg=-1), [(3,), (3,)], "deg must not be negative"),
        (partial(fnp.polyfit, deg=1), [(3,), (2,)], "as many rows"),
        (partial(fnp.polyfit, deg=1, w=np.ones(2)), [(3,), (3,)], "w must have the shape of x"),
        (partial(fnp.polyfit, deg=1, cov=True), [(2,), (2,)], "2 points are too few"),
    ],
)
def test_messages(rng, function, shapes, text):
    with pytest.raises(FadValueError, match=text):
        function(*[rng.normal(size=s) for s in shapes])


@pytest.mark.parametrize("name", ["eig", "eigvals"])
def test_eigenvalues_of_general_matrices_are_yet_to_come(name):
    with pytest.raises(FadTypeError, match="if the matrix is Hermitian; those of others"):
        fad.grad(lambda a: abs(getattr(np.linalg, name)(a)[0]).sum())(np.eye(2))
    with pytest.raises(AttributeError, match="those of others are yet to come"):
        getattr(linalg, name)


def test_roots_have_no_derivative_but_say_how_to_get_it():
    p = np.array([1.0, -6.0, 11.0, -6.0])
    with pytest.raises(FadTypeError, match=r"r = numpy\.roots\(fad\.stop_gradient\(p\)\)"):
        fad.grad(lambda p: abs(np.roots(p)).sum())(p)
    with pytest.raises(AttributeError, match=r"use r - fad\.numpy\.polyval"):
        fnp.roots  # noqa: B018

    def largest(p):
        r = np.roots(fad.stop_gradient(p))
        return fnp.max(r - fnp.polyval(p, r) / fnp.polyval(fnp.polyder(p), r))

    exact = [-(3.0**k) / 2.0 for k in (3, 2, 1, 0)]  # -r**k / p'(r) at r = 3
    np.testing.assert_allclose(np.asarray(fad.grad(largest)(p)), exact, rtol=1e-10)


def test_half_precision_is_refused_as_in_numpy():
    with pytest.raises(FadTypeError, match="float16"):
        linalg.svdvals(np.eye(2, dtype=np.float16))
