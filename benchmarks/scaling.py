"""Whether the cost of a gradient grows linearly: long chains, and tapes with many inputs."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import fresh, libraries
from benchmarks.options import Options
from benchmarks.report import Claim, Column, Row, Table, ratio

GROWTH = (
    2.0  # most that an operation may cost at the largest size, relative to the reference: caches
)
MIDDLE = 1000  # the reference: from here on the fixed cost of a call no longer counts

_LONGEST = {"fad": 100_000, "torch": 100_000, "jax": 10_000}
_LONGEST_QUICK = {"fad": 10_000, "torch": 10_000, "jax": 1000}
_WIDEST = {"fad": 10_000, "torch": 10_000, "jax": 1000}

Figures = dict[str, float]


def run(options: Options) -> Iterator[Table]:
    """Chains of operations, then many inputs."""
    longest = _LONGEST_QUICK if options.quick else _LONGEST
    sizes = [10**power for power in range(2, 6) if 10**power <= longest["fad"]]
    results = _measure_all("chain", sizes, longest, options)
    yield _per_operation("first", "first call of a fresh process", "chain", sizes, results)
    yield _per_operation("later", "later calls", "chain", sizes, results)
    sizes = [100, 1000] if options.quick else [100, 1000, 10_000]
    results = _measure_all("wide", sizes, _WIDEST, options)
    yield _per_operation("first", "first call of a fresh process", "wide", sizes, results)
    yield _per_operation("later", "later calls", "wide", sizes, results)


def _measure_all(
    task: str, sizes: list[int], longest: dict[str, int], options: Options
) -> dict[tuple[str, int], Figures | str]:
    """Every library at every size that it is asked for, each in a process of its own."""
    results: dict[tuple[str, int], Figures | str] = {}
    for size in sizes:
        for name in libraries.NAMES:
            if size > longest[name] or not libraries.installed(name):
                continue
            options.progress(f"{task} of {size}, {name}")
            budget = 0.5 if options.quick else 1.0
            if name == "fad":  # which compiles a long program when it has been met often enough
                budget *= 10.0 if size >= 10_000 and not options.quick else 3.0
            try:
                results[name, size] = fresh.measure("tasks", task, name, size, budget)
            except fresh.ChildError as error:
                what = f"{task} of {size}"
                results[name, size] = options.failed(what, error) if name == "fad" else "failed"
    options.progress("")
    return results


def _per_operation(
    key: str,
    when: str,
    task: str,
    sizes: list[int],
    results: dict[tuple[str, int], Figures | str],
) -> Table:
    """One table: the time of a call by size, per operation (or input)."""
    columns = [Column("fad_total", "fad, whole call")]
    columns += [Column(name, f"{name}, each") for name in libraries.NAMES]
    columns += [
        Column("per_torch", "fad/torch", ratio),
        Column("calls", "calls", lambda n: f"{n:.0f}"),
    ]
    kind = "chains of operations" if task == "chain" else "many scalar inputs"
    table = Table(f"Gradients of {kind}, {when}", columns)
    table.first_heading = "operations" if task == "chain" else "inputs"
    each: dict[tuple[str, int], float] = {}
    for size in sizes:
        cells: dict[str, float | str | None] = {}
        for name in libraries.NAMES:
            result = results.get((name, size))
            if isinstance(result, dict):
                each[name, size] = cells[name] = result[key] / size
            else:
                cells[name] = result
        fad = results.get(("fad", size))
        if isinstance(fad, dict):
            cells["fad_total"], cells["calls"] = fad[key], fad["calls"]
        if ("fad", size) in each and ("torch", size) in each:
            cells["per_torch"] = each["fad", size] / each["torch", size]
        table.rows.append(Row(f"{size:,}", cells))
    table.summary = _growth(sizes, each, results)
    return table


def _growth(
    sizes: list[int],
    each: dict[tuple[str, int], float],
    results: dict[tuple[str, int], Figures | str],
) -> list[Claim]:
    """The cost of one operation at each larger size, relative to that at the middle one."""
    claims = []
    for size in sizes:
        if size <= MIDDLE:
            continue
        value = None
        if ("fad", size) in each and ("fad", MIDDLE) in each:
            value = each["fad", size] / each["fad", MIDDLE]
        failure = "failed" if isinstance(results.get(("fad", size)), str) else ""
        subject = f"cost of one at {size:,}, relative to {MIDDLE:,}"
        claims.append(Claim(subject, value, GROWTH, failure=failure))
    return claims
