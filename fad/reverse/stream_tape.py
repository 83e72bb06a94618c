"""A tape of which the stream tells.

Operations are recorded with their reverse rule as step, which names the operands that are on the
tape: so the path down the trie says all that nodes would. A tensor of the tape is a place on the
stream; its node, and the tensor beneath it, are made when somebody asks for them. Nobody does if
the backward pass is replayed.
"""

from __future__ import annotations

from typing import Any
from weakref import ref

from fad.core import config
from fad.core.aval import Aval
from fad.core.config import is_zero_strong
from fad.core.primitive import Operation, ReverseRule
from fad.core.stream import (
    MAX_RUN,
    Segment,
    array_at,
    enter,
    local,
    place_at,
    record,
    record1,
    record2,
    scalars_among,
)
from fad.core.tensor import Array
from fad.core.trie import SCALAR_CODES, TrieNode
from fad.reverse.node import Node, input_node, next_sequence
from fad.reverse.path import Path, fetch, path_between, places_in
from fad.reverse.tape import TapeLevel, TapeTensor

new = object.__new__


class StreamTape(TapeLevel):
    """The level of a transform that can be replayed.

    The stream tells of its tape if the inputs are concrete and different and no other such tape is
    being recorded; until an operation meets a tensor of another level, from which on it has nodes
    as any other. ``told`` is ``refs`` as long as the stream tells, and None when the function has
    returned.
    """

    __slots__ = (
        "_end", "_first", "_kept", "_nodes", "_start", "_values", "lock", "segment", "told",
    )  # fmt: skip

    def inputs(self, values: list[Any]) -> list[TapeTensor]:
        """Put the inputs of the transform on the tape."""
        self.told: list[Any] | None = None
        segment = local.segment
        other = local.tape
        if not local.depth or (other is not None and other.active):
            return super().inputs(values)
        tensors = []
        places = []
        for v in values:
            if v.__class__ is not Array:
                return super().inputs(values)
            place = v.index if v.segment is segment else enter(segment, v)
            tensor = self._placed(segment, place, v.aval)
            tensor.value = v
            tensors.append(tensor)
            places.append(place)
        several = len(places) > 1
        if (several and len(set(places)) < len(places)) or not segment.node.settings.replay:
            return super().inputs(values)
        self._follow(segment, tuple(places), values)
        return tensors

    def _follow(self, segment: Segment, places: tuple[int, ...], values: list[Any]) -> None:
        """From here on the stream tells of the tape."""
        self.refs = self.told = segment.refs
        self.segment = segment
        self.positions = places
        self._first: tuple[TrieNode, int] = segment.start_node, segment.start
        self._start = len(segment.refs)
        self._values = values
        self._end: TrieNode | None = None
        self._kept: list[Array] = []
        self._nodes: dict[int, tuple[Node, int]] = {}
        self.lock = local.lock
        local.tape = self

    def close(self) -> None:
        """The function has returned: its tensors must not be used any more."""
        self.active = False
        if self.told is not None:
            self.told = None
            self._end = self.segment.node

    def _placed(self, segment: Segment, index: int, aval: Aval) -> TapeTensor:
        """A tensor that is a place on the stream."""
        tensor: TapeTensor = new(TapeTensor)
        tensor.level = self
        tensor.aval = aval
        tensor.segment = segment
        tensor.index = index
        return tensor

    def process1(self, operation: Operation, x: Any) -> Any:
        """The short way for one operand; written out, since this is the hot path."""
        if config.strong_blocks and is_zero_strong():
            operation = operation.strong()
        rule = operation.rules.get(1)
        segment = local.segment
        refs = segment.refs
        if refs is not self.told or rule is None or not rule.plain:
            if self.told is None:
                return super().process1(operation, x)
            if refs is self.told and operation.derivative is None:
                return record1(operation, x)
            return self.process(operation, (x,))
        key = (rule, x.index if x.segment is segment else enter(segment, x))
        node = segment.node.next.get(key)
        if node is None or not node.aval.inexact:
            return self.process(operation, (x,))
        tensor: TapeTensor = new(TapeTensor)
        tensor.level = self
        tensor.aval = node.aval
        tensor.segment = segment
        tensor.index = len(refs)
        place = ref(tensor)
        segment.node = node
        refs.append(place)
        return tensor

    def process2(self, operation: Operation, x: Any, y: Any, mask: int) -> Any:
        """The short way for two operands."""
        if config.strong_blocks and is_zero_strong():
            operation = operation.strong()
        rule = operation.rules.get(mask)
        segment = local.segment
        refs = segment.refs
        if refs is not self.told or rule is None or not rule.plain:
            if self.told is None:
                return super().process2(operation, x, y, mask)
            if refs is self.told and operation.derivative is None:
                return record2(operation, x, y)
            return self.process(operation, (x, y))
        literal = None
        if y.__class__ is float:
            literal = y
            key = (rule, x.index if x.segment is segment else enter(segment, x), -1)
        elif x.__class__ is float:
            literal = x
            key = (rule, -1, y.index if y.segment is segment else enter(segment, y))
        else:
            key = (
                rule,
                x.index if x.segment is segment else enter(segment, x),
                y.index if y.segment is segment else enter(segment, y),
            )
        node = segment.node.next.get(key)
        if node is None:
            return self.process(operation, (x, y))
        tensor: TapeTensor = new(TapeTensor)
        tensor.level = self
        tensor.aval = node.aval
        tensor.segment = segment
        place = ref(tensor)
        if literal is None:
            tensor.index = len(refs)
            segment.node = node
            refs.append(place)
        else:
            tensor.index = len(refs) + 1
            standing = (literal, place)
            segment.node = node
            refs += standing
        return tensor

    def _record(self, operation: Operation, operands: tuple[Any, ...]) -> Any:
        """Apply ``operation``, and leave its rule on the stream as what a node would say."""
        segment = local.segment
        key: list[Any] = []
        mask = 0
        scalars = False
        for i, x in enumerate(operands):
            kind = x.__class__
            if kind is TapeTensor and x.level is self:
                mask |= 1 << i
            elif kind is not Array:
                code = SCALAR_CODES.get(kind)
                if code is None:
                    self.leave()
                    return self.process(operation, operands)
                key.append(code)
                scalars = True
                continue
            key.append(x.index if x.segment is segment else enter(segment, x))
        if operation.derivative is None:
            return record(operation, operands)
        if config.strong_blocks and is_zero_strong():
            operation = operation.strong()
        rule = operation.rules.get(mask) or operation.rule(mask)
        node = segment.node.next.get((rule, *key))
        if node is None or not rule.plain or type(node.aval) is tuple or not node.aval.inexact:
            return self._record_any(rule, operands)
        refs = segment.refs
        standing = scalars_among(operands, rule) if scalars else []
        tensor = self._placed(segment, len(refs) + len(standing), node.aval)
        standing.append(ref(tensor))
        segment.node = node
        refs += standing
        return tensor

    def _record_any(self, rule: ReverseRule, operands: tuple[Any, ...]) -> Any:
        out = record(rule, operands)
        if self.told is None:  # a new run began meanwhile
            values, parents, slots, _ = self._beneath(operands)
            return self._leave_node(rule, values, parents, slots, out)
        if rule.pull is None:  # no wanted operand has a derivative
            return out
        if rule.results is not None:
            out = rule.results(out)
        if type(out) is tuple:
            return tuple([self._of(o) if o.aval.inexact else o for o in out])
        return self._of(out) if out.aval.inexact else out

    def _of(self, value: Array) -> TapeTensor:
        tensor = self._placed(value.segment, value.index, value.aval)  # type: ignore[arg-type]
        tensor.value = value
        return tensor

    def process(self, operation: Operation, operands: tuple[Any, ...]) -> Any:
        """Apply ``operation``, and leave a node or what the stream tells instead."""
        if self.told is not None:
            if self.told is local.segment.refs:
                return self._record(operation, operands)
            self.leave()  # another thread goes on with it
        return super().process(operation, operands)

    # ------------------------------------------------------------------- what the stream has told

    def path(self) -> Path:
        """What the stream tells."""
        return path_between(*self._first, self._end or self.segment.node, self._start)

    def node_of(self, tensor: TapeTensor) -> tuple[Node, int]:
        """The node that made a tensor, and the number of the output."""
        if tensor.index not in self._nodes:
            if local.segment.refs is not self.refs:
                self.check_active(tensor)
            self._make_nodes()
        return self._nodes[tensor.index]

    def value_of(self, tensor: TapeTensor) -> Array:
        """The tensor beneath."""
        with self.lock:  # else each of two threads makes one, and a flush gives one its buffer
            try:
                value: Array = object.__getattribute__(tensor, "value")
            except AttributeError:
                value = tensor.value = place_at(tensor.segment, tensor.index, tensor.aval)
            return value

    def _make_nodes(self) -> None:
        """Make the nodes of all steps so far."""
        with self.lock:
            self._make_missing_nodes()

    def _make_missing_nodes(self) -> None:
        segment = local.segment if local.segment.refs is self.refs else self.segment
        made = self._nodes
        path = self.path()
        for position, value in zip(self.positions, self._values, strict=True):
            if position not in made:  # steps name the first place of what was met before a flush
                made[position] = made[path.first_place(position)] = input_node(value.aval), 0
        for step in path.steps:
            rule = step.rule
            visible = step.visible()
            if rule.pull is None or visible[0].position in made:
                continue
            node: Node = new(Node)
            node.rule = rule
            taped = [bool(rule.mask >> i & 1) for i in range(len(step.operands))]
            parents = [
                made[place.position] if t else (None, 0)
                for place, t in zip(step.operands, taped, strict=True)
            ]
            node.parents = tuple([parent for parent, _ in parents])
            slots = tuple([number for _, number in parents])
            node.slots = slots if any(slots) else None
            node.saved = fetch(segment, step.saved())
            node.sequence = next_sequence()
            avals = tuple([place.aval for place in visible])
            node.aval = avals if rule.origin.multiple else avals[0]
            for number, place in enumerate(visible):
                made[place.position] = node, number

    def maker_of(self, tensor: TapeTensor) -> str:
        """The name of the operation that made a tensor, empty for an input."""
        if not hasattr(tensor, "index") or tensor.index in self._nodes:
            return super().maker_of(tensor)
        for step in self.path().steps:
            if any(place.position == tensor.index for place in step.visible()):
                return step.rule.origin.name
        return ""

    def keep(self) -> None:
        """Hold what the backward pass needs of the segment, which is about to be run."""
        segment = self.segment
        if segment is not local.segment:
            return
        # Else the run's path ends here, or another thread left while a step was being recorded.
        if self.refs is None or len(segment.refs) >= MAX_RUN:
            self.leave()
            return
        end = self._end or segment.node
        memos = end.memos
        if memos is None:
            memos = end.memos = {}
        key = "kept", self._start
        places = memos.get(key)
        if places is None:
            path = path_between(segment.start_node, segment.start, end, self._start)
            saved = {p.position: p.aval for step in path.steps for p in places_in(step.saved())}
            places = memos[key] = list(saved.items())
        for position, aval in places:
            if segment.refs[position].__class__ is not float:  # those stay on the stream
                array = array_at(segment, position, aval)
                assert array is not None, "the segment uses it"
                self._kept.append(array)

    def release(self) -> None:
        """The backward pass begins: from now on it holds itself what it needs."""
        if local.tape is self:
            local.tape = None

    def leave(self) -> None:
        """Go on with nodes: the stream will not tell all that follows."""
        with self.lock:
            self._make_nodes()
            self.refs = self.told = None
        self.release()
