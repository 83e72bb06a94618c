"""Tensors: what users hold.

``Tensor`` is the base class; ``Array`` is a concrete tensor, whose buffer may still be pending on a
stream. ``DualTensor``, ``TapeTensor``, ``BatchTensor`` and ``StagedTensor`` belong to a transform's
level. Operators, methods and NumPy's protocols are attached in one place, ``fad/numpy/methods.py``:
they are the functions of ``fad.numpy``, and a layer may not import from one below it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fad.core import dtypes, kernels
from fad.core.aval import SCALARS, Aval, Shape, make_aval
from fad.core.dtypes import DType
from fad.core.errors import FadTypeError, located
from fad.core.level import BASE, Level

if TYPE_CHECKING:
    from fad.core.stream import Segment


class Tensor:
    """An immutable array of numbers, concrete or abstract.

    Every tensor has an ``aval``; everything else about its shape and dtype derives from it.
    """

    __slots__ = ("__weakref__",)

    level: Level
    aval: Aval

    @property
    def shape(self) -> Shape:
        """Length of each axis."""
        return self.aval.shape

    @property
    def dtype(self) -> DType:
        """NumPy dtype of the elements."""
        return self.aval.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.aval.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.aval.size

    @property
    def nbytes(self) -> int:
        """Size of the elements in bytes."""
        return self.aval.nbytes

    @property
    def itemsize(self) -> int:
        """Size of one element in bytes."""
        return self.aval.dtype.itemsize

    def made_by(self) -> str:
        """`` (made by `sin`)`` if known, for messages."""
        return ""

    def concrete(self, purpose: str) -> Array:
        """The concrete tensor beneath, or an error that says what ``purpose`` cannot be done."""
        raise NotImplementedError

    if TYPE_CHECKING:  # attached by fad/numpy/methods.py

        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __floordiv__(self, other: Any) -> Tensor: ...
        def __mod__(self, other: Any) -> Tensor: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __rpow__(self, other: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __rmatmul__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __abs__(self) -> Tensor: ...
        def __lt__(self, other: Any) -> Tensor: ...
        def __le__(self, other: Any) -> Tensor: ...
        def __gt__(self, other: Any) -> Tensor: ...
        def __ge__(self, other: Any) -> Tensor: ...
        def __getitem__(self, index: Any) -> Tensor: ...
        def __len__(self) -> int: ...
        def __iter__(self) -> Any: ...
        def __float__(self) -> float: ...
        def __int__(self) -> int: ...
        def __bool__(self) -> bool: ...
        def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray: ...
        def item(self) -> Any: ...
        def astype(self, dtype: Any) -> Tensor: ...
        def reshape(self, *shape: Any) -> Tensor: ...
        def sum(self, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Tensor: ...

        T: Tensor
        at: Any


class Array(Tensor):
    """A concrete tensor. ``buffer`` holds its numbers, or None while they are pending.

    ``segment`` and ``index`` say where on a stream it was made; they never change, so threads may
    share arrays.
    """

    __slots__ = ("aval", "buffer", "index", "segment")

    level = BASE
    buffer: kernels.Buffer | None
    segment: Segment | None
    index: int

    def __init__(self, aval: Aval, buffer: kernels.Buffer) -> None:
        self.aval = aval
        self.buffer = buffer
        self.segment = None
        self.index = -1

    def realize(self) -> kernels.Buffer:
        """The buffer, after running what it is waiting for."""
        if self.buffer is None:
            assert self.segment is not None
            self.segment.realize(self)
        return self.buffer

    def concrete(self, purpose: str) -> Array:
        return self

    def block_until_ready(self) -> Array:
        """Wait until the value has been computed; returns this tensor."""
        kernels.block(self.realize())
        return self

    @property
    def device(self) -> Any:
        """The device that holds the value."""
        return kernels.device_of(self.realize())


def from_buffer(buffer: kernels.Buffer) -> Array:
    """The tensor of a concrete buffer, which nobody may write to afterwards."""
    return Array(make_aval(tuple(buffer.shape), np.dtype(buffer.dtype)), buffer)


def from_scalar(value: complex) -> Array:
    """A weak zero-dimensional tensor of a Python scalar."""
    aval = SCALARS[type(value)]
    return Array(aval, np.asarray(value, aval.dtype))


def lift(value: Any) -> Tensor:
    """A tensor of anything an operation takes as operand: tensor, scalar or ndarray.

    An ndarray is copied, since it may be changed before a deferred operation reads it.
    """
    if isinstance(value, Tensor):
        return value
    if type(value) in SCALARS:
        return from_scalar(value)
    if type(value) is np.ndarray and value.dtype.isnative:
        aval = make_aval(value.shape, value.dtype)
        dtypes.check_supported(aval.dtype)
        return Array(aval, value.copy())
    if isinstance(value, (np.ndarray, np.generic)):
        dtypes.check_supported(value.dtype)
        return from_buffer(np.array(value, value.dtype.newbyteorder("="), copy=True, order="C"))
    if kernels.is_buffer(value):
        dtypes.check_supported(np.dtype(value.dtype))
        return from_buffer(value)
    if isinstance(value, (bool, int, float, complex)):  # a subclass, such as an IntEnum
        base: Any = next(t for t in (bool, int, float, complex) if isinstance(value, t))
        return from_scalar(base(value))
    raise FadTypeError(
        located(
            f"expected a tensor, an array or a number, got {type(value).__name__}. "
            "Convert it first, for example with fad.asarray(...)."
        )
    )


def aval_of(value: Any) -> Aval:
    """The aval of anything :func:`lift` takes, without copying it."""
    if isinstance(value, Tensor):
        return value.aval
    scalar = SCALARS.get(type(value))
    if scalar is not None:
        return scalar
    if isinstance(value, (np.ndarray, np.generic)) or kernels.is_buffer(value):
        return make_aval(tuple(value.shape), dtypes.check_supported(np.dtype(value.dtype)))
    return lift(value).aval
