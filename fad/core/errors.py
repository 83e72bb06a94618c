"""Errors: what went wrong, where (the user's own line) and what to write instead.

Every error derives from :class:`FadError` and from the built-in exception a user would catch.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import sysconfig
from types import FrameType
from typing import Any

import numpy

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_NUMPY = os.path.dirname(os.path.abspath(numpy.__file__)) + os.sep
_BETWEEN = (contextlib.__file__, functools.__file__)
"""Modules of Python's that stand between the user's line and fad."""
_PYTHONS = tuple(sysconfig.get_path(name) + os.sep for name in ("stdlib", "scripts"))
_INSTALLED = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))


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


_MACHINERY, _OTHERS, _USERS = range(3)


def _whose(filename: str) -> int:
    """Whose code is in ``filename``: fad's, NumPy's or Python's own machinery; somebody else's, who
    wrote an installed package or Python's library; or the user's."""
    if filename.startswith((_PACKAGE, _NUMPY)) or filename in _BETWEEN or "<frozen" in filename:
        return _MACHINERY
    others = filename.startswith(_PYTHONS) or any(name in filename for name in _INSTALLED)
    return _OTHERS if others else _USERS


_known: dict[str, int] = {}  # whose a file is, by its name


def user_frame(frame: FrameType | None = None) -> FrameType | None:
    """The innermost frame of the user's, from ``frame`` on.

    Code of an installed package that calls fad, such as SciPy's, is the user's only if no other is:
    then the package may be what the user is working on.
    """
    if frame is None:
        frame = sys._getframe(1)
    others = None
    while frame is not None:
        filename = frame.f_code.co_filename
        whose = _known.get(filename)
        if whose is None:
            whose = _known[filename] = _whose(filename)
        if whose == _USERS:
            return frame
        if whose == _OTHERS and others is None:
            others = frame
        frame = frame.f_back
    return others


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
