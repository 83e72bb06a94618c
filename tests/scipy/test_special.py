"""fad.scipy.special against SciPy, and SciPy's own functions on tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.special

import fad
import fad.scipy.special as special

X = np.array([[0.3, -1.2, 2.5], [0.0, 40.0, -700.0]])


@pytest.mark.parametrize("name", special.__all__)
def test_values_are_scipys(name: str) -> None:
    expected = getattr(scipy.special, name)(X)
    np.testing.assert_allclose(
        np.asarray(getattr(special, name)(X)), expected, rtol=1e-14, atol=1e-15
    )


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
@pytest.mark.parametrize("name", ["logsumexp", "softmax", "log_softmax"])
def test_axes(name: str, axis: Any) -> None:
    expected = getattr(scipy.special, name)(X, axis=axis)
    np.testing.assert_allclose(
        getattr(special, name)(X, axis=axis), expected, rtol=1e-14, atol=1e-15
    )


def test_logsumexp_with_factors_and_its_gradient() -> None:
    b = np.array([1.0, 2.0, 0.5])
    got = special.logsumexp(X, axis=1, b=b, keepdims=True)
    expected = scipy.special.logsumexp(X, axis=1, b=b, keepdims=True)
    np.testing.assert_allclose(got, expected, rtol=1e-14, atol=1e-15)
    gradient = fad.grad(lambda x: special.logsumexp(x, b=b))(X[0])
    weights = b * np.exp(X[0])
    np.testing.assert_allclose(gradient, weights / weights.sum(), rtol=1e-14, atol=1e-15)
    nothing = np.full(2, -np.inf)
    np.testing.assert_array_equal(fad.grad(special.logsumexp)(nothing), np.zeros(2))


def test_scipys_own_functions_take_tensors_in_a_transform() -> None:
    gradient = fad.grad(lambda x: np.sum(scipy.special.expit(x) + scipy.special.erf(x)))(X[0])
    s = scipy.special.expit(X[0])
    expected = s * (1 - s) + 2 / np.sqrt(np.pi) * np.exp(-(X[0] ** 2))
    np.testing.assert_allclose(gradient, expected, rtol=1e-13)
