"""The larger and the smaller of two: ``maximum``, ``minimum``, clipping.

A cotangent goes to the operand that was taken; how a tie is split is a parameter of ``gate``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.primitives.declare import (
    NAN,
    SAME,
    Convention,
    Promotion,
    elementwise,
    elementwise_family,
    function_of,
)
from fad.primitives.precise import is_complex


def _greater(x: Any, y: Any) -> Any:
    if is_complex(x):
        a, b = lax.real(x), lax.real(y)
        return (a > b) | ((a == b) & (lax.imag(x) > lax.imag(y)))
    return lax.gt(x, y)


def _gate(g: Any, x: Any, y: Any, *, at_tie: float) -> Any:
    zero = jnp.zeros_like(g)
    other = zero if at_tie == 0 else lax.select(lax.eq(x, y), g * at_tie, zero)
    return lax.select(_greater(x, y), g, other)


GATE = elementwise_family(
    "gate",
    _gate,
    [lambda g, y, z, *, at_tie: gate(g, y, z, at_tie), None, None],
    params=[{"at_tie": share} for share in (0.0, 0.5, 1.0)],
    promotion=Promotion(allowed="fc"),
    strong=True,
    conventions=[
        Convention(
            (1.0, 2.0, 2.0),
            (0.0, None, None),
            "the share at a tie is a parameter",
            point="y = z",
            params={"at_tie": 0.0},
        ),
        Convention(
            (1.0, 2.0, 2.0),
            (0.5, None, None),
            "the share at a tie is a parameter",
            point="y = z",
            params={"at_tie": 0.5},
        ),
        Convention(
            (1.0, 2.0, 2.0),
            (1.0, None, None),
            "the share at a tie is a parameter",
            point="y = z",
            params={"at_tie": 1.0},
        ),
    ],
    formula="x where y > z, 0 where y < z, `at_tie` x where they are equal",
)
_GATES = {share: function_of(GATE(at_tie=share)) for share in (0.0, 0.5, 1.0)}


def gate(g: Any, x: Any, y: Any, at_tie: float) -> Any:
    """``g`` where x > y, ``at_tie * g`` where they are equal, else 0. Linear in ``g``."""
    return _GATES[at_tie](g, x, y)


def _taken(extremum: Any) -> Any:
    """The extremum of two, which is NaN if either is: the compiler's ignores complex ones."""

    def kernel(x: Any, y: Any) -> Any:
        out = extremum(x, y)
        if is_complex(x):
            out = lax.select(lax.ne(x, x), x, lax.select(lax.ne(y, y), y, out))
        return out

    return kernel


maximum = elementwise(
    "maximum",
    _taken(lax.max),
    [lambda g, x, y: gate(g, x, y, 0.5), lambda g, x, y: gate(g, y, x, 0.5)],
    promotion=SAME,
    reference=np.maximum,
    strong=True,
    conventions=[
        Convention((1.0, 1.0), (0.5, 0.5), "ties share evenly", point="x = y"),
        Convention((NAN, 1.0), (0.0, 0.0), "NaN is neither", point="x is NaN"),
    ],
)
minimum = elementwise(
    "minimum",
    _taken(lax.min),
    [lambda g, x, y: gate(g, y, x, 0.5), lambda g, x, y: gate(g, x, y, 0.5)],
    promotion=SAME,
    reference=np.minimum,
    strong=True,
    conventions=[
        Convention((1.0, 1.0), (0.5, 0.5), "ties share evenly", point="x = y"),
        Convention((NAN, 1.0), (0.0, 0.0), "NaN is neither", point="x is NaN"),
    ],
)
raise_to = elementwise(
    "raise_to",
    _taken(lax.max),
    [lambda g, x, y: gate(g, x, y, 1.0), lambda g, x, y: gate(g, y, x, 0.0)],
    promotion=SAME,
    reference=np.maximum,
    strong=True,
    conventions=[
        Convention(
            (1.0, 1.0),
            (1.0, 0.0),
            "at a lower bound, clip passes on to x",
            point="x is the lower bound",
        ),
    ],
    formula="the larger of x and y, a bound",
)
"""The maximum of x and a lower bound; at the bound the derivative is that of x."""

lower_to = elementwise(
    "lower_to",
    _taken(lax.min),
    [lambda g, x, y: gate(g, y, x, 1.0), lambda g, x, y: gate(g, x, y, 0.0)],
    promotion=SAME,
    reference=np.minimum,
    strong=True,
    conventions=[
        Convention(
            (1.0, 1.0),
            (1.0, 0.0),
            "at an upper bound, clip passes on to x",
            point="x is the upper bound",
        ),
    ],
    formula="the smaller of x and y, a bound",
)
"""The minimum of x and an upper bound; at the bound the derivative is that of x."""
