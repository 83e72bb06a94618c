"""Un-jitted gradients: forward, backward, result materialised, at every call anew."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import contest, programs, timing
from benchmarks.options import Options
from benchmarks.report import Claim, Column, Row, Table, ratio

TORCH_MEAN, TORCH_WORST, JAX = 0.4, 0.8, 1 / 60

_ENTRANTS = [contest.Entrant("fad"), contest.Entrant("torch"), contest.Entrant("jax")]
_COLUMNS = [
    Column("fad", "fad"),
    Column("torch", "torch"),
    Column("per_torch", "fad/torch", ratio),
    Column("jax", "jax"),
    Column("per_jax", "fad/jax", ratio),
    Column("fad_first", "fad, first call"),
    Column("fad_settled", "until settled"),
]


def run(options: Options) -> Iterator[Table]:
    """`grad` against `torch.autograd.grad` and un-jitted `jax.grad`."""
    table = Table("Un-jitted gradients", _COLUMNS)
    for program in options.select(programs.small(), every=2):
        outcome = contest.hold(program, "grad", _ENTRANTS, options)
        cells = outcome.cells()
        cells["per_torch"] = outcome.ratio("fad", "torch")
        cells["per_jax"] = outcome.ratio("fad", "jax")
        claims = [outcome.claim("fad", "torch", TORCH_WORST)]
        table.rows.append(Row(program.name, cells, claims, outcome.noisy))
    for key, subject, target in (
        ("per_torch", "geometric mean of fad/torch", TORCH_MEAN),
        ("per_jax", "geometric mean of fad/jax", JAX),
    ):
        ratios = [value for row in table.rows if isinstance(value := row.cells[key], float)]
        table.summary.append(Claim(subject, timing.geometric_mean(ratios), target))
    table.note = (
        "until settled: all calls until no more is compiled, the first included. "
        "~: the rounds differ by more than 30 %."
    )
    yield table
