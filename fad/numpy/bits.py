"""Bits packed into bytes."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from fad.core import dtypes
from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy.axes import one_axis, tensor
from fad.numpy.shapes import ravel
from fad.primitives.arithmetic import mul
from fad.primitives.bitwise import bitwise_and, right_shift
from fad.primitives.broadcast import convert
from fad.primitives.comparison import ne
from fad.primitives.reductions import reduce_sum
from fad.primitives.shape import moveaxis, pad, reshape, slice_axis

__all__ = ["packbits", "unpackbits"]

_BYTE = np.dtype(np.uint8)


def _places(name: str, bitorder: str) -> np.ndarray:
    """The place of each bit of a byte, in order."""
    if bitorder not in ("big", "little"):
        raise FadValueError(
            located(f"{name}: bitorder must be 'little' or 'big', got {bitorder!r}")
        )
    places = np.arange(8, dtype=_BYTE)
    return places if bitorder == "little" else places[::-1]


def _last(name: str, a: Any, axis: int | None) -> tuple[Tensor, int]:
    """The operand with its axis last, flattened if that is None, and the axis."""
    x = tensor(a)
    if axis is None:
        return ravel(x), 0
    along = one_axis(name, axis, x.ndim)
    return moveaxis(x, along, x.ndim - 1), along


def packbits(a: Any, /, axis: int | None = None, bitorder: str = "big") -> Tensor:
    """Eight elements along ``axis`` in each byte: bits that are set where they are not 0.

    >>> import fad.numpy as fnp
    >>> fnp.packbits([1, 0, 1, 0, 0, 0, 0, 0, 1])
    fad.Tensor([160, 128], dtype=uint8)
    """
    x, along = _last("packbits", a, axis)
    if dtypes.kind(x.dtype) not in "biu":
        raise FadTypeError(located(f"packbits: integers or booleans are expected, got {x.dtype}"))
    weights = np.left_shift(_BYTE.type(1), _places("packbits", bitorder))
    count = -(-x.shape[-1] // 8)
    lead = x.shape[:-1]
    bits = convert(ne(x, 0), _BYTE)
    bits = pad(bits, [0] * bits.ndim, [0] * len(lead) + [8 * count - x.shape[-1]])
    rows = mul(reshape(bits, (*lead, count, 8)), weights)
    packed = convert(reduce_sum(rows, (len(lead) + 1,)), _BYTE)
    return moveaxis(packed, packed.ndim - 1, along)


def unpackbits(
    a: Any, /, axis: int | None = None, count: int | None = None, bitorder: str = "big"
) -> Tensor:
    """The bits of each byte along ``axis``: ``count`` of them, or all but the last ``-count``.

    >>> import fad.numpy as fnp
    >>> fnp.unpackbits(fnp.asarray([160, 128], dtype="uint8"), count=9)
    fad.Tensor([1, 0, 1, 0, 0, 0, 0, 0, 1], dtype=uint8)
    """
    x, along = _last("unpackbits", a, axis)
    if x.dtype != _BYTE:
        raise FadTypeError(located(f"unpackbits: uint8 is expected, got {x.dtype}"))
    bits = right_shift(reshape(x, (*x.shape, 1)), _places("unpackbits", bitorder))
    n = 8 * x.shape[-1]
    bits = reshape(bitwise_and(bits, _BYTE.type(1)), (*x.shape[:-1], n))
    if count is not None:
        wanted = index(count) if index(count) >= 0 else n + index(count)
        if wanted < 0:
            raise FadValueError(located(f"unpackbits: count={count} for {n} bits"))
        last = bits.ndim - 1
        bits = pad(bits, [0] * bits.ndim, [0] * last + [max(wanted - n, 0)])
        bits = slice_axis(bits, 0, wanted, axis=last)
    return moveaxis(bits, bits.ndim - 1, along)
