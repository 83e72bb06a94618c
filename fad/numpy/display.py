"""How tensors print: the text of NumPy's arrays, and what is known where there are no numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from fad.core.errors import FadError, FadTypeError, located
from fad.core.tensor import Array, Tensor
from fad.numpy.axes import tensor
from fad.numpy.conversion import host

__all__ = ["array2string", "array_repr", "array_str"]

_DEFAULT_DTYPES = ("bool", "int64", "float64", "complex128")


def to_repr(x: Tensor) -> str:
    """``fad.Tensor([1., 2.])``, or aval and transform within one; never raises."""
    try:
        if x.__class__ is Array:
            return _array_repr(host(x, "repr()"))
        state = x.level.describe().partition(" called at ")[0]
        return f"fad.Tensor({x.aval}, {'of' if x.level.active else 'escaped from'} {state})"
    except Exception as error:
        reason = str(error).partition("\n")[0]
        return f"fad.Tensor({x.aval}, whose computation failed: {reason})"


def _array_repr(value: np.ndarray) -> str:
    prefix = "fad.Tensor("
    dtype = value.dtype.name
    suffix = "" if dtype in _DEFAULT_DTYPES else f", dtype={dtype}"
    if value.size == 0:
        return f"{prefix}[], shape={value.shape}{suffix})"
    text = np.array2string(value, separator=", ", prefix=prefix, suffix=suffix + ")")
    if value.size > np.get_printoptions()["threshold"]:
        suffix = f", shape={value.shape}{suffix}"
    return f"{prefix}{text}{suffix})"


def to_str(x: Tensor) -> str:
    """The numbers alone, as ``print`` shows them; as :func:`to_repr` where there are none."""
    try:
        return str(host(x, "str()"))
    except FadError:
        return to_repr(x)


def to_format(x: Tensor, spec: str) -> str:
    """``f"{x:.3f}"`` of a zero-dimensional tensor."""
    if not spec:
        return to_str(x)
    if x.aval.ndim:
        raise FadTypeError(
            located(
                f"unsupported format string for a tensor of shape {x.shape}: a format such as "
                f"{spec!r} takes one number. Format its elements, or print it without a format."
            )
        )
    return format(_number(x), spec)


def _number(x: Tensor) -> Any:
    return host(x, "format()").item()


def array2string(a: Any, *args: Any, **kwargs: Any) -> str:
    """The numbers as text; the options are NumPy's."""
    return np.array2string(host(tensor(a), "array2string"), *args, **kwargs)


def array_str(a: Any, *args: Any, **kwargs: Any) -> str:
    """The numbers as ``str`` shows them; the options are NumPy's."""
    return np.array_str(host(tensor(a), "array_str"), *args, **kwargs)


def array_repr(
    arr: Any,
    max_line_width: int | None = None,
    precision: int | None = None,
    suppress_small: bool | None = None,
) -> str:
    """The same as ``repr``; the options are NumPy's."""
    options = {"linewidth": max_line_width, "precision": precision, "suppress": suppress_small}
    given: Any = {name: value for name, value in options.items() if value is not None}
    with np.printoptions(**given):
        return to_repr(tensor(arr))
