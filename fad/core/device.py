"""Devices: which there are, and putting values on them."""

from __future__ import annotations

from typing import Any

import numpy as np

from fad.core import kernels, pytree
from fad.core.dtypes import check_supported
from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.tensor import Array, Tensor, from_buffer, lift

Device = Any
"""A device, as :func:`devices` lists them: has ``platform`` and ``id``."""


def devices(platform: str | None = None) -> list[Device]:
    """The devices that programs can run on: GPUs if the installed JAX has them, else CPUs.

    >>> import fad
    >>> fad.devices("cpu")[0].platform
    'cpu'
    """
    try:
        return kernels.devices(platform)
    except RuntimeError as error:
        raise FadValueError(
            located(f"there is no device of platform {platform!r}: {error}")
        ) from None


def find_device(name: Device | str) -> Device:
    """The device that ``"cpu"``, ``"gpu"`` or ``"gpu:1"`` names; a device is itself."""
    if not isinstance(name, str):
        if hasattr(name, "platform"):
            return name
        raise FadTypeError(
            located(
                f"a device is one of fad.devices(), or a name such as 'cpu' or 'gpu:0', got "
                f"{type(name).__name__}"
            )
        )
    platform, _, number = name.partition(":")
    found = devices(platform)
    if not (number or "0").isdecimal() or int(number or 0) >= len(found):
        known = ", ".join(f"{d.platform}:{d.id}" for d in found)
        raise FadValueError(located(f"there is no device {name!r}; there is {known}"))
    return found[int(number or 0)]


def device_put(x: Any, device: Device | str | None = None) -> Any:
    """Values of a pytree as concrete tensors on ``device`` (the default one if None).

    >>> import fad
    >>> fad.device_put(2.0, fad.devices("cpu")[0]).device.platform
    'cpu'
    >>> fad.device_put({"w": 2.0}, "cpu:0")
    {'w': fad.Tensor(2.)}
    """
    if device is not None:
        device = find_device(device)
    return pytree.map(lambda leaf: _put(leaf, device), x)


def _put(x: Any, device: Device | None) -> Array:
    if isinstance(x, Tensor):
        if not isinstance(x, Array):
            raise FadTypeError(
                located(
                    f"device_put needs concrete tensors, got a tensor {x.aval} of "
                    f"{x.level.describe()}: put arguments on a device before the transform"
                )
            )
        return from_buffer(kernels.put(x.realize(), device))
    if isinstance(x, (np.ndarray, np.generic)):
        check_supported(x.dtype)
        return from_buffer(kernels.put(np.asarray(x), device))
    return from_buffer(kernels.put(lift(x).realize(), device))  # type: ignore[attr-defined]
