"""The cost of recording one operation, and what makes fad compile again: nothing but new programs.

Only the recording is timed: the results are computed afterwards, outside the timed part. The rivals
run each operation when it is called, so their columns say what an operation costs there, all told.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import libraries
from benchmarks.options import Options
from benchmarks.recompiling import recompilations
from benchmarks.report import Claim, Column, Row, Table

UNTAPED, TAPED = 1.0e-6, 1.5e-6

_LENGTH = {"fad": 100, "torch": 100, "jax": 20}  # operations in a row


@dataclass(frozen=True)
class Step:
    """One operation, applied again and again to its own result."""

    name: str
    apply: Callable[[Any, Any, Any], Any]  # of the namespace, the running value, the other operand
    other: np.ndarray
    judged: bool = True
    numpy_operand: bool = False  # the other operand stays a NumPy array


def _steps() -> list[Step]:
    small, matrix = np.linspace(0.1, 1.0, 10), np.eye(10)
    return [
        Step("sin(x)", lambda xp, x, y: xp.sin(x), small),
        Step("x * y", lambda xp, x, y: x * y, small),
        Step("x * 1.01", lambda xp, x, y: x * 1.01, small),
        Step("1.5 - x", lambda xp, x, y: 1.5 - x, small),
        Step("x @ A", lambda xp, x, y: x @ y, matrix),
        Step("where(x > 0.5, x, y)", lambda xp, x, y: xp.where(x > 0.5, x, y), small, False),
        Step("x * ndarray", lambda xp, x, y: x * y, small, False, True),
        Step("numpy.sin(x)", lambda xp, x, y: np.sin(x), small, False),
    ]


_NOTHING = Step("nothing", lambda xp, x, y: x, np.zeros(10))


class Recorder:
    """Times a step in one library, taped or not."""

    def __init__(self, library: libraries.Library, step: Step, taped: bool):
        self.library = library
        self.step = step
        self.taped = taped
        self.x = library.array(np.linspace(0.1, 1.0, 10))
        self.y = step.other if step.numpy_operand else library.array(step.other)
        self.length = _LENGTH[library.name]
        self.seconds = 0.0
        if taped and library.name != "torch":
            self.gradient = library.module.grad(self._record)  # type: ignore[union-attr]

    def _record(self, x: Any) -> Any:
        """Apply the step in a row; the time goes into `seconds`."""
        apply, xp, y = self.step.apply, self.library.xp, self.y
        repeat = range(self.length)
        start = time.perf_counter()
        for _ in repeat:
            x = apply(xp, x, y)
        self.seconds = (time.perf_counter() - start) / self.length
        return xp.sum(x)

    def __call__(self) -> float:
        """Seconds for one operation."""
        if self.library.name == "torch":
            self.x.requires_grad_(self.taped)
            total = self._record(self.x)
            if self.taped:
                self.library.torch.autograd.grad(total, self.x)  # type: ignore[union-attr]
        else:
            result = self.gradient(self.x) if self.taped else self._record(self.x)
            result.block_until_ready()
        return self.seconds


def _median(recorder: Recorder, rounds: int) -> float:
    for _ in range(min(rounds, 3 if recorder.library.name == "jax" else 30)):
        recorder()
    return statistics.median(recorder() for _ in range(rounds))


def _measure(name: str, step: Step, taped: bool, options: Options) -> float | str | None:
    """Seconds for one operation, the loop around it taken off."""
    library = libraries.load(name)
    if library is None:
        return None
    rounds = {"fad": 300, "torch": 100, "jax": 6}[name] // (3 if options.quick else 1)
    options.progress(f"recording {step.name} in {name}")
    try:
        loop = _median(Recorder(library, _NOTHING, taped), rounds)
        return max(1e-9, _median(Recorder(library, step, taped), rounds) - loop)
    except Exception as error:
        if name != "fad":
            return "refused"
        return options.failed(f"recording {step.name}, taped: {taped}", error)


def _table(taped: bool, options: Options) -> Table:
    columns = [Column(name, name) for name in libraries.NAMES]
    title = f"Recording one operation, {'taped' if taped else 'un-taped'}"
    note = "Rows without a target include a conversion or NumPy's own dispatch, or two operations."
    table = Table(title, columns, first_heading="operation", note=note)
    target = TAPED if taped else UNTAPED
    show = Column("", "").show
    for step in _steps():
        cells = {name: _measure(name, step, taped, options) for name in libraries.NAMES}
        value = cells["fad"]
        failure = value if isinstance(value, str) else ""
        seconds = None if isinstance(value, str) else value
        claims = [Claim("fad", seconds, target, show, failure)] if step.judged else []
        table.rows.append(Row(step.name, cells, claims))
    options.progress("")
    return table


def run(options: Options) -> Iterator[Table]:
    """Un-taped, taped, and the count of compilations under new values."""
    yield _table(False, options)
    yield _table(True, options)
    yield recompilations(options)
