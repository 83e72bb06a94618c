"""grad and value_and_grad: which arguments, which containers, which numbers."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
from jax import numpy as jnp

import fad
from tests.transforms.containers import CONTAINERS, B, Registered, W, structure

X = np.array([0.5, -1.25, 2.0])


def equal(a: Any, b: Any) -> None:
    np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-12, atol=1e-12)


# -------------------------------------------------------------------------------------- argnums


def combine(x: Any, y: Any, *, scale: Any = 2.0) -> Any:
    return scale * x * x * y


@pytest.mark.parametrize(
    ("argnums", "expected"),
    [
        (0, 60.0),
        (1, 18.0),
        (-1, 18.0),
        (np.int64(1), 18.0),
        ("y", 18.0),
        ("scale", 45.0),
        ((0,), (60.0,)),
        ([1, 0], (18.0, 60.0)),
        (("y", "x"), (18.0, 60.0)),
        ((0, "scale", "y"), (60.0, 45.0, 18.0)),
        (range(2), (60.0, 18.0)),
        ((), ()),
    ],
)
def test_argnums(argnums: Any, expected: Any) -> None:
    def values(gradient: Any) -> Any:
        return tuple(map(float, gradient)) if isinstance(gradient, tuple) else float(gradient)

    assert values(fad.grad(combine, argnums)(3.0, 5.0, scale=2.0)) == expected
    value, gradient = fad.value_and_grad(combine, argnums)(3.0, 5.0, scale=2.0)
    assert (float(value), values(gradient)) == (90.0, expected)


def test_arguments_passed_by_keyword_are_found_by_name_and_by_position() -> None:
    for argnums in ("y", 1):
        assert float(fad.grad(combine, argnums)(3.0, y=5.0)) == 18.0
    assert float(fad.grad(combine, "x")(y=5.0, x=3.0)) == 60.0
    assert float(fad.grad(combine, 0)(y=5.0, x=3.0)) == 60.0


def test_functions_that_take_anything() -> None:
    def anything(*args: Any, **kwargs: Any) -> Any:
        return args[0] * args[1] * kwargs["k"]

    gx, gk = fad.grad(anything, (1, "k"))(2.0, 3.0, k=5.0)
    assert (float(gx), float(gk)) == (10.0, 6.0)


def test_many_arguments_take_time_in_proportion() -> None:
    count = 3000
    gradients = fad.grad(lambda *xs: xs[0] * xs[-1], tuple(range(count)))(*[2.0] * count)
    assert [float(g) for g in gradients] == [2.0, *[0.0] * (count - 2), 2.0]


def test_other_arguments_may_be_anything() -> None:
    def f(x: Any, mode: str, n: int, table: Any) -> Any:
        assert type(n) is int
        return table[mode](x) ** n

    assert float(fad.grad(f)(3.0, "double", 2, {"double": lambda x: 2.0 * x})) == 24.0


def test_names_and_documentation_are_kept() -> None:
    assert fad.grad(combine).__name__ == "combine"
    assert fad.value_and_grad(combine).__wrapped__ is combine


# ------------------------------------------------------------------------------------- containers


@pytest.mark.parametrize("name", CONTAINERS)
def test_gradients_have_the_structure_of_their_argument(name: str) -> None:
    tree, parts = CONTAINERS[name]

    def loss(tree: Any, x: Any) -> Any:
        w, b = parts(tree)
        return ((w @ x + b) ** 2).sum()

    x = np.array([1.0, 2.0])
    residual = W @ x + B
    for _ in range(2):  # recorded, then replayed
        value, gradient = fad.value_and_grad(loss)(tree, x)
        assert structure(gradient) == structure(tree)
        assert type(gradient) is type(tree)
        close(value, residual @ residual)
        gw, gb = parts(gradient)
        close(gw, 2.0 * np.outer(residual, x))
        close(gb, 2.0 * residual)
    both = fad.grad(loss, (0, 1))(tree, x)
    assert structure(both) == structure((tree, x))
    close(both[1], 2.0 * W.T @ residual)


def test_what_is_no_leaf_of_a_container_is_kept() -> None:
    gradient = fad.grad(lambda t: (t.w @ t.b).sum())(Registered(W, B, "dense"))
    assert (type(gradient), gradient.name) == (Registered, "dense")


def test_aux_is_returned_beside_and_may_hold_anything() -> None:
    def f(x: Any) -> Any:
        y = x * x
        return y.sum(), {"y": y, "count": 3, "text": "done", "none": None, "taps": [y[0], x > 0]}

    gradient, aux = fad.grad(f, has_aux=True)(X)
    (value, again), second = fad.value_and_grad(f, has_aux=True)(X)
    close(gradient, 2 * X)
    close(second, 2 * X)
    close(value, X @ X)
    for found in (aux, again):
        close(found["y"], X**2)
        assert (found["count"], found["text"], found["none"]) == (3, "done", None)
        close(found["taps"][0], X[0] ** 2)
        equal(found["taps"][1], X > 0)
        assert isinstance(found["y"], fad.Array)


def test_aux_of_an_inner_gradient_is_differentiated_by_the_outer_one() -> None:
    def f(x: Any) -> Any:
        gradient, y = fad.grad(lambda t: (t**3, t * t), has_aux=True)(x)
        return gradient + y  # 3 x^2 + x^2

    assert float(fad.grad(f)(2.0)) == 16.0


# ------------------------------------------------------------------------------------------ numbers


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, "bfloat16"])
def test_gradients_have_the_dtype_of_their_argument(dtype: Any) -> None:
    dtype = np.dtype(jnp.bfloat16) if dtype == "bfloat16" else np.dtype(dtype)
    x = np.array([0.5, 2.0], dtype)
    value, gradient = fad.value_and_grad(lambda x: (2.0 * x**3 - x / 4).sum())(x)
    assert (value.dtype, gradient.dtype) == (dtype, dtype)
    np.testing.assert_allclose(np.asarray(gradient, float), [1.25, 23.75], rtol=1e-2)


def test_each_argument_keeps_its_dtype_where_dtypes_meet() -> None:
    x, y = np.float32(3.0), np.array([2.0, 1.0])
    gx, gy = fad.grad(lambda x, y: (x * x * y).sum(), (0, 1))(x, y)
    assert (gx.dtype, gy.dtype) == (np.float32, np.float64)
    close(gx, 18.0)
    close(gy, [9.0, 9.0])
    gz = fad.grad(lambda z: (z * (1 + 2j)).imag)(np.float32(1.0))
    assert (gz.dtype, float(gz)) == (np.float32, 2.0)


def test_what_counts_as_a_number() -> None:
    for x in (3.0, np.float64(3.0), np.array(3.0), fad.asarray(3.0), jnp.asarray(3.0, jnp.float32)):
        assert float(fad.grad(lambda x: x * x)(x)) == 6.0
    for x in ([3.0, 4.0], (3.0, 4.0)):
        assert [float(g) for g in fad.grad(lambda x: x[0] * x[1])(x)] == [4.0, 3.0]


def test_the_argument_is_not_written_to_and_may_be_changed_afterwards() -> None:
    x = X.copy()
    gradient = fad.grad(lambda x: (x**3).sum())(x)
    x[:] = 0.0
    close(gradient, 3 * X**2)


def test_constant_functions_and_unused_arguments_have_zero_gradients() -> None:
    for constant in (lambda x: 3.0, lambda x: np.float64(2.0), lambda x: fad.asarray(1.5)):
        value, gradient = fad.value_and_grad(constant)(X)
        assert float(value) == float(constant(X))
        equal(gradient, np.zeros(3))
    gx, gy = fad.grad(lambda x, y: x.sum(), (0, 1))(X.astype(np.float32), B)
    assert (gx.dtype, gy.shape, gy.dtype) == (np.float32, (2,), np.float64)
    equal(gy, np.zeros(2))
    equal(fad.grad(lambda x: np.floor(x).sum() + np.argmax(x))(X), np.zeros(3))
    equal(fad.grad(lambda x: fad.stop_gradient({"a": x})["a"].sum())(X), np.zeros(3))


def test_empty_arrays_and_empty_trees() -> None:
    assert fad.grad(lambda x: x.sum())(np.zeros((0, 3))).shape == (0, 3)
    assert fad.grad(lambda p, x: x * x)({}, 3.0) == {}


def test_integers_on_the_way_carry_no_derivative() -> None:
    def f(x: Any) -> Any:
        order = np.argsort(x)
        count = (x > 0).sum()
        return (x[order] * np.arange(3.0)).sum() * count

    close(fad.grad(f)(X), [2.0, 0.0, 4.0])


@pytest.mark.parametrize(
    "f",
    [
        lambda xp, z: xp.abs(z) ** 2,
        lambda xp, z: xp.real(z * z * (2.0 - 1.0j)),
        lambda xp, z: xp.imag(xp.exp(z) / (z + 3.0)),
        lambda xp, z: xp.real(xp.conj(z) * xp.sin(z)),
        lambda xp, z: xp.sum(xp.abs(xp.stack([z, z * 1j, z + 1.0]))),
    ],
)
def test_complex_gradients_are_jaxs(f: Any) -> None:
    z = np.array(0.75 - 1.5j)
    with jax.enable_x64(True):
        expected = np.asarray(jax.grad(lambda z: f(jnp, z))(z))
    close(fad.grad(lambda z: f(fad.numpy, z))(z), expected)
    close(fad.jit(fad.grad(lambda z: f(fad.numpy, z)))(z), expected)


def test_holomorphic_gradients_are_derivatives() -> None:
    z = 0.75 - 1.5j
    close(fad.grad(lambda z: z**3 + np.exp(z), holomorphic=True)(z), 3 * z**2 + np.exp(z))
    gradient = fad.grad(lambda z: (z * z).sum(), holomorphic=True)(np.array([z, 1j], np.complex64))
    assert gradient.dtype == np.complex64
    np.testing.assert_allclose(np.asarray(gradient), [2 * z, 2j], rtol=1e-6)


# ------------------------------------------------------------------------ control flow and nesting


def test_python_decides_on_values() -> None:
    def f(x: Any) -> Any:
        y = x
        for i in range(int(np.floor(x))):
            y = y * x if float(y) < 10.0 else y + i
        return y if y > 0 else -y

    assert float(fad.grad(f)(3.5)) == 2 * 3.5
    assert float(fad.grad(f)(-2.0)) == -1.0
    assert float(fad.grad(lambda x: x**2 if bool(x > 1) and x != 2 else x)(2.0)) == 1.0


def test_one_evaluation_gives_value_and_gradient() -> None:
    calls = []

    def f(x: Any) -> Any:
        calls.append(1)
        return (x * x).sum()

    for _ in range(3):
        calls.clear()
        fad.value_and_grad(f)(X)
        assert len(calls) == 1
        fad.grad(f)(X)
        assert len(calls) == 2


def test_all_orders() -> None:
    f: Any = lambda x: x**5  # noqa: E731
    for expected in (80.0, 160.0, 240.0, 240.0, 120.0, 0.0):
        f = fad.grad(f)
        assert float(f(2.0)) == expected


def grad_forward(f: Any) -> Any:
    """The derivative of a function of a scalar, by forward mode."""
    return lambda x: fad.jvp(f, (x,), (1.0,))[1]


@pytest.mark.parametrize("outer", [fad.grad, grad_forward, fad.jacfwd, fad.jacrev])
@pytest.mark.parametrize("inner", [fad.grad, grad_forward, fad.jacfwd, fad.jacrev])
def test_perturbations_are_not_confused(outer: Any, inner: Any) -> None:
    # Siskind and Pearlmutter's: d/dx (x * d/dy (x + y)), with one and the other variable inside.
    assert float(outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0)) == 1.0
    assert float(outer(lambda x: x * inner(lambda y: x * y)(2.0))(3.0)) == 6.0
    assert float(outer(lambda x: inner(lambda y: x * x * y)(x))(3.0)) == 6.0
    assert float(outer(lambda x: inner(lambda y: x * y * y)(x))(3.0)) == 12.0
    # The inner derivative in the outer variable itself, and of a constant.
    assert float(outer(lambda x: inner(lambda y: x)(2.0) + x)(3.0)) == 1.0
    assert float(outer(lambda x: inner(lambda y: y**3)(x))(2.0)) == 12.0


def test_a_function_returned_by_an_inner_function_remembers_its_variable() -> None:
    # Manzyuk and others, "Perturbation confusion in forward automatic differentiation of
    # higher-order functions": the derivative of s(u) = (x -> f(x + u)) at 0 is f'.
    for derivative in (fad.grad, grad_forward):

        def shifted(u: Any) -> Any:
            return lambda x: np.exp(x + u)

        twice = lambda u, d=derivative: d(lambda x: shifted(u)(x))(0.5)  # noqa: E731
        close(derivative(twice)(0.0), np.exp(0.5))


def test_closures_three_deep_in_mixed_modes() -> None:
    def f(x: Any) -> Any:
        def g(y: Any) -> Any:
            def h(z: Any) -> Any:
                return x * y * y * z**3

            return fad.grad(h)(y) * x  # 3 x^2 y^4

        return fad.jvp(g, (x,), (1.0,))[1]  # 12 x^2 y^3 at y = x: 12 x^5

    assert float(fad.grad(f)(2.0)) == 60 * 2.0**4
    close(fad.vmap(fad.grad(f))(np.array([1.0, 2.0])), [60.0, 960.0])
    assert float(fad.jit(fad.grad(f))(2.0)) == 960.0


def test_an_outer_variable_closed_over_in_a_branch_taken_by_value() -> None:
    def f(x: Any) -> Any:
        inner = fad.grad(lambda y: x * y * y if y > x else x * x * y)
        return inner(x + 1.0) + inner(x - 1.0)  # 2 x (x + 1) + x^2

    assert float(fad.grad(f)(3.0)) == 6 * 3.0 + 2.0
