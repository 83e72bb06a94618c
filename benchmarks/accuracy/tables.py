"""All exact functions, by the name of the row: a primitive's, with parameters where it has any."""

from benchmarks.accuracy.entropy import ENTROPY
from benchmarks.accuracy.exact import Exact
from benchmarks.accuracy.gammas import GAMMAS
from benchmarks.accuracy.one import ONE
from benchmarks.accuracy.several import TWO
from benchmarks.accuracy.special import SPECIAL

EXACT: dict[str, Exact] = {**ONE, **TWO, **SPECIAL, **ENTROPY, **GAMMAS}


def primitive_of(row: str) -> str:
    """The primitive that a row is about."""
    return row.partition("[")[0]
