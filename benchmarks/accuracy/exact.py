"""Exact functions, with their derivatives in closed form: what the tables are made of.

Formulas are for mpmath, at a precision that makes up for what cancels in them. They are written
down apart from those of the library; the tests check them against numerical differentiation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mpmath import mp

from benchmarks.accuracy.grid import Domain, Plane

Function = Callable[..., Any]
Path = tuple[int, ...]
"""The operands in which a derivative is taken, in order; () is the value."""


@dataclass(frozen=True)
class Exact:
    """A function of real numbers (and of complex ones if there is a ``plane``).

    ``derivatives[path]`` is a function of the operands; those missing are zero everywhere.
    ``bits`` is the working precision. ``params`` are those of the primitive.
    """

    derivatives: dict[Path, Function]
    domains: tuple[Domain, ...]
    plane: Plane | None = None
    bits: int = 220
    params: dict[str, Any] = field(default_factory=dict)
    integers: tuple[int, ...] = ()  # operands that are integers, with no derivative
    without: frozenset[Path] = frozenset()  # derivatives that the library refuses, or does not have

    @property
    def paths(self) -> list[Path]:
        """Value, first and second derivatives, in all orders."""
        moving = [i for i in range(len(self.domains)) if i not in self.integers]
        every = [(), *[(i,) for i in moving], *[(i, j) for i in moving for j in moving]]
        return [path for path in every if path not in self.without]

    def derivative(self, path: Path) -> Function:
        """The derivative along ``path``, in whichever order it is written down."""
        found = self.derivatives.get(path) or self.derivatives.get(tuple(sorted(path)))
        return found or (lambda *operands: mp.mpf(0))


def one(
    value: Function,
    first: Function | None = None,
    second: Function | None = None,
    domain: Domain = Domain(),  # noqa: B008 (frozen)
    **options: Any,
) -> Exact:
    """A function of one operand."""
    named = {(): value, (0,): first, (0, 0): second}
    return Exact({path: f for path, f in named.items() if f}, (domain,), **options)


def two(
    value: Function,
    first: tuple[Function | None, Function | None],
    second: tuple[Function | None, Function | None, Function | None],
    domains: tuple[Domain, Domain] = (Domain(), Domain()),
    **options: Any,
) -> Exact:
    """A function of two operands; ``second`` in x twice, in x and y, in y twice."""
    named = {(): value, (0,): first[0], (1,): first[1]}
    named |= {(0, 0): second[0], (0, 1): second[1], (1, 1): second[2]}
    return Exact({path: f for path, f in named.items() if f}, domains, **options)


# Operations whose result is one of their operands, perhaps with another sign or in other company.
COPIES = frozenset(
    "complex conj copysign drop_where gate imag keep_where neg real select"
    " maximum minimum raise_to lower_to sign complex_sign heaviside nextafter spacing".split()
)

# Its values are the derivatives of gammainc in a, and measured as such.
APART = frozenset({"gammainc_in_a"})
