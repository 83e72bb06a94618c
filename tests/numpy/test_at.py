"""Functional updates do what NumPy's assignment does, and differentiate in both operands."""

from __future__ import annotations

import jax
import numpy as np
import pytest

import fad
import fad.numpy as fnp
from fad.core import kernels

A = np.arange(60.0).reshape(3, 4, 5)
s = np.s_

INDICES = [
    s[0], s[1, 2, 3], s[-1, 1:3], s[1:], s[1:-1], s[::-1], s[:, 3:0:-2], s[..., 1], s[0, None],
    s[2:2], s[::2, 1], s[()], s[[0, 2]], s[[0, 0, 2]], s[:, [0, 1], [1, 2]], s[0, :, [1, 2]],
    s[[0, 1], None, [1, 1]], s[A > 30], s[A[:, 0, 0] > 10], s[True], s[False, 0],
    s[::2, [1, 1], 1:], s[[]],
]  # fmt: skip

UPDATES = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "power": np.power,
    "min": np.minimum,
    "max": np.maximum,
}


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_set(index, rng):
    for values in (7, rng.normal(size=A[index].shape)):
        expected = A.copy()
        expected[index] = values
        np.testing.assert_array_equal(fad.asarray(A).at[index].set(values), expected)
    np.testing.assert_array_equal(fad.asarray(A).at[index].get(), A[index])


@pytest.mark.parametrize("name", UPDATES)
@pytest.mark.parametrize("index", [s[1, 1:3], s[[2, 0, 2]], s[:, ::2], s[A > 30]], ids=repr)
def test_updates(name, index, rng):
    expected = A + 1
    values = rng.uniform(0.5, 40.0 if name in ("min", "max") else 2.0, size=A[index].shape)
    UPDATES[name].at(expected, index, values)
    out = getattr(fad.asarray(A + 1).at[index], name)(values)
    np.testing.assert_allclose(out, expected, rtol=1e-13)


@pytest.mark.parametrize("name", ["set", "add", "multiply", "divide", "min", "max"])
@pytest.mark.parametrize("index", [s[1], s[1:3], s[::2], s[[2, 0, 2]], s[[3, 3, 3]]], ids=repr)
def test_derivatives(name, index, rng):
    """Against differences: the functions are smooth where they are taken."""
    x = rng.uniform(1.0, 2.0, size=4)
    values = rng.uniform(1.0, 2.0, size=x[index].shape)
    weights = rng.normal(size=4)

    def f(x, v):
        return fnp.sum(getattr(x.at[index], name)(v) * weights)

    found = fad.grad(f, argnums=(0, 1))(x, values)
    tangents = rng.normal(size=x.shape), rng.normal(size=values.shape)
    eps = 1e-6
    up = f(fad.asarray(x + eps * tangents[0]), fad.asarray(values + eps * tangents[1]))
    down = f(fad.asarray(x - eps * tangents[0]), fad.asarray(values - eps * tangents[1]))
    slope = (float(up) - float(down)) / (2 * eps)
    pushed = fad.jvp(f, (x, values), tangents)[1]
    pulled = sum(np.sum(np.asarray(g) * t) for g, t in zip(found, tangents))
    np.testing.assert_allclose(float(pushed), slope, atol=1e-7)
    np.testing.assert_allclose(pulled, slope, atol=1e-7)


def test_products_with_zeros_among_duplicates():
    x, index = np.array([2.0, 3.0, 5.0]), [0, 0, 1, 1, 1]

    def f(v):
        return fnp.sum(fad.asarray(x).at[index].multiply(v))

    np.testing.assert_allclose(fad.grad(f)([0.0, 7.0, 0.0, 0.0, 4.0]), [14.0, 0.0, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(fad.grad(f)([1.0, 7.0, 0.0, 2.0, 4.0]), [14.0, 2.0, 24.0, 0.0, 0.0])


def test_ties_are_split_evenly():
    def f(x, v):
        return fnp.sum(x.at[[0, 0, 1]].max(v))

    of_x, of_values = fad.grad(f, argnums=(0, 1))(np.array([1.0, 2.0, 3.0]), np.ones(3))
    np.testing.assert_allclose(of_x, [1 / 3, 1.0, 1.0])
    np.testing.assert_allclose(of_values, [1 / 3, 1 / 3, 0.0])


def test_the_last_of_several_values_stays():
    def f(v):
        return fnp.sum(fnp.zeros(2).at[[1, 1, 1]].set(v) * np.array([3.0, 5.0]))

    np.testing.assert_array_equal(fad.grad(f)([1.0, 2.0, 4.0]), [0.0, 0.0, 5.0])


def test_second_derivative_agrees_with_jax(rng):
    x, v, index = rng.normal(size=4), rng.normal(size=3), np.array([1, 3, 1])

    def f(x, v):
        return fnp.sum((x.at[index].multiply(v) ** 3).at[2:].add(v[:2]) ** 2)

    with jax.enable_x64(True):
        expected = jax.hessian(
            lambda x: jax.numpy.sum((x.at[index].multiply(v) ** 3).at[2:].add(v[:2]) ** 2)
        )(jax.numpy.asarray(x))
        np.testing.assert_allclose(fad.hessian(f)(x, v), expected, rtol=1e-12)


def test_masks_work_under_every_transform(rng):
    x = rng.normal(size=(3, 4))

    def f(x):
        return x.at[x > 0].set(0.0).at[x < -1].multiply(2.0)

    expected = np.where(x > 0, 0.0, np.where(x < -1, 2 * x, x))
    np.testing.assert_array_equal(fad.jit(f)(x), expected)
    np.testing.assert_array_equal(fad.vmap(f)(x), expected)
    gradient = fad.grad(lambda x: fnp.sum(f(x)))(x)
    np.testing.assert_array_equal(gradient, np.where(x > 0, 0.0, np.where(x < -1, 2.0, 1.0)))
    rows = fad.asarray(x).at[np.array([True, False, True])].set([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_array_equal(rows, [[1, 2, 3, 4], x[1], [1, 2, 3, 4]])


def test_out_of_bounds():
    x = fad.asarray([1.0, 2.0, 3.0])
    far = fad.asarray([0, 5, -4])
    np.testing.assert_array_equal(x.at[far].add(10.0), [11.0, 2.0, 3.0])
    np.testing.assert_array_equal(x.at[far].add(10.0, mode="clip"), [21.0, 2.0, 13.0])
    np.testing.assert_array_equal(x.at[far[1]].set(9.0), [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(x.at[far[1]].set(9.0, mode="clip"), [1.0, 2.0, 9.0])
    np.testing.assert_array_equal(x.at[far].get(mode="fill"), [1.0, np.nan, np.nan])
    np.testing.assert_array_equal(x.at[far].get(mode="fill", fill_value=0.0), [1.0, 0.0, 0.0])
    np.testing.assert_array_equal(x.at[far].get(), [1.0, 3.0, 1.0])
    gradient = fad.grad(lambda x: fnp.sum(x.at[far].get(mode="fill", fill_value=0.0)))(x)
    np.testing.assert_array_equal(gradient, [1.0, 0.0, 0.0])
    with pytest.raises(IndexError, match="index 3 is out of bounds for axis 0 with size 3"):
        x.at[3].set(0.0)


def test_batched_updates_equal_the_loop(rng):
    xs, vs, index = (
        rng.normal(size=(3, 5)),
        rng.normal(size=(3, 2)),
        np.array([[0, 1], [2, 2], [4, 0]]),
    )
    for axes in [(0, 0, 0), (None, 0, 0), (0, None, 0), (0, 0, None), (None, None, 0)]:
        picks = [a if axis == 0 else a[0] for a, axis in zip((xs, vs, index), axes)]

        def f(x, v, i):
            return fad.asarray(x).at[i].add(v).at[i[0]].set(v[1])

        out = fad.vmap(f, in_axes=axes)(*picks)
        for k in range(3):
            each = [a[k] if axis == 0 else a for a, axis in zip(picks, axes)]
            np.testing.assert_allclose(out[k], f(*each))


def test_updates_in_a_loop_are_one_program():
    x = fad.asarray(np.zeros(10))
    x.at[0].set(1.5).at[1:4].add(2.0).block_until_ready()
    before = kernels.compilations()
    for i in range(1, 5):
        out = x.at[i].set(float(i)).at[i + 1 : i + 4].add(2.5)
        assert float(out[i]) == i
        assert float(out[i + 3]) == 2.5
    assert kernels.compilations() <= before + 2  # the first and the second reading


@pytest.mark.parametrize(
    ("update", "error", "message"),
    [
        (lambda: fad.asarray([1, 2]).at[0].set(2.5), TypeError, "float64 do not fit .* int64"),
        (lambda: fad.asarray([1.0]).at[0].add(1j), TypeError, "complex128 do not fit .* float64"),
        (lambda: fnp.zeros(2, "int8").at[0].set(300), OverflowError, "300 out of bounds for int8"),
        (
            lambda: fnp.zeros(3).at[:2].set([1.0, 2.0, 3.0]),
            ValueError,
            r"values of shape \(3,\) for an index that selects shape \(2,\)",
        ),
        (lambda: fnp.zeros(3).at[0].set(1.0, mode="x"), ValueError, "mode must be"),
    ],
)
def test_errors(update, error, message):
    with pytest.raises(error, match=message):
        update()


def test_dtype_is_kept():
    for dtype in ("float32", "int8", "complex64", "bool"):
        x = fnp.zeros(3, dtype)
        assert x.at[1].set(True).dtype == x.dtype
        assert x.at[[0, 1]].add(True).dtype == x.dtype
        np.testing.assert_array_equal(x.at[1].set(True), np.array([0, 1, 0], dtype))
