"""``python -m benchmarks [section ...] [--quick] [--json FILE] [--markdown FILE]``."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from pathlib import Path

from benchmarks import environment, libraries, report
from benchmarks.options import Options

SECTIONS = ("startup", "unjitted", "recording", "jitted", "jacobians", "scaling", "memory")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="section", help=f"of {', '.join(SECTIONS)}")
    parser.add_argument(
        "--quick", action="store_true", help="about a minute: fewer rounds and programs"
    )
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="only programs whose name has TEXT"
    )
    parser.add_argument(
        "--best",
        action="store_true",
        help="compare the best batches, not medians: on a busy machine",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every number")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables")
    arguments = parser.parse_args()
    unknown = set(arguments.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    return arguments


def _run(names: list[str], options: Options) -> dict[str, list[report.Table]]:
    """Run the sections, printing each table as it is done."""
    sections: dict[str, list[report.Table]] = {}
    for name in names:
        sections[name] = []
        for table in importlib.import_module(f"benchmarks.{name}").run(options):
            if not table.rows:  # nothing of what was asked for is in this table
                continue
            sections[name].append(table)
            print(report.text(table), flush=True)
    return sections


def _markdown(header: dict[str, str], sections: dict[str, list[report.Table]], took: str) -> str:
    origin = "Written by `python -m benchmarks --markdown FILE`."
    lines = ["# Results", "", origin, "README.md says what is measured and how.", ""]
    lines += [f"- {key}: {value}" for key, value in header.items()]
    lines += [f"- {took}", "", report.markdown(report.closing(sections))]
    for name, tables in sections.items():
        lines += [f"## {name}", "", *map(report.markdown, tables)]
    return "\n".join(lines)


def main() -> int:
    """Run the suite; the exit status is 1 where fad failed or gave a wrong result, else 0."""
    arguments = _arguments()
    environment.limit_threads()
    options = Options(quick=arguments.quick, only=arguments.only, best=arguments.best)
    header = environment.describe()
    for key, value in header.items():
        print(f"{key:>10}: {value}")
    for name in libraries.NAMES:
        if libraries.load(name) is None:
            print(f"{name:>10}: cannot be imported: {libraries.why_absent(name)}")
    print()
    start = time.perf_counter()
    sections = _run(arguments.sections or list(SECTIONS), options)
    took = f"the run took {time.perf_counter() - start:.0f} s"
    took += ", --quick" * options.quick + ", --best" * options.best
    print(report.text(report.closing(sections)))
    print(took)
    for failure in options.failures:
        print(f"failed: {failure}", file=sys.stderr)
    if arguments.json:
        data = {name: list(map(report.as_json, tables)) for name, tables in sections.items()}
        content = {"header": header, "sections": data, "failures": options.failures}
        arguments.json.write_text(json.dumps(content, indent=1) + "\n")
    if arguments.markdown:
        arguments.markdown.write_text(_markdown(header, sections, took))
    return 1 if options.failures else 0


if __name__ == "__main__":
    sys.exit(main())
