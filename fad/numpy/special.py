"""The one special function that NumPy has besides those of ``elementwise``."""

from __future__ import annotations

from typing import Any

from fad.core.tensor import Tensor
from fad.numpy.axes import inexact
from fad.primitives import bessel

__all__ = ["i0"]


def i0(x: Any) -> Tensor:
    """The modified Bessel function of the first kind of order 0, of real numbers.

    >>> import fad, fad.numpy as np
    >>> np.i0(1.0)
    fad.Tensor(1.26606588)
    >>> fad.grad(np.i0)(0.0)
    fad.Tensor(0.)
    """
    result: Tensor = bessel.i0(inexact(x))
    return result
