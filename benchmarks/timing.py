"""Timing that is fair to every contestant: short batches, taken in turn, compared round by round.

A machine's speed drifts while a benchmark runs. So the contestants take turns: each round times one
short batch of calls of each of them, in an order that reverses from round to round, and a ratio is
the median over the rounds of the ratio *within* a round, where the drift has no part.
"""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

Call = Callable[[], object]

_PAUSE = 2e-3  # before a batch: until the previous contestant's idle threads have stopped spinning


@dataclass
class Effort:
    """How long to measure."""

    batch: float = 2e-3  # seconds in one batch
    budget: float = 0.6  # seconds of batches for one contestant
    rounds: int = 101  # at most
    least_rounds: int = 5
    settle: float = 30.0  # seconds of warming up, at most
    best: bool = False  # compare the best rounds and not the medians


QUICK = Effort(batch=1e-3, budget=0.06, rounds=15, least_rounds=3, settle=2.0)


@dataclass
class Samples:
    """Seconds per call of one contestant, by round."""

    rounds: dict[int, float] = field(default_factory=dict)
    spent: float = 0.0
    best: bool = False

    @property
    def typical(self) -> float:
        """The median, or the best round where that was asked for."""
        return (min if self.best else statistics.median)(self.rounds.values())

    @property
    def spread(self) -> float:
        """The distance between the quartiles, relative to the median."""
        if len(self.rounds) < 4:
            return 0.0
        low, middle, high = statistics.quantiles(self.rounds.values(), n=4)
        return (high - low) / middle

    def ratio_to(self, other: Samples) -> float:
        """The median of the ratios to `other` over the rounds that both took part in."""
        if self.best:
            return self.typical / other.typical
        shared = self.rounds.keys() & other.rounds.keys()
        return statistics.median(self.rounds[i] / other.rounds[i] for i in shared)


def geometric_mean(values: Iterable[float]) -> float | None:
    """The geometric mean, None where there is nothing to average."""
    logarithms = [math.log(value) for value in values]
    return math.exp(statistics.fmean(logarithms)) if logarithms else None


def batch_seconds(call: Call, calls: int) -> float:
    """Seconds per call over one batch."""
    repeat = range(calls)
    start = time.perf_counter()
    for _ in repeat:
        call()
    return (time.perf_counter() - start) / calls


def settle(call: Call, limit: float, state: Callable[[], object] | None = None) -> float:
    """Call until nothing is compiled any more; returns the seconds this took.

    With a state that changes when a call compiled something, or came nearer to being compiled,
    settled means 20 calls in a row that left it as it was. Without one (the rivals compile what
    they compile on their first call) it means five calls.
    """
    start = time.perf_counter()
    quiet, needed = 0, 5 if state is None else 20
    before = state() if state else None
    while quiet < needed and time.perf_counter() - start < limit:
        call()
        after = state() if state else None
        quiet = quiet + 1 if after == before else 0
        before = after
    return time.perf_counter() - start


def _batch_size(call: Call, batch: float) -> int:
    """How many calls fill a batch."""
    once = min(batch_seconds(call, 1) for _ in range(3))
    if once < batch / 4:  # short calls: the clock itself would count
        once = batch_seconds(call, max(1, int(batch / 4 / once)))
    return max(1, round(batch / once))


def compare(calls: Mapping[str, Call], effort: Effort) -> dict[str, Samples]:
    """Time the contestants, already warm, against each other in interleaved rounds.

    A contestant leaves when its budget is spent and it has taken part in enough rounds; the first
    one, against which the others are compared, stays to the end.
    """
    if not calls:
        return {}
    gc.collect()
    sizes = {name: _batch_size(call, effort.batch) for name, call in calls.items()}
    samples = {name: Samples(best=effort.best) for name in calls}
    first = next(iter(calls))
    for index in range(effort.rounds):
        names = [
            name
            for name, taken in samples.items()
            if taken.spent < effort.budget or len(taken.rounds) < effort.least_rounds
        ]
        if not names:
            break
        if first not in names:
            names.insert(0, first)
        for name in reversed(names) if index % 2 else names:
            time.sleep(_PAUSE)
            if sizes[name] > 1:
                calls[name]()
            seconds = batch_seconds(calls[name], sizes[name])
            samples[name].rounds[index] = seconds
            samples[name].spent += seconds * sizes[name]
    return samples
