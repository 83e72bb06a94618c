"""Gather and scatter under vmap: every choice of batched operands equals the loop."""

from __future__ import annotations

import numpy as np
import pytest

import fad
import fad.numpy as fnp
from fad.primitives.gather import Selection, gather, spread, window
from fad.primitives.scatter import SCATTER_ADD, SCATTER_SET, scatter

SELECTIONS = {
    "row": Selection((0,), (None,)),
    "window": Selection((0,), (2,)),
    "filled window": Selection((0,), (2,), mode="fill"),
    "column": Selection((1,), (None,), position=1),
    "element of a column window": Selection((0, 1), (None, 2)),
}
CHOICES = [(True, False), (False, True), (True, True)]


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize("batched", CHOICES)
@pytest.mark.parametrize("name", SELECTIONS)
def test_batched_gather_equals_the_loop(name, batched, rank, rng):
    selection = SELECTIONS[name]
    count = len(selection.axes)
    xs = rng.normal(size=(3, 4, 3))
    starts = rng.integers(-5, 6, size=(3, count, 2) if rank else (3, count))
    weights = rng.normal(size=selection.shape((4, 3), (2,) * rank))

    def f(x, i):
        return fnp.sum(gather(x, [i[k] for k in range(count)], selection) ** 2 * weights)

    axes = tuple([0 if b else None for b in batched])
    x, i = xs if batched[0] else xs[0], starts if batched[1] else starts[0]
    value = fad.vmap(fad.value_and_grad(f), in_axes=axes)(x, i)
    total = fad.grad(lambda x: fnp.sum(fad.vmap(f, in_axes=axes)(x, i)))(fad.asarray(x))
    each = [
        fad.value_and_grad(f)(xs[k if batched[0] else 0], starts[k if batched[1] else 0])
        for k in range(3)
    ]
    np.testing.assert_allclose(value[0], np.stack([np.asarray(v) for v, _ in each]))
    gradients = np.stack([np.asarray(g) for _, g in each])
    np.testing.assert_allclose(value[1], gradients, atol=1e-14)
    np.testing.assert_allclose(total, gradients if batched[0] else gradients.sum(0), atol=1e-14)


def test_nested_batches_equal_the_loop(rng):
    table, ids = rng.normal(size=(2, 5, 3)), rng.integers(0, 5, size=(2, 4, 2))

    def pick(t, i):
        return gather(t, (i,), SELECTIONS["row"])

    inner = fad.vmap(pick, in_axes=(None, 0))
    expected = np.stack([table[k][ids[k]] for k in range(2)])
    np.testing.assert_array_equal(fad.vmap(inner)(table, ids), expected)
    swapped = fad.vmap(fad.vmap(pick), in_axes=(None, 0))(table, ids.swapaxes(0, 1))
    np.testing.assert_array_equal(swapped, expected.swapaxes(0, 1))
    shared = fad.vmap(fad.vmap(pick, in_axes=(0, None)), in_axes=(None, 0))(table, ids[0])
    np.testing.assert_array_equal(shared, np.stack([table[:, i] for i in ids[0]]))


@pytest.mark.parametrize("kind", [SCATTER_ADD, SCATTER_SET])
@pytest.mark.parametrize("mode", ["clip", "fill"])
def test_nested_batches_of_scatters(kind, mode, rng):
    xs, us = rng.normal(size=(2, 3, 6)), rng.normal(size=(2, 3, 2))
    ids = rng.integers(-7, 8, size=(2, 3, 2))

    def f(x, u, i):
        x, u, i = map(fad.asarray, (x, u, i))
        return scatter(kind, x, u, (i,), Selection((0,), (None,), mode=mode))

    out = fad.vmap(fad.vmap(f))(xs, us, ids)
    inner = fad.vmap(f, in_axes=(None, 0, None))
    mixed = fad.vmap(inner, in_axes=(0, None, 0))(xs[:, 0], us[0], ids[:, 0])
    for j in range(2):
        for k in range(3):
            np.testing.assert_allclose(out[j, k], f(xs[j, k], us[j, k], ids[j, k]))
            np.testing.assert_allclose(mixed[j, k], f(xs[j, 0], us[0, k], ids[j, 0]))


def test_spread_is_the_transpose_of_gather(rng):
    for selection in SELECTIONS.values():
        index = [fad.asarray(rng.integers(-5, 6, size=3)) for _ in selection.axes]
        x = rng.normal(size=(4, 3))
        g = rng.normal(size=selection.shape((4, 3), (3,)))
        there = np.sum(np.asarray(gather(fad.asarray(x), index, selection)) * g)
        back = np.sum(np.asarray(spread(fad.asarray(g), index, selection, (4, 3))) * x)
        np.testing.assert_allclose(there, back)


def test_windows_read_and_write_whole(rng):
    x = fad.asarray(np.arange(6.0))
    np.testing.assert_array_equal(window(x, 2, 3, 0), [2.0, 3.0, 4.0])
    clip, fill = Selection((0,), (3,), mode="clip"), Selection((0,), (3,), mode="fill")
    far = (fad.asarray(5),)
    np.testing.assert_array_equal(gather(x, far, clip), [3.0, 4.0, 5.0])
    np.testing.assert_array_equal(gather(x, far, fill), [0.0, 0.0, 0.0])
    ones = fnp.ones(3)
    np.testing.assert_array_equal(scatter(SCATTER_SET, x, ones, far, clip), [0, 1, 2, 1, 1, 1])
    np.testing.assert_array_equal(scatter(SCATTER_SET, x, ones, far, fill), np.arange(6.0))
