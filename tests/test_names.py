"""What messages, docstrings and pages name is there: none advises what does not exist."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAME = re.compile(r"(?<![\w/.-])fad(?:\.[A-Za-z_]\w*)+")
MODULES = sorted(ROOT.glob("fad/**/*.py"))
LISTS = ("array_api.md", "numpy.md")  # which name what is yet to come, too
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *(path for path in sorted(ROOT.glob("docs/**/*.md")) if path.name not in LISTS),
]


def exists(name: str) -> bool:
    """Whether a dotted name leads to something."""
    package, *rest = name.split(".")
    found = importlib.import_module(package)
    for i, part in enumerate(rest):
        if not hasattr(found, part):
            try:
                importlib.import_module(".".join([package, *rest[: i + 1]]))
            except ImportError:
                return False
        found = getattr(found, part)
    return True


def missing(text: str) -> set[str]:
    """The names in ``text`` that lead nowhere."""
    return {name for name in NAME.findall(text) if not exists(name)}


def test_what_is_missing_is_found() -> None:
    text = "Use fad.grad, fad.core.stream.flush or fad.numpy.linalg.norm; fad.nothing, fad.nn.none."
    assert missing(text) == {"fad.nothing", "fad.nn.none"}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_names_in_strings_of(path: Path) -> None:
    strings = [
        node.value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert not missing("\n".join(strings))


@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_names_in(path: Path) -> None:
    assert not missing(path.read_text(encoding="utf-8"))
