"""Whether a linear map of complex numbers is complex-linear: L(i v) = i L(v)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fad.core.aval import Aval
from fad.core.errors import ConcretizationError
from fad.core.graph import Graph
from fad.core.runs import outermost
from fad.staging.call import call_graph


def is_complex(aval: Aval) -> bool:
    """Whether these are complex numbers."""
    return aval.dtype.kind == "c"


@outermost
def is_complex_linear(graph: Graph, captures: Sequence[Any], avals: Sequence[Aval]) -> bool:
    """Whether i passes through the map, of arguments with these avals, in one generic direction.

    Where the captures' values are not known: whether no operation stops i.
    """
    try:
        values = [x.concrete("a linear map") for x in captures]
    except ConcretizationError:
        return not _may_stop_i(graph)
    direction = [_direction(aval) for aval in avals]
    turned = [np.asarray(1j * v, v.dtype) if np.iscomplexobj(v) else v for v in direction]
    x, y = (
        [np.asarray(out) for out in call_graph(graph, [*leaves, *values])]
        for leaves in (direction, turned)
    )
    return all(map(_is_times_i, x, y))


def _direction(aval: Aval) -> np.ndarray:
    """Numbers that nothing singles out; zeros for real arguments, which have no say."""
    if not is_complex(aval):
        return np.zeros(aval.shape, aval.dtype)
    angles = np.sqrt(np.arange(2.0, aval.size + 2.0))
    return np.exp(1j * angles).reshape(aval.shape).astype(aval.dtype)


def _is_times_i(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether ``y`` is ``i x``, to rounding and where both are finite."""
    finite = np.isfinite(x) & np.isfinite(y)
    expected, y = 1j * x[finite], y[finite]
    scale = max(np.abs(expected).max(initial=0.0), np.abs(y).max(initial=0.0))
    error = np.abs(y - expected).max(initial=0.0)
    return bool(error <= 1e3 * np.finfo(expected.dtype).eps * scale)


def _may_stop_i(graph: Graph) -> bool:
    """Whether an operation conjugates, or makes real numbers of complex ones."""
    met = {graph}
    pending = [graph]
    while pending:
        graph = pending.pop()
        for operation, inputs, outputs in graph.equations:
            taken = any(is_complex(graph.avals[v]) for v in inputs)
            given = all(is_complex(graph.avals[v]) for v in outputs)
            if operation.name == "conj" or (taken and not given):
                return True
            for value in operation.params.values():
                several = value if isinstance(value, tuple) else (value,)
                inner = {g for g in several if isinstance(g, Graph)} - met
                met |= inner
                pending += inner
    return False
