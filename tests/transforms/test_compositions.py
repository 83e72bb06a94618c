"""Compositions of transforms that share tensors: closures, arguments that are captured too, results
of outer levels. Each is called three times, with other numbers: recorded, then replayed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import fad

X = np.array([0.5, -1.25, 2.0])
Z = np.array([1 + 2j, -0.5j])


def captured(f: Callable[[Any], Any]) -> Callable[[float], Any]:
    """The function of a tensor, which it may use as argument and capture at once."""
    return lambda s: f(fad.asarray(s * X))


def result_of_outer_level(s: Any) -> Any:
    """The result of an inner function belongs to an outer level alone."""
    return fad.grad(lambda x: fad.vjp(lambda y: x * 1.0, 2.0)[0])(s)


def after_an_error(s: Any) -> Any:
    """A gradient after one that failed."""
    with pytest.raises(ZeroDivisionError):
        fad.grad(lambda x: (x * x, 1 // 0))(s)
    return fad.grad(lambda x: x * x)(s)


def gradients(order: int) -> Any:
    """The derivative of a cube of this order."""
    return fad.grad(gradients(order - 1)) if order else lambda x: x**3


CASES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "identity_grad": (
        lambda s: fad.grad(lambda x: x)(s),
        lambda s: 1.0,
    ),
    "identity_vjp": (
        lambda s: fad.vjp(lambda x: x, s * X)[1](X)[0],
        lambda s: X,
    ),
    "identity_jvp": (
        lambda s: fad.jvp(lambda x: x, (s * X,), (X,)),
        lambda s: (s * X, X),
    ),
    "identity_hess": (
        lambda s: fad.hessian(lambda x: x)(s),
        lambda s: 0.0,
    ),
    "dup_out": (
        lambda s: fad.jacobian(lambda x: (x, x, x * x))(s * X),
        lambda s: (np.eye(3), np.eye(3), np.diag(2 * s * X)),
    ),
    "dup_out_fwd": (
        lambda s: fad.jacfwd(lambda x: (x, x, x * x))(s * X),
        lambda s: (np.eye(3), np.eye(3), np.diag(2 * s * X)),
    ),
    "dup_rev": (
        lambda s: fad.jacrev(lambda x: (x, x, x * x))(s * X),
        lambda s: (np.eye(3), np.eye(3), np.diag(2 * s * X)),
    ),
    "same_arg_twice": (
        captured(lambda a: fad.grad(lambda x, y: (x * x * y).sum(), (0, 1))(a, a)),
        lambda s: (2 * (s * X) ** 2, (s * X) ** 2),
    ),
    "closed_arg": (
        captured(lambda a: fad.grad(lambda x: (x * a).sum())(a)),
        lambda s: s * X,
    ),
    "closed_arg_hvp": (
        captured(lambda a: fad.hvp(lambda x: (x * x * a).sum(), (a,), (a,))[0]),
        lambda s: 2 * (s * X) ** 2,
    ),
    "closed_arg_hess": (
        captured(lambda a: fad.hessian(lambda x: (x * x * a).sum())(a)),
        lambda s: np.diag(2 * s * X),
    ),
    "closed_jacfwd": (
        captured(lambda a: fad.jacfwd(lambda x: x * a)(a)),
        lambda s: np.diag(s * X),
    ),
    "vjp_ct_is_primal": (
        captured(lambda a: fad.vjp(lambda x: x**3, a)[1](a)[0]),
        lambda s: 3 * (s * X) ** 3,
    ),
    "jvp_t_is_primal": (
        captured(lambda a: fad.jvp(lambda x: x**3, (a,), (a,))[1]),
        lambda s: 3 * (s * X) ** 3,
    ),
    "grad_wrt_tangent": (
        lambda s: fad.grad(lambda t: fad.jvp(lambda x: x**3, (s * X,), (t,))[1].sum())(X),
        lambda s: 3 * (s * X) ** 2,
    ),
    "grad_of_value_in_ct": (
        lambda s: fad.grad(lambda t: (fad.vjp(lambda x: x**3, t)[1](t)[0]).sum())(s * X),
        lambda s: 9 * (s * X) ** 2,
    ),
    "vjp_outer_out": (
        result_of_outer_level,
        lambda s: 1.0,
    ),
    "vjp_outer_ct": (
        lambda s: fad.grad(lambda x: fad.vjp(lambda y: y * y, 2.0)[1](x)[0])(s),
        lambda s: 4.0,
    ),
    "jacobian_wrt_closure": (
        lambda s: fad.grad(lambda x: fad.jacobian(lambda y: y * y * x)(X).sum())(s),
        lambda s: 2 * X.sum(),
    ),
    "hessian_wrt_closure": (
        lambda s: fad.grad(lambda x: fad.hessian(lambda y: (y**3).sum() * x * x)(X).sum())(s),
        lambda s: 6 * X.sum() * 2 * s,
    ),
    "hvp_wrt_closure": (
        lambda s: fad.grad(lambda x: fad.hvp(lambda y: (y**3).sum() * x * x, (X,), (X,))[0].sum())(
            s
        ),
        lambda s: (6 * X * X).sum() * 2 * s,
    ),
    "hvp_wrt_v": (
        lambda s: fad.grad(lambda v: fad.hvp(lambda y: (y**3).sum(), (s * X,), (v,))[0].sum())(X),
        lambda s: 6 * s * X,
    ),
    "vmap_hvp": (
        lambda s: fad.vmap(lambda v: fad.hvp(lambda y: (y**3).sum(), (s * X,), (v,))[0])(np.eye(3)),
        lambda s: np.diag(6 * s * X),
    ),
    "linearize_wrt_closure": (
        lambda s: fad.grad(lambda x: fad.linearize(lambda y: y * y * x, X)[1](X).sum())(s),
        lambda s: (2 * X * X).sum(),
    ),
    "linearize_T_wrt_closure": (
        lambda s: fad.grad(lambda x: fad.linearize(lambda y: y * y * x, X)[1].T(X).sum())(s),
        lambda s: (2 * X * X).sum(),
    ),
    "vmap_linearize": (
        lambda s: fad.vmap(lambda x: fad.linearize(lambda y: y * y, x)[1](1.0))(s * X),
        lambda s: 2 * s * X,
    ),
    "vmap_linearize_T": (
        lambda s: fad.vmap(lambda x: fad.linearize(lambda y: y * y, x)[1].T(1.0))(s * X),
        lambda s: 2 * s * X,
    ),
    "vmap_linearize_matrix": (
        lambda s: fad.vmap(lambda x: fad.linearize(lambda y: np.stack([y * y, y]), x)[1].matrix())(
            s * X
        ),
        lambda s: np.stack([2 * s * X, np.ones(3)], 1)[:, :, None],
    ),
    "jit_linearize_matrix": (
        lambda s: fad.jit(lambda x: fad.linearize(lambda y: y * y, x)[1].matrix())(s * X),
        lambda s: np.diag(2 * s * X),
    ),
    "jit_value_grad_hess": (
        lambda s: fad.jit(fad.value_grad_and_hessian(lambda x: (x**3).sum()))(s * X),
        lambda s: (((s * X) ** 3).sum(), 3 * (s * X) ** 2, np.diag(6 * s * X)),
    ),
    "vmap_hessian_closure": (
        lambda s: fad.vmap(lambda a: fad.hessian(lambda x: (x**3).sum() * a)(X))(s * X),
        lambda s: np.stack([np.diag(6 * X * a) for a in s * X]),
    ),
    "vmap_jacobian_closure_chunk": (
        lambda s: fad.vmap(lambda a: fad.jacobian(lambda x: x * x * a, chunk_size=2)(X))(s * X),
        lambda s: np.stack([np.diag(2 * X * a) for a in s * X]),
    ),
    "vmap_vjp_of_jit": (
        lambda s: fad.vmap(lambda x: fad.vjp(fad.jit(lambda y: y**3), x)[1](2.0)[0])(s * X),
        lambda s: 6 * (s * X) ** 2,
    ),
    "jit_static_closure_in_grad": (
        lambda s: fad.grad(lambda x: fad.jit(lambda y, n: y**n * x, static_argnums=1)(x, 2))(s),
        lambda s: 3 * s * s,
    ),
    "vmap_out_None_grad": (
        lambda s: fad.grad(lambda w: fad.vmap(lambda x: w * w, out_axes=None)(X))(s),
        lambda s: 2 * s,
    ),
    "vmap_chunk_grad": (
        lambda s: fad.grad(lambda w: fad.vmap(lambda x: w * w * x, chunk_size=2)(X).sum())(s),
        lambda s: 2 * s * X.sum(),
    ),
    "gnvp_closure": (
        lambda s: fad.grad(lambda c: fad.gnvp(lambda x: x * c, (X,), (X,))[0].sum())(s),
        lambda s: 2 * s * X.sum(),
    ),
    "vhp_closure": (
        lambda s: fad.grad(lambda c: fad.vhp(lambda x: (x**3).sum() * c, (X,), (X,))[0].sum())(s),
        lambda s: (6 * X * X).sum(),
    ),
    "read_in_grad_then_more": (
        lambda s: fad.grad(lambda x: (lambda y: y * float(y) + y)(x * x))(s),
        lambda s: 2 * s * (s * s) + 2 * s,
    ),
    "after_exc": (
        after_an_error,
        lambda s: 2 * s,
    ),
    "recursive_grads": (
        lambda s: gradients(3)(s),
        lambda s: 6.0,
    ),
    "grad_of_jacrev_w_aux": (
        lambda s: fad.jacrev(lambda x: (x * x, {"y": x * 3}), has_aux=True)(s * X),
        lambda s: (np.diag(2 * s * X), {"y": 3 * s * X}),
    ),
    "jacfwd_aux": (
        lambda s: fad.jacfwd(lambda x: (x * x, {"y": x * 3}), has_aux=True)(s * X),
        lambda s: (np.diag(2 * s * X), {"y": 3 * s * X}),
    ),
    "aux_is_x": (
        lambda s: fad.value_and_grad(lambda x: (x.sum(), x), has_aux=True)(s * X),
        lambda s: (((s * X).sum(), s * X), np.ones(3)),
    ),
    "aux_is_x_vjp": (
        lambda s: (lambda r: (r[0], r[2], r[1](1.0)))(
            fad.vjp(lambda x: (x.sum(), x), s * X, has_aux=True)
        ),
        lambda s: ((s * X).sum(), s * X, (np.ones(3),)),
    ),
    "scan_like": (
        lambda s: fad.grad(lambda x: sum((x * i for i in range(5)), 0.0))(s),
        lambda s: 10.0,
    ),
    "complex_jvp_nested": (
        lambda s: fad.jvp(lambda z: fad.jvp(lambda w: w**3, (z,), (z,))[1], (s * Z,), (Z,))[1],
        lambda s: 9 * (s * Z) ** 2 * Z,
    ),
    "complex_grad_of_grad": (
        lambda s: fad.grad(lambda x: np.abs(fad.grad(lambda t: np.abs(t * (1 + 2j)) ** 2)(x)))(s),
        lambda s: 10.0,
    ),
    "f32_hess": (
        lambda s: fad.hessian(lambda x: (x**3).sum())((s * X).astype(np.float32)),
        lambda s: np.diag(6 * s * X),
    ),
    "weak_jvp": (
        lambda s: fad.jvp(lambda x: x * np.float32(2), (s,), (1.0,)),
        lambda s: (2 * s, 2.0),
    ),
    "dict_keys_order": (
        lambda s: fad.grad(lambda d: d["b"] * d["a"] ** 2)({"b": s, "a": 3.0}),
        lambda s: {"a": 6 * s, "b": 9.0},
    ),
    "jit_of_vmap_of_jit": (
        lambda s: fad.jit(fad.vmap(fad.jit(fad.grad(lambda x: x**3))))(s * X),
        lambda s: 3 * (s * X) ** 2,
    ),
    "grad_through_vmap_in_axes_None_tree": (
        lambda s: fad.grad(
            lambda p: fad.vmap(lambda p, x: p["w"] * x + p["b"], (None, 0))(p, X).sum()
        )({"w": s, "b": 1.0}),
        lambda s: {"b": 3.0, "w": X.sum()},
    ),
    "hessian_of_vmap": (
        lambda s: fad.hessian(lambda x: fad.vmap(lambda a: a**3)(x).sum())(s * X),
        lambda s: np.diag(6 * s * X),
    ),
    "jac_of_hvp": (
        lambda s: fad.jacobian(lambda x: fad.hvp(lambda y: (y**4).sum(), (x,), (X,))[0])(s * X),
        lambda s: np.diag(24 * s * X * X),
    ),
    "third_order": (
        lambda s: fad.jacfwd(fad.hessian(lambda y: (y**4).sum()))(s * X).sum(),
        lambda s: (24 * s * X).sum(),
    ),
    "third_order_rev": (
        lambda s: fad.jacrev(fad.hessian(lambda y: (y**4).sum()))(s * X).sum(),
        lambda s: (24 * s * X).sum(),
    ),
    "jit_third": (
        lambda s: fad.jit(fad.jacrev(fad.hessian(lambda y: (y**4).sum())))(s * X).sum(),
        lambda s: (24 * s * X).sum(),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_composition(name: str) -> None:
    call, exact = CASES[name]
    for s in (1.0, 1.5, 2.0):
        found, expected = jax.tree_util.tree_leaves(call(s)), jax.tree_util.tree_leaves(exact(s))
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            assert np.shape(a) == np.shape(b)
            rtol = 1e-5 if a.dtype == np.float32 else 1e-11
            np.testing.assert_allclose(np.asarray(a), b, rtol=rtol, atol=1e-12)
