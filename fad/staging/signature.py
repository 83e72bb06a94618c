"""Signatures: what of a call decides which compiled version serves it, and how to explain that."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from fad.core import pytree
from fad.core.errors import FadTypeError, FadValueError, located, name_of
from fad.core.leaves import kind_of
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


_HASHABLE: dict[type, str] = {
    list: "pass a tuple instead, also of what is in it",
    dict: "pass tuple(d.items()) instead of d",
    set: "pass frozenset(s) instead of s",
    tuple: "pass tuples instead of the lists in it, frozenset(s) instead of a set s",
}
"""What to pass instead of a static argument by its type."""


def static_key(value: Any, place: int | str, function: Any) -> Static:
    """A static argument's part of the key, or an error if it cannot be one."""
    if isinstance(value, Tensor):
        raise FadTypeError(
            located(
                f"jit: the static argument {place!r} of {name_of(function)} is a tensor "
                f"{value.aval}; pass it as an ordinary argument, or as a NumPy array if it shall "
                "be part of the program"
            )
        )
    try:
        key = _content(value)
        hash(key)
    except TypeError:
        raise FadTypeError(
            located(
                f"jit: the static argument {place!r} of {name_of(function)}, {kind_of(value)}, is "
                f"not hashable; {_HASHABLE.get(type(value), 'define __hash__ and __eq__')}"
            )
        ) from None
    return Static(key, value)


def _content(value: Any) -> Any:
    """Equal for values that make the same program: 1 and 1.0 do not, nor do 0.0 and -0.0."""
    if isinstance(value, (np.ndarray, np.generic)):
        if value.dtype.hasobject:
            raise TypeError("an array of objects has no content to compare")
        return value.shape, value.dtype.str, value.tobytes()
    kind = type(value)
    if kind is float or kind is complex:
        return kind, value.real.hex(), value.imag.hex()
    if kind is tuple or kind is frozenset:
        return kind, kind(map(_content, value))
    if isinstance(value, tuple):  # a named tuple
        return kind, value, tuple(map(_content, value))
    return kind, value


def places(option: str, f: Callable[..., Any], numbers: int | Sequence[int]) -> tuple[int, ...]:
    """Argument positions that an option of jit names, counted from the front."""
    found = (numbers,) if isinstance(numbers, (int, np.integer)) else numbers
    valid = isinstance(found, Iterable) and not isinstance(found, str)
    if not valid or not all(isinstance(i, (int, np.integer)) for i in found):
        raise FadTypeError(
            located(f"jit: {option} must be an int or a tuple of ints, got {numbers!r}")
        )
    parameters = parameters_of(f)
    if parameters is None or any(p.kind is p.VAR_POSITIONAL for p in parameters.values()):
        return tuple(found)
    positional = [p.name for p in parameters.values() if p.kind not in _BY_NAME]
    count = len(positional)
    for i in found:
        if not -count <= i < count:
            raise FadValueError(
                located(
                    f"jit: {option} has {i}, but {name_of(f)} takes {count} positional "
                    f"argument{'s' * (count != 1)}: ({', '.join(positional)})"
                )
            )
    return tuple([int(i) % count for i in found])


_BY_NAME = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)


def parameters_of(f: Callable[..., Any]) -> Mapping[str, inspect.Parameter] | None:
    """The parameters of a function, if Python can tell them."""
    try:
        return inspect.signature(f).parameters
    except (TypeError, ValueError):
        return None


def static_places(
    f: Callable[..., Any], numbers: Sequence[int], names: str | Sequence[str]
) -> tuple[tuple[int, ...], frozenset[str]]:
    """Static arguments by position and by name: each is found whichever way it is passed."""
    names = (names,) if isinstance(names, str) else tuple(names)
    parameters = parameters_of(f)
    if parameters is None:
        return tuple(numbers), frozenset(names)
    order = list(parameters)
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for name in names:
        if name not in parameters and not takes_any:
            raise FadValueError(
                located(
                    f"jit: static_argnames has {name!r}, but {name_of(f)} takes "
                    f"({', '.join(order)})"
                )
            )
    positions = {*numbers, *[order.index(name) for name in names if name in parameters]}
    named = {order[i] for i in positions if 0 <= i < len(order)}
    return tuple(sorted(positions)), frozenset(named.union(names))


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
    static, _, avals, _ = key
    parts = [repr(a) for a in avals]
    parts += [f"{place}={entry.value!r}"[:40] for place, entry in static]
    return ", ".join(parts)


def difference(earlier: list[Any], key: Any) -> str:
    """Why the latest compiled version could not be used."""
    if not earlier:
        return "it was the first call"
    static, treedef, avals, strong = key
    last_static, last_tree, last_avals, last_strong = earlier[-1]
    if treedef != last_tree:
        return f"the arguments have another structure: {treedef}, before {last_tree}"
    for i, (now, before) in enumerate(zip(avals, last_avals, strict=True)):
        if now is not before:
            return f"leaf {i} of the arguments is {now!r}, before {before!r}"
    for (place, now), (_, before) in zip(static, last_static, strict=False):
        if now != before:
            return f"the static argument {place} is {now.value!r}, before {before.value!r}"
    if strong != last_strong:
        return f"fad.strong_zero is {'on' if strong else 'off'}, before {'off' if strong else 'on'}"
    return "the static arguments differ"
