"""Cumulative sums, products and extrema, and the linear recurrence behind them.

Their derivatives are linear recurrences. *Exclusive* scans (position i sees what comes before i)
close under differentiation: the recurrence is, in its second operand, the transpose of its own
mirror image.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core import dtypes
from fad.core.apply import apply, apply1, apply2
from fad.core.aval import Aval, make_aval
from fad.core.primitive import Primitive
from fad.primitives import precise
from fad.primitives.arithmetic import add, div, mul, times
from fad.primitives.comparison import keep_where
from fad.primitives.declare import NAN, Convention, Sample, primitive
from fad.primitives.derivative import Linear, PerOperand
from fad.primitives.identity import in_memory
from fad.primitives.reductions import accumulating, widened
from fad.primitives.scans import (
    batch_along,
    prefix_by_prefix,
    reference_along,
    samples_along,
    scan,
    shifted,
)


def _draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(6).normal(size=shape)


def _infer_widened(x: Aval, *, axis: int, reverse: bool) -> Aval:
    return make_aval(x.shape, widened(x.dtype))


# ------------------------------------------------------------------------------------------- sums


def _cumsum(x: Any, *, axis: int, reverse: bool) -> Any:
    return scan(lambda a, b: [lax.add(a[0], b[0])], [x], [0], axis, reverse=reverse)[0]


CUMSUM = primitive(
    "cumsum",
    accumulating(_cumsum),
    Linear([lambda g, *, axis, reverse: cumsum(g, axis, not reverse)]),
    infer=_infer_widened,
    batch=batch_along,
    samples=samples_along,
    reference=reference_along(np.cumsum),
    compile_cost=15.0,
)


def cumsum(x: Any, axis: int, reverse: bool = False) -> Any:
    """Sums of the elements up to and including each, from the end if ``reverse``."""
    return apply1(CUMSUM(axis=axis, reverse=reverse), x)


# ------------------------------------------------------------------------------ linear recurrence


def _recurrence(a: Any, b: Any, *, axis: int, reverse: bool) -> Any:
    def combine(before: Any, here: Any) -> Any:
        return [
            lax.mul(before[0], here[0]),
            lax.add(lax.mul(here[0], before[1]), here[1]),
        ]

    return scan(combine, [a, b], [1, 0], axis, reverse=reverse, exclusive=True, emit=[1])[0]


def _samples_recurrence() -> list[Sample]:
    return [
        Sample((np.array([2.0, 0.0, 3.0, 0.0]), _draw(4)), {"axis": 0, "reverse": True}),
        Sample((_draw(2, 3), _draw(2, 3) + 1.0), {"axis": 1, "reverse": False}),
        Sample((_draw(2, 0), _draw(2, 0)), {"axis": 1, "reverse": False}),
    ]


def _recurrence_reference(a: Any, b: Any, *, axis: int, reverse: bool) -> Any:
    order = range(a.shape[axis])
    a, b, out = np.moveaxis(a, axis, 0), np.moveaxis(b, axis, 0), np.zeros_like(b)
    out = np.moveaxis(out, axis, 0)
    carry = np.zeros(a.shape[1:])
    for i in reversed(order) if reverse else order:
        out[i] = carry
        carry = a[i] * carry + b[i]
    return np.moveaxis(out, 0, axis)


LINEAR_RECURRENCE = primitive(
    "linear_recurrence",
    precise.widened(_recurrence),
    PerOperand(
        [
            lambda t, x, out, *, axis, reverse: linear_recurrence(x, times(out, t), axis, reverse),
            lambda t, x, *, axis, reverse: linear_recurrence(x, t, axis, reverse),
        ],
        [
            lambda g, x, out, *, axis, reverse: times(
                out, linear_recurrence(x, g, axis, not reverse)
            ),
            lambda g, x, *, axis, reverse: linear_recurrence(x, g, axis, not reverse),
        ],
    ),
    infer=lambda a, b, *, axis, reverse: make_aval(b.shape, b.dtype),
    batch=batch_along,
    samples=_samples_recurrence,
    reference=_recurrence_reference,
    compile_cost=15.0,
    formula="out[i] = x[i] out[i - 1] + y[i]",
)


def linear_recurrence(a: Any, b: Any, axis: int, reverse: bool = False) -> Any:
    """``out[0] = 0`` and ``out[i + 1] = a[i] * out[i] + b[i]`` along ``axis``, or from its end.

    ``a`` and ``b`` have one shape and dtype, and so has the result.
    """
    return apply2(LINEAR_RECURRENCE(axis=axis, reverse=reverse), a, b)


# --------------------------------------------------------------------------------------- products


def _products_before(x: Any, *, axis: int, reverse: bool) -> Any:
    def combine(before: Any, here: Any) -> Any:
        return [lax.mul(before[0], here[0])]

    return scan(combine, [x], [1], axis, reverse=reverse, exclusive=True)[0]


def _products_before_reference(x: Any, axis: int) -> Any:
    ones = np.ones_like(x, shape=(*x.shape[:axis], 1, *x.shape[axis + 1 :]))
    kept = np.moveaxis(np.moveaxis(x, axis, 0)[:-1], 0, axis)
    return np.cumprod(np.concatenate([ones, kept], axis), axis) if x.shape[axis] else x


PRODUCTS_BEFORE = primitive(
    "products_before",
    accumulating(_products_before),
    PerOperand(
        [
            lambda t, x, out, *, axis, reverse: linear_recurrence(x, times(out, t), axis, reverse),
        ],
        [
            lambda g, x, out, *, axis, reverse: times(
                out, linear_recurrence(x, g, axis, not reverse)
            ),
        ],
    ),
    infer=_infer_widened,
    batch=batch_along,
    samples=lambda: [
        *samples_along(),
        Sample((np.array([2.0, 0.0, 3.0, 0.0, 5.0]),), {"axis": 0, "reverse": False}),
    ],
    reference=reference_along(_products_before_reference),
    compile_cost=15.0,
    conventions=[
        Convention(
            ([2.0, 0.0, 5.0, 7.0],),
            ([1.0, 12.0, 0.0, 0.0],),
            "exact, by a recurrence without division",
            point="a zero",
            params={"axis": 0, "reverse": False},
        ),
    ],
    formula="the product of all elements before each",
)


def products_before(x: Any, axis: int, reverse: bool = False) -> Any:
    """Products of the elements before each along ``axis``, after each if ``reverse``."""
    return apply1(PRODUCTS_BEFORE(axis=axis, reverse=reverse), x)


def cumprod(x: Any, axis: int, reverse: bool = False) -> Any:
    """Products of the elements up to and including each. Derivatives are exact with zeros."""
    return mul(x, products_before(x, axis, reverse))


# ---------------------------------------------------------------------------------------- extrema


def _runs(x: Any, *, largest: bool, axis: int) -> tuple[Any, Any, Any]:
    x = in_memory(x)  # an element computed twice, and rounded otherwise, would not be the extremum
    out = _extrema(x, largest, axis)
    mask = x == out
    same = (out == shifted(out, 0, axis)).astype(x.dtype)
    hits = mask.astype(x.dtype)
    before = _recurrence(same, hits, axis=axis, reverse=False)
    count = lax.add(lax.mul(same, before), hits)
    return mask, same, lax.max(count, jnp.ones_like(count))  # NaN is equal to no element


RUNS = primitive(
    "runs",
    _runs,
    None,
    multiple=True,
    infer=lambda x, *, largest, axis: (make_aval(x.shape, dtypes.bool_), x, x),
    samples=lambda: [
        Sample((np.array([1.0, 3.0, 2.0, 3.0]),), {"largest": True, "axis": 0}),
        Sample((np.array([[1.0, 0.0, 0.0], [2.0, 3.0, 2.0]]),), {"largest": False, "axis": 1}),
    ],
    compile_cost=25.0,
    formula="where x is the extremum so far, where that is the one before, how often so far",
)
"""Where a cumulative extremum is attained, where it is that of the place before, and its count."""


def _push_cumulative_extremum(largest: bool) -> Callable[..., Any]:
    def push(t: Any, x: Any, *, axis: int) -> Any:
        mask, same, count = apply(RUNS(largest=largest, axis=axis), x)
        part = keep_where(mask, t)
        return div(add(mul(same, linear_recurrence(same, part, axis)), part), count)

    return push


def _pull_cumulative_extremum(largest: bool) -> Callable[..., Any]:
    def pull(g: Any, x: Any, *, axis: int) -> Any:
        mask, same, count = apply(RUNS(largest=largest, axis=axis), x)
        share = div(g, count)
        later = linear_recurrence(same, mul(same, share), axis, reverse=True)
        return keep_where(mask, add(later, share))

    return pull


def _lowest(dtype: Any) -> Any:
    if jnp.issubdtype(dtype, jnp.complexfloating):
        return complex(-np.inf, -np.inf)
    if dtype == jnp.bool_:
        return False
    return -np.inf if jnp.issubdtype(dtype, jnp.floating) else np.iinfo(dtype).min


def _highest(dtype: Any) -> Any:
    if jnp.issubdtype(dtype, jnp.complexfloating):
        return complex(np.inf, np.inf)
    if dtype == jnp.bool_:
        return True
    return np.inf if jnp.issubdtype(dtype, jnp.floating) else np.iinfo(dtype).max


def _extrema(x: Any, largest: bool, axis: int) -> Any:
    better, identity = (lax.max, _lowest) if largest else (lax.min, _highest)
    return scan(lambda a, b: [better(a[0], b[0])], [x], [identity(x.dtype)], axis)[0]


def _cumulative_extremum(name: str, largest: bool, ufunc: np.ufunc, reduce: Any) -> Primitive:
    return primitive(
        name,
        lambda x, *, axis: _extrema(x, largest, axis),
        PerOperand([_push_cumulative_extremum(largest)], [_pull_cumulative_extremum(largest)]),
        infer=lambda x, *, axis: make_aval(x.shape, x.dtype),
        batch=batch_along,
        samples=lambda: [
            Sample((np.array([1.0, 3.0, 2.0, 3.0, 3.0, 0.0]),), {"axis": 0}),
            Sample((_draw(2, 3),), {"axis": 1}),
            Sample((_draw(2, 0),), {"axis": 1}),
            Sample((np.array([3, 1, 5], np.uint8),), {"axis": 0}),
        ],
        reference=ufunc.accumulate,
        oracle=prefix_by_prefix(lambda x, axis: reduce(x, axis, keepdims=True)),
        compile_cost=15.0,
        conventions=[
            _convention([2.0, 2.0], [0.5, 0.5], "ties so far share evenly", "ties, last result"),
            _convention([1.0, NAN], [0.0, 0.0], "NaN is no element's value", "NaN, last result"),
        ],
        formula=f"the {name.removeprefix('cum')}imum of x[: i + 1]",
    )


def _convention(at: list[float], partials: list[float], because: str, point: str) -> Convention:
    return Convention((at,), (partials,), because, point, {"axis": 0}, [0.0, 1.0])


CUMMAX = _cumulative_extremum("cummax", True, np.maximum, jnp.max)
CUMMIN = _cumulative_extremum("cummin", False, np.minimum, jnp.min)


def cummax(x: Any, axis: int) -> Any:
    """Maximum of the elements up to and including each; ties so far share the derivative evenly."""
    return apply1(CUMMAX(axis=axis), x)


def cummin(x: Any, axis: int) -> Any:
    """Minimum of the elements up to and including each; ties so far share the derivative evenly."""
    return apply1(CUMMIN(axis=axis), x)
