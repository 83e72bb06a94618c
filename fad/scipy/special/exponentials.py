"""Sums of exponentials, and what is made of them, along axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from fad.core.apply import apply1
from fad.core.tensor import Tensor
from fad.numpy.axes import several_axes
from fad.numpy.linalg import inexact
from fad.numpy.reductions import max as maximum
from fad.primitives import logsumexp as _logsumexp
from fad.primitives.arithmetic import absolute, add, mul, sign, sub
from fad.primitives.broadcast import broadcast_to, ones
from fad.primitives.comparison import eq, lt, select
from fad.primitives.declare import broadcast_shapes
from fad.primitives.extrema import lower_to
from fad.primitives.floating import isfinite
from fad.primitives.identity import STOP_GRADIENT
from fad.primitives.reductions import reduce_sum
from fad.primitives.shape import reshape
from fad.primitives.transcendental import exp, log

__all__ = ["log_softmax", "logsumexp", "softmax"]


def logsumexp(
    a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    """The logarithm of the sum of exponentials of ``a`` along ``axis`` (None: all axes).

    Args:
        a: real tensor of any shape; where all are -inf the result is -inf, with gradient zero.
        axis: int, tuple of ints or None.
        b: factors of the exponentials, broadcast against ``a``; where the sum is negative the
            result is NaN.
        keepdims: whether reduced axes stay, with length 1.
        return_sign: whether to give the logarithm of the sum's magnitude, and its sign.

    >>> import fad.scipy.special
    >>> fad.scipy.special.logsumexp([1000.0, 1000.0])
    fad.Tensor(1000.69314718)
    >>> fad.scipy.special.logsumexp([1000.0, 1001.0], b=[1, -1], return_sign=True)
    (fad.Tensor(1000.54132485), fad.Tensor(-1.))
    """
    x = inexact(a)
    if b is not None:
        return _weighted(x, inexact(b), axis, bool(keepdims), return_sign)
    axes = several_axes("logsumexp", axis, x.ndim)
    result: Tensor = _logsumexp.logsumexp(x, axes, bool(keepdims))
    if not return_sign:
        return result
    return result, select(eq(result, -math.inf), 0.0, ones(result.aval))


def _weighted(x: Tensor, b: Tensor, axis: Any, keepdims: bool, return_sign: bool) -> Any:
    """The same with factors: about the largest exponent that has one, which is held constant."""
    shape = broadcast_shapes("logsumexp", [x.shape, b.shape])
    x, b = broadcast_to(x, shape), broadcast_to(b, shape)
    axes = several_axes("logsumexp", axis, x.ndim)
    counted = apply1(STOP_GRADIENT(), select(eq(b, 0.0), -math.inf, x))
    top = maximum(counted, axis=axes, keepdims=True, initial=-math.inf)
    top = select(isfinite(top), top, 0.0)
    # Larger exponents have the factor 0; they must not overflow.
    distance = lower_to(sub(x, top), 80.0)
    total = reduce_sum(mul(b, exp(distance)), axes, keepdims)
    top = top if keepdims else reshape(top, total.shape)
    zero = eq(total, 0.0)
    magnitude = add(log(absolute(select(zero, 1.0, total))), top)
    result = select(zero, -math.inf, magnitude)
    if return_sign:
        return result, sign(total)
    return select(lt(total, 0.0), math.nan, result)


def _along(function: Callable[[Any, tuple[int, ...]], Tensor], x: Any, axis: Any) -> Tensor:
    x = inexact(x)
    return function(x, several_axes(function.__name__, axis, x.ndim))


def softmax(x: Any, axis: Any = None) -> Tensor:
    """Exponentials divided by their sum along ``axis`` (None: over all elements).

    >>> import fad.scipy.special
    >>> fad.scipy.special.softmax([0.0, 0.0])
    fad.Tensor([0.5, 0.5])
    """
    return _along(_logsumexp.softmax, x, axis)


def log_softmax(x: Any, axis: Any = None) -> Tensor:
    """The logarithm of :func:`softmax`, accurate where that is small."""
    return _along(_logsumexp.log_softmax, x, axis)
