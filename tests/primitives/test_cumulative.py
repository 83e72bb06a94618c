"""Scans: the linear recurrence and the cumulative operations whose derivatives it is."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from jax import lax

import fad
from fad.primitives import cumulative, logsumexp
from fad.primitives.arithmetic import mul
from fad.primitives.reductions import reduce_sum

OPERATIONS = {
    "cumsum": cumulative.CUMSUM(axis=0, reverse=False),
    "cumsum reversed": cumulative.CUMSUM(axis=1, reverse=True),
    "products": cumulative.PRODUCTS_BEFORE(axis=0, reverse=False),
    "products reversed": cumulative.PRODUCTS_BEFORE(axis=1, reverse=True),
    "recurrence": cumulative.LINEAR_RECURRENCE(axis=0, reverse=False),
    "recurrence reversed": cumulative.LINEAR_RECURRENCE(axis=1, reverse=True),
    "cummax": cumulative.CUMMAX(axis=1),
    "cummin": cumulative.CUMMIN(axis=0),
    "logsumexp": logsumexp.CUMLOGSUMEXP(axis=1, reverse=False),
    "logsumexp weights": logsumexp.WEIGHTS(axis=0, reverse=True),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_tree_computes_what_the_loop_does(name, rng, monkeypatch):
    """Accelerators run scans as trees; here the tree is run on the CPU."""
    kernel = OPERATIONS[name].kernel
    xs = [rng.normal(size=(7, 6)) for _ in range(2 if "recurrence" in name else 1)]
    xs[0][3] = -np.inf if "logsumexp" in name else 0.0
    with jax.enable_x64(True):
        by_element = jax.tree.leaves(kernel(*map(jax.numpy.asarray, xs)))
        monkeypatch.setattr(lax, "platform_dependent", lambda *xs, cpu, default: default(*xs))
        by_tree = jax.tree.leaves(kernel(*map(jax.numpy.asarray, xs)))
    for a, b in zip(by_element, by_tree):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_sums_are_numpys_to_the_last_bit(rng):
    x = rng.normal(size=(3, 1000))
    np.testing.assert_array_equal(np.asarray(cumulative.cumsum(fad.asarray(x), 1)), x.cumsum(1))
    np.testing.assert_array_equal(np.asarray(cumulative.cumprod(fad.asarray(x), 0)), x.cumprod(0))


def weighted(f, weights):
    def run(x):
        y = f(x)
        return reduce_sum(mul(mul(y, y), weights), tuple(range(y.ndim)))

    return run


@pytest.mark.parametrize("reverse", [False, True])
def test_products_with_zeros_agree_with_jax_to_second_order(reverse, rng):
    x = rng.normal(size=(2, 6))
    x[0, 1] = x[0, 4] = x[1, 3] = 0.0
    weights, direction = rng.normal(size=(2, 2, 6))
    ours = weighted(lambda x: cumulative.cumprod(x, 1, reverse), weights)

    def theirs(x):
        return (lax.cumprod(x, 1, reverse) ** 2 * weights).sum()

    gradient, curved = fad.jvp(fad.grad(ours), (x,), (direction,))
    with jax.enable_x64(True):
        expected, expected_curved = jax.jvp(jax.grad(theirs), (x,), (direction,))
    np.testing.assert_allclose(np.asarray(gradient), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(np.asarray(curved), expected_curved, rtol=1e-12, atol=1e-14)


def test_cumulative_extrema_share_evenly_among_ties_so_far():
    x = np.array([1.0, 3.0, 2.0, 3.0, 3.0, 4.0])
    jacobian = np.array(
        [
            [1, 0, 0, 0, 0, 0],
            [0, 1, 0, 0, 0, 0],
            [0, 1, 0, 0, 0, 0],
            [0, 1 / 2, 0, 1 / 2, 0, 0],
            [0, 1 / 3, 0, 1 / 3, 1 / 3, 0],
            [0, 0, 0, 0, 0, 1],
        ]
    )
    np.testing.assert_allclose(fad.jacrev(lambda x: cumulative.cummax(x, 0))(x), jacobian)
    np.testing.assert_allclose(fad.jacfwd(lambda x: cumulative.cummin(x, 0))(-x), jacobian)


def test_cumulative_extrema_keep_nan():
    x = np.array([1.0, np.nan, 3.0, -1.0])
    got = np.asarray(cumulative.cummax(fad.asarray(x), 0))
    np.testing.assert_array_equal(got, np.maximum.accumulate(x))


def test_a_long_recurrence_is_one_loop(rng):
    n = 200_000
    a, b = rng.uniform(-1, 1, (2, n))
    value, pullback = fad.vjp(lambda a, b: cumulative.linear_recurrence(a, b, 0), a, b)
    expected = np.zeros(n)
    for i in range(2000):
        expected[i + 1] = a[i] * expected[i] + b[i]
    np.testing.assert_allclose(np.asarray(value)[:2000], expected[:2000], rtol=1e-10, atol=1e-12)
    da, db = pullback(np.ones(n))
    assert np.isfinite(np.asarray(da)).all()
    assert np.isfinite(np.asarray(db)).all()


def test_halves_are_summed_in_single_precision():
    x = fad.asarray(np.ones(4096, np.float16))
    assert float(np.asarray(cumulative.cumsum(x, 0))[-1]) == 4096
