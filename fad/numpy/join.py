"""Join, part and repeat: tensors put together, taken apart, tiled and padded."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fad.core import dtypes
from fad.core.aval import SCALARS
from fad.core.dtypes import DType
from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.tensor import Tensor, aval_of
from fad.numpy import indexing
from fad.numpy.axes import as_shape, integers, is_sequence, one_axis, tensor, tensors
from fad.numpy.dtypes import as_dtype
from fad.numpy.shapes import atleast_1d, atleast_2d, atleast_3d, ravel
from fad.numpy.ufunc import refuse_out
from fad.primitives import broadcast
from fad.primitives import join as joins
from fad.primitives import shape as shapes

__all__ = [
    "append", "array_split", "block", "column_stack", "concat", "concatenate", "dsplit", "dstack",
    "hsplit", "hstack", "repeat", "resize", "split", "stack", "tile", "unstack", "vsplit", "vstack",
]  # fmt: skip


def _parts(name: str, arrays: Any) -> list[Tensor]:
    """The tensors in a sequence, or along the first axis of a tensor."""
    if isinstance(arrays, Tensor):
        return list(joins.unstack(arrays))
    parts = tensors(arrays)
    if not parts:
        raise FadValueError(located(f"{name}: need at least one tensor"))
    return parts


def concatenate(
    arrays: Any, /, axis: int | None = 0, out: None = None, *, dtype: Any = None,
    casting: str = "same_kind",
) -> Tensor:  # fmt: skip
    """Tensors joined along an axis they have (flattened first if ``axis`` is None).

    >>> import fad.numpy as fnp
    >>> fnp.concatenate([fnp.zeros(2), fnp.ones(1)])
    fad.Tensor([0., 0., 1.])
    """
    refuse_out("concatenate", out, "parts")
    parts = _parts("concatenate", arrays)
    if axis is None:
        parts, axis = [ravel(x) for x in parts], 0
    if not parts[0].ndim:
        raise FadValueError(
            located("zero-dimensional tensors cannot be concatenated; use stack to join numbers")
        )
    along = one_axis("concatenate", axis, parts[0].ndim)
    return joins.concatenate(parts, along, _target(parts, dtype, casting))


def _target(parts: Sequence[Any], dtype: Any, casting: str) -> DType:
    """The dtype of the result. As in NumPy, Python scalars are not weak here."""
    common = dtypes.result_type(tuple([(aval_of(x).dtype, False) for x in parts]))[0]
    if dtype is None:
        return common
    target = as_dtype(dtype)
    if dtypes.bfloat16 not in (common, target) and not np.can_cast(common, target, casting):  # type: ignore[arg-type]
        raise FadTypeError(
            located(f"cannot cast from {common} to {target} according to the rule {casting!r}")
        )
    return target


concat = concatenate


def stack(
    arrays: Any, axis: int = 0, out: None = None, *, dtype: Any = None, casting: str = "same_kind"
) -> Tensor:
    """Tensors (or numbers) of one shape joined along a new axis.

    >>> import fad.numpy as fnp
    >>> fnp.stack([fnp.zeros(2), fnp.ones(2)], axis=1).shape
    (2, 2)
    """
    refuse_out("stack", out, "parts")
    if isinstance(arrays, Tensor):
        return stack(joins.unstack(arrays), axis, dtype=dtype, casting=casting)
    parts = [x if type(x) in SCALARS else tensor(x) for x in arrays]
    if not parts:
        raise FadValueError(located("stack: need at least one tensor"))
    along = one_axis("stack", axis, aval_of(parts[0]).ndim + 1)
    return joins.stack(parts, along, _target(parts, dtype, casting))


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """The parts of ``x`` along ``axis``, without that axis."""
    x = tensor(x)
    return joins.unstack(x, one_axis("unstack", axis, x.ndim))


def _stacked(
    name: str, arrays: Any, atleast: Callable[[Any], Any], axis: int, **options: Any
) -> Tensor:
    return concatenate([atleast(x) for x in _parts(name, arrays)], axis, **options)


def vstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Tensor:
    """Rows (or blocks of rows) one below the other."""
    return _stacked("vstack", tup, atleast_2d, 0, dtype=dtype, casting=casting)


def hstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Tensor:
    """Joined along the second axis, vectors along their only one."""
    parts = [atleast_1d(x) for x in _parts("hstack", tup)]
    return concatenate(parts, 0 if parts[0].ndim == 1 else 1, dtype=dtype, casting=casting)


def dstack(tup: Any) -> Tensor:
    """Joined along the third axis."""
    return _stacked("dstack", tup, atleast_3d, 2)


def column_stack(tup: Any) -> Tensor:
    """Vectors as columns, and matrices as they are, side by side."""
    parts = [
        shapes.reshape(x, (x.size, 1)) if x.ndim < 2 else x for x in _parts("column_stack", tup)
    ]
    return concatenate(parts, 1)


def append(arr: Any, values: Any, axis: int | None = None) -> Tensor:
    """``values`` after ``arr``, both flattened if ``axis`` is None."""
    return concatenate([tensor(arr), tensor(values)], axis)


def block(arrays: Any) -> Tensor:
    """Blocks in nested lists put together: the innermost lists along the last axis, and so on."""
    depth = _depth(arrays)
    ndim = max(depth, _most_axes(arrays))
    return _block(arrays, ndim, depth)


def _depth(arrays: Any) -> int:
    if not isinstance(arrays, list):
        return 0
    depths = {_depth(a) for a in arrays}
    if len(depths) != 1:
        raise FadValueError(located("block: all lists must be nested equally deep, and not empty"))
    return 1 + depths.pop()


def _most_axes(arrays: Any) -> int:
    return max(map(_most_axes, arrays)) if isinstance(arrays, list) else tensor(arrays).ndim


def _block(arrays: Any, ndim: int, depth: int) -> Tensor:
    if isinstance(arrays, list):
        return concatenate([_block(a, ndim, depth - 1) for a in arrays], -depth)
    x = tensor(arrays)
    return shapes.reshape(x, (1,) * (ndim - x.ndim) + x.shape)


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Parts along ``axis``: so many, as equal as can be, or cut before the given indices."""
    x = tensor(ary)
    axis = one_axis("array_split", axis, x.ndim)
    n = x.shape[axis]
    if is_sequence(indices_or_sections):
        return _cut(x, [slice(None, int(i)) for i in indices_or_sections], n, axis)
    sections = int(indices_or_sections)
    if sections < 1:
        raise FadValueError(located(f"array_split: number of sections must be > 0, got {sections}"))
    small, larger = divmod(n, sections)
    return list(joins.split(x, [small + 1] * larger + [small] * (sections - larger), axis))


def _cut(x: Tensor, before: list[slice], n: int, axis: int) -> list[Tensor]:
    ends = [s.indices(n)[1] for s in before] + [n]
    starts = [0, *ends[:-1]]
    if starts == sorted(starts) and ends == sorted(ends):
        sizes = [end - start for start, end in zip(starts, ends, strict=True)]
        return list(joins.split(x, sizes, axis))
    spans = zip(starts, ends, strict=True)
    return [shapes.slice_axis(x, a, max(a, b), axis=axis) for a, b in spans]


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Equal parts along ``axis``, or parts cut before the given indices.

    >>> import fad.numpy as fnp
    >>> [part.shape for part in fnp.split(fnp.zeros(6), 3)]
    [(2,), (2,), (2,)]
    """
    x = tensor(ary)
    if not is_sequence(indices_or_sections):
        n = x.shape[one_axis("split", axis, x.ndim)]
        if n % int(indices_or_sections):
            raise FadValueError(
                located(
                    f"split: an axis of length {n} does not divide into {indices_or_sections} "
                    "equal parts; array_split allows unequal ones"
                )
            )
    return array_split(x, indices_or_sections, axis)


def vsplit(ary: Any, indices_or_sections: Any) -> list[Tensor]:
    """:func:`split` along the first axis of at least two."""
    return split(_with_axes("vsplit", ary, 2), indices_or_sections, 0)


def hsplit(ary: Any, indices_or_sections: Any) -> list[Tensor]:
    """:func:`split` along the second axis, or the only one."""
    x = _with_axes("hsplit", ary, 1)
    return split(x, indices_or_sections, min(x.ndim - 1, 1))


def dsplit(ary: Any, indices_or_sections: Any) -> list[Tensor]:
    """:func:`split` along the third axis."""
    return split(_with_axes("dsplit", ary, 3), indices_or_sections, 2)


def _with_axes(name: str, ary: Any, least: int) -> Tensor:
    x = tensor(ary)
    if x.ndim < least:
        raise FadValueError(
            located(f"{name} only works on tensors of {least} or more dimensions, got {x.ndim}")
        )
    return x


def tile(A: Any, reps: Any) -> Tensor:
    """``A`` repeated as a whole, ``reps`` times along each axis; new axes come first."""
    x = tensor(A)
    counts = as_shape(reps)
    ndim = max(x.ndim, len(counts))
    counts = (1,) * (ndim - len(counts)) + counts
    shape = (1,) * (ndim - x.ndim) + x.shape
    apart = shapes.reshape(x, tuple([n for length in shape for n in (1, length)]))
    pairs = list(zip(counts, shape, strict=True))
    repeated = broadcast.broadcast_to(apart, tuple([n for pair in pairs for n in pair]))
    return shapes.reshape(repeated, tuple([math.prod(pair) for pair in pairs]))


def repeat(a: Any, repeats: Any, axis: int | None = None) -> Tensor:
    """Each element along ``axis`` repeated (flattened first if None): all equally often, or each
    as often as ``repeats`` says. The numbers must be known: they determine a shape."""
    x = tensor(a)
    if axis is None:
        x, axis = ravel(x), 0
    axis = one_axis("repeat", axis, x.ndim)
    n = x.shape[axis]
    if isinstance(repeats, Tensor):
        repeats = np.asarray(repeats.concrete("repeat").realize())
    if np.size(repeats) == 1:
        return _repeated(x, int(np.reshape(repeats, ())), axis)
    counts = integers("repeat", repeats, n)
    return indexing.take(x, np.repeat(np.arange(n), counts), axis=axis)


def resize(a: Any, new_shape: Any) -> Tensor:
    """The elements of ``a``, flattened, in a new shape: cut off, or over and over again.

    >>> import fad.numpy as fnp
    >>> fnp.resize([1, 2, 3], (2, 4))
    fad.Tensor([[1, 2, 3, 1],
                [2, 3, 1, 2]])
    """
    x = ravel(tensor(a))
    shape = as_shape(new_shape)
    if any(n < 0 for n in shape):
        raise FadValueError(located("resize: all elements of `new_shape` must be non-negative"))
    size = math.prod(shape)
    if not x.size or not size:
        return broadcast.full(shape, 0, x.dtype)
    times = -(-size // x.size)
    whole = x if times == 1 else _repeated(shapes.reshape(x, (1, x.size)), times, 0)
    return shapes.reshape(shapes.slice_axis(ravel(whole), 0, size), shape)


def _repeated(x: Tensor, count: int, axis: int) -> Tensor:
    shape = x.shape
    apart = shapes.expand_dims(x, (axis + 1,))
    repeated = broadcast.broadcast_to(apart, (*shape[: axis + 1], count, *shape[axis + 1 :]))
    return shapes.reshape(repeated, (*shape[:axis], shape[axis] * count, *shape[axis + 1 :]))
