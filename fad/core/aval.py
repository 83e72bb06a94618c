"""Abstract values: what is known of a tensor without its numbers."""

from __future__ import annotations

import math
from weakref import WeakValueDictionary

import numpy as np

from fad.core import dtypes
from fad.core.dtypes import DType

Shape = tuple[int, ...]

_SHORT = {"b": "bool", "i": "i", "u": "u", "f": "f", "c": "c"}


class Aval:
    """Shape, dtype and weak type of a tensor.

    Avals are interned: two live avals are equal if and only if they are the same object, so that
    the hot path compares them with ``is``. Make them with :func:`make_aval`.
    """

    __slots__ = ("__weakref__", "dropped", "dtype", "inexact", "ndim", "shape", "size", "weak")

    shape: Shape
    dtype: DType
    weak: bool
    ndim: int
    size: int
    inexact: bool
    dropped: Aval | None  # the aval without its leading axis, once asked for

    def __repr__(self) -> str:
        dims = "" if not self.shape else "[" + ",".join(map(str, self.shape)) + "]"
        return self.short_dtype + dims + ("~" if self.weak else "")

    def __reduce__(self) -> tuple[object, ...]:
        return make_aval, (self.shape, self.dtype, self.weak)

    @property
    def short_dtype(self) -> str:
        """The dtype as printed graphs show it: ``f64``, ``i32``, ``bf16``, ``bool``."""
        if self.dtype == dtypes.bfloat16:
            return "bf16"
        if self.dtype == dtypes.float0:
            return "float0"
        letter = _SHORT[self.dtype.kind]
        return letter if letter == "bool" else f"{letter}{8 * self.dtype.itemsize}"

    @property
    def nbytes(self) -> int:
        """Size in bytes of a buffer that holds such a value."""
        return self.size * self.dtype.itemsize

    def without_leading_axis(self) -> Aval:
        """The aval of one example of a batch of this aval."""
        if self.dropped is None:
            self.dropped = make_aval(self.shape[1:], self.dtype, self.weak)
        return self.dropped

    def with_leading_axis(self, size: int) -> Aval:
        """The aval of ``size`` stacked values of this aval."""
        return make_aval((size, *self.shape), self.dtype, self.weak)


_interned: WeakValueDictionary[tuple[Shape, DType, bool], Aval] = WeakValueDictionary()


def make_aval(shape: Shape, dtype: DType, weak: bool = False) -> Aval:
    """The one aval with this shape, dtype and weak type."""
    key = (shape, dtype, weak)
    aval = _interned.get(key)
    if aval is None:
        aval = Aval()
        aval.shape = shape
        aval.dtype = np.dtype(dtype)
        aval.weak = weak
        aval.ndim = len(shape)
        aval.size = math.prod(shape)
        aval.inexact = dtypes.is_inexact(aval.dtype)
        aval.dropped = None
        aval = _interned.setdefault(key, aval)
    return aval


SCALARS: dict[type, Aval] = {
    bool: make_aval((), dtypes.bool_, True),
    int: make_aval((), dtypes.int64, True),
    float: make_aval((), dtypes.float64, True),
    complex: make_aval((), dtypes.complex128, True),
}
"""The avals of Python scalars, by their type."""
