"""The record of a program to be differentiated, and the trees its inputs come in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Tree = Any  # an array, or a list, tuple or dictionary of trees


@dataclass(frozen=True)
class Program:
    """A function written once for every library, with the values it is differentiated at.

    `function(xp, *inputs)` takes the namespace of the library as its first argument. `inputs` hold
    NumPy arrays; they are turned into each library's own arrays once, before anything is timed.
    """

    name: str
    function: Callable[..., Any]
    inputs: tuple[Tree, ...]
    argnums: int | tuple[int, ...] = 0
    staged: bool = True  # whether `jit` can take it: no Python control flow on values

    @property
    def differentiated(self) -> tuple[int, ...]:
        """The positions of the differentiated inputs."""
        return (self.argnums,) if isinstance(self.argnums, int) else self.argnums


def leaves(tree: Tree) -> Iterator[Any]:
    """The arrays of a tree, dictionaries in the order of their keys."""
    if isinstance(tree, (list, tuple)):
        for child in tree:
            yield from leaves(child)
    elif isinstance(tree, dict):
        for key in sorted(tree):
            yield from leaves(tree[key])
    else:
        yield tree


def map_tree(function: Callable[[Any], Any], tree: Tree) -> Tree:
    """The tree with `function` applied to each array."""
    if isinstance(tree, (list, tuple)):
        return type(tree)(map_tree(function, child) for child in tree)
    if isinstance(tree, dict):
        return {key: map_tree(function, child) for key, child in tree.items()}
    return function(tree)
