"""Numerical functions where transforms meet: mapped, jitted and mixed gradients are JAX's."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fad
import fad.numpy as fnp

RNG = np.random.default_rng(0)
X = np.sort(RNG.normal(size=(3, 5)), axis=1)
Y = RNG.normal(size=(3, 5))

FUNCTIONS = {
    "interp": lambda m, a, b: m.interp(m.asarray([0.1, -0.3, 0.5]), a, b),
    "convolve": lambda m, a, b: m.convolve(a, b, "same"),
    "correlate": lambda m, a, b: m.correlate(a, b[:3], "full"),
    "trapezoid": lambda m, a, b: m.trapezoid(b, a),
    "unwrap": lambda m, a, b: m.unwrap(5 * a * b),
    "corrcoef": lambda m, a, b: m.corrcoef(a, b),
    "polyval": lambda m, a, b: m.polyval(a, b),
    "apply_along_axis": lambda m, a, b: m.apply_along_axis(
        lambda v: v * v.sum(), 0, m.stack([a, b])
    ),
    "vectorize": lambda m, a, b: m.vectorize(lambda p, q: p * m.sin(q))(a, b),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients(name):
    def loss(m, a, b):
        return (FUNCTIONS[name](m, a, b) ** 2).sum()

    def ours(a, b):
        return loss(fnp, a, b)

    with jax.enable_x64(True):
        gradient = jax.grad(lambda a, b: loss(jnp, a, b), (0, 1))
        expected = [np.asarray(g) for g in jax.vmap(gradient)(X, Y)]
        mixed = np.asarray(jax.vmap(gradient, (0, None))(X, Y[0])[1])
    for run in (
        fad.vmap(fad.grad(ours, (0, 1))),
        fad.jit(fad.vmap(fad.grad(fad.jit(ours), (0, 1)))),
        fad.grad(lambda a, b: fad.vmap(ours)(a, b).sum(), (0, 1)),
    ):
        for got, e in zip(run(X, Y), expected, strict=True):
            np.testing.assert_allclose(np.asarray(got), e, rtol=1e-10, atol=1e-11)
    got = fad.vmap(fad.grad(ours, 1), in_axes=(0, None))(X, Y[0])
    np.testing.assert_allclose(np.asarray(got), mixed, rtol=1e-10, atol=1e-11)
