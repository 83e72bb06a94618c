"""Identities that mean something to a transform or to XLA, and the rows of a basis."""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core import dtypes
from fad.core.apply import apply, apply1
from fad.core.aval import make_aval
from fad.core.dtypes import DType
from fad.primitives.declare import Sample, primitive
from fad.primitives.derivative import Linear

STOP_GRADIENT = primitive(
    "stop_gradient",
    lambda x: x,
    None,
    infer=lambda x: x,
    batch=lambda operation, size, operands, batched: (apply(operation, *operands), True),
    samples=lambda: [Sample((np.arange(3.0),)), Sample((np.float64(1.0),))],
    reference=lambda x: x,
    formula="x",
)
"""Has no derivative: every derivative level takes it off its tensors, other levels keep them."""


def in_memory(x: Any) -> Any:
    """The kernel of :func:`materialized`, for other kernels."""
    # XLA computes as a whole what is scattered into. The index lies outside, so nothing is written.
    if x.size < 2:
        return x
    numbers = lax.ScatterDimensionNumbers((), (0,), (0,))
    nothing = np.full((1, 1), x.size), jnp.zeros(1, x.dtype)
    mode = lax.GatherScatterMode.FILL_OR_DROP
    flat = lax.scatter(lax.reshape(x, (x.size,)), *nothing, numbers, mode=mode)
    return lax.reshape(flat, x.shape)


MATERIALIZED = primitive(
    "materialized",
    in_memory,
    Linear([lambda g: g]),
    infer=lambda x: x,
    batch=lambda operation, size, operands, batched: (apply(operation, *operands), True),
    samples=lambda: [Sample((np.arange(3.0),)), Sample((np.float64(1.0),))],
    reference=lambda x: x,
    formula="x",
)


def materialized(x: Any) -> Any:
    """``x``, which all its uses read from memory.

    XLA may else compute it anew as a part of each use, and round it differently in each: products
    and sums become instructions that round once, here and not there.
    """
    return apply1(MATERIALIZED(), x)


def _basis_kernel(offset: Any, *, count: int, size: int, dtype: DType) -> Any:
    rows = lax.broadcasted_iota(np.int64, (count, size), 0) + offset
    columns = lax.broadcasted_iota(np.int64, (count, size), 1)
    return lax.convert_element_type(rows == columns, dtype)


BASIS = primitive(
    "basis",
    _basis_kernel,
    None,
    infer=lambda offset, *, count, size, dtype: make_aval((count, size), dtype),
    samples=lambda: [
        Sample((np.int64(1),), {"count": 2, "size": 4, "dtype": dtypes.float64}),
        Sample((np.int64(-1),), {"count": 3, "size": 2, "dtype": dtypes.float64}),
    ],
    formula="rows x ... x + count - 1 of the identity",
)


def basis(count: int, size: int, offset: int, dtype: DType) -> Any:
    """Rows ``offset`` to ``offset + count`` of the identity matrix of ``size`` columns.

    The offset is a run-time argument, so the chunks of a Jacobian share one program.
    """
    if offset == 0 and count == size:
        return constants.eye(size, size, 0, dtype)
    return apply1(BASIS(count=count, size=size, dtype=dtype), offset)


from fad.primitives import constants  # noqa: E402
