"""All exact functions, by the name of the row: a primitive's, with parameters where it has any."""

from benchmarks.accuracy.exact import Exact
from benchmarks.accuracy.one import ONE
from benchmarks.accuracy.several import TWO

EXACT: dict[str, Exact] = {**ONE, **TWO}


def primitive_of(row: str) -> str:
    """The primitive that a row is about."""
    return row.partition("[")[0]
