"""Middles, mixtures and edges of bins, at infinite and huge ends too."""

from __future__ import annotations

import os
import subprocess
import sys

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fad
from fad.primitives.segments import bin_edges, lerp, midpoint

INF = np.inf
HUGE = 1.5e308


@pytest.mark.parametrize(
    ("a", "b", "t", "expected"),
    [
        (1.0, INF, 0.0, 1.0),
        (1.0, INF, 0.3, INF),
        (-INF, 5.0, 1.0, 5.0),
        (-INF, 5.0, 0.7, -INF),
        (INF, INF, 0.4, INF),
        (-INF, -INF, 1.0, -INF),
        (-INF, INF, 0.5, np.nan),
        (-HUGE, HUGE, 0.5, 0.0),
        (-HUGE, HUGE, 0.25, -HUGE / 2),
        (np.nan, 1.0, 0.5, np.nan),
        (2.0, 3.0, np.nan, np.nan),
        (0.1, 0.3, 1.0, 0.3),
        (2.3e-308, 2.4e-308, 0.5, 2.35e-308),  # their distance is below the normal numbers
    ],
)
def test_mixtures_at_extremes(a, b, t, expected):
    np.testing.assert_equal(float(lerp(a, b, t)), expected)


def test_slopes_of_mixtures():
    slopes = fad.grad(lerp, argnums=(0, 1, 2))
    np.testing.assert_allclose(slopes(1.0, 4.0, 0.25), [0.75, 0.25, 3.0])
    np.testing.assert_array_equal(slopes(1.0, INF, 0.0), [1.0, 0.0, INF])
    np.testing.assert_array_equal(slopes(INF, INF, 0.25), [0.75, 0.25, 0.0])
    mixed = fad.grad(lambda a, t: fad.grad(lerp, argnums=2)(a, 2.0, t))
    assert float(mixed(2.0, 0.5)) == -1.0  # though both ends are equal


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(0, 1))
def test_mixtures_are_accurate_and_stay_between(a, b, t):
    got = float(lerp(a, b, t))
    exact = (1 - mpmath.mpf(t)) * mpmath.mpf(a) + mpmath.mpf(t) * mpmath.mpf(b)
    assert abs(got - exact) <= 4e-16 * max(abs(a), abs(b)) + 1e-307
    assert min(a, b) - 1e-307 <= got <= max(a, b) + 1e-307


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (HUGE, HUGE, HUGE),
        (-HUGE, HUGE, 0.0),
        (INF, INF, INF),
        (INF, 1.0, INF),
        (2.3e-308, 2.3e-308, 2.3e-308),
        (1 + 2j, 3 - 2j, 2 + 0j),
    ],
)
def test_middles(a, b, expected):
    np.testing.assert_equal(np.asarray(midpoint(a, b))[()], expected)


@given(st.floats(-1e3, 1e3, allow_subnormal=False), st.floats(1e-3, 1e3), st.integers(1, 30))
def test_edges_are_numpys_to_the_last_digit(first, length, count):
    last = first + length
    edges = fad.jit(lambda a, b: bin_edges(a, b, count))(np.float64(first), np.float64(last))
    np.testing.assert_array_equal(np.asarray(edges), np.linspace(first, last, count + 1))


OPTIMISED = """
import numpy as np, fad
from fad.primitives.segments import bin_edges
rng = np.random.default_rng(0)
a = rng.normal(size=200)
b = a + 9 * rng.random(200)
edges = fad.jit(fad.vmap(lambda a, b: bin_edges(a, b, 10)))(a, b)
np.testing.assert_array_equal(np.asarray(edges), np.linspace(a, b, 11).T)
"""


def test_edges_are_numpys_when_the_compiler_optimises():
    """The suite compiles without optimisations, and then a sum of products is always rounded."""
    environment = {k: v for k, v in os.environ.items() if k != "XLA_FLAGS"}
    subprocess.run([sys.executable, "-c", OPTIMISED], env=environment, check=True)
