"""Sorting: order of special values, stability, permutations, derivatives."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from jax import lax

import fad
from fad.primitives import sorting
from fad.primitives.arithmetic import mul
from fad.primitives.reductions import reduce_sum

DTYPES = ["float64", "float32", "float16", "int64", "int8", "uint8", "uint32", "uint64", "bool"]


@st.composite
def few_values(draw):
    """Arrays of one shape per dtype, with many ties, signs of zero, infinities and NaN."""
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    if dtype.kind == "f":
        elements = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.5, np.inf, -np.inf, np.nan, -np.nan])
    elif dtype.kind == "b":
        elements = st.booleans()
    else:
        info = np.iinfo(dtype)
        elements = st.sampled_from([info.min, info.max, 0, 1, 2, info.max // 2])
    return draw(hnp.arrays(dtype, (2, 7), elements=elements))


@given(few_values(), st.booleans())
def test_orders_are_stable_and_numpys(x, descending):
    expected = sorting._order_reference(x, axis=1, descending=descending)[1]
    values, order = fad.jit(lambda x: sorting.sort_with_order(x, 1, descending))(x)
    np.testing.assert_array_equal(np.asarray(order), expected)
    np.testing.assert_array_equal(np.asarray(values), np.take_along_axis(x, expected, 1))
    sorted_only = fad.jit(lambda x: sorting.sort(x, 1, descending))(x)
    np.testing.assert_array_equal(np.asarray(sorted_only), np.asarray(values))


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "uint16"])
@pytest.mark.parametrize("descending", [False, True])
def test_keys_sort_as_the_compiler_does(dtype, descending, rng, monkeypatch):
    """Accelerators use XLA's own sort; here it is run on the CPU."""
    x = rng.integers(0, 50, (40, 3)).astype(dtype)
    kernel = sorting.SORT_WITH_ORDER(axis=0, descending=descending).kernel
    with jax.enable_x64(True):
        by_keys = kernel(jax.numpy.asarray(x))
        monkeypatch.setattr(lax, "platform_dependent", lambda *xs, cpu, default: default(*xs))
        by_sort = kernel(jax.numpy.asarray(x))
    for a, b in zip(by_keys, by_sort):
        np.testing.assert_array_equal(a, b)


def test_zeros_of_either_sign_keep_their_order():
    order = sorting.argsort(fad.asarray(np.array([0.0, -0.0, 0.0, -1.0])), 0)
    assert np.asarray(order).tolist() == [3, 0, 1, 2]


def test_complex_numbers():
    x = np.array([1 + 2j, 3 - 1j, 1 - 2j, 3 - 1j])
    np.testing.assert_array_equal(np.asarray(sorting.sort(fad.asarray(x), 0)), np.sort(x))
    order = np.asarray(sorting.argsort(fad.asarray(x), 0, descending=True))
    np.testing.assert_array_equal(order, [1, 3, 0, 2])


def test_permuting_there_and_back(rng):
    x = rng.normal(size=(3, 5, 2))
    order = np.argsort(rng.normal(size=x.shape), 1)
    there = sorting.permute(fad.asarray(x), fad.asarray(order), 1)
    np.testing.assert_array_equal(np.asarray(there), np.take_along_axis(x, order, 1))
    back = sorting.permute(there, fad.asarray(order), 1, inverse=True)
    np.testing.assert_array_equal(np.asarray(back), x)


@pytest.mark.parametrize("descending", [False, True])
def test_the_derivative_goes_with_the_elements(descending):
    x = np.array([[3.0, 1.0, 2.0], [5.0, 7.0, 6.0]])
    weights = np.array([10.0, 20.0, 30.0])

    def f(x):
        y = sorting.sort(x, 1, descending)
        return reduce_sum(mul(mul(y, y), weights), (0, 1))

    rank = np.argsort(np.argsort(-x if descending else x, 1), 1)
    for g in (fad.grad(f), fad.jit(fad.grad(f)), fad.grad(fad.jit(f))):
        for _ in range(2):  # the second time by replay
            np.testing.assert_allclose(np.asarray(g(x)), 2 * x * weights[rank])
    hessian = np.asarray(fad.hessian(f)(x)).reshape(6, 6)
    np.testing.assert_allclose(hessian, np.diag(2 * weights[rank].ravel()))


def test_ties_go_in_their_order():
    x = np.array([2.0, 1.0, 2.0])
    jacobian = [[0, 1, 0], [1, 0, 0], [0, 0, 1]]
    np.testing.assert_array_equal(fad.jacrev(lambda x: sorting.sort(x, 0))(x), jacobian)
    np.testing.assert_array_equal(fad.jacfwd(lambda x: sorting.sort(x, 0))(x), jacobian)


def test_a_sort_that_is_not_differentiated_computes_no_permutation():
    graph = fad.make_graph(lambda x: sorting.sort(x, 0))(np.ones(3))
    assert [e.operation.name for e in graph.equations] == ["sort"]


@given(few_values(), st.integers(0, 7))
def test_the_largest_are_the_beginning_of_a_descending_sort(x, k):
    values, order = fad.jit(lambda x: sorting.top_k(x, k, 1))(x)
    whole, whole_order = sorting._order_reference(x, axis=1, descending=True)
    np.testing.assert_array_equal(np.asarray(order), whole_order[:, :k])
    np.testing.assert_array_equal(np.asarray(values), whole[:, :k])


@pytest.mark.parametrize("dtype", ["float64", "int64", "bool"])
def test_the_largest_as_the_compiler_selects_them(dtype, rng, monkeypatch):
    """Accelerators use XLA's own selection; here it is run on the CPU."""
    x = rng.integers(0, 5, (3, 40)).astype(dtype)
    kernel = sorting.TOP_K(axis=1, k=6).kernel
    with jax.enable_x64(True):
        by_keys = kernel(jax.numpy.asarray(x))
        monkeypatch.setattr(lax, "platform_dependent", lambda *xs, cpu, default: default(*xs))
        by_selection = kernel(jax.numpy.asarray(x))
    for a, b in zip(by_keys, by_selection):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", ["float64", "int64", "uint64"])
@pytest.mark.parametrize("spread", [1.0, 1e-12, 0.0], ids=["distinct", "close", "equal"])
def test_the_largest_of_many(dtype, spread, rng):
    """They are found among numbers rounded to single precision, unless too many of these tie."""
    x = 1.0 + spread * rng.normal(size=(2, 300))
    x[0, [5, 70, 71]] = [np.inf, -np.inf, 3.0]
    if dtype == "float64":
        x[1, [9, 200]] = np.nan, np.inf
    else:
        x = np.nan_to_num(x * 2**40, posinf=2**62, neginf=0).astype(dtype)
    for k in (1, 5, 20, 0):
        values, order = fad.jit(lambda x, k=k: sorting.top_k(x, k, 1))(x)
        whole, whole_order = sorting._order_reference(x, axis=1, descending=True)
        np.testing.assert_array_equal(np.asarray(order), whole_order[:, :k])
        np.testing.assert_array_equal(np.asarray(values), whole[:, :k])


def test_there_must_be_as_many():
    with pytest.raises(ValueError, match="top_k: there are no 4 largest of 3 elements"):
        sorting.top_k(fad.asarray([1.0, 2.0, 3.0]), 4, 0)
