"""Recording a function on a tape, and running the tape backward."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fad.core.config import is_zero_strong
from fad.core.replay import forbid, position_of, replayed
from fad.core.stream import enter, local
from fad.core.tensor import Array
from fad.primitives.broadcast import ones
from fad.reverse.engine import Engine, GraphTask
from fad.reverse.node import Edge
from fad.reverse.retrace import retraced
from fad.reverse.stream_tape import StreamTape
from fad.reverse.tape import TapeLevel, TapeTensor


class Recording:
    """A function on a tape: call it on ``tensors``, then ``close`` the recording and pull.

    ``values`` are the inputs as the stream knows them: what is to be replayed must use these.
    """

    __slots__ = ("level", "tensors", "values")

    def __init__(
        self,
        function: Callable[..., Any],
        values: list[Any],
        transform: str = "grad",
        follow: bool = False,
    ) -> None:
        self.level = (StreamTape if follow else TapeLevel)(function, transform)
        self.tensors = self.level.inputs(values)
        self.values = values

    @property
    def inputs(self) -> list[Edge]:
        """The edges of the inputs, whose cotangents a backward pass gives."""
        return [Edge(t.node, 0) for t in self.tensors]

    def close(self) -> None:
        """The function has returned: its tensors must not be used any more."""
        self.level.close()

    def lower(self, x: Any) -> Any:
        """What lies beneath a tensor of this tape; anything else as it is."""
        if x.__class__ is TapeTensor and x.level is self.level:
            return x.value
        return x

    def edge(self, x: Any) -> Edge | None:
        """The edge at which a cotangent of ``x`` enters, None if ``x`` is not on this tape."""
        if x.__class__ is TapeTensor and x.level is self.level:
            return Edge(x.node, x.output_nr)
        return None

    def pull(
        self, outputs: Sequence[Any], cotangents: Sequence[Any], keep_graph: bool = False
    ) -> list[Any]:
        """Cotangents of the inputs, None for zero, from those of the output tensors."""
        pairs = [
            (edge, c)
            for edge, c in zip(map(self.edge, outputs), cotangents, strict=True)
            if edge is not None and c is not None
        ]
        if not pairs:
            return [None] * len(self.tensors)
        return run_backward([e for e, _ in pairs], [c for _, c in pairs], self.inputs, keep_graph)

    def pull_from_ones(self, output: Any) -> list[Any]:
        """The gradient of a scalar output; see :meth:`replayed`."""
        if output.__class__ is not TapeTensor or output.level is not self.level:
            return [None] * len(self.tensors)

        def compute() -> list[Any]:
            # A replay finds all that was saved still there, so the first time keeps it too.
            keep = self.level.refs is not None and local.segment.refs is self.level.refs
            edge = Edge(output.node, output.output_nr)
            return run_backward([edge], [ones(output.aval)], self.inputs, keep)

        return self.replayed("pull", (output,), compute)

    def replayed(
        self, key: Any, outputs: Sequence[Any], compute: Callable[[], list[Any]]
    ) -> list[Any]:
        """``compute()``, taken over in one step if it was computed for this very tape before.

        Where the stream stands tells all about the tape, if it does (see :class:`StreamTape`).
        ``compute`` must depend on the tape and ``key`` alone.
        """
        positions = self.positions(outputs)
        self.level.release()
        if positions is None:
            return compute()
        return replayed((key, positions, self.level.positions, is_zero_strong()), compute)

    def positions(self, outputs: Sequence[Any]) -> tuple[int, ...] | None:
        """Where the outputs stand in the run, or None if the stream does not tell it."""
        refs = self.level.refs
        segment = local.segment
        if refs is None or segment.refs is not refs:
            return None
        found = []
        for x in outputs:
            if x.__class__ is TapeTensor and x.level is self.level:
                position: int | None = x.index
            else:
                position = position_of(segment, x) if x.__class__ is Array else None
            if position is None:
                return None
            found.append(position)
        return tuple(found)

    def again(
        self, outputs: Sequence[Any], function: Callable[[Sequence[Any]], list[Any]]
    ) -> Callable[[Sequence[Any]], list[Any]]:
        """The recorded function of the inputs, for another level.

        It is retraced if the stream knows it; else it is ``function``, the user's Python, and what
        is being computed will not be replayed.
        """
        positions = self.positions(outputs)
        if positions is not None:
            assert isinstance(self.level, StreamTape)
            found = retraced(local.segment, self.level, positions)
            if found is not None:
                return found
        forbid()
        return function


def run_backward(
    roots: Sequence[Edge], cotangents: Sequence[Any], inputs: Sequence[Edge], keep_graph: bool
) -> list[Any]:
    """Run the engine on one task."""
    return Engine().execute(GraphTask(roots, cotangents, inputs, keep_graph))


def place(tensors: Sequence[Any]) -> None:
    """Make concrete tensors leaves of the stream now, so that a replay takes this call's values."""
    segment = local.segment
    for x in tensors:
        if x.__class__ is Array and x.segment is not segment:
            enter(segment, x)
