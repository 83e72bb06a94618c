"""Why an error is above the aim, where it is."""

from __future__ import annotations

from typing import NamedTuple

AIM = 4.0
"""Units in the last place, for values and first derivatives."""


class Reason(NamedTuple):
    """Why primitives miss the aim; ``paths`` are "value" and the operands of first derivatives."""

    names: str
    because: str
    paths: str = "value x y"
    dtypes: str = "float64 float32 complex128"


REASONS: list[Reason] = [
    Reason("betaln", "next to its zeros the error is that of the three terms", "value"),
    Reason("beta gamma_density", "the exponential magnifies the rounding of its large argument"),
    Reason("hazard", "the second derivative of log_ndtr, a product of rounded factors", "x"),
    Reason("digamma_step", "two values of trigamma cancel where y is small beside x", "x"),
]


def because(name: str, dtype: str, path: str) -> str:
    """The reason written down, or nothing."""
    for reason in REASONS:
        asked = zip((name, dtype, path), (reason.names, reason.dtypes, reason.paths), strict=True)
        if all(word in words.split() for word, words in asked):
            return reason.because
    return ""
