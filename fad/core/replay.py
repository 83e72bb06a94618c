"""Replay: taking over in one step what a computation recorded before.

Where a stream stands tells all that its run has recorded. A computation that depends on that alone
records the same steps each time; the second time they are appended at once.
"""

from __future__ import annotations

from itertools import repeat
from typing import Any
from weakref import ref

from fad.core.stream import Segment, local, new
from fad.core.tensor import Array
from fad.core.trie import TrieNode


def position_of(segment: Segment, array: Array) -> int | None:
    """Position of ``array`` in the segment's run, or None if the run has not met it."""
    if array.segment is not None and array.segment.refs is segment.refs:
        return array.index
    position = segment.entered.get(id(array))
    if position is None or position >= segment.start:
        return position
    reference = segment.refs[position]
    return position if reference is not None and reference() is array else None


class _Memo:
    """What a deterministic computation recorded: where it led, the leaves it took, its results."""

    __slots__ = ("count", "end", "leaves", "results")

    def __init__(self, end: TrieNode, count: int, leaves: list[Any], results: list[Any]) -> None:
        self.end = end
        self.count = count
        self.leaves = leaves  # (position from the start, buffer or Array or position in the run)
        self.results = results  # (position, aval), or None


def replayed(key: Any, compute: Any) -> list[Array | None]:
    """``compute()``, or what it recorded when the stream last stood here, taken over in one step.

    ``compute`` returns a list of concrete tensors or Nones and must be a function of ``key`` and of
    what the run has recorded alone.
    """
    segment = local.segment
    start = segment.node
    memo = start.memos.get(key) if start.memos else None
    if memo is not None:
        taken_over = _replay(segment, memo)
        if taken_over is not None:
            return taken_over
    first, first_leaf = len(segment.refs), len(segment.leaves)
    before = dict(segment.entered)
    results: list[Array | None] = compute()
    if local.segment is segment:
        memo = _make_memo(segment, first, first_leaf, before, results)
        if memo is not None:
            if start.memos is None:
                start.memos = {}
            start.memos[key] = memo
    return results


def _make_memo(
    segment: Segment, first: int, first_leaf: int, before: dict[int, int], results: Any
) -> _Memo | None:
    refs = segment.refs
    leaves = []
    new_leaves = zip(segment.places[first_leaf:], segment.leaves[first_leaf:], strict=True)
    for position, leaf in new_leaves:
        if leaf.__class__ is Array:
            if leaf.segment is not None and leaf.segment.refs is refs:
                leaf = leaf.index
            else:
                earlier = before.get(id(leaf))
                if earlier is not None:
                    reference = refs[earlier]
                    if reference is not None and reference() is leaf:
                        leaf = earlier
        leaves.append((position, leaf))
    out: list[Any] = []
    for array in results:
        where = None
        if array is not None:
            where = position_of(segment, array)
            if where is None or where < segment.start:
                return None
        out.append(None if array is None else (where, array.aval))
    return _Memo(segment.node, len(refs) - first, leaves, out)


def _replay(segment: Segment, memo: _Memo) -> list[Array | None] | None:
    refs = segment.refs
    leaves = []
    for position, leaf in memo.leaves:
        if type(leaf) is int:
            reference = refs[leaf]
            leaf = None if reference is None else reference()
            if leaf is None:
                return None
        leaves.append((position, leaf))
    refs.extend(repeat(None, memo.count))
    for position, leaf in leaves:
        if leaf.__class__ is Array:
            segment.entered[id(leaf)] = position
        segment.leaves.append(leaf)
        segment.places.append(position)
    segment.node = memo.end
    out: list[Array | None] = []
    for result in memo.results:
        if result is None:
            out.append(None)
            continue
        position, aval = result
        reference = refs[position]
        array = None if reference is None else reference()
        if array is None:
            array = new(Array)
            array.aval = aval
            array.buffer = None
            array.segment = segment
            array.index = position
            refs[position] = ref(array)
        out.append(array)
    return out
