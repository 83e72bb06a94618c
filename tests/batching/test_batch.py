"""The batching level: generic and special rules, and derivatives of batched operations."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
from jax import numpy as jnp

import fad
from fad.batching.batch import BATCHED, BatchLevel, BatchTensor, batch_generic
from fad.core.apply import apply
from fad.core.primitive import Primitive
from fad.primitives.arithmetic import mul
from fad.primitives.derivative import PerOperand

X = np.array([[0.5, -1.25, 2.0], [1.0, 0.25, -0.5]])


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-12, atol=1e-12)


def plain_kernel(x: Any, y: Any, *, n: int) -> Any:
    return (x * y) ** n


def power(n: int) -> Any:
    return PLAIN(n=n)


PLAIN = Primitive(
    "test_plain",
    plain_kernel,
    derivative=PerOperand(
        [
            lambda t, x, y, *, n: mul(t, mul(float(n), mul(apply(power(n - 1), x, y), y))),
            lambda t, x, y, *, n: mul(t, mul(float(n), mul(apply(power(n - 1), x, y), x))),
        ],
        [
            lambda g, x, y, *, n: mul(g, mul(float(n), mul(apply(power(n - 1), x, y), y))),
            lambda g, x, y, *, n: mul(g, mul(float(n), mul(apply(power(n - 1), x, y), x))),
        ],
    ),
)
"""An operation without a batching rule of its own, on operands of one shape."""


def plain(x: Any, y: Any) -> Any:
    return apply(power(3), x, y)


def test_a_batched_tensor_is_one_example() -> None:
    level = BatchLevel(None, 2)
    x = BatchTensor(level, fad.asarray(X))
    assert (x.shape, x.ndim, x.size, x.dtype) == ((3,), 1, 3, np.float64)
    assert level.unwrap(x) is x.value
    close(level.unwrap(fad.asarray(1.5)), [1.5, 1.5])
    assert level.wrap(x.value, False) is x.value
    assert level.wrap(None, True) is None
    y = x * 2.0
    assert isinstance(y, BatchTensor)
    close(y.value, 2 * X)
    assert not isinstance(fad.asarray(1.0) * 2.0, BatchTensor)


def test_the_generic_rule_maps_the_kernel() -> None:
    graph = fad.make_graph(fad.vmap(plain))(X, X)
    (equation,) = graph.equations
    assert equation.operation.primitive is BATCHED
    assert equation.operation.name == "vmap(test_plain)"
    close(fad.vmap(plain)(X, 2 * X), (2 * X * X) ** 3)
    out, batched = batch_generic(power(2), 2, (fad.asarray(X), fad.asarray(X[0])), (True, False))
    assert batched is True
    close(out, (X * X[0]) ** 2)


@pytest.mark.parametrize("in_axes", [(0, 0), (0, None), (None, 0)])
def test_derivatives_of_the_generic_rule(in_axes: Any) -> None:
    x = X if in_axes[0] == 0 else X[0]
    y = 0.5 * X if in_axes[1] == 0 else 0.5 * X[1]

    def f(xp: Any, x: Any, y: Any) -> Any:
        return (x * y) ** 3

    def ours(x: Any, y: Any) -> Any:
        return fad.vmap(plain, in_axes)(x, y).sum()

    def theirs(x: Any, y: Any) -> Any:
        return jax.vmap(lambda x, y: f(jnp, x, y), in_axes)(x, y).sum()

    with jax.enable_x64(True):
        expected = jax.grad(theirs, (0, 1))(x, y)
        second = jax.hessian(theirs, (0, 1))(x, y)
        tangent = jax.jvp(theirs, (x, y), (x, y))[1]
    for _ in range(2):
        for found, wanted in zip(fad.grad(ours, (0, 1))(x, y), expected, strict=True):
            close(found, wanted)
    close(fad.jvp(ours, (x, y), (x, y))[1], tangent)
    for line, wanted_line in zip(fad.hessian(ours, (0, 1))(x, y), second, strict=True):
        for found, wanted in zip(line, wanted_line, strict=True):
            close(found, wanted)


def test_the_generic_rule_in_nests() -> None:
    pairs = fad.vmap(fad.vmap(plain, (None, 0)), (0, None))(X, X)
    close(pairs, (X[:, None] * X[None]) ** 3)
    both = fad.vmap(fad.vmap(lambda x, y: plain(x, y)))(X[None], X[None])
    close(both, (X * X)[None] ** 3)
    gradient = fad.vmap(fad.vmap(fad.grad(lambda x, y: plain(x, y)), (None, 0)), (0, None))
    scalars = np.array([0.5, 2.0]), np.array([1.0, -1.0, 3.0])
    close(gradient(*scalars), 3 * scalars[0][:, None] ** 2 * scalars[1] ** 3)


def test_the_generic_rule_under_jit() -> None:
    close(fad.jit(fad.vmap(plain))(X, X), X**6)
    close(fad.vmap(fad.jit(plain))(X, X), X**6)
    close(fad.jit(fad.grad(lambda x: fad.vmap(plain)(x, X).sum()))(X), 3 * X**2 * X**3)


def test_several_results_some_of_which_are_integers() -> None:
    a = np.stack([np.diag([2.0, 3.0]), np.array([[0.0, 1.0], [-2.0, 1.0]])])

    def f(a: Any) -> Any:
        sign, log = np.linalg.slogdet(a)
        return sign * log

    expected = np.log([6.0, 2.0])
    close(fad.vmap(f)(a), expected)
    inverse = np.linalg.inv(a).transpose(0, 2, 1)
    close(fad.vmap(fad.grad(f))(a), inverse)
    close(fad.grad(lambda a: fad.vmap(f)(a).sum())(a), inverse)


def test_operands_that_all_examples_share_get_one_cotangent() -> None:
    w = np.arange(6.0).reshape(2, 3)

    def products(w: Any) -> Any:
        return fad.vmap(lambda x: w @ x)(X)

    def gathered(table: Any) -> Any:
        return fad.vmap(lambda i: table[i])(np.array([2, 0, 2, 1]))

    close(fad.vjp(products, w)[1](np.ones((2, 2)))[0], np.ones((2, 2)) @ X)
    (g,) = fad.vjp(gathered, np.arange(3.0))[1](np.array([1.0, 2.0, 3.0, 4.0]))
    close(g, [2.0, 4.0, 4.0])
    for f, argument in ((products, w), (gathered, np.arange(3.0))):
        graph = fad.make_graph(fad.grad(lambda a, f=f: (f(a) ** 2).sum()))(argument)
        largest = max(int(np.prod(v.shape)) for v in graph.avals)
        assert largest <= max(argument.size, 6)  # never one cotangent per example


def test_elementwise_operations_broadcast_examples_of_different_ranks() -> None:
    y = np.arange(2.0)
    close(fad.vmap(lambda x, y: x * y + 1.0)(X, y), X * y[:, None] + 1.0)
    close(fad.vmap(lambda x, y: x + y, (0, None))(X, np.ones((4, 3))), X[:, None] + np.ones((4, 3)))
    close(fad.vmap(lambda x: np.where(x > 0, x, y[0]))(X), np.where(X > 0, X, 0.0))


@pytest.mark.parametrize(
    "f",
    [
        lambda xp, x: xp.sort(x),
        lambda xp, x: xp.cumsum(x) * x[::-1],
        lambda xp, x: xp.concatenate([x, x[:1]]).reshape(2, 2),
        lambda xp, x: xp.outer(x, x).T,
        lambda xp, x: xp.max(x) + xp.argmax(x),
        lambda xp, x: x[xp.argsort(x)[:2]],
        lambda xp, x: xp.einsum("i,j->ji", x, x),
        lambda xp, x: xp.pad(x, (1, 2)),
        lambda xp, x: xp.linalg.solve(xp.outer(x, x) + 2.0 * xp.eye(3), x),
    ],
)
def test_batched_derivatives_are_those_of_each_example(f: Any) -> None:
    def total(x: Any) -> Any:
        return np.sum(np.sin(f(fad.numpy, x)))

    close(fad.vmap(lambda x: f(fad.numpy, x))(X), [np.asarray(f(fad.numpy, x)) for x in X])
    singles = [np.asarray(fad.grad(total)(x)) for x in X]
    close(fad.vmap(fad.grad(total))(X), singles)
    close(fad.grad(lambda x: fad.vmap(total)(x).sum())(X), singles)
    tangents = fad.vmap(lambda x: fad.jvp(total, (x,), (x,))[1])(X)
    close(tangents, [s @ x for s, x in zip(singles, X, strict=True)])
