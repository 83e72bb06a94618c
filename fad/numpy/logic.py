"""NumPy's comparisons, logic, bits, questions and the choice by a condition, element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fad.core import dtypes
from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy import reductions
from fad.numpy.axes import tensor
from fad.numpy.ufunc import binary, unary
from fad.primitives import arithmetic, bitwise, comparison, complexes, floating
from fad.primitives.broadcast import full

__all__ = [
    "allclose", "array_equal", "array_equiv", "bitwise_and", "bitwise_count", "bitwise_invert",
    "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor",
    "equal", "greater", "greater_equal", "invert", "isclose", "iscomplex", "isfinite", "isinf",
    "isnan", "isneginf", "isposinf", "isreal", "left_shift", "less", "less_equal", "logical_and",
    "logical_not", "logical_or", "logical_xor", "not_equal", "right_shift", "signbit", "where",
]  # fmt: skip

# ----------------------------------------------------------------------------------- comparisons

equal = binary("equal", comparison.eq, "x == y.")
not_equal = binary("not_equal", comparison.ne, "x != y.")
less = binary("less", comparison.lt, "x < y; complex numbers in lexicographic order.")
less_equal = binary("less_equal", comparison.le, "x <= y.")
greater = binary("greater", comparison.gt, "x > y.")
greater_equal = binary("greater_equal", comparison.ge, "x >= y.")

logical_and = binary("logical_and", comparison.logical_and, "Whether both are not zero.")
logical_or = binary("logical_or", comparison.logical_or, "Whether one or both are not zero.")
logical_xor = binary("logical_xor", comparison.logical_xor, "Whether exactly one is not zero.")
logical_not = unary("logical_not", comparison.logical_not, "Whether x is zero.")

# ------------------------------------------------------------------------------------------ bits

bitwise_and = binary("bitwise_and", bitwise.bitwise_and, "x & y.")
bitwise_or = binary("bitwise_or", bitwise.bitwise_or, "x | y.")
bitwise_xor = binary("bitwise_xor", bitwise.bitwise_xor, "x ^ y.")
invert = bitwise_invert = bitwise_not = unary("invert", bitwise.invert, "~x.")
left_shift = bitwise_left_shift = binary("left_shift", bitwise.left_shift, "x << n.")
right_shift = bitwise_right_shift = binary("right_shift", bitwise.right_shift, "x >> n.")
bitwise_count = unary("bitwise_count", bitwise.bitwise_count, "How many bits of abs(x) are set.")

# ------------------------------------------------------------------------------------- questions

isnan = unary("isnan", floating.isnan, "Whether x is NaN.")
isinf = unary("isinf", floating.isinf, "Whether x is infinite.")
isfinite = unary("isfinite", floating.isfinite, "Whether x is neither infinite nor NaN.")
signbit = unary("signbit", floating.signbit, "Whether the sign bit is set: -0.0 has it set.")


def _infinite(name: str, sign: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    def function(x: Any) -> Tensor:
        x = tensor(x)
        if x.dtype.kind == "c":
            raise FadTypeError(located(f"{name} is not defined for complex numbers"))
        return comparison.logical_and(floating.isinf(x), sign(x, 0))

    return function


isposinf = unary("isposinf", _infinite("isposinf", comparison.gt), "Whether x is inf.")
isneginf = unary("isneginf", _infinite("isneginf", comparison.lt), "Whether x is -inf.")


def isreal(x: Any) -> Tensor:
    """Whether the imaginary part is 0."""
    return comparison.eq(complexes.imag(tensor(x)), 0)


def iscomplex(x: Any) -> Tensor:
    """Whether the imaginary part is not 0."""
    return comparison.ne(complexes.imag(tensor(x)), 0)


def isclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether ``abs(a - b) <= atol + rtol * abs(b)``, or both are the same infinity."""
    x, y = tensor(a), tensor(b)
    if x.dtype == dtypes.bool_ or not y.aval.inexact:
        y = arithmetic.mul(y, 1.0)
    gap = arithmetic.absolute(arithmetic.sub(x, y))
    bound = arithmetic.add(atol, arithmetic.mul(arithmetic.absolute(y), rtol))
    near = comparison.logical_and(comparison.le(gap, bound), floating.isfinite(y))
    close = comparison.logical_or(near, comparison.eq(x, y))
    if equal_nan:
        both = comparison.logical_and(floating.isnan(x), floating.isnan(y))
        close = comparison.logical_or(close, both)
    return close


def allclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether :func:`isclose` holds everywhere."""
    return reductions.all(isclose(a, b, rtol, atol, equal_nan))


def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Tensor:
    """Whether both have one shape and equal elements."""
    x, y = tensor(a1), tensor(a2)
    if x.shape != y.shape:
        return full((), False, dtypes.bool_)
    same = comparison.eq(x, y)
    if equal_nan:
        both = comparison.logical_and(floating.isnan(x), floating.isnan(y))
        same = comparison.logical_or(same, both)
    return reductions.all(same)


def array_equiv(a1: Any, a2: Any) -> Tensor:
    """Whether both broadcast to one shape and are equal there."""
    x, y = tensor(a1), tensor(a2)
    try:
        np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        return full((), False, dtypes.bool_)
    return reductions.all(comparison.eq(x, y))


# --------------------------------------------------------------------------------------- choices


_TAKEN = (Tensor, float, int)


def where(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    """``x`` where the condition holds, else ``y``; with the condition alone, its ``nonzero``.

    Both are computed everywhere. The one that is not taken gets the cotangent 0, which an infinite
    derivative behind it turns into NaN unless ``fad.strong_zero()`` says otherwise.

    >>> import fad.numpy as np
    >>> np.where([True, False], [1.0, 2.0], 0.0)
    fad.Tensor([1., 0.])
    """
    if isinstance(condition, Tensor) and isinstance(x, _TAKEN) and isinstance(y, _TAKEN):
        return comparison.select(condition, x, y)  # the short way
    if x is None and y is None:
        from fad.numpy import nonzero

        return nonzero(condition)
    if x is None or y is None:
        raise FadValueError(located("where takes either both or neither of x and y"))
    return comparison.select(tensor(condition), listed(x), listed(y))


def listed(x: Any) -> Any:
    """A list as a tensor; what primitives take stays as it is."""
    return tensor(x) if isinstance(x, (list, tuple)) else x
