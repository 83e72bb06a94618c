"""Sums of exponentials without overflow: logsumexp, softmax, log_softmax, cumlogsumexp.

With m the maximum, a sum is exp(m) * (1 + rest): the rest goes through log1p, so that what is
small beside the maximum keeps its own precision. Derivatives centre twice, since after the first
time what remains of the maximum's own term is rounding error.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core import dtypes
from fad.core.apply import apply, apply1
from fad.core.aval import Aval, make_aval
from fad.core.errors import FadTypeError, located
from fad.primitives.arithmetic import add, mul, neg, sub, times
from fad.primitives.cumulative import linear_recurrence
from fad.primitives.declare import INF, Convention, Sample, primitive
from fad.primitives.derivative import PerOperand
from fad.primitives.identity import in_memory
from fad.primitives.logarithms import log1p
from fad.primitives.precise import widened
from fad.primitives.reductions import (
    Axes,
    accumulator,
    aligned,
    batch_reduction,
    reduce_sum,
    reduced_shape,
)
from fad.primitives.scans import batch_along, prefix_by_prefix, reference_along, samples_along, scan


def _draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(8).normal(size=shape)


def _parts(x: Any, axes: Axes) -> tuple[Any, Any]:
    """The maximum m with its axes kept, and the sum of exp(x - m) less 1."""
    x = in_memory(x)  # what is counted must be what is left out
    top = lax.reshape(lax.reduce_max(x, axes), reduced_shape(x.shape, axes, True))
    is_top = x == top
    others = lax.reduce_sum(lax.exp(jnp.where(is_top, -jnp.inf, x - top)), axes)
    # How often the maximum occurs is counted apart, so that 1 can be left out exactly.
    count = lax.reduce_sum(jnp.where(is_top, x.dtype.type(1), x.dtype.type(0)), axes)
    return top, lax.reshape((count - 1) + others, top.shape)


def _below(x: Any, top: Any) -> Any:
    """``x - top``, also where both are the same infinity."""
    return jnp.where(x == top, 0, x - top)


def _logsumexp(x: Any, *, axes: Axes, keepdims: bool) -> Any:
    top, rest = _parts(x, axes)
    return lax.reshape(top + log1p(rest), reduced_shape(x.shape, axes, keepdims))


def _softmax(x: Any, *, axes: Axes) -> Any:
    kept = reduced_shape(x.shape, axes, True)
    top = lax.reshape(lax.reduce_max(x, axes), kept)
    exponentials = lax.exp(_below(x, top))
    total = lax.reshape(lax.reduce_sum(exponentials, axes), kept)
    return jnp.where(top == -jnp.inf, 0, exponentials / total)


def _log_softmax(x: Any, *, axes: Axes) -> Any:
    top, rest = _parts(x, axes)
    return jnp.where(top == -jnp.inf, -jnp.inf, _below(x, top) - log1p(rest))


def _checked(name: str, x: Aval) -> None:
    if dtypes.kind(x.dtype) != "f":
        raise FadTypeError(
            located(f"{name} is defined for floating-point tensors, got {x.dtype}: convert first")
        )


def _infer_logsumexp(x: Aval, *, axes: Axes, keepdims: bool) -> Aval:
    _checked("logsumexp", x)
    return make_aval(reduced_shape(x.shape, axes, keepdims), x.dtype)


def _infer_softmax(x: Aval, *, axes: Axes) -> Aval:
    _checked("softmax", x)
    return make_aval(x.shape, x.dtype)


_INF = np.inf
_SPECIAL = np.array([[1.0, 1.0, 0.0], [1000.0, 0.0, -1000.0], [-_INF, 0.0, 3.0]])
_NOTHING = np.array([[-_INF, -_INF], [0.0, -_INF]])


def _samples_logsumexp() -> list[Sample]:
    def case(x: Any, axes: Axes, keepdims: bool = False) -> Sample:
        return Sample((np.asarray(x),), {"axes": axes, "keepdims": keepdims})

    return [
        case(_draw(2, 3, 2), (0, 2), keepdims=True),
        case(_draw(), ()),
        case(_draw(0, 2), (0,)),
        case(_SPECIAL, (1,)),
        case(_NOTHING, (1,)),
    ]


def _softmax_oracle(x: Any, *, axes: Axes) -> Any:
    total = _logsumexp(x, axes=axes, keepdims=True)
    return jnp.where(total == -jnp.inf, 0, jnp.exp(x - total))


def _samples_softmax() -> list[Sample]:
    return [
        Sample((_draw(2, 3, 2),), {"axes": (0, 2)}),
        Sample((_draw(0, 2),), {"axes": (0,)}),
        Sample((_SPECIAL,), {"axes": (1,)}),
    ]


def _logsumexp_oracle(x: Any, *, axes: Axes, keepdims: bool) -> Any:
    out = _logsumexp(x, axes=axes, keepdims=keepdims)
    return jnp.where(out == -jnp.inf, -jnp.inf, out)


LOGSUMEXP = primitive(
    "logsumexp",
    widened(_logsumexp),
    PerOperand(
        [
            lambda t, x, *, axes, keepdims: reduce_sum(times(softmax(x, axes), t), axes, keepdims),
        ],
        [
            lambda g, x, *, axes, keepdims: times(
                softmax(x, axes), aligned(g, x.aval.shape, axes, keepdims)
            ),
        ],
    ),
    infer=_infer_logsumexp,
    batch=batch_reduction,
    samples=_samples_logsumexp,
    oracle=_logsumexp_oracle,
    compile_cost=3.0,
    conventions=[
        Convention(
            ([-INF, -INF],),
            ([0.0, 0.0],),
            "nothing contributes",
            params={"axes": (0,), "keepdims": False},
        ),
        Convention(
            ([INF, INF],), ([0.5, 0.5],), "shared evenly", params={"axes": (0,), "keepdims": False}
        ),
    ],
    formula="log Σ e**x",
)


def logsumexp(x: Any, axes: Axes, keepdims: bool = False) -> Any:
    """Log of the sum of exponentials over ``axes``; of nothing, or of -inf alone, it is -inf.

    The derivative is :func:`softmax`, hence 0 where all are -inf.
    """
    return apply1(LOGSUMEXP(axes=axes, keepdims=keepdims), x)


def _centred(t: Any, weights: Any, axes: Axes) -> Any:
    """``t`` less its weighted mean."""
    for _ in range(2):
        t = sub(t, reduce_sum(times(weights, t), axes, True))
    return t


def _spread_out(g: Any, weights: Any, axes: Axes) -> Any:
    """The transpose of :func:`_centred`."""
    for _ in range(2):
        g = sub(g, times(weights, reduce_sum(g, axes, True)))
    return g


def _through_softmax(g: Any, out: Any, *, axes: Axes) -> Any:
    return times(out, _centred(g, out, axes))  # a symmetric matrix


SOFTMAX = primitive(
    "softmax",
    widened(_softmax),
    PerOperand([_through_softmax], [_through_softmax]),
    infer=_infer_softmax,
    batch=batch_reduction,
    samples=lambda: [*_samples_softmax(), Sample((_NOTHING,), {"axes": (1,)})],
    oracle=_softmax_oracle,
    compile_cost=3.0,
    conventions=[
        Convention(
            ([-INF, -INF],),
            ([0.0, 0.0],),
            "it is 0 there by definition",
            params={"axes": (0,)},
            cotangent=[1.0, 0.0],
        ),
    ],
    formula="e**x / Σ e**x",
)


def softmax(x: Any, axes: Axes) -> Any:
    """Exponentials divided by their sum over ``axes``; 0 where all are -inf, shared among +inf."""
    return apply1(SOFTMAX(axes=axes), x)


LOG_SOFTMAX = primitive(
    "log_softmax",
    widened(_log_softmax),
    PerOperand(
        [lambda t, x, *, axes: _centred(t, softmax(x, axes), axes)],
        [lambda g, x, *, axes: _spread_out(g, softmax(x, axes), axes)],
    ),
    infer=_infer_softmax,
    batch=batch_reduction,
    samples=_samples_softmax,
    oracle=lambda x, *, axes: x - _logsumexp(x, axes=axes, keepdims=True),
    compile_cost=3.0,
    formula="x - log Σ e**x",
)


def log_softmax(x: Any, axes: Axes) -> Any:
    """The logarithm of :func:`softmax`, precise also where softmax is close to 0 or 1."""
    return apply1(LOG_SOFTMAX(axes=axes), x)


def _log_sums(x: Any, axis: int, reverse: bool, exclusive: bool) -> list[Any]:
    """Maximum and rest of the sums up to each element, or before each."""

    def combine(before: Any, here: Any) -> Any:
        top = lax.max(before[0], here[0])
        scale = lax.exp(-lax.abs(_below(before[0], here[0])))
        larger = jnp.where(before[0] >= here[0], before[1], here[1])
        smaller = jnp.where(before[0] >= here[0], here[1], before[1])
        return [top, larger + (1 + smaller) * scale]

    xs = [x, jnp.zeros_like(x)]
    options: Any = {"reverse": reverse, "exclusive": exclusive, "emit": [0, 1]}
    return scan(combine, xs, [-np.inf, -1], axis, **options)


def _cumlogsumexp(x: Any, *, axis: int, reverse: bool) -> Any:
    top, rest = _log_sums(x, axis, reverse, exclusive=False)
    return top + log1p(rest)


def _weights(x: Any, *, axis: int, reverse: bool) -> tuple[Any, Any]:
    dtype = x.dtype
    x = lax.convert_element_type(x, accumulator(np.dtype(dtype)))
    top, rest = _log_sums(x, axis, reverse, exclusive=True)
    scale = lax.exp(-lax.abs(_below(x, top)))
    before = (1 + rest) * jnp.where(x > top, scale, 1)
    here = jnp.where(x > top, 1, scale)
    nothing = x == -jnp.inf  # so that the derivative of sums of nothing but -inf is 0
    before_part = jnp.where(nothing, 1, before / (before + here))
    here_part = jnp.where(nothing, 0, here / (before + here))
    return lax.convert_element_type(before_part, dtype), lax.convert_element_type(here_part, dtype)


def _push_weights(t: Any, out: Any, *, axis: int, reverse: bool) -> tuple[Any, Any]:
    before, here = out
    change = sub(t, linear_recurrence(before, times(here, t), axis, reverse))
    change = times(mul(before, here), change)
    return neg(change), change


def _pull_weights(g: Any, out: Any, *, axis: int, reverse: bool) -> Any:
    before, here = out
    towards = neg(g[0]) if g[1] is None else g[1] if g[0] is None else sub(g[1], g[0])
    change = times(mul(before, here), towards)
    return sub(change, times(here, linear_recurrence(before, change, axis, not reverse)))


WEIGHTS = primitive(
    "cumlogsumexp_weights",
    _weights,
    PerOperand([_push_weights], [_pull_weights]),
    infer=lambda x, *, axis, reverse: (_infer_cumlogsumexp(x, axis=axis, reverse=reverse),) * 2,
    batch=batch_along,
    multiple=True,
    samples=lambda: samples_along(integers=False),
    compile_cost=15.0,
    formula="parts of what came before, and of the element, in each cumulative sum of e**x",
)
"""The parts of what came before, and of the element itself, in each sum of exponentials."""


def _push_cumlogsumexp(t: Any, x: Any, *, axis: int, reverse: bool) -> Any:
    before, here = apply(WEIGHTS(axis=axis, reverse=reverse), x)
    part = times(here, t)
    return add(times(before, linear_recurrence(before, part, axis, reverse)), part)


def _pull_cumlogsumexp(g: Any, x: Any, *, axis: int, reverse: bool) -> Any:
    before, here = apply(WEIGHTS(axis=axis, reverse=reverse), x)
    later = linear_recurrence(before, times(before, g), axis, not reverse)
    return times(here, add(g, later))


def _infer_cumlogsumexp(x: Aval, *, axis: int, reverse: bool) -> Aval:
    _checked("cumlogsumexp", x)
    return make_aval(x.shape, x.dtype)


CUMLOGSUMEXP = primitive(
    "cumlogsumexp",
    widened(_cumlogsumexp),
    PerOperand([_push_cumlogsumexp], [_pull_cumlogsumexp]),
    infer=_infer_cumlogsumexp,
    batch=batch_along,
    samples=lambda: [
        *samples_along(integers=False),
        Sample((np.array([-_INF, -_INF, 1.0, 1.0, -800.0, 5.0]),), {"axis": 0, "reverse": False}),
    ],
    reference=reference_along(np.logaddexp.accumulate),
    oracle=prefix_by_prefix(lambda x, axis: _logsumexp_oracle(x, axes=(axis,), keepdims=True)),
    compile_cost=15.0,
    conventions=[
        Convention(
            ([-INF, -INF, 1.0],),
            ([0.0, 0.0, 1.0],),
            "what is nothing contributes nothing",
            params={"axis": 0, "reverse": False},
        ),
    ],
    formula="log Σ e**x[:i + 1]",
)


def cumlogsumexp(x: Any, axis: int, reverse: bool = False) -> Any:
    """Log of the sum of exponentials of the elements up to and including each."""
    return apply1(CUMLOGSUMEXP(axis=axis, reverse=reverse), x)
