"""A plugin of pytest's for the standard's suite: it runs thousands of programs once each."""

from __future__ import annotations

from typing import Any

import fad

_never = fad.config(compile="never")


def pytest_sessionstart(session: Any) -> None:
    """Run kernel by kernel, so that nothing is compiled for one call."""
    _never.__enter__()


def pytest_sessionfinish(session: Any) -> None:
    """The setting of before."""
    _never.__exit__(None, None, None)
