"""Making tensors from what is not one: arrays, numbers, lists, buffers of other libraries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import numpy as np

from fad.core import dtypes, kernels
from fad.core.device import find_device
from fad.core.dtypes import DType
from fad.core.errors import (
    FadError,
    FadOverflowError,
    FadTypeError,
    FadValueError,
    located,
)
from fad.core.tensor import Tensor, check_unmasked, from_buffer, lift
from fad.numpy.dtypes import as_dtype, cast, result_type
from fad.primitives.broadcast import convert
from fad.primitives.join import stack

__all__ = [
    "array", "asanyarray", "asarray", "asarray_chkfinite", "ascontiguousarray", "asfortranarray",
    "from_dlpack", "frombuffer", "fromfunction", "fromiter",
]  # fmt: skip


def asarray(
    a: Any, dtype: Any = None, order: str | None = None, *, device: Any = None,
    copy: bool | None = None, like: Any = None,
) -> Tensor:  # fmt: skip
    """A tensor of an array, a number or a (nested) list of these; a tensor is kept as it is.

    NumPy's dtypes: float64 for floats, int64 for integers. An array is copied to the device at
    once, so later changes to it do not show; ``copy=False`` refuses to, and ``copy=True`` copies a
    tensor, too. In a list, tensors of any transform may stand beside numbers. ``order`` and
    ``like`` change nothing, here and in the other functions that make tensors: a tensor has no
    memory layout, and a tensor is what comes.

    >>> import fad
    >>> fad.asarray([1.0, 2.0])
    fad.Tensor([1., 2.])
    >>> fad.asarray(3, dtype="float32")
    fad.Tensor(3., dtype=float32)
    """
    target = None if dtype is None else as_dtype(dtype)
    if isinstance(a, Tensor):
        made = cast(a, target or a.dtype)  # which makes a weak one strong
        if copy is False and made is not a:
            raise FadValueError(located("asarray: a change of dtype needs a copy"))
        if copy and made is a:
            made = a.copy()
        return made if device is None else made.to_device(device)
    if copy is False:
        raise FadValueError(
            located(
                f"asarray: a tensor cannot share the memory of a {type(a).__name__}, which may "
                "be written to; leave copy=False out, or use from_dlpack(x, copy=False)."
            )
        )
    if isinstance(a, list | tuple) and _holds_tensor(a):
        return _stack(a, target)
    numbers = _numbers(a, target)
    return from_buffer(kernels.put(numbers, None if device is None else find_device(device)))


def operand(x: Any, dtype: DType | None = None) -> Tensor:
    """A tensor of what is no tensor, for an operation to take.

    A copy of an array stays on the host: to pass it to one program takes a third of the time that
    it takes to put it on the device.
    """
    if isinstance(x, list | tuple) and _holds_tensor(x):
        return _stack(x, dtype)
    numbers = _numbers(x, dtype)
    return from_buffer(kernels.put(numbers)) if kernels.is_buffer(numbers) else lift(numbers)


def array(
    object: Any, dtype: Any = None, *, copy: bool | None = True, order: str | None = "K",
    subok: bool = False, ndmin: int = 0, ndmax: int = 0, like: Any = None,
) -> Tensor:  # fmt: skip
    """The same as :func:`asarray`; ``ndmin`` puts axes of length 1 in front.

    ``ndmax``, unless it is 0, is the number of axes that the result may have.
    """
    made = asarray(object, dtype)
    if ndmax and made.ndim > ndmax:
        raise FadValueError(
            located(
                f"array: {made.ndim} axes, more than ndmax={ndmax}; tensors hold numbers, not "
                "lists: leave ndmax out"
            )
        )
    missing = ndmin - made.ndim
    return made.reshape((1,) * missing + made.shape) if missing > 0 else made


asanyarray = asarray


def ascontiguousarray(a: Any, dtype: Any = None, *, like: Any = None) -> Tensor:
    """A tensor of ``a`` with at least one axis; tensors have no memory layout."""
    made = asarray(a, dtype)
    return made if made.ndim else made.reshape(1)


asfortranarray = ascontiguousarray


def asarray_chkfinite(a: Any, dtype: Any = None, order: str | None = None) -> Tensor:
    """A tensor of ``a``, or an error if it holds infinities or NaN, which needs its values."""
    made = asarray(a, dtype)
    value = np.asarray(made.concrete("asarray_chkfinite").realize())
    if made.aval.inexact and not np.isfinite(value).all():
        raise FadValueError(located("array must not contain infs or NaNs"))
    return made


def fromfunction(
    function: Callable[..., Any], shape: Any, *, dtype: Any = float, like: Any = None, **kwargs: Any
) -> Any:
    """``function`` of the coordinates of all elements, one tensor for each axis."""
    return function(*[asarray(i) for i in np.indices(shape, as_dtype(dtype))], **kwargs)


def fromiter(iter: Iterable[Any], dtype: Any, count: int = -1, *, like: Any = None) -> Tensor:
    """A tensor of what an iterable yields, at most ``count`` of it unless that is -1."""
    return asarray(list(iter if count < 0 else islice(iter, count)), dtype)


def frombuffer(
    buffer: Any, dtype: Any = float, count: int = -1, offset: int = 0, *, like: Any = None
) -> Tensor:
    """A tensor of the bytes of an object, which are copied."""
    return asarray(np.frombuffer(buffer, as_dtype(dtype), count, offset))


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor of an array of another library, through DLPack.

    It is copied, since the other library may write to its memory before a deferred operation reads
    it; ``copy=False`` shares the memory, which must not be written to from then on.
    """
    if isinstance(x, Tensor):
        return asarray(x, device=device)
    if not hasattr(x, "__dlpack__"):
        raise FadTypeError(located(f"from_dlpack: {type(x).__name__} has no __dlpack__ method"))
    shared = kernels.from_dlpack(x)
    dtypes.check_supported(np.dtype(shared.dtype))
    if copy is False:
        return from_buffer(shared)
    return from_buffer(kernels.put(shared, None if device is None else find_device(device)))


def _holds_tensor(obj: Any) -> bool:
    """Whether a nested list holds a tensor somewhere."""
    return isinstance(obj, Tensor) or (
        isinstance(obj, list | tuple) and any(_holds_tensor(o) for o in obj)
    )


def _stack(obj: Any, target: DType | None) -> Tensor:
    parts = [asarray(o, target) if isinstance(o, Tensor) else operand(o, target) for o in obj]
    shapes = {p.shape for p in parts}
    if len(shapes) > 1:
        raise FadValueError(
            located(
                "asarray: the elements of a list must have one shape, got "
                + " and ".join(map(str, sorted(shapes)))
            )
        )
    common = target or result_type(*parts)
    return stack([convert(p, common) for p in parts])


def _numbers(obj: Any, target: DType | None) -> Any:
    """An array, or a buffer of JAX's, of a dtype that tensors have."""
    if not (isinstance(obj, np.ndarray | np.generic) or kernels.is_buffer(obj)):
        obj = _from_python(obj, target)
    check_unmasked(obj)
    wanted = target or as_dtype(obj.dtype)
    if np.dtype(obj.dtype) != wanted:
        as_dtype(obj.dtype)
        obj = np.asarray(obj).astype(wanted)
    return obj


def _from_python(obj: Any, target: DType | None) -> np.ndarray:
    """A NumPy array of numbers, lists and objects with an ``__array__`` method."""
    try:
        return np.asarray(obj, target)
    except FadError:
        raise
    except OverflowError as error:
        raise FadOverflowError(located(f"asarray: {error}")) from None
    except ValueError as error:
        raise FadValueError(located(f"asarray: {error}")) from None
    except TypeError as error:
        raise FadTypeError(located(f"asarray: {error}")) from None
