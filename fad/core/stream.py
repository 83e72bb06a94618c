"""The deferred stream.

An operation on concrete tensors is not run: it is appended to this thread's *stream*, by one step
down a trie shared by all threads. The step's key names the operation and the positions of its
operands; the child it leads to knows the aval of the result, so a program seen before costs no
shape inference. A *flush* runs everything pending as one program, found on the trie node where the
stream stands by which results are still alive.

A *segment* is what is recorded between two flushes. A *run* is what happens within one call of an
outermost transform; its positions, and its path down the trie, continue across flushes, so that
where the stream stands says all that happened since the run began. ``refs[i]`` is what stands at
position i of the run: a weak reference to the result of an operation; a Python scalar that an
operation took; or an array recorded elsewhere, a *leaf*, of which a weak reference remains when the
segment has been run. Outside transforms every segment is a run of its own.

Threads: the trie only grows (a lost race costs a duplicate child's memory, never a wrong result),
and an array's place on its stream never changes, so any thread may read or use any array.

Exceptions: one may come up at any call (Ctrl-C, an alarm, a recursion too deep, a scalar that
overflows). So where the stream moves on, all that it needs is made first; then ``node`` and
``refs`` change together, with no call between the two, and always agree. What finalizers compute
while the garbage collector runs, which it may do in between, goes elsewhere: see fad.core.runs.
"""

from __future__ import annotations

import threading
from typing import Any, Protocol
from weakref import ref

import numpy as np

from fad.core.aval import SCALARS, Aval
from fad.core.errors import FadRuntimeError, located
from fad.core.execute import execute
from fad.core.level import Level
from fad.core.literals import fitting_int, literal_buffer
from fad.core.primitive import Operation, ReverseRule
from fad.core.tensor import Array, aval_of
from fad.core.trie import (
    EARLIER,
    FLUSH,
    FORGOTTEN,
    SCALAR_AVALS,
    SCALAR_CODES,
    TrieNode,
    aligned_limit,
    trie,
)

MAX_RUN = 1 << 20
"""After this many positions a run starts again at the root: its path would be too long to keep."""

new = object.__new__
SCALARS_STANDING = frozenset([*SCALAR_CODES, np.uint64])


class Segment:
    """What a thread has recorded since its last flush."""

    __slots__ = (
        "copies", "entered", "error", "limit", "node", "places", "refs", "start", "start_node",
    )  # fmt: skip

    def __init__(self, node: TrieNode, refs: list[Any], entered: dict[int, int]) -> None:
        self.node = self.start_node = node
        self.refs = refs
        self.start = len(refs)
        self.places: list[int] = []  # the position of each leaf
        self.copies: dict[int, int] = {}  # of floats: where each stood before, and stands now
        self.limit: int = node.limit  # how many operations may be recorded before a flush
        self.entered = entered  # id of each array that was made a leaf in this run: its position
        self.error: BaseException | None = None

    def realize(self, array: Array) -> None:
        """Give ``array``, recorded here, its buffer."""
        if self is local.segment:
            flush()
        elif array.buffer is None and self.error is None:
            _run_for_other_thread(self, array)
        if array.buffer is None:
            raise FadRuntimeError(
                located(f"the program that computes this tensor failed: {self.error}")
            ) from self.error


class Follower(Protocol):
    """A tape of which the stream tells: its tensors are places on the stream, and no more."""

    active: bool
    segment: Segment

    def keep(self) -> None:
        """Hold what a backward pass will need of the segment, which is about to be run."""
        ...

    def leave(self) -> None:
        """Take over what the stream has told so far, since it will not tell what follows."""
        ...


class _Local(threading.local):
    """What belongs to one thread: its segment, how many transforms are being called, and the levels
    of the captures under way."""

    def __init__(self) -> None:
        self.segment = Segment(trie.root(), [], {})
        self.depth = 0
        self.staging: list[Level] = []
        self.tape: Follower | None = None  # the tape of whose steps the stream tells
        self.recorders: list[Any] = []  # what wants to know of flushes; see fad.core.replay
        self.lock = threading.RLock()  # of flushes, and of other threads that meet ``tape``


local = _Local()


def record1(step: Operation | ReverseRule, x: Array) -> Any:
    """Record an operation with one operand, a concrete tensor, and one result."""
    segment = local.segment
    node = segment.node.next.get((step, x.index if x.segment is segment else enter(segment, x)))
    if node is None:
        return record(step, (x,))
    refs = segment.refs
    out: Array = new(Array)
    out.aval = node.aval
    out.buffer = None
    out.segment = segment
    out.index = len(refs)
    place = ref(out)
    segment.node = node
    refs.append(place)
    return out


def record2(step: Operation | ReverseRule, x: Any, y: Any) -> Any:
    """Record an operation with one result on two concrete tensors, one maybe a Python float."""
    segment = local.segment
    if x.__class__ is float:
        j = y.index if y.segment is segment else enter(segment, y)
        key = (step, -1, j)
        literal = x
    else:
        i = x.index if x.segment is segment else enter(segment, x)
        if y.__class__ is float:
            key = (step, i, -1)
            literal = y
        else:
            key = (step, i, y.index if y.segment is segment else enter(segment, y))
            literal = None
    node = segment.node.next.get(key)
    if node is None:
        return record(step, (x, y))
    refs = segment.refs
    out: Array = new(Array)
    out.aval = node.aval
    out.buffer = None
    out.segment = segment
    place = ref(out)
    if literal is None:
        out.index = len(refs)
        segment.node = node
        refs.append(place)
    else:
        out.index = len(refs) + 1
        standing = (literal, place)
        segment.node = node
        refs += standing
    return out


def record(step: Operation | ReverseRule, operands: tuple[Any, ...]) -> Any:
    """Record any operation on concrete tensors, places of the stream and Python scalars."""
    while True:
        segment = local.segment
        key: list[Any] = [step]
        scalars = False
        for x in operands:
            code = SCALAR_CODES.get(x.__class__)
            if code is None:
                key.append(x.index if x.segment is segment else enter(segment, x))
            else:
                key.append(code)
                scalars = True
        parent = segment.node
        node = parent.next.get(tuple(key))
        if node is None:
            depth, most = parent.depth, parent.settings.max_pending_bytes
            if depth >= segment.limit or (depth and parent.nbytes > most):
                flush()
                continue
            node = _new_step(parent, tuple(key), operands)
        break
    refs = segment.refs
    standing = scalars_among(operands, step) if scalars else []
    multiple = type(node.aval) is tuple
    avals = node.aval if multiple else (node.aval,)
    outs = tuple([_pending(segment, i, x) for i, x in enumerate(avals, len(refs) + len(standing))])
    standing += map(ref, outs)
    segment.node = node
    refs += standing
    return outs if multiple else outs[0]


def scalars_among(operands: tuple[Any, ...], step: Operation | ReverseRule) -> list[Any]:
    """The Python scalars among the operands, in their order, as they stand on the stream."""
    standing = []
    for value in operands:
        if value.__class__ not in SCALAR_CODES:
            continue
        if value.__class__ is int and (promotion := step.operation.primitive.elementwise):
            value = fitting_int(value, promotion.operands(tuple(map(aval_of, operands))))
        standing.append(value)
    return standing


def _pending(segment: Segment, index: int, aval: Aval) -> Array:
    out: Array = new(Array)
    out.aval = aval
    out.buffer = None
    out.segment = segment
    out.index = index
    return out


def _new_step(parent: TrieNode, key: tuple[Any, ...], operands: tuple[Any, ...]) -> TrieNode:
    aval = key[0].operation.infer(tuple([SCALARS.get(x.__class__) or x.aval for x in operands]))
    return trie.child(parent, key, aval, parent.depth + 1, parent.nbytes)


def enter(segment: Segment, array: Any) -> int:
    """Make ``array``, recorded elsewhere or concrete, a leaf of the segment; its position."""
    if array.__class__ is not Array:
        array = array.value
    identity = id(array)
    refs = segment.refs
    position = segment.entered.get(identity)
    if position is not None and position >= segment.start:
        return position
    earlier = position
    if position is not None and present(segment, position) is not array:
        earlier = None  # another one had this identity
    if earlier is None and array.segment is not None and array.segment.refs is refs:
        earlier = array.index
    if earlier is not None and (copy := segment.copies.get(earlier)) is not None:
        return copy
    if array.buffer is None:
        array.realize()  # it waits in another thread
    key = array.aval if earlier is None else (EARLIER, earlier)
    parent = segment.node
    node = parent.next.get(key)
    if node is None:
        nbytes = parent.nbytes + array.aval.nbytes
        node = trie.child(parent, key, array.aval, parent.depth, nbytes)
    place = len(refs)
    standing = array if earlier is None else refs[earlier]
    if earlier is not None and standing.__class__ is float:
        segment.node = node
        segment.copies[earlier] = place
        refs.append(standing)
    else:
        placed = [place]
        segment.node = node
        segment.entered[identity] = place
        segment.places += placed
        refs.append(array)
    return place


def flush() -> None:
    """Run everything this thread has pending."""
    here = local
    segment = here.segment
    if len(segment.refs) == segment.start:
        return
    if here.tape is None:
        _run(segment)
    else:
        with here.lock:
            here.tape.keep()
            _run(segment)


def _run(segment: Segment) -> None:
    refs, start = segment.refs, segment.start
    held = [x for r in refs[start:] if r.__class__ is ref and (x := r()) is not None]
    live = [x for y in held if (x := y if y.__class__ is Array else y.value).buffer is None]
    del held
    try:
        for recorder in local.recorders:
            recorder.flushed(segment, live)
        if live:
            execute(segment, segment.node, live)
    except BaseException as error:
        segment.error = error
        raise
    finally:
        _next_segment(segment)


def _next_segment(segment: Segment) -> None:
    """Start the segment after ``segment``, which has been run: in the same run, or in a new one."""
    refs = segment.refs
    if local.depth and len(refs) < MAX_RUN:
        following = segment.node.next.get(FLUSH)
        if following is None:
            limit = aligned_limit(segment.start_node, segment.node)
            following = trie.segment_after(segment.node, len(refs), limit)
        local.segment = Segment(following, refs, segment.entered)
        if local.tape is not None and local.tape.active:
            local.tape.segment = local.segment
        for position in segment.places:
            refs[position] = ref(refs[position])
    else:
        new_run()
    # An array keeps its segment, and must not keep alive all that was recorded with it.
    segment.places, segment.copies, segment.entered = [], {}, {}
    segment.node = segment.start_node = FORGOTTEN


def present(segment: Segment, position: int) -> Array | None:
    """What stands at a position of the run as a concrete tensor; None if nobody holds it."""
    standing = segment.refs[position]
    held = standing() if standing.__class__ is ref else standing
    if held is None or held.__class__ is Array:
        return held
    return held.value if held.__class__ not in SCALARS_STANDING else _scalar_at(segment, position)


def place_at(segment: Segment, position: int, aval: Aval) -> Array:
    """A tensor for a result on the stream, of which nobody holds another."""
    array: Array = new(Array)
    array.aval = aval
    array.buffer = None
    array.segment = segment
    array.index = position
    segment.refs[position] = ref(array)
    return array


def array_at(segment: Segment, position: int, aval: Aval | None) -> Array | None:
    """The tensor at a position of the run; None if it is computed and nobody holds it."""
    array = present(segment, position)
    if array is not None or position < segment.start:
        return array
    assert aval is not None
    return place_at(segment, position, aval)


def _scalar_at(segment: Segment, position: int) -> Array:
    """The tensor of a Python scalar; the scalar itself stays on the stream."""
    buffer = literal_buffer(segment.refs[position])
    array: Array = new(Array)
    array.aval = SCALAR_AVALS[buffer.dtype.kind]
    array.buffer = buffer
    # Only what the current segment has recorded is an operand as it stands.
    array.segment = segment if position >= segment.start else Segment(FORGOTTEN, segment.refs, {})
    array.index = position
    return array


def new_run() -> None:
    """Start afresh at the root of the trie."""
    before = local.segment
    local.segment = Segment(trie.root(), [], {})
    before.refs.clear()


def _run_for_other_thread(segment: Segment, array: Array) -> None:
    """Compute one array of another thread's segment, without touching that thread's stream.

    The path down the trie never changes and leaves are only appended, so what lies on the way to
    ``array`` can be read at any time; that thread may compute the same value again.
    """
    snapshot = Segment(segment.start_node, list(segment.refs), {})
    snapshot.start, snapshot.copies = segment.start, segment.copies
    node = segment.node
    if array.buffer is None:  # else its thread has flushed meanwhile, and what was read is void
        execute(snapshot, node, [array])
