"""Dual tensors and explicit dual levels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fad
from fad.forward import DualTensor, dual_level, make_dual, unpack_dual

X = np.array([0.5, -1.25, 2.0])
V = np.array([1.0, -0.5, 0.25])


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-12, atol=1e-12)


def test_values_and_tangents_go_along() -> None:
    with dual_level() as level:
        x = make_dual(level, X, V)
        assert isinstance(x, DualTensor)
        assert (x.shape, x.dtype, x.ndim) == ((3,), np.float64, 1)
        value, tangent = unpack_dual(level, np.sin(x) * x + 2.0)
    close(value, np.sin(X) * X + 2.0)
    close(tangent, (np.cos(X) * X + np.sin(X)) * V)


def test_what_has_no_tangent_is_no_dual() -> None:
    with dual_level() as level:
        x = make_dual(level, X, V)
        for y in (x > 0, np.argmax(x), x.astype(int), fad.stop_gradient(x), fad.asarray(X) * 2.0):
            assert not isinstance(y, DualTensor)
            assert unpack_dual(level, y)[1] is None
        assert unpack_dual(level, 3.0) == (3.0, None)


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 6])
def test_levels_nest_to_any_depth(depth: int) -> None:
    def derivative(order: int, x: Any) -> Any:
        """The derivative of exp(2 x) of this order, one level each."""
        if order == 0:
            return np.exp(2.0 * x)
        with dual_level() as level:
            lower = derivative(order - 1, make_dual(level, x, 1.0))
            return unpack_dual(level, lower)[1]

    close(derivative(depth, fad.asarray(0.25)), 2.0**depth * np.exp(0.5))


def test_levels_are_told_apart() -> None:
    with dual_level() as outer:
        x = make_dual(outer, 3.0, 1.0)
        with dual_level() as inner:
            y = make_dual(inner, 5.0, 1.0)
            z = x * y
            value, by_y = unpack_dual(inner, z)
            with pytest.raises(ValueError, match=r"unpack_dual: .* is of dual_level called at"):
                unpack_dual(outer, z)  # the inner level lies above: its tangent lies beneath
        assert float(unpack_dual(outer, by_y)[0]) == 3.0
        assert float(unpack_dual(outer, by_y)[1]) == 1.0
        assert float(unpack_dual(outer, value)[1]) == 5.0


def test_no_tangent_is_taken_for_zero_that_lies_beneath() -> None:
    with dual_level() as level:
        x = make_dual(level, X, V)
        message = r"unpack_dual: the tensor f64~? is of vmap\(.*, which began after dual_level"
        with pytest.raises(ValueError, match=message):
            fad.vmap(lambda t: unpack_dual(level, t * t)[0])(x)
        primal, tangent = unpack_dual(level, fad.vmap(lambda t: t * t)(x))
    close(primal, X * X)
    close(tangent, 2 * X * V)
    message = "escaped from dual_level called at"
    with dual_level() as later, pytest.raises(RuntimeError, match=message):
        unpack_dual(later, x)
    with pytest.raises(TypeError, match=r"unpack_dual takes a level first, got a float"):
        unpack_dual(1.0, x)  # type: ignore[arg-type]


def test_a_dual_of_a_dual_of_its_own_level_beneath() -> None:
    with dual_level() as first, dual_level() as second:
        x = make_dual(second, make_dual(first, 2.0, 1.0), 1.0)
        cube = x * x * x
        value, tangent = unpack_dual(second, cube)
        assert [float(p) for p in unpack_dual(first, value)] == [8.0, 12.0]
        assert [float(p) for p in unpack_dual(first, tangent)] == [12.0, 12.0]


def test_duals_under_the_other_transforms() -> None:
    with dual_level() as level:
        x = make_dual(level, X, V)
        value, tangent = unpack_dual(level, fad.grad(lambda t: (t**3).sum())(x))
        close(value, 3 * X**2)
        close(tangent, 6 * X * V)
        value, tangent = unpack_dual(level, fad.vmap(lambda t: t * t)(x))
        close(tangent, 2 * X * V)
        value, tangent = unpack_dual(level, fad.jit(np.sin)(x))
        close(tangent, np.cos(X) * V)
        value, tangent = unpack_dual(level, fad.jvp(np.sin, (x,), (x,))[1])
        close(tangent, (np.cos(X) - np.sin(X) * X) * V)

    def f(a: Any) -> Any:
        with dual_level() as inner:
            return unpack_dual(inner, make_dual(inner, a, 1.0) ** 4)[1]

    close(fad.grad(f)(2.0), 48.0)
    close(fad.vmap(f)(X), 4 * X**3)
    close(fad.jit(f)(2.0), 32.0)


def test_float_int_and_bool_of_a_dual_are_those_of_its_value() -> None:
    with dual_level() as level:
        x = make_dual(level, 2.5, 1.0)
        assert (float(x), int(x), bool(x > 2.0)) == (2.5, 2, True)


def test_tangents_keep_dtype_and_shape() -> None:
    with dual_level() as level:
        x = make_dual(level, X.astype(np.float32), V.astype(np.float32))
        for y in (x * 2.0, x.sum(), np.stack([x, x]), x[1:], x.astype(np.float64), x * 1j):
            value, tangent = unpack_dual(level, y)
            assert (value.shape, value.dtype) == (tangent.shape, tangent.dtype)


def test_broadcast_tangents() -> None:
    with dual_level() as level:
        x = make_dual(level, 2.0, 1.0)
        close(unpack_dual(level, x * fad.asarray(X))[1], X)
        close(unpack_dual(level, x + np.ones((2, 3)))[1], np.ones((2, 3)))


# ---------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("primal", "tangent", "text"),
    [
        (3, 1, "floating-point or complex primal, got int64"),
        (np.arange(3), V, "floating-point or complex primal"),
        (X, V[:2], r"the primal is f64\[3\], the tangent f64\[2\]"),
        (X, V.astype(np.float32), r"the tangent f32\[3\]"),
        (X, 1.0, r"the tangent f64"),
        (X, 1j * V, r"the tangent c128\[3\]"),
        ("text", V, "got str"),
        (X, None, "got NoneType"),
    ],
)
def test_primal_and_tangent_must_agree(primal: Any, tangent: Any, text: str) -> None:
    with dual_level() as level, pytest.raises(TypeError, match=text) as caught:
        make_dual(level, primal, tangent)
    assert isinstance(caught.value, fad.FadError)
    assert f"at {__file__}:" in str(caught.value)


def test_a_python_number_is_the_tangent_of_any_number() -> None:
    with dual_level() as level:
        x = make_dual(level, np.float32(2.0), np.float32(1.0))
        assert unpack_dual(level, x * x)[1].dtype == np.float32


def test_a_level_that_has_ended_makes_no_duals_and_takes_none() -> None:
    with dual_level() as level:
        x = make_dual(level, 2.0, 1.0)
        y = x * x
    assert float(unpack_dual(level, y)[1]) == 4.0  # what was computed can be read
    for use in (lambda: y * 2.0, lambda: float(y), lambda: np.sin(x)):
        with pytest.raises(fad.FadError, match="escaped from dual_level called at"):
            use()


def test_a_level_that_has_ended_refuses_at_once() -> None:
    with dual_level() as level:
        pass
    with pytest.raises(fad.FadError, match="has ended") as caught:
        make_dual(level, 2.0, 1.0)
    assert isinstance(caught.value, RuntimeError)
    assert "Make dual tensors within its with block" in str(caught.value)
    assert f"dual_level called at {__file__}:" in str(caught.value)
    with dual_level() as late:
        gone = make_dual(late, 2.0, 1.0)
    for primal, tangent in ((gone, 1.0), (1.0, gone)):
        with dual_level() as level, pytest.raises(fad.FadError, match="escaped from dual_level"):
            make_dual(level, primal, tangent)


def test_what_a_dual_tensor_is_made_of_lies_beneath_its_level() -> None:
    def later(x: Any) -> Any:
        for primal, tangent, kind in ((x, 1.0, "primal"), (1.0, x, "tangent")):
            with pytest.raises(ValueError, match=f"make_dual: the {kind} f64") as caught:
                make_dual(first, primal, tangent)
            message = str(caught.value)
            assert isinstance(caught.value, fad.FadError)
            assert f"which began after dual_level called at {__file__}:" in message
            assert "at a level that begins now: with fad.forward.dual_level()" in message
        with dual_level() as now:  # as the message says
            return unpack_dual(now, make_dual(now, x, 1.0) ** 3)[1]

    with dual_level() as first:
        with dual_level() as second:
            x = make_dual(second, 2.0, 1.0)
            value, tangent = unpack_dual(second, later(x))
            assert [float(value), float(tangent)] == [12.0, 12.0]
        assert float(fad.grad(later)(2.0)) == 12.0
        assert float(fad.jit(later)(2.0)) == 12.0
        np.testing.assert_array_equal(fad.vmap(later)(X), 3 * X**2)
        y = make_dual(first, 2.0, 1.0)
        for primal, tangent in ((y, 1.0), (1.0, y)):
            with pytest.raises(ValueError, match="is of that level itself, dual_level called at"):
                make_dual(first, primal, tangent)


@pytest.mark.parametrize("level", [dual_level(), X, None])
def test_a_level_is_one(level: Any) -> None:
    with pytest.raises(TypeError, match="make_dual takes a level first, got") as caught:
        make_dual(level, 2.0, 1.0)
    assert isinstance(caught.value, fad.FadError)
    assert "with fad.forward.dual_level() as level" in str(caught.value)


def test_an_error_within_ends_the_level() -> None:
    kept: list[Any] = []

    def fails() -> None:
        with dual_level() as level:
            kept.append(make_dual(level, 2.0, 1.0))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    with pytest.raises(fad.FadError, match="escaped"):
        kept[0] * 2.0
