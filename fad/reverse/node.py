"""Nodes and edges of the tape."""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterator
from typing import Any, NamedTuple

import numpy as np

from fad.core.aval import Aval, Shape
from fad.core.errors import FadRuntimeError, located
from fad.core.primitive import ReverseRule
from fad.core.tensor import Tensor

next_sequence = itertools.count().__next__


class Edge(NamedTuple):
    """Leads to input slot ``input_nr`` of ``node``: the output of that number of its operation."""

    node: Node
    input_nr: int


class InputMetadata(NamedTuple):
    """What a node expects of the cotangent of one of its outputs."""

    shape: Shape
    dtype: np.dtype[Any]


class SavedTensor(NamedTuple):
    """A value that a node keeps for its rule."""

    node: Node
    number: int

    def unpack(self) -> Any:
        """The value, or an error if the tape was freed."""
        return self.node.residuals()[self.number]


class Node:
    """One operation on the tape.

    Slotted and acyclic: a node refers to its parents only, so that a tape dies by reference count
    alone. ``parents[i]`` is the node that made operand i (None if nobody wants its cotangent), and
    ``slots[i]`` the number of the output it was there; ``slots`` is None where all are zero.
    """

    __slots__ = ("__weakref__", "aval", "parents", "rule", "saved", "sequence", "slots")

    rule: ReverseRule | None
    aval: Aval | tuple[Aval, ...]
    parents: tuple[Node | None, ...]
    slots: tuple[int, ...] | None
    saved: tuple[Any, ...] | None
    sequence: int

    @property
    def name(self) -> str:
        """The name of the operation; ``input`` for an input of the tape."""
        return "input" if self.rule is None else self.rule.origin.name

    @property
    def edges(self) -> tuple[Edge | None, ...]:
        """One edge per operand, None where no cotangent is wanted."""
        return tuple(
            [
                None if p is None else Edge(p, self.slots[i] if self.slots else 0)
                for i, p in enumerate(self.parents)
            ]
        )

    @property
    def avals(self) -> tuple[Aval, ...]:
        """One aval per output."""
        return self.aval if type(self.aval) is tuple else (self.aval,)  # type: ignore[return-value]

    @property
    def metadata(self) -> tuple[InputMetadata, ...]:
        """What is expected of the cotangent of each output."""
        return tuple([InputMetadata(a.shape, a.dtype) for a in self.avals])

    @property
    def saved_tensors(self) -> tuple[SavedTensor, ...]:
        """The values kept for the rule."""
        return tuple([SavedTensor(self, i) for i in range(len(self.residuals()))])

    @property
    def saved_bytes(self) -> int:
        """How many bytes of tensors the node keeps."""
        return sum(x.nbytes for x in self.saved or () if isinstance(x, Tensor))

    @property
    def topological_number(self) -> int:
        """Length of the longest path from here to an input."""
        longest: dict[Node, int] = {}
        for node in sorted(reachable([self]), key=lambda n: n.sequence):
            below = [longest[p] for p in node.parents if p is not None]
            longest[node] = 1 + max(below) if below else 0
        return longest[self]

    def residuals(self) -> tuple[Any, ...]:
        """What the rule saved; an error if it was freed."""
        if self.saved is None:
            raise FadRuntimeError(
                located(
                    f"the saved tensors of node {self.name} have been freed: the tape was run "
                    "with keep_graph=False. Run it with keep_graph=True to run it again."
                )
            )
        return self.saved

    def targets(self, needed: Container[Node] | None = None) -> list[Aval | None]:
        """The aval of each operand whose cotangent is wanted, of the ``needed`` nodes if given."""
        return [
            None
            if parent is None or (needed is not None and parent not in needed)
            else parent.avals[self.slots[i] if self.slots else 0]
            for i, parent in enumerate(self.parents)
        ]

    def pull(self, cotangents: list[Any], needed: Container[Node] | None = None) -> Any:
        """Cotangents of the operands from those of the outputs; None is a symbolic zero.

        Those of parents that are not ``needed`` are not computed, or may be anything.
        """
        assert self.rule is not None
        assert self.rule.pull is not None
        cotangent = cotangents if type(self.aval) is tuple else cotangents[0]
        return self.rule.pull(cotangent, self.residuals(), self.targets(needed))

    def release(self) -> None:
        """Free the saved tensors."""
        self.saved = None

    def __repr__(self) -> str:
        return f"<Node {self.name} #{self.sequence}>"


def input_node(aval: Aval) -> Node:
    """A node without operation, for an input of a tape."""
    node = Node()
    node.rule = None
    node.aval = aval
    node.parents = ()
    node.slots = None
    node.saved = ()
    node.sequence = next_sequence()
    return node


def reachable(roots: list[Node]) -> Iterator[Node]:
    """All nodes from which the roots were computed, the roots included, each once."""
    seen = set(roots)
    stack = list(seen)
    while stack:
        node = stack.pop()
        yield node
        for parent in node.parents:
            if parent is not None and parent not in seen:
                seen.add(parent)
                stack.append(parent)
