"""Memory: the peak of a gradient of many large additions, and what is left after many calls."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from benchmarks import fresh, libraries, residency
from benchmarks.options import Options
from benchmarks.report import Claim, Column, Row, Table, Value, megabytes, number

BUFFERS = 4  # most, each the size of the input, beyond the input itself
LEFT = 2e6  # most bytes that may be left after many calls: the allocator's own wobble
LEFT_OBJECTS = 5000  # less than one for every second call; bounded caches differ by as many

_ADDITIONS = 100
_SMALL, _LARGE = 100_000, 1_000_000  # elements: 0.8 and 8 MB
_CONTESTANTS = ("fad", "jax", "jax_jit", "torch")
_WARM = 10  # calls before the one that stands for the later ones


def _present(names: tuple[str, ...]) -> list[str]:
    return [name for name in names if libraries.installed(name.removesuffix("_jit"))]


def run(options: Options) -> Iterator[Table]:
    """Peaks, then what is left."""
    yield _peaks(options)
    yield _left(options)


def _buffers(library: str, warm: int, repeats: int) -> float:
    """Peak memory in units of the input.

    From the difference between two sizes: what does not depend on the size, such as the memory of
    a compiler at work, has no part in it. PyTorch has no compiler, and a peak that varies too much
    to be subtracted from another.
    """

    def middle(elements: int) -> float:
        task = ("residency", "additions", library, elements, _ADDITIONS, warm)
        return statistics.median(fresh.measure(*task)["peak"] for _ in range(repeats))

    if library == "torch":
        return middle(_LARGE) / (8 * _LARGE)
    return (middle(_LARGE) - middle(_SMALL)) / (8 * (_LARGE - _SMALL))


def _peaks(options: Options) -> Table:
    columns = [Column(name, name.replace("_", "."), number) for name in _CONTESTANTS]
    title = f"Peak memory of the gradient of {_ADDITIONS} additions of 8 MB, in buffers of 8 MB"
    table = Table(title, columns, first_heading="call")
    table.note = (
        "Beyond the input, the gradient included. PyTorch's peak varies from run to run with the "
        "places that the C library finds for its buffers."
    )
    for when, warm in (("first", 0), (f"after {_WARM} calls", _WARM)):
        cells: dict[str, Value] = {}
        failure = ""
        for name in _present(("fad", "jax_jit") if options.quick else _CONTESTANTS):
            options.progress(f"peak memory, {name}")
            repeats = 3 if name == "fad" and not options.quick else 1
            try:
                cells[name] = round(_buffers(name, warm, repeats), 2)
            except fresh.ChildError as error:
                cells[name] = "failed"
                if name == "fad":
                    failure = options.failed(f"peak memory, {when} call", error)
        fad = cells.get("fad")
        value = fad if isinstance(fad, float) else None
        table.rows.append(Row(when, cells, [Claim("fad", value, BUFFERS, number, failure)]))
    return table


def _left(options: Options) -> Table:
    calls = 1000 if options.quick else 10_000
    columns = [
        Column("fad", "fad", megabytes),
        Column("torch", "torch", megabytes),
        Column("objects", "fad, Python objects", number),
    ]
    table = Table(f"What is left after {calls:,} gradients", columns, first_heading="calls")
    table.note = "Without the collector: what only Python's cycle collector would free is left."
    for loop in list(residency.LOOPS)[: 1 if options.quick else None]:
        for collect in (True, False):
            name = loop if collect else f"{loop}, without the collector"
            options.progress(f"what is left: {name}")
            table.rows.append(_left_row(name, loop, calls, collect, options))
    options.progress("")
    return table


def _left_row(name: str, loop: str, calls: int, collect: bool, options: Options) -> Row:
    cells: dict[str, Value] = {}
    memory: float | None = None
    objects: float | None = None
    failure = ""
    for library in _present(("fad", "torch")):
        try:
            left = fresh.measure("residency", "many_calls", library, loop, calls, collect)
        except fresh.ChildError as error:
            cells[library] = "failed"
            if library == "fad":
                failure = options.failed(f"memory left after {name}", error)
            continue
        more = cells[library] = max(0.0, left["memory"])
        if library == "fad":
            memory = more
            objects = cells["objects"] = left["objects"]
    claims = [Claim("memory", memory, LEFT, megabytes, failure)]
    claims.append(Claim("objects", objects, LEFT_OBJECTS, number, failure))
    return Row(name, cells, claims)
