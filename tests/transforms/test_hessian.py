"""Hessians and products with them."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import numpy as np
import pytest
from jax import numpy as jnp

import fad
from tests.compiling import run_as_users
from tests.transforms.containers import CONTAINERS, B, W, structure

X = np.array([0.5, -1.25, 2.0])
V = np.array([1.0, -0.5, 0.25])


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-12, atol=1e-12)


def f(x: Any) -> Any:
    """A scalar of three numbers."""
    return np.exp(0.5 * x[0] * x[1]) + x[2] ** 3 * x[0]


def exact(x: np.ndarray) -> np.ndarray:
    """Its Hessian."""
    e = np.exp(0.5 * x[0] * x[1])
    h = np.zeros((3, 3))
    h[0, 0], h[1, 1], h[2, 2] = 0.25 * x[1] ** 2 * e, 0.25 * x[0] ** 2 * e, 6 * x[2] * x[0]
    h[0, 1] = h[1, 0] = 0.5 * e + 0.25 * x[0] * x[1] * e
    h[0, 2] = h[2, 0] = 3 * x[2] ** 2
    return h


@pytest.mark.parametrize("chunk_size", ["auto", None, 1, 2])
def test_hessians_at_one_point_after_another(chunk_size: Any) -> None:
    hessian = fad.hessian(f, chunk_size=chunk_size)
    for x in (X, 0.5 * X, X + 1.0):  # recorded, then replayed
        close(hessian(x), exact(x))
        np.testing.assert_array_equal(hessian(x), np.asarray(hessian(x)).T)
    if chunk_size == "auto":
        close(fad.jit(hessian)(X), exact(X))
        close(fad.vmap(hessian)(np.stack([X, 2 * X])), [exact(X), exact(2 * X)])


@pytest.mark.parametrize("name", ["dict", "with_none", "named_tuple", "dataclass", "registered"])
def test_trees_of_trees(name: str) -> None:
    tree, parts = CONTAINERS[name]

    def loss(tree: Any) -> Any:
        w, b = parts(tree)
        return (w @ b) @ b

    for _ in range(2):
        value, gradient, hessian = fad.value_grad_and_hessian(loss)(tree)
        close(value, W @ B @ B)
        assert structure(gradient) == structure(tree)
        close(parts(gradient)[1], (W + W.T) @ B)
        (ww, wb), (bw, bb) = map(parts, parts(hessian))
        assert structure(parts(hessian)[0]) == structure(tree)
        close(ww, np.zeros((2, 2, 2, 2)))
        close(bb, W + W.T)
        cross = np.einsum("ik,j->ijk", np.eye(2), B) + np.einsum("jk,i->ijk", np.eye(2), B)
        close(wb, cross)
        close(bw, np.moveaxis(cross, 2, 0))


def test_hessians_are_symmetric_to_the_last_bit(rng: np.random.Generator) -> None:
    w = rng.normal(size=(6, 4))
    hessian = fad.hessian(lambda x: (np.tanh(w @ x) ** 3).sum() * np.exp(x[0] * x[1]))
    for _ in range(3):
        h = np.asarray(hessian(rng.normal(size=4)))
        np.testing.assert_array_equal(h, h.T)


def test_argnums() -> None:
    def g(x: Any, y: Any, *, z: Any) -> Any:
        return (x * x).sum() * y * z

    blocks = fad.hessian(g, ("z", 0))(X, 2.0, z=3.0)
    close(blocks[0][0], 0.0)
    close(blocks[0][1], 4.0 * X)
    close(blocks[1][0], 4.0 * X)
    close(blocks[1][1], 12.0 * np.eye(3))
    assert float(fad.hessian(g, "y")(X, 2.0, z=3.0)) == 0.0
    ((only,),) = fad.hessian(g, (0,))(X, 2.0, z=3.0)
    close(only, 12.0 * np.eye(3))


def test_one_evaluation_with_aux() -> None:
    calls = []

    def g(x: Any) -> Any:
        calls.append(1)
        return x @ x, {"double": 2.0 * x, "text": "done"}

    for _ in range(2):
        calls.clear()
        (value, aux), gradient, hessian = fad.value_grad_and_hessian(g, has_aux=True)(X)
        assert len(calls) == 1
        close(value, X @ X)
        close(gradient, 2 * X)
        close(hessian, 2 * np.eye(3))
        close(aux["double"], 2 * X)
        assert aux["text"] == "done"
    hessian, aux = fad.hessian(g, has_aux=True)(X)
    close(hessian, 2 * np.eye(3))
    assert aux["text"] == "done"


def test_linear_and_constant_functions_have_zero_hessians() -> None:
    for g in (lambda x: x.sum(), lambda x: 3.0, lambda x: (x > 0).sum() * 1.0):
        np.testing.assert_array_equal(fad.hessian(g)(X), np.zeros((3, 3)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtypes_are_kept(dtype: Any) -> None:
    value, gradient, hessian = fad.value_grad_and_hessian(f)(X.astype(dtype))
    assert (value.dtype, gradient.dtype, hessian.dtype) == (dtype,) * 3
    np.testing.assert_allclose(np.asarray(hessian), exact(X), rtol=1e-5)


def test_shapes() -> None:
    assert fad.hessian(lambda x: (x**3).sum())(np.ones((2, 3))).shape == (2, 3, 2, 3)
    assert fad.hessian(lambda x: x**3)(2.0).shape == ()
    assert fad.hessian(lambda x: x.sum())(np.ones((0,))).shape == (0, 0)


def test_holomorphic_hessians_are_jaxs() -> None:
    z = np.array([1.0 + 2.0j, -0.5j])
    g: Any = lambda xp, z: z[0] ** 2 * xp.exp(z[1])  # noqa: E731
    with jax.enable_x64(True):
        inner = jax.grad(lambda z: g(jnp, z), holomorphic=True)
        expected = np.asarray(jax.jacfwd(inner, holomorphic=True)(z))
    close(fad.hessian(lambda z: g(fad.numpy, z), holomorphic=True)(z), expected)


def test_second_derivatives_of_tensors_and_trees_are_jaxs() -> None:
    def g(xp: Any, p: Any) -> Any:
        x = p["x"]
        return {"m": xp.sin(x) * x[0] * p["s"], "v": xp.stack([x @ x]), "n": p["s"] ** 3 * x[2]}

    point = {"x": X, "s": 2.0}
    with jax.enable_x64(True):
        expected = jax.hessian(lambda p: g(jnp, p))(point)
    hessian = fad.hessian(lambda p: g(fad.numpy, p))
    one_by_one = fad.hessian(lambda p: g(fad.numpy, p), chunk_size=1)
    for found in (hessian(point), hessian(point), fad.jit(hessian)(point), one_by_one(point)):
        assert structure(found) == structure(expected)
        jax.tree.map(close, found, expected)
    both = fad.hessian(lambda x, s: x * x * s, ("s", "x"))(X, s=2.0)
    close(both[0][0], np.zeros(3))
    close(both[1][0], np.diag(2 * X))
    close(both[1][1], np.einsum("ij,jk->ijk", np.eye(3), 4 * np.eye(3)))
    (value, aux), first, second = fad.value_grad_and_hessian(
        lambda x: (x**3, {"sum": x.sum(), "text": "done"}), has_aux=True
    )(X)
    close(value, X**3)
    close(first, np.diag(3 * X**2))
    close(np.einsum("iii->i", second), 6 * X)
    close(aux["sum"], X.sum())
    assert aux["text"] == "done"


def test_functions_that_decide_on_values() -> None:
    def g(x: Any) -> Any:
        return (x**3).sum() if float(x.sum()) > 0 else (x * x).sum()

    hessian = fad.hessian(g)
    for x in (X, -X, X, -X):
        close(hessian(x), np.diag(6 * x) if x.sum() > 0 else 2 * np.eye(3))


def test_the_progress_bar(capfd: Any) -> None:
    pytest.importorskip("tqdm")
    close(fad.hessian(f, progress=True)(X), exact(X))
    out, err = capfd.readouterr()
    assert out == ""
    assert "hessian" in err
    assert "3/3" in err


# --------------------------------------------------------------------------------------- products


@pytest.mark.parametrize("product", [fad.hvp, fad.vhp])
def test_products_with_the_hessian(product: Any) -> None:
    for x, v in ((X, V), (2 * X, V), (X, X)):
        (result,) = product(f, (x,), (v,))
        close(result, exact(x) @ v)
    close(fad.jit(lambda x, v: product(f, (x,), (v,))[0])(X, V), exact(X) @ V)
    close(fad.vmap(lambda v: product(f, (X,), (v,))[0])(np.eye(3)), exact(X))


@pytest.mark.parametrize("product", [fad.hvp, fad.vhp])
def test_products_of_trees(product: Any) -> None:
    def g(p: Any, s: Any) -> Any:
        return (p["w"] @ p["b"]).sum() * s

    tangent = {"w": np.cos(W), "b": np.sin(B)}
    tree, ds = product(g, ({"w": W, "b": B}, 2.0), (tangent, None))
    close(tree["w"], 2.0 * np.outer(np.ones(2), np.sin(B)))
    close(tree["b"], 2.0 * np.cos(W).sum(0))
    close(ds, (np.cos(W) @ B).sum() + (W @ np.sin(B)).sum())


@pytest.mark.parametrize("product", [fad.hvp, fad.vhp])
def test_a_product_evaluates_the_function_once(product: Any) -> None:
    calls = []

    def g(x: Any) -> Any:
        calls.append(1)
        return (x**3).sum()

    for _ in range(2):
        calls.clear()
        close(product(g, (X,), (V,))[0], 6 * X * V)
        assert len(calls) == 1


@pytest.mark.parametrize("product", [fad.hvp, fad.vhp, partial(fad.gnvp, loss=lambda y: y * y)])
def test_products_with_aux(product: Any) -> None:
    def g(x: Any) -> Any:
        return (x**3).sum(), {"double": 2.0 * x, "text": "done"}

    def run(x: Any, v: Any) -> Any:
        (result,), aux = product(g, (x,), (v,), has_aux=True)
        assert aux["text"] == "done"
        return result, aux["double"]

    first = 3 * X**2
    expected = 2 * first * (first @ V) if isinstance(product, partial) else 6 * X * V
    for found in (run(X, V), run(X, V), fad.jit(run)(X, V)):
        close(found[0], expected)
        close(found[1], 2 * X)


def test_products_with_complex_directions() -> None:
    z, v = 1 + 2j, 0.5 - 1j
    f = lambda z: np.abs(z) ** 2 * z.real  # noqa: E731
    h = np.array([[6 * z.real, 2 * z.imag], [2 * z.imag, 2 * z.real]])
    re, im = h @ [v.real, v.imag]
    close(fad.hvp(f, (z,), (v,))[0], re - 1j * im)
    close(fad.vhp(f, (z,), (v,))[0], re - 1j * im)


def test_products_of_functions_that_decide_on_values() -> None:
    def g(x: Any) -> Any:
        return (x**3).sum() if float(x.sum()) > 0 else (x * x).sum()

    for x in (X, -X, X):
        close(fad.hvp(g, (x,), (V,))[0], 6 * x * V if x.sum() > 0 else 2 * V)


def test_gauss_newton_products() -> None:
    a = np.arange(6.0).reshape(2, 3)

    def residuals(x: Any) -> Any:
        return np.tanh(a @ x)

    j = (1 - np.tanh(a @ X) ** 2)[:, None] * a
    close(fad.gnvp(residuals, (X,), (V,))[0], j.T @ j @ V)
    h = np.diag(12 * np.tanh(a @ X) ** 2)
    close(fad.gnvp(residuals, (X,), (V,), loss=lambda r: (r**4).sum())[0], j.T @ h @ j @ V)


SYMMETRIC = """
import numpy as np
import fad

def f(x):
    y = np.tanh(np.tanh(x @ np.array([0.5, -1.0, 0.25])) * x)
    return np.sum(y) + 1.5 * np.sum(np.sin(np.sin(x)))

for hessian in fad.hessian(f), fad.jit(fad.hessian(f)):
    for x in np.random.default_rng(0).normal(size=(20, 3)):
        h = np.asarray(hessian(x))
        assert np.array_equal(h, h.T), h - h.T
"""


def test_exactly_symmetric_where_products_and_sums_are_one_instruction():
    run_as_users(SYMMETRIC)  # the tests compile without such instructions


@pytest.mark.parametrize("limit", range(1, 9))
def test_a_loss_of_what_was_computed_before_a_flush(limit: int) -> None:
    rows = np.diag(np.cos(X) * X[0]) + np.outer(np.sin(X), [1.0, 0.0, 0.0])
    expected = rows.T @ (6 * np.sin(X) * X[0] * (rows @ X))
    with fad.config(max_pending=limit):
        for _ in range(3):  # recorded, and replayed
            f, loss = (lambda x: np.sin(x) * x[0]), (lambda r: np.sum(r**3))
            close(fad.gnvp(f, (X,), (X,), loss=loss)[0], expected)
