"""Running again what a tape recorded, without the user's Python.

While a stream's place tells all about a tape (see :class:`fad.reverse.tape.TapeLevel`), the path
that led there is the taped function itself. Transforms that need the function again at another
level, such as a Hessian, perform the path's steps instead of calling the function; and since that
is determined by the path, what it records can be replayed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from weakref import ref

from fad.core.apply import apply
from fad.core.primitive import ReverseRule
from fad.core.stream import Segment, new, scalar_at
from fad.core.tensor import Array
from fad.core.trie import EARLIER, FLUSH, TrieNode
from fad.reverse.tape import TapeLevel


class _Step(NamedTuple):
    """One taped operation: where its operands and results stand in the run."""

    rule: ReverseRule
    operands: list[int]
    results: range


def retraced(
    segment: Segment, level: TapeLevel, outputs: Sequence[int]
) -> Callable[[Sequence[Any]], list[Any]] | None:
    """The taped function, from the inputs of its tape to the values at positions ``outputs``.

    None if it took a tensor, computed before a flush, that nobody holds any more.
    """
    assert level.start is not None
    inputs = level.positions
    steps, same = _steps(*level.start, segment.node)
    taped = set(inputs).union(*[step.results for step in steps])
    wanted = {same.get(p, p) for p in outputs}.difference(taped)
    for step in steps:
        wanted.update(p for i, p in enumerate(step.operands) if not step.rule.mask >> i & 1)
    constants: dict[int, Array] = {}
    for position in wanted:
        array = _array_at(segment, position)
        if array is None:
            return None
        constants[position] = array
    results = [same.get(p, p) for p in outputs]
    dead = _dead_after(steps, set(results))

    def function(tensors: Sequence[Any]) -> list[Any]:
        env = dict(zip(inputs, tensors, strict=True))
        for (rule, positions, made), unused in zip(steps, dead, strict=True):
            operands = [
                env[p] if rule.mask >> i & 1 else constants[p] for i, p in enumerate(positions)
            ]
            out = apply(rule.origin, *operands)
            env.update(zip(made, out if rule.origin.multiple else (out,), strict=False))
            for p in unused:  # what is held is computed, where the stream is flushed on the way
                env.pop(p, None)
        return [env[p] if p in env else constants[p] for p in results]

    return function


def _dead_after(steps: Sequence[_Step], results: set[int]) -> list[list[int]]:
    """For each step, the positions that nothing reads after it."""
    seen = set(results)
    dead: list[list[int]] = []
    for step in reversed(steps):
        last = {*step.operands, *step.results}.difference(seen)
        seen |= last
        dead.append(list(last))
    return dead[::-1]


def _steps(start: TrieNode, position: int, end: TrieNode) -> tuple[list[_Step], dict[int, int]]:
    """The taped steps of a path, and the first place of each value that was met again later."""
    path = []
    node: TrieNode | None = end
    while node is not start and node is not None:
        path.append(node)
        node = node.parent
    path.reverse()
    steps: list[_Step] = []
    same: dict[int, int] = {}
    for node in path:
        key = node.key
        if key is FLUSH:
            continue
        if type(key) is not tuple or key[0] is EARLIER:  # a leaf
            if type(key) is tuple:
                earlier: int = key[1]
                same[position] = same.get(earlier, earlier)
            position += 1
            continue
        operands: list[int] = []
        for code in key[1:]:
            place: int = code
            if code < 0:  # a Python scalar, which took a place of its own
                place = position
                position += 1
            operands.append(same.get(place, place))
        count = len(node.aval) if type(node.aval) is tuple else 1
        if isinstance(key[0], ReverseRule):
            steps.append(_Step(key[0], operands, range(position, position + count)))
        position += count
    return steps, same


def _array_at(segment: Segment, position: int) -> Array | None:
    """The concrete tensor at a position; made anew if nobody holds it but it is still pending."""
    reference = segment.refs[position]
    array: Array | None = None if reference is None else reference()
    if array is not None or position < segment.start:
        return array
    if position in segment.places:
        leaf = segment.leaves[segment.places.index(position)]
        if leaf.__class__ is Array:
            return leaf
        array = scalar_at(segment, position, leaf)
    else:
        array = new(Array)
        array.segment = segment
        array.index = position
        array.buffer = None
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
        if type(key) is tuple and key[0] is not EARLIER:
            behind -= sum(1 for code in key[1:] if code < 0)
        node = node.parent
    raise AssertionError(f"no step made position {position}")
