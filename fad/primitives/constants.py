"""Constants that a program makes itself: counting numbers, identity and triangular masks."""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax

from fad.core import dtypes
from fad.core.apply import apply
from fad.core.aval import make_aval
from fad.core.dtypes import DType
from fad.primitives.declare import Sample, primitive

IOTA = primitive(
    "iota",
    lambda *, size, dtype: lax.iota(dtype, size),
    None,
    infer=lambda *, size, dtype: make_aval((size,), dtype),
    samples=lambda: [
        Sample((), {"size": 4, "dtype": dtypes.int64}),
        Sample((), {"size": 0, "dtype": dtypes.float64}),
    ],
    reference=lambda *, size, dtype: np.arange(size, dtype=dtype),
    formula="0, 1, ..., size - 1",
)


def iota(size: int, dtype: DType = dtypes.int64) -> Any:
    """0, 1, ..., size - 1."""
    return apply(IOTA(size=size, dtype=dtype))


def _diagonals(rows: int, columns: int) -> tuple[Any, Any]:
    """Row and column number of each element."""
    shape = (rows, columns)
    return lax.broadcasted_iota(np.int64, shape, 0), lax.broadcasted_iota(np.int64, shape, 1)


def _eye(*, n: int, m: int, k: int, dtype: DType) -> Any:
    rows, columns = _diagonals(n, m)
    return lax.convert_element_type(rows + k == columns, dtype)


EYE = primitive(
    "eye",
    _eye,
    None,
    infer=lambda *, n, m, k, dtype: make_aval((n, m), dtype),
    samples=lambda: [
        Sample((), {"n": 3, "m": 3, "k": 0, "dtype": dtypes.float64}),
        Sample((), {"n": 2, "m": 4, "k": 1, "dtype": dtypes.int64}),
        Sample((), {"n": 0, "m": 2, "k": -1, "dtype": dtypes.bool_}),
    ],
    reference=lambda *, n, m, k, dtype: np.eye(n, m, k, dtype),
    formula="1 where column - row = k, else 0",
)


def eye(n: int, m: int, k: int, dtype: DType) -> Any:
    """An n by m matrix with ones on diagonal ``k`` (above the main one if positive)."""
    return apply(EYE(n=n, m=m, k=k, dtype=dtype))


def _tri(*, n: int, m: int, k: int) -> Any:
    rows, columns = _diagonals(n, m)
    return columns <= rows + k


TRI = primitive(
    "tri",
    _tri,
    None,
    infer=lambda *, n, m, k: make_aval((n, m), dtypes.bool_),
    samples=lambda: [
        Sample((), {"n": 3, "m": 3, "k": 0}),
        Sample((), {"n": 2, "m": 4, "k": -1}),
        Sample((), {"n": 0, "m": 2, "k": 1}),
    ],
    reference=lambda *, n, m, k: np.tri(n, m, k, dtype=bool),
    formula="1 where column - row <= k, else 0",
)


def tri(n: int, m: int, k: int) -> Any:
    """An n by m boolean matrix, true at and below diagonal ``k``."""
    return apply(TRI(n=n, m=m, k=k))
