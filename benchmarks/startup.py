"""A fresh process: what the import costs, and the first gradient."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from functools import partial

from benchmarks import fresh, libraries
from benchmarks.options import Options
from benchmarks.report import Claim, Column, Row, Table, ratio, seconds
from benchmarks.tasks import SMALL

JAX, IMPORT = 0.7, 0.2

Tasks = dict[str, Callable[[], dict[str, float]]]
Results = dict[str, list[dict[str, float]]]


def interleaved(tasks: Tasks, rounds: int) -> Results:
    """Run every task once per round, in an order that reverses; a first round is not counted."""
    results: Results = {name: [] for name in tasks}
    for index in range(-1, rounds):
        names = list(tasks)
        for name in reversed(names) if index % 2 else names:
            result = tasks[name]()
            if index >= 0:
                results[name].append(result)
    return results


def median(results: Results, name: str, key: str) -> float | None:
    """The median of one figure, None where nothing was measured."""
    taken = results.get(name)
    return statistics.median(one[key] for one in taken) if taken else None


def _present() -> list[str]:
    return [name for name in libraries.NAMES if libraries.installed(name)]


def run(options: Options) -> Iterator[Table]:
    """Imports, then first gradients."""
    yield _imports(options, 1 if options.quick else 7)
    yield _first_gradients(options, 1 if options.quick else 5)


def _imports(options: Options, rounds: int) -> Table:
    options.progress("imports")
    tasks: Tasks = {name: partial(fresh.measure, "tasks", "imported", name) for name in _present()}
    results, failure = _try(tasks, rounds, options, "import")
    table = Table("Imports", [Column("seconds", "seconds")], first_heading="library")
    for name in results:
        table.rows.append(Row(name, {"seconds": median(results, name, "seconds")}))
    fad, jax = median(results, "fad", "seconds"), median(results, "jax", "seconds")
    more = fad - jax if fad is not None and jax is not None else None
    table.summary.append(Claim("import fad, over import jax", more, IMPORT, seconds, failure))
    return table


def _first_gradients(options: Options, rounds: int) -> Table:
    columns = [
        Column("fad", "fad"),
        Column("jax", "jax"),
        Column("per_jax", "fad/jax", ratio),
        Column("torch", "torch"),
        Column("fad_second", "fad, second call"),
        Column("jax_second", "jax, second call"),
        Column("torch_second", "torch, second call"),
    ]
    table = Table("First gradient in a fresh process, import included", columns)
    for function in list(SMALL)[: 1 if options.quick else None]:
        options.progress(f"first gradient: {function}")
        tasks: Tasks = {
            name: partial(fresh.measure, "tasks", "first_gradient", name, function)
            for name in _present()
        }
        results, failure = _try(tasks, rounds, options, f"first gradient, {function}")
        cells = {name: median(results, name, "total") for name in libraries.NAMES}
        cells |= {f"{name}_second": median(results, name, "second") for name in libraries.NAMES}
        fad, jax = cells["fad"], cells["jax"]
        cells["per_jax"] = fad / jax if fad is not None and jax is not None else None
        claim = Claim("jax", cells["per_jax"], JAX, failure=failure)
        table.rows.append(Row(function, dict(cells), [claim]))
    options.progress("")
    return table


def _try(tasks: Tasks, rounds: int, options: Options, what: str) -> tuple[Results, str]:
    """The results; where fad fails, those of its rivals and the word for the table."""
    if "fad" in tasks:
        try:
            tasks["fad"]()
        except fresh.ChildError as error:
            del tasks["fad"]
            return interleaved(tasks, rounds), options.failed(what, error)
    return interleaved(tasks, rounds), ""
