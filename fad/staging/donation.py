"""Donation: arguments of jitted functions whose memory the results may take over."""

from __future__ import annotations

from collections.abc import Sequence
from sys import getrefcount
from typing import Any

from fad.core import kernels
from fad.core.aval import SCALARS
from fad.core.errors import FadRuntimeError, located
from fad.core.graph import Graph
from fad.core.level import Call, caller, format_call
from fad.core.tensor import Array


def reusable_memory(graph: Graph, donated: Sequence[int]) -> tuple[int, ...]:
    """The donated inputs whose memory a result can take over: one of its size is needed."""
    wanted = [(a.shape, a.dtype) for a in graph.out_avals]
    found = []
    for i in donated:
        aval = graph.avals[graph.inputs[i]]
        if (aval.shape, aval.dtype) in wanted:
            wanted.remove((aval.shape, aval.dtype))
            found.append(i)
    return tuple(found)


def to_give_away(x: Any, buffer: Any, captures: Sequence[Any]) -> Any:
    """The buffer of a donated leaf, or a copy if somebody else may read it, or the program itself
    that has captured the same tensor."""
    mine = x.__class__ is Array and getrefcount(buffer) <= _ALONE
    mine = mine and all(x is not captured for captured in captures)
    return buffer if mine else kernels.put(buffer)


def _references(x: Any, buffer: Any, captures: Sequence[Any]) -> int:
    return getrefcount(buffer)


def _count_alone() -> int:
    """How many references there are to a buffer that only its tensor and a list of buffers hold."""
    x = Array(SCALARS[float], object())
    buffers = [x.buffer]
    return _references(x, buffers[0], ())


_ALONE = _count_alone()


def mark_donated(name: str, leaves: Sequence[Any]) -> None:
    """The memory of these is no longer theirs: the jitted function of this name has it."""
    donated = _Donated(name, caller(1))
    for x in leaves:
        if x.__class__ is Array:
            x.buffer = None
            x.segment = donated  # type: ignore[assignment]


class _Donated:
    """Stands for the segment of an array whose memory was given away."""

    refs: None = None

    def __init__(self, name: str, call: Call) -> None:
        self.name = name
        self.call = call

    def realize(self, array: Array) -> None:
        raise FadRuntimeError(
            located(
                f"this tensor {array.aval} was donated to jit({self.name}) called at "
                f"{format_call(self.call)} (donate_argnums), and its memory was reused. Use the "
                "function's result; or donate x.copy(), or keep one. A slice or view of the whole, "
                "such as x[:], x.reshape(x.shape) or x.astype(x.dtype), is the same tensor."
            )
        )
