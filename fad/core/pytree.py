"""Pytrees: nested containers whose leaves are tensors.

Built on ``jax.tree_util``, so that every container registered there works as it stands; plain
dataclasses are registered with it when fad first meets one. Their fields are the children, those
with ``init=False`` too. An instance is rebuilt field by field, and its constructor does not run:
what the constructor made of its arguments holds already, and is not to be made again of tensors
and of gradients. Fields marked ``metadata={"static": True}`` (JAX's convention) are part of the
structure; attributes that are no fields are not carried over.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jax import tree_util

from fad.core import dtypes

TreeDef = Any
_known: set[type] = set()
_plain: set[type] = set()  # types of leaves that are no dataclasses


def flatten(tree: Any) -> tuple[list[Any], TreeDef]:
    """Leaves, left to right, and the structure that holds them. None is an empty subtree."""
    leaves, treedef = tree_util.tree_flatten(tree)
    if not _plain.issuperset([type(x) for x in leaves]):
        for leaf in leaves:
            if dataclasses.is_dataclass(leaf) and not isinstance(leaf, type):
                _register_dataclasses(leaves)
                return flatten(tree)
        _plain.update([type(x) for x in leaves])
    return leaves, treedef


def _register_dataclasses(leaves: Sequence[Any]) -> None:
    for leaf in leaves:
        kind = type(leaf)
        if dataclasses.is_dataclass(leaf) and kind not in _known:
            _known.add(kind)
            _register_dataclass(kind)


def _register_dataclass(kind: type) -> None:
    static = [f.name for f in dataclasses.fields(kind) if f.metadata.get("static", False)]
    names = [f.name for f in dataclasses.fields(kind) if f.name not in static]

    def present(instance: Any) -> tuple[list[str], Any]:
        """The children's names, without those not set (yet), and the rest of the structure."""
        here = [name for name in names if hasattr(instance, name)]
        constants = [(name, getattr(instance, name)) for name in static if hasattr(instance, name)]
        return here, (tuple(here), tuple(constants))

    def children(instance: Any) -> tuple[Any, Any]:
        here, structure = present(instance)
        return [getattr(instance, name) for name in here], structure

    def children_with_keys(instance: Any) -> tuple[Any, Any]:
        here, structure = present(instance)
        return [(tree_util.GetAttrKey(n), getattr(instance, n)) for n in here], structure

    def rebuild(structure: Any, values: Any) -> Any:
        here, constants = structure
        instance: Any = object.__new__(kind)
        for name, value in (*zip(here, values, strict=True), *constants):
            object.__setattr__(instance, name, value)  # a frozen class refuses setattr
        return instance

    tree_util.register_pytree_with_keys(kind, children_with_keys, rebuild, children)


class _Float0:
    """A float0 array as part of the structure: a node without children."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape


def _float0_zeros(shape: Any, _: Any) -> Any:
    return np.zeros(shape, dtypes.float0)


tree_util.register_pytree_node(_Float0, lambda x: ((), x.shape), _float0_zeros)


def with_float0_inside(tree: Any) -> Any:
    """``tree`` with its float0 arrays, which hold no values, moved from the leaves into the
    structure: :func:`unflatten` puts them back."""
    return map(lambda x: _Float0(x.shape) if dtypes.is_float0(x) else x, tree)


def unflatten(treedef: TreeDef, leaves: Sequence[Any]) -> Any:
    """The tree of this structure with these leaves."""
    return treedef.unflatten(leaves)


def map(function: Callable[..., Any], tree: Any, *rest: Any) -> Any:
    """Apply ``function`` leaf by leaf to trees of one structure."""
    leaves, treedef = flatten(tree)
    others = [flatten(r)[0] for r in rest]
    return unflatten(treedef, [function(*xs) for xs in zip(leaves, *others, strict=True)])


def paths(tree: Any) -> list[str]:
    """One readable path per leaf: ``['w'][0].bias``; the empty string for a bare leaf."""
    flatten(tree)
    return [tree_util.keystr(path) for path, _ in tree_util.tree_flatten_with_path(tree)[0]]


def broadcast_prefix(prefix: Any, tree: Any) -> list[Any]:
    """One leaf of ``prefix`` (None included) for each leaf of ``tree``.

    Raises ValueError if ``prefix`` is no prefix of ``tree``.
    """
    out: list[Any] = []

    def extend(leaf: Any, subtree: Any) -> None:
        out.extend([leaf] * len(flatten(subtree)[0]))

    tree_util.tree_map(extend, prefix, tree, is_leaf=lambda x: x is None)
    return out


def fill_nones(tree: Any, other: Any) -> Any:
    """``tree`` with each None in it replaced by what ``other`` has in its place.

    Raises ValueError if ``other`` has no such place.
    """
    return tree_util.tree_map(
        lambda leaf, subtree: subtree if leaf is None else leaf,
        tree,
        other,
        is_leaf=lambda x: x is None,
    )
