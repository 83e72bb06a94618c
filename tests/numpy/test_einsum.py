"""einsum: NumPy's results and refusals, JAX's derivatives, the order of contractions."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from jax import numpy as jnp

import fad
from fad.core.graph import simplify
from fad.numpy.einsum import einsum, einsum_path

CASES = [
    ("ii", (3, 3)), ("ii->i", (3, 3)), ("ij->", (2, 3)), ("ij->j", (2, 3)), ("ij->ji", (2, 3)),
    ("ji", (2, 3)), ("iii->i", (3, 3, 3)), ("iij->j", (3, 3, 2)), ("iij->ij", (3, 3, 2)),
    ("ij,jk", (2, 3), (3, 4)), ("ij , jk -> ki", (2, 3), (3, 4)), ("i,i", (3,), (3,)),
    ("i,j->ji", (2,), (3,)), ("ij,j->ij", (2, 3), (3,)), (",ij->ij", (), (2, 3)),
    ("...ij,...jk->...ik", (4, 2, 3), (3, 2)), ("...i,...i", (4, 1, 3), (5, 3)),
    ("i...->...", (3, 2)), ("i...->...i", (2, 3, 4)), ("...,...", (2, 3), (3,)),
    ("ij,kl,ij->kl", (2, 3), (2, 2), (2, 3)), ("bi,ijk,bk->bj", (4, 2), (2, 3, 5), (4, 5)),
    ("ii,jj->ij", (3, 3), (2, 2)), ("i,ij,j->", (3,), (3, 2), (2,)), ("i->", (0,)),
    ("aab,abc->c", (2, 2, 3), (2, 3, 2)), ("ij,ij->ij", (1, 3), (2, 3)), ("ii->i", (0, 0)),
    ("ij,ij,ij->j", (1, 3), (2, 1), (2, 3)), ("ij,jk,kl,lm,mn->in", *[(2, 2)] * 5),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_value(rng, case):
    subscripts, *shapes = case
    operands = [rng.normal(size=s) for s in shapes]
    expected = np.einsum(subscripts, *operands)
    got = np.asarray(einsum(subscripts, *operands))
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    "case", [c for c in CASES if c[0] not in ("...i,...i", "ij,ij,ij->j", "ij,ij->ij")][::3],
    ids=lambda case: case[0],
)  # fmt: skip
def test_gradient(rng, case):
    subscripts, *shapes = case
    operands = [rng.normal(size=s) for s in shapes]
    every = tuple(range(len(shapes)))
    got = fad.grad(lambda *xs: fad.numpy.sum(einsum(subscripts, *xs) ** 2), every)(*operands)
    with jax.enable_x64(True):
        oracle = jax.grad(lambda *xs: jnp.sum(jnp.einsum(subscripts, *xs) ** 2), every)(*operands)
    for g, e in zip(got, oracle, strict=True):
        np.testing.assert_allclose(np.asarray(g), e, rtol=1e-10, atol=1e-12)


def test_dtypes():
    integers = np.arange(4, dtype=np.int32).reshape(2, 2)
    assert einsum("ij,jk", integers, integers.astype(np.int8)).dtype == np.int32
    yes = np.ones((2, 2), bool)
    assert np.asarray(einsum("ij,jk", yes, yes)).tolist() == [[True, True]] * 2
    assert einsum("ij->", integers, dtype=np.float32).dtype == np.float32


def test_sublists(rng):
    a, b = rng.normal(size=(2, 3)), rng.normal(size=(3, 4))
    for operands in (
        (a, [0, 1], b, [1, 2]),
        (a, [0, 1], b, [1, 2], [2, 0]),
        (a, [..., 1], b, [1, 2], [..., 2]),
        (a, [10, 3], [3, 10]),
    ):
        expected = np.einsum(*operands)
        np.testing.assert_allclose(np.asarray(einsum(*operands)), expected, rtol=1e-13)


def test_the_order_of_contractions(rng):
    a, b, c = rng.normal(size=(2, 30)), rng.normal(size=(30, 40)), rng.normal(size=(40, 1))
    expected = np.einsum("ij,jk,kl->il", a, b, c)
    path = ["einsum_path", (1, 2), (0, 1)]
    assert einsum_path("ij,jk,kl->il", a, b, c)[0] == path
    for optimize in (True, False, "greedy", "optimal", ("greedy", 100), path):
        got = np.asarray(einsum("ij,jk,kl->il", a, b, c, optimize=optimize))
        np.testing.assert_allclose(got, expected, rtol=1e-12)
    graph = simplify(fad.make_graph(lambda *xs: einsum("ij,jk,kl->il", *xs))(a, b, c))
    shapes = [graph.avals[eqn.outputs[0]].shape for eqn in graph.equations]
    assert shapes == [(30, 1), (2, 1)]


@pytest.mark.parametrize(
    ("subscripts", "shapes", "text"),
    [
        ("ij,jk", [(3, 3)], "'ij,jk' names 2 operands, got 1"),
        ("ij", [(3,)], "'ij' names 2 axes of operand 0, which has 1"),
        ("ij,jk", [(2, 3), (2, 3)], "axes 'j' of lengths 3 and 2"),
        ("ij->ik", [(3, 3)], "names 'k' in no operand"),
        ("ij->ii", [(3, 3)], "names 'i' twice in the output"),
        ("i$->i", [(3, 3)], r"invalid character '\$'"),
        ("...i->i", [(3, 3)], "has an ellipsis, which the output lacks"),
        ("i...jk", [(3, 3)], "names too many axes"),
    ],
)
def test_messages(rng, subscripts, shapes, text):
    operands = [rng.normal(size=s) for s in shapes]
    with pytest.raises(ValueError, match=text):
        einsum(subscripts, *operands)
    with pytest.raises(ValueError, match=r"ein|operand|dimension|subscript"):
        np.einsum(subscripts, *operands)
