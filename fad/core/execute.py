"""Running what a segment has recorded: which program, and what it takes from the stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from fad.core.literals import literal_buffer, packer
from fad.core.program import Program, program_for
from fad.core.tensor import Array
from fad.core.trie import SCALAR_CODES, TrieNode, path_graph, trie

if TYPE_CHECKING:
    from fad.core.stream import Segment


def execute(segment: Segment, node: TrieNode, live: list[Array]) -> None:
    """Run the path from the segment's start to ``node`` for the results in ``live``."""
    key = tuple([out.index for out in live])
    programs = node.programs
    if programs is None:
        programs = node.programs = {}
    call = programs.get(key)
    if call is None:
        call = programs[key] = _call_for(segment, node, key)
        trie.programs += 1
    program, singles, plain, floats, pack = call
    refs = segment.refs
    if plain:
        args = [refs[i].buffer for i in singles]
    else:
        standing = [refs[i] for i in singles]
        args = [x.buffer if x.__class__ is Array else literal_buffer(x) for x in standing]
    if floats:
        args.append(pack([refs[i] for i in floats]))
    results = (program.compiled or program)(*args)
    for out, buffer in zip(live, results, strict=True):
        out.buffer = buffer


class _Call(NamedTuple):
    """A program and the positions of what it takes.

    ``singles`` are arguments of their own, only leaves if ``plain``; ``floats`` come packed.
    """

    program: Program
    singles: list[int]
    plain: bool
    floats: list[int]
    pack: Callable[[list[float]], Any]


def _call_for(segment: Segment, end: TrieNode, outputs: tuple[int, ...]) -> _Call:
    graph, sources = path_graph(segment.start_node, end, outputs)
    copied = set(segment.copies.values())
    is_float = [code == SCALAR_CODES[float] or i in copied for i, code in sources]
    program, used = program_for(graph, end.settings.compile, is_float)
    positions = [sources[i][0] for i in used]
    count = len(used) - program.packed
    singles, floats = positions[:count], positions[count:]
    plain = all(segment.refs[i].__class__ is Array for i in singles)
    return _Call(program, singles, plain, floats, packer(len(floats)))
