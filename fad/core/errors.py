"""Errors: what went wrong, where (the user's own line) and what to write instead.

Every error derives from :class:`FadError` and from the built-in exception a user would catch.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from types import FrameType
from typing import Any

import numpy

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_NUMPY = os.path.dirname(os.path.abspath(numpy.__file__)) + os.sep
_BETWEEN = (contextlib.__file__, functools.__file__)
"""Modules of Python's that stand between the user's line and fad."""


class FadError(Exception):
    """Base class of all errors that fad raises on purpose."""


class FadTypeError(FadError, TypeError):
    """An argument has the wrong type, dtype or tree structure."""


class FadValueError(FadError, ValueError):
    """An argument has the right type and a value (or shape) that cannot be used."""


class FadIndexError(FadError, IndexError):
    """An index is out of bounds or of a kind that cannot index a tensor."""


class FadAxisError(FadValueError, FadIndexError):
    """An axis that the tensor does not have: NumPy's AxisError is both of these, too."""


class FadRuntimeError(FadError, RuntimeError):
    """An operation is not possible in the present state, for example on an escaped tensor."""


class FadOverflowError(FadError, OverflowError):
    """A Python integer does not fit the dtype it meets."""


class EscapedTensorError(FadRuntimeError):
    """A tensor was used after the transform that made it had returned."""


class ConcretizationError(FadTypeError):
    """The value of a tensor was asked for where only its shape and dtype are known."""


def is_users(filename: str) -> bool:
    """Whether code in ``filename`` is the user's: outside fad, NumPy and Python's own machinery."""
    between = filename.startswith((_PACKAGE, _NUMPY)) or filename in _BETWEEN
    return not (between or "<frozen" in filename)


def user_frame() -> FrameType | None:
    """The innermost frame that is the user's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not is_users(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def user_line() -> str:
    """``file:line`` of the user's code that is running, or "an unknown line"."""
    frame = user_frame()
    if frame is None:
        return "an unknown line"
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def located(message: str) -> str:
    """``message`` followed by the user's line."""
    return f"{message}\n  at {user_line()}"


def name_of(function: Any) -> str:
    """What messages call a function; a partial goes by the function within."""
    while isinstance(function, functools.partial):
        function = function.func
    name: str = getattr(function, "__name__", type(function).__name__)
    return name


def check_callable(transform: str, function: Any, usage: str = "") -> None:
    """Raise unless ``function`` can be called. ``usage`` says how, for example ``(f, *primals)``;
    without it the transform takes the function alone."""
    if callable(function):
        return
    how = (
        f"fad.{transform}{usage}" if usage else f"fad.{transform}(f)(x), not fad.{transform}(f(x))"
    )
    raise FadTypeError(
        located(f"{transform} takes a function, got {type(function).__name__}. Write {how}.")
    )
