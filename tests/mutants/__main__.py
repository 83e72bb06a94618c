"""``python -m tests.mutants [primitive ...]``: break every rule on purpose; list what survives.

Each mutant is a primitive's rules with one thing wrong, and the generated tests must notice. The
exit status is 1 if one survives that is not in ``EXPECTED``, if one there does not, or if a
derivative could not be hunted.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from tests.compiling import QUICK

_SETTINGS = {
    "XLA_FLAGS": QUICK,
    "OMP_NUM_THREADS": "1",  # processes with many threads each would fight over the cores
    "OPENBLAS_NUM_THREADS": "1",
    "NPROC": "1",
    "JAX_COMPILATION_CACHE_DIR": str(Path(__file__).parents[2] / ".mutants_cache"),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",  # the next hunt need not compile
}

BATCH = 20
"""A process keeps what it compiled, a megabyte for each kernel: it ends after some primitives."""

NOT_KILLED = ("survives", "equivalent", "fails", "unhunted")


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

    names = arguments.primitives or sorted(declarations)
    start = time.perf_counter()
    verdicts: list[Any] = []
    for done, found in enumerate(_hunt_all(names, arguments.workers), 1):
        verdicts += found
        for verdict in found:
            if verdict.fate in NOT_KILLED[2:] or verdict.fate == "survives":
                print(f"\r{verdict.fate}: {verdict.primitive}: {verdict.what}", file=sys.stderr)
        _progress(done, len(names), time.perf_counter() - start)
    if arguments.verbose:
        for verdict in sorted(verdicts):
            print(f"{verdict.primitive}: {verdict.what}: {verdict.fate}")
    return report(verdicts, set(names), time.perf_counter() - start)


def _progress(done: int, total: int, seconds: float) -> None:
    text = f"{done} of {total} primitives, {seconds:.0f} s"
    if sys.stderr.isatty():
        print(f"\r{text}", end="\n" if done == total else "", file=sys.stderr, flush=True)
    elif done % BATCH == 0:
        print(text, file=sys.stderr, flush=True)


def _hunt_all(names: Sequence[str], workers: int) -> Iterator[list[Any]]:
    """The verdicts on each primitive, as they come."""
    size = max(1, min(BATCH, len(names) // workers))
    found: SimpleQueue[list[Any]] = SimpleQueue()
    with ThreadPoolExecutor(workers) as threads:
        for first in range(0, len(names), size):
            threads.submit(_hunt_apart, names[first : first + size], found.put)
        for _ in names:
            yield found.get()


def _hunt_apart(names: Sequence[str], put: Callable[[list[Any]], None]) -> None:
    """Hunt in a process of its own. (One that ends after some tasks hangs its pool: gh-115634.)"""
    from tests.mutants.hunt import Verdict, hunt

    left = list(names)
    try:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            for verdicts in pool.map(hunt, names):
                left.pop(0)
                put(verdicts)
    except Exception as error:  # the process died
        for name in left:
            put([Verdict(name, repr(error), "fails")])


def report(verdicts: Sequence[Any], names: set[str], seconds: float) -> int:
    """Print what survived and what was hunted; the exit status."""
    from tests.mutants.expected import EXPECTED

    alive = {(v.primitive, v.what) for v in verdicts if v.fate == "survives"}
    told = {key for key in EXPECTED if key[0] in names}
    _print_kinds(verdicts)
    unhunted = _print_hunted(verdicts, names)
    for primitive, what in sorted(alive & told):
        print(f"survives for a reason: {primitive}: {what}: {EXPECTED[primitive, what]}")
    for primitive, what in sorted(told - alive):
        print(f"does not survive, take it off the list: {primitive}: {what}")
    for primitive, what in sorted(alive - told):
        print(f"survivor: {primitive}: {what}")
    print(f"{len(alive - told) or 'no'} survivors; {seconds:.0f} s")
    return int(alive != told or unhunted)


def _print_kinds(verdicts: Sequence[Any]) -> None:
    """How many mutants there were of each kind, and what became of them."""
    from tests.mutants.mutations import KINDS

    rows = [(kind, [v for v in verdicts if v.kind == kind]) for kind in KINDS]
    rows.append(("all", [v for v in verdicts if v.kind]))
    print(f"{'kind':18}{'primitives':>11}{'mutants':>9}{'killed':>8}{'equivalent':>12}{'alive':>7}")
    for kind, found in rows:
        fates = Counter(v.fate for v in found)
        killed = len(found) - fates["equivalent"] - fates["survives"]
        print(
            f"{kind:18}{len({v.primitive for v in found}):11}{len(found):9}{killed:8}"
            f"{fates['equivalent']:12}{fates['survives']:7}"
        )
    killers = Counter(v.fate for v in verdicts if v.fate not in NOT_KILLED).most_common()
    print("killed by " + ", ".join(f"{check} {count}" for check, count in killers))


def _print_hunted(verdicts: Sequence[Any], names: set[str]) -> bool:
    """How many primitives and derivatives were hunted; whether any was not that should be."""
    from fad.primitives.declare import declarations
    from fad.primitives.sparsity import sparsity

    moving = set()
    for name in names:
        primitive, samples = declarations[name].primitive, declarations[name].samples()
        partials = sparsity(primitive, max(len(s.operands) for s in samples)).partials
        if any(on is not None for on in partials):
            moving.add(name)
    hunted = {v.primitive for v in verdicts if v.kind == "sign" and v.fate not in NOT_KILLED}
    others = {v.primitive for v in verdicts if v.kind} - moving
    print(
        f"{len(hunted)} of {len(moving)} primitives with a derivative had it hunted; of "
        f"{len(names - moving)} without, {len(others)} had a batching rule hunted"
    )
    reasons = [v for v in verdicts if v.fate in ("fails", "unhunted")]
    for verdict in reasons:
        print(f"not hunted: {verdict.primitive}: {verdict.what}")
    for name in sorted(moving - hunted - {v.primitive for v in reasons}):
        print(f"not hunted: {name}: no wrong sign was noticed")
    return bool(reasons or moving - hunted)


if __name__ == "__main__":
    sys.exit(main())
