"""The deferred stream.

An operation on concrete tensors is not run: it is appended to this thread's *stream*, by one step
down a trie shared by all threads. The step's key names the operation and the positions of its
operands; the child it leads to knows the aval of the result, so a program seen before costs no
shape inference. A *flush* runs everything pending as one program, found on the trie node where the
stream stands by which results are still alive.

A *segment* is what is recorded between two flushes. A *run* is what happens within one call of an
outermost transform; its positions, and its path down the trie, continue across flushes, so that
where the stream stands says all that happened since the run began. ``refs[i]`` is a weak reference
to the result at position i of the run (to the leaf, for leaves of earlier segments). Outside
transforms every segment is a run of its own.

Threads: the trie only grows (a lost race costs a duplicate child's memory, never a wrong result),
and an array's place on its stream never changes, so any thread may read or use any array.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from typing import Any, Protocol
from weakref import ref

from fad.core.aval import SCALARS, Aval
from fad.core.errors import FadRuntimeError, located
from fad.core.level import Level
from fad.core.literals import fitting_int, literal_buffer
from fad.core.primitive import Operation, ReverseRule
from fad.core.program import program_for
from fad.core.tensor import Array
from fad.core.trie import (
    EARLIER,
    FLUSH,
    FORGOTTEN,
    SCALAR_AVALS,
    SCALAR_CODES,
    TrieNode,
    aligned_limit,
    path_graph,
    trie,
)

MAX_RUN = 1 << 20
"""After this many positions a run starts again at the root: its path would be too long to keep."""

new = object.__new__


class Segment:
    """What a thread has recorded since its last flush."""

    __slots__ = (
        "entered", "error", "leaves", "limit", "node", "places", "refs", "start", "start_node",
    )  # fmt: skip

    def __init__(self, node: TrieNode, refs: list[Any], entered: dict[int, int]) -> None:
        self.node = self.start_node = node
        self.refs = refs
        self.start = len(refs)
        self.leaves: list[Any] = []  # arrays, and buffers of scalars
        self.places: list[int] = []  # the position of each leaf
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


class _Local(threading.local):
    """What belongs to one thread: its segment, how many transforms are being called, and the levels
    of the captures under way."""

    def __init__(self) -> None:
        self.segment = Segment(trie.root(), [], {})
        self.depth = 0
        self.staging: list[Level] = []
        self.tape: Follower | None = None  # the tape of whose steps the stream tells
        self.recorders: list[Any] = []  # what wants to know of flushes; see fad.core.replay


local = _Local()


def record1(step: Operation | ReverseRule, x: Array) -> Any:
    """Record an operation with one operand, a concrete tensor, and one result."""
    segment = local.segment
    node = segment.node.next.get((step, x.index if x.segment is segment else enter(segment, x)))
    if node is None:
        return record(step, (x,))
    segment.node = node
    refs = segment.refs
    out: Array = new(Array)
    out.aval = node.aval
    out.buffer = None
    out.segment = segment
    out.index = len(refs)
    refs.append(ref(out))
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
    if literal is not None:
        segment.leaves.append(literal_buffer(literal))
        segment.places.append(len(refs))
        refs.append(None)
    segment.node = node
    out: Array = new(Array)
    out.aval = node.aval
    out.buffer = None
    out.segment = segment
    out.index = len(refs)
    refs.append(ref(out))
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
            settings = parent.settings
            if parent.depth >= segment.limit or parent.nbytes > settings.max_pending_bytes:
                flush()
                continue
            node = _new_step(parent, tuple(key), operands)
        break
    if scalars:
        add_scalars(segment, step, operands)
    segment.node = node
    if type(node.aval) is tuple:
        return tuple([_pending(segment, aval) for aval in node.aval])
    return _pending(segment, node.aval)


def add_scalars(segment: Segment, step: Operation | ReverseRule, operands: tuple[Any, ...]) -> None:
    """Make the Python scalars among the operands leaves, in their order."""
    for value in operands:
        if value.__class__ not in SCALAR_CODES:
            continue
        if value.__class__ is int and step.operation.primitive.elementwise:
            value = fitting_int(value, [x.aval.dtype for x in operands if type(x) not in SCALARS])
        segment.leaves.append(literal_buffer(value))
        segment.places.append(len(segment.refs))
        segment.refs.append(None)


def _pending(segment: Segment, aval: Aval) -> Array:
    out: Array = new(Array)
    out.aval = aval
    out.buffer = None
    out.segment = segment
    out.index = len(segment.refs)
    segment.refs.append(ref(out))
    return out


def _new_step(parent: TrieNode, key: tuple[Any, ...], operands: tuple[Any, ...]) -> TrieNode:
    avals = tuple([SCALARS.get(x.__class__) or x.aval for x in operands])
    aval = key[0].operation.infer(avals)
    return trie.child(parent, key, aval, parent.depth + 1, parent.nbytes)


def enter(segment: Segment, array: Any) -> int:
    """Make ``array``, recorded elsewhere or concrete, a leaf of the segment; its position."""
    if array.__class__ is not Array:
        array = array.value
    identity = id(array)
    refs = segment.refs
    position = segment.entered.get(identity)
    known = False
    if position is not None:
        if position >= segment.start:
            return position
        reference = refs[position]  # of an array that had this identity, maybe another one
        known = reference is not None and reference() is array
    if not known and array.segment is not None and array.segment.refs is refs:
        position, known = array.index, True
    if array.buffer is None:
        array.realize()  # it waits in another thread
    key = (EARLIER, position) if known else array.aval
    parent = segment.node
    node = parent.next.get(key)
    if node is None:
        nbytes = parent.nbytes + array.aval.nbytes
        node = trie.child(parent, key, array.aval, parent.depth, nbytes)
    segment.node = node
    position = len(refs)
    segment.entered[identity] = position
    segment.leaves.append(array)
    segment.places.append(position)
    refs.append(None)
    return position


def flush() -> None:
    """Run everything this thread has pending."""
    segment = local.segment
    refs, start = segment.refs, segment.start
    if len(refs) == start:
        return
    if local.tape is not None:
        local.tape.keep()
    held = [x for r in refs[start:] if r is not None and (x := r()) is not None]
    live = [x for y in held if (x := y if y.__class__ is Array else y.value).buffer is None]
    del held
    try:
        for recorder in local.recorders:
            recorder.flushed(segment, live)
        if live:
            _execute(segment, segment.node, live)
    except BaseException as error:
        segment.error = error
        raise
    finally:
        _next_segment(segment)


def _execute(segment: Segment, node: TrieNode, live: list[Array]) -> None:
    """Run the path from the segment's start to ``node`` for the results in ``live``."""
    start = segment.start
    key = tuple([out.index - start for out in live])
    programs = node.programs
    if programs is None:
        programs = node.programs = {}
    found = programs.get(key)
    if found is None:
        graph = path_graph(segment.start_node, node, key)
        found = programs[key] = program_for(graph, node.settings.compile)
        trie.programs += 1
    program, used = found
    leaves = segment.leaves
    args = [x.buffer if x.__class__ is Array else x for x in [leaves[i] for i in used]]
    results = (program.compiled or program)(*args)
    for out, buffer in zip(live, results, strict=True):
        out.buffer = buffer


def _next_segment(segment: Segment) -> None:
    """Start the segment after ``segment``, which has been run: in the same run, or in a new one."""
    refs = segment.refs
    if local.depth and len(refs) < MAX_RUN:
        for leaf, position in zip(segment.leaves, segment.places, strict=True):
            refs[position] = (
                ref(leaf) if leaf.__class__ is Array else _held(segment, position, leaf)
            )
        following = segment.node.next.get(FLUSH)
        if following is None:
            following = trie.child(segment.node, FLUSH, None, 0, 0)
            following.position = len(refs)
            following.limit = aligned_limit(segment.start_node, segment.node)
        local.segment = Segment(following, refs, segment.entered)
        if local.tape is not None and local.tape.active:
            local.tape.segment = local.segment
    else:
        new_run()
    # An array keeps its segment, and must not keep alive all that was recorded with it.
    segment.leaves, segment.places, segment.entered = [], [], {}
    segment.node = segment.start_node = FORGOTTEN


class _Held:
    """In the place of a weak reference: a scalar of an earlier segment, which a replay may need."""

    __slots__ = ("array",)

    def __init__(self, array: Array) -> None:
        self.array = array

    def __call__(self) -> Array:
        return self.array


def _held(segment: Segment, position: int, buffer: Any) -> _Held:
    array = present(segment.refs[position])
    return _Held(scalar_at(segment, position, buffer) if array is None else array)


def present(reference: Any) -> Array | None:
    """What somebody holds of a place of the stream, as a concrete tensor."""
    held = None if reference is None else reference()
    return held if held is None or held.__class__ is Array else held.value


def scalar_at(segment: Segment, position: int, buffer: Any) -> Array:
    """The tensor of a Python scalar that was recorded at a position."""
    return place_at(segment, position, SCALAR_AVALS[buffer.dtype.kind], buffer)


def place_at(segment: Segment, position: int, aval: Aval, buffer: Any = None) -> Array:
    """A tensor for a place of the stream, of which nobody holds another."""
    array: Array = new(Array)
    array.aval = aval
    array.buffer = buffer
    array.segment = segment
    array.index = position
    segment.refs[position] = ref(array)
    return array


def array_at(segment: Segment, position: int, aval: Aval | None) -> Array | None:
    """The tensor at a position of the run; None if it is computed and nobody holds it."""
    array = present(segment.refs[position])
    if array is not None or position < segment.start:
        return array
    places = segment.places
    i = bisect_left(places, position)
    if i < len(places) and places[i] == position:
        leaf = segment.leaves[i]
        return leaf if leaf.__class__ is Array else scalar_at(segment, position, leaf)
    assert aval is not None
    return place_at(segment, position, aval)


def new_run() -> None:
    """Start afresh at the root of the trie."""
    segment = local.segment
    segment.refs.clear()
    local.segment = Segment(trie.root(), [], {})


def _run_for_other_thread(segment: Segment, array: Array) -> None:
    """Compute one array of another thread's segment, without touching that thread's stream.

    The path down the trie never changes and leaves are only appended, so what lies on the way to
    ``array`` can be read at any time; that thread may compute the same value again.
    """
    snapshot = Segment(segment.start_node, [], {})
    snapshot.start = segment.start
    snapshot.leaves = list(segment.leaves)
    node = segment.node
    if array.buffer is None:  # else its thread has flushed meanwhile, and what was read is void
        _execute(snapshot, node, [array])
