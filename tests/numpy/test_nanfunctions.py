"""NumPy's reductions that leave NaN out."""

from __future__ import annotations

import numpy as np
import pytest

import fad
from fad.numpy import nanfunctions

NAN = np.nan
X = np.array([[1.0, NAN, 4.0, -2.0], [NAN, 3.0, 3.0, 0.5], [2.0, 5.0, NAN, NAN]])
INTEGERS = np.arange(6).reshape(2, 3)


def compare(name, x, *args, **kwargs):
    got = np.asarray(getattr(nanfunctions, name)(x, *args, **kwargs))
    expected = np.asarray(getattr(np, name)(x, *args, **kwargs))
    assert got.dtype == expected.dtype
    np.testing.assert_allclose(got, expected, rtol=1e-14)


@pytest.mark.parametrize("name", [n for n in nanfunctions.__all__ if "cum" not in n])
def test_reductions_are_numpys(name):
    compare(name, X, axis=1)
    compare(name, X, keepdims=True)
    compare(name, INTEGERS, axis=0)


@pytest.mark.parametrize("name", ["nancumsum", "nancumprod"])
def test_cumulative_functions_are_numpys(name):
    compare(name, X, axis=0)
    compare(name, X)


def test_masks():
    mask = np.array([True, True, False, True])
    for name in ("nansum", "nanprod", "nanmean", "nanvar", "nanstd"):
        compare(name, X, axis=1, where=mask)
    compare("nanmax", X, axis=1, where=mask, initial=0.0)


@pytest.mark.filterwarnings("ignore:.*(All-NaN|empty slice|Degrees of freedom).*:RuntimeWarning")
def test_nothing_but_nan():
    x = np.array([[NAN, NAN], [1.0, NAN]])
    for name in ("nanmax", "nanmin", "nanmean", "nanvar", "nansum", "nanprod"):
        compare(name, x, axis=1)


@pytest.mark.filterwarnings("ignore:.*Degrees of freedom.*:RuntimeWarning")
@pytest.mark.parametrize("name", ["nanvar", "nanstd"])
def test_no_degrees_of_freedom(name):
    """NaN, in values and derivatives, where nanvar divides by nothing; integers give infinity."""
    for x, ddof in [(X, 2), (X, 3), (X[0], 3), (X[0], 4), (np.array([1.0, 2.0]), 2)]:
        compare(name, x, axis=-1, ddof=ddof)
    function = getattr(nanfunctions, name)
    np.testing.assert_array_equal(
        fad.vmap(lambda x: function(x, ddof=3))(X), function(X, axis=1, ddof=3)
    )
    value, slope = fad.jvp(lambda x: function(x, ddof=3), (X[0],), (np.ones(4),))
    assert np.all(np.isnan([value, slope]))
    assert np.isinf(function(np.array([1, 2]), ddof=2))


def test_floats_have_no_statistic_in_integers():
    for name in ("nanmean", "nanvar", "nanstd"):
        compare(name, INTEGERS, dtype=np.int32)
        compare(name, INTEGERS, dtype=np.complex64)
        with pytest.raises(TypeError, match=f"{name} of float64 cannot have dtype=int32.*write"):
            getattr(nanfunctions, name)(X, dtype=np.int32)


def test_nan_has_no_slope():
    for name, expected in [
        ("nansum", [1, 0, 1, 1]),
        ("nanmean", [1 / 3, 0, 1 / 3, 1 / 3]),
        ("nanmax", [0, 0, 1, 0]),
        ("nanmin", [0, 0, 0, 1]),
        ("nanprod", [-8, 0, -2, 4]),
        ("nanvar", [0, 0, 2, -2]),
    ]:
        g = np.asarray(fad.grad(getattr(nanfunctions, name))(X[0]))
        np.testing.assert_allclose(g, expected, rtol=1e-14, atol=1e-15)
