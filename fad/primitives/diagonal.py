"""Diagonals and triangles of the matrices in the last two axes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from jax import lax

from fad.core.apply import apply, apply1
from fad.core.aval import Shape, make_aval
from fad.core.primitive import Operation, Primitive
from fad.primitives.declare import Sample, primitive
from fad.primitives.derivative import Linear
from fad.primitives.shape import RESHAPE, SLICE, pad, reshape


def _draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(4).normal(size=shape)


def _triangle(x: Any, *, k: int, lower: bool) -> Any:
    rows = lax.broadcasted_iota(np.int64, x.shape, x.ndim - 2)
    columns = lax.broadcasted_iota(np.int64, x.shape, x.ndim - 1)
    keep = columns <= rows + k if lower else columns >= rows + k
    return lax.select(keep, x, lax.full_like(x, 0))


def _batch_triangle(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    return apply(operation, *operands), True


TRIANGLE: Primitive = primitive(
    "triangle",
    _triangle,
    Linear([lambda g, *, k, lower: apply1(TRIANGLE(k=k, lower=lower), g)]),
    infer=lambda x, *, k, lower: make_aval(x.shape, x.dtype),
    batch=_batch_triangle,
    samples=lambda: [
        Sample((_draw(3, 3),), {"k": 0, "lower": True}),
        Sample((_draw(2, 4, 3),), {"k": 1, "lower": False}),
        Sample((_draw(2, 4),), {"k": -1, "lower": True}),
        Sample((_draw(0, 2),), {"k": 0, "lower": False}),
    ],
    reference=lambda x, *, k, lower: (np.tril if lower else np.triu)(x, k),
    formula="x on one side of diagonal k, else 0",
)


def tril(x: Any, k: int = 0) -> Any:
    """``x`` with zeros above diagonal ``k`` of its last two axes, whatever stood there."""
    return apply1(TRIANGLE(k=k, lower=True), x)


def triu(x: Any, k: int = 0) -> Any:
    """``x`` with zeros below diagonal ``k`` of its last two axes, whatever stood there."""
    return apply1(TRIANGLE(k=k, lower=False), x)


def _span(rows: int, columns: int, k: int) -> tuple[int, int]:
    """Where diagonal ``k`` starts in the flattened matrix, and its length."""
    start = k if k >= 0 else -k * columns
    return start, max(min(rows - max(-k, 0), columns - max(k, 0)), 0)


def diagonal(x: Any, k: int = 0) -> Any:
    """Diagonal ``k`` of the last two axes of ``x``."""
    flat, cut = _diagonal_steps(x.aval.shape, k)
    return apply1(cut, apply1(flat, x))


@lru_cache(maxsize=1024)
def _diagonal_steps(shape: Shape, k: int) -> tuple[Operation, Operation]:
    """What makes a vector of each matrix, and what takes every so-manieth element of it."""
    *batch, rows, columns = shape
    start, length = _span(rows, columns, k)
    step = columns + 1
    first, limit = (start, start + (length - 1) * step + 1) if length else (0, 0)
    cut = SLICE(
        start=(*[0] * len(batch), first), limit=(*batch, limit), stride=(*[1] * len(batch), step)
    )
    return RESHAPE(shape=(*batch, rows * columns)), cut


def diagonal_matrix(v: Any, k: int = 0) -> Any:
    """Square matrices with the last axis of ``v`` on diagonal ``k`` and zeros elsewhere."""
    *batch, length = v.aval.shape
    n = length + abs(k)
    if not length:
        return pad(reshape(v, (*batch, 0, 0)), (0,) * (len(batch) + 2), (*[0] * len(batch), n, n))
    start, _ = _span(n, n, k)
    between = (0,) * len(batch)
    last = start + (length - 1) * (n + 1) + 1
    flat = pad(v, (*between, start), (*between, n * n - last), (*between, n))
    return reshape(flat, (*batch, n, n))
