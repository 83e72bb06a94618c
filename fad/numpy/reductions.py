"""NumPy's reductions: sums, products, extrema, logic, positions, counts.

``axis`` is None (all axes), an integer or a tuple. ``where`` selects the elements that take part,
and ``initial`` is a value to start with. ``out`` must be None: tensors are immutable.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fad.core import dtypes
from fad.core.apply import apply1
from fad.core.aval import SCALARS, Shape
from fad.core.dtypes import DType, kind
from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.primitive import Operation, Primitive
from fad.core.tensor import Tensor
from fad.numpy.axes import one_axis, several_axes, tensor
from fad.numpy.dtypes import as_dtype, cast, result_type
from fad.numpy.ufunc import refuse_out
from fad.primitives import arithmetic, comparison, extrema, reductions, search
from fad.primitives.broadcast import broadcast_to, convert
from fad.primitives.reductions import Axes
from fad.primitives.shape import reshape

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "count_nonzero", "max", "min", "prod", "ptp",
    "sum",
]  # fmt: skip


def reduced_axes(name: str, axis: Any, ndim: int) -> Axes:
    """The axes to reduce, ascending."""
    axes = several_axes(name, axis, ndim)
    return axes if len(axes) < 2 else tuple(sorted(axes))


_MAX_OPERATIONS = 1024
_operations: dict[Any, Operation] = {}


def reduction(primitive: Primitive, x: Tensor, axis: int | None, keepdims: bool) -> Operation:
    """The operation that reduces one axis, or all of them."""
    key = (primitive, x.aval.ndim, axis, keepdims)
    operation = _operations.get(key)
    if operation is None:
        if len(_operations) >= _MAX_OPERATIONS:
            _operations.clear()
        axes = reduced_axes(primitive.name.removeprefix("reduce_"), axis, x.ndim)
        operation = _operations[key] = primitive(axes=axes, keepdims=bool(keepdims))
    return operation


def masked(x: Tensor, where: Any, fill: Any) -> Tensor:
    """``x`` with ``fill`` where the mask ``where`` is false."""
    return x if where is True else comparison.select(tensor(where), x, fill)


def _accumulate(
    name: str,
    reduce: Callable[[Any, Axes, bool], Tensor],
    combine: Callable[[Any, Any], Tensor],
    identity: int,
    a: Any,
    axis: Any,
    dtype: Any,
    keepdims: bool,
    initial: Any,
    where: Any,
) -> Tensor:
    """A sum or a product."""
    x = tensor(a)
    target = None if dtype is None else as_dtype(dtype)
    if target is not None:
        x = cast(x, target)
    x = masked(x, where, identity)
    result = reduce(x, reduced_axes(name, axis, x.ndim), bool(keepdims))
    if target is not None and result.dtype != target:
        result = convert(result, target)
    return result if initial is None else combine(result, _start(initial, result.dtype))


def _start(initial: Any, dtype: DType) -> Any:
    """An initial value, which does not change the dtype of the result."""
    if type(initial) in SCALARS and result_type(dtype, initial) == dtype:
        return initial
    start = tensor(initial)
    if kind(start.dtype) == "c" and kind(dtype) != "c":
        raise FadTypeError(
            located(f"initial={initial} is complex, and the result is {dtype}; pass dtype=complex")
        )
    return convert(start, dtype)


def sum(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Tensor:
    """The sum over ``axis``. Integers are summed in 64 bits, float16 is accumulated in float32.

    >>> import fad.numpy as fnp
    >>> fnp.sum([[1.0, 2.0], [3.0, 4.0]], axis=0)
    fad.Tensor([4., 6.])
    """
    plain = dtype is None and out is None and initial is None and where is True
    if plain and isinstance(a, Tensor) and (axis is None or axis.__class__ is int):
        result: Tensor = apply1(reduction(reductions.REDUCE_SUM, a, axis, keepdims), a)
        return result  # the short way
    refuse_out("sum", out)
    return _accumulate(
        "sum", reductions.reduce_sum, arithmetic.add, 0, a, axis, dtype, keepdims, initial, where
    )


def prod(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Tensor:
    """The product over ``axis``. Its derivative is exact with zeros among the factors.

    >>> import fad, fad.numpy as fnp
    >>> fad.grad(fnp.prod)(fad.asarray([2.0, 0.0, 3.0]))
    fad.Tensor([0., 6., 0.])
    """
    refuse_out("prod", out)
    return _accumulate(
        "prod", reductions.reduce_prod, arithmetic.mul, 1, a, axis, dtype, keepdims, initial, where
    )


def _limit(dtype: DType, largest: bool) -> Any:
    """The largest or smallest value of a dtype: the identity of the minimum or maximum."""
    kind = dtypes.kind(dtype)
    if kind == "b":
        return largest
    if kind in "iu":
        info = np.iinfo(dtype)
        return int(info.max if largest else info.min)
    infinity = math.inf if largest else -math.inf
    return complex(infinity, infinity) if kind == "c" else infinity


def _extremum(
    name: str,
    reduce: Callable[[Any, Axes, bool], Tensor],
    combine: Callable[[Any, Any], Tensor],
    a: Any,
    axis: Any,
    keepdims: bool,
    initial: Any,
    where: Any,
) -> Tensor:
    x = tensor(a)
    axes = reduced_axes(name, axis, x.ndim)
    if where is not True:
        if initial is None:
            raise FadValueError(
                located(
                    f"{name} with where= needs initial=: a value for the case that no element "
                    "takes part"
                )
            )
        x = masked(x, where, _limit(x.dtype, largest=name == "min"))
    if initial is not None and any_empty(x.shape, axes):
        shape = reductions.reduced_shape(x.shape, axes, bool(keepdims))
        return convert(broadcast_to(tensor(initial), shape), x.dtype)
    result = reduce(x, axes, bool(keepdims))
    return result if initial is None else combine(result, _start(initial, result.dtype))


def any_empty(shape: Shape, axes: Axes) -> bool:
    """Whether one of these axes has no elements."""
    return 0 in [shape[axis] for axis in axes]


def max(
    a: Any,
    axis: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Tensor:
    """The maximum over ``axis``; NaN if there is one. Ties share the derivative evenly."""
    refuse_out("max", out)
    return _extremum(
        "max", reductions.reduce_max, extrema.maximum, a, axis, keepdims, initial, where
    )


def min(
    a: Any,
    axis: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Tensor:
    """The minimum over ``axis``; NaN if there is one. Ties share the derivative evenly."""
    refuse_out("min", out)
    return _extremum(
        "min", reductions.reduce_min, extrema.minimum, a, axis, keepdims, initial, where
    )


amax = max
amin = min


def ptp(a: Any, axis: Any = None, out: None = None, keepdims: bool = False) -> Tensor:
    """Peak to peak: the maximum less the minimum over ``axis``."""
    refuse_out("ptp", out)
    x = tensor(a)
    return arithmetic.sub(max(x, axis, keepdims=keepdims), min(x, axis, keepdims=keepdims))


def any(
    a: Any, axis: Any = None, out: None = None, keepdims: bool = False, *, where: Any = True
) -> Tensor:
    """Whether an element along ``axis`` is true, that is, not zero."""
    refuse_out("any", out)
    x = masked(tensor(a), where, False)
    return reductions.reduce_any(x, reduced_axes("any", axis, x.ndim), bool(keepdims))


def all(
    a: Any, axis: Any = None, out: None = None, keepdims: bool = False, *, where: Any = True
) -> Tensor:
    """Whether all elements along ``axis`` are true, that is, not zero."""
    refuse_out("all", out)
    x = masked(tensor(a), where, True)
    return reductions.reduce_all(x, reduced_axes("all", axis, x.ndim), bool(keepdims))


def count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """How many elements along ``axis`` are not zero, as int64."""
    x = tensor(a)
    axes = reduced_axes("count_nonzero", axis, x.ndim)
    return reductions.reduce_sum(convert(x, dtypes.bool_), axes, bool(keepdims))


def _position(
    name: str, find: Callable[[Any, int, bool], Tensor], a: Any, axis: Any, keepdims: bool
) -> Tensor:
    x = tensor(a)
    if axis is not None:
        return find(x, one_axis(name, axis, x.ndim), bool(keepdims))
    found = find(reshape(x, (x.size,)), 0, False)
    return reshape(found, (1,) * x.ndim) if keepdims else found


def argmax(a: Any, axis: Any = None, out: None = None, *, keepdims: bool = False) -> Tensor:
    """Index of the first maximum along ``axis``, or among all elements; of the first NaN if any."""
    refuse_out("argmax", out)
    return _position("argmax", search.argmax, a, axis, keepdims)


def argmin(a: Any, axis: Any = None, out: None = None, *, keepdims: bool = False) -> Tensor:
    """Index of the first minimum along ``axis``, or among all elements; of the first NaN if any."""
    refuse_out("argmin", out)
    return _position("argmin", search.argmin, a, axis, keepdims)
