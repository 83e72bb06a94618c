"""fad.scipy.special against SciPy, and SciPy's own functions on tensors."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
import scipy.special

import fad
import fad.scipy.special as special

X = np.array([[0.3, -1.2, 2.5], [0.0, 40.0, -700.0]])
REAL = np.concatenate([np.linspace(-6.0, 6.0, 25) + 0.013, [-0.0, 0.0, np.inf, -np.inf, np.nan]])
UNIT = np.array([0.0, 1.0, -1.0, 0.3, 0.7, 1.5, 2.0, 1e-30, -0.4, np.nan, np.inf])

BINARY = ("kl_div", "rel_entr", "xlog1py", "xlogy")
GAMMAS = ("beta", "betaln", "gammainc", "gammaincc")
OTHERS = ("log_softmax", "logsumexp", "multigammaln", "polygamma", "softmax", "zeta")
UNARY = sorted(set(special.__all__) - set(BINARY) - set(GAMMAS) - set(OTHERS))
# Where SciPy's value is not the limit: it has NaN for infinities.
ELSEWHERE = {"i0": [-np.inf, np.inf], "i1": [-np.inf, np.inf]}


@pytest.mark.filterwarnings("ignore:.*encountered in")
@pytest.mark.parametrize("name", UNARY)
def test_values_and_special_values_are_scipys(name: str) -> None:
    x = np.concatenate([REAL, UNIT])
    x = x[~np.isin(x, ELSEWHERE.get(name, []))]
    got = getattr(special, name)(x)
    expected = getattr(scipy.special, name)(x)
    assert got.dtype == expected.dtype
    np.testing.assert_allclose(np.asarray(got), expected, rtol=3e-13, atol=1e-15)


@pytest.mark.filterwarnings("ignore:.*encountered in")
@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two_arguments_broadcast_as_scipys(name: str) -> None:
    x = np.concatenate([UNIT, [3.0, 1e200]])
    got = getattr(special, name)(x[:, None], x)
    expected = getattr(scipy.special, name)(x[:, None], x)
    np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-14)


@pytest.mark.parametrize("name", GAMMAS)
def test_beta_and_incomplete_gamma_functions(name: str) -> None:
    x = np.array([0.0, 0.3, 1.0, 2.5, 30.0, 700.0, np.inf, np.nan])
    got = getattr(special, name)(x[:, None], x)
    expected = getattr(scipy.special, name)(x[:, None], x)
    if name.startswith("beta"):  # at 0 and infinity, SciPy's are not the limits
        inner = np.s_[1:-2, 1:-2]
        got, expected = np.asarray(got)[inner], expected[inner]
    np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-11, atol=1e-300)


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


def test_logsumexp_with_factors_of_both_signs() -> None:
    x = np.array([[1.0, 2.0, 0.5], [700.0, 710.0, 705.0], [-800.0, 3.0, 1000.0]])
    for b in (
        np.array([1.0, -2.0, 0.5]),
        np.array([3.0, 1.0, 0.0]),
        np.array([0.0, 0.0, 0.0]),
        -1.0,
    ):
        for axis in (0, 1, (0, 1), None):
            options: Any = {"axis": axis, "b": b, "return_sign": True}
            got, expected = special.logsumexp(x, **options), scipy.special.logsumexp(x, **options)
            nothing = np.isnan(expected[0])  # of no factors but 0 the logarithm is -inf
            np.testing.assert_allclose(got[0], np.where(nothing, -np.inf, expected[0]), rtol=1e-13)
            np.testing.assert_array_equal(got[1], np.where(nothing, 0.0, expected[1]))
        if np.any(b):
            plain = scipy.special.logsumexp(x, axis=1, b=b, keepdims=True)
            np.testing.assert_allclose(special.logsumexp(x, 1, b, True), plain, rtol=1e-13)
    assert [float(v) for v in special.logsumexp([0.0, 0.0], return_sign=True)] == [np.log(2), 1.0]
    assert [float(v) for v in special.logsumexp([-np.inf], return_sign=True)] == [-np.inf, 0.0]


def test_the_derivative_of_logsumexp_in_factors_that_are_0() -> None:
    x, b = np.array([1.0, 2.0, 0.5]), np.array([1.0, 0.0, -0.3])
    total = np.sum(b * np.exp(x))
    gradients = fad.grad(lambda x, b: special.logsumexp(x, b=b), argnums=(0, 1))(x, b)
    np.testing.assert_allclose(gradients[0], b * np.exp(x) / total, rtol=1e-14)
    np.testing.assert_allclose(gradients[1], np.exp(x) / total, rtol=1e-14)
    second = fad.hessian(lambda b: special.logsumexp(x, b=b))(b)
    np.testing.assert_allclose(second, -np.outer(np.exp(x), np.exp(x)) / total**2, rtol=1e-13)
    nothing = fad.grad(lambda x: special.logsumexp(x, b=b))(np.full(3, -np.inf))
    np.testing.assert_array_equal(nothing, np.zeros(3))


def summed(function: Any) -> Any:
    return lambda x: np.sum(function(x))


def test_scipys_own_functions_take_tensors_in_a_transform() -> None:
    gradient = fad.grad(lambda x: np.sum(scipy.special.expit(x) + scipy.special.erf(x)))(X[0])
    s = scipy.special.expit(X[0])
    expected = s * (1 - s) + 2 / np.sqrt(np.pi) * np.exp(-(X[0] ** 2))
    np.testing.assert_allclose(gradient, expected, rtol=1e-13)
    for name in ("gammaln", "psi", "digamma", "ndtr", "log_ndtr", "i0", "i1e", "entr", "erfinv"):
        theirs, own = (summed(getattr(module, name)) for module in (scipy.special, special))
        point = np.array([0.25, 0.5])
        np.testing.assert_array_equal(fad.grad(theirs)(point), fad.grad(own)(point))
    assert isinstance(scipy.special.xlogy(fad.asarray([0.0]), 0.0), fad.Tensor)


# ------------------------------------------------------------------------------ polygamma, zeta


def test_polygamma_of_one_order_and_of_several() -> None:
    x = np.array([[0.3, 2.0, 17.0], [-0.5, 1e-3, 1e5]])
    for n in (0, 1, np.int64(2), 3.0):
        expected = scipy.special.polygamma(n, x)
        np.testing.assert_allclose(special.polygamma(n, x), expected, rtol=1e-13)
    for n in (np.array([0, 1, 4]), np.array([[2.0], [0.0]]), np.array([[[1]], [[3]]])):
        got, expected = special.polygamma(n, x), scipy.special.polygamma(n, x)
        assert got.shape == expected.shape
        np.testing.assert_allclose(got, expected, rtol=1e-13)
    assert special.polygamma(np.zeros((0, 1)), x[0]).shape == (0, 3)
    tensor = special.polygamma(fad.asarray([1, 2]), 0.5)
    np.testing.assert_allclose(tensor, scipy.special.polygamma([1, 2], 0.5), rtol=1e-13)


def test_the_derivative_of_polygamma_is_the_next() -> None:
    x, orders = np.array([0.7, 2.5, 30.0]), np.array([0, 1, 3])
    gradient = fad.grad(lambda x: np.sum(special.polygamma(orders, x)))(x)
    np.testing.assert_allclose(gradient, scipy.special.polygamma(orders + 1, x), rtol=1e-13)


@pytest.mark.parametrize("order", [-1, 0.5, "one", np.array([1, -2])])
def test_polygamma_refuses_other_orders(order: Any) -> None:
    with pytest.raises(
        ValueError, match=r"orders are integers from 0 on, got .*\n  at .*test_spec"
    ):
        special.polygamma(order, 1.0)


def test_polygamma_says_that_the_order_is_part_of_the_program() -> None:
    with pytest.raises(TypeError, match=r"the order n is part of the program.*static_argnums"):
        fad.jit(special.polygamma)(1, 2.0)
    assert float(fad.jit(special.polygamma, static_argnums=0)(1, 2.0)) == pytest.approx(
        0.6449340668
    )


def test_zeta_of_riemann_and_hurwitz() -> None:
    x, q = np.array([1.0, 1.5, 2.0, 40.0, np.inf]), np.array([[0.5], [1.0], [3.5], [1e4], [-1.0]])
    finite = (q > 0) | (x < 1.2)
    expected = np.where(finite, scipy.special.zeta(x, np.abs(q)), np.inf)
    got = np.asarray(special.zeta(x, q))
    np.testing.assert_allclose(got[:, :4], expected[:, :4], rtol=1e-13)
    np.testing.assert_array_equal(got[:4, 4], [np.inf, 1.0, 0.0, 0.0])
    np.testing.assert_allclose(special.zeta(x[1:4]), scipy.special.zeta(x[1:4]), rtol=1e-14)
    assert np.isnan(float(special.zeta(0.5, 2.0)))
    below = np.array([-7.5, -1.0, -0.3, 0.0, 0.5, 0.99])
    np.testing.assert_allclose(special.zeta(below), scipy.special.zeta(below), rtol=1e-14)
    assert np.isnan(float(special.zeta(0.5, 1.0)))  # SciPy's of two arguments is for x > 1 only
    with pytest.raises(TypeError, match="zeta cannot write through out="):
        special.zeta(2.0, 1.0, out=np.zeros(()))


def test_multigammaln() -> None:
    a = np.array([1.6, 4.0, 100.0])
    for d in (1, 2, 3):
        got = special.multigammaln(a, d)
        np.testing.assert_allclose(got, scipy.special.multigammaln(a, d), rtol=1e-13)
    with jax.enable_x64(True):
        expected = jax.grad(lambda x: jax.scipy.special.multigammaln(x, 3))(4.0)
    gradient = fad.grad(lambda x: special.multigammaln(x, 3))(4.0)
    np.testing.assert_allclose(gradient, expected, rtol=1e-12)
    with pytest.raises(TypeError, match="the dimension d is an int"):
        special.multigammaln(4.0, 1.5)
    with pytest.raises(ValueError, match="must be at least 1"):
        special.multigammaln(4.0, 0)


# ----------------------------------------------------------------------------------- arguments


def test_lists_integers_and_single_precision() -> None:
    assert special.gammaln([1, 2]).dtype == np.float64
    assert special.ndtr(np.float32([0.5])).dtype == np.float32
    assert special.erfinv(np.array([True])).dtype == np.float16
    np.testing.assert_array_equal(special.xlogy([0, 1], [0, 1]), [0.0, 0.0])


def test_functions_of_reals_refuse_complex_numbers() -> None:
    with pytest.raises(TypeError, match="not defined for dtype complex128"):
        special.gammaln(1j)
