"""The array API standard's own test suite, run on fad.numpy; what it has to except, and why.

The suite is a project of its own and no part of this one: ``make array-api ARRAY_API_TESTS=PATH``
runs it from a clone. ``exceptions.txt`` lists the tests that are expected to fail.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

EXCEPTIONS = Path(__file__).with_name("exceptions.txt")


SOMETIMES = "Sometimes: "
"""How a reason begins that holds for some of the examples only, which may not be drawn."""


class Group(NamedTuple):
    """Tests that are excepted for one reason."""

    reason: str
    tests: list[str]

    @property
    def always(self) -> bool:
        """Whether they fail for every example, so that one that passes is out of date."""
        return not self.reason.startswith(SOMETIMES)


def groups(text: str) -> list[Group]:
    """The exceptions in a file: comments, which give the reason for the tests below them."""
    found: list[Group] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        if not line.startswith("#"):
            if not found:
                raise ValueError(f"an exception without a reason: {line}")
            found[-1].tests.append(line)
        elif found and not found[-1].tests:
            found[-1] = Group(f"{found[-1].reason} {line.lstrip('# ')}", [])
        else:
            found.append(Group(line.lstrip("# "), []))
    return found


def excepted() -> list[Group]:
    """The exceptions of this project."""
    return groups(EXCEPTIONS.read_text("utf-8"))
