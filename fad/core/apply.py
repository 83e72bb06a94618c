"""Apply an operation: find the level that handles it.

The highest level among the operands interprets the operation; if all are concrete it is recorded on
the stream. ``apply1`` and ``apply2`` are the short ways for one and two operands.
"""

from __future__ import annotations

from typing import Any

from numpy import float64

from fad.core import dtypes
from fad.core.aval import SCALARS
from fad.core.level import BASE, Level
from fad.core.literals import float_of
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
    simpler_x, simpler_y = _simpler(operation, x, y), _simpler(operation, y, x)
    if simpler_x is not x or simpler_y is not y:
        return apply2(operation, simpler_x, simpler_y)
    return apply(operation, x, y)


def _simpler(operation: Operation, x: Any, other: Any) -> Any:
    """What means the same as ``x`` beside ``other``, and has a short way: a float or a tensor."""
    kind = x.__class__
    if isinstance(x, Tensor) or (kind in SCALARS and kind is not int):
        return x
    if isinstance(other, Tensor) and operation.primitive.elementwise is not None:
        aval = other.aval
        if kind is int:  # which takes the dtype of inexact numbers
            return float_of(x) if aval.inexact else x
        if kind is float64 and aval.dtype in _DOUBLES and not aval.weak:
            return float(x)
    return x if kind is int else lift(x)


_DOUBLES = (dtypes.float64, dtypes.complex128)


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
