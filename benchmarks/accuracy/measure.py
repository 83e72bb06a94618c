"""Distances from the exact value, in units in the last place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mpmath import mp

from benchmarks.accuracy.exact import Exact, Path
from benchmarks.accuracy.grid import Array, pairs
from benchmarks.accuracy.libraries import LIBRARIES

DTYPES = ("float64", "float32", "complex128")


@dataclass(frozen=True)
class Cell:
    """The worst result of one library for one derivative.

    ``lost`` counts the points where 0, an infinity or NaN comes out and should not; ``lost_at`` is
    one of them. What is lost within a factor of 64 of either end of the range of normal numbers, of
    the result or of an operand, is counted by ``edge`` instead: there an intermediate result may
    overflow, or be flushed to zero. ``subnormal`` counts exact results below the normal range,
    which are flushed.
    """

    ulps: float
    at: tuple[Any, ...] = ()
    lost: int = 0
    lost_at: tuple[Any, ...] = ()
    edge: int = 0
    subnormal: int = 0
    count: int = 0
    failure: str = ""


@dataclass(frozen=True)
class Row:
    """One primitive in one dtype: a cell for each derivative and library."""

    name: str
    dtype: str
    cells: dict[str, dict[Path, Cell]] = field(default_factory=dict)


def dtypes_of(exact: Exact) -> list[str]:
    """The dtypes in which a function is measured."""
    return [dtype for dtype in DTYPES if dtype != "complex128" or exact.plane is not None]


def operands_of(exact: Exact, dtype: str, effort: float = 1.0) -> list[Array]:
    """The arguments on which a function is measured."""
    if dtype == "complex128":
        assert exact.plane is not None
        points = exact.plane.points(int(400 * effort))
        if len(exact.domains) == 1:
            return [points]
        return [points, np.random.default_rng(5).permutation(points)]
    per_part = int(400 * effort)
    if len(exact.domains) == 1:
        return [exact.domains[0].points(np.dtype(dtype), per_part)]
    operands = list(pairs(*exact.domains[:2], np.dtype(dtype), per_part))
    rng = np.random.default_rng(6)
    for domain in exact.domains[2:]:
        points = domain.points(np.dtype(dtype), per_part)
        operands.append(rng.choice(points, len(operands[0])))
    return [v.astype(np.int32) if i in exact.integers else v for i, v in enumerate(operands)]


@dataclass(frozen=True)
class Reference:
    """Exact values to twice the precision of float64, as sums of two floats; NaN where undefined.

    ``underflow`` marks the values that are not 0 and too small for any float.
    """

    high: Array
    low: Array
    underflow: Array


def reference(exact: Exact, path: Path, operands: Sequence[Array], bits: int = 0) -> Reference:
    """Exact values of a derivative."""
    function = exact.derivative(path)
    kind = complex if operands[0].dtype.kind == "c" else float
    high = np.full(operands[0].shape, np.nan, kind)
    low, underflow = np.zeros_like(high), np.zeros(high.shape, bool)
    lists = [x.tolist() for x in operands]
    with mp.workprec(bits or exact.bits):
        for k, point in enumerate(zip(*lists, strict=True)):
            try:
                value = function(*[mp.mpmathify(x) for x in point])
            except (ZeroDivisionError, ValueError, OverflowError):
                continue
            if kind is float and isinstance(value, mp.mpc):
                continue
            high[k] = kind(value)
            underflow[k] = high[k] == 0 and value != 0
            if np.isfinite(high[k]):
                low[k] = kind(value - high[k])
    return Reference(high, low, underflow)


EDGE = 64.0


def compare(got: Array, exact: Reference, operands: Sequence[Array]) -> Cell:
    """The worst distance, in units in the last place of the exact result.

    For complex numbers the unit is that of the magnitude, rounding being relative to it.
    """
    info = np.finfo(got.dtype)
    tiny, largest = float(info.tiny), float(info.max)
    wide = got.astype(exact.high.dtype)
    with np.errstate(all="ignore"):
        size = abs(exact.high)
        margin = 1e8 if wide.dtype.kind == "c" else 1.0
        zero = (size == 0) & ~exact.underflow
        asked = (size >= tiny * margin) & (size <= largest / margin) | zero
        error = abs((wide - exact.high) - exact.low)
        if wide.dtype.kind == "c":
            unit = float(info.eps) * size
        else:
            unit = np.spacing(np.maximum(size, tiny).astype(got.dtype)).astype(float)
        ulps = np.where(error == 0, 0.0, error / unit)
        # Where 0 is exact or nearly, only numbers may come out.
        lost = (asked | (size < tiny)) & ~np.isfinite(wide) | asked & ~zero & (wide == 0)
        subnormal = (size < tiny) & ~zero & (wide == 0)
    at_edge = lost & _near_an_end(size, tiny, largest)
    for x in operands:
        if x.dtype.kind != "i":
            at_edge |= lost & _near_an_end(abs(x).astype(float), tiny, largest)
    at_edge |= asked & _flushed_difference(operands, tiny)
    lost &= ~at_edge
    ulps = np.where(asked & ~lost & ~at_edge, ulps, -1.0)
    if not asked.any():
        return Cell(0.0)
    worst, first = int(np.argmax(ulps)), int(np.argmax(lost))

    def at(k: int) -> tuple[Any, ...]:
        return tuple([x[k].item() for x in operands])

    return Cell(
        ulps=float(f"{max(ulps[worst], 0.0):.3g}"),
        at=at(worst),
        lost=int(lost.sum()),
        lost_at=at(first) if lost.any() else (),
        edge=int(at_edge.sum()),
        subnormal=int(subnormal.sum()),
        count=int(asked.sum()),
    )


def _flushed_difference(operands: Sequence[Array], tiny: float) -> Any:
    """Where two operands differ by less than the smallest normal number."""
    if len(operands) == 1 or any(x.dtype.kind != "f" for x in operands[:2]):
        return np.zeros(operands[0].shape, bool)
    gap = abs(operands[0].astype(float) - operands[1].astype(float))
    return (gap > 0) & (gap < tiny)


def _near_an_end(size: Array, tiny: float, largest: float) -> Array:
    return ((size >= tiny) & (size < EDGE * tiny)) | ((size > largest / EDGE) & (size <= largest))


def measure(
    name: str,
    exact: Exact,
    dtype: str,
    effort: float = 1.0,
    libraries: Sequence[str] = tuple(LIBRARIES),
) -> Row:
    """All libraries on one function: value, first and second derivatives."""
    operands = operands_of(exact, dtype, effort)
    row = Row(name, dtype, {library: {} for library in libraries})
    primitive = name.partition("[")[0]
    for path in exact.paths:
        values = reference(exact, path, operands)
        for library in libraries:
            function = LIBRARIES[library].find(primitive, exact)
            if function is None:
                continue
            try:
                got = LIBRARIES[library].evaluate(function, path, operands)
            except Exception as error:  # a rival may not know the dtype or the derivative
                if library == "fad":
                    raise
                row.cells[library][path] = Cell(0.0, failure=str(error).split("\n")[0][:80])
                continue
            row.cells[library][path] = compare(got, values, operands)
    return row
