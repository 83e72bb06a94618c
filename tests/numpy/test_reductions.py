"""NumPy's reductions: values, dtypes, shapes and errors as NumPy has them."""

from __future__ import annotations

import numpy as np
import pytest

import fad
import fad.numpy as fnp
from fad.numpy import reductions, statistics

RNG = np.random.default_rng(3)
SHAPE = (2, 3, 4)
ARRAYS = {
    "float64": RNG.normal(size=SHAPE),
    "float16": RNG.normal(size=SHAPE).astype(np.float16),
    "int8": RNG.integers(-5, 5, SHAPE).astype(np.int8),
    "bool": RNG.random(SHAPE) < 0.5,
    "complex128": RNG.normal(size=SHAPE) + 1j * RNG.normal(size=SHAPE),
}
MASK = RNG.random((3, 1)) < 0.6
AXES = [(None, True), (-1, False), ((2, 0), False)]


def function(name):
    return getattr(reductions, name, None) or getattr(statistics, name)


def same(got, expected):
    got, expected = np.asarray(got), np.asarray(expected)
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape
    tolerance = 20 * float(np.finfo(expected.dtype).eps) if expected.dtype.kind in "fc" else 0
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


def compare(name, x, *args, **kwargs):
    """fad's function and NumPy's give the same value, dtype and shape."""
    same(function(name)(x, *args, **kwargs), getattr(np, name)(x, *args, **kwargs))


@pytest.mark.parametrize("dtype", ARRAYS)
@pytest.mark.parametrize(
    "name", ["sum", "prod", "max", "min", "any", "all", "mean", "var", "std", "count_nonzero"]
)
def test_reductions_are_numpys(name, dtype):
    for axis, keepdims in AXES:
        compare(name, ARRAYS[dtype], axis=axis, keepdims=keepdims)


@pytest.mark.parametrize("dtype", ["float64", "int8", "bool"])
def test_masks_and_initial_values(dtype):
    x = ARRAYS[dtype]
    for name in ("sum", "prod", "max", "min"):
        compare(name, x, axis=1, where=MASK, initial=1)
    for name in ("mean", "std", "any", "all"):
        compare(name, x, axis=(0, 1), where=MASK)
    compare("var", x, axis=1, where=MASK, ddof=1, keepdims=True)


def test_spreads():
    x = ARRAYS["float64"]
    compare("var", x, ddof=1)
    compare("std", x, axis=1, correction=1.5)
    compare("var", x, axis=1, mean=x.mean(1, keepdims=True))
    compare("ptp", x, axis=1)
    with pytest.raises(ValueError, match="ddof and correction"):
        fnp.var(x, ddof=1, correction=1)


def test_dtypes():
    x = ARRAYS["float64"]
    for name in ("sum", "prod"):
        compare(name, ARRAYS["int8"], axis=0, dtype=np.int8)
        compare(name, ARRAYS["int8"], axis=0, dtype=np.float32)
        compare(name, ARRAYS["int8"], axis=0, dtype=bool)
        compare(name, 10 * x, axis=0, dtype=int)
    compare("mean", x, dtype=np.complex64)
    compare("mean", ARRAYS["int8"], dtype=np.float32)
    compare("mean", x, axis=1, dtype=np.int32)
    compare("mean", x, axis=2, dtype=bool, where=np.arange(4) != 1)
    compare("mean", [1.5, 2.7], dtype=np.int32)


@pytest.mark.parametrize("dtype", ["complex128", "complex64", "float32"])
@pytest.mark.parametrize("name", ["var", "std"])
def test_dtypes_of_spreads(name, dtype):
    """A requested dtype is that of the result, also if it is complex, and the variance real."""
    x = ARRAYS["float64"]
    compare(name, x, dtype=dtype)
    compare(name, x, axis=1, dtype=dtype, keepdims=True, correction=1)
    compare(name, x, axis=2, dtype=dtype, where=np.arange(4) != 1)
    compare(name, ARRAYS["int8"], axis=0, dtype=dtype)


def test_spreads_in_integers():
    """The mean, each square and the quotient are truncated, and the root, too."""
    x = np.array([[1.5, 2.7, 9.9], [1.0, 4.2, 7.7]])
    compare("var", x, axis=1, dtype=np.int32)
    compare("var", x, axis=1, dtype=np.int32, where=x > 1.2)
    compare("std", x, dtype=np.int32)


@pytest.mark.parametrize("axis", [None, 1, -3])
def test_positions(axis):
    for name in ("argmax", "argmin"):
        compare(name, ARRAYS["int8"], axis=axis)
        compare(name, ARRAYS["float64"], axis=axis, keepdims=True)


def test_averages():
    x = ARRAYS["float64"]
    for axis, weights in [
        (None, RNG.random(SHAPE)),
        (1, np.array([1.0, 2.0, 3.0])),
        ((2, 0), RNG.random((4, 2))),
    ]:
        got = fnp.average(x, axis, weights, returned=True)
        for g, e in zip(got, np.average(x, axis, weights, returned=True)):
            same(g, e)
    compare("average", ARRAYS["int8"], axis=0, weights=np.arange(1, 25).reshape(SHAPE))
    compare("average", x, axis=0)
    with pytest.raises(TypeError, match="need axis="):
        fnp.average(x, weights=np.ones(3))
    with pytest.raises(ValueError, match=r"do not fit axis 1 .* needs weights of shape \(3,\)"):
        fnp.average(x, axis=1, weights=np.ones(4))


def test_empty_tensors():
    compare("sum", np.zeros((0, 3)), axis=0)
    compare("prod", np.zeros((0, 3)), axis=0)
    compare("max", np.zeros((0, 3)), axis=0, initial=2.0)
    assert np.isnan(float(fnp.mean(np.zeros(0))))
    with pytest.raises(ValueError, match=r"max: axis 0 of shape \(0, 3\) is empty"):
        fnp.max(np.zeros((0, 3)))


def test_scalars_and_lists():
    compare("sum", 3)
    compare("mean", 2.5)
    compare("max", [[1.0, 2.0], [0.5, 4.0]], 0)


@pytest.mark.parametrize("name", ["sum", "max", "mean", "std", "argmax", "any"])
def test_bad_axes_name_the_axis(name):
    with pytest.raises(ValueError, match=f"{name}: axis 5 is out of bounds"):
        function(name)(np.ones((2, 3)), axis=5)


def test_a_repeated_axis():
    with pytest.raises(ValueError, match="repeated axis"):
        fnp.sum(np.ones((2, 3)), axis=(0, -2))


def test_a_mask_without_a_start():
    with pytest.raises(ValueError, match="max with where= needs initial="):
        fnp.max(np.ones(3), where=np.array([True, False, True]))


def test_out_is_refused():
    with pytest.raises(TypeError, match=r"sum cannot write through out=.*result = sum"):
        fnp.sum(np.ones(3), out=np.zeros(()))


def test_one_recorded_operation_each():
    def names(f):
        equations = fad.make_graph(f)(np.ones((3, 2))).equations
        return [e.operation.name for e in equations if e.operation.name != "scalar"]

    assert names(fnp.sum) == ["reduce_sum"]
    assert names(lambda x: fnp.max(x, axis=-1, keepdims=True)) == ["reduce_max"]
    assert names(fnp.mean) == ["reduce_sum", "div"]
    assert len(names(fnp.var)) == 6
    assert len(names(fnp.std)) == 5


def test_derivatives():
    x = np.array([1.0, 4.0, 2.0, 4.0])
    n, deviations = 4, x - x.mean()
    for f, expected in [
        (fnp.mean, np.full(4, 1 / n)),
        (fnp.var, 2 * deviations / n),
        (fnp.std, deviations / n / x.std()),
        (lambda x: fnp.sum(x, where=x > 1.5), [0, 1, 1, 1]),
        (lambda x: fnp.max(x, initial=4.0), [0, 1 / 4, 0, 1 / 4]),
        (fnp.ptp, [-1, 1 / 2, 0, 1 / 2]),
        (lambda x: fnp.average(x, weights=x), 2 * x / 11 - np.sum(x * x) / 121),
    ]:
        np.testing.assert_allclose(np.asarray(fad.grad(f)(x)), expected, rtol=1e-13, atol=1e-15)


def test_the_spread_of_equal_numbers_has_no_slope():
    assert np.asarray(fad.grad(fnp.std)(np.full(3, 2.5))).tolist() == [0.0, 0.0, 0.0]


def test_the_spread_of_huge_numbers_does_not_overflow():
    x = np.array([1e200, -1e200])
    assert float(fnp.std(x)) == 1e200
    np.testing.assert_allclose(np.asarray(fad.grad(fnp.std)(x)), [0.5, -0.5])
