"""Leaves of arguments and results as tensors, and what to say of those that are none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from fad.core import dtypes, pytree
from fad.core.aval import Aval, make_aval
from fad.core.errors import FadTypeError, located, name_of
from fad.core.tensor import Tensor, lift


def kind_of(value: Any) -> str:
    """What messages say of a value that is no tensor, or should not be one."""
    if isinstance(value, Tensor):
        return f"a tensor {value.aval}"
    if isinstance(value, (np.ndarray, np.generic)):
        return f"an array of dtype {value.dtype}"
    return "None" if value is None else f"a {type(value).__name__}"


Title = Callable[[int], str]
"""The name of a tree by its number: only an error needs it."""


def lift_leaves(transform: str, title: Title, trees: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Leaves of all trees as tensors, and the structure of each tree."""
    why = "cannot be differentiated. Pass tensors, arrays or numbers, and close over the rest."
    return each_leaf(transform, title, trees, lift, why)


def each_leaf(
    transform: str, title: Title, trees: Sequence[Any], make: Callable[[Any], Any], why: str
) -> tuple[list[Any], list[Any]]:
    """What ``make`` makes of the leaves of all trees, and the structure of each tree.

    Where it refuses one, the message says which, what it is, and ``why`` that will not do.
    """
    made: list[Any] = []
    treedefs = []
    for number, tree in enumerate(trees):
        flat, treedef = pytree.flatten(tree)
        treedefs.append(treedef)
        try:
            made += map(make, flat)
        except FadTypeError:
            i, leaf = next((i, x) for i, x in enumerate(flat) if _is_refused(make, x))
            where = f"{title(number)}{pytree.paths(tree)[i]}"
            raise FadTypeError(
                located(f"{transform}: {where} is {kind_of(leaf)}, which {why}")
            ) from None
    return made, treedefs


def _is_refused(make: Callable[[Any], Any], leaf: Any) -> bool:
    try:
        make(leaf)
    except FadTypeError:
        return True
    return False


def output_leaves(transform: str, function: Any, out: Any) -> tuple[list[Any], Any]:
    """Leaves of what a function returned, as tensors or whatever numbers they are, and the tree.

    float0 arrays, gradients of integers, are constants: part of the tree instead of leaves.
    """
    leaves, treedef = pytree.flatten(out)
    if not leaves:
        refuse_nothing(transform, function, out)
    if any(map(dtypes.is_float0, leaves)):
        out = pytree.with_float0_inside(out)
        leaves, treedef = pytree.flatten(out)
    for i, leaf in enumerate(leaves):
        if not isinstance(leaf, Tensor):
            try:
                leaves[i] = lift(leaf)
            except FadTypeError:
                refuse_leaf(transform, function, out, i)
    return leaves, treedef


def output_avals(leaves: Sequence[Any], treedef: Any) -> tuple[list[Aval], Any]:
    """Avals and tree of what :func:`output_leaves` gave, with the float0 arrays as leaves again.

    The leaves may be avals already.
    """
    all_leaves, tree = pytree.flatten(pytree.unflatten(treedef, leaves))
    return [_output_aval(x) for x in all_leaves], tree


def _output_aval(x: Any) -> Aval:
    if isinstance(x, Aval):
        return x
    return x.aval if isinstance(x, Tensor) else make_aval(x.shape, dtypes.float0)


def refuse_nothing(transform: str, function: Any, out: Any) -> NoReturn:
    """Raise since the function returned no tensor at all."""
    raise FadTypeError(
        located(
            f"{transform}: {name_of(function)} returned {out!r}, not a tensor. "
            "Does it miss a return statement?"
        )
    )


def refuse_leaf(transform: str, function: Any, out: Any, leaf: int) -> NoReturn:
    """Raise since a leaf of what the function returned can be no tensor."""
    instead = "" if transform in _WITHOUT_AUX else " or return it with has_aux=True"
    raise FadTypeError(
        located(
            f"{transform}: {name_of(function)} returned {kind_of(pytree.flatten(out)[0][leaf])}"
            f"{at(pytree.paths(out)[leaf])}, not a tensor or number. Leave it out{instead}."
        )
    )


_WITHOUT_AUX = "vmap jit trace linear_transpose make_graph eval_shape hvp vhp gnvp".split()


def at(path: str) -> str:
    """Where in a tree, for messages."""
    return f" at {path}" if path else ""
