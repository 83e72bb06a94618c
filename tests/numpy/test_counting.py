"""Counts and histograms: NumPy's, to the bin of each number; sums of weights and densities have
derivatives."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import fad
import fad.numpy as fnp


def flat(result):
    if isinstance(result, (tuple, list)):
        return [part for r in result for part in flat(r)]
    return [np.asarray(result)]


def compare(name, *args, **kwargs):
    got, expected = (
        flat(getattr(fnp, name)(*args, **kwargs)),
        flat(getattr(np, name)(*args, **kwargs)),
    )
    assert len(got) == len(expected)
    for g, e in zip(got, expected):
        assert (g.shape, g.dtype) == (e.shape, e.dtype)
        np.testing.assert_allclose(g, e, rtol=1e-13)


# ----------------------------------------------------------------------------------------- counts


@settings(max_examples=10)
@given(hnp.arrays(np.int64, st.integers(1, 9), elements=st.integers(0, 5)), st.integers(0, 7))
def test_counts_are_numpys(x, minlength):
    compare("bincount", x, minlength=minlength)
    compare("bincount", x, x * 0.5, minlength)
    compare("bincount", x, x.astype(np.float32))


def test_counts_of_nothing():
    compare("bincount", np.zeros(0, int))
    compare("bincount", [], minlength=3)
    assert fnp.bincount(np.zeros(0, int), np.zeros(0)).dtype == np.float64  # NumPy: int64


def test_counts_of_a_known_length():
    x = np.array([3, 0, 3, 7, -2])
    for count in (
        fad.jit(lambda x: fnp.bincount(x, length=4)),
        lambda x: fnp.bincount(x, length=4),
    ):
        np.testing.assert_array_equal(np.asarray(count(x)), [1, 0, 0, 2])
    batched = fad.vmap(lambda x, w: fnp.bincount(x, w, length=3))(
        np.array([[0, 1, 1], [2, 2, 5]]), np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    )
    np.testing.assert_array_equal(np.asarray(batched), [[1, 5, 0], [0, 0, 9]])
    assert fnp.bincount([1], minlength=5, length=2).shape == (5,)
    with pytest.raises(TypeError, match="bincount without length= needs a concrete value"):
        fad.jit(fnp.bincount)(x)


def test_slopes_in_weights(rng):
    x, w, c = np.array([2, 0, 2, 1]), rng.normal(size=4), rng.normal(size=3)

    def loss(w):
        return fnp.sum(c * np.bincount(x, w) ** 2)

    sums = np.bincount(x, w)
    for gradient in (fad.grad(loss), fad.jit(fad.grad(loss))):
        np.testing.assert_allclose(np.asarray(gradient(w)), (2 * c * sums)[x])
    hessian = np.asarray(fad.hessian(loss)(w))
    np.testing.assert_allclose(hessian, (2 * c)[x] * (x[:, None] == x))
    moved = fad.jvp(lambda w: fnp.bincount(x, w), (w,), (c[x],))[1]
    np.testing.assert_allclose(np.asarray(moved), np.bincount(x, c[x]))


# ------------------------------------------------------------------------------------- histograms

DATA = [
    np.random.default_rng(3).normal(size=60),
    np.random.default_rng(3).integers(0, 20, (6, 10)),
    np.random.default_rng(3).integers(0, 20, 60).astype(np.uint8),
    np.random.default_rng(3).integers(0, 20, 60) * 0.1,  # on the edges of bins, but for rounding
    np.random.default_rng(3).normal(size=60).astype(np.float32),
    np.array([2.0, 2.0]),
    np.array([]),
]


@pytest.mark.parametrize("data", DATA, ids=lambda d: f"{d.dtype}{d.shape}")
@pytest.mark.parametrize("bins", [10, 7, [-1, 0, 0.5, 3], np.linspace(0, 19, 20)], ids=str)
def test_histograms_are_numpys(data, bins):
    weights = np.random.default_rng(4).uniform(size=data.shape)
    spans = (None, (-1, 1), (0, 10), (2, 2)) if np.ndim(bins) == 0 and bins == 7 else (None,)
    for span in spans:
        compare("histogram_bin_edges", data, bins, span)
        compare("histogram", data, bins, span)
        compare("histogram", data, bins, span, weights=weights)
    if data.size:
        compare("histogram", data, bins, density=True)
        compare("histogram", data, bins, weights=(9 * weights).astype(int), density=True)


@pytest.mark.parametrize("data", [*DATA[:5], np.array([0.0, 1e-320])], ids=len)
def test_among_many_equal_bins_places_are_guessed(data):
    for bins in (100, 137):
        compare("histogram", data, bins, (-2, 7))
        compare("histogram", np.append(data, [np.nan, np.inf, -np.inf]), bins, (0, 1.9))
    compare("histogram", data * 1.0 + 100, 100)
    jitted = fad.jit(lambda x: fnp.histogram(x, 190))
    for got, expected in zip(jitted(DATA[3]), np.histogram(DATA[3], 190)):
        np.testing.assert_array_equal(np.asarray(got), expected)


@pytest.mark.parametrize("bins", ["auto", "fd", "sturges", "sqrt", "doane", "scott", "rice"])
def test_estimated_numbers_of_bins(bins):
    compare("histogram", DATA[0], bins)
    compare("histogram_bin_edges", DATA[1], bins, (2, 9))
    with pytest.raises(TypeError, match=f"histogram with bins='{bins}' needs a concrete value"):
        fad.jit(lambda x: fnp.histogram(x, bins))(DATA[0])


@pytest.mark.parametrize(
    "name", ["auto", "fd", "doane", "scott", "stone", "rice", "sturges", "sqrt"]
)
def test_an_estimator_gives_the_number_of_bins_alone(name, rng):
    """The edges follow the data's bounds, or the range, as those of a given number of bins do."""
    x, tangent = rng.standard_normal((2, 30))
    count = len(np.histogram_bin_edges(x, name)) - 1
    for function in (
        lambda x, bins: fnp.histogram_bin_edges(x, bins),
        lambda x, bins: fnp.histogram(x, bins)[1],
        lambda x, bins: fnp.histogram(x, bins, density=True)[0],
    ):
        got = fad.jvp(partial(function, bins=name), (x,), (tangent,))
        expected = fad.jvp(partial(function, bins=count), (x,), (tangent,))
        for g, e in zip(got, expected, strict=True):
            np.testing.assert_array_equal(g, e)
        assert np.any(np.asarray(got[1]) != 0)


def test_an_estimator_over_a_range_with_derivatives():
    def edges(low):
        return fnp.histogram_bin_edges(np.arange(9.0), "sturges", (low, 8.0))

    value, slope = fad.jvp(edges, (0.0,), (1.0,))
    np.testing.assert_allclose(value, np.histogram_bin_edges(np.arange(9.0), "sturges"))
    np.testing.assert_allclose(slope, np.linspace(1, 0, np.size(value)))


@given(hnp.arrays(np.int64, 20, elements=st.integers(-50, 50)), st.sampled_from([3, 7, 10]))
def test_found_edges_decide_as_numpys_do(tenths, bins):
    x = tenths * 0.1
    jitted = fad.jit(lambda x: fnp.histogram(x, bins))
    for got, expected in zip(jitted(x), np.histogram(x, bins)):
        np.testing.assert_array_equal(np.asarray(got), expected)


@pytest.mark.parametrize("bins", [6, [3, 4], [-1, 0, 1.0], [[-1, 0, 1.0], 3]], ids=str)
@pytest.mark.parametrize("span", [None, [[-1, 1], [0, 2]]], ids=str)
def test_histograms_in_two_dimensions_are_numpys(bins, span, rng):
    x, y = rng.normal(size=(2, 50))
    compare("histogram2d", x, y, bins, span)
    compare("histogram2d", x, y, bins, span, density=True, weights=rng.uniform(size=50))


def test_histograms_in_more_dimensions_are_numpys(rng):
    points = rng.normal(size=(40, 3))
    compare("histogramdd", points, 4)
    compare("histogramdd", points, [2, 3, [-1.0, 0.0, 2.0]], density=True)
    compare("histogramdd", [points[:, 0], points[:, 1]], 3)
    compare("histogramdd", points[:, 0], 3, [(-1, 1)])
    compare("histogramdd", np.round(points), 5, weights=np.arange(40))
    got = np.histogramdd(fad.asarray(points), 3)[0]
    np.testing.assert_array_equal(np.asarray(got), np.histogramdd(points, 3)[0])


def test_slopes_of_histograms(rng):
    x, w, c = rng.normal(size=12), rng.uniform(size=12), rng.normal(size=4)
    place = np.digitize(x, np.linspace(-3, 3, 5)) - 1
    summed = fad.grad(lambda w: fnp.sum(c * np.histogram(x, 4, (-3, 3), weights=w)[0]))
    np.testing.assert_allclose(np.asarray(summed(w)), c[place])

    def density(x):
        return fnp.sum(c * fnp.histogram(x, 4, density=True)[0])

    # The density is inverse to the range of the data, whose ends are two of them.
    value, slope = fad.value_and_grad(density)(x)
    expected = np.zeros(12)
    expected[[x.argmin(), x.argmax()]] = np.array([1, -1]) * float(value) / np.ptp(x)
    np.testing.assert_allclose(np.asarray(slope), expected)
    np.testing.assert_array_equal(
        np.asarray(fad.grad(lambda x: fnp.sum(fnp.histogram(x, 4, (-3, 3), True)[0]))(x)), 0 * x
    )
    edges = np.array([-2.0, 0.0, 1.0])
    by_edges = fad.grad(lambda e: fnp.histogram(x, e, density=True)[0][1])(edges)
    share = np.histogram(x, edges)[0][1] / np.histogram(x, edges)[0].sum()
    np.testing.assert_allclose(np.asarray(by_edges), [0.0, share, -share])
    points = rng.normal(size=(12, 2))
    square = fad.grad(lambda w: fnp.histogram2d(*points.T, 2, [(-3, 3)] * 2, weights=w)[0][0, 1])
    np.testing.assert_array_equal(np.asarray(square(w)), (points[:, 0] < 0) & (points[:, 1] >= 0))


def test_batched_histograms(rng):
    x = rng.normal(size=(3, 20))
    counts, edges = fad.vmap(lambda x: fnp.histogram(x, 5))(x)
    for i in range(3):
        expected = np.histogram(x[i], 5)
        np.testing.assert_array_equal(np.asarray(counts)[i], expected[0])
        np.testing.assert_array_equal(np.asarray(edges)[i], expected[1])


def test_nan():
    compare("histogram", [1.0, np.nan, 2.0], 5, (0, 3))
    edges = fnp.histogram_bin_edges(fad.asarray([1.0, np.nan]), 2)
    assert np.isnan(np.asarray(edges)).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fnp.bincount([-1]), ValueError, "bincount: x must not be negative, got -1"),
        (lambda: fnp.bincount([1.5]), TypeError, "bincount: x must be integers, got float64"),
        (lambda: fnp.bincount([[1]]), ValueError, r"x must have one axis, got shape \(1, 1\)"),
        (lambda: fnp.bincount([1], [1, 2]), ValueError, r"weights have shape \(2,\), and x has"),
        (lambda: fnp.bincount([1], minlength=-1), ValueError, "minlength must not be negative"),
        (lambda: fnp.histogram([1.0], 0), ValueError, "number of bins must be positive, got 0"),
        (lambda: fnp.histogram([1.0], 1.5), TypeError, "bins must be an integer, an array"),
        (lambda: fnp.histogram([1.0], [2, 1]), ValueError, "histogram: bins must ascend"),
        (lambda: fnp.histogram([1.0], [[1]]), ValueError, "bins must have one axis"),
        (lambda: fnp.histogram([1.0], "best"), ValueError, "'best' is not a valid estimator"),
        (lambda: fnp.histogram([1.0], 2, (3, 1)), ValueError, r"range must ascend, got \(3, 1\)"),
        (lambda: fnp.histogram([1.0], 2, (0, np.inf)), ValueError, "range must be finite"),
        (lambda: fnp.histogram([np.nan]), ValueError, "range of the data is not finite"),
        (lambda: fnp.histogram([1j]), TypeError, "histogram is not defined for complex numbers"),
        (lambda: fnp.histogram([1.0], weights=[1, 2]), ValueError, "weights have shape"),
        (lambda: fnp.histogram([1.0], "fd", weights=[1.0]), TypeError, "not supported with"),
        (lambda: fnp.histogram([1.0], 5, (1, 1 + 3e-16)), ValueError, "5 bins are too many"),
        (lambda: fnp.histogram2d([1.0], [1.0, 2.0]), ValueError, "x and y must have one axis"),
        (lambda: fnp.histogramdd(np.ones((2, 3)), [2, 2]), ValueError, "each of 3 dimensions"),
        (lambda: fnp.histogramdd(np.ones((2, 3, 1))), ValueError, "points have two axes"),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
