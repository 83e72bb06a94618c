"""Programs: what they take from the stream, and how those run that are not compiled whole."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import fad
from fad.core import kernels, program
from fad.core.graph import Equation, Graph
from fad.core.tensor import lift
from fad.primitives.arithmetic import add, mul, sub
from fad.primitives.transcendental import sin

LARGE = program.LARGE_BYTES // 8


@pytest.fixture
def kernelwise() -> Iterator[None]:
    with fad.config(compile="never"):
        yield


def _donated(function: Any, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[int, ...]]]:
    """Operation and overwritten operand of each kernel that a call runs."""
    seen = []
    plain = program._overwritten

    def spy(graph: Graph, eqn: Equation, dead: list[int]) -> tuple[int, ...]:
        donated = plain(graph, eqn, dead)
        seen.append((eqn.operation.name, donated))
        return donated

    monkeypatch.setattr(program, "_overwritten", spy)
    program._programs.clear()
    np.asarray(function())
    return seen


@pytest.mark.usefixtures("kernelwise")
def test_a_large_operand_that_dies_is_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    x = lift(np.linspace(0.0, 1.0, LARGE))
    seen = _donated(lambda: sub(1.0, add(sin(x), x)), monkeypatch)
    assert seen == [("sin", ()), ("add", (0,)), ("sub", (1,))]  # x is the caller's
    np.testing.assert_array_equal(np.asarray(x), np.linspace(0.0, 1.0, LARGE))


@pytest.mark.usefixtures("kernelwise")
def test_what_is_read_again_or_twice_is_not_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.linspace(0.0, 1.0, LARGE)
    y = sin(lift(x))
    kept: list[Any] = []

    def function() -> Any:
        square = mul(y, y)
        kept.append(square)
        return mul(add(square, y), add(square, square))

    seen = _donated(function, monkeypatch)
    assert seen == [("sin", ()), ("mul", ()), ("add", ()), ("add", ()), ("mul", (0,))]
    s = np.sin(x)
    np.testing.assert_allclose(np.asarray(kept[0]), s * s, rtol=1e-15)
    np.testing.assert_allclose(np.asarray(y), s, rtol=1e-15)


@pytest.mark.parametrize("mode", ["never", "always", "auto"])
def test_every_kind_of_scalar_reaches_its_place(mode: Any) -> None:
    def function(x: Any, n: Any, z: Any) -> Any:
        k = n * 3 + 7 - n // 2
        w = z * (2.0 + 1.0j) + 0.25
        return np.sum(np.where(True, x * 0.5 + 1.5, x - 2.5) * k) + np.sum((w * 2).real) - 0.125

    x, n, z = np.linspace(0.0, 1.0, 4), np.arange(4), np.array([1.0 - 1.0j, 0.5j])
    with fad.config(compile=mode):
        for _ in range(3):
            found = function(lift(x), lift(n), lift(z))
            np.testing.assert_allclose(np.asarray(found), function(x, n, z), rtol=1e-15)


@pytest.mark.parametrize("mode", ["never", "always"])
def test_packed_floats_keep_their_signs_and_are_not_confused(mode: Any) -> None:
    with fad.config(compile=mode):
        for a, b in [(0.0, -0.0), (-0.0, 0.0), (0.0, 0.0), (np.nan, 1.0), (1.0, np.nan)] * 3:
            x = lift(np.ones(3))
            first, second = np.asarray(mul(x, a)), np.asarray(mul(mul(x, a), mul(x, b)))
            np.testing.assert_array_equal(first, np.full(3, a))
            np.testing.assert_array_equal(np.signbit(first), np.signbit(np.full(3, a)))
            np.testing.assert_array_equal(np.signbit(second[0]), np.signbit(a * b))


@pytest.fixture
def hold_little(monkeypatch: pytest.MonkeyPatch) -> int:
    """A bound on compiled code that a few programs reach."""
    program._holding.clear()
    monkeypatch.setattr(program, "MAX_HELD", 400)
    return 400


def _chain(length: int) -> Any:
    return lambda x: np.sum(functools.reduce(lambda y, k: np.sin(y) * (k + 1.0), range(length), x))


@pytest.mark.parametrize("mode", ["never", "always", "auto"])
def test_what_streams_hold_of_compiled_code_is_bounded(hold_little: int, mode: Any) -> None:
    x = np.linspace(0.1, 0.9, 4)
    gradients = [fad.grad(_chain(length)) for length in range(2, 14)]
    with fad.config(compile=mode):
        first = []
        for gradient in gradients:
            first.append(np.asarray(gradient(x)).tobytes())
            assert 0 < sum(program._holding.values()) <= hold_little
        assert len(program._holding) < len(gradients)
        # What was released is compiled again, and computes the same.
        assert [np.asarray(gradient(x)).tobytes() for gradient in gradients] == first


def test_one_program_above_the_bound_is_held(hold_little: int) -> None:
    gradient, x = fad.grad(_chain(200)), np.linspace(0.1, 0.9, 4)
    with fad.config(compile="always"):
        gradient(x).block_until_ready()
        assert next(iter(program._holding.values())) > hold_little
        before = kernels.compilations()
        gradient(x).block_until_ready()
    assert kernels.compilations() == before


def test_a_jitted_function_keeps_what_streams_release(hold_little: int) -> None:
    x = np.linspace(0.1, 0.9, 4)
    jitted = fad.jit(fad.grad(_chain(3)))
    expected = np.asarray(jitted(x)).tobytes()
    for length in range(20, 26):
        fad.grad(_chain(length))(x).block_until_ready()
    assert all(held.mode != "always" for held in program._holding)  # it was released
    before = kernels.compilations()
    assert np.asarray(jitted(x)).tobytes() == expected
    assert kernels.compilations() == before


def test_a_program_may_be_let_go_of_by_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    class Racing(OrderedDict[Any, Any]):
        def get(self, key: Any, default: Any = None) -> Any:
            found = super().get(key, default)
            self.clear()  # as that thread would, between this and the next line here
            return found

    monkeypatch.setattr(program, "_programs", Racing())
    graph = fad.make_graph(np.sin)(np.ones(3))
    first, _ = program.program_for(graph, "auto")
    assert program.program_for(graph, "auto")[0] is first
