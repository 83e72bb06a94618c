"""Every differentiable primitive: what its gradient costs, and what JAX's costs of the same kernel.

``python -m benchmarks.primitives [--only TEXT] [--quick] [--write]``. Jitted, on arrays of middle
size: elementwise primitives on ``ELEMENTS`` numbers, others on a batch of ``BATCH`` of their
samples. Value, gradient and JAX's gradient are timed in turn, round by round, and each ratio is
kept with the range it had over the rounds. ``--write`` records the ranges in ``primitives.json``
and the table in ``primitives.md``; without it, a ratio whose median lies outside its recorded range
is marked: ``▲`` above, ``▼`` below. Look at those again before believing them.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import environment, report, timing

ELEMENTS = 1 << 14
BATCH = 256
HERE = Path(__file__).resolve().parent
RECORD, PAGE = HERE / "primitives.json", HERE / "primitives.md"
EFFORT = timing.Effort(batch=2e-3, budget=0.12, rounds=25, least_rounds=9, settle=2.0)
QUICK = timing.Effort(batch=1e-3, budget=0.03, rounds=7, least_rounds=5, settle=1.0)
RATIOS = ("gradient/value", "gradient/JAX")
_COLUMNS = [
    report.Column("value", "value"),
    report.Column("gradient", "gradient"),
    report.Column("JAX", "JAX's gradient"),
    report.Column("gradient/value", "gradient/value"),
    report.Column("value range", "range"),
    report.Column("gradient/JAX", "gradient/JAX"),
    report.Column("JAX range", "range"),
]


@dataclass(frozen=True)
class Measured:
    """A ratio: its median, and the least and largest over the rounds but one tenth at each end."""

    typical: float
    low: float
    high: float

    def mark(self, recorded: Sequence[float] | None) -> str:
        """Whether the median left the range that was recorded."""
        if recorded is None:
            return ""
        return " ▲" if self.typical > recorded[1] else " ▼" if self.typical < recorded[0] else ""


def _range(one: timing.Samples, other: timing.Samples) -> Measured:
    shared = sorted(one.rounds.keys() & other.rounds.keys())
    ratios = sorted(one.rounds[i] / other.rounds[i] for i in shared)
    outer = len(ratios) // 10
    return Measured(ratios[len(ratios) // 2], ratios[outer], ratios[-1 - outer])


# ---------------------------------------------------------------------------------- contestants


def _operands(declaration: Any) -> tuple[list[Any], dict[str, Any]] | None:
    """Float64 operands of middle size and parameters; None where no sample has any."""
    import numpy as np

    for sample in declaration.samples():
        arrays = [np.asarray(x) for x in sample.operands]
        if not arrays or not all(x.size and np.isfinite(x).all() for x in arrays):
            continue
        if not any(x.dtype == np.float64 for x in arrays):
            continue
        if declaration.primitive.elementwise is not None:
            return [np.resize(_spread(x), ELEMENTS) for x in arrays], sample.params
        return [np.broadcast_to(x, (BATCH, *x.shape)).copy() for x in arrays], sample.params
    return None


def _spread(x: Any) -> Any:
    """More different numbers about the sample's, so that nothing is the same for all elements."""
    import numpy as np

    if x.dtype != np.float64:
        return x
    return np.concatenate([x.ravel() * s for s in np.linspace(0.8, 1.0, 64)])


def _contestants(declaration: Any) -> dict[str, Callable[[], object]] | None:
    import jax
    import numpy as np

    import fad
    from fad.core.apply import apply

    drawn = _operands(declaration)
    if drawn is None:
        return None
    operands, params = drawn
    operation = declaration.primitive(**params)
    batched = declaration.primitive.elementwise is None
    moving = [i for i, x in enumerate(operands) if x.dtype == np.float64]
    kernel = declaration.oracle or declaration.primitive.kernel

    def of_moving(function: Any, xs: Any) -> list[Any]:
        full = list(operands)
        for i, x in zip(moving, xs, strict=True):
            full[i] = x
        return [o for o in function(*full) if o.dtype.kind in "fc"]

    def fads(*xs: Any) -> list[Any]:
        out = apply(operation, *xs)
        return list(out) if operation.multiple else [out]

    def jaxs(*xs: Any) -> Any:
        out = kernel(*xs, **params)
        return out if isinstance(out, (tuple, list)) else [out]

    mapped = (fad.vmap(fads), jax.vmap(jaxs)) if batched else (fads, jaxs)

    def ours(*xs: Any) -> list[Any]:
        return of_moving(mapped[0], xs)

    def theirs(*xs: Any) -> list[Any]:
        return of_moving(mapped[1], xs)

    value = fad.jit(ours)
    gradient = fad.jit(lambda cts, *xs: fad.vjp(ours, *xs)[1](cts))
    rival = jax.jit(lambda cts, *xs: jax.vjp(theirs, *xs)[1](cts))
    points = [fad.asarray(operands[i]) for i in moving]
    cotangents = [fad.asarray(np.ones(o.shape, o.dtype)) for o in value(*points)]
    if not cotangents:
        return None
    with jax.enable_x64(True):
        jax_points = [jax.numpy.asarray(operands[i]) for i in moving]
        jax_cotangents = [jax.numpy.ones(o.shape, o.dtype) for o in cotangents]

    def call_jax() -> None:
        with jax.enable_x64(True):
            jax.block_until_ready(rival(jax_cotangents, *jax_points))

    return {
        "gradient": lambda: _wait(gradient(cotangents, *points)),
        "value": lambda: _wait(value(*points)),
        "JAX": call_jax,
    }


def _wait(results: Any) -> None:
    for result in results:
        result.block_until_ready()


# ---------------------------------------------------------------------------------------- a run


def measure(declaration: Any, effort: timing.Effort) -> dict[str, Any] | None:
    """Seconds by contestant and the two ratios; None where there is nothing to time."""
    calls = _contestants(declaration)
    if calls is None:
        return None
    failed = None
    for name in list(calls):
        try:
            timing.settle(calls[name], effort.settle)
        except Exception as error:  # JAX differentiates less
            if name != "JAX":
                raise
            failed = type(error).__name__
            del calls["JAX"]
    taken = timing.compare(calls, effort)
    cells: dict[str, Any] = {name: samples.typical for name, samples in taken.items()}
    cells["gradient/value"] = _range(taken["gradient"], taken["value"])
    if failed is None:
        cells["gradient/JAX"] = _range(taken["gradient"], taken["JAX"])
    else:
        cells["JAX"] = failed
    return cells


def run(only: str, effort: timing.Effort) -> Iterator[tuple[str, dict[str, Any]]]:
    """Measure each primitive whose name has ``only``."""
    from fad.primitives.declare import declarations

    for name, declaration in sorted(declarations.items()):
        if only in name and declaration.primitive.derivative is not None:
            try:
                cells = measure(declaration, effort)
            except Exception as error:
                print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
                continue
            if cells is not None:
                yield name, cells


def table(measured: dict[str, dict[str, Any]], recorded: dict[str, Any]) -> report.Table:
    """The measurements with their ranges, and marks where a ratio left the recorded one."""
    made = report.Table(
        "Gradients of primitives, jitted, float64", _COLUMNS, first_heading="primitive"
    )
    for name, cells in measured.items():
        shown: dict[str, report.Value] = {k: cells.get(k) for k in ("value", "gradient", "JAX")}
        for ratio, column in zip(RATIOS, ("value range", "JAX range"), strict=True):
            one = cells.get(ratio)
            if one is None:
                continue
            mark = one.mark(recorded.get(name, {}).get(ratio))
            shown[ratio] = f"{one.typical:.2f}{mark}"
            low, high = recorded.get(name, {}).get(ratio) or (one.low, one.high)
            shown[column] = f"{low:.2f} .. {high:.2f}"
        made.rows.append(report.Row(name, shown))
    means = []
    for ratio in RATIOS:
        values = [cells[ratio].typical for cells in measured.values() if ratio in cells]
        mean = timing.geometric_mean(values)
        means.append(f"{ratio} {mean:.2f}" if mean is not None else "")
    made.note = f"Geometric means: {', '.join(means)}."
    return made


def _write(measured: dict[str, dict[str, Any]], header: dict[str, str]) -> None:
    rows = {
        name: {r: [cells[r].low, cells[r].high] for r in RATIOS if r in cells}
        for name, cells in measured.items()
    }
    RECORD.write_text(json.dumps({"header": header, "rows": rows}, indent=1) + "\n")
    lines = ["# What gradients of primitives cost", ""]
    lines += ["Written by `python -m benchmarks.primitives --write`, which says what is timed.", ""]
    lines += [
        "A ratio is the median over the rounds; its range leaves out a tenth at each end.",
        "",
    ]
    lines += [f"- {key}: {value}" for key, value in header.items()]
    PAGE.write_text("\n".join(lines) + "\n\n" + report.markdown(table(measured, {})))


def main() -> int:
    """Measure, and record or mark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.primitives", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="primitives whose name has TEXT")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--write", action="store_true", help="record the ranges and the table")
    arguments = parser.parse_args()
    environment.limit_threads()
    warnings.simplefilter("ignore")
    header = environment.describe()
    recorded = json.loads(RECORD.read_text())["rows"] if RECORD.exists() else {}
    measured = {}
    for name, cells in run(arguments.only, QUICK if arguments.quick else EFFORT):
        measured[name] = cells
        print(name, flush=True, file=sys.stderr)
    if arguments.write:
        _write(measured, header)
    print(report.text(table(measured, {} if arguments.write else recorded)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
