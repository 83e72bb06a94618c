"""Replay: taking over in one step what a computation recorded before.

Where a stream stands tells all that its run has recorded. A computation that depends on that alone
records the same steps each time; the second time they are appended at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from fad.core.aval import Aval
from fad.core.stream import (
    SCALARS_STANDING,
    Segment,
    array_at,
    flush,
    local,
    place_at,
    present,
)
from fad.core.tensor import Array, Tensor
from fad.core.trie import TrieNode


def position_of(segment: Segment, array: Array) -> int | None:
    """Position of ``array`` in the segment's run, or None if the run has not met it."""
    if array.segment is not None and array.segment.refs is segment.refs:
        return array.index
    position = segment.entered.get(id(array))
    if position is None or position >= segment.start:
        return position
    return position if present(segment, position) is array else None


class _Leg(NamedTuple):
    """What was recorded up to a flush, or up to the end.

    ``standing`` is what is put on the stream: Python scalars, and None for all else. ``places`` are
    the positions of its leaves, and ``leaves`` where these stood in the run before; ``copies`` are
    the segment's. ``made`` are position and aval of what the computation had made and still held at
    the flush.
    """

    end: TrieNode
    standing: list[Any]
    places: list[int]
    leaves: list[int]
    copies: dict[int, int]
    made: list[tuple[int, Aval]]


class _Memo(NamedTuple):
    """What a deterministic computation recorded, and where its results stand (None for None).

    ``needed`` are values from before it that it takes after a flush: nobody else may hold them.
    """

    legs: list[_Leg]
    results: list[tuple[int, Aval] | None]
    needed: list[tuple[int, Aval]]


class _Recorder:
    """Watches what a computation records, to make a memo of it."""

    def __init__(self, segment: Segment) -> None:
        self.refs = segment.refs
        self.first = len(segment.refs)
        self.known = dict(segment.entered)
        self.legs: list[_Leg] = []
        self.needed: dict[int, Aval] = {}
        self.possible = True

    def flushed(self, segment: Segment, live: Sequence[Array]) -> None:
        """The stream is about to run what it has recorded."""
        made = [(x.index, x.aval) for x in live if x.index >= self.first]
        self._add_leg(segment, made)

    def _add_leg(self, segment: Segment, made: list[tuple[int, Aval]]) -> None:
        if segment.refs is not self.refs:
            self.possible = False
        if not self.possible:
            return
        refs = segment.refs
        begin = max(segment.start, self.first)
        places = [i for i in segment.places if i >= begin]
        leaves: list[int] = []
        for i in places:
            position = self._position(refs[i])
            if position is None:  # the run did not tell of it: another call may have another
                self.possible = False
                return
            if self.legs and position < self.first:
                self.needed[position] = refs[i].aval
            leaves.append(position)
        standing = [x if x.__class__ in SCALARS_STANDING else None for x in refs[begin:]]
        copies = {i: j for i, j in segment.copies.items() if j >= begin}
        self.legs.append(_Leg(segment.node, standing, places, leaves, copies, made))

    def _position(self, leaf: Array) -> int | None:
        if leaf.segment is not None and leaf.segment.refs is self.refs:
            return leaf.index
        position = self.known.get(id(leaf))
        if position is None:
            return None
        return position if present(local.segment, position) is leaf else None

    def memo(self, segment: Segment, results: Sequence[Tensor | None]) -> _Memo | None:
        """The memo, or None if another call might record something else, or it is being staged."""
        self._add_leg(segment, [])
        if not self.possible:
            return None
        places: list[tuple[int, Aval] | None] = []
        for array in results:
            if array is None:
                places.append(None)
                continue
            position = position_of(segment, array) if isinstance(array, Array) else None
            if position is None or (position < segment.start and position < self.first):
                return None
            places.append((position, array.aval))
        return _Memo(self.legs, places, list(self.needed.items()))


def forbid() -> None:
    """Say, in a computation under :func:`replayed`, that it depends on more than the run tells."""
    for recorder in local.recorders:
        recorder.possible = False


def replayed(key: Any, compute: Callable[[], list[Any]]) -> list[Any]:
    """``compute()``, or what it recorded when the stream last stood here, taken over in one step.

    ``compute`` returns a list of tensors, staged ones where a constant is differentiated inside
    ``jit`` and concrete ones elsewhere, or Nones, and must be a function of ``key`` and of
    what the run has recorded alone.
    """
    start = local.segment.node
    memo: _Memo | None = start.memos.get(key) if start.memos else None
    if memo is not None:
        taken_over = _replay(memo)
        if taken_over is not None:
            return taken_over
        start = local.segment.node  # part of it may have been taken over before that was seen
    recorder = _Recorder(local.segment)
    local.recorders.append(recorder)
    try:
        results = compute()
    finally:
        local.recorders.remove(recorder)
    memo = recorder.memo(local.segment, results)
    if memo is not None:
        if start.memos is None:
            start.memos = {}
        start.memos[key] = memo
    return results


def _replay(memo: _Memo) -> list[Array | None] | None:
    """The results, or None if something the memo needs is gone."""
    held = _hold(local.segment, memo.needed)  # as the computation would hold it at its flushes
    if held is None:
        return None
    last = memo.legs[-1]
    for leg in memo.legs:
        segment = local.segment
        refs = segment.refs
        leaves = _found(leg, segment) if leg.places else []
        if leaves is None:
            return None
        if leaves or leg.copies:
            _take_over_with_leaves(leg, segment, leaves)
        else:
            segment.node = leg.end  # both at once, without a call: see fad.core.stream
            refs += leg.standing
        if leg is not last:
            held += [_at(segment, position, aval) for position, aval in leg.made]
            flush()
            if local.segment.refs is not refs:
                return None
    segment = local.segment
    return [None if r is None else _at(segment, *r) for r in memo.results]


def _take_over_with_leaves(leg: _Leg, segment: Segment, leaves: list[Array]) -> None:
    refs = segment.refs
    first, standing, entered = len(refs), list(leg.standing), {}
    for place, leaf in zip(leg.places, leaves, strict=True):
        standing[place - first] = leaf
        entered[id(leaf)] = place
    for position, place in leg.copies.items():
        standing[place - first] = refs[position]
    segment.node = leg.end  # all at once, without a call: see fad.core.stream
    segment.entered |= entered
    segment.places += leg.places
    segment.copies |= leg.copies
    refs += standing


def _hold(segment: Segment, needed: list[tuple[int, Aval]]) -> list[Array] | None:
    """Arrays at positions of the run, the pending ones made anew; None if one is gone."""
    held = []
    for position, aval in needed:
        array = array_at(segment, position, aval)
        if array is None:
            return None
        held.append(array)
    return held


def _found(leg: _Leg, segment: Segment) -> list[Array] | None:
    """The leaves of a leg; None if one is gone."""
    leaves = []
    for position in leg.leaves:
        leaf = present(segment, position)
        if leaf is None:
            return None
        leaves.append(leaf)
    return leaves


def _at(segment: Segment, position: int, aval: Aval) -> Array:
    """The array at a position of the run, made if nobody holds it."""
    array = present(segment, position)
    return place_at(segment, position, aval) if array is None else array
