"""Sorting: values, the permutation that sorts, and permuting along an axis.

XLA on the CPU sorts one integer operand quickly and everything else slowly. There, numbers are
mapped to unsigned keys in the same order, and the permutation is had by sorting words that hold 32
bits of a key above a position: twice for 64-bit keys, the low half first. NaN comes last.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core.apply import apply, apply1, apply2
from fad.core.aval import Aval, make_aval
from fad.core.dtypes import int64
from fad.core.errors import FadValueError, located
from fad.core.primitive import Operation, ReverseRule
from fad.primitives.declare import Convention, Sample, primitive
from fad.primitives.derivative import Linear, PerOperand
from fad.primitives.gather import Selection, gather, spread
from fad.primitives.scans import batch_along
from fad.primitives.shape import moveaxis

_UNSIGNED = {1: jnp.uint8, 2: jnp.uint16, 4: jnp.uint32, 8: jnp.uint64}
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def _draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(7).normal(size=shape)


# ---------------------------------------------------------------------------------------- kernels


def _keys(x: Any, descending: bool) -> Any:
    """Unsigned integers in the order of the real numbers ``x``, -0.0 before 0.0, NaN last."""
    unsigned = _UNSIGNED[x.dtype.itemsize]
    if x.dtype == jnp.bool_:
        keys = x.astype(unsigned)
    elif jnp.issubdtype(x.dtype, jnp.unsignedinteger):
        keys = x
    else:
        top = unsigned(1) << unsigned(8 * x.dtype.itemsize - 1)
        if jnp.issubdtype(x.dtype, jnp.floating):
            x = jnp.where(x != x, jnp.full_like(x, jnp.nan), x)  # a NaN may have a sign
        bits = lax.bitcast_convert_type(x, unsigned)
        flip = top
        if jnp.issubdtype(x.dtype, jnp.floating):
            flip = jnp.where(bits >= top, unsigned(~unsigned(0)), top)
        keys = bits ^ flip
    return ~keys if descending else keys


def _numbers(keys: Any, dtype: Any, descending: bool) -> Any:
    """The real numbers whose keys these are."""
    keys = ~keys if descending else keys
    if dtype == jnp.bool_ or jnp.issubdtype(dtype, jnp.unsignedinteger):
        return keys.astype(dtype)
    unsigned = keys.dtype.type
    top = unsigned(1) << unsigned(8 * dtype.itemsize - 1)
    flip = top
    if jnp.issubdtype(dtype, jnp.floating):
        flip = jnp.where(keys < top, unsigned(~unsigned(0)), top)
    return lax.bitcast_convert_type(keys ^ flip, dtype)


def _order_by_keys(x: Any, axis: int, descending: bool) -> Any:
    """The stable permutation that sorts real ``x``, of fewer than 2**32 elements along ``axis``."""
    zero = x.dtype.type(0)
    keys = _keys(jnp.where(x == zero, zero, x), descending)  # -0.0 and 0.0 are equal
    place = lax.broadcasted_iota(jnp.uint64, x.shape, axis)

    def sort_words(half: Any) -> Any:
        return lax.sort((half.astype(jnp.uint64) << _HALF) | place, axis) & _LOW

    if x.dtype.itemsize < 8:
        return sort_words(keys).astype(jnp.int64)
    first = sort_words(keys & _LOW).astype(jnp.int64)
    second = sort_words(_permuted(keys >> _HALF, first, axis)).astype(jnp.int64)
    return _permuted(first, second, axis)


def _order_by_sort(x: Any, axis: int, descending: bool) -> Any:
    if descending:  # equal elements keep their order, so it is the mirror image that is sorted
        x = lax.rev(x, (axis,))
    place = lax.broadcasted_iota(jnp.int64, x.shape, axis)
    order = lax.sort((x, place), dimension=axis, is_stable=True, num_keys=1)[1]
    return x.shape[axis] - 1 - lax.rev(order, (axis,)) if descending else order


def _order(x: Any, axis: int, descending: bool) -> Any:
    if not x.size or jnp.issubdtype(x.dtype, jnp.complexfloating) or x.shape[axis] >= 2**32:
        return _order_by_sort(x, axis, descending)
    return lax.platform_dependent(
        x,
        cpu=lambda x: _order_by_keys(x, axis, descending),
        default=lambda x: _order_by_sort(x, axis, descending),
    )


def _sort(x: Any, *, axis: int, descending: bool) -> Any:
    def plain(x: Any) -> Any:
        out = lax.sort(x, axis)
        return lax.rev(out, (axis,)) if descending else out

    if not x.size or jnp.issubdtype(x.dtype, jnp.complexfloating):
        return plain(x)
    return lax.platform_dependent(
        x,
        cpu=lambda x: _numbers(lax.sort(_keys(x, descending), axis), x.dtype, descending),
        default=plain,
    )


def _sort_with_order(x: Any, *, axis: int, descending: bool) -> tuple[Any, Any]:
    order = _order(x, axis, descending)
    return _permuted(x, order, axis), order


def _permuted(x: Any, order: Any, axis: int) -> Any:
    return jnp.take_along_axis(x, order, axis, mode="promise_in_bounds")


def _permute(x: Any, order: Any, *, axis: int, inverse: bool) -> Any:
    if not inverse:
        return _permuted(x, order, axis)
    index = [lax.broadcasted_iota(order.dtype, x.shape, a) for a in range(x.ndim)]
    index[axis] = order
    return jnp.zeros_like(x).at[tuple(index)].set(x, unique_indices=True, mode="promise_in_bounds")


# ----------------------------------------------------------------------------------- declarations


def _permute_reference(x: Any, order: Any, *, axis: int, inverse: bool) -> Any:
    return np.take_along_axis(x, np.argsort(order, axis) if inverse else order, axis)


PERMUTE = primitive(
    "permute",
    _permute,
    Linear([lambda g, y, *, axis, inverse: permute(g, y, axis, not inverse)]),
    infer=lambda x, order, *, axis, inverse: make_aval(x.shape, x.dtype),
    batch=batch_along,
    samples=lambda: [
        Sample((_draw(4), np.array([2, 0, 3, 1])), {"axis": 0, "inverse": False}),
        Sample((_draw(2, 3), np.array([[2, 0, 1], [0, 2, 1]])), {"axis": 1, "inverse": True}),
        Sample((_draw(2, 0), np.zeros((2, 0), int)), {"axis": 1, "inverse": False}),
    ],
    reference=_permute_reference,
    formula="out[i] = x[y[i]]",
)


def permute(x: Any, order: Any, axis: int, inverse: bool = False) -> Any:
    """``out[i] = x[order[i]]`` along ``axis``, or ``out[order[i]] = x[i]`` if ``inverse``.

    ``order`` has the shape of ``x`` and holds a permutation along ``axis``. That no index repeats
    sets it apart from a general gather: its transpose is a permutation and not a sum.
    """
    return apply2(PERMUTE(axis=axis, inverse=inverse), x, order)


def _samples() -> list[Sample]:
    up = {"axis": 0, "descending": False}
    return [
        Sample((_draw(2, 4),), {"axis": 1, "descending": True}),
        Sample((_draw(0, 2),), up),
        Sample((np.array([2.0, -1.0, 2.0, -0.0, 0.0, np.nan, np.inf, -np.inf]),), up),
        Sample((np.array([3, -5, 3, 0], np.int16),), {"axis": 0, "descending": True}),
        Sample((np.array([True, False, True]),), up),
    ]


def _sort_reference(x: Any, *, axis: int, descending: bool) -> Any:
    out = np.sort(x, axis)
    return np.flip(out, axis) if descending else out


def _order_reference(x: Any, *, axis: int, descending: bool) -> Any:
    if descending:
        mirrored = np.argsort(np.flip(x, axis), axis, stable=True)
        order = x.shape[axis] - 1 - np.flip(mirrored, axis)
    else:
        order = np.argsort(x, axis, stable=True)
    return np.take_along_axis(x, order, axis), order


def _infer_pair(x: Aval, *, axis: int, descending: bool) -> tuple[Aval, Aval]:
    return make_aval(x.shape, x.dtype), make_aval(x.shape, int64)


SORT_WITH_ORDER = primitive(
    "sort_with_order",
    _sort_with_order,
    PerOperand(
        [lambda t, out, *, axis, descending: (permute(t, out[1], axis), None)],
        [lambda g, out, *, axis, descending: permute(g[0], out[1], axis, inverse=True)],
    ),
    infer=_infer_pair,
    batch=batch_along,
    multiple=True,
    samples=_samples,
    reference=_order_reference,
    compile_cost=15.0,
    formula="x sorted, and the permutation that sorts it",
)


def sort_with_order(x: Any, axis: int, descending: bool = False) -> tuple[Any, Any]:
    """``x`` sorted along ``axis``, and the permutation that sorts it, which is stable."""
    return apply(SORT_WITH_ORDER(axis=axis, descending=descending), x)


class _SortDerivative:
    """Differentiated, a sort also computes its permutation, which costs twice the sort itself."""

    def forward(
        self, operation: Operation, primals: tuple[Any, ...], tangents: tuple[Any, ...]
    ) -> tuple[Any, Any]:
        out, order = apply(SORT_WITH_ORDER(**operation.params), *primals)
        return out, permute(tangents[0], order, operation.params["axis"])

    def reverse(self, operation: Operation, mask: int) -> ReverseRule:
        axis = operation.params["axis"]
        return ReverseRule(
            operation,
            mask,
            lambda operands, out: (out[1],),
            lambda g, saved, targets: (permute(g, saved[0], axis, inverse=True),),
            SORT_WITH_ORDER(**operation.params),
            lambda out: out[0],
            keeps=0,
        )


SORT = primitive(
    "sort",
    _sort,
    _SortDerivative(),
    infer=lambda x, *, axis, descending: make_aval(x.shape, x.dtype),
    batch=batch_along,
    samples=_samples,
    reference=_sort_reference,
    oracle=lambda x, **params: _sort_with_order(x, **params)[0],
    compile_cost=15.0,
    conventions=[
        Convention(
            ([2.0, 1.0, 1.0],),
            ([0.0, 1.0, 0.0],),
            "equal elements keep their order",
            point="ties, first result",
            params={"axis": 0, "descending": False},
            cotangent=[1.0, 0.0, 0.0],
        ),
    ],
)


def sort(x: Any, axis: int, descending: bool = False) -> Any:
    """``x`` sorted along ``axis``. The derivative goes with the elements, ties in their order."""
    return apply1(SORT(axis=axis, descending=descending), x)


def argsort(x: Any, axis: int, descending: bool = False) -> Any:
    """The permutation that sorts ``x`` along ``axis``; equal elements keep their order."""
    return sort_with_order(x, axis, descending)[1]


# ------------------------------------------------------------------------------------ the largest


def _top_order(x: Any, k: int) -> Any:
    """Indices of the ``k`` largest along the last axis, NaN counting as the largest."""
    if jnp.issubdtype(x.dtype, jnp.complexfloating):
        return _order_by_sort(x, x.ndim - 1, True)[..., :k]
    if x.dtype == jnp.bool_:
        x = x.astype(jnp.int8)
    if x.dtype in (jnp.float16, jnp.bfloat16):
        x = x.astype(jnp.float32)
    if jnp.issubdtype(x.dtype, jnp.floating):
        x = jnp.where(x == 0, jnp.zeros_like(x), x)  # -0.0 and 0.0 are equal
        x = jnp.where(x != x, jnp.full_like(x, jnp.nan), x)  # a NaN may have a sign

    def by_compiler(x: Any) -> Any:
        return lax.top_k(x, k)[1].astype(jnp.int64)

    if x.dtype == jnp.float32 or not x.size:  # it has a selection for these, on the CPU too
        return by_compiler(x)
    return lax.platform_dependent(x, cpu=lambda x: _top_of_wide(x, k), default=by_compiler)


def _top_of_wide(x: Any, k: int) -> Any:
    """The same on the CPU, where the compiler selects among single-precision numbers only.

    Rounding to these keeps the order but for ties. So a few more of the rounded numbers are
    selected, and sorted; that is right unless the last of them ties with those that are needed.
    """
    last = x.ndim - 1
    more = 2 * k + 8
    if not k or x.shape[last] <= 4 * more:
        return _order(x, last, True)[..., :k]
    rounded = x.astype(jnp.float32)
    index = lax.top_k(rounded, more)[1].astype(jnp.int64)  # its values, sliced, would mean a sort
    selected = _permuted(rounded, index, last)

    def by_rounded(x: Any) -> Any:
        order = _order(_permuted(x, index, last), last, True)[..., :k]
        return _permuted(index, order, last)

    apart = selected[..., k - 1] > selected[..., more - 1]  # of NaN it is not true
    return lax.cond(jnp.all(apart), by_rounded, lambda x: _order(x, last, True)[..., :k], x)


def _top_k(x: Any, *, axis: int, k: int) -> tuple[Any, Any]:
    order = jnp.moveaxis(_top_order(jnp.moveaxis(x, axis, -1), k), -1, axis)
    return _permuted(x, order, axis), order


def _infer_top(x: Aval, *, axis: int, k: int) -> tuple[Aval, Aval]:
    n = x.shape[axis]
    if not 0 <= k <= n:
        raise FadValueError(located(f"top_k: there are no {k} largest of {n} elements"))
    shape = (*x.shape[:axis], k, *x.shape[axis + 1 :])
    return make_aval(shape, x.dtype), make_aval(shape, int64)


def _lines(ndim: int) -> Selection:
    """Different elements of each line along the last axis."""
    last = ndim - 1
    return Selection((last,), (None,), 0, last, "checked", unique=True)


def _pick(x: Any, index: Any, axis: int) -> Any:
    """``x[index]`` along ``axis``, line by line; no element is picked twice."""
    last = x.aval.ndim - 1
    picked = gather(moveaxis(x, axis, last), (moveaxis(index, axis, last),), _lines(last + 1))
    return moveaxis(picked, last, axis)


def _put(g: Any, index: Any, aval: Aval, axis: int) -> Any:
    """The transpose of :func:`_pick`."""
    last = aval.ndim - 1
    shape = (*aval.shape[:axis], *aval.shape[axis + 1 :], aval.shape[axis])
    put = spread(moveaxis(g, axis, last), (moveaxis(index, axis, last),), _lines(last + 1), shape)
    return moveaxis(put, last, axis)


def _top_reference(x: Any, *, axis: int, k: int) -> Any:
    pair = _order_reference(x, axis=axis, descending=True)
    return tuple([np.take(part, np.arange(k), axis) for part in pair])


TOP_K = primitive(
    "top_k",
    _top_k,
    PerOperand(
        [lambda t, out, *, axis, k: (_pick(t, out[1], axis), None)],
        [lambda g, out, aval, *, axis, k: _put(g[0], out[1], aval, axis)],
    ),
    infer=_infer_top,
    batch=batch_along,
    multiple=True,
    samples=lambda: [
        Sample((_draw(2, 4),), {"axis": 1, "k": 3}),
        Sample((_draw(4, 2),), {"axis": 0, "k": 1}),
        Sample((_draw(0, 2),), {"axis": 1, "k": 2}),
        Sample((np.array([2.0, -1.0, 2.0, -0.0, 0.0, np.nan, np.inf]),), {"axis": 0, "k": 6}),
        Sample((np.array([3, -5, 3, 0], np.int16),), {"axis": 0, "k": 2}),
    ],
    reference=_top_reference,
    compile_cost=15.0,
    formula="the k largest along the axis, and where they are",
)


def top_k(x: Any, k: int, axis: int) -> tuple[Any, Any]:
    """The ``k`` largest along ``axis``, descending, and their indices; of equals the first ones."""
    return apply(TOP_K(axis=axis, k=k), x)
