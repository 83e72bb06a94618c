"""Graphs: the printed form, CSE, DCE and declared simplifications."""

from __future__ import annotations

import sys

import numpy as np

import fad
from fad.core.graph import Equation, Graph, eliminate_common, eliminate_dead, evaluate, simplify
from fad.core.primitive import Primitive
from fad.primitives.arithmetic import add, mul, neg
from fad.staging.call import operation_of, run_graph
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


def test_a_called_graph_stands_below_its_call() -> None:
    inner = fad.jit(lambda v: np.sin(v) * 2)
    graph = fad.make_graph(lambda v: inner(v) + 1)(np.ones(3))
    assert str(graph) == (
        "graph(a: f64[3]):\n"
        "  b: f64[3] = call[graph=#1] a\n"
        "    #1 = graph(a: f64[3]):\n"
        "      b: f64[3] = sin a\n"
        "      c: f64~ = scalar[kind=float, text=2.0]\n"
        "      d: f64[3] = mul b c\n"
        "      return d\n"
        "  c: f64~ = scalar[kind=float, text=1.0]\n"
        "  d: f64[3] = add b c\n"
        "  return d"
    )


def test_a_graph_that_is_called_often_stands_once_at_any_depth() -> None:
    f = fad.jit(lambda x: np.sin(x))
    for _ in range(30):  # a billion sines
        f = fad.jit(lambda x, f=f: f(f(x)))
    lines = str(fad.make_graph(f)(np.ones(3))).splitlines()
    assert lines[:5] == [
        "graph(a: f64[3]):",
        "  b: f64[3] = call[graph=#1] a",
        "    #1 = graph(a: f64[3]):",
        "      b: f64[3] = call[graph=#2] a",
        "        #2 = graph(a: f64[3]):",
    ]
    assert lines[-5:] == [
        "          c: f64[3] = call[graph=#3] b",
        "          return c",
        "      c: f64[3] = call[graph=#2] b",
        "      return c",
        "  return b",
    ]
    assert lines.count(31 * "    " + "#31 = graph(a: f64[3]):") == 1
    assert sum("sin" in line for line in lines) == 1


def test_operations_of_several_graphs_name_each() -> None:
    one, two = (fad.make_graph(f)(1.0) for f in (neg, lambda x: add(x, x)))
    branch = Primitive("test_branch", lambda x, **graphs: x, infer=lambda x, **graphs: x)
    aval = fad.asarray(1.0).aval
    equation = Equation(branch(size=2, yes=one, no=two, other=one), (0,), (1,))
    assert str(Graph([aval] * 2, [0], [equation], [1])).splitlines() == [
        "graph(a: f64):",
        "  b: f64 = test_branch[size=2, yes=#1, no=#2, other=#1] a",
        "    #1 = graph(a: f64~):",
        "      b: f64~ = neg a",
        "      return b",
        "    #2 = graph(a: f64~):",
        "      b: f64~ = add a a",
        "      return b",
        "  return b",
    ]


def test_graphs_nested_deeper_than_the_stack_are_printed() -> None:
    aval, depth = fad.asarray(1.0).aval, sys.getrecursionlimit() + 100
    graph = Graph([aval] * 2, [0], [Equation(neg.operation, (0,), (1,))], [1])
    for _ in range(depth):
        graph = Graph([aval] * 2, [0], [Equation(operation_of(graph), (0,), (1,))], [1])
    lines = str(graph).splitlines()
    assert lines[2 * depth] == "    " * depth + f"#{depth} = graph(a: f64):"
    assert lines[2 * depth + 1] == "    " * depth + "  b: f64 = neg a"


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
