"""Apply an operation: find the level that handles it.

The highest level among the operands interprets the operation; if all are concrete it is recorded on
the stream. ``apply1`` and ``apply2`` are the short ways for one and two operands.
"""

from __future__ import annotations

from typing import Any

from fad.core.aval import SCALARS
from fad.core.level import BASE, Level
from fad.core.primitive import Operation
from fad.core.stream import local, record, record1, record2
from fad.core.tensor import Array, Tensor, lift


def apply1(operation: Operation, x: Any) -> Any:
    """Apply an operation with one operand and one result."""
    if x.__class__ is Array:
        return record1(operation, x)
    if isinstance(x, Tensor):
        return x.level.process1(operation, x)
    return apply(operation, x)


def apply2(operation: Operation, x: Any, y: Any) -> Any:
    """Apply an operation with two operands and one result."""
    kind = x.__class__
    other = y.__class__
    if kind is Array or kind is float:
        if other is Array or (other is float and kind is Array):
            return record2(operation, x, y)
        if isinstance(y, Tensor):
            return y.level.process2(operation, x, y, 2)
    elif isinstance(x, Tensor):
        if other is Array or other is float:
            return x.level.process2(operation, x, y, 1)
        if other is kind and x.level is y.level:
            return x.level.process2(operation, x, y, 3)
    # A Python integer means the same as a float where it meets inexact numbers.
    if other is int and _is_inexact_elementwise(operation, x):
        return apply2(operation, x, float(y))
    if kind is int and _is_inexact_elementwise(operation, y):
        return apply2(operation, float(x), y)
    return apply(operation, x, y)


def _is_inexact_elementwise(operation: Operation, x: Any) -> bool:
    return isinstance(x, Tensor) and x.aval.inexact and operation.primitive.elementwise is not None


def apply(operation: Operation, *operands: Any) -> Any:
    """Apply any operation to tensors, Python scalars and arrays."""
    top: Level = BASE
    for x in operands:
        kind = x.__class__
        if kind is Array or kind in SCALARS:
            continue
        if not isinstance(x, Tensor):
            return apply(operation, *[x if type(x) in SCALARS else lift(x) for x in operands])
        level = x.level
        if level.number > top.number:
            top = level
    if top is BASE:
        if not operands and local.staging:  # a constant belongs to the graph being captured
            return local.staging[-1].process(operation, operands)
        return record(operation, operands)
    return top.process(operation, operands)
