"""Plain-text tables and the few number formats that the demonstration prints."""

from __future__ import annotations

from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align `rows` under `header`: the first column to the left, all others to the right."""
    lines = [list(header), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    text = [
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths))
        ).rstrip()
        for line in lines
    ]
    text.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join("  " + line for line in text)


def heading(text: str) -> str:
    """Underline the title of a part."""
    return f"\n{text}\n{'=' * len(text)}"


def seconds(value: float) -> str:
    """Write a duration with three digits and the unit that suits it."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def error(value: float) -> str:
    """Write an error or a norm, of which only the size matters."""
    return f"{value:.1e}"
