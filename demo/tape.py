"""The tape of a function: what reverse mode recorded, what it keeps alive, where the time goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fad


def tape_summary(function: Callable[..., Any], *args: Any) -> str:
    """Trace `function` once; one line per kind of operation: how many, bytes saved, time."""
    return fad.reverse.trace(function)(*args).summary()
