"""``python -m tests.array_api PATH [--max-examples N] [--write] [pytest's arguments ...]``.

Runs the array API standard's test suite, of which PATH is a clone, on fad.numpy. An exception that
passes is out of date, and an error. ``--write`` puts the result into docs/array_api.md.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

import fad
from fad.numpy import __array_api_version__ as VERSION
from tests.array_api import EXCEPTIONS, excepted

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "array_api.md"

HOW_TO_GET_IT = """\
There is no clone of the array API standard's test suite at {path!r}. Get one with

    git clone --recurse-submodules https://github.com/data-apis/array-api-tests PATH
    pip install -r PATH/requirements.txt

and say where it is: make array-api ARRAY_API_TESTS=PATH
"""


def main() -> int:
    """Run the suite; the exit status is pytest's."""
    parser = argparse.ArgumentParser(prog="python -m tests.array_api", description=__doc__)
    parser.add_argument("clone", nargs="?", default="", metavar="PATH")
    parser.add_argument("--max-examples", type=int, default=10, metavar="N")
    parser.add_argument("--write", action="store_true", help="write docs/array_api.md")
    arguments, rest = parser.parse_known_args()
    clone = Path(arguments.clone).expanduser().resolve()
    suite, standard = clone / "array_api_tests", clone / "array-api" / "spec"
    if not arguments.clone or not suite.is_dir() or not standard.is_dir():
        print(HOW_TO_GET_IT.format(path=arguments.clone), file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        status = run(clone, report, arguments.max_examples, rest)
        found = outcomes(report) if report.exists() else {}
    counts = Counter(found.values())
    print(", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())))
    if arguments.write:
        PAGE.write_text(page(counts, arguments.max_examples), "utf-8")
    stale = out_of_date(found)
    for test in stale:
        print(f"passed, though {EXCEPTIONS.name} excepts it: {test}")
    return status or bool(stale)


def run(clone: Path, report: Path, examples: int, rest: list[str]) -> int:
    """Run pytest in the clone, the same examples each time."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    environment = os.environ | {
        "PYTHONPATH": path,
        "ARRAY_API_TESTS_MODULE": "fad.numpy",
        "ARRAY_API_TESTS_VERSION": VERSION,
    }
    command = [
        sys.executable, "-m", "pytest", "-q", "-p", "tests.array_api.plugin",
        "-p", "no:cacheprovider", "-W", "ignore", "--tb=short",
        f"--max-examples={examples}", "--derandomize", "--disable-deadline",
        f"--xfails-file={EXCEPTIONS}", f"--junitxml={report}", *(rest or ["array_api_tests"]),
    ]  # fmt: skip
    return subprocess.run(command, cwd=clone, env=environment, check=False).returncode


def outcomes(report: Path) -> dict[str, str]:
    """Whether each test passed, failed, was excepted or skipped."""
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        children = {child.tag: child for child in case}
        if "failure" in children or "error" in children:
            outcome = "failed"
        elif "skipped" in children:
            expected = children["skipped"].get("type") == "pytest.xfail"
            outcome = "excepted" if expected else "skipped"
        else:
            outcome = "passed"
        package, module, *classes = (case.get("classname") or "").split(".")
        found["::".join([f"{package}/{module}.py", *classes, case.get("name") or ""])] = outcome
    return found


def out_of_date(found: dict[str, str]) -> list[str]:
    """The exceptions that passed, of those that should fail always."""
    tests = [test for group in excepted() if group.always for test in group.tests]
    return [test for test in tests if found.get(test) == "passed"]


def page(counts: Counter[str], examples: int) -> str:
    """The text of ``docs/array_api.md``."""
    rows = "".join(
        f"| {outcome} | {counts[outcome]} |\n"
        for outcome in ("passed", "excepted", "skipped", "failed")
    )
    jax = __import__("jax").__version__
    return f"""\
# The array API standard

<!-- Written by `make array-api WRITE=--write`. -->

`fad.numpy` implements the [array API standard](https://data-apis.org/array-api/) of {VERSION}. The
standard's own test suite says how well: `make array-api ARRAY_API_TESTS=PATH` runs it from a clone,
and without one says how to get it. With {examples} examples per test (fad {fad.__version__}, NumPy
{np.__version__}, JAX {jax}):

| outcome | tests |
|---|---|
{rows}
*Skipped* is what the suite leaves out by itself: tests it knows to be flaky, and those of an
extension that is not there. What fails for some examples only ("sometimes", below) may be among
those that passed.

{exceptions()}"""


def exceptions() -> str:
    """The section on exceptions."""
    lines = ["## Exceptions\n"]
    for group in excepted():
        lines.append(f"**{group.reason}** ({len(group.tests)})\n")
        names = [test.removeprefix("array_api_tests/").replace("|", "\\|") for test in group.tests]
        lines.append("".join(f"- `{name}`\n" for name in names))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
