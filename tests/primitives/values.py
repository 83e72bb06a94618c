"""Checks of values: against the reference, in every dtype, of operands in any layout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np

import fad
from fad.core.dtypes import real_of
from fad.primitives.declare import Sample
from tests.primitives.cases import Case, cases_of, converted, is_defined, resolution

RTOL, ATOL = 1e-10, 1e-12


def same(a: Sequence[Any], b: Sequence[Any]) -> None:
    """Equal up to rounding, NaN equal to NaN."""
    assert len(a) == len(b)
    for x, y in zip(a, b, strict=True):
        x, y = np.asarray(x), np.asarray(y)
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        if y.dtype.kind not in "fc":
            np.testing.assert_array_equal(x, y)
            continue
        loose = max(1.0, resolution(y.dtype) / resolution(np.float64) / 100)
        scale = np.max(np.abs(y[np.isfinite(y)]), initial=0.0)
        np.testing.assert_allclose(
            x, y, rtol=loose * RTOL, atol=loose * (ATOL + 1e-13 * float(scale))
        )


def check_value(case: Case) -> None:
    """Deferred, kernel by kernel and the NumPy reference agree, and avals tell the truth."""
    results = case.function(*case.operands)
    outs = [np.asarray(o) for o in results]
    for out, aval in zip(outs, [o.aval for o in results], strict=True):
        assert (out.shape, out.dtype) == (aval.shape, aval.dtype)
    if case.kind == "sample":
        with fad.config(compile="auto"):
            same(case.function(*case.operands), outs)
    complex_too = case.declaration.primitive.elementwise is not None and case.kind == "complex"
    if case.declaration.reference is None or not (case.kind == "sample" or complex_too):
        return
    expected = case.declaration.reference(*case.operands, **case.params)
    expected = expected if isinstance(expected, (tuple, list)) else [expected]
    for out, e in zip(outs, expected, strict=True):
        np.testing.assert_allclose(out, e, rtol=1e-12, atol=1e-13)
        assert out.dtype == np.asarray(e).dtype


_REALS = (np.dtype(np.float32), np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16))
_INTEGERS = tuple(map(np.dtype, ("int64", "int32", "int8", "uint8", "uint32", "bool")))


def check_dtypes(case: Case) -> None:
    """In every dtype: the exact value of the same operands, rounded; NumPy's dtype of the result.

    For integers and booleans that is asked of elementwise primitives, which promote.
    """
    if not _is_plain(case) or _first_plain(case) is not case:
        return
    wide = [np.asarray(o) for o in case.function(*case.operands)]
    for real in _REALS:
        narrow = converted(_sample(case), real, np.complex64)
        if is_defined(case.declaration, narrow):
            _check_narrow(case, narrow, wide, real)
    if case.declaration.primitive.elementwise is not None and not _is_complex(case):
        for integer in _INTEGERS:
            _check_integers(case, integer)


def _is_plain(case: Case) -> bool:
    floats = any(x.dtype == np.float64 and x.size for x in case.operands)
    return case.kind == "sample" and floats and all(np.isfinite(x).all() for x in case.operands)


def _first_plain(case: Case) -> Case | None:
    """One case will do: each dtype is another kernel to compile."""
    return next(filter(_is_plain, cases_of(case.declaration.primitive.name)), None)


def _is_complex(case: Case) -> bool:
    return any(x.dtype.kind == "c" for x in case.operands)


def _sample(case: Case) -> Sample:
    return Sample(tuple(case.operands), case.params)


def _check_narrow(case: Case, narrow: Sample, wide: list[np.ndarray], real: Any) -> None:
    """The same in a narrower dtype: of that dtype, and near the wide result at rounded operands."""
    outs = case.function(*narrow.operands)
    exact = case.function(*[_widened(x) for x in narrow.operands])
    for out, e, w in zip(outs, exact, wide, strict=True):
        if w.dtype.kind not in "fc":
            assert out.dtype == w.dtype
            continue
        if _decides_dtype(case):
            computed = _computed(case, narrow) or real
            assert out.dtype == (real_of(computed) if w.dtype.kind == "f" else np.complex64)
        e = np.asarray(e)
        scale = np.max(np.abs(e), initial=1.0)
        eps = resolution(real)
        found = np.asarray(out).astype(w.dtype)
        np.testing.assert_allclose(found, e, rtol=64 * eps, atol=16 * eps * float(scale))


def _computed(case: Case, narrow: Sample) -> Any:
    """The dtype in which an elementwise primitive computes; half precision may not do."""
    promotion = case.declaration.primitive.elementwise
    if promotion is None:
        return None
    return promotion.operands(tuple([fad.asarray(x).aval for x in narrow.operands]))[-1]


def _decides_dtype(case: Case) -> bool:
    """Whether the dtype of inexact operands is that of the result: no other promotes it."""
    asked = any(isinstance(p, np.dtype) for p in case.params.values())
    return not asked and all(x.dtype.kind in "fc" for x in case.operands)


def _widened(x: Any) -> np.ndarray:
    x = np.asarray(x)
    if x.dtype in _REALS:
        return x.astype(np.float64)
    return x.astype(np.complex128) if x.dtype == np.complex64 else x


def _check_integers(case: Case, dtype: np.dtype) -> None:
    """Small whole numbers as integers: NumPy's result, or that of the same numbers as floats."""
    low = 1 if dtype.kind in "ub" else -3
    operands = [
        np.clip(np.copysign(np.ceil(np.abs(x)), x), low, 3).astype(dtype)
        if x.dtype == np.float64
        else x
        for x in case.operands
    ]
    if not is_defined(case.declaration, Sample(tuple(operands), case.params)):
        return
    outs = case.function(*operands)
    [np.asarray(o) for o in outs]  # it runs
    if not isinstance(case.declaration.reference, np.ufunc):  # formulas are for floats
        return
    try:
        with np.errstate(all="ignore"):
            expected = case.declaration.reference(*operands, **case.params)
    except (TypeError, ValueError):  # NumPy refuses: there is nothing to compare with
        return
    expected = expected if isinstance(expected, (tuple, list)) else [expected]
    for out, e in zip(outs, expected, strict=True):
        e = np.asarray(e)
        if (
            out.aval.inexact or e.dtype.kind in "fc"
        ):  # NumPy takes half precision for the smallest integers
            eps = max([1e-13, *[resolution(d.dtype) for d in (e, out) if d.dtype.kind in "fc"]])
            np.testing.assert_allclose(np.asarray(out), e, rtol=8 * eps, atol=8 * eps)
        else:
            assert out.dtype == e.dtype
            np.testing.assert_array_equal(np.asarray(out), e)


def _layouts(x: np.ndarray) -> list[np.ndarray]:
    """The same array transposed in memory, at every second place, and backwards."""
    doubled = np.zeros(tuple(2 * n for n in x.shape), x.dtype)
    strided = doubled[(..., *[slice(0, None, 2) for _ in x.shape])]
    strided[...] = x
    every = (..., *[slice(None, None, -1) for _ in x.shape])
    backwards = np.copy(x[every])[every]
    return [np.copy(x, order="F"), strided, backwards]


def check_layouts(case: Case) -> None:
    """Arrays that are not contiguous are read as what they are, and left as they were."""
    if case.kind != "sample":
        return
    expected = case.function(*case.operands)
    for arranged in zip(*[_layouts(x) for x in case.operands], strict=True):
        before = [x.copy() for x in arranged]
        same(case.function(*arranged), expected)
        for x, b in zip(arranged, before, strict=True):
            np.testing.assert_array_equal(x, b)
