"""dtypes: promotion is NumPy 2's, whatever JAX's own configuration says."""

from __future__ import annotations

import itertools
from typing import Any

import jax
import numpy as np
import pytest

import fad
from fad.core import dtypes
from fad.core.tensor import lift
from fad.primitives.arithmetic import add, div, mul

ALL = [np.dtype(c) for c in "?bhilBHILefdFD"]
SCALARS: list[Any] = [True, 2, 2.5, 1 + 2j]


@pytest.mark.parametrize(("a", "b"), list(itertools.combinations_with_replacement(ALL, 2)))
def test_strong_dtypes_promote_as_in_numpy(a: np.dtype, b: np.dtype) -> None:
    x, y = np.ones(2, a), np.ones(2, b)
    assert mul(lift(x), lift(y)).dtype == (x * y).dtype


@pytest.mark.parametrize("scalar", SCALARS)
@pytest.mark.parametrize("a", ALL)
def test_python_scalars_are_weak(a: np.dtype, scalar: Any) -> None:
    x = np.ones(2, a)
    for got, expected in [
        (mul(lift(x), scalar), x * scalar),
        (mul(scalar, lift(x)), scalar * x),
        (add(lift(x), scalar), x + scalar),
    ]:
        assert got.dtype == expected.dtype
        np.testing.assert_array_equal(np.asarray(got), expected)


@pytest.mark.parametrize("a", ALL)
def test_real_division_computes_in_numpys_float(a: np.dtype) -> None:
    x = np.ones(2, a)
    assert div(lift(x), lift(x)).dtype == (x / x).dtype


def test_bfloat16_promotes_like_a_half_and_meets_float16_in_float32() -> None:
    b = dtypes.bfloat16
    assert dtypes.promote_types(b, dtypes.float16) == dtypes.float32
    assert dtypes.promote_types(b, np.dtype(np.int8)) == b
    assert dtypes.promote_types(np.dtype(np.int32), b) == dtypes.float64
    assert dtypes.promote_types(b, dtypes.float64) == dtypes.float64
    assert dtypes.result_type(((b, False), (dtypes.float64, True))) == (b, False)
    assert dtypes.complex_of(b) == dtypes.complex64


def test_float64_stays_float64_and_jax_keeps_its_own_configuration() -> None:
    assert not jax.config.jax_enable_x64
    assert fad.grad(lambda x: mul(x, x))(np.float64(3.0)).dtype == np.float64
    assert fad.jit(lambda x: mul(x, x))(np.float64(3.0)).dtype == np.float64
    assert jax.numpy.ones(2).dtype == np.float32
    assert not jax.config.jax_enable_x64


def test_integers_that_do_not_fit_are_an_error_as_in_numpy() -> None:
    x = lift(np.ones(2, np.uint8))
    with pytest.raises(OverflowError, match="300 out of bounds for uint8"):
        add(x, 300)


def test_unsupported_dtypes_name_what_is_supported() -> None:
    with pytest.raises(TypeError, match="dtype <U1 is not supported"):
        lift(np.array(["a"]))
    with pytest.raises(TypeError, match=r"dtype object is not supported"):
        lift(np.array([None, 1]))
