"""Convolution along one axis, with channels: what ``convolve`` and ``correlate`` come down to.

``out[g, a, b, s] = sum over c, i + j = start + s of x[g, a, c, i] * y[g, c, b, j]``. One operation
is closed under its own derivatives and under batching: the cotangent of either operand is a
convolution of the result's cotangent with the other operand, reversed, and an axis that only one
operand has becomes a free axis of it, as in a matrix product.

Short sums are taken term by term. Else the kernel is a matrix product: overlapping frames of ``x``,
which give one block of the result each, times the matrix of all shifts of ``y``, in bounded memory
and at the speed of a matrix product. Its zeros would spread an infinity or NaN over a whole block,
so where there is one the sum is taken term by term too. (XLA's own convolution of float64 can crash
on the CPU for operands of some 100,000 elements; that of float32 takes ten times as long where both
are long.)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core import dtypes
from fad.core.apply import apply2
from fad.core.aval import Aval, Shape, make_aval
from fad.core.errors import FadValueError, located
from fad.core.primitive import Operation
from fad.primitives.broadcast import convert
from fad.primitives.declare import Sample, primitive
from fad.primitives.derivative import Multilinear
from fad.primitives.shape import flip, reshape, transpose

_SHORT = 1 << 18
"""Up to so many multiplications go term by term: quicker to compile and as quick to run."""
_UNROLLED = 8
"""Up to this length of the shorter operand without a loop."""
_BLOCK = 128
"""Elements of the result in a row of the product; longer ones cost memory, shorter ones speed."""
_CHUNK = 1 << 22
"""Elements of frames that are in memory at a time."""


# ----------------------------------------------------------------------------------------- kernel


def _windows(x: Any, starts: Any, length: int) -> Any:
    """``x[..., s:s + length]`` for each start, along a new axis before the last."""
    lead = x.ndim - 1
    numbers = lax.GatherDimensionNumbers(
        offset_dims=(*range(lead), lead + 1), collapsed_slice_dims=(), start_index_map=(lead,)
    )
    mode = lax.GatherScatterMode.PROMISE_IN_BOUNDS
    return lax.gather(x, starts[:, None], numbers, (*x.shape[:-1], length), mode=mode)


def _as_product(x: Any, y: Any, start: int, length: int) -> Any:
    """The convolution of finite numbers; ``y`` is the shorter operand."""
    m = y.shape[-1]
    block = min(_BLOCK, max(m, 8), length)
    count = -(-length // block)
    width = block + m - 1
    # Frame k of x begins m - 1 before element k * block of the result.
    low = m - 1 - start
    x = _cut(x, -low, count * block + m - 1)
    y = _cut(lax.rev(y, (y.ndim - 1,)), 1 - block, m + 2 * (block - 1))
    # shifts[g, c, b, i, w] = y[g, c, b, i + m - 1 - w]
    shifts = _windows(y, block - 1 - lax.iota(np.int64, block), width)

    def product(first: Any, rows: int) -> Any:
        frames = _windows(x, first + block * lax.iota(np.int64, rows), width)
        # (g, a, c, rows, width) times (g, c, b, block, width) gives (g, a, rows, b, block)
        return lax.dot_general(
            frames, shifts, (((2, 4), (1, 4)), ((0,), (0,))), precision=lax.Precision.HIGHEST,
            preferred_element_type=x.dtype,
        )  # fmt: skip

    rows = max(1, min(count, _CHUNK // max(1, width * math.prod(x.shape[:-1]))))
    if rows == count:
        blocks = product(0, count)
    else:
        blocks = _in_chunks(product, rows, count, block)
    out = lax.transpose(blocks, (0, 1, 3, 2, 4))
    out = lax.reshape(out, (*out.shape[:3], count * block))
    return lax.slice_in_dim(out, 0, length, axis=3)


def _in_chunks(product: Any, rows: int, count: int, block: int) -> Any:
    """All rows of the product, so many at a time; the last ones begin early, to be in bounds."""
    first = product(0, rows)
    shape = (*first.shape[:2], count, *first.shape[3:])

    def body(i: Any, out: Any) -> Any:
        row = lax.min(i * rows, np.int64(count - rows))
        return lax.dynamic_update_slice_in_dim(out, product(row * block, rows), row, 2)

    start = lax.dynamic_update_slice_in_dim(jnp.zeros(shape, first.dtype), first, 0, 2)
    return lax.fori_loop(np.int64(1), np.int64(-(-count // rows)), body, start)


def _cut(x: Any, start: int, length: int) -> Any:
    """``x[..., start:start + length]`` with zeros outside of ``x``."""
    edges = [(0, 0, 0)] * (x.ndim - 1) + [(-start, start + length - x.shape[-1], 0)]
    return lax.pad(x, np.zeros((), x.dtype), edges)


def _term_by_term(x: Any, y: Any, start: int, length: int) -> Any:
    """The same, where only what is in the sum enters it."""
    n, m = x.shape[-1], y.shape[-1]
    padded = _cut(x, start - m + 1, length + m - 1)
    places = lax.iota(np.int64, length) + start

    def body(j: Any, out: Any) -> Any:
        part = lax.dynamic_slice_in_dim(padded, m - 1 - j, length, axis=3)
        factor = lax.dynamic_slice_in_dim(y, j, 1, axis=3)
        terms = part[:, :, :, None, :] * factor[:, None, :, :, :]
        inside = (places - j >= 0) & (places - j < n)
        return out + jnp.sum(jnp.where(inside, terms, np.zeros((), x.dtype)), axis=2)

    out = jnp.zeros((x.shape[0], x.shape[1], y.shape[2], length), x.dtype)
    if m > _UNROLLED:
        return lax.fori_loop(np.int64(0), np.int64(m), body, out)
    for j in range(m):
        out = body(np.int64(j), out)
    return out


def _finite(x: Any) -> Any:
    if jnp.issubdtype(x.dtype, jnp.complexfloating):
        return _finite(lax.real(x)) & _finite(lax.imag(x))
    return jnp.all(lax.is_finite(x))


def _kernel(x: Any, y: Any, *, start: int, length: int) -> Any:
    dtype = dtypes.promote_types(np.dtype(x.dtype), np.dtype(y.dtype))
    wide = jnp.float32 if dtype in (dtypes.float16, dtypes.bfloat16) else dtype
    if dtype == dtypes.bool_:
        wide = jnp.int32
    x, y = (lax.convert_element_type(v, wide) for v in (x, y))
    if x.shape[-1] < y.shape[-1]:
        out = lax.transpose(_ordered(_turned(y), _turned(x), start, length), (0, 2, 1, 3))
    else:
        out = _ordered(x, y, start, length)
    return out != 0 if dtype == dtypes.bool_ else lax.convert_element_type(out, dtype)


def _turned(x: Any) -> Any:
    """An operand on the other side: its free and its summed axis exchanged."""
    return lax.transpose(x, (0, 2, 1, 3))


def _ordered(x: Any, y: Any, start: int, length: int) -> Any:
    shape = (x.shape[0], x.shape[1], y.shape[2], length)
    if 0 in (*x.shape, *y.shape, *shape):
        return jnp.zeros(shape, x.dtype)
    if math.prod(shape) * x.shape[2] * y.shape[-1] <= _SHORT:
        return _term_by_term(x, y, start, length)
    if not jnp.issubdtype(x.dtype, jnp.inexact):
        return _as_product(x, y, start, length)
    return lax.cond(
        _finite(x) & _finite(y),
        lambda x, y: _as_product(x, y, start, length),
        lambda x, y: _term_by_term(x, y, start, length),
        x,
        y,
    )  # fmt: skip


# ----------------------------------------------------------------------- derivatives and batching


def _infer(x: Aval, y: Aval, *, start: int, length: int) -> Aval:
    if x.shape[0] != y.shape[0] or x.shape[2] != y.shape[1]:
        raise FadValueError(
            located(f"convolve: operands of shapes {x.shape} and {y.shape} do not fit")
        )
    shape = (x.shape[0], x.shape[1], y.shape[2], length)
    return make_aval(shape, dtypes.promote_types(x.dtype, y.dtype))


def _pull_x(g: Any, y: Any, aval: Aval, *, start: int) -> Any:
    turned = flip(transpose(y, (0, 2, 1, 3)), (3,))
    return convert(convolve(g, turned, y.aval.shape[3] - 1 - start, aval.shape[3]), aval.dtype)


def _pull_y(g: Any, x: Any, aval: Aval, *, start: int) -> Any:
    turned = flip(transpose(x, (0, 2, 1, 3)), (3,))
    return convert(convolve(turned, g, x.aval.shape[3] - 1 - start, aval.shape[3]), aval.dtype)


def _batch(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    """One convolution in every case: an axis that one operand has alone becomes a free axis."""
    x, y = operands
    start, length = operation.params["start"], operation.params["length"]
    if all(batched):
        groups = size * x.shape[1]
        x, y = (reshape(v, (groups, *v.shape[2:])) for v in operands)
        out = convolve(x, y, start, length)
        return reshape(out, (size, groups // size if size else 0, *out.shape[1:])), True
    if batched[0]:
        _, g, a, c, n = x.shape
        x = reshape(transpose(x, (1, 0, 2, 3, 4)), (g, size * a, c, n))
        out = convolve(x, y, start, length)
        out = reshape(out, (g, size, a, *out.shape[2:]))
        return transpose(out, (1, 0, 2, 3, 4)), True
    _, g, c, b, m = y.shape
    y = reshape(transpose(y, (1, 2, 0, 3, 4)), (g, c, size * b, m))
    out = convolve(x, y, start, length)
    out = reshape(out, (g, out.shape[1], size, b, length))
    return transpose(out, (2, 0, 1, 3, 4)), True


def _draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(13).normal(size=shape)


def _samples() -> list[Sample]:
    def case(x: Any, y: Any, start: int, length: int) -> Sample:
        return Sample((x, y), {"start": start, "length": length})

    return [
        case(_draw(1, 1, 1, 7), _draw(1, 1, 1, 3), 0, 9),
        case(_draw(2, 3, 2, 4), _draw(2, 2, 1, 6), 3, 5),
        case(_draw(1, 2, 1, 3), _draw(1, 1, 2, 2), -2, 8),
        case(_draw(1, 1, 1, 3), _draw(1, 1, 1, 2) + 1j, 1, 2),
        case(_draw(1, 1, 1, 2) + 1j, _draw(1, 1, 1, 2), 0, 3),
        case(np.arange(5).reshape(1, 1, 1, 5), np.arange(3).reshape(1, 1, 1, 3), 0, 7),
        case(_draw(1, 2, 0, 4), _draw(1, 0, 1, 2), 0, 5),
    ]


def _reference(x: Any, y: Any, *, start: int, length: int) -> Any:
    shape: Shape = (x.shape[0], x.shape[1], y.shape[2], length)
    out = np.zeros(shape, np.result_type(x, y))
    for g, a, b, c in np.ndindex(x.shape[0], x.shape[1], y.shape[2], x.shape[2]):
        full = np.convolve(x[g, a, c], y[g, c, b])
        for s in range(length):
            if 0 <= start + s < full.size:
                out[g, a, b, s] += full[start + s]
    return out


CONVOLVE = primitive(
    "convolve",
    _kernel,
    Multilinear([_pull_x, _pull_y]),
    infer=_infer,
    batch=_batch,
    samples=_samples,
    reference=_reference,
    compile_cost=60.0,
    formula="Σ x[c, i] y[c, j] over c and i + j = start + s",
)


def convolve(x: Any, y: Any, start: int, length: int) -> Any:
    """Elements ``start`` to ``start + length`` of the full convolution, zeros beyond its ends.

    ``x`` has the axes (groups, a, c, n) and ``y`` (groups, c, b, m), where c is summed over; the
    result has (groups, a, b, length).
    """
    return apply2(CONVOLVE(start=start, length=length), x, y)
