"""Sums of exponentials against many digits, and at infinities."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import fad
from fad.primitives.logsumexp import cumlogsumexp, log_softmax, logsumexp, softmax

INF = np.inf
POINTS = [
    [40.0, 0.0, -1.0],
    [0.0, -40.0, -45.5],
    [600.0, -40.0, 3.0],
    [-1000.0, -1000.5, -1003.0],
    [1e3, 1e3 - 1e-8, 1.0],
    [0.1, 0.2, 0.3],
    [5.0, 5.0, -300.0],
    [1e5, 1e5 - 3.3, 1e5 - 600.123],
]
ULPS = 4 * 2.3e-16
DIGITS = 350  # exp(-600) is not nothing beside 1


def exact(x):
    """Softmax and logarithm of the sum of exponentials."""
    with mpmath.workdps(DIGITS):
        terms = [mpmath.exp(mpmath.mpf(v)) for v in x]
        total = mpmath.fsum(terms)
        return [t / total for t in terms], mpmath.log(total)


def close(got, expected):
    for g, e in zip(np.asarray(got).ravel(), np.asarray(expected, object).ravel()):
        with mpmath.workdps(DIGITS):
            error = abs(mpmath.mpf(float(g)) - e)
            assert error <= ULPS * abs(e) or error < 1e-307, (float(g), float(e))


@pytest.mark.parametrize("x", POINTS)
def test_values_and_derivatives_to_a_few_units_in_the_last_place(x):
    parts, total = exact(x)
    n = range(len(x))
    x = np.array(x)
    close(logsumexp(fad.asarray(x), (0,)), [total])
    close(softmax(fad.asarray(x), (0,)), parts)
    with mpmath.workdps(DIGITS):
        logs = [mpmath.mpf(v) - total for v in x]
        slopes = [[(i == j) - parts[j] for j in n] for i in n]
        curvature = [[parts[i] * slopes[i][j] for j in n] for i in n]
        # 1 - p of the largest part, without cancellation
        k = int(np.argmax(x))
        slopes[k][k] = mpmath.fsum([p for j, p in enumerate(parts) if j != k])
        curvature[k][k] = parts[k] * slopes[k][k]
    close(log_softmax(fad.asarray(x), (0,)), logs)
    close(fad.jit(fad.grad(lambda x: logsumexp(x, (0,))))(x), parts)
    close(fad.jit(fad.hessian(lambda x: logsumexp(x, (0,))))(x), curvature)
    close(fad.jit(fad.jacrev(lambda x: log_softmax(x, (0,))))(x), slopes)
    close(fad.jit(fad.jacfwd(lambda x: log_softmax(x, (0,))))(x), slopes)


@pytest.mark.parametrize("x", POINTS)
def test_cumulative_values_and_derivatives(x):
    rows, values = [], []
    for i in range(len(x)):
        parts, total = exact(x[: i + 1])
        rows.append(parts + [mpmath.mpf(0)] * (len(x) - i - 1))
        values.append(total)
    close(cumlogsumexp(fad.asarray(np.array(x)), 0), values)
    close(fad.jit(fad.jacrev(lambda x: cumlogsumexp(x, 0)))(np.array(x)), rows)


@pytest.mark.parametrize(
    ("x", "value", "gradient"),
    [
        ([-INF, -INF], -INF, [0, 0]),
        ([-INF, 2.0], 2.0, [0, 1]),
        ([INF, 2.0, INF], INF, [0.5, 0, 0.5]),
        ([np.nan, 2.0], np.nan, [np.nan, np.nan]),
    ],
)
def test_infinities(x, value, gradient):
    f = fad.value_and_grad(lambda x: logsumexp(x, (0,)))
    got, slope = f(np.array(x))
    np.testing.assert_array_equal(float(got), value)
    np.testing.assert_array_equal(np.asarray(slope), gradient)


def test_of_nothing():
    assert float(logsumexp(fad.asarray(np.zeros(0)), (0,))) == -INF


def test_cumulative_infinities():
    x = np.array([-INF, -INF, 1.0, INF, 2.0, np.nan, 3.0])
    got = np.asarray(cumlogsumexp(fad.asarray(x), 0))
    np.testing.assert_array_equal(got, [-INF, -INF, 1.0, INF, INF, np.nan, np.nan])
    g = fad.grad(lambda x: fad.numpy.sum(cumlogsumexp(x, 0)[2:3]))(x[:3])
    np.testing.assert_array_equal(np.asarray(g), [0, 0, 1])


def test_integers_are_refused():
    with pytest.raises(TypeError, match="logsumexp is defined for floating-point tensors"):
        logsumexp(fad.asarray(np.arange(3)), (0,))
