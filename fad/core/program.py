"""Programs: graphs that run, and the choice of how (the tiers).

XLA needs about 25 ms for the smallest program, a millisecond more for an elementwise operation and
ten more for a matrix product; one kernel call costs about 10 µs. A small new program is compiled
whole at once. A large one runs kernel by kernel, each kernel compiled once and shared by all
programs, and is compiled whole when it has been met often enough to pay for that (the ski-rental
rule: never more than twice the best possible cost). The choice counts meetings and never reads a
clock.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from fad.core import kernels
from fad.core.aval import Aval
from fad.core.config import Compile
from fad.core.graph import Equation, Graph, evaluate, last_uses, simplify, variables_read
from fad.core.kernels import Buffer
from fad.core.literals import literal_buffer
from fad.core.primitive import Operation

COMPILE_MS = 25.0
CALL_MS = 0.012
SMALL_MS = 120.0
"""A program whose estimated compile time is below this is compiled at its first meeting."""

MAX_FUSED = 128
MAX_FUSED_LARGE = 512
LARGE = 4096
"""Above ``MAX_FUSED`` operations a program is compiled without fusion: on the CPU an unrolled loop
of 1,160 elementwise operations compiles in 8 s with it and in 0.35 s without, and small arrays run
as fast. Where an array has ``LARGE`` elements or more, fusion pays up to ``MAX_FUSED_LARGE``."""

LARGE_BYTES = 1 << 20

_MAX_PROGRAMS = 1024
_MAX_KERNELS = 1024
MAX_HELD = 40_000
"""Bound on what streams hold of compiled code: a compiled program counts 64 and 1 more for each
operation, one that runs kernel by kernel 32 for each of its kernels.

XLA keeps 0.5 to 2 MB for a program and up to 40 KB more for each operation, and memory maps: two
or three for each loop that fusion leaves. A Linux process may have 65,530 of these, and at the next
one XLA aborts it. At the bound there are 1 to 2 GB and 15,000 to 35,000 maps.
"""


class Program:
    """One graph, run kernel by kernel or as one compiled function of its input buffers.

    Its last ``packed`` inputs are floats that come in one buffer.
    """

    __slots__ = ("compiled", "donate", "graph", "mode", "packed", "patience", "steps")

    def __init__(
        self, graph: Graph, mode: Compile, donate: tuple[int, ...] = (), packed: int = 0
    ) -> None:
        self.graph = graph
        self.mode = mode
        self.donate = donate
        self.packed = packed
        self.compiled: Callable[..., list[Buffer]] | None = None
        self.steps: list[kernels.Step] | None = None
        self.patience = meetings_before_compiling(graph) if mode == "auto" else 0

    def __call__(self, *buffers: Buffer) -> list[Buffer]:
        """The output buffers."""
        compiled = self.compiled
        if compiled is not None:
            return compiled(*buffers)
        if self.mode == "never" or self.patience > 0:
            self.patience -= 1
            steps = self.steps
            if steps is None:
                self.steps = steps = _steps(self.graph)
                _hold(self, 32 * len({step.kernel for step in steps}))
            if self.packed:
                floats = np.asarray(buffers[-1]).tolist()
                buffers = (*buffers[:-1], *map(literal_buffer, floats))
            return kernels.run_apart(steps, self.graph.inputs, self.graph.outputs, buffers)
        self.steps = None
        self.compiled = compiled = compile_graph(self.graph, self.donate, self.packed)
        _hold(self, 64 + len(self.graph.equations))
        return compiled(*buffers)

    def release(self) -> None:
        """Let go of compiled code. The next call begins like the first."""
        self.steps = self.compiled = None
        self.patience = meetings_before_compiling(self.graph) if self.mode == "auto" else 0


_holding: OrderedDict[Program, int] = OrderedDict()
_holding_lock = threading.Lock()


def _hold(program: Program, weight: int) -> None:
    """Note that ``program`` now holds compiled code; those that have held it longest release it."""
    with _holding_lock:
        _holding[program] = weight
        _holding.move_to_end(program)
        held = sum(_holding.values())
        while held > MAX_HELD and len(_holding) > 1:
            oldest, weight = _holding.popitem(last=False)
            held -= weight
            oldest.release()


def is_fused(graph: Graph) -> bool:
    """Whether the graph is compiled with fusion."""
    count = len(graph.equations)
    if count <= MAX_FUSED:
        return True
    return count <= MAX_FUSED_LARGE and any(
        graph.avals[v].size >= LARGE for eqn in graph.equations for v in eqn.outputs
    )


def compile_ms(graph: Graph) -> float:
    """Estimated time for XLA to compile the graph whole, in milliseconds."""
    costs = sum(eqn.operation.primitive.compile_cost for eqn in graph.equations)
    return COMPILE_MS + (costs if is_fused(graph) else 0.5 * costs)


def meetings_before_compiling(graph: Graph) -> int:
    """How often a graph is run kernel by kernel before compiling it whole pays."""
    whole = compile_ms(graph)
    distinct = {
        (eqn.operation, tuple([graph.avals[v] for v in eqn.inputs])) for eqn in graph.equations
    }
    apart = sum(COMPILE_MS + operation.primitive.compile_cost for operation, _ in distinct)
    if whole <= max(apart, SMALL_MS):
        return 0
    return int(whole / (CALL_MS * len(graph.equations)))


def compile_graph(
    graph: Graph, donate: tuple[int, ...] = (), packed: int = 0
) -> Callable[..., list[Buffer]]:
    """The graph as one function compiled by XLA; see :class:`Program`."""

    def run(*buffers: Buffer) -> list[Buffer]:
        if packed:
            buffers = (*buffers[:-1], *kernels.unpack(buffers[-1], packed))
        return evaluate(graph, buffers, perform_inline)

    return kernels.compile(run, donate, is_fused(graph))


def perform_inline(operation: Operation, operands: list[Any], avals: tuple[Aval, ...]) -> Any:
    """Run an operation's kernel, inside a compilation."""
    promotion = operation.primitive.elementwise
    if promotion is not None:
        operands = kernels.align(operands, promotion.operands(avals))
    return operation.kernel(*operands)


_kernels: OrderedDict[Any, Callable[..., Any]] = OrderedDict()


def _steps(graph: Graph) -> list[kernels.Step]:
    """The graph as kernels to run one by one, each value freed after its last use."""
    steps = []
    for eqn, dead in zip(graph.equations, last_uses(graph), strict=True):
        large = any(graph.avals[v].nbytes >= LARGE_BYTES for v in eqn.outputs)
        donate = _overwritten(graph, eqn, dead) if large else ()
        kernel = _kernel(eqn.operation, tuple([graph.avals[v] for v in eqn.inputs]), donate)
        multiple = eqn.operation.multiple
        steps.append(kernels.Step(kernel, eqn.inputs, eqn.outputs, multiple, dead, large))
    return steps


def _overwritten(graph: Graph, eqn: Equation, dead: list[int]) -> tuple[int, ...]:
    """The operand of a large elementwise operation whose memory its result takes, if one dies.

    New memory costs two to three times as much as the arithmetic, for its pages.
    """
    if eqn.operation.primitive.elementwise is None:
        return ()
    made = [(graph.avals[v].shape, graph.avals[v].dtype) for v in eqn.outputs]
    for i, v in enumerate(eqn.inputs):
        alike = (graph.avals[v].shape, graph.avals[v].dtype) in made
        if alike and v in dead and v not in graph.inputs and eqn.inputs.count(v) == 1:
            return (i,)
    return ()


def _kernel(
    operation: Operation, avals: tuple[Aval, ...], donate: tuple[int, ...]
) -> Callable[..., Any]:
    """The compiled kernel of an operation on operands of these avals, shared by all programs."""
    key = operation, avals, donate
    kernel = _kernels.get(key)
    if kernel is None:
        kernel = _kernels[key] = kernels.jit(
            lambda *xs: perform_inline(operation, list(xs), avals), donate
        )
        if len(_kernels) > _MAX_KERNELS:
            _kernels.popitem(last=False)
    return kernel


_programs: OrderedDict[tuple[Any, ...], Program] = OrderedDict()


def program_for(
    graph: Graph, mode: Compile, is_float: Sequence[bool] = ()
) -> tuple[Program, list[int]]:
    """The program of ``graph`` without its unused inputs, and which inputs those are that it takes.

    Python floats come last and packed, unless the program is compiled without fusion: each would
    be taken out of the buffer by a kernel of its own. Equal graphs share one program, whichever way
    they came about.
    """
    graph = simplify(graph)
    read = variables_read(graph)
    used = [i for i, v in enumerate(graph.inputs) if v in read]
    count = 0
    if is_float and is_fused(graph):
        used.sort(key=lambda i: is_float[i])
        count = sum(is_float[i] for i in used)
    graph = Graph(graph.avals, [graph.inputs[i] for i in used], graph.equations, graph.outputs)
    key = (mode, graph.key, count)
    program = _programs.get(key)
    if program is None:
        program = _programs[key] = Program(graph, mode, packed=count)
        if len(_programs) > _MAX_PROGRAMS:
            _programs.popitem(last=False)
    else:
        with suppress(KeyError):  # another thread may have let go of it just now
            _programs.move_to_end(key)
    return program, used
