"""Tapes of which the stream tells: nodes are made when asked for, and gradients are the same."""

from __future__ import annotations

import contextlib
import gc
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import fad
import fad.numpy as fnp
from fad.core import stream
from fad.reverse import stream_tape
from fad.reverse.node import next_sequence
from fad.reverse.stream_tape import StreamTape

X = np.array([0.5, -1.25, 2.0])


def three_times(f: Callable[[Any], Any], expected: Callable[[Any], Any]) -> None:
    """The first call makes a memo, the second takes it over, and the third, elsewhere."""
    gradient = fad.grad(f)
    for x in (X, X, X + 0.25):
        np.testing.assert_allclose(gradient(x), expected(x), rtol=1e-12)


def test_a_replayed_gradient_makes_no_node() -> None:
    gradient = fad.grad(lambda x: (np.sin(x) * x + 2.0).sum())
    for _ in range(2):
        gradient(X)
    before = next_sequence()
    gradient(X)
    assert next_sequence() == before + 1


def test_nodes_can_be_looked_at_while_the_function_runs() -> None:
    names: list[str] = []

    def f(x: Any) -> Any:
        y = np.sin(x)
        names.append(y.node.name)
        z = y * x
        assert z.node.parents == (y.node, x.node)
        assert z.output_nr == 0
        return z.sum()

    three_times(f, lambda x: np.sin(x) + x * np.cos(x))
    assert names == ["sin"] * 3


def test_what_is_computed_beneath_is_not_taped() -> None:
    def f(x: Any) -> Any:
        largest = fad.stop_gradient(fnp.max(x))
        return (x / largest).sum() + np.where(x > 0, x, 2.0 * x).sum()

    three_times(f, lambda x: 1 / x.max() + np.where(x > 0, 1.0, 2.0))


def test_values_read_on_the_way_are_flushes_and_nothing_is_lost() -> None:
    def f(x: Any) -> Any:
        y = x
        while float(np.abs(y).max()) < 20.0:  # what is saved before each reading is needed at last
            y = y * np.exp(0.1 * x) * 1.5
        return (y * y).sum()

    def expected(x: Any) -> Any:
        y, slope = x, np.ones(3)
        while np.abs(y).max() < 20.0:
            factor = 1.5 * np.exp(0.1 * x)
            y, slope = y * factor, slope * factor + 0.1 * y * factor
        return 2 * y * slope

    three_times(f, expected)


def test_a_tensor_of_another_level_ends_what_the_stream_tells() -> None:
    def outer(c: Any) -> Any:
        def f(x: Any) -> Any:
            y = np.sin(x) * 2.0  # told by the stream
            return (y * c * x).sum()  # c is a dual tensor

        return fad.grad(f)(X)

    for c in (1.0, 3.0, 3.0):
        value, tangent = fad.jvp(outer, (c,), (2.0,))
        slope = 2 * (np.cos(X) * X + np.sin(X))
        np.testing.assert_allclose(value, c * slope, rtol=1e-12)
        np.testing.assert_allclose(tangent, 2.0 * slope, rtol=1e-12)


def test_a_run_that_becomes_too_long_goes_on_with_nodes(monkeypatch: Any) -> None:
    for module in (stream, stream_tape):
        monkeypatch.setattr(module, "MAX_RUN", 40)

    def f(x: Any) -> Any:
        for _ in range(30):
            x = np.sin(x) * 1.05
        return x.sum()

    def expected(x: Any) -> Any:
        slope = np.ones(3)
        for _ in range(30):
            x, slope = np.sin(x) * 1.05, slope * np.cos(x) * 1.05
        return slope

    for limit in (7, 16, 1024):
        with fad.config(max_pending=limit):
            three_times(f, expected)


def test_another_thread_goes_on_with_a_tape() -> None:
    def f(x: Any) -> Any:
        y = np.sin(x)
        with ThreadPoolExecutor(1) as pool:
            z = pool.submit(lambda: y * x + 1.0).result()
        return (z * y).sum()

    def expected(x: Any) -> Any:
        s, c = np.sin(x), np.cos(x)
        return 2 * s * c * x + s * s + c

    three_times(f, expected)


def test_results_of_several_kinds_and_integers_beside_them() -> None:
    def f(x: Any) -> Any:
        matrix = fnp.outer(x, x) + 3.0 * fnp.eye(3)
        sign, log = np.linalg.slogdet(matrix)
        order = np.argsort(x)
        fraction, _ = np.modf(x)
        return sign * log + (x[order] * np.arange(3.0)).sum() + fraction.sum()

    def expected(x: Any) -> Any:
        inverse = np.linalg.inv(np.outer(x, x) + 3.0 * np.eye(3))
        ranks = np.argsort(np.argsort(x)).astype(float)
        return 2 * inverse @ x + ranks + 1.0

    three_times(f, expected)


def test_an_escaped_tensor_names_the_operation_that_made_it() -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        kept.append(np.sin(x))
        return kept[-1].sum()

    for _ in range(2):
        fad.grad(f)(X)
        for use in (lambda: kept[-1] * 2.0, lambda: np.asarray(kept[-1])):
            with pytest.raises(fad.FadError, match=r"escaped .*made by `sin`"):
                use()


def test_a_tape_dies_by_reference_count() -> None:
    def f(x: Any) -> Any:
        if float(x.sum()) > 0:
            return (np.sin(x) * x).sum()
        return x.sum()

    def tapes() -> list[Any]:
        return [x for x in gc.get_objects() if isinstance(x, StreamTape)]

    gc.collect()
    gc.disable()
    try:
        before = tapes()
        for _ in range(3):
            fad.grad(f)(X)
        assert [x for x in tapes() if x not in before] == []
    finally:
        gc.enable()


def test_a_function_that_raises_leaves_no_tape_behind() -> None:
    def fails(x: Any) -> Any:
        y = np.sin(x)
        float(y.sum())
        raise KeyError("mine")

    def f(x: Any) -> Any:
        with contextlib.suppress(KeyError):
            fad.grad(fails)(2.0 * X)
        return (x * x).sum()

    for _ in range(2):
        with pytest.raises(KeyError):
            fad.grad(fails)(X)
        three_times(f, lambda x: 2 * x)


@pytest.mark.parametrize("transform", [fad.grad, fad.hessian, lambda f: fad.grad(fad.grad(f))])
def test_settings_may_change_within_a_function(transform: Any) -> None:
    def f(x: Any, **settings: Any) -> Any:
        y = np.sin(x) * x
        with fad.config(**settings):
            z = np.exp(y) * y
        return z * np.cos(y)

    expected = float(transform(f)(0.7))
    for _ in range(2):
        for settings in ({"compile": "never"}, {"max_pending": 1}, {"replay": False}):
            found = transform(lambda x, settings=settings: f(x, **settings))(0.7)
            assert float(found) == pytest.approx(expected, rel=1e-14)


def test_threads_meet_a_tape_at_once(monkeypatch: Any) -> None:
    """Each would make the nodes that the stream tells of, and cotangents be lost among twins."""

    def slowly(function: Any) -> Any:
        return lambda *args: (time.sleep(0.003), function(*args))[1]

    for name in ("input_node", "next_sequence"):
        monkeypatch.setattr(stream_tape, name, slowly(getattr(stream_tape, name)))
    barrier = threading.Barrier(4)

    def piece(x: Any, y: Any, k: int) -> Any:
        barrier.wait(10)
        time.sleep(0.001 * k)
        return np.sin(x * y) * x

    with ThreadPoolExecutor(4) as pool:

        def f(x: Any) -> Any:
            y = x * x
            return sum(pool.map(lambda k: piece(x, y, k), range(4)))

        for _ in range(5):
            expected = 4 * (3 * 0.7**3 * np.cos(0.7**3) + np.sin(0.7**3))
            assert float(fad.grad(f)(0.7)) == pytest.approx(expected, rel=1e-13)
