"""Searching: where extrema are, and where numbers belong among sorted ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core import dtypes, kernels
from fad.core.apply import apply, apply1, apply2
from fad.core.aval import Aval, make_aval
from fad.core.errors import FadValueError, located
from fad.core.primitive import Operation, Primitive
from fad.core.tensor import aval_of, lift
from fad.primitives.broadcast import broadcast_to, convert
from fad.primitives.declare import Sample, primitive
from fad.primitives.identity import in_memory
from fad.primitives.reductions import reduced_shape

_FEW = 32
"""So few numbers are searched faster by comparing with all of them than by halving."""


def _searchsorted(a: Any, v: Any, *, side: str, batch: int) -> Any:
    method = "compare_all" if a.shape[batch] <= _FEW else "scan"
    search: Callable[..., Any] = partial(jnp.searchsorted, side=side, method=method)
    if v.dtype == jnp.bool_:
        a, v = a.astype(jnp.int8), v.astype(jnp.int8)
    for axis in reversed(range(batch)):
        search = kernels.mapped(search, (True, True), a.shape[axis])
    return search(a, v).astype(jnp.int64)


def _infer(a: Aval, v: Aval, *, side: str, batch: int) -> Aval:
    if a.ndim != batch + 1:
        raise FadValueError(
            located(
                f"searchsorted: the sorted numbers must lie along one axis, got shape {a.shape}"
            )
        )
    return make_aval(v.shape, dtypes.int64)


def _batch(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    """Examples that search among the same numbers are one search."""
    params = operation.params
    if not batched[0] and not params["batch"]:
        return apply(operation, *operands), True
    whole = [
        x if b else broadcast_to(x, (size, *x.aval.shape))
        for x, b in zip(operands, batched, strict=True)
    ]
    return apply(SEARCHSORTED(side=params["side"], batch=params["batch"] + 1), *whole), True


def _reference(a: Any, v: Any, *, side: Any, batch: int) -> Any:
    if not batch:
        return np.searchsorted(a, v, side)
    return np.stack([_reference(*pair, side=side, batch=batch - 1) for pair in zip(a, v)])


_LEFT = {"side": "left", "batch": 0}
_TIES = np.array([-np.inf, -1.0, 0.0, 0.0, 2.0, np.nan])

SEARCHSORTED = primitive(
    "searchsorted",
    _searchsorted,
    None,
    infer=_infer,
    batch=_batch,
    samples=lambda: [
        Sample((_TIES, np.array([[0.0, -0.0, 1.0], [np.nan, -np.inf, 3.0]])), _LEFT),
        Sample((_TIES, np.array([0.0, 2.0, np.inf])), {"side": "right", "batch": 0}),
        Sample((np.arange(40), np.array([3, -1, 40, 39])), _LEFT),
        Sample((np.zeros(0), np.float64(1.0)), _LEFT),
        Sample((np.arange(3.0), np.zeros((0, 2))), _LEFT),
        Sample(
            (np.array([[0.0, 1.0], [1.0, 5.0]]), np.array([[1.0, 3.0], [0.0, 5.0]])),
            {"side": "right", "batch": 1},
        ),
    ],
    reference=_reference,
    compile_cost=8.0,
    formula="how many of x are below y, or not above it if side is right",
)


def searchsorted(a: Any, v: Any, side: str = "left", batch: int = 0) -> Any:
    """Where each of ``v`` is to be inserted into the sorted ``a``: before its equals, or after them
    if ``side`` is "right". ``batch`` leading axes are common to both. NaN is the largest number.
    """
    first, second = aval_of(a), aval_of(v)
    common = dtypes.result_type(((first.dtype, first.weak), (second.dtype, second.weak)))[0]
    return apply2(
        SEARCHSORTED(side=side, batch=batch), convert(lift(a), common), convert(lift(v), common)
    )


def _batch_position(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    params = dict(operation.params)
    params["axis"] += 1
    return apply1(operation.primitive(**params), operands[0]), True


def _position(name: str, kernel: Any, reduce: Any, reference: Callable[..., Any]) -> Primitive:
    def run(x: Any, *, axis: int, keepdims: bool) -> Any:
        if jnp.issubdtype(x.dtype, jnp.complexfloating):  # ordered by real, then imaginary part
            x = in_memory(x)
            best = lax.expand_dims(reduce(x, (axis,)), (axis,))
            out = lax.argmax(((x == best) | (x != x)).astype(jnp.int8), axis, jnp.int64)
        elif x.dtype == jnp.bool_:
            out = kernel(x.astype(jnp.int8), axis, jnp.int64)
        else:
            out = kernel(x, axis, jnp.int64)
        return lax.expand_dims(out, (axis,)) if keepdims else out

    def infer(x: Aval, *, axis: int, keepdims: bool) -> Aval:
        if not x.shape[axis]:
            raise FadValueError(
                located(f"{name}: axis {axis} of shape {x.shape} is empty: it has no {name}.")
            )
        return make_aval(reduced_shape(x.shape, (axis,), keepdims), dtypes.int64)

    return primitive(
        name,
        run,
        None,
        infer=infer,
        batch=_batch_position,
        samples=lambda: [
            Sample(
                (np.array([[0.5, -1.0, 2.0], [0.25, 3.0, -0.5]]),), {"axis": 1, "keepdims": True}
            ),
            Sample((np.array([1.0, 4.0, 4.0, 1.0]),), {"axis": 0, "keepdims": False}),
            Sample((np.array([1.0, np.nan, np.nan]),), {"axis": 0, "keepdims": False}),
            Sample((np.array([False, True]),), {"axis": 0, "keepdims": False}),
            Sample((np.ones((0, 2)),), {"axis": 1, "keepdims": False}),
        ],
        reference=reference,
    )


ARGMAX = _position("argmax", lax.argmax, lax.reduce_max, np.argmax)
ARGMIN = _position("argmin", lax.argmin, lax.reduce_min, np.argmin)


def argmax(x: Any, axis: int, keepdims: bool = False) -> Any:
    """Index of the first maximum along ``axis``; of the first NaN if there is one."""
    return apply1(ARGMAX(axis=axis, keepdims=keepdims), x)


def argmin(x: Any, axis: int, keepdims: bool = False) -> Any:
    """Index of the first minimum along ``axis``; of the first NaN if there is one."""
    return apply1(ARGMIN(axis=axis, keepdims=keepdims), x)
