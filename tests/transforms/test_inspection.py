"""Looking at functions: eval_shape, make_graph; stop_gradient; devices."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
from jax import numpy as jnp

import fad
from fad.core import kernels
from tests.transforms.containers import CONTAINERS, B, W, structure

X = np.array([0.5, -1.25, 2.0])


def test_eval_shape_computes_nothing() -> None:
    before = kernels.compilations()
    out = fad.eval_shape(lambda x, s: {"y": x @ x.T * s, "n": x.argmax(), "c": x * 1j}, W, 2.0)
    assert kernels.compilations() == before
    assert (out["y"].shape, out["y"].dtype) == ((2, 2), np.float64)
    assert out["n"].dtype == np.int64
    assert out["c"].dtype == np.complex128


def test_eval_shape_takes_what_has_shape_and_dtype() -> None:
    f = fad.grad(lambda p: (p["w"] @ p["b"]).sum())
    avals = fad.eval_shape(lambda p: p, {"w": W.astype(np.float32), "b": B.astype(np.float32)})
    out = fad.eval_shape(f, avals)
    assert (out["w"].shape, out["w"].dtype) == ((2, 2), np.float32)
    struct = jax.ShapeDtypeStruct((4, 2), jnp.float32)
    assert fad.eval_shape(lambda x: x.T, struct).shape == (2, 4)
    assert fad.eval_shape(lambda x, *, y: x + y, 1.0, y=np.float32(2.0)).dtype == np.float32
    assert fad.eval_shape(lambda x: x.sum(), fad.asarray(X)).shape == ()


@pytest.mark.parametrize("name", CONTAINERS)
def test_eval_shape_keeps_trees(name: str) -> None:
    tree, _ = CONTAINERS[name]
    assert structure(fad.eval_shape(lambda t: t, tree)) == structure(tree)


def test_make_graph_prints_readable_text() -> None:
    graph = fad.make_graph(lambda x, y: x * y + np.sin(x))(X, 2.0)
    assert str(graph).splitlines() == [
        "graph(a: f64[3], b: f64~):",
        "  c: f64[3] = mul a b",
        "  d: f64[3] = sin a",
        "  e: f64[3] = add c d",
        "  return e",
    ]


def test_make_graph_simplifies() -> None:
    graph = fad.make_graph(lambda x: (np.sin(x) + np.sin(x), np.cos(x))[0])(X)
    assert [eqn.operation.name for eqn in graph.equations] == ["sin", "add"]
    hessian = fad.make_graph(fad.hessian(lambda x: (x * x).sum()))(X)
    assert len(hessian.equations) < 25


def test_make_graph_of_transforms_and_keywords() -> None:
    graph = fad.make_graph(fad.grad(lambda x, *, s: (x * s).sum()))(X, s=2.0)
    assert len(graph.inputs) == 2
    assert len(graph.outputs) == 1
    nested = fad.make_graph(fad.jit(lambda x: fad.vmap(np.sin)(x)))(X)
    assert "call" in str(nested)


def test_what_is_closed_over_becomes_a_capture() -> None:
    w = fad.asarray(X)
    graph = fad.make_graph(lambda x: x * w)(X)
    assert len(graph.inputs) == 2


@pytest.mark.parametrize("derivative", [fad.grad, fad.jacfwd])
def test_stop_gradient(derivative: Any) -> None:
    def f(x: Any) -> Any:
        held = fad.stop_gradient({"a": x * x, "n": 3, "none": None})
        assert held["none"] is None
        return x * held["a"] * held["n"]

    assert float(derivative(f)(2.0)) == 12.0
    assert float(derivative(lambda x: fad.stop_gradient(x) * 1.0)(2.0)) == 0.0
    inner = lambda x: derivative(lambda y: fad.stop_gradient(x) * y * x)(x)  # noqa: E731
    assert float(derivative(inner)(3.0)) == 3.0
    assert float(fad.jit(derivative(f))(2.0)) == 12.0
    np.testing.assert_array_equal(fad.vmap(derivative(f))(X), 3 * X**2)


def test_stop_gradient_gives_a_value_that_outlives_the_transform() -> None:
    kept = []

    def f(x: Any) -> Any:
        kept.append(fad.stop_gradient(x * 2.0))
        return (x * x).sum()

    fad.grad(f)(X)
    fad.jvp(f, (X,), (X,))
    for value in kept:
        np.testing.assert_array_equal(value, 2 * X)
    assert len(kept) == 2


# ---------------------------------------------------------------------------------------- devices


def test_devices() -> None:
    found = fad.devices("cpu")
    assert found[0].platform == "cpu"
    assert fad.devices()


@pytest.mark.parametrize("device", [None, "cpu", "cpu:0", "object"])
def test_device_put(device: Any) -> None:
    if device == "object":
        device = fad.devices("cpu")[0]
    source = X.copy()
    tree = fad.device_put({"x": source, "s": 2.0, "t": fad.asarray(B), "none": None}, device)
    source[:] = 0.0
    assert tree["none"] is None
    assert all(isinstance(tree[k], fad.Array) for k in "xst")
    np.testing.assert_array_equal(tree["x"], X)
    np.testing.assert_array_equal(tree["t"], B)
    assert tree["x"].device.platform == "cpu"
    assert tree["x"].dtype == np.float64
    gradient = fad.grad(lambda t: (t["x"] * t["s"]).sum())(tree)
    np.testing.assert_array_equal(gradient["x"], np.full(3, 2.0))


@pytest.mark.parametrize("kind", [np.float32, np.int8, np.complex64, np.bool_])
def test_device_put_keeps_dtypes(kind: Any) -> None:
    x = np.array([0, 1, 1]).astype(kind)
    put = fad.device_put(x, "cpu")
    assert put.dtype == x.dtype
    np.testing.assert_array_equal(put, x)


def test_float0_results_have_an_aval_and_are_no_part_of_the_graph() -> None:
    gradient = fad.grad(lambda p: np.sum(p["x"] ** 2) * p["n"], allow_int=True)
    avals = fad.eval_shape(gradient, {"x": X, "n": 3})
    assert (avals["n"].shape, avals["n"].dtype) == ((), fad.float0)
    assert str(avals) == "{'n': float0, 'x': f64[3]}"
    assert len(fad.make_graph(gradient)({"x": X, "n": 3}).outputs) == 1
