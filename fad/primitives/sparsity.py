"""Where the Jacobian and the Hessian of a primitive are zero, as the form of its derivative says.

A declaration states the simplest form that is true (see :mod:`fad.primitives.derivative`), and that
form is a statement on sparsity: elementwise operations have diagonal Jacobians, linear ones have no
Hessian, and what a linear function does not ask for, the derivative does not depend on. Here it
is read off, and nowhere else. The generated tests hold every primitive to it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from fad.core.primitive import Primitive
from fad.primitives.derivative import (
    OPERANDS,
    Linear,
    Multilinear,
    PerOperand,
    Variadic,
    needs,
)


class Sparsity(NamedTuple):
    """What is zero in the derivatives of a primitive.

    ``elementwise``: each element of the result depends on one element of each operand, that at its
    place once the operands are broadcast. ``partials[i]`` is None if the derivative in operand i is
    zero; else it has the operands on which that derivative may depend other than by jumps. So the
    block (i, j) of the Hessian is zero where j is not in ``partials[i]``.
    """

    elementwise: bool
    partials: tuple[frozenset[int] | None, ...]

    @property
    def kind(self) -> str:
        """In words, the operands by the names that rules give them: for documents."""
        moving = {i: on for i, on in enumerate(self.partials) if on is not None}
        straight = [i for i, on in moving.items() if i not in on]
        words = ["elementwise"] if self.elementwise else []
        if not moving:
            words.append("no derivative")
        elif not any(moving.values()):
            words.append("linear")
        elif len(straight) == len(moving):
            words.append("multilinear")
        else:
            words += [f"linear in {OPERANDS[i]}" for i in straight[: len(OPERANDS)]]
        return ", ".join(words) or "general"


def sparsity(primitive: Primitive, count: int) -> Sparsity:
    """What is zero in the derivatives of a primitive of ``count`` operands.

    >>> from fad.primitives.declare import declarations
    >>> from fad.primitives.sparsity import sparsity
    >>> sparsity(declarations["mul"].primitive, 2)
    Sparsity(elementwise=True, partials=(frozenset({1}), frozenset({0})))
    >>> sparsity(declarations["mul"].primitive, 2).kind
    'elementwise, multilinear'
    """
    derivative = primitive.derivative
    moving = frozenset(i for i in range(count) if not _is_zero(derivative, i))
    partials = [_dependence(derivative, i, moving) if i in moving else None for i in range(count)]
    return Sparsity(primitive.elementwise is not None, tuple(partials))


def _is_zero(derivative: Any, i: int) -> bool:
    """Whether there is no derivative in operand i."""
    if isinstance(derivative, Variadic):
        return derivative.leading is not None and i >= derivative.leading
    if isinstance(derivative, PerOperand):
        both = (derivative.jvps, derivative.vjps)
        return all(i >= len(rules) or rules[i] is None for rules in both)
    return derivative is None


def _dependence(derivative: Any, i: int, moving: frozenset[int]) -> frozenset[int]:
    """The operands on which the derivative in operand i may depend, of those that move."""
    if isinstance(derivative, (Linear, Variadic)):
        return frozenset()
    if isinstance(derivative, Multilinear):
        return moving - {i}
    if not isinstance(derivative, PerOperand):
        return moving
    names = {name for rules in (derivative.jvps, derivative.vjps) for name in needs(rules[i])[0]}
    if "out" in names:
        return moving
    return moving & {OPERANDS.index(name) for name in names & set(OPERANDS)}
