"""The engine: runs a backward pass over the tape.

``vjp`` and ``grad`` are a few lines over ``Engine().execute(GraphTask(...))``. Rules are ordinary
fad operations, so a backward pass can be differentiated, batched, staged and fused.

Order: a node is ready when every node that feeds it has run, counting an edge even where its
cotangent is a symbolic zero; of the ready nodes the one with the highest sequence number runs
first. Cotangents that meet in one slot are added in that order, so results are deterministic.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.leaves import kind_of
from fad.core.tensor import Tensor
from fad.forward.matching import Mismatch, demand, matching_leaf
from fad.primitives.arithmetic import add
from fad.reverse.nesting import nested
from fad.reverse.node import Edge, Node, reachable


class InputBuffer:
    """The cotangents that a node has received so far, one slot per output; None is zero."""

    __slots__ = ("slots",)

    def __init__(self, size: int) -> None:
        self.slots: list[Any] = [None] * size

    def add(self, slot: int, cotangent: Any) -> None:
        """Add ``cotangent`` to a slot; tensors are immutable, so nobody's value is written to."""
        if cotangent is not None:
            present = self.slots[slot]
            self.slots[slot] = cotangent if present is None else add(present, cotangent)


class ReadyQueue:
    """Nodes whose dependencies are met; the latest made comes first."""

    __slots__ = ("_heap",)

    def __init__(self) -> None:
        self._heap: list[tuple[int, Node]] = []

    def push(self, node: Node) -> None:
        """Add a node."""
        heapq.heappush(self._heap, (-node.sequence, node))

    def pop(self) -> Node:
        """Take the node with the highest sequence number."""
        return heapq.heappop(self._heap)[1]

    def __bool__(self) -> bool:
        return bool(self._heap)


class ExecInfo:
    """Which nodes a backward execution needs: those from which a requested input is reached.

    ``everything`` says that all nodes are needed, so that no rule has to be told which.
    """

    __slots__ = ("dependencies", "everything", "needed")

    def __init__(self, roots: Sequence[Node], inputs: Sequence[Node]) -> None:
        wanted = set(inputs)
        found = sorted(reachable(list(roots)), key=lambda node: node.sequence)
        self.needed: set[Node] = set()
        for node in found:  # parents come before their children
            if node in wanted or any(p in self.needed for p in node.parents if p is not None):
                self.needed.add(node)
        self.everything = len(self.needed) == len(found)
        self.dependencies: dict[Node, int] = dict.fromkeys(self.needed, 0)
        for node in self.needed:
            for parent in node.parents:
                if parent is not None and parent in self.needed:
                    self.dependencies[parent] += 1


class GraphTask:
    """All the state of one backward execution.

    Args:
        roots: edges at which cotangents enter; None, where an output depends on no input, is
            skipped.
        cotangents: one per root: tensors, arrays or numbers of the root's shape and dtype; None is
            a symbolic zero.
        inputs: edges whose cotangents are wanted.
        keep_graph: whether the saved tensors stay, so that the tape can be run again.
    """

    __slots__ = ("buffers", "captured", "exec_info", "inputs", "keep_graph", "ready", "results")

    def __init__(
        self,
        roots: Sequence[Edge | None],
        cotangents: Sequence[Any],
        inputs: Sequence[Edge],
        keep_graph: bool = False,
    ) -> None:
        pairs = _entries(roots, cotangents)
        _check_edges("inputs", inputs)
        self.inputs = list(inputs)
        self.keep_graph = keep_graph
        nodes = [root.node for root, _ in pairs]
        self.exec_info = ExecInfo(nodes, [e.node for e in inputs])
        self.buffers: dict[Node, InputBuffer] = {}
        self.results: list[Any] = [None] * len(self.inputs)
        self.captured: dict[Node, list[int]] = {}
        for i, edge in enumerate(self.inputs):
            self.captured.setdefault(edge.node, []).append(i)
        self.ready = ReadyQueue()
        for root, cotangent in pairs:
            self.send(root.node, root.input_nr, cotangent)
        for node in set(nodes):
            if self.exec_info.dependencies.get(node) == 0:
                self.ready.push(node)

    def send(self, node: Node, slot: int, cotangent: Any) -> None:
        """Add a cotangent to what ``node`` has received, if the node is needed."""
        if node in self.exec_info.needed:
            buffer = self.buffers.get(node)
            if buffer is None:
                buffer = self.buffers[node] = InputBuffer(len(node.avals))
            buffer.add(slot, cotangent)


def _entries(roots: Any, cotangents: Any) -> list[tuple[Edge, Any]]:
    """The roots that are on a tape, with their cotangents as tensors; checked here, once."""
    _check_edges("roots", roots)
    if not isinstance(cotangents, (list, tuple)):
        raise FadTypeError(
            located(
                "GraphTask: cotangents must be a list or tuple with one entry per root, got "
                f"{kind_of(cotangents)}. Write [c] for a single one."
            )
        )
    if len(roots) != len(cotangents):
        raise FadValueError(
            located(
                f"GraphTask: {len(roots)} roots (outputs) need as many cotangents, got "
                f"{len(cotangents)}. Pass one for each, None for a zero or where the root is None."
            )
        )
    return [
        (root, _cotangent(number, root, cotangent))
        for number, (root, cotangent) in enumerate(zip(roots, cotangents, strict=True))
        if root is not None
    ]


_HOW = {
    "roots": "Pass edges such as tape.outputs of tape = fad.reverse.trace(f)(*args)",
    "inputs": "Pass edges such as tape.inputs of tape = fad.reverse.trace(f)(*args)",
}


def _check_edges(kind: str, edges: Any) -> None:
    if isinstance(edges, Edge) or not isinstance(edges, (list, tuple)):
        found = "one edge" if isinstance(edges, Edge) else kind_of(edges)
        raise FadTypeError(
            located(
                f"GraphTask: {kind} must be a list or tuple of edges, got {found}. {_HOW[kind]}."
            )
        )
    for number, edge in enumerate(edges):
        if edge is None and kind == "roots":
            continue
        if not isinstance(edge, Edge) or not isinstance(edge.node, Node):
            is_edge = isinstance(edge, Edge)
            found = f"leads to {kind_of(edge.node)}" if is_edge else f"is {kind_of(edge)}"
            raise FadTypeError(
                located(
                    f"GraphTask: entry {number} of {kind} is not an edge that leads to a node: "
                    f"it {found}. {_HOW[kind]}, or fad.reverse.Edge(node, 0)."
                )
            )
        if not 0 <= edge.input_nr < len(edge.node.avals):
            count = len(edge.node.avals)
            raise FadValueError(
                located(
                    f"GraphTask: entry {number} of {kind} leads to output {edge.input_nr} of "
                    f"{edge.node.name}, which has {count}. Write fad.reverse.Edge(node, i) with i "
                    f"from 0 to {count - 1}."
                )
            )


def _cotangent(number: int, root: Edge, given: Any) -> Any:
    aval = root.node.avals[root.input_nr]
    if isinstance(given, Tensor) and given.aval is aval:  # what every transform passes
        return given
    try:
        return matching_leaf(given, aval)
    except Mismatch as error:
        raise FadTypeError(
            located(
                f"GraphTask: the cotangent of root {number} ({root.node.name}) {error}, but the "
                f"root is {aval}. {demand('cotangent', 'GraphTask', aval)}"
            )
        ) from None


class Engine:
    """Executes graph tasks."""

    def execute(self, task: GraphTask) -> list[Any]:
        """The cotangent of each requested input, None where it is a symbolic zero.

        A rule may start another execution, to any depth.
        """
        if not isinstance(task, GraphTask):
            raise FadTypeError(
                located(
                    f"Engine.execute takes a GraphTask, got {kind_of(task)}. Write "
                    "fad.reverse.GraphTask(tape.outputs, cotangents, tape.inputs), or "
                    "tape.pull(*cotangents), with tape = fad.reverse.trace(f)(*args)."
                )
            )
        results: list[Any] = nested(lambda: self._execute(task))
        return results

    def _execute(self, task: GraphTask) -> list[Any]:
        ready = task.ready
        while ready:
            self._run(task, ready.pop())
        return task.results

    def _run(self, task: GraphTask, node: Node) -> None:
        buffer = task.buffers.pop(node, None)
        received = buffer.slots if buffer is not None else [None] * len(node.avals)
        for i in task.captured.get(node, ()):
            task.results[i] = received[task.inputs[i].input_nr]
        needed = task.exec_info.needed
        if not any(p in needed for p in node.parents if p is not None):
            return
        if any(c is not None for c in received):
            try:
                cotangents = node.pull(received, None if task.exec_info.everything else needed)
            except Exception as error:
                error.add_note(f"in the backward pass, at {node!r}")
                raise
        else:
            cotangents = (None,) * len(node.parents)
        if not task.keep_graph:
            node.release()
        self._pass_on(task, node, cotangents)

    def _pass_on(self, task: GraphTask, node: Node, cotangents: Sequence[Any]) -> None:
        info = task.exec_info
        slots = node.slots
        for i, parent in enumerate(node.parents):
            if parent is None or parent not in info.needed:
                continue
            task.send(parent, slots[i] if slots else 0, cotangents[i])
            info.dependencies[parent] -= 1
            if info.dependencies[parent] == 0:
                task.ready.push(parent)
