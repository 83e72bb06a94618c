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


_ZERO = "close to a zero of the result, where terms cancel; the error is that of the terms"
_COMPILER = "the compiler's kernel; what corrects it costs three times as much"
_THIRD = "part of second derivatives only"
_DENSITY = (
    "a power, an exponential and Gamma, each rounded; in float32 far out one large exponential"
)
_INTERNAL = f"{_THIRD}; there terms cancel"

REASONS = [
    Reason("tanh", _COMPILER, "value"),
    Reason("sech2", "contains tanh", "x"),
    Reason("erf", _COMPILER, "value", "float32"),
    Reason("tan sigmoid", "the compiler's kernel, next to a pole", "value", "complex128"),
    Reason("sinc[0] sinc[1]", _ZERO),
    Reason("logaddexp logaddexp2", _ZERO, "value"),
    Reason("lerp", _ZERO, "value"),
    Reason("rel_entr", _ZERO, "x"),
    Reason("i1e", _ZERO, "x"),
    Reason("polygamma[-1] polygamma[0]", _ZERO + " (below 0)", "value x", "float64 float32"),
    Reason("gamma", "the derivative is 0 where digamma is, below 0", "x"),
    Reason("gamma polygamma[1]", "the reflection multiplies several rounded factors", "value x"),
    Reason("erfinv erfcinv ndtri", "the compiler's kernel of ndtri", "value"),
    Reason("bessel_ratio[0]", "a polynomial times the square of a rounded exponential", "value x"),
    Reason("direction inversion", f"{_THIRD}; divides by a rounded radius 3 or 4 times", "x y"),
    Reason("erfcx[1] hazard slope_of_arctanh slope_of_arctan", f"{_THIRD}; a long product", "x"),
    Reason("erfinv_slope erfcinv_slope ndtri_slope", f"{_THIRD}; a product of inverses", "value x"),
    Reason("bessel_gap", _INTERNAL, "x"),
    Reason(
        "zeta",
        "terms of the sum fall below the normal range before the sum does",
        dtypes="float32",
    ),
    Reason("zeta", "logarithms of both signs, weighted by the terms of the sum", "x y", "float64"),
    Reason("riemann_zeta", "the functional equation multiplies four rounded factors", "value"),
    Reason("riemann_zeta", _ZERO + " (below 0)", "x"),
    Reason("betaln", "next to its zeros the error is that of the three terms", "value"),
    Reason("beta", "a product of powers and an exponential, each rounded"),
    Reason("gamma_density", _DENSITY, "value y"),
    Reason("gamma_density", f"{_THIRD}; {_ZERO}", "x"),
    Reason("gammainc gammaincc", "a long sum or fraction times several rounded factors", "value x"),
    Reason("gammainc gammaincc", _DENSITY, "y"),
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
