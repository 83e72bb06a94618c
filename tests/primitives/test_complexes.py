"""Parts of complex numbers, in both directions."""

import jax
import numpy as np
import pytest

import fad
from fad.primitives import arithmetic, complexes

Z = np.array([1.0 + 2.0j, -0.5 - 1.0j, 3.0 + 0.0j])


@pytest.mark.parametrize("name", ["real", "imag", "conj"])
def test_parts(name):
    function, oracle = getattr(complexes, name), getattr(jax.numpy, name)
    np.testing.assert_array_equal(function(Z), getattr(np, name)(Z))
    weights = np.array([0.3, -1.2, 0.8]) * (1 if name != "conj" else 1 + 0.5j)
    with jax.enable_x64(True):
        out, pull = jax.vjp(oracle, Z)
        (expected,) = pull(weights.astype(out.dtype))
        _, tangent = jax.jvp(oracle, (Z,), (Z * 0.7j,))
    np.testing.assert_allclose(fad.vjp(function, Z)[1](weights)[0], expected)
    np.testing.assert_allclose(fad.jvp(function, (Z,), (Z * 0.7j,))[1], tangent)


def test_real_tensors_are_their_own_parts():
    x = fad.asarray([1.0, 2.0])
    assert complexes.real(x) is x
    assert complexes.conj(x) is x
    np.testing.assert_array_equal(complexes.imag(x), [0, 0])
    f = lambda x: arithmetic.add(complexes.imag(x), arithmetic.mul(x, 2.0))  # noqa: E731
    assert float(fad.grad(f)(1.0)) == 2.0


def test_composition():
    x, y = np.array([1.0, -2.0]), np.array([0.5, 4.0])
    np.testing.assert_array_equal(complexes.make_complex(fad.asarray(x), y), x + 1j * y)
    out, pull = fad.vjp(complexes.make_complex, x, y)
    assert out.dtype == np.complex128
    g = np.array([2 + 3j, -1 + 1j])
    np.testing.assert_array_equal(pull(g)[0], g.real)
    np.testing.assert_array_equal(pull(g)[1], -g.imag)
    _, tangent = fad.jvp(complexes.make_complex, (x, y), (y, x))
    np.testing.assert_array_equal(tangent, y + 1j * x)


@pytest.mark.parametrize(
    ("dtype", "whole"),
    [("float32", "complex64"), ("float64", "complex128"), ("float16", "complex64"),
     ("int64", "complex128")],
)  # fmt: skip
def test_dtypes(dtype, whole):
    x = np.array([1, 2], dtype)
    z = complexes.make_complex(fad.asarray(x), fad.asarray(x))
    assert z.dtype == np.dtype(whole)
    assert complexes.real(z).dtype == np.zeros(0, whole).real.dtype


def test_squared_modulus_has_jax_s_gradient():
    f = lambda z: complexes.real(arithmetic.mul(z, complexes.conj(z)))  # noqa: E731
    assert complex(fad.grad(f)(3 + 4j)) == 6 - 8j


def test_times_i_keeps_the_signs_of_zeros():
    z = complexes.times_i(np.array([complex(-0.0, 2.0), complex(1.0, 0.0)]))
    z = np.asarray(z)
    np.testing.assert_array_equal(np.signbit(z.imag), [True, False])
    np.testing.assert_array_equal(np.signbit(z.real), [True, True])
