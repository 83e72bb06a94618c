"""vmap: which axes, which containers, in chunks, nested, and under the other transforms."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
from jax import numpy as jnp

import fad
from tests.transforms.containers import CONTAINERS, structure

A = np.arange(24.0).reshape(2, 3, 4) / 7.0
X = np.array([[0.5, -1.25, 2.0], [1.0, 0.25, -0.5]])
W = np.array([[1.0, -2.0, 0.5], [3.0, 0.0, 1.0]])


def equal(a: Any, b: Any) -> None:
    np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-12, atol=1e-12)


# ------------------------------------------------------------------------------------------- axes


@pytest.mark.parametrize("out_axes", [0, 1, 2, -1, -3])
@pytest.mark.parametrize("in_axes", [0, 1, 2, -1, (1,), [2], np.int64(1)])
def test_any_axis_goes_anywhere(in_axes: Any, out_axes: int) -> None:
    result = fad.vmap(lambda x: 2.0 * x, in_axes=in_axes, out_axes=out_axes)(A)
    axis = in_axes[0] if isinstance(in_axes, (tuple, list)) else int(in_axes)
    equal(result, np.moveaxis(2.0 * A, axis, out_axes))


def test_arguments_that_are_not_mapped() -> None:
    def f(x: Any, scale: Any, name: Any, *, shift: Any) -> Any:
        assert name == "text"
        return x * scale + shift

    result = fad.vmap(f, in_axes=(1, None, None))(X, 3.0, "text", shift=np.arange(3.0))
    equal(result, (3.0 * X + np.arange(3.0)).T)


def test_keyword_arguments_are_mapped_over_axis_0() -> None:
    result = fad.vmap(lambda x, *, y: x * y["a"])(X, y={"a": np.array([1.0, 2.0])})
    equal(result, X * [[1.0], [2.0]])
    equal(fad.vmap(lambda *, y: y + 1.0)(y=X), X + 1.0)


@pytest.mark.parametrize("name", CONTAINERS)
def test_trees_are_mapped_leaf_by_leaf(name: str) -> None:
    tree, parts = CONTAINERS[name]
    mapped = fad.vmap(lambda t: (parts(t)[0] @ parts(t)[0], t))(tree)
    w, b = parts(tree)
    equal(mapped[0], [w[0] @ w[0], w[1] @ w[1]])
    assert structure(mapped[1]) == structure(tree)
    equal(parts(mapped[1])[1], b)


def test_axes_of_parts_of_trees() -> None:
    def f(p: Any, x: Any) -> Any:
        return p["w"] @ x + p["b"], {"x": x}

    tree = {"w": np.stack([W, 2 * W], axis=-1), "b": np.ones(2)}
    y, rest = fad.vmap(f, in_axes=({"w": -1, "b": None}, 1), out_axes=(1, 0))(tree, X.T)
    equal(y, np.stack([W @ X[0], 2 * W @ X[1]], axis=1) + 1.0)
    equal(rest["x"], X)
    y, _ = fad.vmap(f, in_axes=(None, 0), out_axes=(0, {"x": -1}))({"w": W, "b": np.ones(2)}, X)
    equal(y, X @ W.T + 1.0)


def test_results_that_no_example_changes() -> None:
    result = fad.vmap(lambda x: (3.0, np.ones(2), x), out_axes=(0, 1, 0))(X)
    equal(result[0], [3.0, 3.0])
    equal(result[1], np.ones((2, 2)))
    once = fad.vmap(lambda x, y: (x, y * 2.0), in_axes=(0, None), out_axes=(0, None))(X, 4.0)
    assert once[1].shape == ()
    assert float(once[1]) == 8.0


# ----------------------------------------------------------------------------------------- chunks


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 7, 100])
def test_chunks_change_nothing(chunk_size: int) -> None:
    x = np.linspace(-1.0, 1.0, 14).reshape(2, 7)
    f = fad.vmap(
        lambda x, s: {"y": np.sin(x) * s, "same": s * 1.0},
        in_axes=(1, None),
        out_axes={"y": 1, "same": None},
        chunk_size=chunk_size,
    )
    result = f(x, 2.0)
    close(result["y"], np.sin(x) * 2.0)
    assert float(result["same"]) == 2.0


def test_chunks_are_never_larger_than_asked() -> None:
    sizes: list[int] = []

    def f(x: Any) -> Any:
        sizes.append(x.level.size)
        return x

    equal(fad.vmap(f, chunk_size=3)(np.arange(8.0)), np.arange(8.0))
    assert sizes == [3, 3, 2]


def test_no_examples_and_one_example() -> None:
    assert fad.vmap(lambda x: x.sum())(np.ones((0, 3))).shape == (0,)
    assert fad.vmap(lambda x: x.sum(), chunk_size=2)(np.ones((0, 3))).shape == (0,)
    equal(fad.vmap(lambda x: x.sum())(np.ones((1, 3))), [3.0])
    assert fad.vmap(fad.grad(lambda x: (x * x).sum()))(np.ones((0, 3))).shape == (0, 3)


# --------------------------------------------------------------------------------------- in nests


def test_nested_maps_over_different_axes() -> None:
    pairs = fad.vmap(fad.vmap(lambda x, y: x * y, in_axes=(None, 0)), in_axes=(0, None))
    equal(pairs(np.arange(3.0), np.arange(4.0)), np.outer(np.arange(3.0), np.arange(4.0)))
    distances = fad.vmap(lambda x: fad.vmap(lambda y: ((x - y) ** 2).sum())(X))(X)
    close(distances, ((X[:, None] - X[None]) ** 2).sum(-1))
    deep = fad.vmap(fad.vmap(fad.vmap(lambda x: x + 1.0)))(A)
    equal(deep, A + 1.0)


def test_decisions_on_values_that_are_not_mapped_are_allowed() -> None:
    def f(x: Any, threshold: Any) -> Any:
        return x * 2.0 if float(threshold) > 1.0 else x

    equal(fad.vmap(f, (0, None))(X, 2.0), 2.0 * X)
    equal(fad.vmap(f, (0, None))(X, 0.5), X)


def test_gradients_per_example_and_of_batches() -> None:
    def loss(w: Any, x: Any) -> Any:
        return (np.tanh(w @ x) ** 2).sum()

    per_example = fad.vmap(fad.grad(loss), in_axes=(None, 0))(W, X)
    singles = np.stack([np.asarray(fad.grad(loss)(W, x)) for x in X])
    close(per_example, singles)
    whole = fad.grad(lambda w: fad.vmap(loss, (None, 0))(w, X).sum())(W)
    close(whole, singles.sum(0))
    close(fad.jit(fad.vmap(fad.grad(loss), (None, 0)))(W, X), singles)
    close(fad.vmap(fad.jit(fad.grad(loss)), (None, 0))(W, X), singles)


def test_the_gradient_in_an_unmapped_matrix_is_one_product() -> None:
    def total(w: Any) -> Any:
        return (fad.vmap(lambda x: w @ x)(X) ** 2).sum()

    close(fad.grad(total)(W), 2.0 * (X @ W.T).T @ X)
    shapes = [v.shape for v in fad.make_graph(fad.grad(total))(W).avals]
    assert (2, *W.shape) not in shapes  # no stack of outer products


def test_forward_mode_and_jacobians_per_example() -> None:
    def f(x: Any) -> Any:
        return np.sin(x) * x[0]

    jacobians = fad.vmap(fad.jacobian(f))(X)
    close(jacobians, np.stack([np.asarray(fad.jacobian(f)(x)) for x in X]))
    close(fad.jacobian(lambda x: fad.vmap(f)(x))(X)[0, :, 0], jacobians[0])
    tangents = fad.vmap(lambda x, t: fad.jvp(f, (x,), (t,))[1])(X, W)
    close(tangents, np.einsum("nij,nj->ni", np.asarray(jacobians), W))
    outer = fad.jvp(fad.vmap(f), (X,), (W,))[1]
    close(outer, tangents)


def test_complex_and_integer_batches() -> None:
    z = X + 1j * W
    close(fad.vmap(lambda z: np.abs(z) ** 2)(z), np.abs(z) ** 2)
    equal(fad.vmap(lambda n: n * 2)(np.arange(3)), np.arange(3) * 2)
    equal(fad.vmap(lambda x: np.argmax(x))(X), np.argmax(X, axis=1))
    equal(fad.vmap(lambda x, i: x[i])(X, np.array([2, 0])), [X[0, 2], X[1, 0]])


def test_a_mapped_function_of_several_results_of_one_operation() -> None:
    a = np.stack([np.eye(2) * 2.0, np.array([[2.0, 1.0], [1.0, -3.0]])])
    signs, logs = fad.vmap(lambda a: tuple(np.linalg.slogdet(a)))(a)
    equal(signs, [1.0, -1.0])
    close(logs, np.log([4.0, 7.0]))
    close(fad.vmap(fad.grad(lambda a: np.linalg.slogdet(a)[1]))(a)[0], np.eye(2) / 2.0)


@pytest.mark.parametrize("out_axes", [0, -1])
def test_against_jax(out_axes: int) -> None:
    def f(xp: Any, x: Any, w: Any) -> Any:
        return xp.sort(xp.tanh(w @ x))[::-1] / (1.0 + xp.sum(x**2))

    with jax.enable_x64(True):
        mapped = jax.vmap(lambda x, w: f(jnp, x, w), (0, None), out_axes)
        expected = np.asarray(mapped(X, W))
    close(fad.vmap(lambda x, w: f(fad.numpy, x, w), (0, None), out_axes)(X, W), expected)


def test_results_keep_their_dtype() -> None:
    result = fad.vmap(lambda x: (x * 2.0, x > 0))(X.astype(np.float32))
    assert (result[0].dtype, result[1].dtype) == (np.float32, np.bool_)


@pytest.mark.parametrize("chunk_size", [None, 3])
@pytest.mark.parametrize("jitted", [False, True])
def test_float0_results_get_the_batch_axis(chunk_size: int | None, jitted: bool) -> None:
    gradient = fad.grad(lambda p: np.sum(p["x"] ** 2) * np.sum(p["n"]), allow_int=True)
    gradient = fad.jit(gradient) if jitted else gradient
    p = {"x": np.arange(8.0).reshape(4, 2), "n": np.ones((4, 5), int)}
    for axis, shape in ((0, (4, 5)), (1, (5, 4)), (-1, (5, 4)), (-2, (4, 5))):
        out = fad.vmap(gradient, out_axes=axis, chunk_size=chunk_size)(p)
        assert (out["n"].shape, out["n"].dtype) == (shape, fad.float0)
        close(out["x"], np.moveaxis(10.0 * p["x"], 0, axis))
    shared = fad.vmap(gradient, out_axes={"x": 0, "n": None}, chunk_size=chunk_size)(p)
    assert shared["n"].shape == (5,)
    with pytest.raises(ValueError, match="out_axes=3 is out of range"):
        fad.vmap(gradient, out_axes={"x": 0, "n": 3})(p)
    only = fad.vmap(fad.grad(lambda n: n * 2.0, allow_int=True))(np.arange(4))
    assert (only.shape, only.dtype) == ((4,), fad.float0)
