"""What is known by its identity, so that a copy of it would be another."""

from __future__ import annotations

from typing import Self


class Unique:
    """A copy of one is itself, also within what is copied: a pullback, a graph, a linear map."""

    __slots__ = ()

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self
