"""Running again what a tape recorded, without the user's Python.

While the stream tells of a tape (see :class:`fad.reverse.stream_tape.StreamTape`), the path that
led there is the taped function itself. Transforms that need the function again at another
level, such as a Hessian, perform the path's steps instead of calling the function; and since that
is determined by the path, what it records can be replayed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fad.core.apply import apply
from fad.core.aval import Aval
from fad.core.stream import Segment, array_at
from fad.core.tensor import Array
from fad.reverse.path import Step
from fad.reverse.stream_tape import StreamTape


def retraced(
    segment: Segment, level: StreamTape, outputs: Sequence[int]
) -> Callable[[Sequence[Any]], list[Any]] | None:
    """The taped function, from the inputs of its tape to the values at positions ``outputs``.

    None if it took a tensor, computed before a flush, that nobody holds any more.
    """
    path = level.path()
    inputs = [path.first_place(p) for p in level.positions]
    steps = path.steps
    results = [path.first_place(p) for p in outputs]
    taped = set(inputs).union(*[[p.position for p in step.visible()] for step in steps])
    wanted: dict[int, Aval | None] = dict.fromkeys(set(results) - taped)  # those are held
    for step in steps:
        for i, place in enumerate(step.operands):
            if not step.rule.mask >> i & 1:
                wanted[place.position] = place.aval
    constants: dict[int, Array] = {}
    for position, aval in wanted.items():
        array = array_at(segment, position, aval)
        if array is None:
            return None
        constants[position] = array
    dead = _dead_after(steps, set(results))

    def function(tensors: Sequence[Any]) -> list[Any]:
        env = dict(zip(inputs, tensors, strict=True))
        for step, unused in zip(steps, dead, strict=True):
            rule = step.rule
            operands = [
                (env if rule.mask >> i & 1 else constants)[place.position]
                for i, place in enumerate(step.operands)
            ]
            out = apply(rule.origin, *operands)
            made = [place.position for place in step.visible()]
            env.update(zip(made, out if rule.origin.multiple else (out,), strict=True))
            for p in unused:  # what is held is computed, where the stream is flushed on the way
                env.pop(p, None)
        return [env[p] if p in env else constants[p] for p in results]

    return function


def _dead_after(steps: Sequence[Step], results: set[int]) -> list[list[int]]:
    """For each step, the positions that nothing reads after it."""
    seen = set(results)
    dead: list[list[int]] = []
    for step in reversed(steps):
        last = {place.position for place in step.operands + step.results}.difference(seen)
        seen |= last
        dead.append(list(last))
    return dead[::-1]
