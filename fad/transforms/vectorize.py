"""vmap: map a function over axes of its arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, NoReturn

import numpy as np

from fad.batching.batch import BatchLevel, BatchTensor
from fad.core import pytree
from fad.core.dtypes import is_float0
from fad.core.errors import FadTypeError, FadValueError, check_callable, located
from fad.core.leaves import kind_of, output_leaves
from fad.core.runs import outermost
from fad.core.tensor import lift
from fad.primitives import join
from fad.primitives import shape as shapes
from fad.transforms.checks import check_chunk_size, float0_zeros


def vmap(
    f: Callable[..., Any],
    in_axes: Any = 0,
    out_axes: Any = 0,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """Map ``f`` over one axis of each argument, as one batched computation.

    Args:
        f: function of one example.
        in_axes: the mapped axis of each positional argument: an int for all, or a tuple with one
            entry (int, None for "not mapped", or a pytree of these) per argument. Keyword arguments
            are mapped over axis 0.
        out_axes: where the batch axis goes in the results: an int, None, or a pytree prefix.
        chunk_size: process at most so many examples at a time, to bound memory.

    Raises:
        FadValueError: the mapped axes have different sizes, or an argument has no such axis.

    >>> import fad
    >>> import numpy as np
    >>> fad.vmap(lambda x, w: x @ w, in_axes=(0, None))(np.eye(2), np.array([3.0, 4.0]))
    fad.Tensor([3., 4.])
    """
    check_callable("vmap", f)
    check_chunk_size("vmap", chunk_size, auto=False)

    @wraps(f)
    @outermost
    def mapped(*args: Any, **kwargs: Any) -> Any:
        call = _Call(f, in_axes, args, kwargs)
        size = call.size
        if chunk_size is None or chunk_size >= size:
            return call.run(0, size, out_axes)
        starts = range(0, size, chunk_size)
        parts = [call.run(i, min(i + chunk_size, size), out_axes) for i in starts]
        return _joined(parts, out_axes)

    return mapped


class _Call:
    """The arguments of one call of a mapped function, batch axes first."""

    __slots__ = ("batched", "f", "leaves", "size", "treedef")

    def __init__(self, f: Callable[..., Any], in_axes: Any, args: Any, kwargs: Any) -> None:
        self.f = f
        leaves, self.treedef = pytree.flatten((args, kwargs))
        axes = _leaf_axes(in_axes, args, kwargs)
        self.leaves = []
        self.batched = []
        sizes: dict[int, int] = {}  # the first leaf of each size
        for i, (leaf, axis) in enumerate(zip(leaves, axes, strict=True)):
            self.batched.append(axis is not None)
            if axis is None:
                self.leaves.append(leaf)
                continue
            try:
                tensor = lift(leaf)
            except FadTypeError:
                raise FadTypeError(
                    located(
                        f"vmap: {_paths(args, kwargs)[i]} is {kind_of(leaf)}, which has no axes to "
                        f"map over. {_unmapped(i, args)}."
                    )
                ) from None
            if not -tensor.aval.ndim <= axis < tensor.aval.ndim:
                raise FadValueError(
                    located(
                        f"vmap: in_axes asks for axis {axis} of {_paths(args, kwargs)[i]}, which "
                        f"has shape {tensor.shape}. {_unmapped(i, args)}."
                    )
                )
            sizes.setdefault(tensor.shape[axis], i)
            self.leaves.append(front(tensor, axis))
        if len(sizes) != 1:
            _raise_sizes(sizes, axes, _paths(args, kwargs))
        (self.size,) = sizes

    def run(self, start: int, stop: int, out_axes: Any) -> Any:
        """The results for the examples from ``start`` to ``stop``."""
        level = BatchLevel(self.f, stop - start)
        leaves = []
        for leaf, batched in zip(self.leaves, self.batched, strict=True):
            if batched:
                whole = stop - start == self.size
                part = leaf if whole else leaf[start:stop]
                leaves.append(BatchTensor(level, part))
            else:
                leaves.append(leaf)
        args, kwargs = pytree.unflatten(self.treedef, leaves)
        try:
            out = self.f(*args, **kwargs)
            return _outputs(self.f, level, out, out_axes)
        finally:
            level.active = False


def _paths(args: Any, kwargs: Any) -> list[str]:
    positional = [f"argument {i}{path}" for i, x in enumerate(args) for path in pytree.paths(x)]
    return positional + [f"argument {path}" for path in pytree.paths(kwargs)]


def _unmapped(leaf: int, args: Any) -> str:
    """How to leave an argument unmapped: a keyword argument has no entry in ``in_axes``."""
    if leaf < len(pytree.flatten(args)[0]):
        return "Use in_axes=None for it, or close over it, if it is not to be mapped"
    return "Pass it positionally, with in_axes=None for it, or close over it"


def _raise_sizes(sizes: dict[int, int], axes: list[Any], paths: list[str]) -> NoReturn:
    if not sizes:
        raise FadValueError(
            located(
                "vmap needs at least one argument to map over: there is none, or all in_axes are "
                "None. Call the function itself."
            )
        )
    text = "; ".join(f"{paths[i]} has axis {axes[i]} of size {n}" for n, i in sizes.items())
    raise FadValueError(
        located(
            f"vmap got inconsistent sizes for array axes to be mapped: {text}. Use in_axes to say "
            "which axis is mapped, None for arguments that are not."
        )
    )


def _leaf_axes(in_axes: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)
    if isinstance(in_axes, tuple) and len(in_axes) != len(args):
        count = len(in_axes)
        raise FadValueError(
            located(
                f"vmap: in_axes has {count} entr{'y' if count == 1 else 'ies'} for {len(args)} "
                "positional arguments. Give one per argument (keyword arguments are mapped over "
                "axis 0)."
            )
        )
    if not isinstance(in_axes, (tuple, int, np.integer)):
        raise FadTypeError(
            located(
                "vmap: in_axes must be an int, or a tuple with an entry per positional argument, "
                f"got {in_axes!r}. Write in_axes=(None, 0) to map the second argument alone."
            )
        )
    return _axes("in_axes", in_axes, args) + [0] * len(pytree.flatten(kwargs)[0])


def _axes(what: str, axes: Any, tree: Any) -> list[int | None]:
    """One axis, or None, for each leaf of the tree, from a prefix of it."""
    if type(axes) is int:
        return [axes] * len(pytree.flatten(tree)[0])
    try:
        found = pytree.broadcast_prefix(axes, tree)
    except ValueError:
        raise FadValueError(
            located(
                f"vmap: {what} {axes!r} is no prefix of the tree {pytree.flatten(tree)[1]}. Give "
                "an int or None for each leaf, or for a whole subtree."
            )
        ) from None
    for axis in found:
        if axis is not None and (isinstance(axis, bool) or not isinstance(axis, (int, np.integer))):
            raise FadTypeError(
                located(f"vmap: {what} must be integers or None, got {axis!r} in {axes!r}.")
            )
    return found


def front(x: Any, axis: int) -> Any:
    """``x`` with ``axis`` moved to the front."""
    axis %= x.aval.ndim
    if axis == 0:
        return x
    rest = [i for i in range(x.aval.ndim) if i != axis]
    return shapes.transpose(x, (axis, *rest))


def back(x: Any, axis: int) -> Any:
    """``x`` with its first axis moved to ``axis``."""
    ndim = x.aval.ndim
    axis %= ndim
    if axis == 0:
        return x
    return shapes.transpose(x, (*range(1, axis + 1), 0, *range(axis + 1, ndim)))


def _outputs(f: Any, level: BatchLevel, out: Any, out_axes: Any) -> Any:
    leaves, treedef = output_leaves("vmap", f, out)
    axes = _axes("out_axes", out_axes, out)
    if len(axes) > len(leaves):  # float0 arrays have axes here, and are leaves
        leaves, treedef = pytree.flatten(pytree.unflatten(treedef, leaves))
    results = []
    for i, (leaf, axis) in enumerate(zip(leaves, axes, strict=True)):
        ndim = leaf.ndim
        if axis is None:
            if isinstance(leaf, BatchTensor) and leaf.level is level:
                raise FadValueError(
                    located(
                        f"vmap: out_axes is None for the result{_at(out, i)}, which differs "
                        "between examples. Give it an axis."
                    )
                )
            results.append(leaf)
        elif not -ndim - 1 <= axis <= ndim:
            raise FadValueError(
                located(
                    f"vmap: out_axes={axis} is out of range for the result{_at(out, i)}, which has "
                    f"{ndim + 1} axes with the batch. Pass an int from {-ndim - 1} to {ndim}."
                )
            )
        elif is_float0(leaf):
            axis %= ndim + 1
            shape = (*leaf.shape[:axis], level.size, *leaf.shape[axis:])
            results.append(float0_zeros(shape))
        else:
            results.append(back(level.unwrap(leaf), axis))
    return pytree.unflatten(treedef, results)


def _at(tree: Any, leaf: int) -> str:
    path = pytree.paths(tree)[leaf]
    return f" at {path}" if path else ""


def _joined(parts: Sequence[Any], out_axes: Any) -> Any:
    flat = [pytree.flatten(part) for part in parts]
    treedef = flat[0][1]
    joined: list[Any] = []
    for i, axis in enumerate(_axes("out_axes", out_axes, parts[0])):
        pieces = [leaves[i] for leaves, _ in flat]
        if axis is None:
            joined.append(pieces[0])
        elif is_float0(pieces[0]):
            joined.append(np.concatenate(pieces, axis))
        else:
            joined.append(join.concatenate(pieces, axis % pieces[0].ndim))
    return pytree.unflatten(treedef, joined)
