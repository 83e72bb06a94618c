"""Jacobians: both modes, chunks, trees, and no work that is not needed."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
from jax import numpy as jnp

import fad
from fad.transforms import jacobians
from tests.transforms.containers import CONTAINERS, B, W, structure

X = np.array([0.5, -1.25, 2.0])
M = np.arange(12.0).reshape(4, 3) - 5.0


def equal(a: Any, b: Any) -> None:
    np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-12, atol=1e-12)


def curve(x: Any) -> Any:
    """From 3 numbers to 4."""
    return np.sin(M @ x) * x[0]


def exact(x: np.ndarray) -> np.ndarray:
    """The Jacobian of ``curve``."""
    return (np.cos(M @ x) * x[0])[:, None] * M + np.outer(np.sin(M @ x), [1.0, 0.0, 0.0])


MODES = ("auto", "forward", "reverse")


@pytest.mark.parametrize("chunk_size", ["auto", None, 1, 2, 3, 100])
@pytest.mark.parametrize("mode", MODES)
def test_modes_and_chunks_agree(mode: Any, chunk_size: Any) -> None:
    jacobian = fad.jacobian(curve, mode=mode, chunk_size=chunk_size)
    for x in (X, 0.5 * X):  # recorded, then replayed
        close(jacobian(x), exact(x))
    if chunk_size == 2:
        close(fad.jit(jacobian)(X), exact(X))


def test_forward_and_reverse_by_name() -> None:
    close(fad.jacfwd(curve)(X), exact(X))
    close(fad.jacrev(curve)(X), exact(X))
    value, jacobian = fad.value_and_jacobian(curve)(X)
    close(value, curve(X))
    close(jacobian, exact(X))


@pytest.mark.parametrize("mode", MODES)
def test_shapes_are_those_of_result_then_argument(mode: Any) -> None:
    shapes: list[tuple[Any, Any, Any]] = [
        (lambda x: x.sum(), (2, 3), (2, 3)),
        (lambda x: x, (2, 3), (2, 3, 2, 3)),
        (lambda x: x * np.ones((4, 1)), (2,), (4, 2, 2)),
        (lambda x: x, (), ()),
        (lambda x: x[:0], (3,), (0, 3)),
        (lambda x: x.sum() * np.ones(2), (0,), (2, 0)),
        (lambda x: x[None], (0,), (1, 0, 0)),
    ]
    for f, shape, expected in shapes:
        assert fad.jacobian(f, mode=mode)(np.ones(shape)).shape == expected


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["dict", "with_none", "named_tuple", "dataclass", "registered"])
def test_trees_nest_the_results_outside(name: str, mode: Any) -> None:
    tree, parts = CONTAINERS[name]

    def f(tree: Any) -> Any:
        w, b = parts(tree)
        return [w @ b, {"sum": b.sum()}]

    blocks = fad.jacobian(f, mode=mode)(tree)
    assert structure([blocks[0], blocks[1]["sum"]]) == structure([tree, tree])
    dw, db = parts(blocks[0])
    close(dw, np.einsum("ij,k->ijk", np.eye(2), B))
    close(db, W)
    dw, db = parts(blocks[1]["sum"])
    close(dw, np.zeros((2, 2)))
    close(db, np.ones(2))


@pytest.mark.parametrize("mode", MODES)
def test_argnums(mode: Any) -> None:
    def f(x: Any, y: Any, *, z: Any) -> Any:
        return x * y.sum() * z

    jx, jz = fad.jacobian(f, (0, "z"), mode=mode)(X, B, z=2.0)
    close(jx, np.eye(3) * B.sum() * 2.0)
    close(jz, X * B.sum())
    close(fad.jacobian(f, "y", mode=mode)(X, B, z=2.0), np.outer(X, np.ones(2)) * 2.0)
    (only,) = fad.jacobian(f, (1,), mode=mode)(X, B, z=1.0)
    assert only.shape == (3, 2)


@pytest.mark.parametrize("mode", MODES)
def test_dtypes_are_kept(mode: Any) -> None:
    x = X.astype(np.float32)
    jacobian = fad.jacobian(lambda x, y: {"a": x * 2.0, "b": (x * y).sum()}, (0, 1), mode=mode)
    blocks = jacobian(x, 1.5)
    assert blocks["a"][0].dtype == np.float32
    assert blocks["b"][0].dtype == np.float32
    close(blocks["b"][1], x.sum())


@pytest.mark.parametrize("mode", MODES)
def test_constants_and_mixed_outputs(mode: Any) -> None:
    blocks = fad.jacobian(lambda x, y: (x, 3.0, np.ones(2)), (0, 1), mode=mode)(X, 2.0)
    close(blocks[0][0], np.eye(3))
    for block, shape in zip(
        [*blocks[0][1:], *blocks[1], *blocks[2]], [(3,), (3,), (), (2, 3), (2,)]
    ):
        equal(block, np.zeros(shape))


@pytest.mark.parametrize("mode", MODES)
def test_holomorphic_jacobians_are_jaxs(mode: Any) -> None:
    z = np.array([1.0 + 2.0j, -0.5j])
    f: Any = lambda xp, z: xp.stack([z[0] * z[1], z[0] ** 3, xp.exp(z[1])])  # noqa: E731
    with jax.enable_x64(True):
        expected = np.asarray(jax.jacfwd(lambda z: f(jnp, z), holomorphic=True)(z))
    close(fad.jacobian(lambda z: f(fad.numpy, z), mode=mode, holomorphic=True)(z), expected)


@pytest.mark.parametrize("mode", ["auto", "reverse"])
def test_real_functions_of_complex_inputs_have_jaxs_jacobians(mode: Any) -> None:
    z = np.array([1.0 + 2.0j, 3.0 - 1.0j])
    f: Any = lambda xp, z: xp.stack([*xp.abs(z), (z * z).real[0]])  # noqa: E731
    with jax.enable_x64(True):
        expected = np.asarray(jax.jacrev(lambda z: f(jnp, z))(z))
    close(fad.jacobian(lambda z: f(fad.numpy, z), mode=mode)(z), expected)
    value, result = fad.value_and_jacobian(lambda z: f(fad.numpy, z), mode=mode)(z)
    close(value, f(np, z))
    close(result, expected)
    close(fad.jit(fad.jacobian(lambda z: f(fad.numpy, z), mode=mode))(z), expected)
    blocks = fad.jacobian(lambda x, z: fad.numpy.abs(x * z), (0, 1), mode=mode)(X[:2], z)
    close(blocks[0], np.diag(np.sign(X[:2]) * np.abs(z)))
    close(blocks[1], np.diag(np.abs(X[:2]) * z.conj() / np.abs(z)))


@pytest.mark.parametrize("mode", ["auto", "forward"])
@pytest.mark.parametrize("count", [1, 3])  # of outputs, fewer than inputs or as many
def test_complex_functions_of_real_inputs_have_jaxs_jacobians(mode: Any, count: int) -> None:
    f: Any = lambda xp, t: {"z": xp.exp(1j * t)[:count], "x": t[0] * t}  # noqa: E731
    with jax.enable_x64(True):
        expected = jax.jacfwd(lambda t: f(jnp, t))(X)
    jacobian = fad.jacobian(lambda t: f(fad.numpy, t), mode=mode)
    for result in (jacobian(X), jacobian(X), fad.jit(jacobian)(X)):
        close(result["z"], np.diag(1j * np.exp(1j * X))[:count])
        close(result["z"], expected["z"])
        close(result["x"], expected["x"])
        assert result["x"].dtype == np.float64


def test_auto_takes_the_mode_with_fewer_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    used = []
    original = jacobians.Point.chunks

    def chunks(self: Any, total: int) -> Any:
        used.append(total)
        return original(self, total)

    monkeypatch.setattr(jacobians.Point, "chunks", chunks)
    fad.jacobian(lambda x: x[:2] * 1.0)(np.ones(5))
    fad.jacobian(lambda x: x * np.ones((5, 1)))(np.ones(2))
    fad.jacobian(lambda x: x.sum())(np.ones(3))
    fad.jacobian(lambda x: x * 2.0)(1.0)
    assert used == [2, 2, 1, 1]


def test_the_memory_budget_bounds_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    original = jacobians.Point.chunks

    def chunks(self: Any, total: int) -> Any:
        found = original(self, total)
        sizes.append([stop - start for start, stop in found])
        return found

    monkeypatch.setattr(jacobians.Point, "chunks", chunks)
    monkeypatch.setattr(jacobians, "CHUNK_BYTES", 1000)
    n = 30
    x = np.linspace(0.5, 1.0, n)
    close(fad.jacobian(lambda x: x * x)(x), np.diag(2 * x))
    assert sum(sizes[0]) == n
    assert len(sizes[0]) > 1
    assert all(size * 16 * n <= 1000 for size in sizes[0])  # a tangent and a row of the result
    monkeypatch.setattr(jacobians, "CHUNK_BYTES", 1)
    close(fad.jacrev(lambda x: x * x)(x[:3]), np.diag(2 * x[:3]))
    assert sizes[1] == [1, 1, 1]


@pytest.mark.parametrize("mode", MODES)
def test_value_and_jacobian_evaluate_once(mode: Any) -> None:
    calls = []

    def f(x: Any) -> Any:
        calls.append(1)
        return x * x, {"aux": x.sum(), "text": "done"}

    (value, aux), jacobian = fad.value_and_jacobian(f, mode=mode, has_aux=True)(X)
    assert len(calls) == 1
    close(value, X * X)
    close(aux["aux"], X.sum())
    assert aux["text"] == "done"
    close(jacobian, np.diag(2 * X))
    jacobian, aux = fad.jacobian(f, mode=mode, has_aux=True, chunk_size=1)(X)
    assert len(calls) == 2
    close(jacobian, np.diag(2 * X))


def test_python_control_flow_in_forward_mode() -> None:
    def f(x: Any) -> Any:
        y = x
        while float(y.sum()) < 10.0:
            y = 2.0 * y
        return y if y[0] > 0 else -y

    close(fad.jacfwd(f)(X), 8.0 * np.eye(3))
    close(fad.jacfwd(f)(2.0 * X), 4.0 * np.eye(3))
    close(fad.jacfwd(f)(20.0 * X), np.eye(3))


def operations(f: Any, *args: Any) -> list[str]:
    """The operations of the program of a function."""
    return [eqn.operation.name for eqn in fad.make_graph(f)(*args).equations]


@pytest.mark.parametrize("mode", MODES)
def test_the_jacobian_of_an_affine_map_is_its_matrix(mode: Any) -> None:
    a = fad.asarray(M)
    jacobian = fad.jacobian(lambda x: a @ x + np.ones(4), mode=mode)
    equal(jacobian(X), M)
    names = operations(jacobian, X)
    assert not [name for name in names if "dot" in name or "matmul" in name or "mul" in name], names


def test_what_the_function_computes_for_itself_is_not_in_the_program() -> None:
    names = operations(fad.jacobian(lambda x: np.sin(x) * 1.0, mode="forward"), X)
    assert "sin" not in names
    assert names.count("cos") == 1


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_the_progress_bar_goes_to_stderr_and_changes_nothing(mode: Any, capfd: Any) -> None:
    pytest.importorskip("tqdm")
    plain = fad.jacobian(curve, mode=mode, chunk_size=1)(X)
    assert capfd.readouterr() == ("", "")
    shown = fad.jacobian(curve, mode=mode, chunk_size=1, progress=True)(X)
    out, err = capfd.readouterr()
    assert out == ""
    total = 3 if mode == "forward" else 4
    assert "jacobian" in err
    assert f"{total}/{total}" in err
    equal(plain, shown)
    close(fad.jacobian(curve, mode=mode, progress=True)(X), exact(X))


def test_jacobians_of_jacobians() -> None:
    h = fad.jacobian(fad.jacobian(lambda x: x**3))(X)
    expected = np.zeros((3, 3, 3))
    for i in range(3):
        expected[i, i, i] = 6 * X[i]
    close(h, expected)
    close(fad.vmap(fad.jacobian(curve))(np.stack([X, 2 * X])), np.stack([exact(X), exact(2 * X)]))
    close(
        fad.grad(lambda x: fad.jacfwd(curve)(x).sum())(X),
        fad.grad(lambda x: fad.jacrev(curve)(x).sum())(X),
    )


@pytest.mark.parametrize("outer", [fad.jacobian, fad.jacfwd, fad.jacrev])
@pytest.mark.parametrize("inner", [fad.grad, fad.jacrev, fad.jacfwd])
def test_jacobians_of_gradients_with_allow_int(outer: Any, inner: Any) -> None:
    f = lambda p: np.sum(p["x"] ** 3) * p["n"][0]  # noqa: E731
    p = {"n": np.array([2, 3]), "x": X}
    expected = fad.hessian(f, allow_int=True)(p)
    nested = outer(inner(f, allow_int=True), allow_int=True)
    for transformed in (nested, fad.jit(nested)):
        found = transformed(p)
        assert structure(found) == structure(expected)
        close(found["x"]["x"], np.diag(12.0 * X))
        for a, b in (("n", "n"), ("n", "x"), ("x", "n")):
            assert found[a][b].dtype == fad.float0
            assert found[a][b].shape == expected[a][b].shape == (*p[a].shape, *p[b].shape)


def test_outputs_without_derivative_are_named_beside_float0() -> None:
    f = lambda x: {"a": np.zeros(2, fad.float0), "b": 3, "c": x}  # noqa: E731
    with pytest.raises(TypeError, match=r"the output at \['b'\] is i64"):
        fad.jacobian(f)(X)


@pytest.mark.parametrize("limit", range(1, 9))
def test_a_flush_between_the_function_and_the_backward_pass(limit: int) -> None:
    f = lambda x: np.sin(x) * x[0]  # noqa: E731
    with fad.config(max_pending=limit):
        for _ in range(3):  # recorded, and replayed
            for chunk_size in (2, None):
                rows = fad.jacrev(f, chunk_size=chunk_size)(X)
                close(rows, np.diag(np.cos(X) * X[0]) + np.outer(np.sin(X), [1.0, 0.0, 0.0]))
