"""What the command line decides, and what a run notes down on its way."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace

from benchmarks import timing
from benchmarks.program import Program


@dataclass
class Options:
    """Passed to every section."""

    quick: bool = False
    only: str = ""
    best: bool = False
    failures: list[str] = field(default_factory=list)

    @property
    def effort(self) -> timing.Effort:
        return replace(timing.QUICK if self.quick else timing.Effort(), best=self.best)

    def select(self, programs: list[Program], every: int = 1) -> list[Program]:
        """The programs asked for; of those, one in `every` for a quick run."""
        chosen = [program for program in programs if self.only in program.name]
        return chosen[:: every if self.quick and not self.only else 1]

    def progress(self, message: str) -> None:
        """Say what is being measured, where someone is watching."""
        if sys.stderr.isatty():
            print(f"\r\033[K{message}", end="", file=sys.stderr, flush=True)

    def failed(self, what: str, error: object) -> str:
        """Note a failure of fad's; returns a short form for the table."""
        first_line = str(error).strip().partition("\n")[0]
        self.failures.append(f"{what}: {first_line}")
        return "failed"
