"""Scatter: tensors with some elements set, added to, multiplied, or lowered or raised to others.

Where an element is selected several times, ``scatter_set`` keeps the last update (any of them, on
an accelerator) and the others take all of them into account, in both directions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core.apply import apply
from fad.core.aval import Aval, Shape, make_aval
from fad.core.config import is_zero_strong
from fad.core.dtypes import bool_
from fad.core.primitive import Operation, Primitive, ReverseRule
from fad.primitives import broadcast
from fad.primitives.arithmetic import add, div, mul, times
from fad.primitives.comparison import eq, select
from fad.primitives.declare import Sample, primitive
from fad.primitives.derivative import Variadic
from fad.primitives.gather import (
    GATHER,
    Selection,
    aligned,
    gather,
    is_window,
    samples,
    scatter_by,
    spread,
    update_window,
    with_batch,
)
from fad.primitives.shape import moveaxis

Changed = Callable[..., Any]


def _batch(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    selection: Selection = operation.params["selection"]
    x, updates, *indices = operands
    x = with_batch(x, batched[0], size)
    updates = with_batch(updates, batched[1], size)
    flags = batched[2:]
    scatter = operation.primitive
    if any(flags):
        paired = scatter(selection=selection.paired())
        return apply(paired, x, updates, *aligned(selection, indices, flags, 0)), True
    shared = selection.batch
    x, updates = moveaxis(x, 0, shared), moveaxis(updates, 0, shared)
    out = apply(scatter(selection=selection.beneath()), x, updates, *indices)
    return moveaxis(out, shared, 0), True


def _kernel(scatter: Any, change: Any = None) -> Any:
    """The kernel of a scatter; ``change(old, update)`` is its short way for one window."""

    def kernel(x: Any, updates: Any, *indices: Any, selection: Selection) -> Any:
        updates = lax.convert_element_type(updates, x.dtype)  # it may be a Python scalar
        if change is not None and is_window(selection, indices) and 0 not in updates.shape:
            return update_window(selection, x, indices, change, updates)
        return scatter_by(scatter, selection, x, updates, indices)

    return kernel


def _one_by_one(change: Any) -> Any:
    """For tests: the same scatter, one update after the other, which JAX can differentiate."""

    def oracle(x: Any, updates: Any, *indices: Any, selection: Selection) -> Any:
        numbers = np.arange(1, x.size + 1).reshape(x.shape)
        places = GATHER.kernel(jnp.asarray(numbers), *indices, selection=selection)
        flat = lax.reshape(x, (x.size,))
        for place, update in zip(np.ravel(places), lax.reshape(updates, (updates.size,))):
            here = np.arange(1, x.size + 1) == place  # 0 is out of bounds
            flat = lax.select(
                jnp.asarray(here), change(flat, jnp.broadcast_to(update, flat.shape)), flat
            )
        return lax.reshape(flat, x.shape)

    return oracle


_FORMULAS = {
    "scatter_add": "x with y added at z",
    "scatter_set": "x with y put at z",
    "scatter_mul": "x multiplied by y at z",
    "scatter_min": "x with the smaller of it and y at z",
    "scatter_max": "x with the larger of it and y at z",
}


def _declare(
    name: str, kernel: Any, derivative: Any, cases: Sequence[int], oracle: Any = None
) -> Primitive:
    def draw() -> list[Sample]:
        rng = np.random.default_rng(6)
        every = samples()
        out = []
        for x, indices, selection in [every[i] for i in cases]:
            index = np.broadcast_shapes(*[np.shape(i) for i in indices])
            updates = rng.normal(size=selection.shape(x.shape, index))
            out.append(Sample((x, updates, *indices), {"selection": selection}))
        return out

    return primitive(
        name,
        kernel,
        derivative,
        infer=lambda x, updates, *indices, selection: make_aval(x.shape, x.dtype),
        batch=_batch,
        compile_cost=4.0,
        samples=draw,
        oracle=oracle,
        formula=_FORMULAS[name],
    )


# ------------------------------------------------------------------------------------ add and set


def _transpose_add(
    g: Any, avals: Any, indices: Sequence[Any], wanted: Sequence[bool], *, selection: Selection
) -> list[Any]:
    return [g, gather(g, indices, selection) if wanted[1] else None]


SCATTER_ADD = _declare(
    "scatter_add",
    _kernel(lax.scatter_add, lax.add),
    Variadic(_transpose_add, leading=2),
    cases=(0, 1, 2, 5, 7, 8, 9),
)


def _winners(*indices: Any, selection: Selection, shape: Shape, updates: Shape) -> Any:
    """Which elements of the updates are those that a ``scatter_set`` keeps."""
    if 0 in updates:
        return lax.full(updates, True)
    numbers = lax.reshape(lax.iota(np.int64, int(np.prod(updates))), updates)
    kept = scatter_by(lax.scatter, selection, lax.full(shape, np.int64(-1)), numbers, indices)
    return GATHER.kernel(kept, *indices, selection=selection) == numbers


WINNERS = primitive(
    "winners",
    _winners,
    None,
    infer=lambda *indices, selection, shape, updates: make_aval(updates, bool_),
    samples=lambda: [
        Sample(
            i,
            {
                "selection": s,
                "shape": x.shape,
                "updates": s.shape(x.shape, np.broadcast_shapes(*[np.shape(k) for k in i])),
            },
        )
        for x, i, s in samples()
    ],
    formula="which update is the last at its place",
)


def _transpose_set(
    g: Any,
    avals: Sequence[Aval],
    indices: Sequence[Any],
    wanted: Sequence[bool],
    *,
    selection: Selection,
) -> list[Any]:
    of_x = of_updates = None
    x, updates = avals
    if wanted[0]:
        of_x = scatter(SCATTER_SET, g, broadcast.zeros(updates), indices, selection)
    if len(wanted) > 1 and wanted[1]:
        of_updates = gather(g, indices, selection)
        if not selection.unique:
            operation = WINNERS(selection=selection, shape=x.shape, updates=updates.shape)
            won = apply(operation, *indices)
            of_updates = select(won, of_updates, broadcast.zeros(of_updates.aval))
    return [of_x, of_updates]


SCATTER_SET = _declare(
    "scatter_set",
    _kernel(lax.scatter, lambda old, new: new),
    Variadic(_transpose_set, leading=2),
    cases=(1, 3, 5, 6, 8, 9),
)


# ------------------------------------------------------------------------- multiply, min and max


class _Nonlinear:
    """Scatters that are not linear: each gives its two partial derivatives.

    ``partials(x, updates, out, indices, selection)`` returns two functions of the tangent of x and
    of the updates, and two of the cotangent of the result, their transposes.
    """

    def __init__(self, partials: Callable[..., tuple[Changed, Changed, Changed, Changed]]) -> None:
        self.partials = partials

    def forward(
        self, operation: Operation, primals: tuple[Any, ...], tangents: tuple[Any, ...]
    ) -> tuple[Any, Any]:
        """Result and tangent."""
        out = apply(operation, *primals)
        x, updates, *indices = primals
        push_x, push_updates, _, _ = self.partials(
            x, updates, out, indices, operation.params["selection"]
        )
        of_x, of_updates = tangents[:2]
        if of_x is None:
            return out, None if of_updates is None else push_updates(of_updates)
        if of_updates is None:
            return out, push_x(of_x)
        return out, add(push_x(of_x), push_updates(of_updates))

    def reverse(self, operation: Operation, mask: int) -> ReverseRule:
        """The reverse rule, which saves everything."""
        if not mask & 3:
            return ReverseRule(operation, mask, lambda operands, out: (), None)

        def pull(g: Any, saved: tuple[Any, ...], targets: Any) -> list[Any]:
            x, updates, *indices, out = saved
            _, _, pull_x, pull_updates = self.partials(
                x, updates, out, indices, operation.params["selection"]
            )
            return [pull_x(g) if mask & 1 else None, pull_updates(g) if mask & 2 else None]

        return ReverseRule(operation, mask, lambda operands, out: (*operands, out), pull)


def _product_of_others(updates: Any, indices: Sequence[Any], x: Any, selection: Selection) -> Any:
    """For each update, the product of all others of the same element.

    Zeros are counted, not divided by.
    """
    zero, one = broadcast.zeros(updates.aval), broadcast.ones(updates.aval)
    is_zero = eq(updates, zero)
    nonzero = select(is_zero, one, updates)
    product = scatter(SCATTER_MUL, broadcast.ones(x.aval), nonzero, indices, selection)
    counts = spread(select(is_zero, one, zero), indices, selection, x.aval.shape)
    zeros_there = gather(counts, indices, selection)
    alone = eq(zeros_there, select(is_zero, one, zero))
    return select(alone, div(gather(product, indices, selection), nonzero), zero)


def _partials_mul(
    x: Any, updates: Any, out: Any, indices: Sequence[Any], selection: Selection
) -> tuple[Changed, Changed, Changed, Changed]:
    def factor() -> Any:
        there = gather(x, indices, selection)
        if selection.unique:
            return there
        return mul(there, _product_of_others(updates, indices, x, selection))

    def scale(t: Any) -> Any:
        if is_zero_strong():
            ones = broadcast.ones(x.aval)
            return times(t, scatter(SCATTER_MUL, ones, updates, indices, selection))
        return scatter(SCATTER_MUL, t, updates, indices, selection)

    return (
        scale,
        lambda t: spread(times(t, factor()), indices, selection, x.aval.shape),
        scale,
        lambda g: times(gather(g, indices, selection), factor()),
    )


SCATTER_MUL = _declare(
    "scatter_mul",
    _kernel(lax.scatter_mul),
    _Nonlinear(_partials_mul),
    cases=(2, 6, 8),
    oracle=_one_by_one(lax.mul),
)


def _partials_extremum(
    x: Any, updates: Any, out: Any, indices: Sequence[Any], selection: Selection
) -> tuple[Changed, Changed, Changed, Changed]:
    """The derivative goes to all that equal the result, in equal parts."""
    x_is_it = eq(x, out)
    update_is_it = eq(updates, gather(out, indices, selection))
    zeros = broadcast.zeros(updates.aval)
    shared = scatter(
        SCATTER_ADD,
        broadcast.convert(x_is_it, x.aval.dtype),
        broadcast.convert(update_is_it, x.aval.dtype),
        indices,
        selection,
    )

    def pick_updates(g: Any) -> Any:
        return select(update_is_it, gather(div(g, shared), indices, selection), zeros)

    def pick_x(g: Any) -> Any:
        return select(x_is_it, div(g, shared), broadcast.zeros(x.aval))

    def push_updates(t: Any) -> Any:
        part = div(t, gather(shared, indices, selection))
        return spread(select(update_is_it, part, zeros), indices, selection, x.aval.shape)

    return pick_x, push_updates, pick_x, pick_updates


SCATTER_MIN = _declare(
    "scatter_min",
    _kernel(lax.scatter_min),
    _Nonlinear(_partials_extremum),
    cases=(5, 7),
    oracle=_one_by_one(lax.min),
)
SCATTER_MAX = _declare(
    "scatter_max",
    _kernel(lax.scatter_max),
    _Nonlinear(_partials_extremum),
    cases=(2, 8),
    oracle=_one_by_one(lax.max),
)


def scatter(
    kind: Primitive, x: Any, updates: Any, indices: Sequence[Any], selection: Selection
) -> Any:
    """``x`` changed by ``updates``, which have the shape and dtype of what :func:`gather` reads."""
    return apply(kind(selection=selection), x, updates, *indices)
