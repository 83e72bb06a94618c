"""Window functions, for spectra and filters."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from fad.core import dtypes
from fad.core.tensor import Tensor
from fad.numpy.axes import tensor
from fad.primitives.arithmetic import absolute, div, mul
from fad.primitives.bessel import i0, i0e
from fad.primitives.broadcast import convert
from fad.primitives.comparison import lt, select
from fad.primitives.extrema import maximum, minimum
from fad.primitives.transcendental import exp

__all__ = ["bartlett", "blackman", "hamming", "hanning", "kaiser"]

_LARGE = 100.0


def bartlett(M: int) -> Tensor:
    """A triangle with zeros at both ends.

    >>> import fad.numpy as fnp
    >>> fnp.bartlett(5)
    fad.Tensor([0. , 0.5, 1. , 0.5, 0. ])
    """
    return tensor(np.bartlett(M))


def blackman(M: int) -> Tensor:
    """A sum of three cosines, 0 at both ends."""
    return tensor(np.blackman(M))


def hamming(M: int) -> Tensor:
    """A raised cosine that does not reach 0."""
    return tensor(np.hamming(M))


def hanning(M: int) -> Tensor:
    """A raised cosine, 0 at both ends."""
    return tensor(np.hanning(M))


def kaiser(M: int, beta: Any) -> Tensor:
    """i0(beta sqrt(1 - t**2)) / i0(beta) for t from -1 to 1; differentiable in ``beta``.

    Nothing overflows, however large ``beta`` is.

    >>> import fad, fad.numpy as fnp
    >>> fnp.kaiser(3, 0.0)
    fad.Tensor([1., 1., 1.])
    >>> fad.grad(lambda beta: fnp.kaiser(3, beta)[1])(2.0)
    fad.Tensor(0.)
    """
    count = index(M)
    t = np.arange(1 - count, count, 2) / max(count - 1, 1)
    root = np.sqrt((1 - t) * (1 + t))
    beta = absolute(convert(tensor(beta), dtypes.float64))
    # With i0e(x) = exp(-x) i0(x) nothing overflows, but the derivative cancels if beta is small.
    small, large = minimum(beta, _LARGE), maximum(beta, _LARGE)
    near = div(i0(mul(small, root)), i0(small))
    scale = exp(mul(large, -(t * t) / (1 + root)))  # root - 1, without cancellation
    far = mul(scale, div(i0e(mul(large, root)), i0e(large)))
    return select(lt(beta, _LARGE), near, far)
