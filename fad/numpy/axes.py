"""Axes and shapes as NumPy takes them: integers of any kind, negative axes count from the end."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

from fad.core import dtypes
from fad.core.aval import Shape
from fad.core.errors import FadAxisError, FadTypeError, FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy import creation
from fad.primitives.broadcast import convert


def tensor(x: Any) -> Tensor:
    """``x`` itself if it is a tensor, and else a tensor of it."""
    return x if isinstance(x, Tensor) else creation.operand(x)


def inexact(x: Any) -> Tensor:
    """A tensor of floats or complex numbers: integers and booleans become float64."""
    x = tensor(x)
    return x if x.aval.inexact else convert(x, dtypes.float64)


def one_axis(name: str, axis: Any, ndim: int) -> int:
    """``axis`` counted from the front."""
    axis = index(axis)
    if not -ndim <= axis < ndim:
        raise FadAxisError(
            located(f"{name}: axis {axis} is out of bounds for a tensor of dimension {ndim}")
        )
    return axis % ndim


def several_axes(name: str, axes: Any, ndim: int) -> tuple[int, ...]:
    """An axis, a sequence of axes, or None for all of them, counted from the front."""
    if axes is None:
        return tuple(range(ndim))
    found = [one_axis(name, axis, ndim) for axis in (axes if is_sequence(axes) else (axes,))]
    if len(set(found)) != len(found):
        raise FadValueError(located(f"{name}: repeated axis in {tuple(axes)}"))
    return tuple(found)


def is_sequence(value: Any) -> bool:
    """Whether ``value`` holds several numbers rather than being one."""
    return hasattr(value, "__len__") and getattr(value, "ndim", 1) > 0


def as_shape(shape: Any) -> Shape:
    """A shape of one length or a sequence of lengths, which are integers of any kind."""
    try:
        return tuple([index(n) for n in shape]) if is_sequence(shape) else (index(shape),)
    except FadTypeError:  # of a tensor's __index__
        raise
    except TypeError as error:
        raise FadTypeError(located(f"a shape is made of integers: {error}")) from None


def integers(name: str, values: Any, count: int) -> list[int]:
    """``count`` integers, given one by one or as one that serves for all."""
    if not is_sequence(values):
        return [index(values)] * count
    listed = [index(v) for v in values]
    if len(listed) != count:
        raise FadValueError(located(f"{name}: expected {count} integers, got {len(listed)}"))
    return listed


def tensors(xs: Sequence[Any]) -> list[Tensor]:
    """A tensor of each."""
    return [tensor(x) for x in xs]
