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
from fad.core.apply import apply1
from fad.core.aval import Aval, make_aval
from fad.core.errors import FadTypeError, located
from fad.primitives.arithmetic import mul, sub
from fad.primitives.cumulative import (
    batch_along,
    linear_recurrence,
    run_along,
    samples_along,
    shifted,
)
from fad.primitives.declare import Sample, primitive
from fad.primitives.derivative import PerOperand
from fad.primitives.precise import log1p, widened
from fad.primitives.reductions import Axes, aligned, batch_reduction, reduce_sum, reduced_shape
from fad.primitives.transcendental import logaddexp, share


def _draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(8).normal(size=shape)


def _parts(x: Any, axes: Axes) -> tuple[Any, Any, Any]:
    """The maximum m with its axes kept, x - m, and the sum of exp(x - m) less 1."""
    top = lax.reshape(lax.reduce_max(x, axes), reduced_shape(x.shape, axes, True))
    gap = jnp.where(x == top, 0, x - top)  # infinities meet themselves here
    rest = lax.reduce_sum(jnp.where(x == top, 0, lax.exp(gap)), axes)
    # How often the maximum occurs is counted apart, so that 1 can be left out exactly.
    again = lax.reduce_sum((x == top).astype(x.dtype), axes) - 1
    return top, gap, lax.reshape(again + rest, top.shape)


def _logsumexp(x: Any, *, axes: Axes, keepdims: bool) -> Any:
    top, _, rest = _parts(x, axes)
    return lax.reshape(top + log1p(rest), reduced_shape(x.shape, axes, keepdims))


def _softmax(x: Any, *, axes: Axes) -> Any:
    top, gap, rest = _parts(x, axes)
    return jnp.where(top == -jnp.inf, 0, lax.exp(gap) / (1 + rest))


def _log_softmax(x: Any, *, axes: Axes) -> Any:
    top, gap, rest = _parts(x, axes)
    return jnp.where(top == -jnp.inf, -jnp.inf, gap - log1p(rest))


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
            lambda t, x, *, axes, keepdims: reduce_sum(mul(softmax(x, axes), t), axes, keepdims),
        ],
        [
            lambda g, x, *, axes, keepdims: mul(
                softmax(x, axes), aligned(g, x.aval.shape, axes, keepdims)
            ),
        ],
    ),
    infer=_infer_logsumexp,
    batch=batch_reduction,
    samples=_samples_logsumexp,
    oracle=_logsumexp_oracle,
    compile_cost=3.0,
)


def logsumexp(x: Any, axes: Axes, keepdims: bool = False) -> Any:
    """Log of the sum of exponentials over ``axes``; of nothing, or of -inf alone, it is -inf.

    The derivative is :func:`softmax`, hence 0 where all are -inf.
    """
    return apply1(LOGSUMEXP(axes=axes, keepdims=keepdims), x)


def _centred(t: Any, weights: Any, axes: Axes) -> Any:
    """``t`` less its weighted mean."""
    for _ in range(2):
        t = sub(t, reduce_sum(mul(weights, t), axes, True))
    return t


def _spread_out(g: Any, weights: Any, axes: Axes) -> Any:
    """The transpose of :func:`_centred`."""
    for _ in range(2):
        g = sub(g, mul(weights, reduce_sum(g, axes, True)))
    return g


def _through_softmax(g: Any, out: Any, *, axes: Axes) -> Any:
    return mul(out, _centred(g, out, axes))  # a symmetric matrix


SOFTMAX = primitive(
    "softmax",
    widened(_softmax),
    PerOperand([_through_softmax], [_through_softmax]),
    infer=_infer_softmax,
    batch=batch_reduction,
    samples=lambda: [*_samples_softmax(), Sample((_NOTHING,), {"axes": (1,)})],
    oracle=_softmax_oracle,
    compile_cost=3.0,
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
)


def log_softmax(x: Any, axes: Axes) -> Any:
    """The logarithm of :func:`softmax`, precise also where softmax is close to 0 or 1."""
    return apply1(LOG_SOFTMAX(axes=axes), x)


def _logsumexp_before(x: Any, *, axis: int, reverse: bool) -> Any:
    def step(carry: Any, here: Any) -> tuple[Any, Any]:
        # The sum so far is exp(top) * (1 + rest): what is added to 1 keeps its own precision.
        top, rest, before = carry
        gap = jnp.where(here == top, 0.0, -lax.abs(here - top))
        scale = lax.exp(gap)
        rest = jnp.where(here > top, (1.0 + rest) * scale, rest + scale)
        top = lax.max(here, top)
        return [top, rest, top + log1p(rest)], before

    def tree(x: Any) -> Any:
        return shifted(lax.cumlogsumexp(x, axis, reverse), -jnp.inf, axis, reverse)

    return lax.platform_dependent(
        x,
        cpu=lambda x: run_along(step, [-np.inf, -1.0, -np.inf], [x], axis, reverse),
        default=tree,
    )


def _push_logsumexp_before(t: Any, x: Any, out: Any, *, axis: int, reverse: bool) -> Any:
    return linear_recurrence(share(out, x), mul(share(x, out), t), axis, reverse)


def _pull_logsumexp_before(g: Any, x: Any, out: Any, *, axis: int, reverse: bool) -> Any:
    return mul(share(x, out), linear_recurrence(share(out, x), g, axis, not reverse))


LOGSUMEXP_BEFORE = primitive(
    "logsumexp_before",
    widened(_logsumexp_before),
    PerOperand([_push_logsumexp_before], [_pull_logsumexp_before]),
    infer=lambda x, *, axis, reverse: make_aval(x.shape, x.dtype),
    batch=batch_along,
    samples=lambda: [s for s in samples_along() if s.operands[0].dtype.kind == "f"],
    compile_cost=15.0,
)


def logsumexp_before(x: Any, axis: int, reverse: bool = False) -> Any:
    """Log of the sum of exponentials of the elements before each; -inf where there are none."""
    return apply1(LOGSUMEXP_BEFORE(axis=axis, reverse=reverse), x)


def cumlogsumexp(x: Any, axis: int, reverse: bool = False) -> Any:
    """Log of the sum of exponentials of the elements up to and including each."""
    return logaddexp(x, logsumexp_before(x, axis, reverse))
