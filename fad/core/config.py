"""Settings. Every one is read when a program starts or is run, never on the hot path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any, Literal, NamedTuple

from fad.core.errors import FadTypeError, FadValueError, located

Compile = Literal["auto", "always", "never"]


class Settings(NamedTuple):
    """One value of every setting.

    ``compile``: whether a new program is compiled whole: ``"always"``, ``"never"`` (kernel by
    kernel) or ``"auto"`` (by its size and how often it was met). ``max_pending``: how many
    operations may wait before they are run; 1 means immediate execution. ``max_pending_bytes``:
    how many bytes of inputs may be kept alive by waiting operations. ``replay``: whether recorded
    backward passes are taken over in one step. ``strong_zero``: see :func:`strong_zero`.
    """

    compile: Compile = "auto"
    max_pending: int = 1024
    max_pending_bytes: int = 1 << 28
    replay: bool = True
    strong_zero: bool = False


_DEFAULT = Settings()
_current: ContextVar[Settings] = ContextVar("fad_settings", default=_DEFAULT)


class Config:
    """``fad.config``: read a setting as an attribute, change it for a block by calling.

    >>> import fad
    >>> fad.config.compile
    'auto'
    >>> with fad.config(compile="never"):
    ...     fad.config.compile
    'never'
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(_current.get(), name)
        except AttributeError:
            raise AttributeError(
                f"fad.config has no setting {name!r}; it has {', '.join(Settings._fields)}"
            ) from None

    @contextmanager
    def __call__(self, **changes: Any) -> Iterator[None]:
        """Change settings for this thread until the ``with`` block ends."""
        unknown = set(changes) - set(Settings._fields)
        if unknown:
            raise FadTypeError(
                located(f"fad.config has no setting {unknown.pop()!r}; "
                        f"it has {', '.join(Settings._fields)}")
            )  # fmt: skip
        for name, value in changes.items():
            _check(name, value)
        before = _current.get()
        after = before._replace(**changes)
        # Derivatives differ under strong_zero, how programs run does not: no flush for that.
        restart = after._replace(strong_zero=before.strong_zero) != before
        token = _current.set(after)
        _count_strong(after.strong_zero)
        try:
            if restart:  # which runs what is pending, and that may fail
                _announce()
            yield
        finally:
            _count_strong(-after.strong_zero)
            _current.reset(token)
            if restart:
                _announce()


def _check(name: str, value: Any) -> None:
    default = getattr(_DEFAULT, name)
    if name == "compile":
        if value not in ("auto", "always", "never"):
            raise FadValueError(located("compile must be 'auto', 'always' or 'never'"))
    elif type(value) is not type(default):
        kind = type(default).__name__
        raise FadTypeError(located(f"{name} must be of type {kind}, got {value!r}"))
    elif name == "max_pending" and value < 1:
        raise FadValueError(
            located(f"max_pending must be 1 (immediate execution) or more, got {value}")
        )


on_change: list[Callable[[], object]] = []
"""What to do when the settings of a thread have changed."""


def _announce() -> None:
    for action in on_change:
        action()


def current() -> Settings:
    """All settings as they stand in this thread."""
    return _current.get()


config = Config()


# ------------------------------------------------------------------------------------ strong zero

strong_blocks = 0
"""How many blocks with strong zeros are open, in all threads. While it is 0 nobody needs to ask for
this thread's setting, which takes longer."""

_counting = Lock()


def _count_strong(change: int) -> None:
    global strong_blocks
    with _counting:
        strong_blocks += change


def is_zero_strong() -> bool:
    """Whether the derivatives of what is recorded now in this thread are to have strong zeros."""
    return strong_blocks > 0 and _current.get().strong_zero


@contextmanager
def strong_zero() -> Iterator[None]:
    """Let a tangent or cotangent that is exactly zero stay zero through infinite partials.

    A context manager, ``with fad.strong_zero():``, and a decorator, ``@fad.strong_zero()``. What is
    recorded inside has strong zeros in its derivatives, of any order and under every transform:
    there 0 times infinity and 0 times NaN are 0. So a function that chooses its way around a
    singular point has the derivative of the way it chose; without this it is NaN.

    It belongs to this thread, and to what runs inside: a pullback made inside keeps its strong
    zeros wherever it is called, and a decorated function has them in a transform called outside.

    It is not the default since it also hides: the derivative of ``sqrt(x) ** 2`` at 0, which is 1,
    comes out as 0 instead of NaN. See "Strong zero" in ``docs/conventions.md``.

    >>> import fad
    >>> import numpy as np
    >>> guarded = lambda x: np.where(x > 0, np.sqrt(x), 0.0)
    >>> fad.grad(guarded)(0.0)
    fad.Tensor(nan)
    >>> with fad.strong_zero():
    ...     fad.grad(guarded)(0.0)
    fad.Tensor(0.)
    """
    with config(strong_zero=True):
        yield
