"""Looking at a tape: what a function recorded, what it keeps, and where the time goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from time import perf_counter
from typing import Any, NamedTuple

from fad.core import pytree
from fad.core.apply import apply
from fad.core.errors import check_callable
from fad.core.leaves import lift_leaves, output_leaves
from fad.core.primitive import Operation
from fad.core.runs import outermost
from fad.core.tensor import Array
from fad.primitives.broadcast import ones
from fad.reverse.engine import Engine, GraphTask
from fad.reverse.node import Edge, Node, reachable
from fad.reverse.tape import TapeLevel, TapeTensor


class Row(NamedTuple):
    """What all nodes of one kind have in common. Times are in seconds."""

    name: str
    nodes: int
    result_bytes: int
    saved_bytes: int
    forward: float
    backward: float


class Tape:
    """The tape of one call of a function.

    ``nodes`` are those from which the outputs were computed, in the order in which they were
    recorded;
    ``inputs`` and ``outputs`` are edges (None for an output that depends on no input), usable in a
    :class:`GraphTask`; ``value`` is what the function returned.
    """

    def __init__(
        self, inputs: Sequence[Edge], outputs: Sequence[Edge | None], value: Any, forward: Any
    ) -> None:
        self.inputs = list(inputs)
        self.outputs = list(outputs)
        self.value = value
        roots = [edge.node for edge in outputs if edge is not None]
        self.nodes = sorted(reachable(roots), key=lambda node: node.sequence)
        self._forward: dict[Node, float] = forward

    def __len__(self) -> int:
        return len(self.nodes)

    def __str__(self) -> str:
        numbers = {node: i for i, node in enumerate(self.nodes)}
        lines = []
        for node, i in numbers.items():
            avals = ", ".join(map(repr, node.avals))
            parents = " ".join(f"#{numbers[p]}" for p in node.parents if p is not None)
            saved = f"  saves {node.saved_bytes} bytes" if node.saved_bytes else ""
            lines.append(f"#{i} {node.name} {parents}{' ' if parents else ''}-> {avals}{saved}")
        return "\n".join(lines)

    def pull(self, *cotangents: Any) -> list[Any]:
        """Cotangents of the inputs, None for zero, from one per output; the tape is kept.

        Cotangents are tensors, arrays or numbers of the outputs' shapes and dtypes, None for zero.
        """
        return self._execute(Engine(), cotangents)

    def _execute(self, engine: Engine, cotangents: Sequence[Any]) -> list[Any]:
        return engine.execute(GraphTask(self.outputs, cotangents, self.inputs, keep_graph=True))

    def rows(self) -> list[Row]:
        """Counts, bytes and times of each kind of node, the costliest first."""
        engine = _TimingEngine()
        cotangents = [None if e is None else ones(e.node.avals[e.input_nr]) for e in self.outputs]
        if any(c is not None for c in cotangents):
            self._execute(engine, cotangents)
            engine.times.clear()  # the first execution compiled the kernels
            self._execute(engine, cotangents)
        kinds: dict[str, list[Node]] = {}
        for node in self.nodes:
            kinds.setdefault(node.name, []).append(node)
        rows = [
            Row(
                name,
                len(nodes),
                sum(a.nbytes for node in nodes for a in node.avals),
                sum(node.saved_bytes for node in nodes),
                sum(self._forward.get(node, 0.0) for node in nodes),
                sum(engine.times.get(node, 0.0) for node in nodes),
            )
            for name, nodes in kinds.items()
        ]
        return sorted(rows, key=lambda row: -(row.forward + row.backward))

    def summary(self) -> str:
        """A table of :meth:`rows`, with totals.

        Times are those of operations run one at a time, each by a compiled kernel of its own; in a
        program they are fused and take less.
        """
        rows = self.rows()
        columns = list(zip(*rows, strict=True))[1:]
        total = [Row("total", *[sum(column) for column in columns])] if rows else []
        header = ("operation", "count", "results", "saved", "forward", "backward")
        lines = [f"{header[0]:<22}" + "".join(f"{title:>12}" for title in header[1:])]
        lines.extend(
            f"{row.name:<22}{row.nodes:>12,}{_size(row.result_bytes):>12}"
            f"{_size(row.saved_bytes):>12}{_duration(row.forward):>12}"
            f"{_duration(row.backward):>12}"
            for row in rows + total
        )
        return "\n".join(lines)


def _size(count: int) -> str:
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024 or unit == "GiB":
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    raise AssertionError


def _duration(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f} us"


class _TimingLevel(TapeLevel):
    """Runs each operation at once and notes how long it took."""

    __slots__ = ("times",)

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function, "trace")
        self.times: dict[Node, float] = {}

    def process1(self, operation: Operation, x: Any) -> Any:
        return self.process(operation, (x,))

    def process2(self, operation: Operation, x: Any, y: Any, mask: int) -> Any:
        return self.process(operation, (x, y))

    def process(self, operation: Operation, operands: tuple[Any, ...]) -> Any:
        _wait(apply(operation, *[_beneath(self, x) for x in operands]))  # compiles
        start = perf_counter()
        out = super().process(operation, operands)
        results = out if type(out) is tuple else (out,)
        _wait([_beneath(self, x) for x in results])
        for x in results:
            if isinstance(x, TapeTensor) and x.level is self:
                self.times[x.node] = perf_counter() - start
        return out


def _beneath(level: TapeLevel, x: Any) -> Any:
    return x.value if isinstance(x, TapeTensor) and x.level is level else x


def _wait(values: Any) -> None:
    for x in values if isinstance(values, (tuple, list)) else (values,):
        if x.__class__ is Array:
            x.block_until_ready()


class _TimingEngine(Engine):
    """Runs each node to its end and notes how long it took."""

    def __init__(self) -> None:
        self.times: dict[Node, float] = {}

    def _run(self, task: GraphTask, node: Node) -> None:
        start = perf_counter()
        super()._run(task, node)
        for parent in node.parents:
            buffer = task.buffers.get(parent) if parent is not None else None
            if buffer is not None:
                _wait(buffer.slots)
        self.times[node] = perf_counter() - start


def trace(f: Callable[..., Any]) -> Callable[..., Tape]:
    """The tape of a function, to look at and to run.

    Args:
        f: function of pytrees; inexact leaves of its positional arguments become inputs of the
        tape.

    Returns:
        A function of the same arguments that gives the :class:`Tape`.

    >>> import fad
    >>> tape = fad.reverse.trace(lambda x, y: x * y + x)(2.0, 3.0)
    >>> print(tape)
    #0 input -> f64~
    #1 input -> f64~
    #2 mul #0 #1 -> f64~  saves 16 bytes
    #3 add #2 #0 -> f64~
    >>> tape.pull(1.0)
    [fad.Tensor(4.), fad.Tensor(2.)]
    """

    check_callable("reverse.trace", f)

    @wraps(f)
    @outermost
    def tape_of_f(*args: Any, **kwargs: Any) -> Tape:
        return _trace(f, args, kwargs)

    return tape_of_f


def _trace(f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tape:
    tensors, (treedef,) = lift_leaves("trace", lambda _: "argument ", [args])
    level = _TimingLevel(f)
    taped = level.inputs([x for x in tensors if x.aval.inexact])
    remaining = iter(taped)
    try:
        out = f(
            *pytree.unflatten(treedef, [next(remaining) if x.aval.inexact else x for x in tensors]),
            **kwargs,
        )
    finally:
        level.active = False
    outs, out_tree = output_leaves("trace", f, out)
    edges = [
        Edge(x.node, x.output_nr) if isinstance(x, TapeTensor) and x.level is level else None
        for x in outs
    ]
    value = pytree.unflatten(out_tree, [_beneath(level, x) for x in outs])
    return Tape([Edge(t.node, 0) for t in taped], edges, value, level.times)
