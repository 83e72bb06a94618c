"""``python -m tests.mutants [primitive ...]``: break every rule on purpose; list what survives.

Each mutant is a primitive's rules with one thing wrong, and the generated tests must notice. The
exit status is 1 if one survives that is not in ``EXPECTED``, or if one there does not.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any

_SETTINGS = {
    "XLA_FLAGS": "--xla_backend_optimization_level=0",  # what checks compile need not be fast
    "OMP_NUM_THREADS": "1",  # processes with many threads each would fight over the cores
    "OPENBLAS_NUM_THREADS": "1",
    "NPROC": "1",
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("primitives", nargs="*", help="only these; all by default")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--verbose", action="store_true", help="the fate of every mutant")
    return parser.parse_args()


def main() -> int:
    """Hunt, and report."""
    arguments = _arguments()
    for name, value in _SETTINGS.items():  # before anything imports XLA
        os.environ.setdefault(name, value)
    from fad.primitives.declare import declarations
    from tests.mutants.hunt import hunt

    names = arguments.primitives or sorted(declarations)
    start = time.perf_counter()
    verdicts: list[Any] = []
    # A process keeps what it compiled, a megabyte for each kernel: it ends after some primitives.
    with ProcessPoolExecutor(
        arguments.workers, mp_context=get_context("spawn"), max_tasks_per_child=16
    ) as pool:
        futures = [pool.submit(hunt, name) for name in names]
        for done, future in enumerate(as_completed(futures), 1):
            verdicts += future.result()
            if sys.stderr.isatty():
                print(f"\r{done} of {len(names)} primitives", end="", file=sys.stderr, flush=True)
    if arguments.verbose:
        for verdict in sorted(verdicts):
            print(f"{verdict.primitive}: {verdict.what}: {verdict.fate}")
    return _report(verdicts, set(names), time.perf_counter() - start)


def _report(verdicts: list[Any], names: set[str], seconds: float) -> int:
    from tests.mutants.expected import EXPECTED

    counts = Counter(verdict.fate for verdict in verdicts)
    broken = [v for v in verdicts if v.fate == "fails"]
    for verdict in broken:
        print(f"no mutants, since a check fails: {verdict.primitive}: {verdict.what}")
    alive = {(v.primitive, v.what) for v in verdicts if v.fate == "survives"}
    told = {key for key in EXPECTED if key[0] in names}
    for primitive, what in sorted(alive - told):
        print(f"survivor: {primitive}: {what}")
    for primitive, what in sorted(told - alive):
        print(f"does not survive, take it off the list: {primitive}: {what}")
    others = ("survives", "equivalent", "fails")
    killers = ", ".join(f"{fate} {n}" for fate, n in counts.most_common() if fate not in others)
    print(
        f"{len(verdicts) - len(broken)} mutants of {len(names)} primitives in {seconds:.0f} s: "
        f"{len(alive - told)} survive; {len(alive & told)} survive for a reason; "
        f"{counts['equivalent']} are equivalent; killed by {killers}"
    )
    return int(alive != told or bool(broken))


if __name__ == "__main__":
    sys.exit(main())
