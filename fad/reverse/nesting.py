"""Executions within executions: a rule that starts a backward pass whose rules start another.

Python limits how deep calls nest in one thread. So after some nested executions the next goes on in
a thread of its own, with an empty stack, while this one waits for it and lends it its stream.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

from fad.core.stream import local

DEEPEST = 16
"""So many nested executions run on one stack."""


class _Nesting(threading.local):
    depth = 0


_nesting = _Nesting()


def nested(execution: Callable[[], Any]) -> Any:
    """The result of ``execution()``, which may call this function again."""
    if _nesting.depth >= DEEPEST:
        return _on_a_stack_of_its_own(execution)
    _nesting.depth += 1
    try:
        return execution()
    finally:
        _nesting.depth -= 1


def _on_a_stack_of_its_own(execution: Callable[[], Any]) -> Any:
    mine = local.__dict__
    results: list[Any] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def work() -> None:
        local.__dict__.update(mine)
        try:
            results.append(nested(execution))
        except BaseException as error:
            errors.append(error)
        mine.update(local.__dict__)
        done.set()

    thread = threading.Thread(target=copy_context().run, args=(work,), daemon=True)
    thread.start()
    while not done.is_set():
        try:
            done.wait()
        except BaseException as error:  # such as Ctrl-C: the stream comes back first
            errors.append(error)
    if errors:
        raise errors.pop()
    return results.pop()
