"""Errors: what went wrong, where (the user's own line) and what to write instead.

Every error derives from :class:`FadError` and from the built-in exception a user would catch.
"""

from __future__ import annotations

import os
import sys
from types import FrameType

import numpy

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_NUMPY = os.path.dirname(os.path.abspath(numpy.__file__)) + os.sep


class FadError(Exception):
    """Base class of all errors that fad raises on purpose."""


class FadTypeError(FadError, TypeError):
    """An argument has the wrong type, dtype or tree structure."""


class FadValueError(FadError, ValueError):
    """An argument has the right type and a value (or shape) that cannot be used."""


class FadIndexError(FadError, IndexError):
    """An index is out of bounds or of a kind that cannot index a tensor."""


class FadRuntimeError(FadError, RuntimeError):
    """An operation is not possible in the present state, for example on an escaped tensor."""


class FadOverflowError(FadError, OverflowError):
    """A Python integer does not fit the dtype it meets."""


class EscapedTensorError(FadRuntimeError):
    """A tensor was used after the transform that made it had returned."""


class ConcretizationError(FadTypeError):
    """The value of a tensor was asked for where only its shape and dtype are known."""


def is_internal(filename: str) -> bool:
    """Whether code in ``filename`` belongs to fad itself."""
    return filename.startswith(_PACKAGE)


def user_frame() -> FrameType | None:
    """The innermost frame that is the user's: outside fad, NumPy and the import machinery."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if not (is_internal(name) or name.startswith(_NUMPY) or "<frozen" in name):
            return frame
        frame = frame.f_back
    return None


def user_line() -> str:
    """``file:line`` of the user's code that is running, or "an unknown line"."""
    frame = user_frame()
    if frame is None:
        return "an unknown line"
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def located(message: str) -> str:
    """``message`` followed by the user's line."""
    return f"{message}\n  at {user_line()}"
