"""vjp and jvp: pullbacks and directional derivatives of any function of trees."""

from __future__ import annotations

import copy
import gc
import weakref
from typing import Any

import jax
import numpy as np
import pytest
from jax import numpy as jnp

import fad
from tests.transforms.containers import CONTAINERS, B, W, structure

X = np.array([0.5, -1.25, 2.0])


def equal(a: Any, b: Any) -> None:
    np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", CONTAINERS)
def test_trees_in_and_trees_out(name: str) -> None:
    tree, parts = CONTAINERS[name]

    def f(tree: Any) -> Any:
        return fad.numpy.asarray(0.0) + parts(tree)[0] @ parts(tree)[1], doubled(tree)

    def doubled(tree: Any) -> Any:
        leaves, treedef = jax.tree_util.tree_flatten(tree)
        return jax.tree_util.tree_unflatten(treedef, [2.0 * x for x in leaves])

    for _ in range(2):
        (y, same), pullback = fad.vjp(f, tree)
        close(y, W @ B)
        assert structure(same) == structure(tree)
        (gradient,) = pullback((B, tree))
        assert structure(gradient) == structure(tree)
        close(parts(gradient)[0], np.outer(B, B) + 2 * W)
        close(parts(gradient)[1], W.T @ B + 2 * B)
        (y, same), (dy, dsame) = fad.jvp(f, (tree,), (tree,))
        close(y, W @ B)
        close(dy, 2 * W @ B)
        assert structure(dsame) == structure(tree)
        close(parts(dsame)[0], 2 * W)


def test_each_primal_gets_its_cotangent() -> None:
    y, pullback = fad.vjp(lambda x, w: (x @ w, x * 3.0), X, 2 * X)
    assert isinstance(y, tuple)
    gx, gw = pullback((1.0, np.ones(3)))
    close(gx, 2 * X + 3.0)
    close(gw, X)
    assert pullback.recording.inputs  # its tape is there to be looked at


def test_a_pullback_can_be_called_many_times_and_under_every_transform() -> None:
    y, pullback = fad.vjp(lambda x: np.sin(x) * x, X)
    slope = np.cos(X) * X + np.sin(X)
    for _ in range(3):
        close(pullback(np.ones(3))[0], slope)
    close(fad.vmap(pullback)(np.eye(3))[0], np.diag(slope))
    close(fad.jit(pullback)(np.ones(3))[0], slope)
    close(fad.grad(lambda c: (pullback(c)[0] ** 2).sum())(np.ones(3)), 2 * slope**2)
    close(fad.jvp(lambda c: pullback(c)[0], (X,), (np.ones(3),))[1], slope)
    close(fad.jacobian(lambda c: pullback(c)[0])(X), np.diag(slope))
    close(y, np.sin(X) * X)


def test_a_pullback_within_a_gradient_is_differentiated() -> None:
    def f(x: Any) -> Any:
        _, pullback = fad.vjp(lambda t: t**3, x)
        return pullback(x)[0].sum()  # 3 x^3

    close(fad.grad(f)(X), 9 * X**2)
    close(fad.jvp(f, (X,), (np.ones(3),))[1], (9 * X**2).sum())


def test_a_tangent_of_zeros_and_none_give_zero() -> None:
    _, tangent = fad.jvp(lambda x, y: x * y, (X, X), (None, None))
    equal(tangent, np.zeros(3))
    _, tangent = fad.jvp(lambda x, y: x * y, (X, 2.0), (None, 1.0))
    equal(tangent, X)


def test_scalars_stand_for_tangents_and_cotangents_of_scalars() -> None:
    assert float(fad.jvp(lambda x: x * x, (np.float32(3.0),), (1,))[1]) == 6.0
    _, pullback = fad.vjp(lambda x: x * x, np.float32(3.0))
    for one in (1, 1.0, np.float32(1.0), fad.asarray(np.float32(1.0))):
        (g,) = pullback(one)
        assert (float(g), g.dtype) == (6.0, np.float32)


def test_constant_results() -> None:
    _, tangent = fad.jvp(lambda x: (x, 2.0, np.ones(2, np.float32)), (1.0,), (5.0,))
    assert [float(t) for t in (tangent[0], tangent[1])] == [5.0, 0.0]
    assert (tangent[2].dtype, tangent[2].shape) == (np.float32, (2,))
    (g,) = fad.vjp(lambda x: 2.0, X)[1](1.0)
    equal(g, np.zeros(3))


def test_integer_results_have_tangents_of_dtype_float0() -> None:
    def f(x: Any) -> Any:
        return x * 2.0, (x > 0, np.argmax(x))

    value, (_, (a, b)) = fad.jvp(f, (X,), (np.ones(3),))
    assert (a.dtype, a.shape, b.dtype, b.shape) == (fad.float0, (3,), fad.float0, ())
    equal(value[1][0], X > 0)
    _, pullback = fad.vjp(f, X)
    for zeros in ((None, None), None, (np.zeros(3, fad.float0), np.zeros((), fad.float0))):
        close(pullback((np.ones(3), zeros))[0], np.full(3, 2.0))


def test_integer_primals_with_allow_int() -> None:
    _, pullback = fad.vjp(lambda x, n: x[n] ** 2, X, 1, allow_int=True)
    gx, gn = pullback(1.0)
    close(gx, [0.0, 2 * X[1], 0.0])
    assert (gn.dtype, gn.shape) == (fad.float0, ())
    assert float(fad.jvp(lambda x, n: x * n, (2.0, 3), (1.0, None))[1]) == 3.0


@pytest.mark.parametrize("transform", ["vjp", "jvp"])
def test_aux(transform: str) -> None:
    def f(x: Any) -> Any:
        return x @ x, {"squares": x * x, "text": "done"}

    if transform == "vjp":
        value, pullback, aux = fad.vjp(f, X, has_aux=True)
        close(pullback(1.0)[0], 2 * X)
    else:
        value, tangent, aux = fad.jvp(f, (X,), (X,), has_aux=True)
        close(tangent, 2 * X @ X)
    close(value, X @ X)
    close(aux["squares"], X * X)
    assert aux["text"] == "done"
    assert isinstance(aux["squares"], fad.Array)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex64])
def test_dtypes_are_kept(dtype: Any) -> None:
    x = np.array([0.5, 2.0], dtype)
    y, tangent = fad.jvp(lambda x: 3.0 * x * x, (x,), (x,))
    (cotangent,) = fad.vjp(lambda x: 3.0 * x * x, x)[1](x)
    assert (y.dtype, tangent.dtype, cotangent.dtype) == (x.dtype,) * 3
    np.testing.assert_allclose(np.asarray(tangent), 6 * x * x, rtol=1e-2)
    np.testing.assert_allclose(np.asarray(cotangent), 6 * x * x, rtol=1e-2)


COMPLEX = {
    "holomorphic": lambda xp, z: z**3 * (1.0 - 2.0j),
    "conjugate": lambda xp, z: xp.conj(z) * z * z,
    "real": lambda xp, z: xp.real(z) * z,
    "abs": lambda xp, z: xp.abs(z),
    "to_complex": lambda xp, z: xp.imag(z) * (2.0 + 1.0j),
}


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_conventions_are_jaxs(name: str) -> None:
    f = COMPLEX[name]
    z = np.array([0.5 - 1.5j, -2.0 + 0.25j])
    t = np.array([1.0 + 2.0j, -0.5j])
    with jax.enable_x64(True):
        value, tangent = jax.jvp(lambda z: f(jnp, z), (z,), (t,))
        c = np.array([1.5, -2.0]) if value.dtype.kind == "f" else np.array([1.0 - 1j, 3j])
        (cotangent,) = jax.vjp(lambda z: f(jnp, z), jnp.asarray(z))[1](jnp.asarray(c))
    close(fad.jvp(lambda z: f(fad.numpy, z), (z,), (t,))[1], tangent)
    close(fad.vjp(lambda z: f(fad.numpy, z), z)[1](c)[0], cotangent)


def test_real_primals_of_complex_functions_have_real_cotangents() -> None:
    _, pullback = fad.vjp(lambda x: x * (1.0 - 2.0j), X)
    (g,) = pullback(np.full(3, 1.0 + 1.0j))
    assert g.dtype == np.float64
    close(g, np.real((1 + 1j) * (1 - 2j)) * np.ones(3))


def test_one_evaluation_each() -> None:
    calls = []

    def f(x: Any) -> Any:
        calls.append(1)
        return x * x

    _, pullback = fad.vjp(f, X)
    pullback(X), pullback(X)
    assert len(calls) == 1
    fad.jvp(f, (X,), (X,))
    assert len(calls) == 2


def test_the_tape_of_a_pullback_lives_and_dies_with_it() -> None:
    _, pullback = fad.vjp(lambda x: np.sin(x).sum(), X)
    node = weakref.ref(pullback.recording.inputs[0].node)
    gc.collect()
    gc.disable()
    try:
        close(pullback(1.0)[0], np.cos(X))
        del pullback
        assert node() is None
    finally:
        gc.enable()


def test_forward_and_reverse_are_adjoint_for_trees() -> None:
    def f(p: Any) -> Any:
        return {"y": p["w"] @ p["b"], "z": np.tanh(p["w"]).sum() * p["b"]}

    primal = {"w": W, "b": B}
    tangent = {"w": np.cos(W), "b": np.sin(B)}
    cotangent = {"y": np.array([1.0, -3.0]), "z": np.array([0.5, 2.0])}
    _, pushed = fad.jvp(f, (primal,), (tangent,))
    (pulled,) = fad.vjp(f, primal)[1](cotangent)
    there = sum(float((np.asarray(pushed[k]) * cotangent[k]).sum()) for k in "yz")
    back = sum(float((np.asarray(pulled[k]) * tangent[k]).sum()) for k in "wb")
    np.testing.assert_allclose(there, back, rtol=1e-13)


def test_float0_outputs_have_float0_tangents_and_cotangents() -> None:
    gradient = fad.grad(lambda p: np.sum(p["x"] ** 3) * p["n"], allow_int=True)
    p = {"n": 2, "x": X}
    out, tangent = fad.jvp(gradient, (p,), ({"n": None, "x": np.ones(3)},))
    close(tangent["x"], 12.0 * X)
    assert out["n"].dtype == tangent["n"].dtype == fad.float0
    out, pullback = fad.vjp(gradient, p, allow_int=True)
    assert out["n"].dtype == fad.float0
    for none in (None, out["n"]):
        (pulled,) = pullback({"n": none, "x": np.ones(3)})
        close(pulled["x"], 12.0 * X)
        assert pulled["n"].dtype == fad.float0
    message = r"the cotangent at \['n'\] has dtype float64, but the output there is float0"
    with pytest.raises(TypeError, match=message):
        pullback({"n": 1.0, "x": np.ones(3)})


def test_what_a_transform_returned_can_be_copied() -> None:
    """Its level and operations are known by their identity: a copied pullback gave zeros."""
    x = np.array([1.0, 2.0])
    _, pullback = fad.vjp(lambda x: np.sin(x) * x, x)
    _, linear_map = fad.linearize(lambda x: np.sin(x) * x, x)
    graph = fad.make_graph(np.sin)(x)
    for duplicate in (copy.copy, copy.deepcopy):
        copied = duplicate(pullback)
        np.testing.assert_array_equal(copied(x)[0], pullback(x)[0])
        np.testing.assert_array_equal(duplicate(linear_map).T(x), linear_map.T(x))
        assert duplicate(graph) == graph
    with fad.forward.dual_level() as level:
        dual = fad.forward.make_dual(level, 2.0, 1.0)
        copied_level, copied_dual = copy.deepcopy((level, dual))
        _, tangent = fad.forward.unpack_dual(copied_level, np.sin(copied_dual))
        np.testing.assert_allclose(tangent, np.cos(2.0))
