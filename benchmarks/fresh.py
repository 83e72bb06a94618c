"""Measurements that need a fresh process: a child runs one task and prints its result as JSON.

This module is the child's main module too, so it imports next to nothing: what the measured library
imports must be counted as the library's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

TIMEOUT = 180.0


class ChildError(RuntimeError):
    """The child failed; the message is the last line it wrote."""


def measure(module: str, task: str, *arguments: object) -> dict[str, float]:
    """What `benchmarks.<module>.<task>(*arguments)` returns in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.fresh", module, task, json.dumps(arguments)]
    # An installed package has its bytecode; a checkout shall have it too.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    try:
        child = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT, env=environment
        )
    except subprocess.TimeoutExpired:
        raise ChildError(f"no result within {TIMEOUT:.0f} s") from None
    if child.returncode:
        lines = child.stderr.strip().splitlines() or [f"exit status {child.returncode}"]
        raise ChildError(lines[-1])
    result: dict[str, float] = json.loads(child.stdout.strip().splitlines()[-1])
    return result


def _main() -> None:
    module, task, arguments = sys.argv[1:]
    function: Any = getattr(__import__(f"benchmarks.{module}", fromlist=[task]), task)
    print(json.dumps(function(*json.loads(arguments))))


if __name__ == "__main__":
    _main()
