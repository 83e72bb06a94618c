"""Scans: running an associative operation along an axis, and what operations along an axis share.

On the CPU a scan goes through the axis one element at a time: that compiles in the same short time
for every length and is faster than XLA's logarithmic tree; elsewhere the tree is used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core.apply import apply
from fad.core.primitive import Operation
from fad.primitives.broadcast import broadcast_to
from fad.primitives.declare import Sample

Arrays = Sequence[Any]
Combine = Callable[[Arrays, Arrays], Arrays]


def scan(
    combine: Combine,
    xs: Arrays,
    identity: Sequence[complex],
    axis: int,
    *,
    reverse: bool = False,
    exclusive: bool = False,
    emit: Sequence[int] = (0,),
) -> list[Any]:
    """All partial combinations of the elements of ``xs`` along ``axis``.

    An element is one slice of each of ``xs``, which have one shape and dtype; ``combine`` is
    associative and has this ``identity``. ``exclusive`` leaves each element out of its own
    combination; of the parts of a combination, those in ``emit`` are returned.
    """
    first = xs[0]
    if not first.size:
        return [first for _ in emit]

    def by_element(*xs: Any) -> list[Any]:
        n = first.shape[axis]

        def body(i: Any, state: Any) -> Any:
            carry, out = state
            at = n - 1 - i if reverse else i
            total = combine(carry, [lax.dynamic_slice_in_dim(x, at, 1, axis) for x in xs])
            emitted = [(carry if exclusive else total)[k] for k in emit]
            written = [
                lax.dynamic_update_slice_in_dim(o, e, at, axis) for o, e in zip(out, emitted)
            ]
            return list(total), written

        carry = [_slice_of(first, value, axis) for value in identity]
        return lax.fori_loop(0, n, body, (carry, [jnp.zeros_like(first) for _ in emit]))[1]

    def by_tree(*xs: Any) -> list[Any]:
        out = lax.associative_scan(combine, list(xs), reverse=reverse, axis=axis)
        return [shifted(out[k], identity[k], axis, reverse) if exclusive else out[k] for k in emit]

    return lax.platform_dependent(*xs, cpu=by_element, default=by_tree)


def _slice_of(x: Any, value: complex, axis: int) -> Any:
    """A slice of ``x`` that holds ``value`` everywhere."""
    return jnp.full((*x.shape[:axis], 1, *x.shape[axis + 1 :]), value, x.dtype)


def shifted(x: Any, first: complex, axis: int, reverse: bool = False) -> Any:
    """``x`` one place further along ``axis``, beginning with the number ``first``."""
    n = x.shape[axis]
    if not n:
        return x
    begin = _slice_of(x, first, axis)
    if reverse:
        return lax.concatenate([lax.slice_in_dim(x, 1, n, axis=axis), begin], axis)
    return lax.concatenate([begin, lax.slice_in_dim(x, 0, n - 1, axis=axis)], axis)


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


def samples_along(integers: bool = True) -> list[Sample]:
    """Samples of an operation along an axis that also runs in reverse."""
    rng = np.random.default_rng(6)
    samples = [
        Sample((rng.normal(size=4),), {"axis": 0, "reverse": True}),
        Sample((rng.normal(size=(2, 3, 2)),), {"axis": 1, "reverse": False}),
        Sample((np.zeros((2, 0)),), {"axis": 1, "reverse": False}),
    ]
    if integers:
        samples.append(Sample((np.arange(3, dtype=np.int8),), {"axis": 0, "reverse": False}))
    return samples


def reference_along(function: Callable[..., Any]) -> Callable[..., Any]:
    """A NumPy function of (x, axis), run in reverse where the parameters say so."""

    def run(x: Any, *, axis: int, reverse: bool) -> Any:
        return np.flip(function(np.flip(x, axis), axis), axis) if reverse else function(x, axis)

    return run


def prefix_by_prefix(reduce: Callable[[Any, int], Any]) -> Callable[..., Any]:
    """The kernel that applies ``reduce(x, axis)``, which keeps the axis, to each prefix: slow,
    but its derivative is that of the reduction."""

    def run(x: Any, *, axis: int, reverse: bool = False) -> Any:
        if reverse:
            return lax.rev(run(lax.rev(x, (axis,)), axis=axis), (axis,))
        prefixes = [lax.slice_in_dim(x, 0, i + 1, axis=axis) for i in range(x.shape[axis])]
        return lax.concatenate([reduce(p, axis) for p in prefixes], axis) if prefixes else x

    return run
