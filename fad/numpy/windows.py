"""Window functions, for spectra and filters."""

from __future__ import annotations

import numpy as np

from fad.core.tensor import Tensor
from fad.numpy.axes import tensor

__all__ = ["bartlett", "blackman", "hamming", "hanning"]


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
