"""Levels: who handles an operation.

Each call of a transform takes a fresh level. An operation is handled by the highest level among
its operands; the rule of that level then acts on what lies beneath. Numbers grow monotonically, so
a transform entered later always lies above one entered earlier: that alone gives nesting to any
depth, in any order, without perturbation confusion.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from types import CodeType
from typing import TYPE_CHECKING, Any

from fad.core.errors import EscapedTensorError, located, name_of, user_frame
from fad.core.unique import Unique

if TYPE_CHECKING:
    from fad.core.primitive import Operation
    from fad.core.tensor import Tensor

_numbers = itertools.count(1)


class Level(Unique):
    """One call of one transform, and the interpretation it gives to operations."""

    __slots__ = ("_call", "active", "function", "number")

    transform: str
    """The name of the transform, for messages."""

    instead = (
        "Return it from the function (with has_aux=True if it is not part of the result) instead "
        "of storing it elsewhere, or store fad.stop_gradient(x)"
    )
    """What to write instead of letting a tensor escape."""

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        self.number = next(_numbers)
        self.active = True
        self.function = function
        self._call = caller(3)

    def process(self, operation: Operation, operands: tuple[Any, ...]) -> Any:
        """Perform ``operation``; at least one operand is of this level and none of a higher one."""
        raise NotImplementedError

    def process1(self, operation: Operation, x: Any) -> Any:
        """The same for one operand, of this level, and one result."""
        return self.process(operation, (x,))

    def process2(self, operation: Operation, x: Any, y: Any, mask: int) -> Any:
        """The same for two operands and one result. ``mask`` says which are of this level: 1, 2, 3;
        the other is concrete, or a Python float."""
        return self.process(operation, (x, y))

    def check_active(self, tensor: Tensor) -> None:
        """Raise if this level's transform has returned and ``tensor`` has thus escaped from it."""
        if not self.active:
            raise EscapedTensorError(located(self.escape_message(tensor)))

    def escape_message(self, tensor: Tensor) -> str:
        """Which tensor escaped, from which call, and what to do about it."""
        return (
            f"a tensor {tensor.aval} escaped from {self.describe()}: it was used after that "
            f"transform had returned{tensor.made_by()}. {self.instead}."
        )

    def describe(self) -> str:
        """``grad(loss) called at file:line``."""
        title = self.transform
        if self.function is not None:
            title += f"({name_of(self.function)})"
        return f"{title} called at {format_call(self._call)}"


Call = tuple[CodeType, int] | None
"""A place in somebody's code, cheap to take."""


def caller(depth: int) -> Call:
    """The user's line above the frame at ``depth``; formatted only if an error asks."""
    frame = user_frame(sys._getframe(depth))
    return None if frame is None else (frame.f_code, frame.f_lasti)


def format_call(call: Call) -> str:
    """``file:line`` of what :func:`caller` gave."""
    if call is None:
        return "an unknown line"
    code, instruction = call
    lines = list(code.co_positions())
    line = lines[instruction // 2][0] if instruction >= 0 else code.co_firstlineno
    return f"{code.co_filename}:{line}"


class BaseLevel(Level):
    """The level of concrete tensors: operations are recorded on this thread's stream."""

    __slots__ = ()
    transform = "none"

    def __init__(self) -> None:
        self.number = 0
        self.active = True
        self.function = None
        self._call = None


BASE = BaseLevel()
