"""Sums, products, extrema and positions: dtypes, zeros, ties, NaN, empty axes."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fad
from fad.primitives import search
from fad.primitives.arithmetic import mul, sqrt
from fad.primitives.reductions import reduce_max, reduce_min, reduce_prod, reduce_sum
from tests.compiling import run_as_users


def array(x):
    return np.asarray(x)


def test_integers_are_summed_in_64_bits():
    x = np.full(300, 100, np.int8)
    assert array(reduce_sum(fad.asarray(x), (0,))) == 30_000
    assert reduce_sum(fad.asarray(x), (0,)).dtype == np.int64
    assert reduce_sum(fad.asarray(x.astype(np.uint8)), (0,)).dtype == np.uint64
    assert array(reduce_sum(fad.asarray(np.ones(3, bool)), (0,))) == 3
    assert array(reduce_prod(fad.asarray(np.full(5, 100, np.int8)), (0,))) == 10**10


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_accumulated_in_single(dtype):
    x = fad.asarray(np.ones(4096)).astype(fad.numpy.bfloat16 if dtype == "bfloat16" else dtype)
    assert float(reduce_sum(x, (0,))) == 4096
    assert reduce_sum(x, (0,)).dtype == x.dtype


def test_a_long_sum_keeps_its_digits(rng):
    x = rng.random(1_000_000)
    assert abs(float(reduce_sum(fad.asarray(x), (0,))) - math.fsum(x)) < 1e-14 * math.fsum(x)


def test_the_gradient_of_a_sum_is_a_broadcast():
    graph = fad.make_graph(fad.grad(lambda x: reduce_sum(x, (0, 1))))(np.ones((3, 2)))
    assert [e.operation.name for e in graph.equations] == ["full", "broadcast_to"]


# --------------------------------------------------------------------------------------- products


def others(x, *left_out):
    return math.prod(v for i, v in enumerate(x) if i not in left_out)


@given(st.lists(st.sampled_from([0.0, 0.0, 1.0, -2.0, 3.0, 0.5]), min_size=4, max_size=4))
def test_products_are_exact_with_any_number_of_zeros(x):
    f = fad.jit(lambda x: reduce_prod(x, (0,)))
    value, gradient = fad.value_and_grad(f)(np.array(x))
    assert float(value) == math.prod(x)
    assert array(gradient).tolist() == [others(x, i) for i in range(4)]
    expected = np.zeros((4, 4))
    for i, j in itertools.permutations(range(4), 2):
        expected[i, j] = others(x, i, j)
    np.testing.assert_array_equal(array(fad.hessian(f)(np.array(x))), expected)


def test_third_order_of_a_product_with_two_zeros():
    x = np.array([0.0, 5.0, 0.0, 7.0])
    third = fad.jacfwd(fad.jacfwd(fad.grad(lambda x: reduce_prod(x, (0,)))))(x)
    assert float(array(third)[0, 2, 1]) == 7.0
    assert float(array(third)[0, 2, 3]) == 5.0


def test_products_along_several_axes(rng):
    x = rng.integers(-1, 3, (2, 3, 4)).astype(float)
    g = fad.grad(lambda x: reduce_sum(reduce_prod(x, (0, 2)), (0,)))(x)
    for i, j, k in np.ndindex(x.shape):
        y = x[:, j].copy()
        y[i, k] = 1.0
        assert float(array(g)[i, j, k]) == np.prod(y)


# ---------------------------------------------------------------------------------------- extrema


@pytest.mark.parametrize(("reduce", "sign"), [(reduce_max, 1), (reduce_min, -1)])
def test_ties_share_evenly(reduce, sign):
    x = sign * np.array([1.0, 3.0, 2.0, 3.0, 3.0])
    g = fad.grad(lambda x: reduce(x, (0,)))(x)
    np.testing.assert_allclose(array(g), [0, 1 / 3, 0, 1 / 3, 1 / 3], rtol=1e-15)
    _, t = fad.jvp(lambda x: reduce(x, (0,)), (x,), (np.arange(5.0),))
    np.testing.assert_allclose(float(t), 8 / 3, rtol=1e-15)


def test_an_infinite_cotangent_reaches_the_maximum_alone():
    g = fad.grad(lambda x: sqrt(reduce_max(x, (0,))))(np.array([-1.0, 0.0, -2.0]))
    assert array(g).tolist() == [0.0, np.inf, 0.0]


def test_extrema_propagate_nan():
    x = np.array([[1.0, np.nan, 3.0], [1.0, 2.0, 3.0]])
    for reduce, f in [(reduce_max, np.max), (reduce_min, np.min)]:
        np.testing.assert_array_equal(array(reduce(fad.asarray(x), (1,))), f(x, 1))
        for z in (x + 2j, 1 + 1j * x):
            got, expected = array(reduce(fad.asarray(z), (1,))), f(z, 1)
            assert np.isnan(got[0])
            assert np.isnan(expected[0])
            assert got[1] == expected[1]


def test_complex_numbers_are_ordered_by_real_then_imaginary_part():
    x = np.array([1 + 2j, 3 - 1j, 3 + 1j, -4j])
    assert array(reduce_max(fad.asarray(x), (0,))) == np.max(x)
    assert array(reduce_min(fad.asarray(x), (0,))) == np.min(x)
    assert int(search.argmax(fad.asarray(x), 0)) == np.argmax(x)
    assert int(search.argmin(fad.asarray(x), 0)) == np.argmin(x)


def test_an_empty_axis_has_no_extremum():
    with pytest.raises(ValueError, match=r"max: axis 0 of shape \(0, 2\) is empty.*initial"):
        reduce_max(fad.asarray(np.zeros((0, 2))), (0,))
    with pytest.raises(ValueError, match=r"argmin: axis 1 of shape \(2, 0\) is empty"):
        search.argmin(fad.asarray(np.zeros((2, 0))), 1)
    assert reduce_max(fad.asarray(np.zeros((0, 2))), (1,)).shape == (0,)


def test_batches_stay_reductions():
    """A reduction under vmap is the same reduction with its axes shifted, not a mapped kernel."""
    graph = fad.make_graph(
        fad.vmap(lambda x: mul(reduce_prod(x, (0,)), reduce_max(x, (0,), True)))
    )(np.ones((3, 2)))
    names = {e.operation.name for e in graph.equations}
    assert {"reduce_prod", "reduce_max"} <= names
    assert not any(name.startswith("vmap") for name in names)


COMPUTED_TWICE = """
import numpy as np
import fad

w = np.array([0.5, -1.0, 1.5])

def first(x):  # complex numbers are compared with their maximum
    return np.take_along_axis(x, np.expand_dims(np.argmax(x + 0j, axis=1), 1), axis=1)

for reduce in (
    lambda x: np.max(x, axis=1),
    lambda x: np.min(x, axis=1),
    lambda x: w * np.maximum.accumulate(x, axis=1),
    lambda x: w * np.minimum.accumulate(x, axis=1),
    first,
):
    def f(x):
        products = np.reshape(np.sin(x), (3, 1)) * x
        differences = x - products  # which some loops round once and others twice
        others = np.sum(np.sin(products)) + np.sum(np.sin(differences))
        return np.sum(reduce(differences)) + 0.5 * others

    gradient = fad.grad(f)
    jitted = fad.jit(gradient)
    for x in np.random.default_rng(0).normal(size=(20, 3)):
        with fad.config(max_pending=1):  # each operation reads its operands from memory
            expected = np.asarray(gradient(x))
        np.testing.assert_allclose(gradient(x), expected, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(jitted(x), expected, rtol=1e-9, atol=1e-9)
"""


def test_an_extremum_is_met_by_its_element_in_whichever_loop_that_is_computed():
    run_as_users(COMPUTED_TWICE)
