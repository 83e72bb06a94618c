"""Python scalars as run-time arguments of compiled programs.

A scalar never becomes part of a program, so changing a learning rate never recompiles. A value met
for the first time is passed as it is; one met again gets a device buffer, which is cheaper to pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from struct import Struct
from typing import Any

import numpy as np

from fad.core import kernels
from fad.core.dtypes import DType
from fad.core.errors import FadOverflowError, located
from fad.core.kernels import Buffer

_MAX_CACHED = 4096
_INT64 = np.iinfo(np.int64)

_buffers: dict[type, dict[Any, Buffer]] = {float: {}, int: {}}
_packs: dict[bytes, Buffer] = {}
_met: set[tuple[int, Any]] = set()
_floats = _buffers[float]


def literal_buffer(value: Any) -> Buffer:
    """A zero-dimensional buffer of float64, int64, complex128 or bool with this value."""
    if value.__class__ is float:
        buffer = _floats.get(value)
        if buffer is not None:
            return buffer
    return _new_buffer(value)


def _new_buffer(value: Any) -> Buffer:
    kind = type(value)
    cache = _buffers.get(kind)
    if cache is None or value == 0 or (kind is float and math.isnan(value)):
        # 0.0 and -0.0 are equal, and NaN is not equal to itself: neither can be a key.
        return np.asarray(value)
    buffer = cache.get(value)
    if buffer is not None:
        return buffer
    array = np.asarray(value)
    if array.dtype.kind == "O":
        raise too_large(value, np.dtype(np.int64))
    return _new_in(cache, value, array)


def _new_in(cache: dict[Any, Buffer], key: Any, array: Any) -> Buffer:
    """``array`` itself at its first meeting; then a device buffer, which is kept."""
    meeting = id(cache), key
    if meeting not in _met:
        if len(_met) >= _MAX_CACHED:
            _met.clear()
        _met.add(meeting)
        return array
    if len(cache) >= _MAX_CACHED:
        cache.clear()
    buffer = cache[key] = kernels.put(array)
    return buffer


def packer(count: int) -> Callable[[Sequence[float]], Buffer]:
    """A function that puts as many floats into one buffer, which is cheaper to pass than each."""
    to_bytes = Struct(f"{count}d").pack

    def pack(values: Sequence[float]) -> Buffer:
        data = to_bytes(*values)  # tells 0.0 and -0.0 apart, and knows a NaN again
        buffer = _packs.get(data)
        return _new_in(_packs, data, np.frombuffer(data)) if buffer is None else buffer

    return pack


def too_large(value: int, dtype: DType) -> FadOverflowError:
    """The error for a Python integer that has no value in a dtype."""
    shown = value if value.bit_length() <= 128 else f"of {value.bit_length()} bits"
    what = f"Python integer {shown} out of bounds for {dtype}"
    instead = "; scale it before, or write numpy.inf" if dtype.kind == "f" else ""
    return FadOverflowError(located(what + instead))


def float_of(value: int) -> float:
    """A Python integer as it meets inexact tensors."""
    try:
        return float(value)
    except OverflowError:
        raise too_large(value, np.dtype(np.float64)) from None


def fitting_int(value: int, dtypes: Sequence[DType]) -> Any:
    """A Python integer as it meets tensors of these dtypes; one that overflows is an error."""
    for dtype in dtypes:
        if dtype.kind in "iu":
            info = np.iinfo(dtype)
            if not info.min <= value <= info.max:
                raise too_large(value, dtype)
            if value > _INT64.max:
                return np.uint64(value)
    return value if _INT64.min <= value <= _INT64.max else float_of(value)
