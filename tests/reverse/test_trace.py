"""trace: tapes to look at and to run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fad
from fad.reverse import Engine, GraphTask, Tape
from tests.transforms.containers import CONTAINERS, B, W, structure

X = np.array([0.5, -1.25, 2.0])


def test_a_tape_prints_its_nodes() -> None:
    tape = fad.reverse.trace(lambda x, y: np.sin(x) * y + x)(X, 2.0)
    assert str(tape).splitlines() == [
        "#0 input -> f64[3]",
        "#1 input -> f64~",
        "#2 sin #0 -> f64[3]  saves 24 bytes",
        "#3 mul #2 #1 -> f64[3]  saves 32 bytes",
        "#4 add #3 #0 -> f64[3]",
    ]
    assert len(tape) == 5
    np.testing.assert_allclose(tape.value, np.sin(X) * 2.0 + X)


def test_a_tape_is_pulled_many_times() -> None:
    tape = fad.reverse.trace(lambda x, y: (x * y, x.sum()))(X, 2.0)
    for _ in range(2):
        gx, gy = tape.pull(np.ones(3), 10.0)
        np.testing.assert_array_equal(gx, np.full(3, 12.0))
        np.testing.assert_allclose(gy, X.sum())
    task = GraphTask(tape.outputs[1:], [fad.asarray(1.0)], tape.inputs[:1], keep_graph=True)
    np.testing.assert_array_equal(Engine().execute(task)[0], np.ones(3))


@pytest.mark.parametrize("name", CONTAINERS)
def test_trees(name: str) -> None:
    tree, parts = CONTAINERS[name]
    tape = fad.reverse.trace(lambda t, n: {"y": parts(t)[0] @ parts(t)[1] * n, "t": t})(tree, 3)
    assert len(tape.inputs) == 2  # the integer is none
    assert structure(tape.value["t"]) == structure(tree)
    np.testing.assert_allclose(tape.value["y"], 3 * W @ B)
    assert all(isinstance(leaf, fad.Array) for leaf in fad.core.pytree.flatten(tape.value)[0])


def test_outputs_that_depend_on_nothing() -> None:
    tape = fad.reverse.trace(lambda x: (x * 1.0, 3.0, x > 0, np.ones(2)))(X)
    assert [edge is None for edge in tape.outputs] == [False, True, True, True]
    (g,) = tape.pull(np.ones(3), None, None, None)
    np.testing.assert_array_equal(g, np.ones(3))
    alone = fad.reverse.trace(lambda x: 2.0)(X)
    assert (len(alone), alone.pull(1.0)) == (0, [None])
    assert alone.summary().splitlines()[0].startswith("operation")


def test_keyword_arguments_are_constants() -> None:
    tape = fad.reverse.trace(lambda x, *, scale: x * scale)(X, scale=fad.asarray(2.0))
    assert len(tape.inputs) == 1


def test_the_summary_counts_bytes_and_nodes() -> None:
    def f(x: Any) -> Any:
        for _ in range(3):
            x = np.sin(x)
        return x.sum()

    tape = fad.reverse.trace(f)(np.ones(1024))
    rows = {row.name: row for row in tape.rows()}
    assert rows["sin"].nodes == 3
    assert rows["sin"].result_bytes == 3 * 8192
    assert rows["sin"].saved_bytes == 3 * 8192
    assert rows["sin"].forward > 0.0
    assert rows["sin"].backward > 0.0
    assert rows["input"].nodes == 1
    lines = tape.summary().splitlines()
    assert lines[0].split() == ["operation", "count", "results", "saved", "forward", "backward"]
    assert any(line.split()[:5] == ["sin", "3", "24.0", "KiB", "24.0"] for line in lines)
    assert lines[-1].split()[:2] == ["total", "5"]


def test_tracing_a_gradient_shows_the_nodes_of_both_passes() -> None:
    tape = fad.reverse.trace(fad.grad(lambda x: np.sin(x)))(2.0)
    np.testing.assert_allclose(tape.value, np.cos(2.0))
    assert "cos" in [node.name for node in tape.nodes]
    np.testing.assert_allclose(tape.pull(1.0)[0], -np.sin(2.0))


def test_a_tape_of_jitted_and_mapped_functions() -> None:
    tape = fad.reverse.trace(lambda x: fad.jit(np.sin)(x).sum())(X)
    assert "call" in [node.name for node in tape.nodes]
    np.testing.assert_allclose(tape.pull(1.0)[0], np.cos(X))
    tape = fad.reverse.trace(fad.vmap(np.sin))(X)
    np.testing.assert_allclose(tape.pull(np.ones(3))[0], np.cos(X))


def test_a_tape_outlives_the_call_but_its_tensors_do_not() -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        kept.append(x * 2.0)
        return kept[0].sum()

    tape = fad.reverse.trace(f)(X)
    assert isinstance(tape, Tape)
    with pytest.raises(fad.FadError, match=r"escaped from trace\(f\)"):
        kept[0] + 1.0
    np.testing.assert_array_equal(tape.pull(1.0)[0], np.full(3, 2.0))
