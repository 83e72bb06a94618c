"""Running again what a tape recorded, without the user's Python.

While a stream's place tells all about a tape (see :class:`fad.reverse.tape.TapeLevel`), the path
that led there is the taped function itself. Transforms that need the function again at another
level, such as a Hessian, perform the path's steps instead of calling the function; and since that
is determined by the path, what it records can be replayed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from weakref import ref

from fad.core.apply import apply
from fad.core.aval import SCALARS
from fad.core.primitive import ReverseRule
from fad.core.stream import Segment, new
from fad.core.tensor import Array
from fad.core.trie import SCALAR_KINDS, TrieNode


class _Step:
    """One taped operation: where its operands and results stand in the run."""

    __slots__ = ("operands", "results", "rule")

    def __init__(self, rule: ReverseRule, operands: list[int], results: list[int]) -> None:
        self.rule = rule
        self.operands = operands
        self.results = results


def retraced(
    segment: Segment, inputs: Sequence[int], outputs: Sequence[int]
) -> Callable[[Sequence[Any]], list[Any]] | None:
    """The taped function of the inputs at these positions, or None if a flush cut the path."""
    if segment.start:
        return None
    steps, scalars = _steps(segment.start_node, segment.node)
    # What is not on the tape is looked up now: a flush would forget where it stands.
    taped = set(inputs).union(*[step.results for step in steps])
    constants = {
        p: _array_at(segment, p, scalars)
        for step in steps
        for i, p in enumerate(step.operands)
        if not step.rule.mask >> i & 1
    }
    constants.update({p: _array_at(segment, p, scalars) for p in outputs if p not in taped})

    def function(tensors: Sequence[Any]) -> list[Any]:
        env = dict(zip(inputs, tensors, strict=True))
        for step in steps:
            operation = step.rule.origin
            operands = [
                env[p] if step.rule.mask >> i & 1 else constants[p]
                for i, p in enumerate(step.operands)
            ]
            out = apply(operation, *operands)
            results = out if operation.multiple else (out,)
            env.update(zip(step.results, results, strict=False))
        return [env[p] if p in env else constants[p] for p in outputs]

    return function


def _steps(start: TrieNode, end: TrieNode) -> tuple[list[_Step], dict[int, Any]]:
    """The taped steps of a path, and the kind of each Python scalar by its position."""
    path = []
    node = end
    while node is not start:
        path.append(node)
        assert node.parent is not None
        node = node.parent
    steps, scalars, position = [], {}, start.position
    for node in reversed(path):
        key = node.key
        if type(key) is not tuple or not hasattr(key[0], "operation"):
            position += 1  # a leaf
            continue
        operands = list(key[1:])
        for i, code in enumerate(operands):
            if code < 0:
                scalars[position] = SCALAR_KINDS[code]
                operands[i] = position
                position += 1
        count = len(node.aval) if type(node.aval) is tuple else 1
        if isinstance(key[0], ReverseRule):
            results = list(range(position, position + count))
            steps.append(_Step(key[0], operands, results))
        position += count
    return steps, scalars


def _array_at(segment: Segment, position: int, scalars: dict[int, Any]) -> Array:
    """The concrete tensor at a position of the segment, made anew if nobody holds it any more."""
    reference = segment.refs[position]
    array: Array | None = None if reference is None else reference()
    if array is not None:
        return array
    array = new(Array)
    array.segment = segment
    array.index = position
    array.buffer = None
    if position in segment.places:
        leaf = segment.leaves[segment.places.index(position)]
        if leaf.__class__ is Array:
            return leaf
        array.aval = SCALARS[scalars[position]]
        array.buffer = leaf
    else:
        array.aval = _aval_at(segment, position)
    segment.refs[position] = ref(array)
    return array


def _aval_at(segment: Segment, position: int) -> Any:
    node: TrieNode | None = segment.node
    behind = len(segment.refs)
    while node is not None:
        key = node.key
        avals = node.aval if type(node.aval) is tuple else (node.aval,)
        behind -= len(avals)
        if behind <= position:
            return avals[position - behind]
        if type(key) is tuple and hasattr(key[0], "operation"):
            behind -= sum(1 for code in key[1:] if code < 0)
        node = node.parent
    raise AssertionError(f"no step made position {position}")
