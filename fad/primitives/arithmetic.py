"""Arithmetic: the elementwise operations behind the operators."""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core.apply import apply1
from fad.core.aval import Aval, make_aval
from fad.primitives.declare import (
    INEXACT,
    SAME,
    TO_REAL,
    Promotion,
    Sample,
    batch_elementwise,
    elementwise,
    elementwise_samples,
    primitive,
)
from fad.primitives.derivative import Elementwise

NUMERIC = Promotion(allowed="iufc")  # NumPy has no boolean minus


def _on_booleans(boolean: Any, number: Any) -> Any:
    """A kernel that treats booleans as NumPy's + and * do: as logical or, and."""
    return lambda x, y: boolean(x, y) if x.dtype == jnp.bool_ else number(x, y)


add = elementwise(
    "add",
    _on_booleans(lax.bitwise_or, lax.add),
    [lambda g: g, lambda g: g],
    reference=np.add,
)
sub = elementwise(
    "sub", lax.sub, [lambda g: g, lambda g: neg(g)], promotion=NUMERIC, reference=np.subtract
)
mul = elementwise(
    "mul",
    _on_booleans(lax.bitwise_and, lax.mul),
    [lambda g, y: mul(g, y), lambda g, x: mul(g, x)],
    reference=np.multiply,
)
div = elementwise(
    "div",
    lax.div,
    [lambda g, y: div(g, y), lambda g, y, out: neg(div(mul(g, out), y))],
    promotion=INEXACT,
    domains=((-3.0, 3.0), (0.5, 3.0)),
    reference=np.true_divide,
)
neg = elementwise("neg", lax.neg, [lambda g: neg(g)], promotion=NUMERIC, reference=np.negative)
