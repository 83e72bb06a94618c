"""Norms of vectors, without overflow or underflow on the way, and with derivative 0 at 0."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core import dtypes
from fad.core.apply import apply1
from fad.core.aval import Aval, make_aval
from fad.primitives.arithmetic import absolute as abs_
from fad.primitives.arithmetic import mul, neg, sign, times
from fad.primitives.broadcast import convert
from fad.primitives.complexes import conj, real
from fad.primitives.declare import (
    INEXACT,
    Convention,
    Sample,
    elementwise,
    elementwise_samples,
    primitive,
)
from fad.primitives.derivative import PerOperand
from fad.primitives.power import power
from fad.primitives.reductions import aligned, batch_reduction, reduce_sum, reduced_shape

Axes = tuple[int, ...]


def _ratio(x: Any, y: Any) -> Any:
    if jnp.iscomplexobj(x):
        y = lax.real(y)
        return lax.complex(_ratio(lax.real(x), y), _ratio(lax.imag(x), y))
    if x.dtype.itemsize > 2:  # XLA may divide by multiplying with 1 / y, which must not underflow
        info = np.finfo(x.dtype)
        by = jnp.where(lax.abs(y) > float(info.max) * float(info.eps), info.eps, 1)
        x, y = x * by, y * by
    return jnp.where(y == 0, 0, x / jnp.where(y == 0, 1, y))


def _samples_ratio() -> list[Sample]:
    mixed = Sample((np.array([1.0 + 2.0j, -0.5j, 3.0]), np.array([0.5, 2.0, -1.5])))
    return [*elementwise_samples(((-3.0, 3.0), (0.5, 3.0)), INEXACT), mixed]


ratio: Any = elementwise(
    "ratio",
    _ratio,
    [lambda g, y: ratio(g, y), lambda g, y, out: neg(ratio(mul(g, out), y))],
    promotion=INEXACT,
    domains=((-3.0, 3.0), (0.5, 3.0)),
    samples=_samples_ratio,
    reference=np.true_divide,
    conventions=[
        Convention((1.0, 0.0), (0.0, 0.0), "it is 0 there by definition"),
    ],
    formula="x / y for real y, and 0 where y is 0",
)
"""x / y for real y, and 0 where y is 0; so are its derivatives."""


class _Range(NamedTuple):
    """Where squares neither overflow nor underflow, and powers of two that lead there."""

    low: float
    raised: float
    high: float
    lowered: float


_RANGES = {
    dtypes.float32: _Range(1e-15, 2.0**100, 1e15, 2.0**-80),
    dtypes.float64: _Range(1e-140, 2.0**600, 1e140, 2.0**-600),
}


def _squares(x: Any) -> Any:
    return lax.real(x) ** 2 + lax.imag(x) ** 2 if jnp.iscomplexobj(x) else x * x


def _largest(x: Any, axes: Axes) -> Any:
    if not x.size:
        return jnp.zeros(reduced_shape(x.shape, axes, True), x.real.dtype)
    parts = (lax.real(x), lax.imag(x)) if jnp.iscomplexobj(x) else (x,)
    found = [jnp.max(lax.abs(part), axis=axes, keepdims=True) for part in parts]
    return found[0] if len(found) == 1 else lax.max(*found)


def _euclidean(x: Any, axes: Axes) -> Any:
    """The plain formula; where a sum of squares is out of range, all is scaled first."""
    total = jnp.sum(_squares(x), axis=axes, keepdims=True)
    info = np.finfo(total.dtype)
    in_range = (total < info.max) & (total > float(info.tiny) / float(info.eps) ** 2)

    def scaled(x: Any, total: Any) -> Any:
        r = _RANGES[np.dtype(total.dtype)]
        largest = _largest(x, axes)
        by = jnp.where(largest > r.high, r.lowered, jnp.where(largest < r.low, r.raised, 1.0))
        by = by.astype(total.dtype)
        return lax.sqrt(jnp.sum(_squares(x * by), axis=axes, keepdims=True)) / by

    return lax.cond(jnp.all(in_range), lambda x, total: lax.sqrt(total), scaled, x, total)


def _general(x: Any, order: float, axes: Axes) -> Any:
    size = lax.abs(x)
    largest = jnp.max(size, axis=axes, keepdims=True) if x.size else _largest(x, axes)
    unit = jnp.where((largest == 0) | jnp.isinf(largest), 1, largest)
    total = jnp.sum((size / unit) ** order, axis=axes, keepdims=True)
    return unit * total ** (1.0 / order)


def _norm(x: Any, *, order: float, axes: Axes, keepdims: bool) -> Any:
    dtype = np.dtype(x.dtype)
    half = dtype in (dtypes.float16, dtypes.bfloat16)
    if half:
        x = lax.convert_element_type(x, jnp.float32)
    out = _euclidean(x, axes) if order == 2 else _general(x, order, axes)
    out = lax.reshape(out, reduced_shape(x.shape, axes, keepdims))
    return lax.convert_element_type(out, dtype) if half else out


def _direction(x: Any, out: Any, order: float, axes: Axes, keepdims: bool) -> Any:
    """The conjugate of the gradient of the norm."""
    length = aligned(out, x.aval.shape, axes, keepdims)
    if order == 2:
        return ratio(x, length)
    return mul(sign(x), power(ratio(abs_(x), length), order - 1.0))


def _push(g: Any, x: Any, out: Any, *, order: float, axes: Axes, keepdims: bool) -> Any:
    direction = _direction(x, out, order, axes, keepdims)
    return reduce_sum(real(times(conj(direction), g)), axes, keepdims)


def _pull(g: Any, x: Any, out: Any, *, order: float, axes: Axes, keepdims: bool) -> Any:
    direction = conj(_direction(x, out, order, axes, keepdims))
    return times(aligned(g, x.aval.shape, axes, keepdims), direction)


def _infer(x: Aval, *, order: float, axes: Axes, keepdims: bool) -> Aval:
    return make_aval(reduced_shape(x.shape, axes, keepdims), dtypes.real_of(x.dtype))


def _samples() -> list[Sample]:
    rng = np.random.default_rng(6)

    def case(x: Any, axes: Axes, order: float = 2.0, keepdims: bool = False) -> Sample:
        return Sample((np.asarray(x),), {"order": order, "axes": axes, "keepdims": keepdims})

    return [
        case(rng.normal(size=3), (0,)),
        case(rng.normal(size=(2, 3)), (0, 1), keepdims=True),
        case(rng.normal(size=(2, 2)) + 1j * rng.normal(size=(2, 2)), (0,)),
        case(rng.normal(size=3), (0,), 2.5),
        case(np.zeros((2, 0)), (1,)),
        case(rng.normal(), ()),
    ]


def _oracle(x: Any, *, order: float, axes: Axes, keepdims: bool) -> Any:
    total = jnp.sum(jnp.abs(x) ** order, axis=axes, keepdims=keepdims)
    return jnp.where(total == 0, 0, jnp.where(total == 0, 1, total) ** (1 / order))


def _reference(x: Any, *, order: float, axes: Axes, keepdims: bool) -> Any:
    return np.sum(np.abs(x) ** order, axis=axes, keepdims=keepdims) ** (1 / order)


NORM = primitive(
    "norm",
    _norm,
    PerOperand([_push], [_pull]),
    infer=_infer,
    batch=batch_reduction,
    samples=_samples,
    compile_cost=5.0,
    reference=_reference,
    oracle=_oracle,
    conventions=[
        Convention(
            ([0.0, 0.0],),
            ([0.0, 0.0],),
            "the middle of the subgradients",
            params={"order": 2.0, "axes": (0,), "keepdims": False},
        ),
        Convention(
            ([0.0, 0.0],),
            ([0.0, 0.0],),
            "the same for other orders",
            point="order 2.5, at 0",
            params={"order": 2.5, "axes": (0,), "keepdims": False},
        ),
    ],
    formula="(Σ |x|**order)**(1 / order)",
)


def norm(x: Any, axes: Axes, keepdims: bool = False, order: float = 2.0) -> Any:
    """The sum of ``abs(x) ** order`` over ``axes``, to the power ``1 / order``.

    Accurate for tiny and huge elements; the derivative at 0 is 0. Integers count as float64.
    """
    if not x.aval.inexact:
        x = convert(x, dtypes.float64)
    return apply1(NORM(order=order, axes=axes, keepdims=keepdims), x)
