"""Checks of batching: vmap against a loop, over every operand and every axis."""

from __future__ import annotations

from typing import Any

import numpy as np

import fad
from fad.batching.batch import BATCHED
from tests.primitives import checks
from tests.primitives.cases import Case, Function, cases_of, inexact, noise, split
from tests.primitives.values import same

SIZE = 3


def stacked(x: np.ndarray, turned: bool) -> np.ndarray:
    """Three examples like ``x`` that stay in its domain; the last is ``turned`` end for end."""
    last = x[(..., *[slice(None, None, -1) for _ in x.shape])] if turned else x
    if not inexact(x):
        return np.stack([x, x, last])
    return np.stack([x, x * np.asarray(0.9, x.dtype), last * np.asarray(0.8, x.dtype)])


def patterns_of(case: Case) -> list[tuple[bool, ...]]:
    """Each operand batched alone, and all together."""
    count = len(case.operands)
    alone = {tuple(i == j for i in range(count)) for j in range(count)}
    return sorted(alone | {(True,) * count}) if count else []


def check_batched(case: Case) -> None:
    """vmap agrees with a loop over examples: value, both derivatives, pullbacks within vmap."""
    kinds = ["sample", "0-d", "ranks differ"]
    if case.declaration.primitive.elementwise is not None:
        kinds.append("complex")
        first = cases_of(case.declaration.primitive.name)[0]
        if case is first and len(case.operands) > 1:
            return  # its 0-d variant, and that of different ranks, say as much
    if case.kind not in kinds:
        return
    for pattern in patterns_of(case):
        _check_pattern(case, pattern)
    _check_own_rule(case)


def _batch(case: Case, pattern: tuple[bool, ...]) -> tuple[list[Any], tuple[Any, ...]]:
    # Operands of one operation may have to fit each other, element by element or as wholes.
    turned = case.declaration.primitive.elementwise is not None or len(pattern) == 1
    batched = [stacked(x, turned) if b else x for x, b in zip(case.operands, pattern, strict=True)]
    return batched, tuple(0 if b else None for b in pattern)


def _looped(function: Any, batched: list[Any], pattern: tuple[bool, ...]) -> list[np.ndarray]:
    each = [
        function(*[x[i] if b else x for x, b in zip(batched, pattern, strict=True)])
        for i in range(SIZE)
    ]
    return [np.stack([np.asarray(one[k]) for one in each]) for k in range(len(each[0]))]


def _check_pattern(case: Case, pattern: tuple[bool, ...]) -> None:
    batched, axes = _batch(case, pattern)
    function = case.function
    mapped = fad.vmap(function, in_axes=axes)
    same(mapped(*batched), case.keep(f"loop{pattern}", lambda: _looped(function, batched, pattern)))
    if not case.differentiable:
        return
    checks.adjoint(*split(mapped, batched))
    pull = _pullback(function)
    same(fad.vmap(pull, in_axes=axes)(*batched), _looped(pull, batched, pattern))


def _pullback(function: Function) -> Function:
    def pull(*example: Any) -> list[Any]:
        of_moving, moving = split(function, example)
        out, pullback = fad.vjp(of_moving, *moving)
        return list(pullback([noise(o, 50 + i) for i, o in enumerate(out)]))

    return pull


def _check_own_rule(case: Case) -> None:
    """A batching rule of the primitive's own is the one that runs, where all are batched."""
    if case.declaration.primitive.batch is None or not case.operands:
        return
    pattern = (True,) * len(case.operands)
    batched, axes = _batch(case, pattern)
    graph = fad.make_graph(fad.vmap(case.function, in_axes=axes))(*batched)
    generic = [
        eqn
        for eqn in graph.equations
        if eqn.operation.primitive is BATCHED
        and eqn.operation.params["operation"] is case.operation
    ]
    assert not generic


def check_axes(case: Case) -> None:
    """The batch may lie on any axis of each operand and of the result."""
    if case.kind != "sample":
        return
    function = case.function
    for j in range(len(case.operands)):
        pattern = tuple(i == j for i in range(len(case.operands)))
        batched, axes = _batch(case, pattern)
        expected = case.keep(f"loop{pattern}", lambda b=batched, p=pattern: _looped(function, b, p))
        for axis in range(1, batched[j].ndim):
            moved = list(batched)
            moved[j] = np.moveaxis(batched[j], 0, axis)
            places = tuple(axis if i == j else None for i in range(len(axes)))
            for out_axis in {-1, min(1, min(o.ndim for o in expected) - 1)}:
                outs = fad.vmap(function, in_axes=places, out_axes=out_axis)(*moved)
                same(outs, [np.moveaxis(e, 0, out_axis) for e in expected])
