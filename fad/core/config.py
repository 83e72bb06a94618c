"""Settings. Every one is read when a program starts or is run, never on the hot path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, NamedTuple

from fad.core.errors import FadTypeError, FadValueError, located

Compile = Literal["auto", "always", "never"]


class Settings(NamedTuple):
    """One value of every setting.

    ``compile``: whether a new program is compiled whole: ``"always"``, ``"never"`` (kernel by
    kernel) or ``"auto"`` (by its size and how often it was met). ``max_pending``: how many
    operations may wait before they are run; 1 means immediate execution. ``max_pending_bytes``:
    how many bytes of inputs may be kept alive by waiting operations. ``replay``: whether recorded
    backward passes are taken over in one step.
    """

    compile: Compile = "auto"
    max_pending: int = 1024
    max_pending_bytes: int = 1 << 28
    replay: bool = True


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
        if changes.get("compile", "auto") not in ("auto", "always", "never"):
            raise FadValueError(located("compile must be 'auto', 'always' or 'never'"))
        token = _current.set(_current.get()._replace(**changes))
        _announce()
        try:
            yield
        finally:
            _current.reset(token)
            _announce()


on_change: list[Callable[[], object]] = []
"""What to do when the settings of a thread have changed."""


def _announce() -> None:
    for action in on_change:
        action()


def current() -> Settings:
    """All settings as they stand in this thread."""
    return _current.get()


config = Config()
