"""New values in old programs: each call has a literal, array or argument never seen before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import libraries
from benchmarks.options import Options
from benchmarks.report import Claim, Column, Row, Table, number

WARM, CALLS = 80, 50

_POINT = np.linspace(0.2, 1.4, 7)


@dataclass(frozen=True)
class Case:
    """A call that takes a new value each time, and what its result should be."""

    name: str
    call: Callable[[Any, Any], Any]  # of fad and the value
    value: Callable[[int], Any]  # the value of call number i
    expected: Callable[[Any], Any]  # by NumPy


def _sum_of_sines(fad: Any, value: Any) -> Any:
    return fad.grad(lambda x: fad.numpy.sum(fad.numpy.sin(x * value)))(_POINT)


def _sum_of_sines_expected(value: Any) -> Any:
    return np.cos(_POINT * value) * value


def _descent(fad: Any, rate: float) -> Any:
    """Un-taped steps around a gradient, with the learning rate as a literal."""
    x = fad.asarray(_POINT)
    for _ in range(3):
        x = x - rate * fad.grad(lambda x: fad.numpy.sum(x * x))(x)
    return x


def _special(index: int) -> float:
    return [0.0, 1.0, -1.0, 2.0, -0.0, 1e300, 5e-324, 0.5][index % 8]


def _jitted() -> Callable[[Any, Any], Any]:
    """One jitted function, kept between calls."""
    kept: dict[str, Any] = {}

    def call(fad: Any, value: Any) -> Any:
        if "f" not in kept:
            kept["f"] = fad.jit(fad.grad(lambda x, c: fad.numpy.sum(fad.numpy.sin(x * c))))
        return kept["f"](_POINT, value)

    return call


def _cases() -> Iterator[Case]:
    sines, expected = _sum_of_sines, _sum_of_sines_expected

    def fraction(index: int) -> float:
        return 0.3 + 0.001 * index

    yield Case("a Python float", sines, fraction, expected)
    yield Case("a Python int", sines, lambda i: i + 2, expected)
    yield Case("special floats: 0, 1, -0, tiny, huge", sines, _special, expected)
    yield Case("a NumPy scalar", sines, lambda i: np.float64(fraction(i)), expected)
    yield Case("a NumPy array", sines, lambda i: _POINT * fraction(i), expected)
    yield Case(
        "the point of differentiation",
        lambda fad, point: fad.grad(lambda x: fad.numpy.sum(fad.numpy.sin(x)))(point),
        lambda i: _POINT * fraction(i),
        np.cos,
    )
    yield Case(
        "an exponent",
        lambda fad, p: fad.grad(lambda x: fad.numpy.sum(x**p))(_POINT),
        fraction,
        lambda p: p * _POINT ** (p - 1),
    )
    yield Case(
        "a threshold",
        lambda fad, c: fad.grad(lambda x: fad.numpy.sum(fad.numpy.where(x > c, x * x, c)))(_POINT),
        fraction,
        lambda c: np.where(c < _POINT, 2 * _POINT, 0.0),
    )
    yield Case(
        "a learning rate", _descent, lambda i: 1e-3 * (i + 1), lambda r: _POINT * (1 - 2 * r) ** 3
    )
    yield Case("an argument of a jitted gradient", _jitted(), fraction, expected)


def _count(case: Case, fad: libraries.Transforming, options: Options) -> int | None:
    """How often fad compiles during calls with new values, once warm; None without a counter."""
    counter = fad.compilations()
    before = 0
    for index in range(WARM + CALLS):
        if index == WARM and counter:
            before = counter()
        value = case.value(index)
        result = np.asarray(case.call(fad.module, value))
        if not np.allclose(result, case.expected(value), rtol=1e-10):
            raise ValueError(f"wrong result for the value {value!r}")
    return counter() - before if counter else None


def recompilations(options: Options) -> Table:
    """The table of all cases."""
    columns = [Column("count", "compilations", number)]
    table = Table(f"Compilations in {CALLS} calls, each with a new value", columns)
    table.first_heading = "what is new"
    fad = libraries.load("fad")
    for case in _cases():
        options.progress(f"recompiling: {case.name}")
        count, failure = None, ""
        if isinstance(fad, libraries.Transforming):
            try:
                count = _count(case, fad, options)
            except Exception as error:
                failure = options.failed(f"new value: {case.name}", error)
        claim = Claim("compilations", count, 0, number, failure)
        table.rows.append(Row(case.name, {"count": failure or count}, [claim]))
    options.progress("")
    return table
