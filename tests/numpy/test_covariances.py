"""cov and corrcoef: NumPy's values, JAX's derivatives."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

import fad
import fad.numpy as fnp
from fad.core.errors import FadTypeError, FadValueError
from tests.against import as_numpy, derivatives_as_jax

RNG = np.random.default_rng(0)
A = RNG.normal(size=(3, 7))
Z = A + 1j * RNG.normal(size=(3, 7))
Y = RNG.normal(size=7)
OFTEN = np.array([3, 0, 1, 1, 2, 1, 4])
IMPORTANT = RNG.random(7)


@pytest.mark.parametrize("name", ["cov", "corrcoef"])
def test_as_numpy(name):
    for x in (A, Z, Y, np.array([[1, 2, 4, 2], [3, 1, 1, 0]])):
        as_numpy(name, x)
    as_numpy(name, A.T, rowvar=False)
    as_numpy(name, A, Y)
    as_numpy(name, A, A[:1])
    as_numpy(name, A.T, A[:2].T, rowvar=False)
    as_numpy(name, A.T, Y, rowvar=False)
    as_numpy(name, A, Z)
    as_numpy(name, A, dtype="float32", rtol=1e-5)


def test_divisors_and_weights():
    for options in (
        {"bias": True},
        {"ddof": 3},
        {"fweights": OFTEN},
        {"aweights": IMPORTANT},
        {"fweights": OFTEN, "aweights": IMPORTANT},
        {"fweights": OFTEN, "aweights": IMPORTANT, "ddof": 0},
        {"aweights": IMPORTANT, "bias": True},
    ):
        as_numpy("cov", A, **options)
        as_numpy("cov", Z, **options)
    as_numpy("cov", np.zeros((0, 3)))


@pytest.mark.filterwarnings("ignore:Degrees of freedom:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_nothing_left_to_divide_by():
    as_numpy("cov", A, ddof=9)
    as_numpy("cov", 3.0)


def test_derivatives():
    derivatives_as_jax(fnp.cov, jnp.cov, A[:2, :4])
    derivatives_as_jax(
        lambda x, w: fnp.cov(x, aweights=w), lambda x, w: jnp.cov(x, aweights=w),
        A[:2, :4], IMPORTANT[:4],
    )  # fmt: skip
    derivatives_as_jax(fnp.corrcoef, jnp.corrcoef, A[:2, :4])


def test_curvature_of_a_perfect_correlation():
    # Rounding puts the first two above 1; the second derivative must not depend on that.
    for x, scale in (
        ([0.375, 0.5, 0.125, 1.125], 4.0),
        ([1.75, 5.0, 4.125, 0.125], 2.0),
        ([0.1, 0.25, 0.7, 1.3], 3.0),
    ):

        def f(y, x=x):
            return fnp.corrcoef(x, y)[0, 1]

        y, t = np.array(x) * scale, np.array([1.0, -2.0, 0.5, 0.25])
        c, d = y - y.mean(), t - t.mean()
        c2 = c @ c
        expected = -(d @ d) / c2 + (c @ d) ** 2 / c2**2
        assert float(f(y)) <= 1.0
        np.testing.assert_allclose(float(fad.hvp(f, (y,), (t,))[0] @ t), expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fnp.cov(np.zeros((2, 2, 2))), FadValueError, "more than 2 dimensions"),
        (lambda: fnp.cov(A, Y[:3]), FadValueError, "7 observations in m, 3 in y"),
        (lambda: fnp.cov(A, ddof=0.5), FadValueError, "ddof must be integer"),
        (lambda: fnp.cov(A, fweights=IMPORTANT), FadTypeError, "fweights must be integer"),
        (lambda: fnp.cov(A, aweights=-IMPORTANT), FadValueError, "cannot be negative"),
        (lambda: fnp.cov(A, aweights=Y[:3]), FadValueError, "do not fit 7 observations"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
