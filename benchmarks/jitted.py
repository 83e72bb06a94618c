"""Jitted gradients against `jax.jit(jax.grad(f))`: compiled code, and the overhead of a call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks import contest, programs, timing
from benchmarks.options import Options
from benchmarks.program import Program
from benchmarks.report import Claim, Column, Row, Table, ratio

JAX, OVERHEAD = 1.0, 1.5
LONG = 100e-6  # from this time on a program counts as long

_ENTRANTS = [contest.Entrant("fad", True), contest.Entrant("jax", True)]
_COLUMNS = [
    Column("fad_jit", "fad"),
    Column("jax_jit", "jax"),
    Column("per_jax", "fad/jax", ratio),
    Column("fad_jit_first", "fad, first call"),
    Column("jax_jit_first", "jax, first call"),
]


def run(options: Options) -> Iterator[Table]:
    """Long programs, the small ones of the un-jitted section, and calls that do nearly nothing."""
    selected = options.select(programs.large(), every=3)
    yield _compare("Jitted gradients, more than 100 us", selected, "grad", JAX, options)
    small = [
        program for program in programs.small() if program.staged and not _slow_to_compile(program)
    ]
    selected = options.select(small, every=4)
    yield _compare("Jitted gradients, small", selected, "grad", OVERHEAD, options)
    yield _compare(
        "Jitted calls: overhead", options.select(trivial(), every=2), "value", OVERHEAD, options
    )


def _slow_to_compile(program: Program) -> bool:
    """XLA takes many seconds over thousands of scalar operations."""
    return program.name.startswith("Lotka")


def _compare(
    title: str, selected: list[Program], kind: str, target: float, options: Options
) -> Table:
    """One table; in that of long programs a short one is shown but not judged."""
    table = Table(title, _COLUMNS)
    for program in selected:
        outcome = contest.hold(program, kind, _ENTRANTS, options)
        cells = outcome.cells()
        cells["per_jax"] = outcome.ratio("fad_jit", "jax_jit")
        rival = outcome.time("jax_jit")
        judged = target != JAX or rival is None or rival >= LONG
        claims = [outcome.claim("fad_jit", "jax_jit", target)] if judged else []
        table.rows.append(Row(program.name, cells, claims, outcome.noisy))
    ratios = [value for row in table.rows if isinstance(value := row.cells["per_jax"], float)]
    table.summary.append(Claim("geometric mean of fad/jax", timing.geometric_mean(ratios), target))
    return table


def trivial() -> list[Program]:
    """Functions whose calls cost more than their work: what is timed is the call."""
    small = np.arange(4.0)
    nested = [{"a": small + i, "b": (small, [small * i])} for i in range(10)]

    def add_all(xp: Any, *arrays: Any) -> Any:
        total = arrays[0]
        for array in arrays[1:]:
            total = total + array
        return total

    def first_of_tree(xp: Any, tree: Any) -> Any:
        return tree[0]["a"] + tree[-1]["b"][1][0]

    def double_tree(xp: Any, tree: Any) -> Any:
        return [{"a": 2.0 * item["a"], "b": item["b"][0] + 1.0} for item in tree]

    return [
        Program("one array", lambda xp, x: x + 1.0, (small,)),
        Program("20 arrays", add_all, (small,) * 20),
        Program("a tree of 30 arrays", first_of_tree, (nested,)),
        Program("a tree of 30 arrays to one of 20", double_tree, (nested,)),
    ]
