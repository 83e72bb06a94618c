"""eigh, svd, svdvals, qr and pinv: gauge-invariant functions, ties, zeros, complex matrices."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from jax import numpy as jnp

import fad
import fad.numpy as fnp
from fad.core.errors import FadTypeError, FadValueError
from fad.primitives import decompositions, pseudoinverse, qr_factors, singular_values
from fad.primitives.declare import declarations
from tests.mutants.altered import Mutant, installed
from tests.primitives.cases import cases_of
from tests.primitives.checks import run


def draw(rng, *shape, kind="real"):
    x = rng.normal(size=shape)
    return x + 1j * rng.normal(size=shape) if kind == "complex" else x


def hermitian(x):
    return x + np.conj(np.swapaxes(x, -1, -2))


def conj_t(x):
    return x.conj().mT


# Functions of vectors and values that depend neither on phases nor on signs, for both libraries.


def of_eigh(xp, eigh, weights):
    def function(a):
        w, v = eigh((a + conj_t(a)) / 2)
        turned = (v * xp.exp(0.3 * w)) @ conj_t(v)
        projected = v[:, :1] @ conj_t(v[:, :1])
        return xp.real((weights * turned).sum()) + xp.imag((weights.T * projected).sum())

    return function


def of_svd(xp, svd, weights):
    def function(a):
        u, s, vh = svd(a)
        k = s.shape[-1]
        whole = (u[:, :k] * s**2) @ vh[:k]
        left = u[:, :1] @ conj_t(u[:, :1])
        right = conj_t(vh[:1]) @ vh[:1]
        return (
            xp.real((weights * whole).sum())
            + xp.real((weights[:, :1] * left).sum())
            + xp.imag((weights[:1] * right).sum())
            + (s**3).sum()
        )

    return function


def of_qr(xp, qr, weights):
    def function(a):
        q, r = qr(a)
        k = min(a.shape)
        return xp.real((weights[:, :k] * q[:, :k]).sum()) + xp.imag((weights[:k] * r[:k]).sum())

    return function


# What is applied in fad and in NumPy, or JAX.
PAIRS = {
    "eigh": (of_eigh, lambda library: library.linalg.eigh),
    "svd": (of_svd, lambda library: lambda a: library.linalg.svd(a, full_matrices=False)),
    "full svd": (of_svd, lambda library: library.linalg.svd),
    "qr": (of_qr, lambda library: library.linalg.qr),
    "complete qr": (of_qr, lambda library: lambda a: library.linalg.qr(a, "complete")),
}
SHAPES = {
    "eigh": [(1, 1), (4, 4)],
    "svd": [(1, 1), (3, 3), (4, 2), (2, 4)],
    "full svd": [(4, 2), (2, 4)],
    "qr": [(3, 3), (4, 2), (2, 4)],
    "complete qr": [(4, 2)],
}


def along(function, a, direction, h=1e-4):
    """The derivative of a function of NumPy arrays along a direction, by differences."""
    one, two = (
        (function(a + s * direction) - function(a - s * direction)) / (2 * s) for s in (h, h / 2)
    )
    return (4 * two - one) / 3


def paired(cotangent, direction):
    return (np.asarray(cotangent) * direction).sum().real


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize(
    ("name", "shape"),
    [(name, shape) for name, shapes in SHAPES.items() for shape in shapes],
)
def test_derivatives_of_functions_without_gauge(rng, name, shape, kind):
    make, of = PAIRS[name]
    a, weights = draw(rng, *shape, kind=kind), draw(rng, *shape, kind=kind)
    one, two = draw(rng, *shape, kind=kind), draw(rng, *shape, kind=kind)
    f, g = make(fnp, of(fnp), weights), make(np, of(np), weights)
    with fad.config(compile="never"):
        value, gradient = fad.value_and_grad(f)(a)
        np.testing.assert_allclose(float(value), g(a), rtol=1e-12)
        expected = along(g, a, one)
        np.testing.assert_allclose(paired(gradient, one), expected, rtol=1e-7, atol=1e-8)
        pushed = float(fad.jvp(f, (a,), (one,))[1])
        np.testing.assert_allclose(paired(gradient, one), pushed, rtol=1e-9, atol=1e-10)
        second = paired(fad.jvp(fad.grad(f), (a,), (one,))[1], two)
        slope = along(lambda a: float(fad.jvp(f, (a,), (two,))[1]), a, one)
        np.testing.assert_allclose(second, slope, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("name", "shape"), [("eigh", (3, 3)), ("svd", (3, 2)), ("qr", (3, 2))])
def test_gradients_are_those_of_jax(rng, name, shape):
    make, of = PAIRS[name]
    a, weights = draw(rng, *shape, kind="complex"), draw(rng, *shape, kind="complex")
    with jax.enable_x64(True):
        expected = jax.jit(jax.grad(make(jnp, of(jnp), weights)))(a)
    gradient = fad.jit(fad.grad(make(fnp, of(fnp), weights)))(a)
    np.testing.assert_allclose(np.asarray(gradient), expected, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("name", ["eigh", "svd", "qr"])
def test_stacks_and_maps(rng, name):
    make, of = PAIRS[name]
    a, weights = draw(rng, 3, 2, 2), draw(rng, 2, 2)
    one = fad.grad(make(fnp, of(fnp), weights))
    looped = np.stack([np.asarray(one(x)) for x in a])
    np.testing.assert_allclose(np.asarray(fad.vmap(one)(a)), looped, rtol=1e-10, atol=1e-12)


# -------------------------------------------------------------------------------- ties and zeros


def tied(rng, values):
    q = np.linalg.qr(rng.normal(size=(len(values), len(values))))[0]
    return q @ np.diag(values) @ q.T


@pytest.mark.parametrize(
    "values", [[1.0, 1.0, 2.0, 3.0], [1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 2.0, 2.0]]
)
def test_symmetric_functions_of_tied_eigenvalues(rng, values):
    a, direction = tied(rng, values), hermitian(draw(rng, 4, 4))
    gradient = np.asarray(fad.grad(lambda a: fnp.exp(fnp.linalg.eigvalsh(a)).sum())(a))
    expected = along(lambda a: np.exp(np.linalg.eigvalsh(a)).sum(), a, direction)
    np.testing.assert_allclose((gradient * direction).sum(), expected, rtol=1e-9)
    np.testing.assert_allclose(gradient, gradient.T, rtol=1e-12, atol=1e-15)


def test_the_space_that_vectors_of_tied_values_span(rng):
    a, weights = tied(rng, [1.0, 1.0, 2.0, 3.0]), draw(rng, 4, 4)
    direction = hermitian(draw(rng, 4, 4))

    def projected(xp):
        def function(a):
            v = xp.linalg.eigh(a)[1][:, :2]
            return (weights * (v @ v.mT)).sum()

        return function

    gradient = np.asarray(fad.grad(projected(fnp))(a))
    expected = along(projected(np), a, direction)
    np.testing.assert_allclose((gradient * direction).sum(), expected, rtol=1e-8)
    pushed = fad.jvp(projected(fnp), (a,), (direction,))[1]
    np.testing.assert_allclose(float(pushed), expected, rtol=1e-8)


def test_what_ties_take_from_other_functions(rng):
    """The part between tied vectors is left out: finite, and not the derivative of v f(w) v^T."""

    def rebuilt(a):
        w, v = fnp.linalg.eigh(a)
        return ((v * w) @ v.mT).sum()

    at_tie = np.asarray(fad.grad(rebuilt)(np.eye(3)))
    np.testing.assert_array_equal(at_tie, np.eye(3))
    apart = np.asarray(fad.grad(rebuilt)(np.diag([1.0, 1.0 + 1e-6, 1.0 - 1e-6])))
    np.testing.assert_allclose(apart, np.ones((3, 3)), rtol=1e-8)


def test_ties_up_to_rounding_are_ties(rng):
    w, _ = decompositions.eigh(fad.asarray(tied(rng, [1.0, 1.0, 1.0, 3.0])))
    gaps = np.asarray(decompositions.gaps(w))
    assert not gaps[:3, :3].any()
    np.testing.assert_allclose(gaps[:3, 3], 2.0)
    small = np.array([1.0, 1.0 + 1e-9])
    assert np.asarray(decompositions.gaps(fad.asarray(small)))[0, 1] == small[1] - small[0]


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_the_sum_of_tied_singular_values_to_second_order(rng, shape):
    """The polar factor is smooth where values are tied, and all that it needs is there."""
    k = min(shape)
    a = np.linalg.svd(draw(rng, *shape))
    a = (a[0][:, :k] * np.full(k, 2.0)) @ a[2][:k]
    one, two = draw(rng, *shape), draw(rng, *shape)

    def total(a):
        return fnp.linalg.svdvals(a).sum()

    def polar(a):
        u, _, vh = np.linalg.svd(a, full_matrices=False)
        return u @ vh

    np.testing.assert_allclose(np.asarray(fad.grad(total)(a)), polar(a), rtol=1e-12, atol=1e-13)
    twice = fad.jvp(fad.grad(total), (a,), (one,))[1]
    expected = along(lambda a: (polar(a) * two).sum(), a, one)
    np.testing.assert_allclose((np.asarray(twice) * two).sum(), expected, rtol=1e-8)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_the_range_of_a_matrix_of_low_rank(rng, shape):
    m, n = shape
    a, weights = draw(rng, m, 1) @ draw(rng, 1, n), draw(rng, m, m)
    direction = draw(rng, *shape)

    def leading(xp):
        def function(a):
            u = xp.linalg.svd(a)[0][:, :1]
            return (weights * (u @ u.mT)).sum()

        return function

    gradient = np.asarray(fad.grad(leading(fnp))(a))
    expected = along(leading(np), a, direction)
    np.testing.assert_allclose((gradient * direction).sum(), expected, rtol=1e-7)


def test_zero_singular_values_have_derivative_zero():
    gradient = fad.grad(lambda a: fnp.linalg.svdvals(a).sum())
    np.testing.assert_array_equal(np.asarray(gradient(np.zeros((2, 3)))), np.zeros((2, 3)))
    pushed = fad.jvp(fnp.linalg.svdvals, (np.zeros((2, 2)),), (np.eye(2),))[1]
    np.testing.assert_array_equal(np.asarray(pushed), np.zeros(2))
    both = fad.grad(lambda a: fnp.linalg.svd(a).S.sum())(np.zeros((2, 2)))
    np.testing.assert_array_equal(np.asarray(both), np.zeros((2, 2)))


# -------------------------------------------------------------------------------- other properties


@pytest.mark.parametrize("lower", [True, False])
def test_one_triangle_is_read_and_the_gradient_is_hermitian(rng, lower):
    a = draw(rng, 3, 3, kind="complex")
    values, vectors = decompositions.eigh(fad.asarray(a), lower)
    expected = np.linalg.eigh(a, "L" if lower else "U")
    np.testing.assert_allclose(np.asarray(values), expected[0], rtol=1e-12)
    np.testing.assert_allclose(np.asarray(vectors), expected[1], rtol=1e-12, atol=1e-13)
    gradient = np.asarray(fad.grad(lambda a: (decompositions.eigh(a, lower)[0] ** 3).sum())(a))
    np.testing.assert_allclose(gradient, gradient.conj().T, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("shape", [(4, 2), (2, 4)])
def test_the_rest_of_a_full_basis(rng, shape):
    a, weights = draw(rng, *shape), draw(rng, 4, 4)

    def outside(library):
        def function(a):
            u, _, vh = library.linalg.svd(a)
            rest = u[:, 2:] if a.shape[0] == 4 else vh[2:].mT
            return (weights * (rest @ rest.mT)).sum()

        return function

    direction = draw(rng, *shape)
    gradient = np.asarray(fad.grad(outside(fnp))(a))
    expected = along(outside(np), a, direction)
    np.testing.assert_allclose((gradient * direction).sum(), expected, rtol=1e-8)


def test_the_pseudoinverse_at_constant_rank(rng):
    left, right = draw(rng, 4, 2), draw(rng, 2, 3)
    weights = draw(rng, 3, 4)

    def of_factors(library):
        return lambda left, right: (weights * library.linalg.pinv(left @ right, 1e-10)).sum()

    expected = along(lambda x: of_factors(np)(x, right), left, weights.T[:, :2])
    got = fad.grad(of_factors(fnp))(left, right)
    np.testing.assert_allclose((np.asarray(got) * weights.T[:, :2]).sum(), expected, rtol=1e-8)
    identity = np.asarray(
        fad.grad(lambda a: (weights[:, :3] * fnp.linalg.pinv(a)).sum())(np.eye(3))
    )
    np.testing.assert_allclose(identity, -weights[:, :3], rtol=1e-12)


def test_the_pseudoinverse_has_no_derivative_in_its_cutoff(rng):
    a = draw(rng, 3, 2)
    gradient = fad.grad(lambda c: pseudoinverse.pinv(fad.asarray(a), c).sum())(0.5)
    assert float(gradient) == 0.0


def test_one_matrix_in_single_precision_and_stacks(rng):
    a = draw(rng, 2, 3, 2).astype(np.float32)
    for part in (*singular_values.svd(fad.asarray(a)), *qr_factors.qr(fad.asarray(a))):
        assert part.dtype == np.float32
    u, s, vh = map(np.asarray, singular_values.svd(fad.asarray(a), full=True))
    np.testing.assert_allclose((u[..., :2] * s[..., None, :]) @ vh, a, rtol=1e-5, atol=1e-6)
    z = fad.asarray(a.astype(np.complex64))
    assert [p.dtype for p in singular_values.svd(z)] == [np.complex64, np.float32, np.complex64]


def test_nan_gives_nan():
    bad = fad.asarray(np.full((2, 2), np.nan))
    assert np.isnan(np.asarray(singular_values.svdvals(bad))).all()
    assert np.isnan(np.asarray(decompositions.eigh(bad)[0])).all()
    gradient = fad.grad(lambda a: decompositions.eigh(a)[0].sum())(bad)
    assert np.isnan(np.asarray(gradient)).all()


@pytest.mark.parametrize(
    "function", [decompositions.eigh, singular_values.svd, singular_values.svdvals, qr_factors.qr]
)
def test_messages(function):
    with pytest.raises(FadValueError, match="the last two axes must be those of"):
        function(fad.asarray(np.ones(3)))
    with pytest.raises(FadTypeError, match="not defined for dtype float16"):
        function(fad.asarray(np.ones((2, 2), np.float16)))


@pytest.mark.parametrize("name", ["eigh", "svd", "qr"])
def test_a_missing_part_of_a_rule_is_noticed(name):
    """Vectors that do not turn: the values alone would still be right."""
    primitive = declarations[name].primitive
    derivative = primitive.derivative

    class Fixed:
        strong = False

        def forward(self, operation, primals, tangents):
            out, pushed = derivative.forward(operation, primals, tangents)
            return out, (None, *pushed[1:]) if name != "eigh" else (pushed[0], None)

        def reverse(self, operation, mask):
            return derivative.reverse(operation, mask)

    with installed(primitive, Mutant("vectors", Fixed())), pytest.raises(AssertionError):
        run("adjoint", cases_of(name)[0])
