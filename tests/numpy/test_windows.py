"""Window functions: NumPy's values; kaiser also where NumPy's overflows, and its derivative."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import fad
import fad.numpy as fnp


@pytest.mark.parametrize("name", ["bartlett", "blackman", "hamming", "hanning"])
def test_as_numpy(name):
    for count in (0, 1, 2, 7):
        np.testing.assert_array_equal(getattr(fnp, name)(count), getattr(np, name)(count))


def test_kaiser():
    for count in (0, 1, 2, 7, 8):
        for beta in (0, 0.0, 1e-3, 8.6, -3.0):
            expected = np.kaiser(count, beta)
            np.testing.assert_allclose(np.asarray(fnp.kaiser(count, beta)), expected, rtol=1e-14)


def exact(n, count, beta):
    t = mpmath.mpf(2 * n) / (count - 1) - 1
    return mpmath.besseli(0, beta * mpmath.sqrt(1 - t**2)) / mpmath.besseli(0, beta)


@pytest.mark.parametrize("beta", [1e-6, 0.5, 14.0, 900.0])
def test_kaiser_and_its_derivative_are_accurate(beta):
    count = 7
    value, slope = fad.jvp(lambda b: fnp.kaiser(count, b), (beta,), (1.0,))
    with mpmath.workdps(60):
        values = [exact(n, count, mpmath.mpf(beta)) for n in range(count)]
        slopes = [mpmath.diff(lambda b, n=n: exact(n, count, b), beta) for n in range(count)]
        np.testing.assert_allclose(np.asarray(value), [float(v) for v in values], rtol=2e-13)
        expected = [float(v) for v in slopes]
    atol = 1e-15 * max(map(abs, expected))
    np.testing.assert_allclose(np.asarray(slope), expected, rtol=1e-12, atol=atol)
