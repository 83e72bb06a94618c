"""dot_general: its transposes, its batching, products with the identity, dtypes, errors."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fad
from fad.primitives.broadcast import sum_to
from fad.primitives.products import contract, dot_general, matmul


def equations(f, *args):
    """The names of the operations of ``f``'s simplified graph."""
    from fad.core.graph import simplify

    return [eqn.operation.name for eqn in simplify(fad.make_graph(f)(*args)).equations]


def total(x):
    return sum_to(x * x, ())


@pytest.fixture
def arrays(rng):
    return lambda *shapes: [fad.asarray(rng.normal(size=s)) for s in shapes]


MATMULS = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)),
    ((5, 2, 3), (3,)), ((3,), (5, 3, 4)), ((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)),
    ((6, 1, 2, 3), (5, 3, 4)), ((1, 2, 3), (5, 3, 4)), ((2, 0), (0, 2)), ((0, 3), (3, 2)),
]  # fmt: skip


@pytest.mark.parametrize("shapes", MATMULS)
def test_matmul_and_its_gradient(arrays, shapes):
    x, y = arrays(*shapes)
    out = matmul(x, y)
    expected = np.asarray(x) @ np.asarray(y)
    assert out.shape == expected.shape
    np.testing.assert_allclose(np.asarray(out), expected, rtol=1e-12, atol=1e-14)
    gradients = fad.grad(lambda x, y: total(matmul(x, y)), (0, 1))(x, y)
    with jax.enable_x64(True):
        oracle = jax.grad(lambda x, y: ((x @ y) ** 2).sum(), (0, 1))(np.asarray(x), np.asarray(y))
    for g, e in zip(gradients, oracle, strict=True):
        np.testing.assert_allclose(np.asarray(g), e, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("shapes", [s for s in MATMULS if max(map(len, s)) <= 2])
def test_matmul_of_vectors_and_matrices_is_one_operation(arrays, shapes):
    x, y = arrays(*shapes)
    assert equations(matmul, x, y) == ["dot_general"]
    pullback = fad.vjp(matmul, x, y)
    cotangent = pullback[0]
    for argnum in (0, 1):

        def pull(x, y, argnum=argnum):
            return fad.vjp(matmul, x, y)[1](cotangent)[argnum]

        assert equations(pull, x, y) == ["dot_general"]


LABELS = "abcde"


@st.composite
def contractions(draw):
    def labels(choices, most):
        return tuple(draw(st.lists(st.sampled_from(choices), unique=True, max_size=most)))

    x, y = labels(LABELS, 4), labels(LABELS, 4)
    present = sorted({*x, *y})
    return x, y, labels(present, 8) if present else (), draw(st.integers(0, 2**32 - 1))


@given(contractions())
def test_contract_is_einsum(case):
    x_labels, y_labels, out, seed = case
    rng = np.random.default_rng(seed)
    lengths = dict(zip(LABELS, rng.integers(1, 4, len(LABELS)), strict=True))

    def operand(labels):
        return rng.normal(size=[lengths[a] if rng.random() < 0.8 else 1 for a in labels])

    x, y = operand(x_labels), operand(y_labels)
    expected = np.einsum(f"{''.join(x_labels)},{''.join(y_labels)}->{''.join(out)}", x, y)
    with fad.config(compile="never"):
        got = np.asarray(contract(fad.asarray(x), x_labels, fad.asarray(y), y_labels, out))
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-13)


def test_dtypes_promote_as_in_numpy():
    for a, b in "?? ?b bB HB bi iq Bq ee ?e qf ef fd qF dF fD ?D".split():
        x = np.array([[1, 0, 3], [0, 1, 0]]).astype(a)
        y = np.array([[1, 2], [3, 0], [1, 0]]).astype(b)
        with fad.config(compile="never"):
            out = matmul(fad.asarray(x), fad.asarray(y))
            assert out.dtype == (x @ y).dtype
            np.testing.assert_array_equal(np.asarray(out), x @ y)


def test_half_precision_accumulates_in_single():
    x = np.full((1, 4096), 1.0, np.float16)
    assert np.asarray(matmul(fad.asarray(x), fad.asarray(x.T))).item() == 4096


# ---------------------------------------------------------------------------------- batching


def products_in(f, *args):
    return [name for name in equations(f, *args) if name not in ("transpose", "full")]


@pytest.mark.parametrize("shape", [(3,), (3, 2)])
def test_gradient_of_a_shared_matrix_is_one_product(arrays, shape):
    w, xs = arrays((4, 3), (7, *shape))

    def pull(w, xs, cotangent):
        return fad.vjp(lambda w: fad.vmap(lambda x: matmul(w, x))(xs), w)[1](cotangent)

    out = fad.vmap(lambda x: matmul(w, x))(xs)
    assert products_in(pull, w, xs, out) == ["dot_general"]
    expected = np.einsum("ij,bj...->bi...", np.asarray(w), np.asarray(xs))
    np.testing.assert_allclose(np.asarray(out), expected, rtol=1e-13)


def test_mapped_products_stay_one_product(arrays):
    x, y = arrays((5, 2, 3), (5, 3, 4))
    for in_axes in ((0, 0), (0, None), (None, 0)):
        pairs = zip((x, y), in_axes, strict=True)
        args = [a if axis == 0 else fad.asarray(np.asarray(a)[0]) for a, axis in pairs]
        mapped = fad.vmap(matmul, in_axes=in_axes)
        assert products_in(mapped, *args) == ["dot_general"]
        expected = np.asarray(args[0]) @ np.asarray(args[1])
        np.testing.assert_allclose(np.asarray(mapped(*args)), expected, rtol=1e-13)


def test_mapped_products_with_batch_axes(arrays):
    x, y = arrays((6, 5, 2, 3), (5, 3, 4))
    pair, batch = ((2,), (1,)), ((0,), (0,))
    out = fad.vmap(lambda x: dot_general(x, y, pair, batch))(x)
    np.testing.assert_allclose(np.asarray(out), np.asarray(x) @ np.asarray(y), rtol=1e-13)
    out = fad.vmap(lambda x: dot_general(y, x, ((1,), (2,)), batch))(x)
    expected = np.swapaxes(np.asarray(x) @ np.asarray(y), -1, -2)
    np.testing.assert_allclose(np.asarray(out), expected, rtol=1e-13)


# ------------------------------------------------------------------- products with the identity


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_the_jacobian_of_an_affine_map_has_no_product(arrays, mode):
    w, x, t, m = arrays((4, 3), (3,), (5, 2, 3), (3, 2))
    affine = fad.jacobian(lambda x: matmul(w, x) + 1.0, mode=mode)
    np.testing.assert_array_equal(np.asarray(affine(x)), np.asarray(w))
    assert "dot_general" not in equations(affine, x)

    def trilinear(m):
        return dot_general(t, m, ((2, 1), (0, 1)))

    jacobian = fad.jacobian(trilinear, mode=mode)
    np.testing.assert_array_equal(np.asarray(jacobian(m)), np.asarray(t).transpose(0, 2, 1))
    assert "dot_general" not in equations(jacobian, m)


def test_a_part_of_the_identity_is_multiplied(arrays):
    w, m = arrays((4, 3), (3, 2))
    jacobian = fad.jacobian(lambda m: matmul(w, m))(m)
    expected = np.einsum("ij,kl->ikjl", np.asarray(w), np.eye(2))
    np.testing.assert_array_equal(np.asarray(jacobian), expected)


def test_the_hessian_of_a_quadratic_form_is_its_matrix(arrays):
    a, x = arrays((3, 3), (3,))
    hessian = fad.hessian(lambda x: matmul(x, matmul(a, x)))(x)
    np.testing.assert_allclose(np.asarray(hessian), np.asarray(a) + np.asarray(a).T, rtol=1e-15)


# ------------------------------------------------------------------------------------ messages


@pytest.mark.parametrize(
    ("shapes", "text"),
    [
        (((), (3,)), "at least one axis"),
        (((2, 3), (2,)), r"shapes \(2, 3\) and \(2,\) do not fit"),
        (((2, 3), (4, 2)), "second to last axis"),
        (((5, 2, 3), (4, 3, 2)), "broadcast"),
    ],
)
def test_matmul_says_what_does_not_fit(arrays, shapes, text):
    with pytest.raises(fad.FadError, match=text) as caught:
        matmul(*arrays(*shapes))
    assert isinstance(caught.value, ValueError)
    assert __file__ in str(caught.value)


def test_dot_general_says_what_does_not_fit(arrays):
    x, y = arrays((2, 3), (2, 4))
    with pytest.raises(fad.FadError, match="the contracted axes"):
        dot_general(x, y, ((1,), (1,)))
    with pytest.raises(fad.FadError, match="the batch axes"):
        dot_general(x, y, ((), ()), ((1,), (1,)))
