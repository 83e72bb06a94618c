"""Convolution and correlation of sequences."""

from __future__ import annotations

from typing import Any

from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy.axes import tensor
from fad.primitives import convolution
from fad.primitives.complexes import conj
from fad.primitives.shape import flip, reshape

__all__ = ["convolve", "correlate"]

_MODES = ("valid", "same", "full")


def _sequence(name: str, argument: str, x: Any) -> Tensor:
    x = tensor(x)
    if x.ndim > 1:
        raise FadValueError(
            located(
                f"{name}: object too deep for desired array: {argument} has shape {x.shape}, and "
                "sequences are convolved. Map over the other axes with fad.vmap."
            )
        )
    if not x.size:
        raise FadValueError(located(f"{name}: {argument} cannot be empty"))
    return reshape(x, (x.size,))


def _checked_mode(name: str, mode: Any) -> str:
    if not isinstance(mode, str):
        raise FadTypeError(located(f"{name}: mode must be one of {_MODES}, got {mode!r}"))
    if mode not in _MODES:
        raise FadValueError(located(f"{name}: mode must be one of {_MODES}, got {mode!r}"))
    return mode


def _part(x: Tensor, y: Tensor, mode: str, middle: int) -> Tensor:
    """What ``mode`` keeps of the full convolution; "same" begins at element ``middle``."""
    least, most = sorted((x.size, y.size))
    start, length = {
        "full": (0, most + least - 1),
        "same": (middle, most),
        "valid": (least - 1, most - least + 1),
    }[mode]
    out = convolution.convolve(
        reshape(x, (1, 1, 1, x.size)), reshape(y, (1, 1, 1, y.size)), start, length
    )
    return reshape(out, (length,))


def convolve(a: Any, v: Any, mode: str = "full") -> Tensor:
    """The sums of ``a[i] * v[k - i]`` over i, for each k.

    ``mode`` says for which k: "full" where the sequences overlap at all, "valid" where the shorter
    one lies within the longer, "same" as many as the longer one has elements. Differentiable in
    both; computed directly, not by Fourier transforms, so small elements keep their digits.

    >>> import fad.numpy as fnp
    >>> fnp.convolve([1.0, 2.0, 3.0], [0.0, 1.0, 0.5])
    fad.Tensor([0. , 1. , 2.5, 4. , 1.5])
    """
    kept = _checked_mode("convolve", mode)
    x, y = _sequence("convolve", "a", a), _sequence("convolve", "v", v)
    shorter = min(x.size, y.size)
    return _part(x, y, kept, (shorter - 1) // 2)


def correlate(a: Any, v: Any, mode: str = "valid") -> Tensor:
    """The sums of ``a[n + k] * conj(v[n])`` over n, for each k; see :func:`convolve` for ``mode``.

    >>> import fad.numpy as fnp
    >>> fnp.correlate([1.0, 2.0, 3.0], [0.0, 1.0, 0.5], "same")
    fad.Tensor([2. , 3.5, 3. ])
    """
    kept = _checked_mode("correlate", mode)
    x, y = _sequence("correlate", "a", a), _sequence("correlate", "v", v)
    shorter = min(x.size, y.size)
    middle = shorter // 2 if x.size < y.size else (shorter - 1) // 2
    return _part(x, flip(conj(y), (0,)), kept, middle)
