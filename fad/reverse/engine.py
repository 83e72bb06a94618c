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
from fad.core.tensor import Tensor
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
        roots: edges at which cotangents enter.
        cotangents: one per root, of the root's shape and dtype; None is a symbolic zero.
        inputs: edges whose cotangents are wanted.
        keep_graph: whether the saved tensors stay, so that the tape can be run again.
    """

    __slots__ = ("buffers", "captured", "exec_info", "inputs", "keep_graph", "ready", "results")

    def __init__(
        self,
        roots: Sequence[Edge],
        cotangents: Sequence[Any],
        inputs: Sequence[Edge],
        keep_graph: bool = False,
    ) -> None:
        if len(roots) != len(cotangents):
            raise FadValueError(
                located(f"{len(roots)} roots need as many cotangents, got {len(cotangents)}")
            )
        self.inputs = list(inputs)
        self.keep_graph = keep_graph
        self.exec_info = ExecInfo([r.node for r in roots], [e.node for e in inputs])
        self.buffers: dict[Node, InputBuffer] = {}
        self.results: list[Any] = [None] * len(self.inputs)
        self.captured: dict[Node, list[int]] = {}
        for i, edge in enumerate(self.inputs):
            self.captured.setdefault(edge.node, []).append(i)
        self.ready = ReadyQueue()
        for root, cotangent in zip(roots, cotangents, strict=True):
            _check_cotangent(root, cotangent)
            self.send(root.node, root.input_nr, cotangent)
        for node in {root.node for root in roots}:
            if self.exec_info.dependencies.get(node) == 0:
                self.ready.push(node)

    def send(self, node: Node, slot: int, cotangent: Any) -> None:
        """Add a cotangent to what ``node`` has received, if the node is needed."""
        if node in self.exec_info.needed:
            buffer = self.buffers.get(node)
            if buffer is None:
                buffer = self.buffers[node] = InputBuffer(len(node.avals))
            buffer.add(slot, cotangent)


def _check_cotangent(root: Edge, cotangent: Any) -> None:
    expected = root.node.avals[root.input_nr]
    if isinstance(cotangent, Tensor) and cotangent.aval.shape != expected.shape:
        raise FadTypeError(
            located(
                f"the cotangent of {root.node.name} has shape {cotangent.shape}, "
                f"expected {expected.shape}"
            )
        )


class Engine:
    """Executes graph tasks."""

    def execute(self, task: GraphTask) -> list[Any]:
        """The cotangent of each requested input, None where it is a symbolic zero.

        A rule may start another execution, to any depth.
        """
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
