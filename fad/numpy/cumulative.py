"""NumPy's cumulative sums and products. With ``axis=None`` they run through all elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fad.core.errors import FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy.axes import one_axis, tensor
from fad.numpy.dtypes import as_dtype, cast
from fad.numpy.ufunc import refuse_out
from fad.primitives import cumulative
from fad.primitives.broadcast import convert, full
from fad.primitives.shape import concatenate, reshape

__all__ = ["cumprod", "cumsum", "cumulative_prod", "cumulative_sum"]


def _run(name: str, scan: Callable[[Any, int], Tensor], x: Tensor, axis: Any, dtype: Any) -> Tensor:
    if dtype is None:
        return scan(x, one_axis(name, axis, x.ndim))
    target = as_dtype(dtype)
    out = scan(cast(x, target), one_axis(name, axis, x.ndim))
    return convert(out, target)  # small integers are summed in 64 bits, which wraps to the same


def _operand(a: Any) -> Tensor:
    """A tensor with an axis to run along: a single number is a vector of one."""
    x = tensor(a)
    return x if x.ndim else reshape(x, (1,))


def _flat(a: Any, axis: Any) -> tuple[Tensor, Any]:
    """The operand and axis; all elements along one axis if ``axis`` is None."""
    x = _operand(a)
    return (reshape(x, (x.size,)), 0) if axis is None else (x, axis)


def cumsum(a: Any, axis: Any = None, dtype: Any = None, out: None = None) -> Tensor:
    """Sums of the elements up to and including each.

    >>> import fad, fad.numpy as fnp
    >>> fnp.cumsum([1.0, 2.0, 3.0])
    fad.Tensor([1., 3., 6.])
    """
    refuse_out("cumsum", out)
    return _run("cumsum", cumulative.cumsum, *_flat(a, axis), dtype)


def cumprod(a: Any, axis: Any = None, dtype: Any = None, out: None = None) -> Tensor:
    """Products of the elements up to and including each; derivatives are exact with zeros."""
    refuse_out("cumprod", out)
    return _run("cumprod", cumulative.cumprod, *_flat(a, axis), dtype)


def _standard(
    name: str,
    scan: Callable[[Any, int], Tensor],
    identity: int,
    a: Any,
    axis: Any,
    dtype: Any,
    include_initial: bool,
) -> Tensor:
    """The array API standard's form: the axis may be left out for one-dimensional tensors only."""
    x = _operand(a)
    if axis is None:
        if x.ndim != 1:
            raise FadValueError(
                located(f"{name}: give axis= for a tensor of shape {x.shape}; only one-dimensional "
                        "tensors have one to take")
            )  # fmt: skip
        axis = 0
    out = _run(name, scan, x, axis, dtype)
    if not include_initial:
        return out
    axis = one_axis(name, axis, x.ndim)
    first = full((*x.shape[:axis], 1, *x.shape[axis + 1 :]), identity, out.dtype)
    return concatenate([first, out], axis)


def cumulative_sum(
    x: Any,
    /,
    *,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    include_initial: bool = False,
) -> Tensor:
    """Sums of the elements up to and including each, after a 0 if ``include_initial``."""
    refuse_out("cumulative_sum", out)
    return _standard("cumulative_sum", cumulative.cumsum, 0, x, axis, dtype, include_initial)


def cumulative_prod(
    x: Any,
    /,
    *,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    include_initial: bool = False,
) -> Tensor:
    """Products of the elements up to and including each, after a 1 if ``include_initial``."""
    refuse_out("cumulative_prod", out)
    return _standard("cumulative_prod", cumulative.cumprod, 1, x, axis, dtype, include_initial)
