"""Pages that are written by programs, because they state what the library does.

Each module here is a page: ``PATH``, where it stands in the repository, and ``text()``, what it
says; or has many, as objects with the same two names. A page may have ``files()`` too, which gives
what is written beside it and need not be compared, such as drawings, by path. A page whose text
also depends on something outside the library (a version of NumPy's) has ``unavailable()`` too: why
it cannot be written or compared here, or None.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent


def is_current(page: Any) -> bool:
    """Whether the committed page says what its program writes now."""
    path = ROOT / page.PATH
    return path.exists() and path.read_text("utf-8") == page.text()


def write(page: Any) -> None:
    """Write the page to its place."""
    path = ROOT / page.PATH
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page.text(), "utf-8")
    for name, text in getattr(page, "files", dict)().items():
        beside = ROOT / name
        beside.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, "utf-8")


def unavailable(page: Any) -> str | None:
    """Why the page cannot be written or compared here, or None."""
    why = getattr(page, "unavailable", None)
    return why() if why else None
