"""Tables of measurements, each held against its target; as text, Markdown and JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

Value = float | str | None


def seconds(value: float) -> str:
    """A duration with three digits and a unit."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3)):
        if abs(value) >= 0.9995 * scale:
            return f"{_three_digits(value / scale)} {unit}"
    return f"{_three_digits(value / 1e-6)} us"


def _three_digits(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 99.95 else f"{value:.3g}"


def ratio(value: float) -> str:
    """A ratio, written as a fraction where it is small."""
    return f"1/{1 / value:.0f}" if 0 < value < 0.08 else f"{value:.2f}"


def number(value: float) -> str:
    """A plain number."""
    return f"{value:.0f}" if value == int(value) else f"{value:.3g}"


def megabytes(value: float) -> str:
    """An amount of memory, given in bytes."""
    return f"{value / 1e6:.2f} MB"


@dataclass(frozen=True)
class Claim:
    """A measured value that should not exceed its target; None where it could not be measured."""

    subject: str
    value: float | None
    target: float
    show: Callable[[float], str] = ratio
    failure: str = ""  # why there is no value, where that is fad's fault
    tolerance: float = 0.0  # relative; the same code timed twice differs by as much

    @property
    def met(self) -> bool | None:
        """Whether the target is met, None where that is unknown."""
        if self.failure:
            return False
        return None if self.value is None else self.value <= self.target * (1.0 + self.tolerance)

    @property
    def verdict(self) -> str:
        """Met, or by how much the value falls short."""
        if self.failure:
            return "failed"
        if self.value is None:
            return "not measured"
        if self.met:
            return "met"
        if self.target <= 0:
            return f"{self.show(self.value)} over"
        return f"{self.value / self.target:.3g} times the target"

    def __str__(self) -> str:
        return f"{self.subject}: {self.verdict}"


@dataclass
class Row:
    """One line of a table: cells by column key, and the claims they bear out."""

    name: str
    cells: dict[str, Value]
    claims: list[Claim] = field(default_factory=list)
    noisy: bool = False

    @property
    def targets(self) -> str:
        return ", ".join(dict.fromkeys(f"≤ {claim.show(claim.target)}" for claim in self.claims))

    @property
    def verdict(self) -> str:
        """What is missed, else that all is met, else that nothing is known."""
        if not self.claims:
            return ""
        missed = [claim for claim in self.claims if claim.met is False]
        if missed:
            return "; ".join(dict.fromkeys(claim.failure or str(claim) for claim in missed))
        return "met" if any(claim.met for claim in self.claims) else "not measured"


@dataclass(frozen=True)
class Column:
    """A column's key in the cells, its heading, and how its numbers are written."""

    key: str
    heading: str
    show: Callable[[float], str] = seconds

    def text(self, value: Value) -> str:
        if value is None:
            return "-"
        return value if isinstance(value, str) else self.show(value)


@dataclass
class Table:
    """A table of one section."""

    title: str
    columns: Sequence[Column]
    rows: list[Row] = field(default_factory=list)
    summary: list[Claim] = field(
        default_factory=list
    )  # over all rows: geometric means and the like
    note: str = ""
    first_heading: str = "program"

    @property
    def judged(self) -> bool:
        """Whether any row is held against a target."""
        return any(row.claims for row in self.rows)

    def claims(self) -> Iterable[tuple[str, Claim]]:
        """Every claim with the name of its row, those of the summary without."""
        for row in self.rows:
            for claim in row.claims:
                yield row.name, claim
        for claim in self.summary:
            yield "", claim

    def grid(self) -> list[list[str]]:
        """Headings and rows as text."""
        ends = ["target", "verdict"] if self.judged else []
        grid = [[self.first_heading, *(column.heading for column in self.columns), *ends]]
        for row in self.rows:
            name = row.name + (" ~" if row.noisy else "")
            cells = [column.text(row.cells.get(column.key)) for column in self.columns]
            grid.append([name, *cells, *([row.targets, row.verdict] if self.judged else [])])
        return grid

    def summary_lines(self) -> list[str]:
        """The summary claims, one sentence each."""
        lines = []
        for claim in self.summary:
            value = "-" if claim.value is None else claim.show(claim.value)
            lines.append(
                f"{claim.subject}: {value} (target {claim.show(claim.target)}): {claim.verdict}"
            )
        return lines


def _rules(grid: list[list[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*grid, strict=True)]


def text(table: Table) -> str:
    """The table in aligned columns."""
    grid = table.grid()
    widths = _rules(grid)
    lines = [table.title, "-" * len(table.title)]
    for line in grid:
        cells = [cell.rjust(width) for cell, width in zip(line, widths, strict=True)]
        cells[0] = line[0].ljust(widths[0])
        if table.judged:
            cells[-1] = line[-1]
        lines.append("  ".join(cells).rstrip())
    lines += ["  " + line for line in table.summary_lines()]
    if table.note:
        lines.append(f"  {table.note}")
    return "\n".join(lines) + "\n"


def markdown(table: Table) -> str:
    """The table in Markdown."""
    headings, *rows = table.grid()
    lines = [f"### {table.title}", ""]
    lines.append("| " + " | ".join(headings) + " |")
    right = len(headings) - (2 if table.judged else 1)
    lines.append("|---" + "|---:" * right + ("|---|" if table.judged else "|"))
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    lines.append("")
    lines += [f"- {line}" for line in table.summary_lines()]
    if table.note:
        lines += ["", table.note] if table.summary else [table.note]
    return "\n".join(lines).rstrip() + "\n"


def as_json(table: Table) -> dict[str, Any]:
    """The table as plain data, times in seconds."""

    def claim(one: Claim) -> dict[str, Any]:
        data = {"subject": one.subject, "value": one.value, "target": one.target, "met": one.met}
        return data | ({"failure": one.failure} if one.failure else {})

    rows = [
        {
            "name": row.name,
            "cells": row.cells,
            "noisy": row.noisy,
            "claims": list(map(claim, row.claims)),
        }
        for row in table.rows
    ]
    return {"title": table.title, "rows": rows, "summary": list(map(claim, table.summary))}


def closing(sections: dict[str, list[Table]]) -> Table:
    """The summary of a run: per table, how many targets were met and the worst miss."""
    columns = [
        Column("met", "met", number),
        Column("missed", "missed", number),
        Column("unknown", "not measured", number),
        Column("worst", "furthest from its target"),
    ]
    table = Table("Summary", columns, first_heading="table")
    for section, tables in sections.items():
        for one in tables:
            claims = list(one.claims())
            if not claims:
                continue
            missed = [(name, claim) for name, claim in claims if claim.met is False]
            cells: dict[str, Value] = {
                "met": sum(claim.met is True for _, claim in claims),
                "missed": len(missed),
                "unknown": sum(claim.met is None for _, claim in claims),
                "worst": _worst(missed),
            }
            table.rows.append(Row(f"{section}: {one.title}", cells))
    return table


def _worst(missed: list[tuple[str, Claim]]) -> str:
    """The miss with the largest excess; failures come first."""

    def excess(item: tuple[str, Claim]) -> float:
        claim = item[1]
        if claim.value is None or claim.failure:
            return float("inf")
        return claim.value / claim.target if claim.target > 0 else claim.value + 1.0

    if not missed:
        return ""
    name, claim = max(missed, key=excess)
    return f"{name or claim.subject}: {claim.verdict}"
