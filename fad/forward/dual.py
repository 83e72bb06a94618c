"""Forward mode: dual tensors, propagated operation by operation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fad.core.apply import apply
from fad.core.errors import FadRuntimeError, FadTypeError, FadValueError, located
from fad.core.leaves import kind_of
from fad.core.level import Level
from fad.core.primitive import Operation
from fad.core.tensor import Array, Tensor, lift


class DualTensor(Tensor):
    """A primal and its tangent, which has the same shape and dtype."""

    __slots__ = ("aval", "level", "primal", "tangent")

    level: DualLevel
    primal: Any
    tangent: Any

    def __init__(self, level: DualLevel, primal: Any, tangent: Any) -> None:
        self.level = level
        self.aval = primal.aval
        self.primal = primal
        self.tangent = tangent

    def concrete(self, purpose: str) -> Array:
        self.level.check_active(self)
        value: Tensor = self.primal
        return value.concrete(purpose)


class DualLevel(Level):
    """One forward-mode transform."""

    __slots__ = ("transform",)

    def __init__(self, function: Callable[..., Any] | None = None, transform: str = "jvp") -> None:
        super().__init__(function)
        self.transform = transform

    def process(self, operation: Operation, operands: tuple[Any, ...]) -> Any:
        """Apply ``operation`` to the primals, and its derivative to the tangents."""
        primals = []
        tangents = []
        for x in operands:
            if x.__class__ is DualTensor and x.level is self:
                if not self.active:
                    self.check_active(x)
                primals.append(x.primal)
                tangents.append(x.tangent)
            else:
                primals.append(x)
                tangents.append(None)
        if operation.derivative is None:
            return apply(operation, *primals)
        out, tangent = operation.derivative.forward(operation, tuple(primals), tuple(tangents))
        if operation.multiple:
            if tangent is None:
                return out
            return tuple([self.dual(o, t) for o, t in zip(out, tangent, strict=True)])
        return self.dual(out, tangent)

    def dual(self, primal: Any, tangent: Any) -> Any:
        """The dual tensor, or the primal itself where the tangent is zero or has no meaning."""
        if tangent is None or not primal.aval.inexact:
            return primal
        return DualTensor(self, primal, tangent)

    def lower(self, x: Any) -> Any:
        """The primal of a dual tensor of this level; anything else as it is."""
        return x.primal if x.__class__ is DualTensor and x.level is self else x


@contextmanager
def dual_level() -> Iterator[DualLevel]:
    """A forward-mode level to make dual tensors at; they must not outlive it. Levels nest.

    >>> import fad
    >>> from fad.forward import dual_level, make_dual, unpack_dual
    >>> with dual_level() as level:
    ...     x = make_dual(level, fad.asarray(3.0), fad.asarray(1.0))
    ...     value, tangent = unpack_dual(level, x * x)
    >>> float(value), float(tangent)
    (9.0, 6.0)
    """
    level = DualLevel(transform="dual_level")
    try:
        yield level
    finally:
        level.active = False


def make_dual(level: DualLevel, primal: Any, tangent: Any) -> DualTensor:
    """A dual tensor at ``level``; primal and tangent must agree in shape and dtype.

    Both may be tensors of levels that began before this one.
    """
    _check_level("make_dual", level)
    if not level.active:
        raise FadRuntimeError(
            located(
                f"make_dual: the level of {level.describe()} has ended. Make dual tensors within "
                f"its with block, or begin a level: {_BEGIN}"
            )
        )
    primal, tangent = lift(primal), lift(tangent)
    _check_beneath(level, "primal", primal)
    _check_beneath(level, "tangent", tangent)
    if not primal.aval.inexact:
        raise FadTypeError(
            located(f"a dual tensor needs a floating-point or complex primal, got {primal.dtype}")
        )
    if primal.shape != tangent.shape or primal.dtype != tangent.dtype:
        raise FadTypeError(
            located(
                f"the tangent must match the primal: the primal is {primal.aval}, "
                f"the tangent {tangent.aval}"
            )
        )
    return DualTensor(level, primal, tangent)


_BEGIN = "with fad.forward.dual_level() as level: ..."


def _check_level(function: str, level: Any) -> None:
    if not isinstance(level, DualLevel):
        raise FadTypeError(
            located(f"{function} takes a level first, got {kind_of(level)}. Write {_BEGIN}")
        )


def _check_beneath(level: DualLevel, kind: str, x: Tensor) -> None:
    """Raise unless ``x`` lies beneath ``level``: operations go to the highest level, and would
    never come to a dual tensor whose primal is of that level or a higher one."""
    x.level.check_active(x)
    if x.level.number >= level.number:
        if x.level is level:
            why = f"is of that level itself, {level.describe()}: its tangents would be mixed up"
        else:
            why = (
                f"is of {x.level.describe()}, which began after {level.describe()}: what it "
                "depends on there would be lost"
            )
        raise FadValueError(
            located(
                f"make_dual: the {kind} {x.aval} {why}. Make the dual tensor at a level that "
                f"begins now: {_BEGIN}"
            )
        )


def unpack_dual(level: DualLevel, x: Any) -> tuple[Any, Any]:
    """Primal and tangent of ``x`` at ``level``; the tangent is None if ``x`` has none there.

    Where levels nest, unpack at the inner one first: its primal and its tangent can each have a
    tangent at the outer one.
    """
    _check_level("unpack_dual", level)
    if isinstance(x, DualTensor) and x.level is level:
        return x.primal, x.tangent
    if not isinstance(x, Tensor):
        return x, None
    x.level.check_active(x)
    if x.level.number > level.number:
        raise FadValueError(
            located(
                f"unpack_dual: the tensor {x.aval} is of {x.level.describe()}, which began after "
                f"{level.describe()}: its tangent there, if it has one, lies beneath. Unpack what "
                "that transform returns or, of an inner dual_level, what fad.forward.unpack_dual "
                "gives there."
            )
        )
    return x, None
