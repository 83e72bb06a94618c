"""NumPy's products: values, dtypes and errors as in NumPy, derivatives as in JAX."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from jax import numpy as jnp

import fad
from fad.core import kernels
from fad.core.errors import FadTypeError, FadValueError
from fad.numpy import products
from tests.against import as_numpy

CASES = {
    "matmul": [((2, 3), (3, 4)), ((3,), (3,)), ((5, 2, 3), (3, 4)), ((5, 1, 2, 3), (4, 3, 2))],
    "dot": [((3,), (3,)), ((2, 3), (3,)), ((2, 3), (5, 3, 4)), ((), (3,)), ((2,), ())],
    "inner": [((3,), (3,)), ((2, 3), (4, 3)), ((2, 3), (5, 4, 3)), ((), (3,))],
    "outer": [((2,), (3,)), ((2, 2), (3,)), ((), (2,)), ((0,), (2,))],
    "vdot": [((3,), (3,)), ((2, 3), (2, 3)), ((2, 3), (6,))],
    "vecdot": [((3,), (3,)), ((2, 3), (3,)), ((5, 1, 3), (2, 3)), ((0, 3), (3,))],
    "kron": [((2, 3), (4, 5)), ((2,), (3, 4)), ((2, 3, 2), (2,)), ((), (2,)), ((0, 2), (2, 2))],
    "tensordot": [((2, 3, 4), (3, 4, 5)), ((2, 3), (2, 3))],
    "matvec": [((2, 3), (3,)), ((5, 1, 2, 3), (4, 3)), ((2, 3), (4, 3)), ((0, 3), (3,))],
    "vecmat": [((2,), (2, 3)), ((4, 2), (5, 1, 2, 3)), ((2,), (4, 2, 3)), ((0,), (0, 3))],
    "cross": [((3,), (3,)), ((4, 1, 3), (2, 3)), ((3,), (2, 3)), ((0, 3), (3,))],
}
EVERY = [(name, shapes) for name, cases in CASES.items() for shapes in cases]


def draw(rng, shape, dtype=float):
    x = rng.normal(size=shape)
    return np.asarray(x + 1j * rng.normal(size=shape) if dtype is complex else x)


@pytest.mark.parametrize(("name", "shapes"), EVERY)
def test_value_and_gradient(rng, name, shapes):
    x, y = (draw(rng, s) for s in shapes)
    ours, theirs = getattr(products, name), getattr(jnp, name)
    expected = getattr(np, name)(x, y)
    got = np.asarray(ours(x, y))
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-13)
    _, pullback = fad.vjp(ours, x, y)
    with jax.enable_x64(True):
        _, oracle = jax.vjp(theirs, jnp.asarray(x), jnp.asarray(y))
        cotangent = draw(rng, expected.shape)
        gradients = oracle(jnp.asarray(cotangent))
    for g, e in zip(pullback(cotangent), gradients, strict=True):
        np.testing.assert_allclose(np.asarray(g), e, rtol=1e-11, atol=1e-12)


@pytest.mark.filterwarnings("ignore:Arrays of 2-dimensional vectors:DeprecationWarning")
@pytest.mark.parametrize("lengths", [(2, 2), (2, 3), (3, 2), (3, 3)])
def test_cross_of_vectors_anywhere(rng, lengths):
    x, y = draw(rng, (4, 5, lengths[0])), draw(rng, (4, 5, lengths[1]), complex)
    as_numpy("cross", x, y)
    as_numpy("cross", x[0, 0], y[0, 0])
    as_numpy("cross", np.moveaxis(x, -1, 1), np.moveaxis(y, -1, 0), axisa=1, axisb=0)
    if 3 in lengths:
        as_numpy("cross", x, y, axisc=0)
        as_numpy("cross", np.moveaxis(x, -1, 0), np.moveaxis(y, -1, 0), axis=0)
    if lengths == (3, 3):
        as_numpy("linalg.cross", np.moveaxis(x, -1, 1), np.moveaxis(y, -1, 1), axis=1)


def test_options_of_generalized_ufuncs(rng):
    m, v = draw(rng, (2, 3, 4), complex), draw(rng, (4, 2), complex)
    as_numpy("matvec", m, v, axes=[(-2, -1), 0, 0])
    as_numpy("matvec", m[0], v[:, 0], dtype=np.complex128, casting="same_kind")
    as_numpy("vecmat", v[:2, 0], m[0, :2], axes=[-1, (0, 1), -1])
    as_numpy("matmul", m[0], m[1], axes=[(0, 1), (1, 0), (1, 0)])
    as_numpy("vecdot", v, v[:, 0], axes=[0, -1])
    as_numpy("vecdot", v, v, axis=0, dtype=np.complex128)
    with pytest.raises(FadTypeError, match=r"matvec cannot write through out="):
        products.matvec(m, v.T, out=m)
    with pytest.raises(FadTypeError, match=r"matmul takes no other= on tensors"):
        products.matmul(m, m.mT, other=3)
    with pytest.raises(FadValueError, match=r"axes must be a list of tuples of \(2, 2, 2\) axes"):
        products.matmul(m, m.mT, axes=[(0,), (1,), (2,)])


@pytest.mark.parametrize("name", ["vdot", "vecdot"])
def test_the_first_operand_is_conjugated(rng, name):
    x, y = draw(rng, 3, complex), draw(rng, 3, complex)
    ours, theirs = getattr(products, name), getattr(jnp, name)
    np.testing.assert_allclose(np.asarray(ours(x, y)), np.vdot(x, y), rtol=1e-13)
    pulled = fad.vjp(ours, x, y)[1](np.complex128(1.0))
    with jax.enable_x64(True):
        oracle = jax.vjp(theirs, jnp.asarray(x), jnp.asarray(y))[1](jnp.complex128(1.0))
    for g, e in zip(pulled, oracle, strict=True):
        np.testing.assert_allclose(np.asarray(g), e, rtol=1e-12)


@pytest.mark.parametrize("axes", [2, 1, 0, ((1,), (0,)), ([0, 1], [1, 0]), (1, 0), (-1, -2)])
def test_tensordot_axes(rng, axes):
    x, y = draw(rng, (3, 3)), draw(rng, (3, 3))
    got = np.asarray(products.tensordot(x, y, axes))
    np.testing.assert_allclose(got, np.tensordot(x, y, axes), rtol=1e-12, atol=1e-13)


def test_vecdot_along_another_axis(rng):
    x, y = draw(rng, (3, 2)), draw(rng, (3, 2))
    got = np.asarray(products.vecdot(x, y, axis=0))
    np.testing.assert_allclose(got, np.vecdot(x, y, axis=0), rtol=1e-13)


def test_lists_integers_and_booleans():
    assert products.dot([1, 2], [3, 4]).dtype == np.int64
    assert np.asarray(products.matmul([[True, False]], [[True], [True]])).tolist() == [[True]]
    assert products.dot(2, np.int8([1, 2])).dtype == np.dot(2, np.int8([1, 2])).dtype


@pytest.mark.parametrize(
    ("name", "shapes", "text"),
    [
        ("matmul", ((2,), (3,)), "do not fit"),
        ("dot", ((2, 3), (2, 3)), "not aligned: 3 .dim 1. != 2 .dim 0."),
        ("inner", ((2, 3), (3, 2)), "not aligned"),
        ("vdot", ((2,), (3,)), "not aligned"),
        ("vecdot", ((2,), (3,)), "vecdot: axis -1 has length 2"),
        ("vecdot", ((), (3,)), "at least one axis"),
        ("tensordot", ((2, 3), (2, 3)), "tensordot: shape-mismatch"),
        ("matvec", ((2, 3), (2,)), "axis 1 of shape .2, 3. and axis 0 of shape .2,. must have one"),
        ("vecmat", ((2,), (2,)), "the second operand must be matrices"),
        ("cross", ((2,), (4,)), "dimension must be 2 or 3"),
        ("cross", ((), (3,)), "need an axis of vectors"),
    ],
)
def test_messages(rng, name, shapes, text):
    arguments = [draw(rng, s) for s in shapes]
    if name == "tensordot":
        arguments.append(1)
    with pytest.raises(ValueError, match=text):
        getattr(products, name)(*arguments)


def test_constant_operands_stay_on_the_host(rng, monkeypatch):
    # Each of them would take 40 microseconds to put on the device, in every call of a gradient.
    def total(x):
        joined = np.concatenate([[0.0], a @ x, [1.0]]) + np.append(x, 2.0)[0]
        return np.sum(np.stack([joined, np.dot(np.ones((4, 4)), joined)]) @ np.array([1.0] * 4))

    a, x = draw(rng, (2, 3)), draw(rng, (3,))
    gradient = fad.grad(total)
    expected = np.asarray(gradient(x))
    puts = []
    monkeypatch.setattr(kernels, "put", lambda *value: puts.append(value))
    got = gradient(x)
    assert not puts
    monkeypatch.undo()
    np.testing.assert_array_equal(got, expected)
