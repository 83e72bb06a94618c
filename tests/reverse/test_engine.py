"""The engine: what runs, in which order, how deep, and what stays."""

from __future__ import annotations

import gc
import signal
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import fad
from fad.core import stream
from fad.core.apply import apply, apply1
from fad.core.primitive import Operation, Primitive, ReverseRule
from fad.primitives.arithmetic import add, mul
from fad.primitives.transcendental import exp, sin
from fad.reverse import Edge, Engine, ExecInfo, GraphTask, InputBuffer, Node, ReadyQueue, nesting

LOG: list[str] = []


class Logged:
    """The derivative of an operation that notes which cotangents it computes, and in which order.

    The operation is ``sum(weights * operands)``.
    """

    def forward(self, operation: Operation, primals: Any, tangents: Any) -> tuple[Any, Any]:
        """Linear."""
        return apply(operation, *primals), apply(operation, *tangents)

    def reverse(self, operation: Operation, mask: int) -> ReverseRule:
        """Notes and scales."""
        name, weights = operation.params["name"], operation.params["weights"]

        def pull(g: Any, saved: tuple[Any, ...], targets: Any) -> list[Any]:
            LOG.append(name + "".join(str(i) for i, t in enumerate(targets) if t is not None))
            return [None if t is None else mul(g, w) for t, w in zip(targets, weights)]

        return ReverseRule(operation, mask, lambda operands, out: operands, pull)


def _kernel(*operands: Any, name: str, weights: tuple[float, ...]) -> Any:
    return sum(x * w for x, w in zip(operands, weights))


LOGGED = Primitive("test_logged", _kernel, derivative=Logged())


def step(name: str, *operands: Any, weights: tuple[float, ...] | None = None) -> Any:
    """Apply the logged operation."""
    return apply(LOGGED(name=name, weights=weights or (2.0,) * len(operands)), *operands)


@pytest.fixture(autouse=True)
def clear() -> None:
    LOG.clear()


def taped(f: Any, *args: float) -> fad.reverse.Tape:
    """The tape of a function of numbers."""
    return fad.reverse.trace(f)(*args)


def run(tape: Any, inputs: Any, cotangents: Any = None, keep_graph: bool = True) -> list[Any]:
    """Run a tape from all its outputs to these edges."""
    cotangents = cotangents or [fad.asarray(1.0)] * len(tape.outputs)
    results = Engine().execute(GraphTask(tape.outputs, cotangents, inputs, keep_graph))
    return [None if r is None else float(r) for r in results]


# ------------------------------------------------------------------------------- what is needed


def test_only_nodes_on_the_way_to_requested_inputs_run() -> None:
    def f(x: Any, y: Any) -> Any:
        a = step("a", x)
        b = step("b", y)
        c = step("c", b)
        return step("d", a, c)

    tape = taped(f, 1.0, 2.0)
    assert run(tape, tape.inputs) == [4.0, 8.0]
    assert LOG == ["d01", "c0", "b0", "a0"]
    LOG.clear()
    assert run(tape, tape.inputs[:1]) == [4.0]
    assert LOG == ["d0", "a0"]
    LOG.clear()
    assert run(tape, tape.inputs[1:]) == [8.0]
    assert LOG == ["d1", "c0", "b0"]


def test_a_node_asked_for_fewer_cotangents_computes_fewer() -> None:
    tape = taped(lambda x, y, z: step("a", x, y, z), 1.0, 2.0, 3.0)
    assert run(tape, [tape.inputs[2], tape.inputs[0]]) == [2.0, 2.0]
    assert LOG == ["a02"]


@pytest.mark.parametrize("operation", [mul, add])
def test_rules_of_the_library_compute_only_what_is_asked_for(operation: Any) -> None:
    node = taped(lambda x, y: operation(x, y), 3.0, 5.0).nodes[-1]
    (left, right) = node.parents
    for wanted in (left, right):
        pulled = node.pull([fad.asarray(1.0)], {wanted})
        assert [c is not None for c in pulled] == [wanted is left, wanted is right]


def test_constants_leave_no_nodes_and_are_not_asked_for() -> None:
    tape = taped(lambda x: step("a", step("b", x), 3.0), 1.0)
    assert run(tape, tape.inputs) == [4.0]
    assert LOG == ["a0", "b0"]
    assert [node.name for node in tape.nodes] == ["input", "test_logged", "test_logged"]


def test_what_leads_to_no_output_does_not_run() -> None:
    def f(x: Any) -> Any:
        step("unused", step("also", x))
        return step("used", x)

    assert float(fad.grad(f)(1.0)) == 2.0
    assert LOG == ["used0"]


def test_inner_edges_can_be_inputs_and_outputs() -> None:
    def f(x: Any) -> Any:
        return step("c", step("b", step("a", x)))

    tape = taped(f, 1.0)
    middle = Edge(tape.nodes[2], 0)
    assert tape.nodes[2].name == "test_logged"
    assert run(tape, [middle]) == [2.0]
    assert LOG == ["c0"]
    LOG.clear()
    task = GraphTask([middle], [fad.asarray(2.0)], tape.inputs, keep_graph=True)
    assert [float(r) for r in Engine().execute(task)] == [8.0]
    assert LOG == ["b0", "a0"]
    LOG.clear()
    assert run(tape, [middle, *tape.inputs]) == [2.0, 8.0]
    assert LOG == ["c0", "b0", "a0"]


def test_an_input_that_is_an_output_and_one_asked_for_twice() -> None:
    tape = taped(lambda x, y: (x, step("a", x), y), 1.0, 2.0)
    x, y = tape.inputs
    assert run(tape, [x, x, y]) == [3.0, 3.0, 1.0]


def test_symbolic_zeros() -> None:
    tape = taped(lambda x, y: (step("a", x), step("b", y)), 1.0, 2.0)
    assert run(tape, tape.inputs, [None, fad.asarray(1.0)]) == [None, 2.0]
    assert LOG == ["b0"]
    assert run(tape, tape.inputs, [None, None]) == [None, None]


def test_a_zero_counts_as_arrived() -> None:
    class Zero:
        def forward(self, operation: Any, primals: Any, tangents: Any) -> Any:
            raise NotImplementedError

        def reverse(self, operation: Operation, mask: int) -> ReverseRule:
            return ReverseRule(operation, mask, lambda ops, out: (), lambda g, s, t: (None,))

    zero = Primitive.registry.get("test_zero") or Primitive(
        "test_zero", lambda x: 0.0 * x, derivative=Zero(), infer=lambda x: x
    )

    def f(x: Any) -> Any:
        y = step("a", x)
        return step("c", y, apply1(zero(), step("b", y)))

    assert float(fad.grad(f)(1.0)) == 4.0
    assert LOG == ["c01", "a0"]  # the node behind a zero does not run, and keeps nobody waiting


# ------------------------------------------------------------------------------- order and sums


def test_the_latest_made_node_runs_first() -> None:
    def f(x: Any) -> Any:
        a = step("a", x)
        b = step("b", x)
        c = step("c", a)
        d = step("d", b)
        e = step("e", a, b)
        return step("f", c, d, e)

    expected = ["f012", "e01", "d0", "c0", "b0", "a0"]
    tape = taped(f, 1.0)
    assert run(tape, tape.inputs) == [32.0]
    assert list(LOG) == expected
    LOG.clear()
    assert float(fad.grad(f)(1.0)) == 32.0
    assert list(LOG) == expected
    LOG.clear()
    assert float(fad.grad(f)(2.0)) == 32.0
    assert list(LOG) in (expected, [])  # replayed
    sequences = [node.sequence for node in tape.nodes]
    assert sequences == sorted(sequences)
    assert len(set(sequences)) == len(sequences)


def test_edges_into_one_slot_sum_in_a_fixed_order() -> None:
    weights = (1e16, 1.0, -1e16, 1.0)

    def f(x: Any) -> Any:
        parts = [step(f"p{i}", x, weights=(w,)) for i, w in enumerate(weights)]
        return step("sum", *parts, weights=(1.0,) * 4)

    tape = taped(f, 1.0)
    in_order = ((weights[3] + weights[2]) + weights[1]) + weights[0]
    for _ in range(5):
        assert run(tape, tape.inputs) == [in_order]
    assert float(fad.grad(f)(1.0)) == in_order
    twice = taped(lambda x: step("a", x, x, weights=(3.0, 4.0)), 1.0)
    assert run(twice, twice.inputs) == [7.0]


def test_cotangents_of_several_outputs_sum() -> None:
    tape = taped(lambda x: (step("a", x), step("b", x)), 1.0)
    assert run(tape, tape.inputs, [fad.asarray(1.0), fad.asarray(10.0)]) == [22.0]
    same = GraphTask([tape.outputs[0]] * 2, [fad.asarray(1.0)] * 2, tape.inputs, keep_graph=True)
    assert float(Engine().execute(same)[0]) == 4.0


def test_a_buffer_never_writes_into_a_cotangent() -> None:
    given = fad.asarray(np.ones(2))
    buffer = InputBuffer(2)
    buffer.add(0, given)
    buffer.add(1, None)
    assert buffer.slots == [given, None]
    buffer.add(0, given)
    np.testing.assert_array_equal(buffer.slots[0], [2.0, 2.0])
    np.testing.assert_array_equal(given, [1.0, 1.0])


def test_the_ready_queue_and_the_dependencies() -> None:
    tape = taped(lambda x: step("c", step("a", x), step("b", x)), 1.0)
    queue = ReadyQueue()
    assert not queue
    for node in tape.nodes:
        queue.push(node)
    assert [queue.pop().sequence for _ in tape.nodes] == [n.sequence for n in tape.nodes[::-1]]
    x, a, b, c = tape.nodes
    info = ExecInfo([c], [x])
    assert info.needed == {x, a, b, c}
    assert (info.everything, info.dependencies) == (True, {x: 2, a: 1, b: 1, c: 0})
    info = ExecInfo([c], [a])
    assert info.needed == {a, c}
    assert not info.everything


# ----------------------------------------------------------------------------- keeping and freeing


def test_a_tape_that_was_not_kept_says_so() -> None:
    tape = taped(lambda x: mul(x, x), 3.0)
    assert run(tape, tape.inputs) == [6.0]
    assert run(tape, tape.inputs, keep_graph=False) == [6.0]
    assert tape.nodes[-1].saved_bytes == 0
    with pytest.raises(fad.FadError, match="saved tensors of node mul have been freed") as caught:
        run(tape, tape.inputs)
    assert isinstance(caught.value, RuntimeError)
    assert "keep_graph=True" in str(caught.value)
    with pytest.raises(fad.FadError, match="freed"):
        _ = tape.nodes[-1].saved_tensors


def test_saved_tensors_are_freed_as_the_engine_goes() -> None:
    saved: list[Any] = []

    class Watch(Engine):
        def _run(self, task: GraphTask, node: Node) -> None:
            super()._run(task, node)
            saved.append([n.saved_bytes for n in tape.nodes])

    tape = taped(lambda x: exp(mul(sin(x), x)), 3.0)
    Watch().execute(GraphTask(tape.outputs, [fad.asarray(1.0)], tape.inputs))
    totals = [sum(sizes) for sizes in saved]
    assert totals == sorted(totals, reverse=True)
    assert totals[-1] == 0
    assert totals[0] > 0


@contextmanager
def no_collector() -> Iterator[None]:
    """Whatever is freed within is freed by reference counts."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def test_a_tape_dies_by_reference_count() -> None:
    tape = taped(lambda x: exp(mul(sin(x), x)), 3.0)
    nodes = [weakref.ref(node) for node in tape.nodes]
    run(tape, tape.inputs)
    with no_collector():
        del tape
        assert [node() for node in nodes] == [None] * len(nodes)


def test_a_tape_50_000_nodes_deep() -> None:
    depth = 50_000

    def chain(x: Any) -> Any:
        for _ in range(depth):
            x = mul(x, 0.9999)
        return x

    with fad.config(replay=False):
        _, pullback = fad.vjp(chain, 1.0)
        root = pullback._outs[0].node
        start = time.process_time()
        assert root.topological_number == depth
        assert len(list(fad.reverse.node.reachable([root]))) == depth + 1
        walked = time.process_time() - start
        np.testing.assert_allclose(float(pullback(1.0)[0]), 0.9999**depth, rtol=1e-9)
        inner = weakref.ref(root.parents[0])
        with no_collector():
            start = time.process_time()
            del pullback, root
            assert inner() is None
            freed = time.process_time() - start
    assert walked < 10.0
    assert freed < 5.0


# ------------------------------------------------------------------------------------- errors


def test_an_error_in_a_rule_keeps_its_type_and_names_the_node() -> None:
    class Broken:
        def forward(self, operation: Any, primals: Any, tangents: Any) -> Any:
            raise NotImplementedError

        def reverse(self, operation: Operation, mask: int) -> ReverseRule:
            def pull(g: Any, saved: Any, targets: Any) -> Any:
                raise ZeroDivisionError("in the rule")

            return ReverseRule(operation, mask, lambda ops, out: (), pull)

    broken = Primitive.registry.get("test_broken") or Primitive(
        "test_broken", lambda x: x, derivative=Broken(), infer=lambda x: x
    )
    for _ in range(2):
        with pytest.raises(ZeroDivisionError, match="in the rule") as caught:
            fad.grad(lambda x: exp(apply1(broken(), sin(x))))(1.0)
        (note,) = caught.value.__notes__
        assert "in the backward pass, at <Node test_broken #" in note
    assert float(fad.grad(lambda x: mul(x, x))(3.0)) == 6.0
    assert float(fad.grad(lambda x: (apply1(broken(), x), mul(x, x))[1])(3.0)) == 6.0


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_cotangents_of_a_task_may_be_numbers_and_arrays(dtype: Any) -> None:
    x = np.array([0.3, 0.7, 1.1], dtype)
    tape = fad.reverse.trace(lambda a: (np.sum(np.sin(a)), a * 2.0))(x)
    slope = np.cos(x)
    twos = np.full(3, 2.0, dtype)
    pairs: Any = [
        (1.0, None, slope), (1, None, slope), (True, None, slope), (dtype(2), None, 2 * slope),
        (None, twos, 2 * twos), (None, fad.asarray(twos), 2 * twos),
        (2, twos, 2 * slope + 2 * twos),
    ]  # fmt: skip
    for scalar, array, expected in pairs:
        task = GraphTask(tape.outputs, [scalar, array], inputs=tape.inputs, keep_graph=True)
        (found,) = Engine().execute(task)
        assert found.dtype == dtype
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        np.testing.assert_array_equal(tape.pull(scalar, array)[0], found)


def test_an_output_that_depends_on_no_input_is_no_root() -> None:
    x = np.array([0.3, 0.7, 1.1])
    tape = fad.reverse.trace(lambda v: (v * 2.0, 3.0))(x)
    assert tape.outputs[1] is None
    for ignored in (None, 5.0):
        task = GraphTask(tape.outputs, [fad.asarray(x), ignored], tape.inputs, keep_graph=True)
        np.testing.assert_array_equal(Engine().execute(task)[0], 2.0 * x)
    assert Engine().execute(GraphTask([None], [None], tape.inputs)) == [None]


TAPE = fad.reverse.trace(lambda v: (mul(v, v), 3.0))(np.ones(3))
(X_EDGE,), (ROOT, _) = TAPE.inputs, TAPE.outputs
GOOD = np.ones(3)


@pytest.mark.parametrize(
    ("kind", "call", "texts"),
    [
        (ValueError, lambda: TAPE.pull(), ("2 roots (outputs) need as many", "got 0", "None")),
        (ValueError, lambda: TAPE.pull(GOOD), ("2 roots (outputs) need as many", "got 1")),
        (ValueError, lambda: GraphTask([ROOT], [GOOD] * 2, []), ("1 roots (outputs) need as", "2")),
        (
            TypeError, lambda: GraphTask([ROOT], [np.ones(2)], [X_EDGE]),
            (
                "the cotangent of root 0 (mul) has shape (2,), but the root is f64[3]",
                "Pass one of shape (3,) and dtype float64", "None for zero",
            ),
        ),
        (TypeError, lambda: GraphTask([ROOT], [1.0], [X_EDGE]), ("has shape ()",)),
        (TypeError, lambda: TAPE.pull(np.ones(3, "f4"), None), ("(mul) has dtype float32",)),
        (
            TypeError, lambda: GraphTask([ROOT], [fad.asarray(GOOD, "float32")], [X_EDGE]),
            ("root 0 (mul) has dtype float32", "x.astype"),
        ),
        (TypeError, lambda: GraphTask([ROOT], [1j * GOOD], [X_EDGE]), ("has dtype complex128",)),
        (TypeError, lambda: GraphTask([ROOT], [[1.0] * 3], [X_EDGE]), ("root 0 (mul) is a list",)),
        (TypeError, lambda: GraphTask([ROOT], GOOD, [X_EDGE]), ("cotangents must be", "Write [c]")),
        (TypeError, lambda: GraphTask(ROOT, [GOOD], [X_EDGE]), ("roots must be", "got one edge")),
        (TypeError, lambda: GraphTask(TAPE, [GOOD], [X_EDGE]), ("got a Tape", "tape.outputs")),
        (TypeError, lambda: GraphTask([ROOT], [GOOD], X_EDGE), ("inputs must be", "tape.inputs")),
        (TypeError, lambda: GraphTask([ROOT], [GOOD], [None]), ("entry 0 of inputs", "is None")),
        (
            TypeError, lambda: GraphTask([fad.asarray(1.0)], [1.0], [X_EDGE]),
            ("entry 0 of roots", "it is a tensor f64", "fad.reverse.Edge(node, 0)"),
        ),
        (TypeError, lambda: GraphTask([Edge(TAPE, 0)], [GOOD], []), ("it leads to a Tape",)),
        (
            ValueError, lambda: GraphTask([Edge(ROOT.node, 1)], [GOOD], []),
            ("entry 0 of roots leads to output 1 of mul, which has 1", "fad.reverse.Edge(node, i)"),
        ),
        (TypeError, lambda: Engine().execute(TAPE), ("takes a GraphTask, got a Tape", "tape.pull")),
    ],
)  # fmt: skip
def test_mistakes_in_a_task(kind: type, call: Any, texts: tuple[str, ...]) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert isinstance(caught.value, fad.FadError)
    message = str(caught.value)
    for text in (*texts, f"at {__file__}:"):
        assert text in message


# ------------------------------------------------------------------------- nesting and threads


class Deep:
    """A rule that runs a backward pass whose rule runs another, so many times as ``LEFT`` says."""

    left = 0
    deepest = 0

    def forward(self, operation: Any, primals: Any, tangents: Any) -> Any:
        raise NotImplementedError

    def reverse(self, operation: Operation, mask: int) -> ReverseRule:
        def pull(g: Any, saved: tuple[Any, ...], targets: Any) -> Any:
            if not Deep.left:
                return (mul(g, 3.0),)
            Deep.left -= 1
            return (mul(g, fad.grad(lambda x: apply1(DEEP(), x))(saved[0])),)

        return ReverseRule(operation, mask, lambda operands, out: operands, pull)


DEEP = Primitive("test_deep", lambda x: x, derivative=Deep(), infer=lambda x: x)


@pytest.mark.parametrize("depth", [0, 1, nesting.DEEPEST, nesting.DEEPEST + 1, 2000])
def test_a_rule_may_start_another_backward_pass(depth: int) -> None:
    threads = threading.active_count()
    Deep.left = depth
    with fad.config(replay=False):
        assert float(fad.grad(lambda x: apply1(DEEP(), x))(1.0)) == 3.0
    assert Deep.left == 0
    assert threading.active_count() == threads
    assert float(fad.grad(lambda x: mul(x, x))(3.0)) == 6.0


def test_an_error_comes_back_from_any_depth() -> None:
    def nested(depth: int) -> Any:
        if not depth:
            raise ZeroDivisionError("at the bottom")
        return nesting.nested(lambda: nested(depth - 1))

    with pytest.raises(ZeroDivisionError, match="at the bottom"):
        nested(100)
    assert nesting.nested(lambda: 5) == 5


def test_settings_and_pending_operations_go_along_to_other_stacks() -> None:
    seen: list[Any] = []

    def nested(depth: int, x: Any) -> Any:
        if depth:
            return nesting.nested(lambda: nested(depth - 1, add(x, 1.0)))
        seen.append((fad.config.max_pending, stream.local.segment, threading.current_thread()))
        return x

    with fad.config(max_pending=77):
        start = add(fad.asarray(0.0), 0.0)
        segment = stream.local.segment
        result = nested(50, start)
        assert stream.local.segment is segment
        assert float(mul(result, 2.0)) == 100.0
    assert seen[0][:2] == (77, segment)
    assert seen[0][2] is not threading.current_thread()


def test_several_threads_run_over_one_tape() -> None:
    def f(x: Any) -> Any:
        return exp(mul(sin(x), x))

    x = np.linspace(-1.0, 1.0, 5)
    _, pullback = fad.vjp(f, x)
    slope = np.exp(np.sin(x) * x) * (np.cos(x) * x + np.sin(x))
    failures: list[Any] = []

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(20):
            c = rng.normal(size=5)
            found = np.asarray(pullback(c)[0])
            if not np.allclose(found, c * slope, rtol=1e-12):
                failures.append((seed, found, c * slope))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no alarms here")
def test_an_interrupt_waits_for_the_thread_that_has_the_stream() -> None:
    def ring(*_: Any) -> None:
        raise KeyboardInterrupt

    x = fad.asarray(2.0)
    ended: list[Any] = []

    def execution() -> None:
        y = mul(x, x)
        time.sleep(0.3)
        ended.append(mul(y, 3.0))

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):
            nesting._on_a_stack_of_its_own(execution)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert len(ended) == 1
    assert float(add(ended[0], 1.0)) == 13.0
