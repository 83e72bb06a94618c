"""Signatures: what of a call decides which compiled version serves it, and how to explain that."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from fad.core import pytree
from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.literals import literal_buffer
from fad.core.tensor import Array, Tensor


class Version(NamedTuple):
    """One line of what ``explain`` tells."""

    signature: str
    where: str
    reason: str
    captured: int
    simplified: int


class Static:
    """A static argument as a key: compared by value, arrays by content."""

    __slots__ = ("key", "value")

    def __init__(self, key: Any, value: Any) -> None:
        self.key = key
        self.value = value

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Static) and self.key == other.key


def static_key(value: Any, place: int | str) -> Static:
    """A static argument's part of the key, or an error if it cannot be one."""
    if isinstance(value, Tensor):
        raise FadTypeError(
            located(
                f"jit: the static argument {place!r} is a tensor; pass it as an ordinary argument, "
                "or as a NumPy array if it shall be part of the program"
            )
        )
    if isinstance(value, np.ndarray):
        return Static((value.shape, value.dtype.str, value.tobytes()), value)
    try:
        hash(value)
    except TypeError:
        raise FadTypeError(
            located(
                f"jit: the static argument {place!r} of type {type(value).__name__} is not "
                "hashable; pass a tuple instead of a list, or define __hash__ and __eq__"
            )
        ) from None
    return Static((type(value), value), value)


def static_places(
    f: Callable[..., Any], nums: Sequence[int], names: Iterable[str]
) -> tuple[tuple[int, ...], frozenset[str]]:
    """Static arguments by position and by name: each is found whichever way it is passed."""
    try:
        parameters = list(inspect.signature(f).parameters)
    except (TypeError, ValueError):
        return tuple(nums), frozenset(names)
    for name in names:
        if name not in parameters and not _takes_keywords(f):
            raise FadValueError(
                located(f"jit: static_argnames has {name!r}, but the function takes {parameters}")
            )
    positions = {i % len(parameters) if i < 0 else i for i in nums}
    positions |= {parameters.index(name) for name in names if name in parameters}
    named = {parameters[i] for i in positions if i < len(parameters)}
    return tuple(sorted(positions)), frozenset(named.union(names))


def _takes_keywords(f: Callable[..., Any]) -> bool:
    kinds = [p.kind for p in inspect.signature(f).parameters.values()]
    return inspect.Parameter.VAR_KEYWORD in kinds


def quick_key(args: Sequence[Any], key: list[Any], buffers: list[Any]) -> bool:
    """Append what decides the version, and the buffers of the leaves; False if that takes longer.

    It is quick where every leaf is a concrete tensor, an ndarray or a float.
    """
    for x in args:
        kind = x.__class__
        if kind is Array:
            key.append(x.aval)
            buffer = x.buffer
            buffers.append(x.realize() if buffer is None else buffer)
        elif kind is np.ndarray:
            key.append((x.shape, x.dtype))
            buffers.append(x.copy())  # XLA reads it after this call has returned
        elif kind is float:
            key.append(float)
            buffers.append(literal_buffer(x))
        elif kind in _CONTAINERS:
            leaves, treedef = pytree.flatten(x)
            key.append(treedef)
            if not quick_key(leaves, key, buffers):
                return False
        else:
            return False
    return True


_CONTAINERS = frozenset([tuple, list, dict])


def signature_text(key: Any) -> str:
    """Avals of the leaves and static arguments, for messages."""
    static, _, avals = key
    parts = [repr(a) for a in avals]
    parts += [f"{place}={entry.value!r}"[:40] for place, entry in static]
    return ", ".join(parts)


def difference(earlier: list[Any], key: Any) -> str:
    """Why the latest compiled version could not be used."""
    if not earlier:
        return "it was the first call"
    static, treedef, avals = key
    last_static, last_tree, last_avals = earlier[-1]
    if treedef != last_tree:
        return f"the arguments have another structure: {treedef}, before {last_tree}"
    for i, (now, before) in enumerate(zip(avals, last_avals, strict=True)):
        if now is not before:
            return f"leaf {i} of the arguments is {now!r}, before {before!r}"
    for (place, now), (_, before) in zip(static, last_static, strict=False):
        if now != before:
            return f"the static argument {place} is {now.value!r}, before {before.value!r}"
    return "the static arguments differ"
