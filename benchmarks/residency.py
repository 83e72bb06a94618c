"""The memory tasks that fresh processes run; see `memory` for what is made of them."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import itertools
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.tasks import bring

_STATUS = Path("/proc/self/status")
_PEAK_RESET = Path("/proc/self/clear_refs")


def _status(field: str) -> int:
    """A field of the process's status, in bytes."""
    for line in _STATUS.read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise KeyError(field)


def resident() -> int:
    """The resident memory now, in bytes."""
    return _status("VmRSS")


def peak() -> int:
    """The largest resident memory since the last reset, in bytes."""
    try:
        return _status("VmHWM")
    except (OSError, KeyError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def reset_peak() -> None:
    """Start the peak anew, where the system can."""
    with contextlib.suppress(OSError):
        _PEAK_RESET.write_text("5")


def _return_free_memory() -> None:
    """Let the C library give back what is free, so that it is not taken for memory in use."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def additions(library: str, elements: int, count: int, warm: int) -> dict[str, float]:
    """Peak memory, beyond the input, of the gradient of repeated additions.

    The same program has run on a few elements before, so that code which exists once, whatever the
    size, is in place. `warm` calls at full size come before the measured one.
    """
    xp, array, gradient = bring(library)
    import numpy as np

    def function(x: Any) -> Any:
        y = x
        for _ in range(count):
            y = y + x
        return y.sum()

    few = gradient(function, array(np.ones(16)))
    for _ in range(10):
        few()
    call = gradient(function, array(np.ones(elements)))
    for _ in range(warm):
        call()
    _return_free_memory()
    reset_peak()
    before = resident()
    result = call()
    largest = peak() - before
    if float(xp.sum(result[0])) != elements * (count + 1):
        raise ValueError("wrong gradient")
    return {"peak": largest}


def _same(xp: Any, x: Any, _: int) -> Any:
    return (xp.sin(x) * x).sum()


def _new_literal(xp: Any, x: Any, index: int) -> Any:
    return (xp.sin(x) * (1.0 + 1e-6 * index)).sum()


def _new_branch(xp: Any, x: Any, index: int) -> Any:
    y = xp.sin(x)
    for bit in range(3):
        y = xp.cos(y) if index >> bit & 1 else xp.exp(-y)
    return y.sum()


LOOPS: dict[str, Callable[[Any, Any, int], Any]] = {
    "the same call": _same,
    "a new literal in each call": _new_literal,
    "eight programs in turn": _new_branch,
}


WARM = 5000  # calls, until bounded caches are full


def many_calls(library: str, loop: str, calls: int, collect: bool) -> dict[str, float]:
    """How much memory and how many Python objects there are more after many calls."""
    xp, array, gradient = bring(library)
    function = LOOPS[loop]
    x = array([0.1 * i for i in range(10)])
    counter = itertools.count()
    call = gradient(lambda given: function(xp, given, next(counter)), x)
    if not collect:
        gc.disable()
    for _ in range(WARM):
        call()
    _return_free_memory()
    memory, objects = resident(), len(gc.get_objects())
    for _ in range(calls):
        call()
    if collect:
        _return_free_memory()
    return {"memory": resident() - memory, "objects": len(gc.get_objects()) - objects}
