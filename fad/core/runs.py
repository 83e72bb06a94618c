"""Runs: the call of an outermost transform is a program of its own.

What is pending is flushed before it, and what it recorded is run when it returns: identical calls
are identical programs, whatever surrounded them.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import wraps
from typing import Any

from fad.core import config
from fad.core.stream import flush, local, new_run


def begin_run() -> None:
    """Enter a transform. The call of an outermost one is a program of its own."""
    here = local
    depth = here.depth
    if depth == 0:
        segment = here.segment
        if segment.refs:
            flush()
            if here.segment.start:  # a run that raised was abandoned here
                new_run()
    here.depth = depth + 1


def end_run() -> None:
    """Leave a transform. The outermost runs what it recorded and still holds."""
    here = local
    here.depth = depth = here.depth - 1
    if depth == 0:
        here.tape = None
        flush()
        if here.segment.start:  # it had just flushed
            new_run()


def abandon_run(depth: int) -> None:
    """Leave a transform, entered at ``depth``, that raised, maybe while it was being entered or
    left: what it recorded runs only if somebody reads it."""
    local.depth = depth
    if depth == 0:
        local.tape = None
        local.staging.clear()  # of captures that were interrupted as they ended


def outermost(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a transform's call a program of its own if it is an outermost one."""

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        depth = local.depth
        try:
            begin_run()
            result = function(*args, **kwargs)
            end_run()
        except BaseException:
            abandon_run(depth)
            raise
        return result

    return wrapped


def restart() -> None:
    """Run what is pending, and start at the root: the settings have changed."""
    if local.tape is not None and local.tape.active:
        local.tape.leave()
    flush()
    new_run()


config.on_change.append(restart)


def _apart(phase: str, _: dict[str, int]) -> None:
    """The garbage collector starts or stops, maybe in the midst of a recording: what finalizers
    compute meanwhile goes to a stream of its own, as if another thread computed it."""
    mine = local.__dict__
    if phase == "stop":
        mine.update(mine.pop("interrupted", {}))
    elif "interrupted" not in mine:
        interrupted = mine.copy()
        local.__init__()  # type: ignore[misc]
        mine["interrupted"] = interrupted


gc.callbacks.append(_apart)
