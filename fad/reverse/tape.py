"""The tape level: operations on its tensors leave nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fad.core import config
from fad.core.apply import apply, apply1, apply2
from fad.core.config import is_zero_strong
from fad.core.level import Level
from fad.core.primitive import Operation, ReverseRule
from fad.core.stream import Segment
from fad.core.tensor import Array, Tensor
from fad.reverse.node import Node, input_node, next_sequence

new = object.__new__


class TapeTensor(Tensor):
    """A tensor of a tape: its value beneath, and the node and output number that made it.

    On a tape that the stream tells of (see :class:`fad.reverse.stream_tape.StreamTape`) ``segment``
    and ``index`` say where it stands there, and the others are made when they are first asked for.
    """

    __slots__ = ("aval", "index", "level", "node", "output_nr", "segment", "value")

    level: TapeLevel
    segment: Segment
    index: int
    value: Any
    node: Node
    output_nr: int

    def __getattr__(self, name: str) -> Any:
        if name == "value":
            return self.level.value_of(self)
        if name == "node" or name == "output_nr":
            self.node, self.output_nr = self.level.node_of(self)
            return getattr(self, name)
        return object.__getattribute__(self, name)  # raises, as for other tensors

    def made_by(self) -> str:
        name = self.level.maker_of(self)
        return f" (it was made by `{name}`)" if name else ""

    def concrete(self, purpose: str) -> Array:
        self.level.check_active(self)
        value: Tensor = self.value
        return value.concrete(purpose)


class TapeLevel(Level):
    """One reverse-mode transform.

    ``refs`` identifies the run on whose stream the tape is recorded, if the place where that stream
    stands tells all about the tape, and ``positions`` are then those of the inputs in the run.
    """

    __slots__ = ("positions", "refs", "transform")

    def __init__(self, function: Callable[..., Any] | None = None, transform: str = "grad") -> None:
        super().__init__(function)
        self.transform = transform
        self.refs: list[Any] | None = None
        self.positions: tuple[int, ...] = ()

    def inputs(self, values: list[Any]) -> list[TapeTensor]:
        """Put the inputs of the transform on the tape."""
        return [self._tensor(v, input_node(v.aval), 0) for v in values]

    def close(self) -> None:
        """The function has returned: its tensors must not be used any more."""
        self.active = False

    def release(self) -> None:
        """The backward pass begins: from now on it holds itself what it needs."""

    def value_of(self, tensor: TapeTensor) -> Any:
        """The tensor beneath."""
        return tensor.value

    def node_of(self, tensor: TapeTensor) -> tuple[Node, int]:
        """The node that made a tensor, and the number of the output."""
        return tensor.node, tensor.output_nr

    def maker_of(self, tensor: TapeTensor) -> str:
        """The name of the operation that made a tensor, empty for an input."""
        return "" if tensor.node.rule is None else tensor.node.name

    def process(self, operation: Operation, operands: tuple[Any, ...]) -> Any:
        """Apply ``operation`` beneath, and leave a node if it can be differentiated."""
        values, parents, slots, mask = self._beneath(operands)
        if operation.derivative is None:
            return apply(operation, *values)
        if is_zero_strong():
            operation = operation.strong()
        rule = operation.rules.get(mask) or operation.rule(mask)
        out = apply(rule.operation, *values)
        if rule.pull is None:  # no wanted operand has a derivative
            return out
        return self._leave_node(rule, values, parents, slots, out)

    def process1(self, operation: Operation, x: Any) -> Any:
        """The short way for one operand."""
        rule = operation.rules.get(1)
        if rule is None or not rule.plain or not self.active or config.strong_blocks:
            return self.process(operation, (x,))
        value = x.value
        out = apply1(rule.operation, value)
        aval = out.aval
        if not aval.inexact:
            return out
        node: Node = new(Node)
        node.rule = rule
        node.aval = aval
        node.parents = (x.node,)
        node.slots = (x.output_nr,) if x.output_nr else None
        node.saved = rule.save((value,), out)
        node.sequence = next_sequence()
        return self._tensor(out, node, 0)

    def process2(self, operation: Operation, x: Any, y: Any, mask: int) -> Any:
        """The short way for two operands."""
        rule = operation.rules.get(mask)
        if rule is None or not rule.plain or not self.active or config.strong_blocks:
            return self.process(operation, (x, y))
        parents: list[Node | None] = [None, None]
        first = second = 0
        if mask & 1:
            parents[0], first, x = x.node, x.output_nr, x.value
        if mask & 2:
            parents[1], second, y = y.node, y.output_nr, y.value
        out = apply2(rule.operation, x, y)
        node: Node = new(Node)
        node.rule = rule
        node.aval = out.aval
        node.parents = tuple(parents)
        node.slots = (first, second) if first or second else None
        node.saved = rule.save((x, y), out)
        node.sequence = next_sequence()
        return self._tensor(out, node, 0)

    def _beneath(
        self, operands: tuple[Any, ...]
    ) -> tuple[list[Any], list[Node | None], list[int], int]:
        """The values of the operands, their nodes and numbers, and which of them have one."""
        values = []
        parents: list[Node | None] = []
        slots: list[int] = []
        mask = 0
        for i, x in enumerate(operands):
            if x.__class__ is TapeTensor and x.level is self:
                if not self.active:
                    self.check_active(x)
                values.append(x.value)
                parents.append(x.node)
                slots.append(x.output_nr)
                mask |= 1 << i
            else:
                values.append(x)
                parents.append(None)
                slots.append(0)
        return values, parents, slots, mask

    def _leave_node(
        self, rule: ReverseRule, values: Any, parents: Any, slots: Any, out: Any
    ) -> Any:
        """The visible results, with the node that made them."""
        node: Node = new(Node)
        node.rule = rule
        node.parents = tuple(parents)
        node.slots = tuple(slots) if any(slots) else None
        node.saved = rule.save(tuple(values), out)
        node.sequence = next_sequence()
        if rule.results is not None:
            out = rule.results(out)
        if type(out) is tuple:
            node.aval = tuple([o.aval for o in out])
            return tuple(
                [self._tensor(o, node, i) if o.aval.inexact else o for i, o in enumerate(out)]
            )
        node.aval = out.aval
        return self._tensor(out, node, 0) if out.aval.inexact else out

    def _tensor(self, value: Any, node: Node, output_nr: int) -> TapeTensor:
        tensor: TapeTensor = new(TapeTensor)
        tensor.level = self
        tensor.aval = value.aval
        tensor.value = value
        tensor.node = node
        tensor.output_nr = output_nr
        return tensor
