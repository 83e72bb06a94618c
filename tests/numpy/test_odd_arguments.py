"""Arguments that are seldom met: dtype, shape and value are NumPy's, or the error is as clear."""

import numpy as np
import pytest

import fad
import fad.numpy as fnp

SMALL = ("uint8", "int8", "float16", "float32")

SAME = {
    "a Python integer divides a small one": lambda np, x: np.divide(x, -1000) + -1 / x,
    "a Python integer beside floats": lambda np, x: np.arctan2(x, -1) + np.copysign(x, -300),
    "a Python integer as exponent": lambda np, x: np.ldexp(x, -1),
    "a Python number is no dtype": lambda np, x: (np.fmax(x, 2), np.fmin(1, x)),
    "bounds beyond the dtype": lambda np, x: np.clip(x, -5, 900),
    "linspace of small numbers": lambda np, x: np.linspace(x, x + 1, 3),
    "logspace of small numbers": lambda np, x: np.logspace(x, x, 2),
    "a number to search for": lambda np, x: np.searchsorted(x, -1) + np.searchsorted(x, 2.5),
}


@pytest.mark.parametrize("dtype", SMALL)
@pytest.mark.parametrize("name", SAME)
def test_as_in_numpy(name, dtype):
    x = np.array([1, 2, 3], dtype)
    expected, found = SAME[name](np, x), SAME[name](fnp, fad.asarray(x))
    pairs = zip(expected, found) if isinstance(expected, tuple) else [(expected, found)]
    for e, f in pairs:
        assert (np.shape(e), np.asarray(e).dtype) == (f.shape, f.dtype)
        np.testing.assert_allclose(np.asarray(f), e, rtol=1e-2 if dtype == "float16" else 1e-6)


def test_the_order_zero_bessel_function_of_small_integers():
    found = fnp.i0(np.array([1, 2], np.uint8))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, np.i0(np.array([1.0, 2.0])), rtol=1e-7)


SMALL_INTEGERS = np.array([1, 2, 3], np.uint8)


@pytest.mark.parametrize(
    "call",
    [
        lambda: fnp.full(2, 300, "uint8"),
        lambda: fnp.full_like(SMALL_INTEGERS, -1),
        lambda: fnp.insert(SMALL_INTEGERS, 1, -1),
        lambda: fnp.add(fad.asarray(SMALL_INTEGERS), 300),
        lambda: fnp.clip(fad.asarray(SMALL_INTEGERS), 300, None),
        lambda: fnp.pad(fad.asarray(SMALL_INTEGERS), 1, constant_values=-1),
    ],
)
def test_integers_that_do_not_fit_are_refused(call):
    with pytest.raises(OverflowError, match=r"Python integer .* out of bounds for uint8"):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda z: fnp.sum(z, dtype=float),
        lambda z: fnp.prod(z, axis=0, dtype="float32"),
        lambda z: fnp.mean(z, dtype=float),
        lambda z: fnp.std(z, dtype=float),
        lambda z: fnp.cumsum(z, dtype=float),
        lambda z: fnp.asarray(z, dtype=float),
        lambda z: fnp.full(3, z, float),
    ],
)
def test_lost_imaginary_parts_are_announced(call):
    with pytest.warns(np.exceptions.ComplexWarning, match="discards the imaginary part"):
        assert call(fad.asarray([1 + 1j, 2.0, 3.0])).dtype.kind == "f"


def test_a_complex_initial_value_of_a_real_sum_is_refused():
    with pytest.raises(TypeError, match="complex, and the result is float64; pass dtype=complex"):
        fnp.sum([1.0], initial=1j)
    assert fnp.sum([1.0], initial=1j, dtype=complex) == 1 + 1j


@pytest.mark.parametrize("name", ["maximum", "minimum", "fmax", "fmin"])
def test_the_larger_of_complex_numbers_with_nan(name):
    parts = [np.nan, 1.0, np.inf]
    z = np.array([complex(a, b) for a in parts for b in parts])
    found = getattr(fnp, name)(z[:, None], fad.asarray(z))
    expected = getattr(np, name)(z[:, None], z)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    known = ~np.isnan(expected)
    np.testing.assert_array_equal(np.asarray(found)[known], expected[known])
