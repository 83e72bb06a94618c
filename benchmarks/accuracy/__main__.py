"""``python -m benchmarks.accuracy [--only NAME ... [--update]]``: measure, write the tables."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import sys
import warnings
from pathlib import Path

import numpy as np

from benchmarks.accuracy import aggregates, page
from benchmarks.accuracy.grid import Domain
from benchmarks.accuracy.measure import Row, dtypes_of, measure
from benchmarks.accuracy.tables import EXACT

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE, NUMBERS = DOCS / "accuracy_table.md", DOCS / "accuracy_table.json"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", help="print the rows of these; write nothing"
    )
    parser.add_argument("--update", action="store_true", help="but renew their rows in the table")
    parser.add_argument("--effort", type=float, default=1.0, help="how many arguments: 1 is usual")
    return parser.parse_args()


def _header(effort: float) -> dict[str, str]:
    versions = []
    for package in ("numpy", "jax", "torch", "mpmath"):
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"no {package}")
    points = round(len(Domain().points(np.float64, int(400 * effort))), -2)
    return {
        "machine": f"{platform.machine()}, CPU",
        "versions": ", ".join([f"Python {platform.python_version()}", *versions]),
        "arguments": f"about {points:,} for one operand (`--effort {effort:g}`)",
    }


def _rows(names: list[str], effort: float) -> list[Row]:
    rows = []
    for name in names:
        for dtype in dtypes_of(EXACT[name]):
            if sys.stderr.isatty():
                print(f"\r\033[K{name} {dtype}", end="", file=sys.stderr, flush=True)
            rows.append(measure(name, EXACT[name], dtype, effort))
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    return rows


def main() -> int:
    """Measure everything and write the page; 1 if an error above the aim has no reason."""
    arguments = _arguments()
    names = sorted(EXACT) if arguments.only is None else arguments.only
    unknown = set(names) - set(EXACT)
    if unknown:
        sys.exit(f"no exact function for {', '.join(sorted(unknown))}; see benchmarks/accuracy")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        rows = _rows(names, arguments.effort)
        sums = aggregates.run() if arguments.only is None else []
    numbers = page.as_numbers(rows, sums, _header(arguments.effort))
    if arguments.only is not None and not arguments.update:
        print(page.markdown(numbers))
        return 0
    if arguments.only is not None:
        whole = json.loads(NUMBERS.read_text(encoding="utf-8"))
        kept = {name: row for name, row in whole["rows"].items() if name in EXACT}
        numbers = {**whole, "rows": {**kept, **numbers["rows"]}}
    return _write(numbers)


def _write(numbers: page.Numbers) -> int:
    text = json.dumps({**numbers, "rows": dict(sorted(numbers["rows"].items()))}, indent=1)
    shown = page.markdown(json.loads(text))
    NUMBERS.write_text(text + "\n", encoding="utf-8")
    PAGE.write_text(shown, encoding="utf-8")
    print(f"wrote {PAGE} and {NUMBERS}")
    return int(page.UNEXPLAINED in shown)


if __name__ == "__main__":
    sys.exit(main())
