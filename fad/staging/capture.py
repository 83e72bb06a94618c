"""Capture: record what a function does as a Graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fad.core import kernels
from fad.core.aval import SCALARS, Aval
from fad.core.config import is_zero_strong
from fad.core.errors import ConcretizationError, located
from fad.core.graph import Equation, Graph
from fad.core.level import Level
from fad.core.primitive import Operation, Primitive
from fad.core.stream import local
from fad.core.tensor import Array, Tensor

_KINDS: dict[str, type] = {"float": float, "int": int, "complex": complex, "bool": bool}


def _scalar_kernel(*, kind: str, text: str) -> Any:
    return np.asarray(_KINDS[kind](text) if kind != "bool" else text == "True")


SCALAR = Primitive("scalar", _scalar_kernel, infer=lambda *, kind, text: SCALARS[_KINDS[kind]])
"""A Python scalar in a captured graph: there it is part of the program. The text keeps -0.0 and
NaN."""


class StagedTensor(Tensor):
    """A variable of a graph that is being captured: only its aval is known."""

    __slots__ = ("aval", "level", "variable")

    level: StageLevel
    variable: int

    def __init__(self, level: StageLevel, aval: Aval, variable: int) -> None:
        self.level = level
        self.aval = aval
        self.variable = variable

    def made_by(self) -> str:
        for eqn in self.level.equations:
            if self.variable in eqn.outputs:
                return f" (it was made by `{eqn.operation.name}`)"
        return ""

    def concrete(self, purpose: str) -> Array:
        self.level.check_active(self)
        raise ConcretizationError(
            located(
                f"{purpose} needs a concrete value, but inside {self.level.describe()} only shape "
                f"and dtype of this tensor {self.aval} are known: the function is run once and its "
                "operations compiled. Use fad.numpy.where for choices that depend "
                "on values, pass the argument as static (static_argnums), or leave "
                "the function un-jitted."
            )
        )


class StageLevel(Level):
    """One capture, under way inside its ``with`` block. Tensors from outside become captures:
    inputs that the caller does not pass."""

    __slots__ = ("avals", "captures", "equations", "transform", "variables")

    instead = "Return it from the function instead of storing it elsewhere"

    def __init__(self, function: Callable[..., Any] | None, transform: str = "jit") -> None:
        super().__init__(function)
        self.transform = transform
        self.avals: list[Aval] = []
        self.equations: list[Equation] = []
        self.captures: list[Tensor] = []
        self.variables: dict[int, int] = {}  # id of each captured tensor: its variable

    def __enter__(self) -> StageLevel:
        mine = [self]
        local.staging += mine  # no call, after which an exception could come: see fad.core.stream
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self in local.staging:  # else an abandoned run took it away
            local.staging.remove(self)
        self.active = False

    def variable(self, aval: Aval) -> int:
        """A new variable."""
        self.avals.append(aval)
        return len(self.avals) - 1

    def tensor(self, aval: Aval) -> StagedTensor:
        """A new variable, as a tensor."""
        return StagedTensor(self, aval, self.variable(aval))

    def process(self, operation: Operation, operands: tuple[Any, ...]) -> Any:
        """Append an equation."""
        if not self.active:
            for x in operands:
                if isinstance(x, StagedTensor) and x.level is self:
                    self.check_active(x)
        if is_zero_strong():
            operation = operation.strong()
        inputs = tuple([self.lookup(x) for x in operands])
        avals = operation.infer(tuple([self.avals[v] for v in inputs]))
        if type(avals) is tuple:
            outs = [self.tensor(aval) for aval in avals]
            self.equations.append(Equation(operation, inputs, tuple([o.variable for o in outs])))
            return tuple(outs)
        out = self.tensor(avals)  # type: ignore[arg-type]
        self.equations.append(Equation(operation, inputs, (out.variable,)))
        return out

    def lookup(self, x: Any) -> int:
        """The variable of an operand: its own, a capture's or a constant's."""
        if x.__class__ is StagedTensor and x.level is self:
            return x.variable
        if isinstance(x, Tensor):
            variable = self.variables.get(id(x))
            if variable is None:
                variable = self.variables[id(x)] = self.variable(x.aval)
                self.captures.append(x)
                if x.__class__ is Array and x.buffer.__class__ is np.ndarray:
                    # It is passed at every call of the graph: put it on the device once.
                    x.buffer = kernels.put(x.buffer)
            return variable
        operation = SCALAR(kind=type(x).__name__, text=str(x))
        variable = self.variable(SCALARS[type(x)])
        self.equations.append(Equation(operation, (), (variable,)))
        return variable

    def graph(self, inputs: Sequence[int], outputs: Sequence[int]) -> Graph:
        """The graph so far; captures come after the inputs."""
        captured = [self.variables[id(x)] for x in self.captures]
        return Graph(self.avals, [*inputs, *captured], self.equations, outputs)


def capture(
    function: Callable[..., Sequence[Any]],
    avals: Sequence[Aval],
    name: Any = None,
    transform: str = "jit",
) -> tuple[Graph, list[Tensor]]:
    """The graph of a function from tensors to a list of tensors, and the tensors it captured."""
    with StageLevel(name or function, transform) as level:
        inputs = [level.tensor(aval) for aval in avals]
        outputs = [level.lookup(x) for x in function(*inputs)]
    return level.graph([x.variable for x in inputs], outputs), level.captures
