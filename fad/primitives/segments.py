"""Points of a segment: its middle, mixtures of its ends, and the edges of bins that divide it."""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core.apply import apply2
from fad.core.aval import Aval, make_aval
from fad.primitives.arithmetic import div, mul, sub
from fad.primitives.broadcast import convert
from fad.primitives.comparison import drop_where, eq, logical_and
from fad.primitives.constants import iota
from fad.primitives.declare import INEXACT, REAL_INEXACT, Convention, Sample, elementwise, primitive
from fad.primitives.derivative import Linear
from fad.primitives.floating import isinf
from fad.primitives.precise import widened
from fad.primitives.reductions import reduce_sum


@widened
def _lerp(a: Any, b: Any, t: Any) -> Any:
    # Small ends are enlarged, so that neither their distance nor a part of it is flushed to zero.
    small = lax.max(lax.abs(a), lax.abs(b)) < 1.0
    much = 2.0**60 if a.dtype == jnp.float64 else 2.0**40
    scale = jnp.where(small, much, 1.0)
    a_scaled, b_scaled = a * scale, b * scale
    gap = b_scaled - a_scaled
    value = jnp.where(t < 0.5, a_scaled + gap * t, b_scaled - gap * (1.0 - t))
    value = jnp.where(small, value / much, value)
    value = jnp.where(lax.abs(gap) == jnp.inf, a * (1.0 - t) + b * t, value)
    # An end that has no weight does not count, even if it is infinite.
    return jnp.where((t == 0.0) | (a == b), a, jnp.where(t == 1.0, b, value))


def _gap(a: Any, b: Any) -> Any:
    """``b - a``, and 0 where both are the same infinity."""
    return drop_where(logical_and(eq(a, b), isinf(a)), sub(b, a))


lerp: Any = elementwise(
    "lerp",
    _lerp,
    [
        lambda g, z: mul(g, sub(1.0, z)),
        lambda g, z: mul(g, z),
        lambda g, x, y: mul(g, _gap(x, y)),
    ],
    promotion=REAL_INEXACT,
    domains=((-3.0, 3.0), (-3.0, 3.0), (0.0, 1.0)),
    reference=lambda a, b, t: a * (1 - t) + b * t,
    oracle=lambda a, b, t: a * (1.0 - t) + b * t,
    conventions=[
        Convention(
            (np.inf, np.inf, 0.25),
            (0.75, 0.25, 0.0),
            "there is nothing but inf between inf and inf",
        ),
        Convention((1.0, np.inf, 0.0), (1.0, 0.0, np.inf), "the limit from within"),
    ],
    formula="(1 - z) x + z y",
)
"""``(1 - t) a + t b`` for t from 0 to 1; an end with weight 0 may be infinite."""


def _midpoint(a: Any, b: Any) -> Any:
    total = a + b  # half of which is exact, where the halves of tiny numbers are not
    step = a + (b - a) * 0.5  # the compiler would make 0.5 * total of 0.5 * a + 0.5 * b
    return jnp.where((lax.abs(total) < jnp.inf) | (step != step), 0.5 * total, step)


midpoint = elementwise(
    "midpoint",
    _midpoint,
    [lambda g: mul(g, 0.5), lambda g: mul(g, 0.5)],
    promotion=INEXACT,
    reference=lambda a, b: (a + b) / 2,
    formula="(x + y) / 2",
)
"""``(a + b) / 2``, also where the sum overflows."""


def _bin_edges(first: Any, last: Any, *, count: int) -> Any:
    number = lax.iota(first.dtype, count + 1)
    length = last - first
    # Of a constant divisor the compiler would take the reciprocal.
    step = lax.div(length, lax.select(length != length, length, jnp.full_like(length, count)))
    # As NumPy rounds: a product that is added at once would not be rounded at all.
    product = number * step
    edges = lax.select(product != product, jnp.full_like(product, jnp.nan), product) + first
    return jnp.where(number == count, last, edges)


def _infer_edges(first: Aval, last: Aval, *, count: int) -> Aval:
    return make_aval((count + 1,), first.dtype)


def _shares(g: Any, count: int) -> Any:
    """How far along the segment each edge is."""
    return div(convert(iota(count + 1), g.aval.dtype), float(count))


BIN_EDGES = primitive(
    "bin_edges",
    _bin_edges,
    Linear(
        [
            lambda g, *, count: reduce_sum(mul(g, sub(1.0, _shares(g, count))), (0,)),
            lambda g, *, count: reduce_sum(mul(g, _shares(g, count)), (0,)),
        ]
    ),
    infer=_infer_edges,
    samples=lambda: [
        Sample((np.float64(-1.5), np.float64(2.2)), {"count": 7}),
        Sample((np.float64(0.0), np.float64(3.0)), {"count": 1}),
    ],
    reference=lambda first, last, *, count: np.linspace(first, last, count + 1),
    formula="x + i (y - x) / count for i = 0, ..., count",
)


def bin_edges(first: Any, last: Any, count: int) -> Any:
    """The edges of ``count`` bins of equal width between two zero-dimensional tensors of one dtype,
    to the last digit those of ``numpy.linspace``: it decides into which bin a number falls."""
    return apply2(BIN_EDGES(count=count), first, last)
