"""The steps that a tape recorded, read off the path that the stream took down the trie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from fad.core.aval import SCALARS, Aval
from fad.core.primitive import ReverseRule
from fad.core.stream import Segment, array_at
from fad.core.tensor import Tensor
from fad.core.trie import EARLIER, FLUSH, SCALAR_KINDS, TrieNode


class Place(Tensor):
    """A position of the run and its aval, in the place of the tensor there."""

    __slots__ = ("aval", "position")

    def __init__(self, aval: Aval, position: int) -> None:
        self.aval = aval
        self.position = position


class Step(NamedTuple):
    """One taped operation: its operands, and its results before the rule picks the visible ones."""

    rule: ReverseRule
    operands: tuple[Place, ...]
    results: tuple[Place, ...]

    def saved(self) -> tuple[Any, ...]:
        """What the rule keeps: places, tuples of places, and avals."""
        out = self.results if self.rule.operation.multiple else self.results[0]
        return self.rule.save(self.operands, out)

    def visible(self) -> tuple[Place, ...]:
        """The results that the user's function sees."""
        if self.rule.results is None:
            return self.results
        picked = self.rule.results(self.results)
        return picked if type(picked) is tuple else (picked,)


class Path(NamedTuple):
    """Steps, and the first place of each value that was met again after a flush."""

    steps: list[Step]
    same: dict[int, int]

    def first_place(self, position: int) -> int:
        """Where the value at a position stood first."""
        return self.same.get(position, position)


def path_between(start: TrieNode, position: int, end: TrieNode, first: int = 0) -> Path:
    """The taped steps from ``start``, where a segment begins at ``position``, to ``end``.

    Steps before position ``first`` are left out: they belong to another tape.
    """
    nodes = []
    node: TrieNode | None = end
    while node is not start and node is not None:
        nodes.append(node)
        node = node.parent
    steps: list[Step] = []
    same: dict[int, int] = {}
    avals: dict[int, Aval] = {}
    for node in reversed(nodes):
        key = node.key
        if key is FLUSH:
            continue
        if type(key) is not tuple or key[0] is EARLIER:  # a leaf
            if type(key) is tuple:
                earlier: int = key[1]
                same[position] = same.get(earlier, earlier)
            avals[position] = node.aval
            position += 1
            continue
        operands: list[int] = []
        for code in key[1:]:
            if code < 0:  # a Python scalar, which took a place of its own
                avals[position] = SCALARS[SCALAR_KINDS[code]]
                operands.append(position)
                position += 1
            else:
                operands.append(code)
        results = node.aval if type(node.aval) is tuple else (node.aval,)
        made = range(position, position + len(results))
        avals.update(zip(made, results, strict=True))
        if position >= first and isinstance(key[0], ReverseRule):
            steps.append(
                Step(
                    key[0],
                    tuple([Place(avals[p], same.get(p, p)) for p in operands]),
                    tuple([Place(avals[p], p) for p in made]),
                )
            )
        position += len(results)
    return Path(steps, same)


def places_in(saved: Any) -> Iterator[Place]:
    """The places among what a rule keeps."""
    for x in saved:
        if x.__class__ is Place:
            yield x
        elif type(x) is tuple:
            yield from places_in(x)


def fetch(segment: Segment, saved: Any) -> Any:
    """What a rule keeps, with tensors in place of places."""
    if type(saved) is tuple:
        return tuple([fetch(segment, x) for x in saved])
    if saved.__class__ is not Place:
        return saved
    array = array_at(segment, saved.position, saved.aval)
    assert array is not None, "a tape keeps what its rules need"
    return array
