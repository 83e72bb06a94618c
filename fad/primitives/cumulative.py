"""Cumulative sums, products and extrema, and the linear recurrence behind them.

On the CPU they run through the axis one element at a time: that compiles in the same short time
for every length and is faster than XLA's logarithmic tree; elsewhere the tree is used.

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
from fad.core.primitive import Operation, Primitive
from fad.primitives import precise
from fad.primitives.arithmetic import add, div, mul
from fad.primitives.broadcast import broadcast_to
from fad.primitives.comparison import keep_where
from fad.primitives.declare import Sample, primitive
from fad.primitives.derivative import Linear, PerOperand
from fad.primitives.reductions import accumulating, widened

Step = Callable[..., tuple[Any, Any]]


def _draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(6).normal(size=shape)


def run_along(step: Step, init: Any, xs: list[Any], axis: int, reverse: bool = False) -> Any:
    """``step(carry, *slices) -> (carry, slice of the result)`` along ``axis``; slices keep it."""
    first = xs[0]
    n = first.shape[axis]
    if not first.size:
        return first

    def slices(i: Any) -> list[Any]:
        return [lax.dynamic_slice_in_dim(x, i, 1, axis) for x in xs]

    def body(i: Any, state: Any) -> Any:
        carry, out = state
        at = n - 1 - i if reverse else i
        carry, emitted = step(carry, *slices(at))
        return carry, lax.dynamic_update_slice_in_dim(out, emitted, at, axis)

    unit = (*first.shape[:axis], 1, *first.shape[axis + 1 :])
    carry = [jnp.full(unit, value, first.dtype) for value in init]
    return lax.fori_loop(0, n, body, (carry, jnp.zeros_like(first)))[1]


def shifted(x: Any, first: Any, axis: int, reverse: bool) -> Any:
    """``x`` one place further along ``axis``, beginning with the number ``first``."""
    n = x.shape[axis]
    if not n:
        return x
    unit = jnp.full((*x.shape[:axis], 1, *x.shape[axis + 1 :]), first, x.dtype)
    if reverse:
        return lax.concatenate([lax.slice_in_dim(x, 1, n, axis=axis), unit], axis)
    return lax.concatenate([unit, lax.slice_in_dim(x, 0, n - 1, axis=axis)], axis)


def batch_along(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    """The same along the next axis; operands that are not batched are repeated."""
    whole = [
        x if b else broadcast_to(x, (size, *x.aval.shape))
        for x, b in zip(operands, batched, strict=True)
    ]
    params = dict(operation.params)
    params["axis"] += 1
    return apply(operation.primitive(**params), *whole), True


def _infer_widened(x: Aval, *, axis: int, reverse: bool) -> Aval:
    return make_aval(x.shape, widened(x.dtype))


def samples_along() -> list[Sample]:
    """Samples of an operation along an axis that also runs in reverse."""
    return [
        Sample((_draw(4),), {"axis": 0, "reverse": True}),
        Sample((_draw(2, 3, 2),), {"axis": 1, "reverse": False}),
        Sample((_draw(2, 0),), {"axis": 1, "reverse": False}),
        Sample((np.arange(3, dtype=np.int8),), {"axis": 0, "reverse": False}),
    ]


def _reference(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(x: Any, *, axis: int, reverse: bool) -> Any:
        return np.flip(function(np.flip(x, axis), axis), axis) if reverse else function(x, axis)

    return run


# ------------------------------------------------------------------------------------------- sums


def _cumsum(x: Any, *, axis: int, reverse: bool) -> Any:
    def step(carry: Any, here: Any) -> tuple[Any, Any]:
        total = lax.add(carry[0], here)
        return [total], total

    return lax.platform_dependent(
        x,
        cpu=lambda x: run_along(step, [0], [x], axis, reverse),
        default=lambda x: lax.cumsum(x, axis, reverse),
    )


CUMSUM = primitive(
    "cumsum",
    accumulating(_cumsum),
    Linear([lambda g, *, axis, reverse: cumsum(g, axis, not reverse)]),
    infer=_infer_widened,
    batch=batch_along,
    samples=samples_along,
    reference=_reference(np.cumsum),
    compile_cost=15.0,
)


def cumsum(x: Any, axis: int, reverse: bool = False) -> Any:
    """Sums of the elements up to and including each, from the end if ``reverse``."""
    return apply1(CUMSUM(axis=axis, reverse=reverse), x)


# ------------------------------------------------------------------------------ linear recurrence


def _recurrence(a: Any, b: Any, *, axis: int, reverse: bool) -> Any:
    def step(carry: Any, a: Any, b: Any) -> tuple[Any, Any]:
        return [lax.add(lax.mul(a, carry[0]), b)], carry[0]

    def combine(left: Any, right: Any) -> Any:
        return lax.mul(left[0], right[0]), lax.add(lax.mul(right[0], left[1]), right[1])

    def tree(a: Any, b: Any) -> Any:
        if not a.size:
            return a
        inclusive = lax.associative_scan(combine, (a, b), reverse=reverse, axis=axis)[1]
        return shifted(inclusive, 0, axis, reverse)

    return lax.platform_dependent(
        a, b, cpu=lambda a, b: run_along(step, [0], [a, b], axis, reverse), default=tree
    )


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
            lambda t, x, out, *, axis, reverse: linear_recurrence(x, mul(out, t), axis, reverse),
            lambda t, x, *, axis, reverse: linear_recurrence(x, t, axis, reverse),
        ],
        [
            lambda g, x, out, *, axis, reverse: mul(
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
)


def linear_recurrence(a: Any, b: Any, axis: int, reverse: bool = False) -> Any:
    """``out[0] = 0`` and ``out[i + 1] = a[i] * out[i] + b[i]`` along ``axis``, or from its end.

    ``a`` and ``b`` have one shape and dtype, and so has the result.
    """
    return apply2(LINEAR_RECURRENCE(axis=axis, reverse=reverse), a, b)


# --------------------------------------------------------------------------------------- products


def _products_before(x: Any, *, axis: int, reverse: bool) -> Any:
    def step(carry: Any, here: Any) -> tuple[Any, Any]:
        return [lax.mul(carry[0], here)], carry[0]

    return lax.platform_dependent(
        x,
        cpu=lambda x: run_along(step, [1], [x], axis, reverse),
        default=lambda x: shifted(lax.cumprod(x, axis, reverse), 1, axis, reverse),
    )


def _products_before_reference(x: Any, axis: int) -> Any:
    ones = np.ones_like(x, shape=(*x.shape[:axis], 1, *x.shape[axis + 1 :]))
    kept = np.moveaxis(np.moveaxis(x, axis, 0)[:-1], 0, axis)
    return np.cumprod(np.concatenate([ones, kept], axis), axis) if x.shape[axis] else x


PRODUCTS_BEFORE = primitive(
    "products_before",
    accumulating(_products_before),
    PerOperand(
        [
            lambda t, x, out, *, axis, reverse: linear_recurrence(x, mul(out, t), axis, reverse),
        ],
        [
            lambda g, x, out, *, axis, reverse: mul(
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
    reference=_reference(_products_before_reference),
    compile_cost=15.0,
)


def products_before(x: Any, axis: int, reverse: bool = False) -> Any:
    """Products of the elements before each along ``axis``, after each if ``reverse``."""
    return apply1(PRODUCTS_BEFORE(axis=axis, reverse=reverse), x)


def cumprod(x: Any, axis: int, reverse: bool = False) -> Any:
    """Products of the elements up to and including each. Derivatives are exact with zeros."""
    return mul(x, products_before(x, axis, reverse))


# ---------------------------------------------------------------------------------------- extrema


def _runs(x: Any, out: Any, *, axis: int) -> tuple[Any, Any, Any]:
    mask = x == out
    same = (out == shifted(out, 0, axis, False)).astype(x.dtype)

    def step(carry: Any, same: Any, here: Any) -> tuple[Any, Any]:
        total = lax.add(lax.mul(same, carry[0]), here)
        return [total], total

    count = run_along(step, [0], [same, mask.astype(x.dtype)], axis)
    return mask, same, count


RUNS = primitive(
    "runs",
    _runs,
    None,
    multiple=True,
    infer=lambda x, out, *, axis: (make_aval(x.shape, dtypes.bool_), out, out),
    samples=lambda: [
        Sample((np.array([1.0, 3.0, 2.0, 3.0]), np.array([1.0, 3.0, 3.0, 3.0])), {"axis": 0}),
    ],
    compile_cost=15.0,
)
"""Where a cumulative extremum is attained, where it is that of the place before, and its count."""


def _push_cumulative_extremum(t: Any, x: Any, out: Any, *, axis: int) -> Any:
    mask, same, count = apply(RUNS(axis=axis), x, out)
    part = keep_where(mask, t)
    return div(add(mul(same, linear_recurrence(same, part, axis)), part), count)


def _pull_cumulative_extremum(g: Any, x: Any, out: Any, *, axis: int) -> Any:
    mask, same, count = apply(RUNS(axis=axis), x, out)
    share = div(g, count)
    later = linear_recurrence(same, mul(same, share), axis, reverse=True)
    return keep_where(mask, add(later, share))


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


def _cumulative_extremum(
    name: str, better: Any, tree: Any, identity: Callable[[Any], Any], ufunc: np.ufunc
) -> Primitive:
    def step(carry: Any, here: Any) -> tuple[Any, Any]:
        best = better(carry[0], here)
        return [best], best

    def run(x: Any, *, axis: int) -> Any:
        return lax.platform_dependent(
            x,
            cpu=lambda x: run_along(step, [identity(x.dtype)], [x], axis),
            default=lambda x: tree(x, axis),
        )

    def oracle(x: Any, *, axis: int) -> Any:
        reduce = jnp.max if better is lax.max else jnp.min
        parts = [lax.slice_in_dim(x, 0, i + 1, axis=axis) for i in range(x.shape[axis])]
        found = [reduce(part, axis, keepdims=True) for part in parts]
        return lax.concatenate(found, axis) if found else x

    return primitive(
        name,
        run,
        PerOperand([_push_cumulative_extremum], [_pull_cumulative_extremum]),
        infer=lambda x, *, axis: make_aval(x.shape, x.dtype),
        batch=batch_along,
        samples=lambda: [
            Sample((np.array([1.0, 3.0, 2.0, 3.0, 3.0, 0.0]),), {"axis": 0}),
            Sample((_draw(2, 3),), {"axis": 1}),
            Sample((_draw(2, 0),), {"axis": 1}),
            Sample((np.array([3, 1, 5], np.uint8),), {"axis": 0}),
        ],
        reference=ufunc.accumulate,
        oracle=oracle,
        compile_cost=15.0,
    )


CUMMAX = _cumulative_extremum("cummax", lax.max, lax.cummax, _lowest, np.maximum)
CUMMIN = _cumulative_extremum("cummin", lax.min, lax.cummin, _highest, np.minimum)


def cummax(x: Any, axis: int) -> Any:
    """Maximum of the elements up to and including each; ties so far share the derivative evenly."""
    return apply1(CUMMAX(axis=axis), x)


def cummin(x: Any, axis: int) -> Any:
    """Minimum of the elements up to and including each; ties so far share the derivative evenly."""
    return apply1(CUMMIN(axis=axis), x)
