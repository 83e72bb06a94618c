"""The tables as Markdown and JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.accuracy.aggregates import Aggregate
from benchmarks.accuracy.exact import COPIES, Path
from benchmarks.accuracy.measure import DTYPES, Cell, Row
from benchmarks.accuracy.reasons import AIM, because

Numbers = dict[str, Any]
"""What the JSON file holds: ``rows[name][dtype][library][path]`` with paths "value", "x", "xy"."""

_LETTERS = "xyzw"
_INTRODUCTION = """\
# Accuracy, measured

Written by `make accuracy`; `accuracy.md` says in words what it means, and `accuracy_table.json` has
the same numbers with all arguments.

Each entry is the largest distance from the exact value, in units in the last place (ulp) of that
value, and the argument where it occurs: of arguments of all magnitudes, the neighbourhoods of
special points and the ends of the range. The exact values and derivatives are mpmath's. The aim is
{aim:g} ulp for values and first derivatives; where it is missed, the last column says why. Second
derivatives come from differentiating the rules once more, and are shown for what they are.

*n lost* counts arguments where 0, an infinity or NaN comes out and should not. Results below the
normal range are flushed to 0 by XLA: they are not counted, and neither is what is lost within a
factor of 64 of either end of the range, of the result or of an operand, since an intermediate
result is out of range there (the JSON file counts both). For complex numbers the unit is epsilon
times the magnitude of the exact result.

JAX is its own function under `jax.jit` and its own derivative by `jax.grad`; PyTorch is its own,
with `torch.autograd.grad`; on the same arguments. Their entries are value, first and second
derivative. A dash: the library does not have that function, or does not differentiate it.
"""


def as_numbers(
    rows: Sequence[Row], aggregates: Sequence[Aggregate], header: dict[str, str]
) -> Numbers:
    """All numbers, as the JSON file holds them."""
    named: Numbers = {}
    for row in rows:
        libraries = named.setdefault(row.name, {}).setdefault(row.dtype, {})
        for library, cells in row.cells.items():
            if cells:
                libraries[library] = {label(path): _plain(cell) for path, cell in cells.items()}
    return {"header": header, "rows": named, "aggregates": [asdict(a) for a in aggregates]}


def label(path: Path) -> str:
    """What the JSON file calls a derivative."""
    return "".join(_LETTERS[i] for i in path) or "value"


def _plain(cell: Cell) -> Numbers:
    plain = {key: value for key, value in asdict(cell).items() if value not in (0, (), "")}
    plain["ulps"] = cell.ulps
    for key in ("at", "lost_at"):
        if key in plain:
            plain[key] = [f"{x:.6g}" if isinstance(x, complex) else x for x in plain[key]]
    return plain


def markdown(numbers: Numbers) -> str:
    """The whole page."""
    parts = [_INTRODUCTION.format(aim=AIM).rstrip()]
    parts.append("\n".join(f"- {key}: {value}" for key, value in numbers["header"].items()))
    parts += [f"## {dtype}\n\n{table(numbers['rows'], dtype)}" for dtype in DTYPES]
    copies = ", ".join(f"`{name}`" for name in sorted(COPIES))
    parts.append(
        f"## Exact operations\n\nThese copy, choose or negate an operand, and are exact:\n{copies}."
        "\n\n`gammainc_in_a` has no row: its values are the derivatives of `gammainc` in a."
    )
    parts.append(_aggregate_section(numbers["aggregates"]))
    return "\n\n".join(parts) + "\n"


def table(rows: Numbers, dtype: str) -> str:
    """The rows of one dtype."""
    lines = [
        "| function | value | derivative | second | JAX | PyTorch | why above the aim |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in sorted(rows):
        if dtype in rows[name]:
            found = _lines(name, dtype, rows[name][dtype])
            lines += [f"| {' | '.join(line)} |" for line in found]
    return "\n".join(lines)


def _lines(name: str, dtype: str, libraries: Numbers) -> Iterable[list[str]]:
    """One line for each operand, and one for the mixed second derivative."""
    ours = libraries["fad"]
    operands = sorted({path[0] for path in ours if path != "value"})
    for x in operands:
        label = f"`{name}`" + (f" in {x}" if len(operands) > 1 else "")
        paths = [*(["value"] if x == operands[0] else []), x, 2 * x]
        line = [label, *([] if x == operands[0] else [""]), *[_shown(ours.get(p)) for p in paths]]
        for rival in ("JAX", "PyTorch"):
            cells = libraries.get(rival, {})
            line.append(" / ".join(_short(cells.get(p)) for p in paths))
        yield [*line, _why(name, dtype, ours, paths)]
    if len(operands) > 1:
        worst = {library: _mixed(cells) for library, cells in libraries.items()}
        rivals = [_short(worst.get(rival)) for rival in ("JAX", "PyTorch")]
        yield [f"`{name}` in {', '.join(operands)}", "", "", _shown(worst["fad"]), *rivals, ""]


def _mixed(cells: Numbers) -> Numbers | None:
    found = [cells[p] for p in cells if len(p) == 2 and p[0] != p[1]]
    return max(found, key=lambda c: (c.get("lost", 0), c["ulps"])) if found else None


def _why(name: str, dtype: str, ours: Numbers, paths: Sequence[str]) -> str:
    reasons = []
    for path in paths:
        if path in ours and above_aim(path, ours[path]):
            reason = because(name, dtype, path) or UNEXPLAINED
            if reason not in reasons:
                reasons.append(reason)
    return "; ".join(reasons)


UNEXPLAINED = "**not known**"


def above_aim(path: str, cell: Numbers) -> bool:
    """Whether a reason is due: second derivatives are not part of the aim."""
    first = path == "value" or len(path) == 1
    return first and (cell["ulps"] > AIM or cell.get("lost", 0) > 0)


def _number(value: float) -> str:
    if value >= 1e4:
        return f"{value:.0e}".replace("e+0", "e").replace("e+", "e")
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def _shown(cell: Numbers | None) -> str:
    if cell is None:
        return ""
    text = _number(cell["ulps"])
    if cell["ulps"] > 0.5:
        text += f" at {_point(cell['at'])}"
    if "lost" in cell:
        text += f"; {cell['lost']} lost, as at {_point(cell['lost_at'])}"
    return text


def _point(at: Sequence[Any]) -> str:
    return ", ".join(f"{complex(x) if isinstance(x, str) else x:.4g}" for x in at)


def _short(cell: Numbers | None) -> str:
    if cell is None or "failure" in cell:
        return "–"
    return _number(cell["ulps"]) + (f" ({cell['lost']} lost)" if "lost" in cell else "")


def _aggregate_section(aggregates: Sequence[Numbers]) -> str:
    lines = [
        "## Reductions and scans",
        "",
        "Errors in units of epsilon, relative to the condition: for sums and means that is the sum",
        "of magnitudes, for the others the result. That of a gradient is relative to its largest",
        "element.",
        "",
        "| function | elements | dtype | value | JAX | PyTorch | gradient | JAX | PyTorch |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for a in aggregates:
        values = [a[of].get(k) for of in ("values", "gradients") for k in ("fad", "JAX", "PyTorch")]
        shown = ["–" if v is None else _number(v) for v in values]
        label = f"`{a['name']}`"
        lines.append(f"| {' | '.join([label, a['data'], a['dtype'], *shown])} |")
    return "\n".join(lines)
