"""The tape: nodes, edges, what is saved, and what never gets a node."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fad
from fad.primitives import arithmetic, transcendental
from fad.reverse import Edge, InputMetadata, TapeLevel, TapeTensor
from fad.reverse.pullback import Recording

X = np.array([0.5, -1.25, 2.0])


def seen(f: Any, *args: Any) -> list[Any]:
    """What a function keeps of the tensors it meets, under grad of their sum."""
    kept: list[Any] = []
    fad.grad(lambda *xs: f(kept.append, *xs), tuple(range(len(args))))(*args)
    return kept


def test_a_taped_tensor_knows_its_node() -> None:
    def f(keep: Any, x: Any, y: Any) -> Any:
        z = x * y
        for tensor in (x, y, z):
            assert isinstance(tensor, TapeTensor)
            assert isinstance(tensor.level, TapeLevel)
            keep((tensor.node, tensor.output_nr))
        return z.sum()

    (x, _), (y, _), (z, nr) = seen(f, X, 2.0)
    assert [n.name for n in (x, y, z)] == ["input", "input", "mul"]
    assert z.edges == (Edge(x, 0), Edge(y, 0))
    assert z.parents == (x, y)
    assert nr == 0
    assert x.edges == ()
    assert x.sequence < y.sequence < z.sequence
    assert z.metadata == (InputMetadata((3,), np.dtype(float)),)
    assert repr(z) == f"<Node mul #{z.sequence}>"


def test_integers_booleans_and_constants_never_carry_a_node() -> None:
    def f(keep: Any, x: Any) -> Any:
        for y in (x > 0, x.astype(int), np.argmax(x), np.sign(x) == 1.0, np.isnan(x)):
            keep(y)
        keep(fad.numpy.ones(3) * 2.0)
        keep(fad.stop_gradient(x))
        keep(x.shape[0] * fad.asarray(1.0))
        return x.sum()

    assert [type(y) for y in seen(f, X)] == [fad.Array] * 8


def test_integer_results_beside_inexact_ones() -> None:
    level = TapeLevel()
    (x,) = level.inputs([fad.asarray(X)])
    sign, log = np.linalg.slogdet(np.diag([1.0, 2.0, 3.0]) * x)
    for y in (sign, log):
        assert not isinstance(y, TapeTensor) or y.aval.inexact
    level.active = False


def test_operands_from_outside_have_no_edge() -> None:
    def f(keep: Any, x: Any) -> Any:
        keep((x * 3.0).node)
        keep((np.ones(3) / x).node)
        keep((fad.asarray(X) - x).node)
        return x.sum()

    nodes = seen(f, X)
    assert [node.name for node in nodes] == ["mul", "div", "sub"]
    assert [[e is None for e in node.edges] for node in nodes] == [
        [False, True], [True, False], [True, False],
    ]  # fmt: skip


def test_a_node_with_several_outputs_is_one_node() -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        _, log = np.linalg.slogdet(x)
        kept.append((log.node, log.output_nr))
        return log * 2.0

    matrix = np.array([[2.0, 1.0], [1.0, 3.0]])
    gradient = fad.grad(f)(matrix)
    np.testing.assert_allclose(gradient, 2 * np.linalg.inv(matrix).T, rtol=1e-12)
    node, number = kept[0]
    assert len(node.avals) >= number + 1
    assert len(node.metadata) == len(node.avals)


def saved(f: Any, *args: Any) -> list[tuple[str, list[Any]]]:
    """Name and saved values of each node with any."""
    _, pullback = fad.vjp(f, *args)
    nodes = fad.reverse.node.reachable([pullback._outs[0].node])
    found = sorted(nodes, key=lambda node: node.sequence)
    return [(n.name, [s.unpack() for s in n.saved_tensors]) for n in found if n.saved]


def test_a_rule_keeps_exactly_what_it_declares() -> None:
    mul, add, exp, sin = arithmetic.mul, arithmetic.add, transcendental.exp, transcendental.sin
    assert saved(lambda x, y: add(x, y), X, X) == []
    ((name, values),) = saved(lambda x: mul(x, fad.asarray(2.0 * X)), X)
    assert name == "mul"
    assert len(values) == 1  # the other operand, and not its own
    np.testing.assert_array_equal(values[0], 2 * X)
    ((name, values),) = saved(lambda x: sin(x), X)
    np.testing.assert_array_equal(values[0], X)
    ((name, values),) = saved(lambda x: exp(x), X)
    np.testing.assert_array_equal(values[0], np.exp(X))
    kinds = [name for name, _ in saved(lambda x: fad.numpy.sum(fad.numpy.reshape(x, (3, 1))), X)]
    assert all(isinstance(kind, str) for kind in kinds)


def test_saved_bytes() -> None:
    tape = fad.reverse.trace(lambda x: (np.sin(x) * 2.0 + 1.0).sum())(np.ones(1000))
    sizes = {node.name: node.saved_bytes for node in tape.nodes}
    assert sizes["sin"] == 8000
    assert sizes["add"] == 0
    assert sizes["mul"] <= 8


def test_topological_numbers_are_longest_paths() -> None:
    tape = fad.reverse.trace(lambda x: x * (x * (x + 1.0)) + x)(2.0)
    names = [(node.name, node.topological_number) for node in tape.nodes]
    assert names == [("input", 0), ("add", 1), ("mul", 2), ("mul", 3), ("add", 4)]


def test_nodes_cannot_be_given_attributes() -> None:
    node = fad.reverse.trace(lambda x: x * x)(2.0).nodes[-1]
    with pytest.raises(AttributeError):
        node.anything = 1


# ------------------------------------------------------------------------------------ recordings


def test_a_recording_is_run_from_any_of_its_tensors() -> None:
    recording = Recording(lambda: None, [fad.asarray(X), fad.asarray(2.0)])
    x, y = recording.tensors
    z = x * y
    w = (z * z).sum()
    recording.close()
    ones = fad.asarray(np.ones(3))
    gx, gy = recording.pull([z], [ones], keep_graph=True)
    np.testing.assert_array_equal(gx, np.full(3, 2.0))
    np.testing.assert_allclose(gy, X.sum())
    gx, gy = recording.pull([z, w], [None, fad.asarray(1.0)], keep_graph=True)
    np.testing.assert_allclose(gx, 8.0 * X)
    np.testing.assert_allclose(gy, 4.0 * X @ X)
    gx, gy = recording.pull([w], [fad.asarray(1.0)])
    with pytest.raises(fad.FadError, match="freed"):
        recording.pull([w], [fad.asarray(1.0)])
    assert recording.pull([3.0, fad.asarray(X)], [ones, ones]) == [None, None]
    assert recording.lower(w) is w.value
    assert recording.lower(3.0) == 3.0
    assert recording.edge(fad.asarray(1.0)) is None


def test_tapes_over_tapes() -> None:
    outer = Recording(lambda: None, [fad.asarray(3.0)])
    (x,) = outer.tensors
    inner = Recording(lambda: None, [x])
    (y,) = inner.tensors
    z = y * y * x
    inner.close()
    (g,) = inner.pull([z], [fad.asarray(1.0)], keep_graph=True)
    assert isinstance(g, TapeTensor)
    assert g.level is outer.level
    outer.close()
    assert float(outer.pull([g], [fad.asarray(1.0)])[0]) == 12.0  # d/dx 2 x^2
    assert float(outer.lower(g)) == 18.0


def test_mixed_orders_of_levels() -> None:
    f = lambda x: np.sin(x * x)  # noqa: E731
    second = 2 * np.cos(X**2) - 4 * X**2 * np.sin(X**2)
    forward_over_reverse = fad.jvp(fad.grad(lambda x: f(x).sum()), (X,), (np.ones(3),))[1]
    reverse_over_forward = fad.grad(lambda x: fad.jvp(f, (x,), (np.ones(3),))[1].sum())(X)
    reverse_over_reverse = fad.grad(lambda x: fad.grad(lambda x: f(x).sum())(x).sum())(X)
    ones = (np.ones(3),)
    forward_over_forward = fad.jvp(lambda x: fad.jvp(f, (x,), ones)[1], (X,), ones)[1]
    for found in (
        forward_over_reverse, reverse_over_forward, reverse_over_reverse, forward_over_forward,
    ):  # fmt: skip
        np.testing.assert_allclose(found, second, rtol=1e-12, atol=1e-12)
