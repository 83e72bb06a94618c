"""What NumPy's ufuncs take besides their operands, for the functions that stand for them.

Without options such a function is the primitive's own, but for one ``try``: a list becomes a
tensor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fad.core import dtypes
from fad.core.apply import apply1, apply2
from fad.core.errors import FadTypeError, located
from fad.core.tensor import aval_of
from fad.numpy.axes import tensor
from fad.numpy.creation import asarray
from fad.numpy.dtypes import as_dtype
from fad.primitives.broadcast import convert

Function = Callable[..., Any]

_IGNORED = frozenset(["casting", "order", "subok"])


def unary(name: str, function: Function, summary: str) -> Function:
    """NumPy's ufunc ``name`` of one operand, by a primitive's function."""
    operation = getattr(function, "operation", None)
    run: Any = _call1 if operation is None else apply1
    step = function if operation is None else operation

    def ufunc(x: Any, /, out: Any = None, **options: Any) -> Any:
        if options or out is not None:
            return with_options(name, function, (x,), out, options)
        try:
            return run(step, x)
        except FadTypeError:
            if not isinstance(x, (list, tuple)):
                raise
        return run(step, asarray(x))

    return _finished(ufunc, name, operation, f"{summary}\n\n{_OPTIONS}")


def binary(name: str, function: Function, summary: str) -> Function:
    """NumPy's ufunc ``name`` of two operands, by a primitive's function."""
    operation = getattr(function, "operation", None)
    run: Any = _call2 if operation is None else apply2
    step = function if operation is None else operation

    def ufunc(x: Any, y: Any, /, out: Any = None, **options: Any) -> Any:
        if options or out is not None:
            return with_options(name, function, (x, y), out, options)
        try:
            return run(step, x, y)
        except FadTypeError:
            if not isinstance(x, (list, tuple)) and not isinstance(y, (list, tuple)):
                raise
        return run(step, _listed(x), _listed(y))

    return _finished(ufunc, name, operation, f"{summary}\n\n{_OPTIONS}")


_OPTIONS = (
    "As NumPy's ufunc, without ``out`` and ``where``: tensors are immutable. ``dtype`` is that\n"
    "to compute in."
)


def _finished(ufunc: Any, name: str, operation: Any, doc: str) -> Function:
    ufunc.__name__ = ufunc.__qualname__ = name
    ufunc.__doc__ = doc
    if operation is not None:
        ufunc.operation = operation
    return ufunc


def _call1(function: Function, x: Any) -> Any:
    return function(x)


def _call2(function: Function, x: Any, y: Any) -> Any:
    return function(x, y)


def _listed(x: Any) -> Any:
    return asarray(x) if isinstance(x, (list, tuple)) else x


def refuse_out(name: str, out: Any, example: str = "...") -> None:
    """Raise if a result shall be written somewhere."""
    if out is not None and not (isinstance(out, tuple) and all(o is None for o in out)):
        raise FadTypeError(
            located(
                f"{name} cannot write through out=: tensors are immutable; write "
                f"result = {name}({example})."
            )
        )


def with_options(
    name: str, function: Function, inputs: tuple[Any, ...], out: Any, options: dict[str, Any]
) -> Any:
    """A ufunc with ``dtype`` and the like, or the error for what tensors cannot do."""
    arguments = ", ".join("yzw"[: len(inputs)])
    refuse_out(name, out, arguments)
    if options.get("where", True) is not True:
        raise FadTypeError(
            located(
                f"{name}(..., where=mask) leaves elements undefined. Write "
                f"np.where(mask, np.{name}({arguments}), other) and say what the others are."
            )
        )
    unknown = set(options) - _IGNORED - {"where", "dtype"}
    if unknown:
        raise FadTypeError(
            located(f"{name} takes no {sorted(unknown)[0]}= on tensors; leave it out")
        )
    target = options.get("dtype")
    operands = [x if type(x) in (bool, int, float, complex) else tensor(x) for x in inputs]
    if target is None:
        return function(*operands)
    return _in_dtype(name, function, operands, as_dtype(target), options.get("casting"))


def _in_dtype(
    name: str, function: Function, operands: list[Any], target: dtypes.DType, casting: Any
) -> Any:
    """The function of operands converted to ``target``, which must be the result's dtype."""
    if target == dtypes.bool_:  # of comparisons, the dtype of the result
        result = function(*operands)
        if result.dtype == dtypes.bool_:
            return result
    for x in operands:
        given = aval_of(x)
        if not given.weak and not np.can_cast(given.dtype, target, casting or "same_kind"):
            raise FadTypeError(
                located(
                    f"{name}: cannot cast from {given.dtype} to dtype={target}; convert the "
                    f"operands first, x.astype({target})"
                )
            )
    return function(*[convert(tensor(x), target) for x in operands])
