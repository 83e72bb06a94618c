"""linearize, linear maps and linear_transpose."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

import fad
from fad.core import kernels
from tests.transforms.containers import CONTAINERS, B, W, structure

X = np.array([0.5, -1.25, 2.0])
M = np.arange(12.0).reshape(4, 3) - 5.0


def equal(a: Any, b: Any) -> None:
    np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-12, atol=1e-12)


def curve(x: Any) -> Any:
    """From 3 numbers to 4."""
    return np.sin(M @ x)


JACOBIAN = np.cos(M @ X)[:, None] * M
T = np.array([1.0, -0.5, 0.25])
C = np.array([1.0, 2.0, -1.0, 0.5])


def test_a_linear_map_runs_both_ways() -> None:
    value, linear_map = fad.linearize(curve, X)
    close(value, curve(X))
    for _ in range(2):
        close(linear_map(T), JACOBIAN @ T)
        close(linear_map.T(C), JACOBIAN.T @ C)
    assert linear_map.shape == (4, 3)
    assert linear_map.T.shape == (3, 4)
    assert linear_map.T.T is linear_map
    assert linear_map.T is linear_map.T
    assert repr(linear_map) == "LinearMap(4 x 3)"
    close(linear_map.matrix(), JACOBIAN)
    close(linear_map.T.matrix(), JACOBIAN.T)


@pytest.mark.parametrize("chunk_size", [None, 1, 2, 100])
def test_the_matrix_in_chunks(chunk_size: Any) -> None:
    close(fad.linearize(curve, X)[1].matrix(chunk_size=chunk_size), JACOBIAN)
    wide = fad.linearize(lambda x: x @ M, C)[1]
    equal(wide.matrix(chunk_size=chunk_size), M.T)


def test_the_function_is_not_run_again() -> None:
    calls = []

    def f(x: Any) -> Any:
        calls.append(1)
        return np.exp(x)

    _, linear_map = fad.linearize(f, X)
    linear_map(T), linear_map.T(T), linear_map.matrix()
    assert len(calls) == 1
    names = [eqn.operation.name for eqn in linear_map.graph.equations]
    assert names == ["mul"]


@pytest.mark.parametrize("name", CONTAINERS)
def test_trees(name: str) -> None:
    tree, parts = CONTAINERS[name]

    def f(tree: Any, s: Any) -> Any:
        return {"y": parts(tree)[0] @ parts(tree)[1] * s, "same": tree}

    value, linear_map = fad.linearize(f, tree, 3.0)
    assert structure(value["same"]) == structure(tree)
    assert linear_map.shape == (8, 7)
    out = linear_map(tree, 0.0)
    assert structure(out) == structure(value)
    close(out["y"], 6.0 * W @ B)
    gradient, ds = linear_map.T({"y": B, "same": tree})
    assert structure(gradient) == structure(tree)
    close(parts(gradient)[0], 3.0 * np.outer(B, B) + W)
    close(ds, B @ W @ B)
    matrix = np.asarray(linear_map.matrix())
    flat = np.concatenate([np.ravel(leaf) for leaf in (*leaves(tree), 0.5)])
    expected = linear_map(tree, 0.5)
    close(matrix @ flat, np.concatenate([np.ravel(leaf) for leaf in leaves(expected)]))


def leaves(tree: Any) -> list[Any]:
    return [np.asarray(x) for x in fad.core.pytree.flatten(tree)[0]]


def test_none_is_a_zero_tangent() -> None:
    _, linear_map = fad.linearize(lambda x, y: x * y, X, 2.0)
    close(linear_map(None, 1.0), X)
    close(linear_map(T, None), 2.0 * T)


def test_constants_integers_and_aux() -> None:
    def f(x: Any) -> Any:
        return (x * x, 3.0, x > 0), {"double": 2.0 * x, "text": "done"}

    value, linear_map, aux = fad.linearize(f, X, has_aux=True)
    assert aux["text"] == "done"
    close(aux["double"], 2 * X)
    assert isinstance(aux["double"], fad.Array)
    tangent = linear_map(T)
    close(tangent[0], 2 * X * T)
    equal(tangent[1], 0.0)
    assert (tangent[2].dtype, tangent[2].shape) == (fad.float0, (3,))
    close(linear_map.T((T, 1.0, None)), 2 * X * T)
    assert linear_map.shape == (4, 3)
    assert linear_map.matrix().shape == (4, 3)
    equal(value[2], X > 0)


def test_integer_primals_with_allow_int() -> None:
    _, linear_map = fad.linearize(lambda x, n: x * n, X, np.arange(3), allow_int=True)
    assert linear_map.shape == (3, 3)
    close(linear_map(T, None), T * np.arange(3))
    gx, gn = linear_map.T(T)
    close(gx, T * np.arange(3))
    assert (gn.dtype, gn.shape) == (fad.float0, (3,))
    close(linear_map.matrix(), np.diag(np.arange(3.0)))


def test_dtypes_are_kept() -> None:
    x = X.astype(np.float32)
    _, linear_map = fad.linearize(lambda x: 2.0 * x * x, x)
    assert linear_map(x).dtype == np.float32
    assert linear_map.T(x).dtype == np.float32
    assert linear_map.matrix().dtype == np.float32
    assert linear_map.as_scipy().dtype == np.float32


def test_functions_that_decide_on_values() -> None:
    _, linear_map = fad.linearize(lambda x: x * x if float(x.sum()) > 0 else x, X)
    close(linear_map(T), 2 * X * T)
    _, linear_map = fad.linearize(lambda x: x * x if float(x.sum()) > 0 else x, -X)
    close(linear_map(T), T)


def test_linear_maps_under_every_transform() -> None:
    _, linear_map = fad.linearize(curve, X)
    close(fad.jit(linear_map)(T), JACOBIAN @ T)
    close(fad.vmap(linear_map)(np.eye(3)), JACOBIAN.T)
    close(fad.vmap(linear_map.T)(np.eye(4)), JACOBIAN)
    close(fad.jacobian(linear_map)(T), JACOBIAN)
    close(fad.jvp(linear_map, (T,), (X,))[1], JACOBIAN @ X)
    close(fad.grad(lambda t: linear_map(t) @ C)(T), JACOBIAN.T @ C)
    close(fad.linearize(linear_map, T)[1].matrix(), JACOBIAN)


def test_linearizing_inside_a_transform_is_differentiated() -> None:
    def f(x: Any) -> Any:
        _, linear_map = fad.linearize(lambda y: y**3, x)
        return (linear_map(x) + linear_map.T(x)).sum()  # 6 x^3

    close(fad.grad(f)(X), 18 * X**2)
    close(fad.jvp(f, (X,), (T,))[1], (18 * X**2) @ T)
    close(fad.jit(fad.grad(f))(X), 18 * X**2)
    close(fad.vmap(fad.grad(f))(np.stack([X, 2 * X])), [18 * X**2, 72 * X**2])


def test_a_second_map_of_the_same_function_compiles_nothing() -> None:
    def apply(x: Any) -> Any:
        _, linear_map = fad.linearize(curve, x)
        return np.asarray(linear_map(T)), np.asarray(linear_map.T(C))

    for x in (X, 2 * X, 3 * X):
        apply(x)
    before = kernels.compilations()
    for scale in (4.0, 5.0):
        forward, backward = apply(scale * X)
        jacobian = np.cos(M @ X * scale)[:, None] * M
        close(forward, jacobian @ T)
        close(backward, jacobian.T @ C)
    assert kernels.compilations() == before


Z = X + 1j * T
CONJUGATING = {
    "conj": lambda z: np.conj(z) * (1 + 2j),
    "abs": np.abs,
    "real": lambda z: (np.exp(z) + z.real).sum(),
    "to_real": lambda z: (z * z).imag.sum(),
    "jitted": lambda z: fad.jit(np.conj)(z) + z,
}


@pytest.mark.parametrize("name", CONJUGATING)
def test_a_map_that_is_not_complex_linear_has_no_matrix(name: str) -> None:
    pytest.importorskip("scipy.sparse.linalg")
    f = CONJUGATING[name]

    def matrix(z: Any) -> Any:
        return fad.linearize(f, z)[1].matrix()

    linear_map = fad.linearize(f, Z)[1]
    for call in (
        linear_map.as_scipy,
        partial(matrix, Z),
        partial(fad.jit(matrix), Z),
        partial(fad.vmap(matrix), np.stack([Z, Z])),
        partial(fad.jvp, matrix, (Z,), (Z,)),
    ):
        with pytest.raises(TypeError, match="complex-linear") as info:
            call()
        for text in ("linear_map(v)", "function of real and imaginary parts"):
            assert text in str(info.value)
    v = np.array([1j, 2.0, 1 - 1j])
    close(linear_map(v), fad.jvp(f, (Z,), (v,))[1])  # what the message advises
    if name == "conj":
        parts = fad.linearize(lambda x, y: f(x + 1j * y), Z.real, Z.imag)[1].matrix()
        close(parts @ np.concatenate([v.real, v.imag]), linear_map(v))


def test_matrices_of_holomorphic_functions() -> None:
    def f(z: Any) -> Any:
        return fad.numpy.stack([np.exp(z).sum(), z @ z])

    def matrix(z: Any) -> Any:
        return fad.linearize(f, z)[1].matrix()

    expected = np.stack([np.exp(Z), 2 * Z])
    for found in (matrix(Z), fad.jit(matrix)(Z), fad.vmap(matrix)(np.stack([Z, Z]))[1]):
        close(found, expected)
    single = Z.astype(np.complex64)
    assert matrix(single).dtype == np.complex64
    assert not np.isfinite(fad.linearize(np.sqrt, Z * 0)[1].matrix()).any()  # nor an error
    around = fad.linearize(lambda z: z.real * 3.0 + 1j * z.imag * 3.0, Z)[1]
    close(around.matrix(), 3 * np.eye(3))  # complex-linear by another way


@pytest.mark.parametrize(
    ("f", "primals"),
    [
        (lambda x: np.exp(1j * x)[:2], (X,)),
        (lambda x, z: {"a": x * z, "b": x**2}, (X, Z)),
        (lambda x, z: np.sum(x * z), (X, Z)),
    ],
)
def test_maps_between_real_and_complex_numbers(f: Any, primals: Any) -> None:
    pytest.importorskip("scipy.sparse.linalg")
    linear_map = fad.linearize(f, *primals)[1]
    matrix = np.asarray(linear_map.matrix())
    operator = linear_map.as_scipy()
    m, n = linear_map.shape
    directions = [np.asarray(p * 2.0) for p in primals]
    tangent = linear_map(*directions)
    flat = [np.ravel(x) for x in (tangent.values() if isinstance(tangent, dict) else [tangent])]
    close(matrix @ np.concatenate(directions), np.concatenate(flat))
    v, u = np.exp(1j * np.arange(n)), np.exp(2j * np.arange(m))
    close(operator @ v, matrix @ v)
    close(operator @ v.real, matrix @ v.real)
    for vector in (u, u.real):
        close(operator.H @ vector, matrix.conj().T @ vector)
        close(operator.T @ vector, matrix.T @ vector)


# ----------------------------------------------------------------------------------------- SciPy


def test_scipy_solves_with_a_linear_map() -> None:
    sparse = pytest.importorskip("scipy.sparse.linalg")
    _, linear_map = fad.linearize(curve, X)
    operator = linear_map.as_scipy()
    assert operator.shape == (4, 3)
    assert operator.dtype == np.float64
    close(operator @ T, JACOBIAN @ T)
    close(operator.T @ C, JACOBIAN.T @ C)
    close(operator.H @ C, JACOBIAN.T @ C)
    close(operator @ np.eye(3), JACOBIAN)
    close(operator.rmatvec(C), JACOBIAN.T @ C)
    assert type(operator @ T) is np.ndarray
    assert sparse.aslinearoperator(operator) is operator
    solution = sparse.lsqr(operator, C, atol=1e-14, btol=1e-14)[0]
    expected = np.linalg.lstsq(JACOBIAN, C, rcond=None)[0]
    np.testing.assert_allclose(solution, expected, rtol=1e-8)


def test_conjugate_gradients_with_a_hessian() -> None:
    sparse = pytest.importorskip("scipy.sparse.linalg")
    a = M.T @ M + np.eye(3)
    gradient, hessian = fad.linearize(fad.grad(lambda x: 0.5 * x @ (a @ x) - x @ T), np.zeros(3))
    close(gradient, -T)
    solution, status = sparse.cg(hessian.as_scipy(), -np.asarray(gradient), rtol=1e-12)
    assert status == 0
    np.testing.assert_allclose(solution, np.linalg.solve(a, T), rtol=1e-8)


def test_scipy_operators_of_trees_and_complex_maps() -> None:
    pytest.importorskip("scipy.sparse.linalg")
    _, linear_map = fad.linearize(lambda p: p["a"] * p["b"], {"a": X, "b": 2.0})
    operator = linear_map.as_scipy()
    matrix = np.asarray(linear_map.matrix())
    assert operator.shape == (3, 4)
    close(operator @ np.arange(4.0), matrix @ np.arange(4.0))
    close(operator @ (np.arange(4) * 1j), matrix @ np.arange(4) * 1j)
    a = M[:3] * (1.0 + 0.5j)
    operator = fad.linearize(lambda z: a @ z, X * 1j)[1].as_scipy()
    assert operator.dtype == np.complex128
    v = np.array([1.0, 2j, 1 - 1j])
    close(operator @ v, a @ v)
    close(operator.H @ v, a.conj().T @ v)
    close(operator.T @ v, a.T @ v)


# --------------------------------------------------------------------------------- linear_transpose


def test_linear_transpose() -> None:
    transpose = fad.linear_transpose(lambda x: M @ x, X)
    (result,) = transpose(C)
    close(result, M.T @ C)
    tree = fad.linear_transpose(lambda p: p["a"] + 2.0 * p["b"], {"a": X, "b": np.float32(0.0)})
    (found,) = tree(T)
    close(found["a"], T)
    assert found["b"].dtype == np.float32
    np.testing.assert_allclose(float(found["b"]), 2.0 * T.sum(), rtol=1e-6)
    close(fad.vmap(transpose)(np.eye(4))[0], M)
    close(fad.jit(lambda c: transpose(c)[0])(C), M.T @ C)


def test_linear_transpose_needs_shapes_only() -> None:
    aval = fad.eval_shape(lambda x: x, X)
    (result,) = fad.linear_transpose(lambda x: x[::-1].cumsum(), aval)(T)
    close(result, np.cumsum(T[::-1]))
    x, y = fad.linear_transpose(lambda x, y: x.sum() - y, np.zeros(2), 0.0)(3.0)
    equal(x, [3.0, 3.0])
    equal(y, -3.0)
    (unused, _) = fad.linear_transpose(lambda x, y: y, np.zeros(2), 0.0)(3.0)
    equal(unused, [0.0, 0.0])


def test_float0_outputs_take_no_part() -> None:
    gradient = fad.grad(lambda p: np.sum(p["x"] ** 3) * p["n"], allow_int=True)
    out, linear_map = fad.linearize(gradient, {"n": 2, "x": X}, allow_int=True)
    assert linear_map.shape == (3, 3)
    tangent = linear_map({"n": None, "x": np.ones(3)})
    close(tangent["x"], 12.0 * X)
    assert out["n"].dtype == tangent["n"].dtype == fad.float0
    close(linear_map.T({"n": out["n"], "x": np.ones(3)})["x"], 12.0 * X)
    transposed = fad.linear_transpose(lambda x: (2.0 * x, np.zeros(2, fad.float0)), 1.0)
    close(transposed((3.0, None))[0], 6.0)


# ------------------------------------------------------------------------------------ called graphs


def jitted_curve(x: Any) -> Any:
    """The same curve, of calls within a call."""
    return fad.jit(lambda x: fad.jit(np.sin)(fad.jit(lambda y: M @ y)(x)))(x)


@pytest.mark.parametrize("of", [lambda f: f, fad.jit, fad.vmap, fad.jacfwd, fad.jacrev])
def test_a_jitted_function_is_linearized(of: Any) -> None:
    ours, theirs = (
        (of(jitted_curve), of(curve)) if of is not fad.vmap else (of(fad.jit(np.sin)),) * 2
    )
    for x in (X, 0.5 * X):
        value, linear_map = fad.linearize(ours, x)
        close(value, theirs(x))
        close(linear_map(T), fad.jvp(theirs, (x,), (T,))[1])
        ct = np.cos(np.asarray(value))
        close(linear_map.T(ct), fad.vjp(theirs, x)[1](ct)[0])
    both = fad.jit(lambda x: fad.linearize(ours, x)[1](T))
    close(both(X), fad.jvp(theirs, (X,), (T,))[1])


def test_linearizing_runs_nothing_of_the_function_again() -> None:
    _, linear_map = fad.linearize(jitted_curve, X)
    assert "sin" not in str(linear_map.graph)
    assert "cos" not in str(linear_map.graph)
    assert "sin" not in str(linear_map.T.graph)


def test_a_linear_map_is_linearized() -> None:
    def derivative(x: Any) -> Any:
        return fad.linearize(curve, x)[1](T)

    value, linear_map = fad.linearize(derivative, X)
    close(value, JACOBIAN @ T)
    close(linear_map(T), -np.sin(M @ X) * (M @ T) ** 2)
    third = fad.grad(lambda x: fad.linearize(derivative, x)[0].sum())(X)
    close(third, M.T @ (-np.sin(M @ X) * (M @ T)))


def test_calls_whose_residuals_depend_on_no_argument_are_transposed() -> None:
    scaled = fad.jit(lambda t, x: M @ (np.sin(x) * t))
    expected = np.sin(X) * (M.T @ C)
    close(fad.linear_transpose(lambda t: scaled(t, X), X)(C)[0], expected)
    nested = fad.jit(lambda t, x: scaled(2.0 * t, x))
    close(fad.linear_transpose(lambda t: nested(t, X), X)(C)[0], 2.0 * expected)
    pulled = fad.linear_transpose(lambda c: fad.vjp(jitted_curve, X)[1](c)[0], C)
    close(pulled(T)[0], JACOBIAN @ T)
    with pytest.raises(fad.FadError, match="is not linear"):
        fad.linear_transpose(fad.jit(np.sin), X)
