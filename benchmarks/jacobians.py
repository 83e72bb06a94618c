"""Jacobians and Hessians against `jax.jacobian`, `jax.hessian` and `torch.func`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks import contest, programs, timing
from benchmarks.options import Options
from benchmarks.program import Program
from benchmarks.report import Claim, Column, Row, Table, ratio

JITTED, UNJITTED = 1.0, 1 / 20

_ENTRANTS = [
    contest.Entrant("fad", True),
    contest.Entrant("jax", True),
    contest.Entrant("torch"),
    contest.Entrant("fad"),
    contest.Entrant("jax"),
]
_RATIOS = {
    "jit_per_jax": ("fad_jit", "jax_jit", JITTED),
    "jit_per_torch": ("fad_jit", "torch", JITTED),
    "per_jax": ("fad", "jax", UNJITTED),
}
_COLUMNS = [
    Column("fad_jit", "fad.jit"),
    Column("jax_jit", "jax.jit"),
    Column("torch", "torch.func"),
    Column("jit_per_jax", "fad.jit/jax.jit", ratio),
    Column("jit_per_torch", "fad.jit/torch", ratio),
    Column("fad", "fad"),
    Column("jax", "jax"),
    Column("per_jax", "fad/jax", ratio),
]


def run(options: Options) -> Iterator[Table]:
    """Jacobians, then Hessians."""
    for kind, build in (("jacobian", mappings), ("hessian", objectives)):
        table = Table(f"{kind.capitalize()}s", _COLUMNS)
        for program in options.select(build(), every=4):
            outcome = contest.hold(program, kind, _ENTRANTS, options)
            cells = outcome.cells()
            cells |= {key: outcome.ratio(one, other) for key, (one, other, _) in _RATIOS.items()}
            claims = [outcome.claim(one, other, most) for one, other, most in _RATIOS.values()]
            table.rows.append(Row(program.name, cells, claims, outcome.noisy))
        for column in _COLUMNS:
            if column.key in _RATIOS:
                table.summary.append(_mean(table, column))
        yield table


def _mean(table: Table, column: Column) -> Claim:
    ratios = [value for row in table.rows if isinstance(value := row.cells[column.key], float)]
    subject = f"geometric mean of {column.heading}"
    return Claim(subject, timing.geometric_mean(ratios), _RATIOS[column.key][2])


def _points(name: str, *shape: int) -> np.ndarray:
    return np.random.default_rng(len(name)).normal(size=shape)


def mappings() -> list[Program]:
    """Functions from vectors to vectors: tall, wide, square, and one with structure."""

    def residuals(xp: Any, p: Any, t: Any) -> Any:
        return p[0] * xp.exp(-p[1] * t) + p[2] * xp.sin(p[3] * t) + p[4]

    def network(xp: Any, x: Any, first: Any, second: Any) -> Any:
        return xp.tanh(xp.tanh(x @ first) @ second)

    def stencil(xp: Any, u: Any) -> Any:
        return u[1:-1] ** 2 + xp.sin(u[2:]) - 2.0 * u[1:-1] * u[:-2]

    def softmax(xp: Any, x: Any) -> Any:
        return x - xp.logsumexp(x, 0)

    def network_of(name: str, inputs: int, outputs: int) -> Program:
        weights = (_points("a", inputs, 64) / inputs**0.5, _points("b", 64, outputs) / 8.0)
        return Program(name, network, (_points(name, inputs), *weights))

    return [
        Program("residuals, 5 to 500", residuals, (_points("r", 5), np.linspace(0.0, 3.0, 500))),
        network_of("network, 200 to 10", 200, 10),
        network_of("network, 100 to 100", 100, 100),
        Program("stencil, 200 to 198", stencil, (_points("s", 200),)),
        Program("log softmax, 50 to 50", softmax, (_points("s", 50),)),
    ]


def objectives() -> list[Program]:
    """Scalar functions for Hessians."""

    def quartic(xp: Any, x: Any, a: Any) -> Any:
        return xp.sum((a @ x) ** 4) + xp.sum(xp.exp(0.1 * x))

    chain = programs.mixture()
    return [
        programs.rosenbrock(10),
        programs.rosenbrock(100),
        programs.logistic(200, 30),
        Program("quartic form, 50", quartic, (_points("q", 50), _points("qq", 50, 50) / 7.0)),
        Program("Gaussian mixture, in the weights", chain.function, chain.inputs, argnums=0),
        Program(
            "trace of a 8x8 matrix to the 6",
            programs.matrix_power().function,
            (_points("t", 8, 8) / 3.0,),
        ),
    ]
