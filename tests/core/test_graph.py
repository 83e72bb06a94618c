"""Graphs: the printed form, CSE, DCE and declared simplifications."""

from __future__ import annotations

import numpy as np

import fad
from fad.core.graph import Equation, Graph, eliminate_common, eliminate_dead, evaluate, simplify
from fad.primitives.arithmetic import add, mul, neg
from fad.staging.call import run_graph
from fad.staging.capture import capture


def test_printed_form() -> None:
    graph = fad.make_graph(lambda x, y: add(mul(x, 2.0), y))(np.ones(3), np.ones((2, 3)))
    assert str(graph) == (
        "graph(a: f64[3], b: f64[2,3]):\n"
        "  c: f64~ = scalar[kind=float, text=2.0]\n"
        "  d: f64[3] = mul a c\n"
        "  e: f64[2,3] = add d b\n"
        "  return e"
    )


def test_graphs_are_equal_up_to_names() -> None:
    one = fad.make_graph(lambda x: mul(add(x, x), x))(1.0)
    two = fad.make_graph(lambda y: mul(add(y, y), y))(2.0)
    other = fad.make_graph(lambda y: mul(add(y, y), add(y, y)))(2.0)
    assert one == two
    assert hash(one) == hash(two)
    assert one != other


def test_common_expressions_are_computed_once_and_dead_ones_not_at_all() -> None:
    def f(x: object) -> list[object]:
        neg(add(x, x))
        return [mul(add(x, x), add(x, x))]

    aval = fad.asarray(1.0).aval
    graph, _ = capture(f, [aval])
    assert len(graph.equations) == 5
    assert [e.operation.name for e in eliminate_common(graph).equations] == ["add", "neg", "mul"]
    assert [e.operation.name for e in simplify(graph).equations] == ["add", "mul"]
    assert len(eliminate_dead(graph).equations) == 3


def test_evaluate_frees_values_after_their_last_use() -> None:
    aval = fad.asarray(1.0).aval
    op = add.operation
    chain = [Equation(op, (i, i), (i + 1,)) for i in range(5)]
    graph = Graph([aval] * 6, [0], chain, [5])
    assert evaluate(graph, [1.0], lambda operation, xs, avals: xs[0] + xs[1]) == [32.0]
    assert float(run_graph(graph, [fad.asarray(1.0)])[0]) == 32.0


def test_two_transposes_cancel() -> None:
    graph = fad.make_graph(lambda x: fad.numpy.transpose(fad.numpy.transpose(x)))(np.ones((2, 3)))
    assert not graph.equations
    assert graph.outputs == graph.inputs
