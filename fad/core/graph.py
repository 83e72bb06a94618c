"""Graph: the one intermediate representation.

The stream, ``jit``, control flow and compiled backward passes all produce a ``Graph``. Variables
are numbers; ``avals[v]`` is what is known of variable ``v``. Captures are inputs that the caller
does not pass: tensors from outside, bound when the graph was made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, cast

from fad.core.aval import Aval
from fad.core.primitive import Operation, show_param

Avals = tuple[Aval, ...]


class Equation(NamedTuple):
    """``outputs = operation(inputs)``; one output unless ``operation.multiple``."""

    operation: Operation
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class Graph:
    """A straight-line program. Immutable; passes return new graphs."""

    __slots__ = ("_hash", "_key", "avals", "derived", "equations", "inputs", "outputs")

    def __init__(
        self,
        avals: Sequence[Aval],
        inputs: Sequence[int],
        equations: Sequence[Equation],
        outputs: Sequence[int],
    ) -> None:
        self.avals = tuple(avals)
        self.inputs = tuple(inputs)
        self.equations = tuple(equations)
        self.outputs = tuple(outputs)
        self.derived: dict[Any, Any] = {}  # what has been derived from this graph, by a name
        self._key: tuple[Any, ...] | None = None
        self._hash: int | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for graphs that are the same up to the names of their variables."""
        if self._key is None:
            number: dict[int, int] = {}
            for v in self.inputs:
                number[v] = len(number)
            body = []
            for eqn in self.equations:
                ins = tuple([number[v] for v in eqn.inputs])
                for v in eqn.outputs:
                    number[v] = len(number)
                body.append((eqn.operation, ins))
            self._key = (
                tuple([self.avals[v] for v in self.inputs]),
                tuple(body),
                tuple([number[v] for v in self.outputs]),
            )
        return self._key

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Graph) and self.key == other.key)

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(self.key)
        return self._hash

    @property
    def in_avals(self) -> tuple[Aval, ...]:
        """Avals of the inputs."""
        return tuple([self.avals[v] for v in self.inputs])

    @property
    def out_avals(self) -> tuple[Aval, ...]:
        """Avals of the outputs."""
        return tuple([self.avals[v] for v in self.outputs])

    def __str__(self) -> str:
        return format_graph(self)

    def __repr__(self) -> str:
        return format_graph(self)


def evaluate(
    graph: Graph, values: Sequence[Any], perform: Callable[[Operation, list[Any], Avals], Any]
) -> list[Any]:
    """Run ``graph`` on ``values`` with ``perform(operation, operands, their avals)``.

    Each value is freed after its last use.
    """
    avals = graph.avals
    last = last_uses(graph)
    env: dict[int, Any] = dict(zip(graph.inputs, values, strict=True))
    for position, eqn in enumerate(graph.equations):
        operands = [env[v] for v in eqn.inputs]
        results = perform(eqn.operation, operands, tuple([avals[v] for v in eqn.inputs]))
        del operands
        if eqn.operation.multiple:
            env.update(zip(eqn.outputs, results, strict=True))
        else:
            env[eqn.outputs[0]] = results
        for v in last[position]:
            del env[v]
    return [env[v] for v in graph.outputs]


def last_uses(graph: Graph) -> list[list[int]]:
    """For each equation, the variables that nothing reads after it."""
    last: list[list[int]] = [[] for _ in graph.equations]
    seen = set(graph.outputs)
    for position in range(len(graph.equations) - 1, -1, -1):
        eqn = graph.equations[position]
        for v in (*eqn.inputs, *eqn.outputs):
            if v not in seen:
                seen.add(v)
                last[position].append(v)
    return last


def variables_read(graph: Graph) -> set[int]:
    """The variables that an equation takes or that are results; inputs may be none of them."""
    return {v for eqn in graph.equations for v in eqn.inputs}.union(graph.outputs)


def eliminate_dead(graph: Graph) -> Graph:
    """Drop equations whose results nothing reads (DCE). Inputs stay."""
    needed = set(graph.outputs)
    kept = []
    for eqn in reversed(graph.equations):
        if not needed.isdisjoint(eqn.outputs):
            needed.update(eqn.inputs)
            kept.append(eqn)
    return Graph(graph.avals, graph.inputs, kept[::-1], graph.outputs)


def eliminate_common(graph: Graph) -> Graph:
    """Compute equal expressions once (CSE), and apply the simplifications operations declare.

    A primitive's ``simplify(operation, inputs, definitions, avals)`` may return ``(chain, v)``: the
    same result is had from variable ``v`` by the unary operations of ``chain``. ``definitions`` has
    the equation of each variable so far that is not an input of the graph.
    """
    avals = list(graph.avals)
    same: dict[int, int] = {}
    seen: dict[tuple[Operation, tuple[int, ...]], Equation] = {}
    definition: dict[int, Equation] = {}

    def emit(operation: Operation, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> Equation:
        eqn = seen.get((operation, inputs))
        if eqn is None:
            eqn = seen[operation, inputs] = Equation(operation, inputs, outputs)
            definition.update(dict.fromkeys(outputs, eqn))
        return eqn

    for operation, raw_inputs, outputs in graph.equations:
        inputs = tuple([same.get(v, v) for v in raw_inputs])
        better = None
        if operation.primitive.simplify is not None:
            better = operation.primitive.simplify(operation, inputs, definition, avals)
        if better is None:
            results = emit(operation, inputs, outputs).outputs
        else:
            chain, v = better
            for step in chain:
                avals.append(cast(Aval, step.infer((avals[v],))))
                v = emit(step, (v,), (len(avals) - 1,)).outputs[0]
            results = (v,)
        same.update(zip(outputs, results, strict=True))
    return Graph(avals, graph.inputs, list(seen.values()), [same.get(v, v) for v in graph.outputs])


def simplify(graph: Graph) -> Graph:
    """The graph after CSE, declared simplifications and DCE."""
    return eliminate_dead(eliminate_common(eliminate_dead(graph)))


def format_graph(graph: Graph) -> str:
    """Readable text: inputs with their avals, one equation a line, outputs.

    ``graph(a: f64[3], b: f64):`` / ``  c: f64[3] = mul a b`` / ``  return c``

    A graph that an operation calls has a number, and stands once: indented below the first line
    that names it, ``  b: f64[3] = call[graph=#1] a`` / ``    #1 = graph(a: f64[3]):``.
    """
    numbers: dict[Graph, str] = {}
    lines = []
    pending = [_format(graph, "", numbers)]
    while pending:
        item = next(pending[-1], None)
        if isinstance(item, Graph):
            pending.append(_format(item, f"{numbers[item]} = ", numbers))
        elif item is None:
            pending.pop()
        else:
            lines.append("    " * (len(pending) - 1) + item)
    return "\n".join(lines)


def _format(graph: Graph, title: str, numbers: dict[Graph, str]) -> Iterator[str | Graph]:
    """The lines of one graph and, where they are to stand, the graphs without a number so far."""
    names: dict[int, str] = {}
    found: list[Graph] = []

    def name(v: int) -> str:
        return names.setdefault(v, _letters(len(names)))

    def show(value: Any) -> str:
        if not isinstance(value, Graph):
            return show_param(value)
        if value not in numbers:
            numbers[value] = f"#{len(numbers) + 1}"
            found.append(value)
        return numbers[value]

    params = ", ".join([f"{name(v)}: {graph.avals[v]!r}" for v in graph.inputs])
    yield f"{title}graph({params}):"
    for eqn in graph.equations:
        operands = "".join([f" {name(v)}" for v in eqn.inputs])
        results = ", ".join([f"{name(v)}: {graph.avals[v]!r}" for v in eqn.outputs])
        yield f"  {results} = {eqn.operation.text(show)}{operands}"
        yield from found
        found.clear()
    yield "  return " + ", ".join([name(v) for v in graph.outputs])


def _letters(n: int) -> str:
    text = chr(ord("a") + n % 26)
    while n >= 26:
        n = n // 26 - 1
        text = chr(ord("a") + n % 26) + text
    return text
