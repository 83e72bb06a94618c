"""Strong zeros: the derivative of the way that was chosen, in every mode, at every order."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import fad
from fad.batching.batch import BATCHED
from fad.core import config as settings
from fad.core.apply import apply
from fad.core.primitive import Primitive
from fad.primitives import arithmetic, reductions
from fad.scipy.special import logsumexp
from tests.transforms.programs import programs, run, vectors

INF, NAN = np.inf, np.nan
FEW = max(4, hypothesis_settings.default.max_examples // 8)

# name: function of a scalar, bad point, value of first and second derivative there
SCALAR = {
    "where sqrt": (lambda x: np.where(x > 0, np.sqrt(x), 0.0), 0.0, 0.0, 0.0),
    "where sqrt, other side": (lambda x: np.where(x <= 0, 0.0, np.sqrt(x)), -1.0, 0.0, 0.0),
    "where log": (lambda x: np.where(x > 0, x * np.log(x), 0.0), 0.0, 0.0, 0.0),
    "where quotient": (lambda x: np.where(x > 0, 3.0 / x, 0.0), 0.0, 0.0, 0.0),
    "where quotient, slope": (lambda x: np.where(x > 0, 3.0 / x, 2.0 * x), 0.0, 2.0, 0.0),
    "where ratio": (lambda n: np.where(n > 0, (n + 1.0) / n, 0.0), 0.0, 0.0, 0.0),
    "where power": (lambda x: np.where(x > 0, x**0.3, 0.0), 0.0, 0.0, 0.0),
    "where power of int": (lambda x: np.where(x > 0, x**-2, x**2), 0.0, 0.0, 2.0),
    "where exponent": (lambda x: np.where(x < 0, x**x, x), 0.0, 1.0, 0.0),
    "where sqrt abs": (lambda x: np.where(x != 0, np.sqrt(np.abs(x)), 0.0), 0.0, 0.0, 0.0),
    "where exp": (lambda x: np.where(x < 100, np.exp(x), x), 1e4, 1.0, 0.0),
    "where arctan2": (lambda x: np.where(x > 0, np.arctan2(x, x), x), 0.0, 1.0, 0.0),
    "where hypot": (lambda x: np.where(x > 0, np.hypot(x, x), x * x), 0.0, 0.0, 2.0),
    "where cbrt": (lambda x: np.where(x > 0, np.cbrt(x), x * x), 0.0, 0.0, 2.0),
    "where arccos": (lambda x: np.where(x < 1, np.arccos(x), x * x), 1.0, 2.0, 2.0),
    "where arctanh": (lambda x: np.where(x < 1, np.arctanh(x), x * x), 1.0, 2.0, 2.0),
    "where NaN": (lambda x: np.where(np.isnan(x), 7.0, np.sin(x)), NAN, 0.0, 0.0),
    "minimum": (lambda x: np.minimum(1.0, 1.0 / x), 0.0, 0.0, 0.0),
    "clip": (lambda x: np.clip(1.0 / x, -1.0, 1.0), 0.0, 0.0, 0.0),
    "select": (lambda x: np.select([x > 0, x < 0], [np.log(x), np.sqrt(-x)], x), 0.0, 1.0, 0.0),
    "square of sine": (lambda x: np.sin(x) ** 2, 0.0, 0.0, 2.0),
    "product with a zero": (lambda x: x * np.sin(x), 0.0, 0.0, 2.0),
    "prod": (lambda x: np.where(x > 0, np.prod(np.stack([x, 1.0 / x])), x), 0.0, 1.0, None),
    "logsumexp": (lambda x: logsumexp(np.log(np.stack([x, x]))), 0.0, 0.0, 0.0),
    "logsumexp of -inf": (lambda x: logsumexp(np.stack([x, x])), -INF, 0.0, 0.0),
    "norm at 0": (lambda x: np.linalg.norm(np.stack([x, x])), 0.0, 0.0, 0.0),
    "max of NaN": (lambda x: np.where(np.isnan(x), 0.0, np.max(np.stack([x, x]))), NAN, 0.0, 0.0),
    "norm": (lambda x: np.where(x < 5, np.linalg.norm(np.stack([x, x])), x), INF, 1.0, 0.0),
}  # fmt: skip

DERIVATIVES = {
    "grad": fad.grad,
    "jitted grad": lambda f: fad.jit(fad.grad(f)),
    "grad of jit": lambda f: fad.grad(fad.jit(f)),
    "jvp": lambda f: lambda x: fad.jvp(f, (x,), (np.ones_like(x),))[1],
    "jvp of jit": lambda f: lambda x: fad.jvp(fad.jit(f), (x,), (np.ones_like(x),))[1],
    "vmap of grad": lambda f: lambda x: fad.vmap(fad.grad(f))(np.stack([x, x]))[1],
    "grad of vmap": lambda f: (
        lambda x: fad.grad(lambda y: np.sum(fad.vmap(f)(y)))(np.stack([x, x]))[0]
    ),
    "linearize": lambda f: lambda x: fad.linearize(f, x)[1](np.ones_like(x)),
    "transposed": lambda f: lambda x: fad.linearize(f, x)[1].T(np.ones_like(x)),
    "jacobian": fad.jacobian,
}
SECOND = {
    "hessian": fad.hessian,
    "jitted hessian": lambda f: fad.jit(fad.hessian(f)),
    "hvp": lambda f: lambda x: fad.hvp(f, (x,), (np.ones_like(x),))[0],
}
for outer in ("grad", "jvp", "grad of jit", "vmap of grad"):
    for inner in ("grad", "jvp", "grad of jit"):
        SECOND[f"{outer}, {inner}"] = lambda f, o=outer, i=inner: DERIVATIVES[o](DERIVATIVES[i](f))


IN_EVERY_WAY = {
    "where sqrt", "where ratio", "where log", "norm at 0", "minimum", "logsumexp of -inf",
    "square of sine",
}  # fmt: skip


@pytest.mark.parametrize("name", SCALAR)
def test_first_derivatives(name):
    function, point, first, _ = SCALAR[name]
    x = np.asarray(point)
    with fad.strong_zero():
        for mode in DERIVATIVES if name in IN_EVERY_WAY else ("grad", "jvp", "jitted grad"):
            for _ in range(2):  # the second time is replayed
                assert float(DERIVATIVES[mode](function)(x)) == first, mode


@pytest.mark.parametrize("name", SCALAR)
def test_single_precision(name):
    function, point, first, _ = SCALAR[name]
    x = np.asarray(point, np.float32)
    with fad.strong_zero():
        for mode in ("grad", "jvp"):
            got = DERIVATIVES[mode](function)(x)
            assert (float(got), got.dtype) == (first, np.float32), mode


@pytest.mark.parametrize("name", [n for n, (*_, second) in SCALAR.items() if second is not None])
def test_second_derivatives(name):
    function, point, _, second = SCALAR[name]
    x = np.asarray(point)
    with fad.strong_zero():
        for mode in SECOND if name in IN_EVERY_WAY else ("hessian", "jvp, jvp", "grad, grad"):
            assert float(SECOND[mode](function)(x)) == second, mode


@pytest.mark.parametrize("name", ["where sqrt", "square of sine"])
def test_a_decorated_function_keeps_its_strong_zeros(name):
    function, point, first, second = SCALAR[name]
    decorated = fad.strong_zero()(function)
    x = np.asarray(point)
    for mode, derivative in {**DERIVATIVES, **SECOND}.items():
        expected = second if mode in SECOND else first
        for _ in range(2):
            assert float(derivative(decorated)(x)) == expected, mode


def test_a_decorated_part_of_a_function():
    @fad.strong_zero()
    def guarded(x):
        return np.where(x > 0, np.sqrt(x), 0.0)

    def whole(x):
        return np.sum(guarded(x) + np.sin(x))

    x = np.array([0.0, 4.0])
    for f in (whole, fad.jit(whole)):
        np.testing.assert_allclose(fad.grad(f)(x), np.cos(x) + np.array([0.0, 0.25]))
        np.testing.assert_allclose(fad.hessian(f)(x), np.diag(-np.sin(x) - np.array([0.0, 1 / 32])))


COMPLEX = {
    "sqrt": lambda z: np.where(np.abs(z) > 0, np.sqrt(z), 0.0),
    "log": lambda z: np.where(np.abs(z) > 0, z * np.log(z), 0.0),
    "quotient": lambda z: np.where(np.abs(z) > 0, 1.0 / z, 0.0),
    "sign": lambda z: np.where(np.abs(z) > 0, np.sign(z) * z, 0.0),
    "angle": lambda z: np.where(np.abs(z) > 0, np.angle(z), 0.0) + 0j,
}


@pytest.mark.parametrize("dtype", [np.complex128, np.complex64])
@pytest.mark.parametrize("name", COMPLEX)
def test_complex_numbers(name, dtype):
    function, z = COMPLEX[name], np.asarray(0j, dtype)
    with fad.strong_zero():
        _, pull = fad.vjp(function, z)
        assert pull(np.ones((), dtype)) == (0,)
        for tangent in (1.0, 1j):
            assert fad.jvp(function, (z,), (np.asarray(tangent, dtype),))[1] == 0


def test_rules_that_are_linear_over_the_reals_only():
    z = np.array([3.0 - 4.0j, 1.0 + 2.0j])
    tangent = np.array([1.0 + 0.5j, -2.0 + 1.0j])
    plain = fad.jvp(np.sign, (z,), (tangent,))[1]
    (pulled,) = fad.vjp(np.sign, z)[1](tangent)
    with fad.strong_zero():
        np.testing.assert_allclose(fad.jvp(np.sign, (z,), (tangent,))[1], plain, rtol=1e-14)
        np.testing.assert_allclose(fad.vjp(np.sign, z)[1](tangent)[0], pulled, rtol=1e-14)


def test_settings_are_told_apart():
    f = SCALAR["where sqrt"][0]
    jitted, gradient, hessian = fad.jit(fad.grad(f)), fad.grad(f), fad.hessian(f)
    for _ in range(3):
        for g in (jitted, gradient, hessian):
            assert np.isnan(g(0.0))
            with fad.strong_zero():
                assert g(0.0) == 0.0
    assert "fad.strong_zero is on, before off" in jitted.explain()


def test_derivatives_of_one_graph_are_told_apart():
    _, linear_map = fad.linearize(SCALAR["where sqrt"][0], 0.0)
    gradient = fad.grad(lambda t: linear_map(t))
    for _ in range(2):
        assert np.isnan(gradient(1.0))
        with fad.strong_zero():
            assert gradient(1.0) == 0.0


def test_replayed_backward_passes_are_told_apart():
    def f(x):
        with fad.config(strong_zero=False):  # so the same is recorded inside and outside
            product = np.prod(x)
        return np.where(np.isnan(product), 0.0, product)

    x = np.array([0.0, INF])
    gradient = fad.grad(f)
    for _ in range(3):
        assert np.isnan(gradient(x)[0])
        with fad.strong_zero():
            assert gradient(x)[0] == 0.0


def test_rules_within_batched_operations_are_told_apart():
    inner = arithmetic.sqrt.operation
    batched = BATCHED(operation=inner, size=2, batched=(True,))
    x = np.array([0.0, 4.0])

    def f(x):
        return np.sum(np.where(x > 0, apply(batched, x), 0.0))

    inner.rules.clear()
    for g in (fad.grad(f), fad.jit(fad.grad(f))):
        with fad.strong_zero():
            np.testing.assert_array_equal(g(x), [0.0, 0.25])
        np.testing.assert_array_equal(g(x), [NAN, 0.25])
    assert np.isnan(fad.grad(SCALAR["where sqrt"][0])(0.0))


def test_it_nests_and_can_be_switched_off():
    g = fad.grad(SCALAR["where sqrt"][0])
    with fad.strong_zero():
        with fad.strong_zero():
            assert fad.config.strong_zero
        assert g(0.0) == 0.0
        with fad.config(strong_zero=False):
            assert np.isnan(g(0.0))
        assert g(0.0) == 0.0
    assert not fad.config.strong_zero
    assert settings.strong_blocks == 0


def test_an_error_leaves_nothing_on():
    with pytest.raises(ZeroDivisionError), fad.strong_zero():
        raise ZeroDivisionError
    assert settings.strong_blocks == 0
    assert np.isnan(fad.grad(SCALAR["where sqrt"][0])(0.0))


def test_it_belongs_to_the_thread():
    g = fad.grad(SCALAR["where sqrt"][0])
    found = []
    with fad.strong_zero():
        thread = threading.Thread(target=lambda: found.append(float(g(0.0))))
        thread.start()
        thread.join()
        assert g(0.0) == 0.0
    assert np.isnan(found[0])


def test_a_pullback_keeps_the_setting_it_was_made_with():
    f = SCALAR["where sqrt"][0]
    _, plain = fad.vjp(f, 0.0)
    with fad.strong_zero():
        _, strong = fad.vjp(f, 0.0)
        assert np.isnan(plain(1.0)[0])
    assert strong(1.0) == (0.0,)


def test_what_it_hides():
    """The other side of it, which is why it is not the default."""

    def smooth(x):
        return np.sqrt(x) ** 2

    def cusp(x):
        return np.sqrt(np.abs(x))

    for f in (smooth, cusp):
        assert np.isnan(fad.grad(f)(0.0))
        with fad.strong_zero():
            assert fad.grad(f)(0.0) == 0.0


# -------------------------------------------------------------------------- the modes agree

UNARY = {
    "sqrt": np.sqrt,
    "log": np.log,
    "reciprocal": lambda x: 1.0 / x,
    "square": np.square,
    "abs": np.abs,
    "nothing": lambda x: x * 0.0,
    "sine": np.sin,
    "above": lambda x: np.maximum(x, 0.5),
    "step": lambda x: np.where(x > 0.0, x, 0.0),
    "exp": lambda x: np.exp(np.minimum(x, 3.0)),
    "arccos": np.arccos,
    "norm": lambda x: np.linalg.norm(x, keepdims=True),
    "scaled": lambda x: x / 3.0,
}


@hypothesis_settings(max_examples=4 * FEW)
@given(
    st.lists(st.sampled_from(sorted(UNARY)), min_size=1, max_size=5),
    st.sampled_from([0.0, 1.0, -1.0, 0.25, INF, -INF]),
)
def test_forward_and_reverse_agree_wherever_a_chain_leads(names, point):
    def chain(x):
        for name in names:
            x = UNARY[name](x)
        return x

    x = np.array([point])
    with fad.strong_zero():
        pushed = np.asarray(fad.jvp(chain, (x,), (np.ones(1),))[1])
        (pulled,) = fad.vjp(chain, x)[1](np.ones(1))
    np.testing.assert_allclose(pushed, pulled, rtol=1e-12)


@hypothesis_settings(max_examples=FEW)
@given(programs, vectors)
def test_at_regular_points_nothing_changes(program, x):
    def f(x):
        return run(program, fad.numpy, x)

    plain = np.asarray(fad.grad(f)(x)), np.asarray(fad.hvp(f, (x,), (x,))[0])
    with fad.strong_zero():
        strong = np.asarray(fad.grad(f)(x)), np.asarray(fad.hvp(f, (x,), (x,))[0])
    for a, b in zip(strong, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9 * (1 + np.max(np.abs(b))))


# ------------------------------------------------------------------------------ how it is built


def test_strong_operations_are_interned_and_others_only_where_they_must():
    sqrt = arithmetic.sqrt.operation
    assert sqrt.strong() is sqrt.strong() is not sqrt
    assert sqrt.strong().strong() is sqrt.strong()
    total = reductions.REDUCE_SUM(axes=(0,), keepdims=False)
    for operation in (total, arithmetic.add.operation, arithmetic.strong_mul.operation):
        assert operation.strong() is operation
    greater = Primitive.registry["gt"]()
    assert greater.strong() is greater


def test_the_strong_product():
    x = np.array([0.0, 0.0, INF, 2.0, NAN, -0.0])
    y = np.array([INF, NAN, 0.0, 3.0, 2.0, 4.0])
    np.testing.assert_array_equal(arithmetic.strong_mul(fad.asarray(x), y), [0, 0, 0, 6, NAN, 0])
    # A zero factor moves, too: its change goes through.
    gradient = fad.grad(lambda x: np.sum(arithmetic.strong_mul(x, fad.asarray(y))))(x)
    np.testing.assert_array_equal(gradient, [INF, NAN, 0, 3, 2, 4])
