"""vmap: map a function over axes of its arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from fad.batching.batch import BatchLevel, BatchTensor
from fad.core import pytree
from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.stream import abandon_run, begin_run, end_run
from fad.core.tensor import Tensor, lift
from fad.primitives import join
from fad.primitives import shape as shapes
from fad.transforms.checks import output_leaves


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
    if not callable(f):
        raise FadTypeError(located(f"vmap takes a function, got {type(f).__name__}"))

    @wraps(f)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        begin_run()
        try:
            call = _Call(f, in_axes, args, kwargs)
            size = call.size
            if chunk_size is None or chunk_size >= size:
                result = call.run(0, size, out_axes)
            else:
                starts = range(0, size, chunk_size)
                parts = [call.run(i, min(i + chunk_size, size), out_axes) for i in starts]
                result = _joined(parts, out_axes)
        except BaseException:
            abandon_run()
            raise
        end_run()
        return result

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
        sizes: dict[int, str] = {}
        paths: list[str] = []
        for i, (leaf, axis) in enumerate(zip(leaves, axes, strict=True)):
            if axis is None:
                self.leaves.append(leaf)
                self.batched.append(False)
                continue
            tensor = lift(leaf)
            ndim = tensor.aval.ndim
            if not -ndim <= axis < ndim:
                paths = paths or _paths(args, kwargs)
                raise FadValueError(
                    located(
                        f"vmap: in_axes asks for axis {axis} of {paths[i]}, which has shape "
                        f"{tensor.shape}. Use in_axes=None for arguments that are not mapped."
                    )
                )
            size = tensor.shape[axis]
            if size not in sizes:
                paths = paths or _paths(args, kwargs)
                sizes[size] = f"{paths[i]} has axis {axis} of size {size}"
            self.leaves.append(front(tensor, axis))
            self.batched.append(True)
        self.size = _one_size(sizes)

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
    positional = [f"argument {path[1:].replace(']', '', 1)}" for path in pytree.paths(args)]
    return positional + [f"argument {path}" for path in pytree.paths(kwargs)]


def _leaf_axes(in_axes: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)
    if isinstance(in_axes, int):
        axes = [in_axes] * len(pytree.flatten(args)[0])
    elif isinstance(in_axes, tuple):
        if len(in_axes) != len(args):
            raise FadValueError(
                located(
                    f"vmap: in_axes has {len(in_axes)} entries for {len(args)} positional arguments"
                )
            )
        axes = _prefix("in_axes", in_axes, args)
    else:
        raise FadTypeError(
            located(
                "vmap: in_axes must be an int, or a tuple with an entry per positional argument, "
                f"got {in_axes!r}"
            )
        )
    return axes + [0] * len(pytree.flatten(kwargs)[0])


def _prefix(what: str, prefix: Any, tree: Any) -> list[Any]:
    try:
        return pytree.broadcast_prefix(prefix, tree)
    except ValueError as error:
        raise FadValueError(
            located(f"vmap: {what} {prefix!r} is no prefix of the tree: {error}")
        ) from None


def _one_size(sizes: dict[int, str]) -> int:
    if not sizes:
        raise FadValueError(
            located("vmap needs at least one argument to map over: all in_axes are None")
        )
    if len(sizes) > 1:
        text = "; ".join(sizes.values())
        raise FadValueError(
            located(f"vmap got inconsistent sizes for array axes to be mapped: {text}")
        )
    return next(iter(sizes))


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
    axes = (
        [out_axes] * len(leaves)
        if isinstance(out_axes, int)
        else _prefix("out_axes", out_axes, out)
    )
    results = []
    for leaf, axis in zip(leaves, axes, strict=True):
        mine = isinstance(leaf, BatchTensor) and leaf.level is level
        if axis is None:
            if mine:
                raise FadValueError(
                    located("vmap: out_axes is None for a result that differs between examples")
                )
            results.append(leaf)
        else:
            results.append(back(level.unwrap(leaf), axis))
    return pytree.unflatten(treedef, results)


def _joined(parts: Sequence[Any], out_axes: Any) -> Any:
    flat = [pytree.flatten(part) for part in parts]
    treedef = flat[0][1]
    axes = (
        [out_axes] * treedef.num_leaves
        if isinstance(out_axes, int)
        else _prefix("out_axes", out_axes, parts[0])
    )
    joined: list[Tensor] = []
    for i, axis in enumerate(axes):
        pieces = [leaves[i] for leaves, _ in flat]
        joined.append(
            pieces[0] if axis is None else join.concatenate(pieces, axis % pieces[0].ndim)
        )
    return pytree.unflatten(treedef, joined)
