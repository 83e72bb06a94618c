"""Operators, methods and protocols of tensors, attached to ``Tensor`` in this one place.

They are functions of this namespace, and ``fad/core`` may not import from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, NoReturn

import numpy as np

from fad.core import kernels
from fad.core.apply import apply2
from fad.core.errors import FadTypeError, located
from fad.core.tensor import Tensor
from fad.numpy import (
    choices,
    conversion,
    cumulative,
    diagonals,
    dispatch,
    display,
    dtypes,
    elementwise,
    indexing,
    join,
    logic,
    products,
    reductions,
    shapes,
    sorting,
    statistics,
)
from fad.numpy.at import At
from fad.numpy.creation import asarray
from fad.numpy.dispatch import MissingNameError
from fad.primitives.indexing import getitem

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


_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": elementwise.add,
    "sub": elementwise.subtract,
    "mul": elementwise.multiply,
    "truediv": elementwise.divide,
    "floordiv": elementwise.floor_divide,
    "mod": elementwise.remainder,
    "divmod": elementwise.divmod,
    "pow": elementwise.power,
    "matmul": products.matmul,
    "and": logic.bitwise_and,
    "or": logic.bitwise_or,
    "xor": logic.bitwise_xor,
    "lshift": logic.left_shift,
    "rshift": logic.right_shift,
}
_COMPARISONS = {
    "lt": logic.less,
    "le": logic.less_equal,
    "gt": logic.greater,
    "ge": logic.greater_equal,
    "eq": logic.equal,
    "ne": logic.not_equal,
}

# ------------------------------------------------------------------------------------- container


def _len(x: Tensor) -> int:
    if not x.aval.ndim:
        raise FadTypeError(located("len() of a zero-dimensional tensor"))
    return x.aval.shape[0]


def _iter(x: Tensor) -> Iterator[Any]:
    if not x.aval.ndim:
        raise FadTypeError(located("iteration over a zero-dimensional tensor"))
    return iter(join.unstack(x))


def _contains(x: Tensor, value: Any) -> bool:
    return bool(reductions.any(logic.equal(x, value)))


def _setitem(x: Tensor, index: Any, value: Any) -> NoReturn:
    raise FadTypeError(
        located("tensors are immutable: write x = x.at[i].set(v) instead of x[i] = v")
    )


def _delitem(x: Tensor, index: Any) -> NoReturn:
    raise FadTypeError(located("tensors are immutable: write x = fad.numpy.delete(x, i)"))


def _round(x: Tensor, ndigits: int | None = None) -> Any:
    return elementwise.round(x, ndigits or 0)


_PROTOCOLS: dict[str, Any] = {
    "__neg__": elementwise.negative,
    "__pos__": elementwise.positive,
    "__abs__": elementwise.abs,
    "__invert__": logic.invert,
    "__round__": _round,
    "__len__": _len,
    "__iter__": _iter,
    "__contains__": _contains,
    "__getitem__": getitem,
    "__setitem__": _setitem,
    "__delitem__": _delitem,
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
    "__array_namespace__": dispatch.array_namespace,
    "__array_priority__": 1000.0,
    "__dlpack__": conversion.to_dlpack,
    "__dlpack_device__": conversion.dlpack_device,
    "__reduce__": conversion.reduce,
    "__copy__": conversion.copy,
    "__deepcopy__": conversion.copy,
    # Equality is elementwise, so tensors cannot be keys; nor can NumPy's arrays.
    "__hash__": None,
}
"""What Python, NumPy and other libraries call."""

# --------------------------------------------------------------------------------------- methods


def _one_or_several(values: tuple[Any, ...]) -> Any:
    """``x.reshape(2, 3)`` and ``x.reshape((2, 3))`` are the same."""
    return values[0] if len(values) == 1 else values


def _reshape(x: Tensor, *shape: Any, order: str = "C", copy: bool | None = None) -> Tensor:
    """The same elements under another shape, given as one tuple or as several integers."""
    return shapes.reshape(x, _one_or_several(shape), order=order)


def _transpose(x: Tensor, *axes: Any) -> Tensor:
    """The axes in another order, given as one tuple or as several integers; reversed if none."""
    return shapes.transpose(x, _one_or_several(axes) if axes else None)


def _compress(x: Tensor, condition: Any, axis: int | None = None, out: None = None) -> Tensor:
    """The parts along ``axis`` (flattened if None) for which the condition holds."""
    return indexing.compress(condition, x, axis=axis, out=out)


def _refusal(name: str, instead: str) -> Callable[..., NoReturn]:
    """A method of NumPy's arrays that writes into them."""

    def method(x: Tensor, *args: Any, **kwargs: Any) -> NoReturn:
        raise FadTypeError(located(f"tensors are immutable: write {instead} instead of {name}"))

    method.__name__ = name.partition("(")[0].removeprefix("x.")
    method.__doc__ = f"An error: tensors are immutable. Write {instead}."
    return method


def _in_place(function: Callable[..., Tensor], call: str) -> Callable[..., Tensor]:
    """A method that works in place on NumPy's arrays: it returns the result, which must be used."""

    @wraps(function)
    def method(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        conversion.refuse_statement(call)
        return function(x, *args, **kwargs)

    return method


_METHODS: dict[str, Any] = {
    "all": reductions.all,
    "any": reductions.any,
    "argmax": reductions.argmax,
    "argmin": reductions.argmin,
    "argpartition": sorting.argpartition,
    "argsort": sorting.argsort,
    "astype": dtypes.astype,
    "choose": choices.choose,
    "clip": elementwise.clip,
    "compress": _compress,
    "conj": elementwise.conj,
    "conjugate": elementwise.conj,
    "copy": conversion.copy,
    "cumprod": cumulative.cumprod,
    "cumsum": cumulative.cumsum,
    "diagonal": diagonals.diagonal,
    "dot": products.dot,
    "fill": _refusal("x.fill(v)", "x = fad.numpy.full_like(x, v)"),
    "flatten": shapes.ravel,
    "item": conversion.item,
    "max": reductions.max,
    "mean": statistics.mean,
    "min": reductions.min,
    "nonzero": indexing.nonzero,
    "partition": _in_place(sorting.partition, "partition(k)"),
    "prod": reductions.prod,
    "put": _refusal("x.put(i, v)", "x = x.ravel().at[i].set(v).reshape(x.shape)"),
    "ravel": shapes.ravel,
    "repeat": join.repeat,
    "reshape": _reshape,
    "resize": _refusal("x.resize(shape)", "x = fad.numpy.resize(x, shape)"),
    "round": elementwise.round,
    "searchsorted": sorting.searchsorted,
    "sort": _in_place(sorting.sort, "sort()"),
    "squeeze": shapes.squeeze,
    "std": statistics.std,
    "sum": reductions.sum,
    "swapaxes": shapes.swapaxes,
    "take": indexing.take,
    "to_device": conversion.to_device,
    "tobytes": conversion.tobytes,
    "tolist": conversion.tolist,
    "trace": diagonals.trace,
    "transpose": _transpose,
    "var": statistics.var,
}
"""NumPy's methods. Those that work in place there, such as ``sort``, return the result here."""

_ATTRIBUTES: dict[str, Any] = {
    "T": shapes.transpose,
    "at": At,
    "device": conversion.device,
    "imag": elementwise.imag,
    "mT": shapes.matrix_transpose,
    "real": elementwise.real,
}


class _Lacking:
    """An attribute that tensors of other libraries have: an error that says what to write."""

    def __init__(self, name: str, instead: str) -> None:
        self.message = f"tensors of fad have no .{name}: write {instead}."

    def __get__(self, x: Tensor | None, owner: type) -> NoReturn:
        raise MissingNameError(located(self.message))


_LACKING = {
    "backward": "fad.grad(f)(x), where the function f computes the loss of x",
    "detach": "fad.stop_gradient(x)",
    "grad": "fad.grad(f)(x), where the function f computes the loss of x",
    "numpy": "np.asarray(x)",
}


def attach() -> None:
    """Give ``Tensor`` all of these."""
    for name, function in _BINARY.items():
        for prefix, made in zip(("", "r"), _binary(function), strict=True):
            _attach_operator(f"__{prefix}{name}__", made)
    for name, function in _COMPARISONS.items():
        _attach_operator(f"__{name}__", _binary(function)[0])
    for name, value in (_PROTOCOLS | _METHODS).items():
        setattr(Tensor, name, value)
    for name, getter in _ATTRIBUTES.items():
        setattr(Tensor, name, property(getter))
    for name, instead in _LACKING.items():
        setattr(Tensor, name, _Lacking(name, instead))


def _attach_operator(name: str, function: Any) -> None:
    """Attach an operator under the name it will have in tracebacks."""
    function.__name__ = name
    function.__qualname__ = f"Tensor.{name}"
    setattr(Tensor, name, function)
