"""The accuracy table: a view of the numbers that ``make accuracy`` measured."""

import json
from pathlib import Path

from benchmarks.accuracy.page import markdown

PATH = "docs/accuracy_table.md"
NUMBERS = Path(__file__).resolve().parent.parent / "accuracy_table.json"


def text() -> str:
    """The page."""
    return markdown(json.loads(NUMBERS.read_text(encoding="utf-8")))
