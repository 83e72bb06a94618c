"""Tensors from a description: zeros and ones, ranges, identity matrices, grids."""

from __future__ import annotations

import math
from operator import index
from typing import Any

import numpy as np

from fad.core import dtypes
from fad.core.aval import SCALARS, Shape
from fad.core.dtypes import DType
from fad.core.errors import FadValueError, located
from fad.core.tensor import Tensor, lift
from fad.numpy.axes import as_shape, one_axis, tensor, tensors
from fad.numpy.dtypes import as_dtype, cast, check_int
from fad.primitives import broadcast, constants
from fad.primitives import shape as shapes
from fad.primitives.arithmetic import add, div, mul, sign, sub
from fad.primitives.floating import floor
from fad.primitives.join import stack
from fad.primitives.power import power

__all__ = [
    "arange", "empty", "empty_like", "eye", "full", "full_like", "geomspace", "identity",
    "indices", "linspace", "logspace", "meshgrid", "ones", "ones_like", "zeros", "zeros_like",
]  # fmt: skip


def _placed(x: Any, device: Any) -> Tensor:
    return x if device is None else x.to_device(device)


def _constant(shape: Any, value: int, dtype: Any, device: Any) -> Tensor:
    made = broadcast.full(as_shape(shape), value, as_dtype(float if dtype is None else dtype))
    return _placed(made, device)


def zeros(
    shape: Any, dtype: Any = None, order: str = "C", *, device: Any = None, like: Any = None
) -> Tensor:
    """Zeros, float64 unless ``dtype`` says otherwise.

    >>> import fad.numpy as fnp
    >>> fnp.zeros((2, 3)).dtype
    dtype('float64')
    """
    return _constant(shape, 0, dtype, device)


def ones(
    shape: Any, dtype: Any = None, order: str = "C", *, device: Any = None, like: Any = None
) -> Tensor:
    """Ones, float64 unless ``dtype`` says otherwise."""
    return _constant(shape, 1, dtype, device)


def empty(
    shape: Any, dtype: Any = None, order: str = "C", *, device: Any = None, like: Any = None
) -> Tensor:
    """Zeros: a tensor cannot be filled in later."""
    return _constant(shape, 0, dtype, device)


def full(
    shape: Any, fill_value: Any, dtype: Any = None, order: str = "C", *, device: Any = None,
    like: Any = None,
) -> Tensor:  # fmt: skip
    """``fill_value``, which may be a tensor and broadcasts, everywhere.

    >>> import fad.numpy as fnp
    >>> fnp.full(2, 7)
    fad.Tensor([7, 7])
    """
    value = lift(fill_value) if type(fill_value) in SCALARS else tensor(fill_value)
    made = broadcast.broadcast_to(value, as_shape(shape))
    kind = as_dtype(dtype or made.dtype)
    check_int(fill_value, kind)
    return _placed(cast(made, kind), device)


def _like(a: Any, dtype: Any, shape: Any) -> tuple[Shape, DType]:
    given = a if isinstance(a, Tensor | np.ndarray) else tensor(a)
    return (
        given.shape if shape is None else as_shape(shape),
        as_dtype(given.dtype if dtype is None else dtype),
    )


def zeros_like(
    a: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *,
    device: Any = None,
) -> Tensor:  # fmt: skip
    """Zeros of the shape and dtype of ``a``, which does not enter the result."""
    return _constant(*_filled(a, shape, 0, dtype), device)


def ones_like(
    a: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *,
    device: Any = None,
) -> Tensor:  # fmt: skip
    """Ones of the shape and dtype of ``a``, which does not enter the result."""
    return _constant(*_filled(a, shape, 1, dtype), device)


def empty_like(
    prototype: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *,
    device: Any = None,
) -> Tensor:  # fmt: skip
    """Zeros of the shape and dtype of ``prototype``: a tensor cannot be filled in later."""
    return _constant(*_filled(prototype, shape, 0, dtype), device)


def _filled(a: Any, shape: Any, value: int, dtype: Any) -> tuple[Shape, int, DType]:
    target, kind = _like(a, dtype, shape)
    return target, value, kind


def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: str = "K", subok: bool = True,
    shape: Any = None, *, device: Any = None,
) -> Tensor:  # fmt: skip
    """``fill_value`` everywhere, in the shape and dtype of ``a``."""
    target, kind = _like(a, dtype, shape)
    return full(target, fill_value, kind, device=device)


def eye(
    N: int, M: int | None = None, k: int = 0, dtype: Any = float, order: str = "C", *,
    device: Any = None, like: Any = None,
) -> Tensor:  # fmt: skip
    """An N by M matrix with ones on diagonal ``k`` and zeros elsewhere.

    >>> import fad.numpy as fnp
    >>> fnp.eye(2)
    fad.Tensor([[1., 0.],
                [0., 1.]])
    """
    columns = index(N if M is None else M)
    return _placed(constants.eye(index(N), columns, index(k), as_dtype(dtype)), device)


def identity(n: int, dtype: Any = None, *, like: Any = None) -> Tensor:
    """The n by n identity matrix."""
    return eye(n, dtype=float if dtype is None else dtype)


# ----------------------------------------------------------------------------------------- ranges


def _number(name: str, value: Any) -> Any:
    """A bound of a range, whose length must be known."""
    return np.asarray(value.concrete(name).realize())[()] if isinstance(value, Tensor) else value


def arange(
    start: Any, stop: Any = None, step: Any = 1, dtype: Any = None, *, device: Any = None,
    like: Any = None,
) -> Tensor:  # fmt: skip
    """``start``, ``start + step``, ... up to, not including, ``stop``; from 0 if one is given.

    >>> import fad.numpy as fnp
    >>> fnp.arange(4), fnp.arange(1.0, 2.0, 0.5)
    (fad.Tensor([0, 1, 2, 3]), fad.Tensor([1. , 1.5]))
    """
    if stop is None:
        start, stop = 0, start
    first, last, by = (_number("arange", v) for v in (start, stop, step))
    target = None if dtype is None else as_dtype(dtype)
    if all(type(v) is int for v in (first, last, by)) and by:
        target = target or dtypes.int64
        size = len(range(first, last, by))
        # The first number and the step are no part of the program, unless they are the usual ones.
        out = constants.iota(size, target)
        out = out if by == 1 else mul(out, by)
        return _placed(out if first == 0 else add(out, first), device)
    try:
        host = np.arange(first, last, by, target)  # type: ignore[call-overload]
        return _placed(lift(host), device)
    except (ValueError, ZeroDivisionError) as error:
        raise FadValueError(located(f"arange: {error}")) from None


def _weights(num: int, endpoint: bool) -> tuple[np.ndarray, np.ndarray]:
    """What to multiply the first and the last number with, exact at both ends."""
    steps = max(num - 1, 1) if endpoint else max(num, 1)
    counts = np.arange(num)
    return (steps - counts) / steps, counts / steps


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False,
    dtype: Any = None, axis: int = 0, *, device: Any = None,
) -> Any:  # fmt: skip
    """``num`` numbers from ``start`` to ``stop``, equally far apart; differentiable in both.

    ``stop`` is the last one, unless ``endpoint`` is False. The numbers lie along a new ``axis``.

    >>> import fad.numpy as fnp
    >>> fnp.linspace(0.0, 1.0, 5)
    fad.Tensor([0.  , 0.25, 0.5 , 0.75, 1.  ])
    """
    num = index(num)
    if num < 0:
        raise FadValueError(located(f"linspace: num must not be negative, got {num}"))
    if not (isinstance(start, Tensor) or isinstance(stop, Tensor)):
        bounds: tuple[Any, Any] = start, stop
        host, step = np.linspace(*bounds, num, endpoint, True, dtype, axis)  # type: ignore
        made = _placed(lift(host), device)
        return (made, lift(step)) if retstep else made
    first, last = (lift(x) if type(x) in SCALARS else tensor(x) for x in (start, stop))
    out = _between(first, last, num, endpoint)
    if dtype is not None:
        target = as_dtype(dtype)
        out = broadcast.convert(floor(out) if target.kind in "iu" else out, target)
    out = _placed(shapes.moveaxis(out, 0, one_axis("linspace", axis, out.ndim)), device)
    steps = num - 1 if endpoint else num
    return (out, div(sub(last, first), steps or math.nan)) if retstep else out


def _between(first: Any, last: Any, num: int, endpoint: bool) -> Any:
    """``num`` numbers between two, along a new leading axis."""
    ndim = max(first.ndim, last.ndim)
    common = dtypes.result_type(tuple([(x.aval.dtype, x.aval.weak) for x in (first, last)]))[0]
    kind = dtypes.real_of(common) if dtypes.kind(common) in "fc" else dtypes.float64
    of_first, of_last = (
        broadcast.convert(lift(w.reshape(num, *[1] * ndim)), kind) for w in _weights(num, endpoint)
    )
    return add(mul(first, of_first), mul(last, of_last))


def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0,
    dtype: Any = None, axis: int = 0,
) -> Tensor:  # fmt: skip
    """``base`` to the power of numbers equally far apart, from ``start`` to ``stop``."""
    if not any(isinstance(x, Tensor) for x in (start, stop, base)):
        return lift(np.logspace(start, stop, num, endpoint, base, dtype, axis))
    out = power(base, linspace(tensor(start), stop, num, endpoint, axis=axis))
    return out if dtype is None else broadcast.convert(out, as_dtype(dtype))


def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Tensor:
    """``num`` numbers from ``start`` to ``stop``, each the same multiple of the last.

    They are positive or negative, or complex, on a spiral. Differentiable in both.

    >>> import fad.numpy as fnp
    >>> fnp.geomspace(1.0, 8.0, 4)
    fad.Tensor([1., 2., 4., 8.])
    """
    if not (isinstance(start, Tensor) or isinstance(stop, Tensor)):
        try:
            return lift(np.geomspace(start, stop, num, endpoint, dtype, axis))
        except ValueError as error:
            raise FadValueError(located(f"geomspace: {error}")) from None
    first, last = tensor(start), tensor(stop)
    of_first, of_last = (
        lift(w.reshape(num, *[1] * max(first.ndim, last.ndim))) for w in _weights(num, endpoint)
    )
    turn = sign(first)
    out = mul(turn, mul(power(div(first, turn), of_first), power(div(last, turn), of_last)))
    out = shapes.moveaxis(out, 0, one_axis("geomspace", axis, out.ndim))
    return out if dtype is None else broadcast.convert(out, as_dtype(dtype))


# ------------------------------------------------------------------------------------------ grids


def meshgrid(
    *xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy"
) -> tuple[Tensor, ...]:
    """Coordinates on a grid: each vector repeated along the axes of the others.

    With "xy" indexing the first two axes are exchanged. ``sparse`` leaves the others at length 1.
    """
    if indexing not in ("xy", "ij"):
        raise FadValueError(located(f"meshgrid: indexing must be 'xy' or 'ij', got {indexing!r}"))
    xs = tensors(xi)
    places = list(range(len(xs)))
    if indexing == "xy" and len(xs) > 1:
        places[:2] = [1, 0]
    shape = [1] * len(xs)
    for place, x in zip(places, xs, strict=True):
        shape[place] = x.size
    out = []
    for place, x in zip(places, xs, strict=True):
        column = shapes.reshape(x, tuple([x.size if i == place else 1 for i in range(len(xs))]))
        out.append(column if sparse else broadcast.broadcast_to(column, tuple(shape)))
    return tuple(out)


def indices(dimensions: Any, dtype: Any = int, sparse: bool = False) -> Any:
    """The index of each element of a grid: one tensor per axis, stacked unless ``sparse``."""
    kind = as_dtype(dtype)
    ranges = [constants.iota(n, kind) for n in as_shape(dimensions)]
    grids = meshgrid(*ranges, sparse=sparse, indexing="ij")
    return grids if sparse else stack(grids, 0, kind)
