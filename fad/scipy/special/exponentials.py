"""Sums of exponentials, and what is made of them, along axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fad.core.tensor import Tensor
from fad.numpy.axes import several_axes, tensor
from fad.numpy.linalg import inexact
from fad.primitives import logsumexp as _logsumexp
from fad.primitives.arithmetic import add
from fad.primitives.transcendental import log

__all__ = ["log_softmax", "logsumexp", "softmax"]


def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False) -> Tensor:
    """The logarithm of the sum of exponentials of ``a`` along ``axis`` (None: all axes).

    Args:
        a: real tensor of any shape; where all are -inf the result is -inf, with gradient zero.
        axis: int, tuple of ints or None.
        b: positive factors of the exponentials, broadcast against ``a``.
        keepdims: whether reduced axes stay, with length 1.

    >>> import fad.scipy.special
    >>> fad.scipy.special.logsumexp([1000.0, 1000.0])
    fad.Tensor(1000.69314718)
    """
    x = inexact(a)
    if b is not None:
        x = add(x, log(tensor(b)))
    axes = several_axes("logsumexp", axis, x.ndim)
    result: Tensor = _logsumexp.logsumexp(x, axes, bool(keepdims))
    return result


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
