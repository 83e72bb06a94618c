"""One program, several contestants: results compared first, then timed against each other."""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from benchmarks import libraries, report, timing
from benchmarks.options import Options
from benchmarks.program import Program

_NOISY = 0.3  # spread of the rounds from which a row is marked
_TOLERANCE = 0.03


class Entrant(NamedTuple):
    """A library and how it is used."""

    library: str
    jit: bool = False

    @property
    def key(self) -> str:
        return self.library + ("_jit" if self.jit else "")


@dataclass
class Outcome:
    """What a contest found; times in seconds, by the entrant's key."""

    samples: dict[str, timing.Samples] = field(default_factory=dict)
    first: dict[str, float] = field(default_factory=dict)  # the first call
    settled: dict[str, float] = field(default_factory=dict)  # all calls until nothing compiled
    errors: dict[str, str] = field(default_factory=dict)

    def time(self, key: str) -> float | None:
        return self.samples[key].typical if key in self.samples else None

    def ratio(self, key: str, rival: str) -> float | None:
        """How long `key` takes relative to `rival`, where both were measured."""
        if key not in self.samples or rival not in self.samples:
            return None
        return self.samples[key].ratio_to(self.samples[rival])

    def cells(self) -> dict[str, report.Value]:
        """The medians, and a word where a contestant failed."""
        cells: dict[str, report.Value] = {key: taken.typical for key, taken in self.samples.items()}
        cells.update((f"{key}_first", value) for key, value in self.first.items())
        cells.update((f"{key}_settled", value) for key, value in self.settled.items())
        return cells | self.errors

    def claim(self, key: str, rival: str, target: float) -> report.Claim:
        """That `key` takes at most `target` of the rival's time."""
        failure = self.errors.get(key, "") if libraries.load("fad") else ""
        subject = rival.replace("_", ".")
        return report.Claim(
            subject, self.ratio(key, rival), target, report.ratio, failure, _TOLERANCE
        )

    @property
    def noisy(self) -> bool:
        return any(taken.spread > _NOISY for taken in self.samples.values())


class Mismatch(Exception):
    """Two libraries computed different results."""


def _check(result: list[np.ndarray], expected: list[np.ndarray]) -> None:
    """Raise where results differ by more than rounding."""
    if len(result) != len(expected):
        raise Mismatch(f"{len(result)} arrays where {len(expected)} were expected")
    for index, (one, other) in enumerate(zip(result, expected, strict=True)):
        if one.shape != other.shape or one.dtype != other.dtype:
            got, wanted = f"{one.dtype}{one.shape}", f"{other.dtype}{other.shape}"
            raise Mismatch(f"array {index} is {got}, expected {wanted}")
        scale = max(1e-300, float(np.max(np.abs(other), initial=0.0)))
        if not np.allclose(one, other, rtol=1e-8, atol=1e-10 * scale):
            error = float(np.max(np.abs(one - other))) / scale
            raise Mismatch(f"array {index} differs by {error:.2g} of the largest element")


def _where(error: Exception) -> str:
    """The error in one line, with the innermost place it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}{place}"


def hold(program: Program, kind: str, entrants: Sequence[Entrant], options: Options) -> Outcome:
    """Let the entrants compute the derivative `kind` of the program, fad's first in the list."""
    outcome = Outcome()
    calls: dict[str, timing.Call] = {}
    results: dict[str, list[np.ndarray]] = {}
    options.progress(f"{kind} of {program.name}")
    for entrant in entrants:
        library = libraries.load(entrant.library)
        if library is None:
            continue
        key = entrant.key
        try:
            call = library.derivative(program, kind, entrant.jit)
            start = time.perf_counter()
            result = call()
            outcome.first[key] = time.perf_counter() - start
            results[key] = libraries.to_numpy(result)
            outcome.settled[key] = outcome.first[key] + timing.settle(
                call, options.effort.settle, library.state()
            )
            library.tune(call)
            calls[key] = call
        except Exception as error:  # a contestant's failure is a result, not the end of the run
            _fail(outcome, options, entrant, f"{kind} of {program.name}", error)
    _compare_results(results, calls, entrants, outcome, options, f"{kind} of {program.name}")
    outcome.samples = timing.compare(calls, options.effort)
    options.progress("")
    return outcome


def _fail(
    outcome: Outcome, options: Options, entrant: Entrant, what: str, error: Exception
) -> None:
    """Note a failure; only fad's count against the run."""
    outcome.errors[entrant.key] = "failed"
    if entrant.library == "fad":
        options.failed(f"{what}{', jitted' if entrant.jit else ''}", _where(error))


def _compare_results(
    results: dict[str, list[np.ndarray]],
    calls: dict[str, timing.Call],
    entrants: Sequence[Entrant],
    outcome: Outcome,
    options: Options,
    what: str,
) -> None:
    """Hold every result against the last entrant's; a wrong one is not timed."""
    keys = [entrant.key for entrant in entrants if entrant.key in results]
    if not keys:
        return
    for entrant in entrants:
        if entrant.key not in results:
            continue
        try:
            _check(results[entrant.key], results[keys[-1]])
        except Mismatch as error:
            calls.pop(entrant.key, None)
            _fail(outcome, options, entrant, what, error)
