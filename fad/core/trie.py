"""The trace trie: the paths that streams have taken.

A node is where a stream stands after a sequence of steps. A step's key is the aval of a leaf, or
names an operation and the positions of its operands. The trie is shared by all threads and only
grows: a lost race costs a duplicate child's memory, never a wrong result. When too much has been
remembered everything is forgotten at once; compiled programs are kept elsewhere, so what is used
again costs shape inference and no compilation.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fad.core import config as _config
from fad.core.aval import SCALARS, Aval, make_aval
from fad.core.graph import Equation, Graph

FLUSH = "flush"
EARLIER = "earlier"
SCALAR_CODES: dict[type, int] = {float: -1, int: -2, complex: -3, bool: -4}
"""In step keys a negative operand is a Python scalar of this type, passed as a run-time argument.
"""
SCALAR_KINDS = {code: kind for kind, code in SCALAR_CODES.items()}
SCALAR_AVALS = {aval.dtype.kind: aval for aval in SCALARS.values()}
SCALAR_AVALS["u"] = make_aval((), np.dtype(np.uint64))
_CODE_AVALS = {code: SCALARS[kind] for kind, code in SCALAR_CODES.items()}

MAX_NODES = 400_000
MAX_TRIE_PROGRAMS = 1024


class TrieNode:
    """Where a stream stands. ``aval`` is that of the last step's result(s) or leaf."""

    __slots__ = (
        "aval", "depth", "key", "limit", "memos", "nbytes", "next", "parent", "position",
        "programs", "settings",
    )  # fmt: skip

    def __init__(self, settings: Any, parent: TrieNode | None, key: Any, aval: Any) -> None:
        self.settings = settings
        self.parent = parent
        self.key = key
        self.aval = aval
        self.depth = 0  # operations since the segment began
        self.nbytes = 0  # bytes of leaves since the segment began
        self.position = 0  # on the first node of a segment: its first position in the run
        self.limit: int = settings.max_pending if settings else 0  # and how long it may become
        self.next: dict[Any, TrieNode] = {}
        self.programs: dict[tuple[int, ...], Any] | None = None
        self.memos: dict[Any, Any] | None = None


class _Trie:
    """The roots, one for each combination of settings, and what hangs below them."""

    def __init__(self) -> None:
        self.roots: dict[Any, TrieNode] = {}
        self.last: tuple[Any, TrieNode | None] = None, None  # asked for with these settings
        self.nodes = 0
        self.programs = 0

    def root(self) -> TrieNode:
        """Where a new run starts. Forgets everything first if too much has been remembered."""
        if self.nodes > MAX_NODES or self.programs > MAX_TRIE_PROGRAMS:
            self.forget()
        settings = _config.current()
        last, node = self.last
        if settings is last and node is not None:
            return node
        node = self.roots.get(settings)
        if node is None:
            node = self.roots[settings] = TrieNode(settings, None, None, None)
        self.last = settings, node
        return node

    def forget(self) -> None:
        """Let go of all paths; streams go on with those they are on."""
        self.roots, self.last, self.nodes, self.programs = {}, (None, None), 0, 0

    def child(self, node: TrieNode, key: Any, aval: Any, depth: int, nbytes: int) -> TrieNode:
        """A new child of ``node``."""
        made = TrieNode(node.settings, node, key, aval)
        made.depth = depth
        made.nbytes = nbytes
        return self._attached(made)

    def segment_after(self, node: TrieNode, position: int, limit: int) -> TrieNode:
        """Where a segment starts, at a position of the run, after a flush at ``node``."""
        made = TrieNode(node.settings, node, FLUSH, None)
        made.position = position
        made.limit = limit
        return self._attached(made)

    def _attached(self, made: TrieNode) -> TrieNode:
        """``made``, complete as it is, or what another thread has put in its place before."""
        assert made.parent is not None
        self.nodes += 1
        return made.parent.next.setdefault(made.key, made)


trie = _Trie()
FORGOTTEN = TrieNode(None, None, "forgotten", None)
"""Where the segments stand that have been run: an array keeps its segment, and nothing more."""


def aligned_limit(start: TrieNode, end: TrieNode) -> int:
    """How long the segment after this one may become.

    If the path ends in a loop, a whole number of its iterations: all segments of a long loop are
    then one program, compiled once.
    """
    longest: int = start.settings.max_pending
    steps = []
    node: TrieNode | None = end
    while node is not start and node is not None:
        if type(node.key) is tuple and node.key[0] is not EARLIER:
            steps.append(node.key[0])
        node = node.parent
    for period in range(1, min(longest, len(steps) // 3) + 1):
        if steps[:period] == steps[period : 2 * period] == steps[2 * period : 3 * period]:
            return longest // period * period
    return longest


def path_graph(
    start: TrieNode, end: TrieNode, outputs: tuple[int, ...]
) -> tuple[Graph, list[tuple[int, int]]]:
    """The steps between two trie nodes as a graph, for the results at positions ``outputs``.

    Also the source of each input: its position in the run, and its code if it is a Python scalar,
    0 if it is a leaf.
    """
    steps = []
    node = end
    while node is not start:
        steps.append(node)
        assert node.parent is not None
        node = node.parent
    base = start.position
    avals: list[Aval] = []
    sources: list[tuple[int, int]] = []
    equations = []
    for node in reversed(steps):
        key = node.key
        if type(key) is not tuple or key[0] is EARLIER:
            sources.append((base + len(avals), 0))
            avals.append(node.aval)
            continue
        operands = [i - base for i in key[1:]]
        for k, code in enumerate(key[1:]):
            if code < 0:
                operands[k] = len(avals)
                sources.append((base + len(avals), code))
                avals.append(_CODE_AVALS[code])
        results = node.aval if type(node.aval) is tuple else (node.aval,)
        first = len(avals)
        avals.extend(results)
        made = tuple(range(first, len(avals)))
        equations.append(Equation(key[0].operation, tuple(operands), made))
    inputs = [position - base for position, _ in sources]
    return Graph(avals, inputs, equations, tuple([i - base for i in outputs])), sources
