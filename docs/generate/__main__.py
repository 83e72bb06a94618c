"""``python -m docs.generate [--check]``: write the generated pages, or say which are old."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from docs.generate import accuracy, conventions, is_current, numpy, primitives, unavailable, write

PAGES: list[Any] = [accuracy, conventions, numpy, *primitives.pages()]
"""Every generated page; a new one is a module of this package and a line here."""


def main() -> int:
    """Write or check every page; the exit status is 1 if one is out of date."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if a page is old")
    check = parser.parse_args().check
    stale = False
    for page in PAGES:
        why = unavailable(page)
        if why:
            print(f"{page.PATH}: left alone: {why}")
        elif is_current(page):
            print(f"{page.PATH}: up to date")
        elif check:
            print(f"{page.PATH}: out of date; run `make docs`")
            stale = True
        else:
            write(page)
            print(f"{page.PATH}: written")
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
