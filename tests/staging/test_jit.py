"""jit: what decides that a program is compiled anew, and that it always computes the same."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections import namedtuple
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial, update_wrapper
from typing import Any

import numpy as np
import pytest

import fad
from fad.core import kernels
from tests.transforms.containers import CONTAINERS, structure

X = np.array([0.5, -1.25, 2.0])


def equal(a: Any, b: Any) -> None:
    np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-12, atol=1e-12)


@contextmanager
def compiling(expected: int) -> Iterator[None]:
    """So many programs are compiled within."""
    before = kernels.compilations()
    yield
    assert kernels.compilations() - before == expected


class Counted:
    """A function that counts how often its Python runs."""

    def __init__(self, f: Any) -> None:
        self.f, self.calls = f, 0
        update_wrapper(self, f)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        return self.f(*args, **kwargs)


# -------------------------------------------------------------------------------- what recompiles


def test_new_values_run_the_compiled_program() -> None:
    f = Counted(lambda x, s: (x * s + 1.0).sum())
    g = fad.jit(f)
    with compiling(1):
        for scale in (1.0, 2.0, 0.0, -0.0, 1e300, np.float64(3.0).item()):
            x = X * 0.5 + 0.1
            close(g(x, scale), (x * scale + 1.0).sum())
    assert f.calls == 1


def test_shapes_dtypes_and_structures_compile_anew() -> None:
    f = Counted(lambda x: fad.core.pytree.map(lambda v: v * 2, x))
    g = fad.jit(f)
    calls: list[Any] = [
        X, X[:2], X.astype(np.float32), 1.0, 1, True, 1j, [X], (X,), {"a": X}, {"b": X}, [X, None],
    ]  # fmt: skip
    for i, x in enumerate(calls):
        for _ in range(2):
            g(x)
        assert f.calls == i + 1
    assert g(np.float64(1.0)).dtype == np.float64  # strong, unlike 1.0
    assert f.calls == len(calls) + 1


def test_arrays_tensors_and_lists_of_numbers_are_told_apart_by_what_matters_alone() -> None:
    f = Counted(lambda x: x * 2.0)
    g = fad.jit(f)
    for x in (X, fad.asarray(X), X[::-1], np.asfortranarray(X), X.astype(">f8")):
        equal(g(x), np.asarray(x, float) * 2.0)
    assert f.calls == 1


def test_keyword_arguments() -> None:
    f = Counted(lambda x, *, y, z=2.0: x * y + z)
    g = fad.jit(f)
    for _ in range(2):
        equal(g(3.0, y=4.0), 14.0)
        equal(g(3.0, z=1.0, y=4.0), 13.0)
        equal(g(3.0, y=4.0, z=1.0), 13.0)
    assert f.calls == 2


def test_one_graph_compiles_once_whoever_made_it() -> None:
    def make() -> Any:
        return fad.jit(lambda x: np.cos(x) * 2.5 - x**3)

    with compiling(1):
        for _ in range(3):
            close(make()(X), np.cos(X) * 2.5 - X**3)


# ------------------------------------------------------------------------------ static arguments


def power(x: Any, n: int = 2, *, mode: str = "plain") -> Any:
    """A function of a static number and a static name."""
    assert type(n) is int
    result = x
    for _ in range(n - 1):
        result = result * x
    return result if mode == "plain" else -result


@pytest.mark.parametrize(
    "options",
    [
        {"static_argnums": (1,), "static_argnames": "mode"},
        {"static_argnums": -1, "static_argnames": ["mode"]},
        {"static_argnames": ("n", "mode")},
    ],
)
def test_static_arguments_by_number_and_by_name(options: dict[str, Any]) -> None:
    f = Counted(power)
    g = fad.jit(f, **options)
    for _ in range(2):
        equal(g(3.0, 2), 9.0)
        equal(g(3.0, 3), 27.0)
        equal(g(3.0, n=3), 27.0)
        equal(g(3.0), 9.0)
        equal(g(3.0, 2, mode="negative"), -9.0)
    assert f.calls <= 5


def test_static_values_are_compared_by_what_they_are() -> None:
    f = Counted(lambda x, s: x * 1.0 if s is None else x / (s[0] if isinstance(s, tuple) else s))
    g = fad.jit(f, static_argnums=1)
    one = np.array(1.0)
    assert float(g(one, 0.0)) == np.inf
    assert float(g(one, -0.0)) == -np.inf
    assert float(g(one, (0.0,))) == np.inf
    assert float(g(one, (-0.0,))) == -np.inf
    assert g(np.arange(3), 1).dtype == np.float64
    calls = f.calls
    for _ in range(2):
        assert np.isnan(float(g(one, float("nan"))))
    assert f.calls == calls + 1
    h = fad.jit(lambda x, s: x * s, static_argnums=1)
    assert (h(np.arange(3), 1).dtype, h(np.arange(3), 1.0).dtype) == (np.int64, np.float64)
    h = fad.jit(lambda x, s: x * s[0], static_argnums=1)
    assert (h(np.arange(3), (1,)).dtype, h(np.arange(3), (1.0,)).dtype) == (np.int64, np.float64)
    scale = namedtuple("scale", "by")
    assert [h(np.arange(3), scale(s)).dtype for s in (1, 1.0)] == [np.int64, np.float64]
    h = fad.jit(lambda x, s: x * next(iter(s)), static_argnums=1)
    dtypes = [h(np.arange(3), frozenset([s])).dtype for s in (1, 1.0)]
    assert dtypes == [np.int64, np.float64]
    h = fad.jit(lambda x, s: x * s.imag, static_argnums=1)
    signs = [np.signbit(np.asarray(h(1.0, s))) for s in (0j, complex(0.0, -0.0))]
    assert signs == [False, True]


def test_static_arrays_are_compared_by_content() -> None:
    f = Counted(lambda x, table: x * float(table.sum()))
    g = fad.jit(f, static_argnames="table")
    table = np.arange(4.0)
    equal(g(2.0, table), 12.0)
    equal(g(2.0, np.arange(4.0)), 12.0)
    equal(g(2.0, table=table.copy()), 12.0)
    calls = f.calls
    table[0] = 4.0
    equal(g(2.0, table), 20.0)
    equal(g(2.0, np.arange(4.0)), 12.0)
    equal(g(2.0, np.arange(4)), 12.0)
    equal(g(2.0, np.arange(4.0).reshape(2, 2)), 12.0)
    assert f.calls == calls + 3
    assert float(g(2.0, np.float32(3.0))) == 6.0


def test_functions_and_classes_as_static_arguments() -> None:
    g = fad.jit(lambda f, x: f(x), static_argnums=0)
    close(g(np.sin, X), np.sin(X))
    close(g(np.cos, X), np.cos(X))


# ------------------------------------------------------------------------------- trees and results


@pytest.mark.parametrize("name", CONTAINERS)
def test_trees_in_and_out(name: str) -> None:
    tree, parts = CONTAINERS[name]
    f = Counted(lambda t, s: ({"sum": parts(t)[0].sum() * s}, t))
    g = fad.jit(f)
    for scale in (1.0, 2.0, 3.0):
        out, same = g(tree, scale)
        close(out["sum"], parts(tree)[0].sum() * scale)
        assert structure(same) == structure(tree)
        assert type(same) is type(tree)
        equal(parts(same)[1], parts(tree)[1])
    assert f.calls == 1


def test_results_of_every_kind() -> None:
    g = fad.jit(lambda x: {"c": 3, "f": 2.5, "n": None, "z": 1j, "b": x > 0, "a": X, "s": x})
    for _ in range(2):
        out = g(1.0)
        assert [out[k].dtype.kind for k in "cfzb"] == ["i", "f", "c", "b"]
        assert out["n"] is None
        equal(out["a"], X)
        assert all(isinstance(out[k], fad.Array) for k in "cfzbas")
    assert fad.jit(lambda: 2.0 * fad.numpy.ones(2))().shape == (2,)
    assert fad.jit(lambda p: p)({}) == {}


def test_an_argument_changed_after_the_call_does_not_change_the_result() -> None:
    g = fad.jit(lambda x: x + 1.0)
    for _ in range(5):
        x = np.ones(1000)
        result = g(x)
        x[:] = 5.0
        equal(result, np.full(1000, 2.0))


def test_dtypes_are_kept() -> None:
    for dtype in (np.float16, np.float32, np.int8, np.complex64):
        assert fad.jit(lambda x: x * 2)(X.astype(dtype)).dtype == dtype


# ----------------------------------------------------------------------------- captured tensors


def test_concrete_tensors_are_captured_by_value() -> None:
    w = fad.asarray(X)
    f = Counted(lambda x: x * w)
    g = fad.jit(f)
    for x in (1.0, 2.0):
        equal(g(x), x * X)
    assert f.calls == 1
    table = X.copy()
    h = fad.jit(lambda x: x + table)
    equal(h(1.0), X + 1.0)


def test_captured_arrays_are_put_on_the_device_once(monkeypatch: pytest.MonkeyPatch) -> None:
    f = fad.jit(lambda w: np.sum(X * w) + np.dot(X, w))  # X is an array of the host
    w = np.ones(3)
    f(w)
    (compiled,) = f._compiled.values()
    assert len(compiled.captures) == 2
    assert all(kernels.is_buffer(x.realize()) for x in compiled.captures)
    equal(f(w), 2.0 * np.sum(X))


def test_tensors_of_an_enclosing_transform_are_captured_as_such() -> None:
    def f(x: Any) -> Any:
        return fad.jit(lambda y: x * y * y)(3.0) + fad.jit(lambda: x * 2.0)()

    for x in (1.0, 2.0):
        assert float(fad.grad(f)(x)) == 11.0
        assert float(fad.jvp(f, (x,), (1.0,))[1]) == 11.0
    equal(fad.vmap(f)(X), 11.0 * X)
    assert float(fad.jit(fad.grad(f))(2.0)) == 11.0
    assert float(fad.grad(lambda x: fad.grad(fad.jit(lambda y: x * x * y))(x))(3.0)) == 6.0


def test_a_captured_tensor_of_a_transform_does_not_stay_in_the_cache() -> None:
    captured: list[Any] = []
    g = fad.jit(lambda y: captured[-1] * y)

    def f(x: Any) -> Any:
        captured.append(x)
        return g(2.0)

    for x in (1.0, 5.0):
        assert float(fad.grad(f)(x)) == 2.0
    captured.append(fad.asarray(7.0))
    assert float(g(2.0)) == 14.0
    assert float(fad.value_and_grad(f)(4.0)[0]) in (8.0, 14.0)  # an impure function


# ---------------------------------------------------------------------------- under transforms


def test_calls_under_every_transform() -> None:
    f = Counted(lambda x: np.sin(x) * x)
    g = fad.jit(f)
    slope = np.cos(X) * X + np.sin(X)
    curvature = 2 * np.cos(X) - X * np.sin(X)
    for _ in range(2):
        close(fad.grad(lambda x: g(x).sum())(X), slope)
        close(fad.jvp(g, (X,), (np.ones(3),))[1], slope)
        close(fad.vjp(g, X)[1](np.ones(3))[0], slope)
        close(fad.vmap(g)(np.stack([X, 2 * X])), np.sin([X, 2 * X]) * [X, 2 * X])
        close(fad.jacobian(g)(X), np.diag(slope))
        close(fad.hessian(lambda x: g(x).sum())(X), np.diag(curvature))
        close(fad.vmap(fad.grad(g))(X), slope)
        close(fad.jit(lambda x: g(x) + g(2 * x))(X), np.sin(X) * X + np.sin(2 * X) * 2 * X)
    assert f.calls <= 2  # for the vector and the number


def test_a_jitted_function_is_one_operation_of_the_program_around_it() -> None:
    g = fad.jit(lambda x: np.sin(x) * 2.0)
    names = [eqn.operation.name for eqn in fad.make_graph(lambda x: g(x) + 1.0)(X).equations]
    assert names.count("call") == 1
    assert "sin" not in names


def test_results_that_depend_on_no_input_and_integers_under_grad() -> None:
    g = fad.jit(lambda x, n: (x * n, 3.0, n + 1, x > 0))

    def f(x: Any) -> Any:
        y, c, m, positive = g(x, 2)
        return y * c + m * positive

    assert float(fad.grad(f)(5.0)) == 6.0
    assert float(fad.jvp(f, (5.0,), (1.0,))[1]) == 6.0


def test_jit_of_transforms() -> None:
    f = Counted(lambda x: (np.tanh(x) ** 2).sum())
    slope = 2 * np.tanh(X) / np.cosh(X) ** 2
    gradient = fad.jit(fad.grad(f))
    with compiling(1):
        for _ in range(3):
            close(gradient(X), slope)
    assert f.calls == 1
    value, again = fad.jit(fad.value_and_grad(f))(X)
    close(value, (np.tanh(X) ** 2).sum())
    close(again, slope)
    close(fad.jit(fad.vmap(lambda x: x * x))(X), X * X)
    _, pullback = fad.vjp(f, X)
    close(fad.jit(lambda c: pullback(c)[0])(1.0), slope)


def test_pullbacks_of_jitted_functions_within_jit() -> None:
    @fad.jit
    def f(x: Any) -> Any:
        _, pullback = fad.vjp(fad.jit(np.exp), x)
        return pullback(x)[0]

    close(f(X), X * np.exp(X))
    close(fad.jvp(f, (X,), (X,))[1], (np.exp(X) + X * np.exp(X)) * X)


# ------------------------------------------------------------------------------------- donation


def test_donated_memory() -> None:
    g = fad.jit(lambda state, x: {"w": state["w"] + x, "n": state["n"] + 1}, donate_argnums=0)
    state = {"w": fad.asarray(np.zeros(3)), "n": fad.asarray(0)}
    for i in range(1, 4):
        old, state = state, g(state, X)
        equal(state["w"], i * X)
        assert int(state["n"]) == i
        with pytest.raises(fad.FadError, match="donated"):
            np.asarray(old["w"])
    x = X.copy()
    equal(g({"w": x, "n": 1}, X)["w"], 2 * X)
    equal(x, X)  # what NumPy holds is copied


def test_donation_by_keyword_position_and_within_transforms() -> None:
    g = fad.jit(lambda x, y: x * y, donate_argnums=(-1,))
    x, y = fad.asarray(X), fad.asarray(2.0)
    equal(g(x, y), 2 * X)
    equal(x, X)
    x, y = fad.asarray(X), fad.asarray(2.0)
    equal(fad.grad(lambda x: g(x, y).sum())(x), np.full(3, 2.0))
    assert float(y) == 2.0  # inside a transform nothing is given away


def test_memory_that_others_hold_is_copied_before_it_is_given_away() -> None:
    g = fad.jit(lambda x: x * 2.0, donate_argnums=0)
    x = fad.asarray(X)
    same = fad.stop_gradient(x)
    equal(g(x), 2 * X)
    equal(same, X)
    x = fad.asarray(X)
    _, pullback = fad.vjp(lambda t: t**3, x)
    equal(g(x), 2 * X)
    with suppress(fad.FadError):  # if the tape has kept the tensor itself
        close(pullback(np.ones(3))[0], 3 * X**2)
    for number in (7, 7.0, 7, 7.0, fad.asarray(7), fad.asarray(7.0)):
        assert float(g(number)) == 14.0  # equal numbers share one buffer
    assert float(fad.asarray(X).sum() * 7 + 7.0) == X.sum() * 7 + 7.0
    both = fad.jit(lambda x, y: (x + y, x - y), donate_argnums=(0, 1))
    x = fad.asarray(X)
    equal(both(x, x)[0], 2 * X)
    one = fad.jit(lambda x, y: x + y, donate_argnums=0)
    x = fad.asarray(X)
    equal(one(x, x), 2 * X)


def test_a_donated_argument_that_the_function_has_captured() -> None:
    x = fad.asarray(X) + 0.0
    g = fad.jit(lambda y: y + x, donate_argnums=0)
    equal(g(X), 2 * X)
    equal(g(x), 2 * X)
    with pytest.raises(fad.FadError, match="donated"):
        g(X)


def test_memory_that_nobody_else_holds_is_reused() -> None:
    def pointer(x: Any) -> int:
        return x.block_until_ready().realize().unsafe_buffer_pointer()

    g = fad.jit(lambda x: x * 2.0, donate_argnums=0)
    x = fad.asarray(np.ones(1000)) + 0.0
    before = pointer(x)
    assert pointer(g(x)) == before


def test_a_donated_tensor_that_a_pending_computation_needs() -> None:
    g = fad.jit(lambda x: x * 2.0, donate_argnums=0)
    x = fad.asarray(X)
    pending = x + 1.0
    equal(g(x), 2 * X)
    equal(pending, X + 1.0)


# --------------------------------------------------------------------------------------- methods


class Model:
    """A class with jitted methods."""

    def __init__(self, w: Any) -> None:
        self.w = w
        self.calls = 0

    @fad.jit
    def apply(self, x: Any) -> Any:
        """Apply."""
        self.calls += 1
        return self.w * x

    @partial(fad.jit, static_argnames="n", donate_argnums=2)
    def scaled(self, n: int, x: Any) -> Any:
        self.calls += 1
        assert type(n) is int
        return self.w * n * x

    @staticmethod
    @fad.jit
    def double(x: Any) -> Any:
        return 2.0 * x


def test_methods() -> None:
    a, b = Model(2.0), Model(3.0)
    for _ in range(3):
        equal(a.apply(X), 2 * X)
        equal(b.apply(X), 3 * X)
        equal(a.apply(x=X), 2 * X)
        equal(Model.double(X), 2 * X)
    assert (a.calls, b.calls) == (2, 1)
    assert a.apply.__name__ == "apply"
    assert a.apply.__doc__ == "Apply."
    equal(fad.grad(lambda x: a.apply(x).sum())(X), np.full(3, 2.0))
    equal(Model.apply.__wrapped__(a, X), 2 * X)


def test_static_and_donated_arguments_of_methods_count_self() -> None:
    a = Model(2.0)
    x = fad.asarray(X)
    equal(a.scaled(3, x), 6 * X)
    with pytest.raises(fad.FadError, match="donated"):
        np.asarray(x)
    equal(a.scaled(n=4, x=X), 8 * X)
    calls = a.calls
    equal(a.scaled(3, fad.asarray(2 * X)), 12 * X)
    assert a.calls == calls


def test_an_object_with_jitted_methods_is_copied_pickled_and_freed_like_any() -> None:
    a = Model(2.0)
    equal(a.apply(X), 2 * X)
    assert vars(a) == {"w": 2.0, "calls": 1}
    for b in (copy.copy(a), copy.deepcopy(a), pickle.loads(pickle.dumps(a))):
        b.w = 5.0
        equal(b.apply(X), 5 * X)
        equal(a.apply(X), 2 * X)
    reference = weakref.ref(a)
    gc.collect()
    gc.disable()
    try:
        del a
        assert reference() is None
    finally:
        gc.enable()


def test_decorators() -> None:
    @partial(fad.jit, static_argnums=0)
    def first(n: int, x: Any) -> Any:
        return x * n

    @fad.jit(static_argnames=("n",))
    def second(x: Any, n: int = 2) -> Any:
        """Documented."""
        return x * n

    equal(first(3, X), 3 * X)
    equal(second(X), 2 * X)
    equal(second(X, n=4), 4 * X)
    assert (second.__name__, second.__doc__) == ("second", "Documented.")


def test_callables_whose_attributes_have_names_of_jits_own() -> None:
    class Callable:
        def __init__(self) -> None:
            self._call = self._result = self.graph = self.explain = None

        def __call__(self, x: Any) -> Any:
            return x * 2.0

    g = fad.jit(Callable())
    equal(g(X), 2 * X)
    assert g.explain().startswith("jit(Callable): 1 version")
    equal(fad.jit(partial(np.add, 1.0))(X), X + 1.0)


# --------------------------------------------------------------------------------- explanations


def test_explain_tells_what_was_compiled_where_and_why() -> None:
    @partial(fad.jit, static_argnames="n")
    def f(x: Any, n: int = 1) -> Any:
        return x * n

    assert f.explain() == "jit(f): 0 versions"
    f(X)
    f(X[:2])
    f(X[:2], n=3)
    f(X[:2], n=3)
    f(X[:2].astype(np.float32), n=3)
    text = f.explain()
    lines = text.splitlines()
    assert lines[0] == "jit(f): 4 versions"
    assert "(f64[3])" in lines[1]
    assert f"first met at {__file__}:" in lines[1]
    assert "it was the first call" in lines[2]
    assert "leaf 0 of the arguments is f64[2], before f64[3]" in lines[4]
    assert "f32[2]" in lines[7]
    assert "before f64[2]" in lines[8]


def test_explain_tells_of_static_arguments_and_structures() -> None:
    f = fad.jit(lambda x, n: x, static_argnums=1)
    f(1.0, 2), f(1.0, 3)
    assert "the static argument 1 is 3, before 2" in f.explain()
    g = fad.jit(lambda x: x)
    g([1.0]), g((1.0,))
    assert "another structure" in g.explain()


def test_graph_shows_what_is_compiled() -> None:
    f = fad.jit(lambda x: np.sin(x) + np.sin(x))
    names = [eqn.operation.name for eqn in f.graph(X).equations]
    assert names == ["sin", "add"]
    with compiling(0):
        f.graph(X)


# --------------------------------------------------------------------------- errors leave no trace


def test_an_error_in_the_function_leaves_jit_usable() -> None:
    def f(x: Any) -> Any:
        if x.shape == (2,):
            raise ZeroDivisionError
        return x * 2.0

    g = fad.jit(f)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            g(X[:2])
        equal(g(X), 2 * X)
        equal(fad.numpy.zeros(2), np.zeros(2))
    assert g.explain().startswith("jit(f): 1 version:") or "1 version" in g.explain()


def test_settings_within_and_around() -> None:
    g = fad.jit(lambda x: np.exp(x) * 1.75)
    with fad.config(compile="never"):
        close(g(X), np.exp(X) * 1.75)
    with fad.config(max_pending=1):
        close(g(X), np.exp(X) * 1.75)


def test_float0_results_are_constants() -> None:
    f = lambda p: np.sum(np.sin(p["x"])) * np.sum(p["n"])  # noqa: E731
    gradient = fad.grad(f, allow_int=True)
    for p in ({"x": X, "n": 3}, {"x": X, "n": np.arange(4)}):
        expected = gradient(p)
        for g in (fad.jit(gradient), fad.jit(fad.jit(gradient))):
            for _ in range(2):
                found = g(p)
                close(found["x"], expected["x"])
                assert found["n"].dtype == fad.float0
                assert found["n"].shape == np.shape(p["n"])
    hessian = fad.jit(fad.hessian(f, allow_int=True))({"x": X, "n": 3})
    close(hessian["x"]["x"], np.diag(-3.0 * np.sin(X)))
    assert (hessian["x"]["n"].shape, hessian["n"]["x"].dtype) == ((3,), fad.float0)
    only = fad.jit(fad.grad(lambda n: n * 2.0, allow_int=True))(3)
    assert (only.shape, only.dtype) == ((), fad.float0)
    (_, out), (tangent, none) = fad.jit(
        lambda x: fad.jvp(lambda x: (x * 2.0, 3), (x,), (np.ones(3),))
    )(X)
    assert int(out) == 3
    close(tangent, np.full(3, 2.0))
    assert none.dtype == fad.float0
    with pytest.raises(TypeError, match=r"returned a str at \['z'\]"):
        fad.jit(lambda p: {**gradient(p), "z": "text"})({"x": X, "n": 3})


def cube(x: Any) -> Any:
    return np.sum(x**3)


@pytest.mark.parametrize(
    "derivative",
    [
        lambda: fad.grad(cube)(X),
        lambda: fad.jacfwd(np.sin)(X),
        lambda: fad.jacrev(np.sin)(X),
        lambda: fad.jacobian(np.sin, chunk_size=2)(X),
        lambda: fad.hessian(cube)(X),
        lambda: fad.value_grad_and_hessian(cube)(X)[2],
        lambda: fad.hvp(cube, (X,), (X,))[0],
        lambda: fad.vhp(cube, (X,), (X,))[0],
        lambda: fad.gnvp(np.sin, (X,), (X,))[0],
        lambda: fad.linearize(fad.jit(np.sin), X)[1].matrix(),
    ],
)
def test_derivatives_at_constants_inside_jit(derivative: Any) -> None:
    scaled = fad.jit(lambda s: s * derivative())
    found = [np.asarray(scaled(s)) for s in (1.0, 2.0)]  # before there is anything to replay
    expected = np.asarray(derivative())
    close(found, [expected, 2.0 * expected])
    close(fad.jit(lambda s: s * derivative())(3.0), 3.0 * expected)
