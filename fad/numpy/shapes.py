"""Shape: the same elements in another arrangement."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fad.core.errors import FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy.axes import as_shape, integers, one_axis, several_axes, tensor, tensors
from fad.primitives import broadcast
from fad.primitives import shape as shapes
from fad.primitives.declare import broadcast_shapes as _common_shape

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_arrays", "broadcast_shapes",
    "broadcast_to", "expand_dims", "flip", "fliplr", "flipud", "matrix_transpose", "moveaxis",
    "permute_dims", "ravel", "reshape", "roll", "rollaxis", "rot90", "squeeze", "swapaxes",
    "transpose",
]  # fmt: skip


def reshape(a: Any, /, shape: Any, order: str = "C", *, copy: bool | None = None) -> Tensor:
    """The same elements under another shape, of which one length may be -1: what is left.

    They are read and laid out in row-major order, or column-major if ``order`` is "F"; "A" means
    "C", since a tensor has no memory layout. ``copy`` changes nothing.

    >>> import fad.numpy as fnp
    >>> fnp.reshape(fnp.arange(6), (3, -1)).shape
    (3, 2)
    """
    x = tensor(a)
    target = as_shape(shape)
    if -1 in target:
        known = -math.prod(target)
        if target.count(-1) > 1 or known == 0 or x.size % known:
            raise FadValueError(
                located(f"cannot reshape a tensor of shape {x.shape} into {target}")
            )
        target = tuple([x.size // known if n == -1 else n for n in target])
    if order == "F":
        return _reversed_axes(shapes.reshape(_reversed_axes(x), target[::-1]))
    if order not in ("C", "A"):
        raise FadValueError(
            located(f"order {order!r} is not permitted for reshaping; write 'C', 'F' or 'A'")
        )
    return shapes.reshape(x, target)


def _reversed_axes(x: Tensor) -> Any:
    return shapes.transpose(x, range(x.ndim)[::-1])


def ravel(a: Any, order: str = "C") -> Tensor:
    """All elements along one axis, in row-major order, or column-major if ``order`` is "F"."""
    x = tensor(a)
    return reshape(x, x.size, "C" if order == "K" else order)  # K: as in memory, which is none


def transpose(a: Any, axes: Sequence[int] | None = None) -> Tensor:
    """Axis i of the result is axis ``axes[i]`` of ``a``; the axes are reversed if None.

    >>> import fad.numpy as fnp
    >>> fnp.transpose(fnp.zeros((2, 3, 4)), (1, 2, 0)).shape
    (3, 4, 2)
    """
    x = tensor(a)
    if axes is None:
        return _reversed_axes(x)
    order = several_axes("transpose", axes, x.ndim)
    if len(order) != x.ndim:
        raise FadValueError(located(f"transpose: axes {axes} do not match the shape {x.shape}"))
    return shapes.transpose(x, order)


def permute_dims(a: Any, /, axes: Sequence[int] | None = None) -> Tensor:
    """The array API standard's name of :func:`transpose`."""
    return transpose(a, axes)


def matrix_transpose(x: Any, /) -> Tensor:
    """The last two axes exchanged."""
    x = tensor(x)
    if x.ndim < 2:
        raise FadValueError(
            located(f"matrix_transpose needs at least two axes, got shape {x.shape}")
        )
    return swapaxes(x, -1, -2)


def swapaxes(a: Any, axis1: int, axis2: int) -> Tensor:
    """Two axes exchanged."""
    x = tensor(a)
    first, second = (one_axis("swapaxes", axis, x.ndim) for axis in (axis1, axis2))
    order = list(range(x.ndim))
    order[first], order[second] = second, first
    return shapes.transpose(x, order)


def moveaxis(a: Any, source: Any, destination: Any) -> Tensor:
    """Axes ``source`` moved to the positions ``destination``; the others keep their order."""
    x = tensor(a)
    sources = several_axes("moveaxis", source, x.ndim)
    targets = several_axes("moveaxis", destination, x.ndim)
    if len(sources) != len(targets):
        raise FadValueError(
            located(f"moveaxis: {len(sources)} source axes for {len(targets)} destinations")
        )
    return shapes.transpose(x, shapes.moved_axes(x.ndim, sources, targets))


def rollaxis(a: Any, axis: int, start: int = 0) -> Tensor:
    """Axis ``axis`` moved to before axis ``start``. :func:`moveaxis` is easier to read."""
    x = tensor(a)
    axis = one_axis("rollaxis", axis, x.ndim)
    target = one_axis("rollaxis", start + x.ndim if start < 0 else start, x.ndim + 1)
    return shapes.moveaxis(x, axis, target - 1 if axis < target else target)


def expand_dims(a: Any, axis: Any) -> Tensor:
    """Axes of length 1 inserted where ``axis`` says they are in the result."""
    x = tensor(a)
    count = len(axis) if isinstance(axis, tuple | list) else 1
    return shapes.expand_dims(x, several_axes("expand_dims", axis, x.ndim + count))


def squeeze(a: Any, axis: Any = None) -> Tensor:
    """``a`` without axes of length 1: all of them, or those given."""
    x = tensor(a)
    if axis is None:
        return shapes.squeeze(x, [i for i, n in enumerate(x.shape) if n == 1])
    axes = several_axes("squeeze", axis, x.ndim)
    for i in axes:
        if x.shape[i] != 1:
            raise FadValueError(
                located(f"squeeze: axis {i} of shape {x.shape} has a length other than 1")
            )
    return shapes.squeeze(x, axes)


def _one_or_all(results: list[Tensor]) -> Any:
    return results[0] if len(results) == 1 else tuple(results)


def atleast_1d(*arys: Any) -> Any:
    """Each as a tensor of at least one axis."""
    return _one_or_all([shapes.reshape(x, x.shape or (1,)) for x in tensors(arys)])


def atleast_2d(*arys: Any) -> Any:
    """Each as a tensor of at least two axes; new ones come first."""
    return _one_or_all([shapes.reshape(x, (1,) * (2 - x.ndim) + x.shape) for x in tensors(arys)])


def atleast_3d(*arys: Any) -> Any:
    """Each as a tensor of at least three axes; a vector becomes (1, n, 1), a matrix (n, m, 1)."""
    out = []
    for x in tensors(arys):
        shape = x.shape if x.ndim > 2 else ((1, *x.shape) if x.ndim == 1 else x.shape)
        out.append(shapes.reshape(x, shape + (1,) * (3 - len(shape))))
    return _one_or_all(out)


def broadcast_shapes(*args: Any) -> tuple[int, ...]:
    """The shape that these shapes broadcast to."""
    return _common_shape("broadcast_shapes", [as_shape(s) for s in args])


def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Tensor:
    """``array`` repeated along new leading axes and axes of length 1, to ``shape``."""
    return broadcast.broadcast_to(tensor(array), as_shape(shape))


def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Tensor, ...]:
    """All broadcast to their common shape."""
    xs = tensors(args)
    shape = _common_shape("broadcast_arrays", [x.shape for x in xs])
    return tuple([broadcast.broadcast_to(x, shape) for x in xs])


def flip(m: Any, axis: Any = None) -> Tensor:
    """The order of elements along ``axis`` (one, several, or all if None) reversed."""
    x = tensor(m)
    return shapes.flip(x, several_axes("flip", axis, x.ndim))


def flipud(m: Any) -> Tensor:
    """The order of elements along the first axis reversed."""
    return flip(m, 0)


def fliplr(m: Any) -> Tensor:
    """The order of elements along the second axis reversed."""
    return flip(m, 1)


def roll(a: Any, shift: Any, axis: Any = None) -> Tensor:
    """Element i along ``axis`` moved to i + ``shift``, modulo the length; flattened if None.

    The shift is part of the program: for one that changes from call to call use ``x[indices]``.
    """
    x = tensor(a)
    if axis is None:
        return shapes.reshape(roll(ravel(x), shift, 0), x.shape)
    axes = [
        one_axis("roll", i, x.ndim) for i in (axis if isinstance(axis, tuple | list) else (axis,))
    ]
    if isinstance(shift, tuple | list):  # shifts and axes broadcast
        axes = axes * len(shift) if len(axes) == 1 else axes
        shift = shift[0] if len(shift) == 1 else shift
    return shapes.roll(x, integers("roll", shift, len(axes)), axes)


def rot90(m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """Rotated ``k`` times by 90 degrees, from the first towards the second of ``axes``."""
    x = tensor(m)
    first, second = several_axes("rot90", axes, x.ndim)
    k %= 4
    if k == 2:
        return shapes.flip(x, (first, second))
    if k == 1:
        return swapaxes(shapes.flip(x, (second,)), first, second)
    return shapes.flip(swapaxes(x, first, second), (second,)) if k else x
