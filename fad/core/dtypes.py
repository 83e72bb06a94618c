"""dtypes: which exist, how they promote (NumPy 2, NEP 50) and what their tangents are.

Two additions to NumPy's rules: bfloat16 promotes as float16 does (and to float32 when the two
meet), and a *weak* dtype, that of a Python scalar, gives way to any strong dtype of its kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import jax
import numpy as np
from jax import numpy as _jnp

from fad.core.errors import FadTypeError, located

DType = np.dtype[Any]

bool_ = np.dtype(np.bool_)
int64 = np.dtype(np.int64)
float16 = np.dtype(np.float16)
bfloat16: DType = np.dtype(_jnp.bfloat16)
float32 = np.dtype(np.float32)
float64 = np.dtype(np.float64)
complex64 = np.dtype(np.complex64)
complex128 = np.dtype(np.complex128)
float0: DType = np.dtype(jax.dtypes.float0)
"""The tangent dtype of integers and booleans: it has one value, zero, and takes no memory."""

SUPPORTED: frozenset[DType] = frozenset(
    [np.dtype(c) for c in "?bhilBHILefdFD"] + [bfloat16, np.dtype(np.int64), np.dtype(np.uint64)]
)

# Kinds in the order in which weak scalars promote: bool < integer < float < complex.
_KIND_ORDER = {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}
_DEFAULT_OF_KIND = (bool_, int64, float64, complex128)
_FLOAT_OF_INTEGER_SIZE: dict[int, DType] = {1: float16, 2: float32}
_REAL_OF: dict[DType, DType] = {complex64: float32, complex128: float64}


def kind(dtype: DType) -> str:
    """'b', 'i', 'u', 'f' or 'c'; bfloat16 counts as a float."""
    return "f" if dtype == bfloat16 else dtype.kind


def is_float0(x: Any) -> bool:
    """Whether ``x`` is an array of dtype float0: a tangent or cotangent of integers."""
    return isinstance(x, np.ndarray) and x.dtype == float0


def is_inexact(dtype: DType) -> bool:
    """Whether values of ``dtype`` can be differentiated: floats and complex numbers."""
    return kind(dtype) in "fc"


def check_supported(dtype: DType) -> DType:
    """``dtype`` itself, or an error for strings, objects, dates, structures and long doubles."""
    if dtype not in SUPPORTED:
        raise FadTypeError(
            located(
                f"dtype {dtype} is not supported: a tensor holds booleans, integers, "
                "float16, bfloat16, float32, float64, complex64 or complex128. "
                "Convert the array with .astype(...) first."
            )
        )
    return dtype


@cache
def promote_types(a: DType, b: DType) -> DType:
    """The smallest dtype to which both strong dtypes convert, as ``numpy.promote_types`` has it."""
    if a == b:
        return a
    if bfloat16 not in (a, b):
        return np.promote_types(a, b)
    other = b if a == bfloat16 else a
    as_half = np.promote_types(float16, other)
    if other == float16:
        return float32
    return bfloat16 if as_half == float16 else as_half


@lru_cache(maxsize=4096)
def result_type(operands: tuple[tuple[DType, bool], ...]) -> tuple[DType, bool]:
    """dtype and weakness of an operation on operands given as (dtype, weak) pairs."""
    strong = [dtype for dtype, weak in operands if not weak]
    weak_rank = max((_KIND_ORDER[kind(d)] for d, weak in operands if weak), default=-1)
    if not strong:
        return _DEFAULT_OF_KIND[weak_rank], True
    dtype = _promote_all(strong)
    if weak_rank > _KIND_ORDER[kind(dtype)]:
        if weak_rank == 3 and kind(dtype) == "f":
            return complex_of(dtype), False
        return _DEFAULT_OF_KIND[weak_rank], False
    return dtype, False


def _promote_all(dtypes: Sequence[DType]) -> DType:
    result = dtypes[0]
    for dtype in dtypes[1:]:
        result = promote_types(result, dtype)
    return result


@cache
def inexact_of(dtype: DType) -> DType:
    """The dtype in which a real function such as ``sin`` of ``dtype`` is computed.

    Follows NumPy's ufunc loops: 8-bit integers and booleans give float16, 16-bit ones float32.
    """
    if is_inexact(dtype):
        return dtype
    return _FLOAT_OF_INTEGER_SIZE.get(dtype.itemsize, float64)


def real_of(dtype: DType) -> DType:
    """The dtype of the real part of ``dtype``; real dtypes are their own."""
    return _REAL_OF.get(dtype, dtype)


def complex_of(dtype: DType) -> DType:
    """The smallest complex dtype that holds ``dtype``."""
    return (
        complex128
        if np.promote_types(real_of(inexact_of(dtype)) if dtype != bfloat16 else float32, float32)
        == float64
        else complex64
    )
