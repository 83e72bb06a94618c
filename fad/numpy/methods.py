"""Operators, methods and protocols of tensors, attached to ``Tensor`` in this one place.

They are functions of this namespace, and ``fad/core`` may not import from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np

from fad import numpy as functions
from fad.core import kernels
from fad.core.apply import apply2
from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy import conversion, dispatch, display
from fad.numpy.creation import asarray

# ------------------------------------------------------------------------------------- operators


def _binary(function: Callable[[Any, Any], Any]) -> tuple[Any, Any]:
    """An operator and its reflection. A list becomes a tensor; other types may know better."""
    operation = getattr(function, "operation", None)
    run = _call if operation is None else apply2  # straight to apply2: this is the hot path
    step: Any = function if operation is None else operation

    def direct(x: Tensor, y: Any) -> Any:
        try:
            return run(step, x, y)
        except FadTypeError:
            other = _converted(y)
            if other is y:
                raise
            return other if other is NotImplemented else run(step, x, other)

    def reflected(x: Tensor, y: Any) -> Any:
        try:
            return run(step, y, x)
        except FadTypeError:
            other = _converted(y)
            if other is y:
                raise
            return other if other is NotImplemented else run(step, other, x)

    return direct, reflected


def _call(function: Callable[[Any, Any], Any], x: Any, y: Any) -> Any:
    return function(x, y)


def _converted(y: Any) -> Any:
    """A list as a tensor, what is an operand as it is, and NotImplemented for all else."""
    if isinstance(y, list | tuple):
        return asarray(y)
    known = isinstance(y, Tensor | np.ndarray | np.generic | int | float | complex)
    return y if known or kernels.is_buffer(y) else NotImplemented


def _attach(name: str, function: Any) -> None:
    """Attach a function made for the purpose, under the name it will have in tracebacks."""
    function.__name__ = name
    function.__qualname__ = f"Tensor.{name}"
    setattr(Tensor, name, function)


_BINARY = {
    "add": getattr(functions, "add", None),
    "sub": getattr(functions, "subtract", None),
    "mul": getattr(functions, "multiply", None),
    "truediv": getattr(functions, "divide", None),
    "floordiv": getattr(functions, "floor_divide", None),
    "mod": getattr(functions, "remainder", None),
    "divmod": getattr(functions, "divmod", None),
    "pow": getattr(functions, "power", None),
    "matmul": getattr(functions, "matmul", None),
    "and": getattr(functions, "bitwise_and", None),
    "or": getattr(functions, "bitwise_or", None),
    "xor": getattr(functions, "bitwise_xor", None),
    "lshift": getattr(functions, "left_shift", None),
    "rshift": getattr(functions, "right_shift", None),
}
_COMPARISONS = {
    "lt": getattr(functions, "less", None),
    "le": getattr(functions, "less_equal", None),
    "gt": getattr(functions, "greater", None),
    "ge": getattr(functions, "greater_equal", None),
    "eq": getattr(functions, "equal", None),
    "ne": getattr(functions, "not_equal", None),
}
for _name, _function in _BINARY.items():
    if _function is None:
        continue
    _direct, _reflected = _binary(_function)
    _attach(f"__{_name}__", _direct)
    _attach(f"__r{_name}__", _reflected)
for _name, _function in _COMPARISONS.items():
    if _function is None:
        continue
    _attach(f"__{_name}__", _binary(_function)[0])

_PROTOCOLS = {
    "__neg__": getattr(functions, "negative", None),
    "__pos__": getattr(functions, "positive", None),
    "__abs__": getattr(functions, "abs", None),
    "__invert__": getattr(functions, "invert", None),
    "__bool__": conversion.to_bool,
    "__int__": conversion.to_int,
    "__float__": conversion.to_float,
    "__complex__": conversion.to_complex,
    "__index__": conversion.to_index,
    "__floor__": conversion.floor,
    "__ceil__": conversion.ceil,
    "__trunc__": conversion.trunc,
    "__repr__": display.to_repr,
    "__str__": display.to_str,
    "__format__": display.to_format,
    "__array__": conversion.to_ndarray,
    "__array_ufunc__": dispatch.array_ufunc,
    "__array_function__": dispatch.array_function,
    "__dlpack__": conversion.to_dlpack,
    "__dlpack_device__": conversion.dlpack_device,
    "__reduce__": conversion.reduce,
    "__copy__": conversion.copy,
    "__deepcopy__": conversion.copy,
    # Equality is elementwise, so tensors cannot be keys; nor can NumPy's arrays.
    "__hash__": None,
    "__array_priority__": 1000.0,
}
"""What Python and NumPy call. The scalar conversions stay themselves: they look at their caller."""
for _name, _function in _PROTOCOLS.items():
    if _function is None and _name != "__hash__":
        continue
    setattr(Tensor, _name, _function)


# ------------------------------------------------------------------------------------- container


def _len(x: Tensor) -> int:
    if not x.aval.ndim:
        raise FadTypeError(located("len() of a zero-dimensional tensor"))
    return x.aval.shape[0]


def _iter(x: Tensor) -> Iterator[Tensor]:
    if not x.aval.ndim:
        raise FadTypeError(located("iteration over a zero-dimensional tensor"))
    return iter(functions.unstack(x))


def _contains(x: Tensor, value: Any) -> bool:
    return bool(functions.any(functions.equal(x, value)))


def _setitem(x: Tensor, index: Any, value: Any) -> NoReturn:
    raise FadTypeError(
        located("tensors are immutable: write x = x.at[i].set(v) instead of x[i] = v")
    )


def _delitem(x: Tensor, index: Any) -> NoReturn:
    raise FadTypeError(located("tensors are immutable: write x = fad.numpy.delete(x, i)"))


def _round(x: Tensor, ndigits: int | None = None) -> Tensor:
    return functions.round(x, ndigits or 0)


def _array_namespace(x: Tensor, *, api_version: str | None = None) -> Any:
    """This namespace, as the array API standard asks."""
    return functions


for _name, _function in {
    "__len__": _len,
    "__iter__": _iter,
    "__contains__": _contains,
    "__setitem__": _setitem,
    "__delitem__": _delitem,
    "__round__": _round,
    "__array_namespace__": _array_namespace,
}.items():
    _attach(_name, _function)
if hasattr(functions, "getitem"):
    Tensor.__getitem__ = functions.getitem

# --------------------------------------------------------------------------------------- methods

for _name in """
    all any argmax argmin argpartition argsort astype clip compress conj conjugate cumprod cumsum
    diagonal dot max mean min nonzero partition prod ravel repeat round searchsorted sort squeeze
    std sum swapaxes take trace var
""".split():
    if hasattr(functions, _name):
        setattr(Tensor, _name, getattr(functions, _name))


def _shape_argument(shape: tuple[Any, ...]) -> Any:
    """``x.reshape(2, 3)`` and ``x.reshape((2, 3))`` are the same."""
    return shape[0] if len(shape) == 1 else shape


def _reshape(x: Tensor, *shape: Any, order: str = "C", copy: bool | None = None) -> Tensor:
    """The same elements under another shape, given as one tuple or as several integers."""
    return functions.reshape(x, _shape_argument(shape), order=order)


def _transpose(x: Tensor, *axes: Any) -> Tensor:
    """The axes in another order, given as one tuple or as several integers; reversed if none."""
    return functions.transpose(x, _shape_argument(axes) if axes else None)


def _flatten(x: Tensor, order: str = "C") -> Tensor:
    """All elements along one axis."""
    return functions.ravel(x, order=order)


def _mT(x: Tensor) -> Tensor:
    """The last two axes exchanged."""
    if x.aval.ndim < 2:
        raise FadValueError(located(f"x.mT needs at least two axes, got shape {x.shape}"))
    return functions.swapaxes(x, -1, -2)


for _name, _function in {
    "reshape": _reshape,
    "transpose": _transpose,
    "flatten": _flatten,
    "item": conversion.item,
    "tolist": conversion.tolist,
    "to_device": conversion.to_device,
    "copy": conversion.copy,
}.items():
    setattr(Tensor, _name, _function)

for _name, _function in {
    "T": getattr(functions, "transpose", None),
    "mT": _mT,
    "real": getattr(functions, "real", None),
    "imag": getattr(functions, "imag", None),
    "at": getattr(functions, "At", None),
    "device": conversion.device,
}.items():
    if _function is not None:
        setattr(Tensor, _name, property(_function))
