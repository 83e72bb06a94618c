"""The call of a graph, as one operation, and the graphs derived from a graph.

``jit`` applies a captured graph by one ``call``. Under a transform the call becomes a call of a
derived graph: pushed forward, split into a forward and a reverse graph, or batched. Derived graphs
are captured once, by running the transform over the graph's equations, and kept with the graph they
come from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from fad.batching.batch import BatchLevel, BatchTensor
from fad.core.apply import apply
from fad.core.aval import Aval
from fad.core.config import is_zero_strong
from fad.core.graph import Equation, Graph, evaluate, simplify, variables_read
from fad.core.primitive import Operation, Primitive, ReverseRule
from fad.core.program import perform_inline
from fad.core.tensor import Tensor
from fad.forward.dual import DualLevel, DualTensor
from fad.primitives.broadcast import zeros
from fad.reverse.pullback import Recording
from fad.staging.capture import StageLevel, capture


def run_graph(graph: Graph, operands: Sequence[Any]) -> list[Any]:
    """Perform the graph's equations one by one on tensors of any level."""
    return evaluate(graph, operands, lambda operation, xs, avals: apply(operation, *xs))


def call_graph(graph: Graph, operands: Sequence[Any]) -> list[Any]:
    """Perform the graph as one operation."""
    return list(apply(operation_of(graph), *operands))


def operation_of(graph: Graph) -> Operation:
    """The operation that calls ``graph``."""
    return _derived(graph, "call", lambda: CALL(graph=graph))


def _derived(graph: Graph, name: Any, make: Callable[[], Any]) -> Any:
    key = name, is_zero_strong()
    found = graph.derived.get(key)
    if found is None:
        found = graph.derived[key] = make()
    return found


class Pushed(NamedTuple):
    """A graph from primals and tangents of marked inputs to results and tangents of marked ones."""

    graph: Graph
    marked: tuple[bool, ...]


def push_forward(graph: Graph, marked: tuple[bool, ...]) -> Pushed:
    """The forward-mode derivative of a graph in the marked inputs."""

    def make() -> Pushed:
        out_marked: list[bool] = []
        count = len(graph.inputs)

        def function(*operands: Any) -> list[Any]:
            level = DualLevel(None)
            tangents = iter(operands[count:])
            duals = [
                level.dual(x, next(tangents)) if m else x
                for x, m in zip(operands[:count], marked, strict=True)
            ]
            outs = run_graph(graph, duals)
            level.active = False
            mine = [isinstance(o, DualTensor) and o.level is level for o in outs]
            out_marked.extend(mine)
            primals = [o.primal if m else o for o, m in zip(outs, mine, strict=True)]
            return primals + [o.tangent for o, m in zip(outs, mine, strict=True) if m]

        avals = [*graph.in_avals, *[a for a, m in zip(graph.in_avals, marked, strict=True) if m]]
        pushed = _closed(function, avals)
        return Pushed(pushed, tuple(out_marked))

    return _derived(graph, ("forward", marked), make)


class Linearized(NamedTuple):
    """A graph's known part, which also gives residuals, and its linear part.

    The linear part takes the tangents of the marked inputs and the residuals, which are ``sources``
    in the list of the graph's inputs and the known part's extra results.
    """

    known: Graph
    linear: Graph
    sources: tuple[int, ...]
    marked: tuple[bool, ...]


def linearized(graph: Graph, marked: tuple[bool, ...]) -> Linearized:
    """The forward-mode derivative of a graph in the marked inputs, apart from the graph itself:
    for tangents that are staged, at primals that are not."""
    return _derived(graph, ("linear", marked), lambda: _linearize(graph, marked))


def _linearize(graph: Graph, marked: tuple[bool, ...]) -> Linearized:
    with StageLevel(None, "linearize") as known:
        inputs = [known.tensor(aval) for aval in graph.in_avals]
        stage, level = StageLevel(None, "linearize"), DualLevel(None, "linearize")
        tangents = [
            stage.tensor(x.aval) if m else None for x, m in zip(inputs, marked, strict=True)
        ]
        outs = run_graph(graph, [level.dual(x, t) for x, t in zip(inputs, tangents, strict=True)])
        pushed = [o.tangent if level.lower(o) is not o else None for o in outs]
        results = [stage.lookup(t) for t in pushed if t is not None]
        stage.active = level.active = False
        values = [known.lookup(level.lower(o)) for o in outs]
        residuals = [known.lookup(x) for x in stage.captures]
    assert not known.captures
    given = [x.variable for x in inputs]
    extra = [v for v in residuals if v not in given]
    places = [*given, *extra]
    return Linearized(
        simplify(Graph(known.avals, given, known.equations, [*values, *extra])),
        simplify(stage.graph([t.variable for t in tangents if t is not None], results)),
        tuple([places.index(v) for v in residuals]),
        tuple([t is not None for t in pushed]),
    )


class Split(NamedTuple):
    """A graph's forward graph, which also gives residuals, and its reverse graph.

    The reverse graph takes the residuals (``from_inputs`` picks those that are inputs of the
    forward graph, the others are its extra results) and one cotangent per inexact result, and gives
    the cotangents of the inputs listed in ``reached``.
    """

    forward: Graph
    reverse: Graph
    from_inputs: tuple[int, ...]
    reached: tuple[int, ...]


def split_reverse(graph: Graph, wanted: tuple[int, ...]) -> Split:
    """The reverse-mode derivative of a graph in the wanted inputs."""
    return _derived(graph, ("reverse", wanted), lambda: _split(graph, wanted))


def _split(graph: Graph, wanted: tuple[int, ...]) -> Split:
    with StageLevel(None, "grad") as level:
        inputs = [level.tensor(aval) for aval in graph.in_avals]
        recording = Recording(run_graph, [inputs[i] for i in wanted])
        operands: list[Any] = list(inputs)
        for i, tensor in zip(wanted, recording.tensors, strict=True):
            operands[i] = tensor
        outs = run_graph(graph, operands)
        recording.close()
        values = [level.lookup(recording.lower(o)) for o in outs]
        boundary, forward_equations = len(level.avals), list(level.equations)
        inexact = [o for o in outs if o.aval.inexact]
        cotangents = [level.tensor(o.aval) for o in inexact]
        pulled = recording.pull(inexact, cotangents)
    reached = tuple([i for i, c in zip(wanted, pulled, strict=True) if c is not None])
    results = [level.lookup(c) for c in pulled if c is not None]
    assert not level.captures
    backward = level.equations[len(forward_equations) :]
    constants = [eqn for eqn in forward_equations if not eqn.inputs]  # cheaper made again than kept
    made = {v for eqn in constants for v in eqn.outputs}
    given = [v for v in range(boundary) if v not in made]
    received = [c.variable for c in cotangents]
    reverse = simplify(Graph(level.avals, [*given, *received], [*constants, *backward], results))
    read = variables_read(reverse)
    residuals = [v for v in given if v in read]
    reverse = Graph(reverse.avals, [*residuals, *received], reverse.equations, reverse.outputs)
    count = len(inputs)
    extra = [v for v in residuals if v >= count]
    forward = Graph(level.avals, [x.variable for x in inputs], forward_equations, [*values, *extra])
    return Split(simplify(forward), reverse, tuple([v for v in residuals if v < count]), reached)


class Part(NamedTuple):
    """The part of a graph that some of its results need, and which inputs it takes."""

    graph: Graph
    taken: tuple[int, ...]


def part_for(graph: Graph, wanted: tuple[int, ...]) -> Part:
    """The part of a graph that its wanted results need, in the graphs that it calls, too."""

    def make() -> Part:
        part = needed_part(
            Graph(graph.avals, graph.inputs, graph.equations, [graph.outputs[i] for i in wanted])
        )
        read = variables_read(part)
        taken = tuple([i for i, v in enumerate(part.inputs) if v in read])
        inputs = [part.inputs[i] for i in taken]
        return Part(Graph(part.avals, inputs, part.equations, part.outputs), taken)

    return _derived(graph, ("part", wanted), make)


def needed_part(graph: Graph) -> Graph:
    """The graph without what no result needs, in the graphs that it calls, too. Inputs stay."""
    needed = set(graph.outputs)
    kept = []
    for eqn in reversed(graph.equations):
        wanted = tuple([i for i, v in enumerate(eqn.outputs) if v in needed])
        if not wanted:
            continue
        if eqn.operation.primitive is CALL:
            part = part_for(eqn.operation.params["graph"], wanted)
            eqn = Equation(
                operation_of(part.graph),
                tuple([eqn.inputs[i] for i in part.taken]),
                tuple([eqn.outputs[i] for i in wanted]),
            )
        needed.update(eqn.inputs)
        kept.append(eqn)
    return Graph(graph.avals, graph.inputs, kept[::-1], graph.outputs)


def batch_graph(
    graph: Graph, size: int, batched: tuple[bool, ...]
) -> tuple[Graph, tuple[bool, ...]]:
    """The graph over a batch, at axis 0 of the batched inputs; and which results are batched."""

    def make() -> tuple[Graph, tuple[bool, ...]]:
        flags: list[bool] = []

        def function(*operands: Any) -> list[Any]:
            level = BatchLevel(None, size)
            outs = run_graph(
                graph, [level.wrap(x, b) for x, b in zip(operands, batched, strict=True)]
            )
            level.active = False
            flags.extend([isinstance(o, BatchTensor) and o.level is level for o in outs])
            return [o.value if f else o for o, f in zip(outs, flags, strict=True)]

        avals = [
            a.with_leading_axis(size) if b else a
            for a, b in zip(graph.in_avals, batched, strict=True)
        ]
        return _closed(function, avals), tuple(flags)

    return _derived(graph, ("batch", size, batched), make)


def _closed(function: Callable[..., list[Any]], avals: Sequence[Aval]) -> Graph:
    graph, captures = capture(function, avals)
    assert not captures
    return simplify(graph)


class _CallDerivative:
    """Derivatives of a call are calls of derived graphs."""

    def forward(
        self, operation: Operation, primals: tuple[Any, ...], tangents: tuple[Any, ...]
    ) -> tuple[Any, Any]:
        graph: Graph = operation.params["graph"]
        mask = tuple([t is not None for t in tangents])
        given = [t for t in tangents if t is not None]
        count = len(graph.outputs)
        if _are_staged_alone(given, primals):
            parts = linearized(graph, mask)
            out, marked = call_graph(parts.known, primals), parts.marked
            places = [*primals, *out[count:]]
            pushed = call_graph(parts.linear, [*given, *[places[i] for i in parts.sources]])
        else:
            both, marked = push_forward(graph, mask)
            out = call_graph(both, [*primals, *given])
            pushed = out[count:]
        rest = iter(pushed)
        return tuple(out[:count]), tuple([next(rest) if m else None for m in marked])

    def reverse(self, operation: Operation, mask: int) -> ReverseRule:
        graph: Graph = operation.params["graph"]
        wanted = tuple([i for i in range(mask.bit_length()) if mask >> i & 1])
        split = split_reverse(graph, wanted)
        count = len(graph.outputs)
        inexact = [i for i, aval in enumerate(graph.out_avals) if aval.inexact]
        avals = graph.out_avals

        def save(operands: tuple[Any, ...], out: Any) -> tuple[Any, ...]:
            return (*[operands[i] for i in split.from_inputs], *out[count:])

        def pull(g: Any, saved: tuple[Any, ...], targets: Any) -> list[Any]:
            cotangents = [zeros(avals[i]) if g[i] is None else g[i] for i in inexact]
            results: list[Any] = [None] * len(graph.inputs)
            pulled = call_graph(split.reverse, [*saved, *cotangents])
            for i, cotangent in zip(split.reached, pulled, strict=True):
                results[i] = cotangent
            return results

        return ReverseRule(
            operation,
            mask,
            save,
            pull if split.reached else None,
            operation_of(split.forward),
            lambda out: tuple(out[:count]),
        )


def _are_staged_alone(tangents: Sequence[Any], primals: Sequence[Any]) -> bool:
    """Whether tangents wait to be known, as in ``linearize``, at primals that do not: the values
    of a call of both would wait with them, and be lost with the level of the tangents."""
    level = max([t.level for t in tangents], key=lambda level: level.number)
    return isinstance(level, StageLevel) and all(
        x.level.number < level.number for x in primals if isinstance(x, Tensor)
    )


def _batch_call(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    graph, flags = batch_graph(operation.params["graph"], size, batched)
    return tuple(call_graph(graph, operands)), flags


def _call_kernel(*operands: Any, graph: Graph) -> tuple[Any, ...]:
    return tuple(evaluate(graph, operands, perform_inline))


CALL = Primitive(
    "call",
    _call_kernel,
    derivative=_CallDerivative(),
    infer=lambda *avals, graph: graph.out_avals,
    batch=_batch_call,
    multiple=True,
    compile_cost=20.0,
)
