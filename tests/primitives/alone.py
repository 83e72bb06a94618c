"""Checks of operands and results one at a time: what they give together is their sum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import fad
from tests.primitives.cases import Case, Function, noise


def check_alone(case: Case) -> None:
    """Each operand by itself has the tangent and the cotangent that it has with the others.

    The cotangents of each result by itself, the others not asked for, add up to that of all.
    """
    if not case.differentiable:
        return
    function, xs = case.split()
    out, pullback = fad.vjp(function, *xs)
    cotangents = [noise(o, 20 + i) for i, o in enumerate(out)]
    pulled = pullback(cotangents)
    if len(xs) > 1:
        _check_operands(case, function, xs, cotangents, pulled)
    if len(out) > 1:
        _check_results(case, function, xs, cotangents, pulled)


def _check_operands(
    case: Case, function: Function, xs: Sequence[Any], cotangents: list[Any], pulled: Sequence[Any]
) -> None:
    tangents = [noise(x, 10 + i) for i, x in enumerate(xs)]
    parts = []
    for k, x in enumerate(xs):

        def of_one(y: Any, k: int = k) -> list[Any]:
            return function(*xs[:k], y, *xs[k + 1 :])

        parts.append(fad.jvp(of_one, (x,), (tangents[k],))[1])
        (alone,) = fad.vjp(of_one, x)[1](cotangents)
        _check_sum([alone], pulled[k], case.eps)
    pushed = fad.jvp(function, tuple(xs), tuple(tangents))[1]
    for together, *apart in zip(pushed, *parts, strict=True):
        _check_sum(apart, together, case.eps)


def _check_results(
    case: Case, function: Function, xs: Sequence[Any], cotangents: list[Any], pulled: Sequence[Any]
) -> None:
    parts = [
        fad.vjp(lambda *ys, k=k: function(*ys)[k], *xs)[1](cotangent)
        for k, cotangent in enumerate(cotangents)
    ]
    for together, *apart in zip(pulled, *parts, strict=True):
        _check_sum(apart, together, case.eps)


def _check_sum(apart: Sequence[Any], together: Any, eps: float) -> None:
    assert all((p.shape, p.dtype) == (together.shape, together.dtype) for p in apart)
    each = [np.asarray(p) for p in apart]
    size = sum(float(np.max(np.abs(p[np.isfinite(p)]), initial=0.0)) for p in each)
    np.testing.assert_allclose(
        sum(each), np.asarray(together), rtol=1e3 * eps, atol=1e2 * eps * size
    )
