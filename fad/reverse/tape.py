"""The tape level: operations on its tensors leave nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import ref

from fad.core import config
from fad.core.apply import apply, apply1, apply2
from fad.core.aval import SCALARS
from fad.core.config import current, is_zero_strong
from fad.core.level import Level
from fad.core.primitive import Operation, ReverseRule
from fad.core.stream import Segment, enter, local, record, record1, record2, scalar_at
from fad.core.tensor import Array, Tensor
from fad.core.trie import TrieNode
from fad.reverse.node import Node, input_node, next_sequence

new = object.__new__


class TapeTensor(Tensor):
    """A tensor of a tape: its value beneath, and the node and output number that made it."""

    __slots__ = ("aval", "level", "node", "output_nr", "value")

    level: TapeLevel
    value: Any
    node: Node
    output_nr: int

    def made_by(self) -> str:
        return "" if self.node.rule is None else f" (it was made by `{self.node.name}`)"

    def concrete(self, purpose: str) -> Array:
        self.level.check_active(self)
        value: Tensor = self.value
        return value.concrete(purpose)


class TapeLevel(Level):
    """One reverse-mode transform.

    ``refs`` identifies the run on whose stream the tape's values are recorded, while the place
    where that stream stands still tells all about the tape (then its backward pass can be
    replayed): its inputs are concrete and different, no other such tape is active, and operations
    on it are recorded with their reverse rule as step, which names the operands that are on the
    tape.
    """

    __slots__ = ("positions", "refs", "start", "transform")

    def __init__(self, function: Callable[..., Any] | None = None, transform: str = "grad") -> None:
        super().__init__(function)
        self.transform = transform
        self.refs: list[Any] | None = None
        self.positions: tuple[int, ...] = ()  # of the inputs, in the run
        self.start: tuple[TrieNode, int] | None = None  # where the stream stood, and its position

    def inputs(self, values: list[Any]) -> list[TapeTensor]:
        """Put the inputs of the transform on the tape."""
        for v in values:
            if v.__class__ is not Array:
                break
        else:
            if self._is_only_one():
                segment = local.segment
                places = tuple(
                    [v.index if v.segment is segment else enter(segment, v) for v in values]
                )
                if len(places) == 1 or len(set(places)) == len(places):
                    self.refs = segment.refs
                    self.positions = places
                    self.start = segment.node, len(segment.refs)
                    local.tape = self
        return [self._tensor(v, input_node(v.aval), 0) for v in values]

    def _is_only_one(self) -> bool:
        """Whether the stream may tell about this tape: no other one is being recorded on it."""
        other = local.tape
        return (other is None or not other.active) and current().replay

    def _tensor(self, value: Any, node: Node, output_nr: int) -> TapeTensor:
        tensor: TapeTensor = new(TapeTensor)
        tensor.level = self
        tensor.aval = value.aval
        tensor.value = value
        tensor.node = node
        tensor.output_nr = output_nr
        return tensor

    def process(self, operation: Operation, operands: tuple[Any, ...]) -> Any:
        """Apply ``operation`` beneath, and leave a node if it can be differentiated."""
        values = []
        parents: list[Node | None] = []
        slots: list[int] = []
        mask = 0
        for i, x in enumerate(operands):
            if x.__class__ is TapeTensor and x.level is self:
                values.append(x.value)
                parents.append(x.node)
                slots.append(x.output_nr)
                mask |= 1 << i
                if not self.active:
                    self.check_active(x)
            else:
                values.append(x)
                parents.append(None)
                slots.append(0)
        if operation.derivative is None:
            return apply(operation, *values)
        if config.strong_blocks and is_zero_strong():
            operation = operation.strong()
        rule = operation.rules.get(mask) or operation.rule(mask)
        out = self._perform(rule, values)
        if rule.pull is None:  # no wanted operand has a derivative
            return out
        saved = rule.save(tuple(values), out)
        if rule.results is not None:
            out = rule.results(out)
        node: Node = new(Node)
        node.rule = rule
        node.parents = tuple(parents)
        node.slots = tuple(slots) if any(slots) else None
        node.saved = saved
        node.sequence = next_sequence()
        if type(out) is tuple:
            node.aval = tuple([o.aval for o in out])
            return tuple(
                [self._tensor(o, node, i) if o.aval.inexact else o for i, o in enumerate(out)]
            )
        node.aval = out.aval
        if not out.aval.inexact:
            return out
        return self._tensor(out, node, 0)

    def process1(self, operation: Operation, x: Any) -> Any:
        """The short way for one operand."""
        rule = operation.rules.get(1)
        if rule is None or rule.results is not None or not self.active or config.strong_blocks:
            return self.process(operation, (x,))
        a = x.value
        if self.refs is None:
            out = apply1(rule.operation, a)
        else:
            out = record1(rule, a)
            if out.segment.refs is not self.refs:
                self.refs = None
        aval = out.aval
        if rule.pull is None or not aval.inexact:
            return out
        node: Node = new(Node)
        node.rule = rule
        node.aval = aval
        node.parents = (x.node,)
        node.slots = (x.output_nr,) if x.output_nr else None
        node.saved = rule.save((a,), out)
        node.sequence = next_sequence()
        tensor: TapeTensor = new(TapeTensor)
        tensor.level = self
        tensor.aval = aval
        tensor.value = out
        tensor.node = node
        tensor.output_nr = 0
        return tensor

    def process2(self, operation: Operation, x: Any, y: Any, mask: int) -> Any:
        """The short way for two operands."""
        rule = operation.rules.get(mask)
        if rule is None or not rule.plain or not self.active or config.strong_blocks:
            return self.process(operation, (x, y))
        node: Node = new(Node)
        node.slots = None
        if mask == 3:
            node.parents = (x.node, y.node)
            if x.output_nr or y.output_nr:
                node.slots = (x.output_nr, y.output_nr)
            x, y = x.value, y.value
        elif mask == 1:
            node.parents = (x.node, None)
            if x.output_nr:
                node.slots = (x.output_nr, 0)
            x = x.value
        else:
            node.parents = (None, y.node)
            if y.output_nr:
                node.slots = (0, y.output_nr)
            y = y.value
        if self.refs is None:
            out = apply2(rule.operation, x, y)
        else:
            out = record2(rule, x, y)
            segment = out.segment
            if segment.refs is not self.refs:
                self.refs = None
            elif x.__class__ is float:
                if rule.keeps & 1:
                    x = _placed(segment, out.index - 1, -1)
            elif y.__class__ is float and rule.keeps & 2:
                y = _placed(segment, out.index - 1, -1)
        node.rule = rule
        node.aval = aval = out.aval
        node.saved = rule.save((x, y), out)
        node.sequence = next_sequence()
        tensor: TapeTensor = new(TapeTensor)
        tensor.level = self
        tensor.aval = aval
        tensor.value = out
        tensor.node = node
        tensor.output_nr = 0
        return tensor

    def _perform(self, rule: ReverseRule, values: list[Any]) -> Any:
        """Run the operation beneath; scalars that the rule saves get their place on the stream."""
        if self.refs is None:
            return apply(rule.operation, *values)
        for v in values:
            if v.__class__ is not Array and v.__class__ not in SCALARS:
                self.refs = None
                return apply(rule.operation, *values)
        out = record(rule, tuple(values))
        first = out[0] if type(out) is tuple else out
        segment = first.segment
        if segment.refs is not self.refs:
            self.refs = None
            return out
        place = first.index
        leaf = 0
        for i in range(len(values) - 1, -1, -1):
            if values[i].__class__ is not Array:
                place -= 1
                leaf -= 1
                values[i] = _placed(segment, place, leaf)
        return out


def _placed(segment: Segment, place: int, leaf: int) -> Array:
    """The tensor of a Python scalar just recorded: what replay finds again by its position."""
    array = scalar_at(segment, place, segment.leaves[leaf])
    segment.refs[place] = ref(array)
    return array
