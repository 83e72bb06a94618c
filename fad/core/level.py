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
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

from fad.core.errors import EscapedTensorError, is_internal, located

if TYPE_CHECKING:
    from fad.core.primitive import Operation
    from fad.core.tensor import Tensor

_numbers = itertools.count(1)


class Level:
    """One call of one transform, and the interpretation it gives to operations."""

    __slots__ = ("_call", "active", "function", "number")

    transform: str
    """The name of the transform, for messages."""

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        self.number = next(_numbers)
        self.active = True
        self.function = function
        self._call = _caller()

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
            f"transform had returned{tensor.made_by()}. Return it from the function "
            "(with has_aux=True if it is not part of the result) instead of storing it elsewhere, "
            "or store fad.stop_gradient(x)'s value."
        )

    def describe(self) -> str:
        """``grad(loss) called at file:line``."""
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return f"{self.transform}({name}) called at {_format_position(self._call)}"


_internal: dict[str, bool] = {}  # by file name


def _caller() -> tuple[CodeType, int] | None:
    """Code and instruction of the user's call, cheap to take; formatted only if an error asks."""
    frame: FrameType | None = sys._getframe(3)
    while frame is not None:
        code = frame.f_code
        internal = _internal.get(code.co_filename)
        if internal is None:
            internal = _internal[code.co_filename] = is_internal(code.co_filename)
        if not internal:
            return code, frame.f_lasti
        frame = frame.f_back
    return None


def _format_position(position: tuple[CodeType, int] | None) -> str:
    if position is None:
        return "an unknown line"
    code, instruction = position
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
