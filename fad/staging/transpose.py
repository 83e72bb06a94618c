"""Transposing a linear graph."""

from __future__ import annotations

from typing import Any

from fad.core.errors import FadTypeError, located
from fad.core.graph import Graph, simplify, variables_read
from fad.primitives.broadcast import zeros
from fad.reverse.pullback import Recording
from fad.staging.call import needed_part, run_graph
from fad.staging.capture import StageLevel


def transpose(graph: Graph, linear: int, name: str = "the function") -> Graph:
    """The transpose of a graph that is linear in its first ``linear`` inputs.

    It takes one cotangent per output and then the other inputs, and gives one cotangent per linear
    input.

    Raises:
        FadTypeError: the graph is not linear in those inputs.
    """
    with StageLevel(None, "linear_transpose") as level:
        cotangents = [level.tensor(aval) for aval in graph.out_avals]
        others = [level.tensor(aval) for aval in graph.in_avals[linear:]]
        primals = [level.tensor(aval) for aval in graph.in_avals[:linear]]
        recording = Recording(run_graph, list(primals), "linear_transpose")
        outs = run_graph(graph, [*recording.tensors, *others])
        recording.close()
        pulled: list[Any] = recording.pull(outs, cotangents)
        results = [
            level.lookup(zeros(p.aval) if c is None else c)
            for p, c in zip(primals, pulled, strict=True)
        ]
    inputs = [x.variable for x in [*cotangents, *others]]
    # The call of a graph gives its residuals together with results that are not needed here.
    transposed = needed_part(simplify(Graph(level.avals, inputs, level.equations, results)))
    read = variables_read(transposed)
    if not read.isdisjoint([p.variable for p in primals]):
        raise FadTypeError(
            located(
                f"linear_transpose: {name} is not linear: its derivative depends on its arguments. "
                "Use fad.vjp at a point."
            )
        )
    return transposed
