"""Checks of sparsity: what a declaration says is zero in Jacobian and Hessian does not react."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import fad
from fad.core.graph import Graph
from fad.primitives.identity import STOP_GRADIENT
from fad.primitives.sparsity import Sparsity, sparsity
from tests.primitives.cases import Case, noise, resolution

KINDS = ("sample", "complex", "ranks differ", "operand 0 repeated", "operand 1 repeated")


def check_sparsity(case: Case) -> None:
    """Elements react to those they may depend on alone; derivatives to the operands they may."""
    if case.kind not in KINDS:
        return
    declared = sparsity(case.declaration.primitive, len(case.operands))
    if declared.elementwise:
        _check_elementwise(case)
    if case.differentiable:
        _check_partials(case, declared)
        _check_constant(case, declared)


# ---------------------------------------------------------------------------------------- elements


def _check_elementwise(case: Case) -> None:
    """With one element of one operand or cotangent changed, only elements at its place change."""
    inputs, run = _value_and_derivatives(case)
    before = _run(run, inputs)
    shape = np.broadcast_shapes(*[x.shape for x in case.operands])
    for k, x in enumerate(inputs):
        for place in {0, x.size - 1} if x.size > 1 else ():
            changed = list(inputs)
            changed[k] = x.copy()
            changed[k].flat[place] = x.flat[x.size - 1 - place]
            reached = _places(x.shape, shape) == place
            for old, new in zip(before, _run(run, changed), strict=True):
                places = _places(old.shape, shape)
                others = np.setdiff1d(places[~reached], places[reached])
                # The slowest element may decide how many terms of a series are added up.
                eps = resolution(new.dtype) if new.dtype.kind in "fc" else 0.0
                np.testing.assert_allclose(new.flat[others], old.flat[others], rtol=4 * eps, atol=0)


def _places(shape: tuple[int, ...], whole: tuple[int, ...]) -> np.ndarray:
    """For each element of the broadcast shape, the element that is repeated there."""
    return np.broadcast_to(np.arange(int(np.prod(shape))).reshape(shape), whole)


def _value_and_derivatives(case: Case) -> tuple[list[np.ndarray], Callable[..., list[Any]]]:
    """Operands, tangents and cotangents, and the function of them to value, jvp and vjp."""
    operands, moving = case.operands, case.moving
    if not case.differentiable:
        return list(operands), case.function
    function, xs = case.split()
    tangents = [noise(x, 40 + i) for i, x in enumerate(xs)]
    cotangents = [noise(o, 50 + i) for i, o in enumerate(function(*xs))]
    count, n = len(operands), len(moving)

    def run(*args: Any) -> list[Any]:
        def of_moving(*ys: Any) -> list[Any]:
            full = list(args[:count])
            for i, y in zip(moving, ys, strict=True):
                full[i] = y
            return case.function(*full)

        points = tuple([args[i] for i in moving])
        out, pushed = fad.jvp(of_moving, points, tuple(args[count : count + n]))
        return [*out, *pushed, *fad.vjp(of_moving, *points)[1](list(args[count + n :]))]

    return [*operands, *tangents, *cotangents], run


def _run(function: Callable[..., list[Any]], args: Sequence[Any]) -> list[np.ndarray]:
    return [np.asarray(out) for out in function(*args)]


# ---------------------------------------------------------------------------------------- operands


def _check_partials(case: Case, declared: Sparsity) -> None:
    """The derivative in an operand does not depend on what it is not declared to depend on.

    Its bits are the same at two points, and a second derivative finds nothing to follow.
    """
    function, xs = case.split()
    for k, i in enumerate(case.moving):
        on = declared.partials[i] or frozenset()
        free = {n for n, j in enumerate(case.moving) if j not in on}
        smooth = [n in free and declared.partials[j] is not None for n, j in enumerate(case.moving)]
        elsewhere = [x * 1.25 if moved else x for x, moved in zip(xs, smooth, strict=True)]
        for derivative, direction in _derivatives(function, xs, k):
            args = [direction, *xs]
            graph = fad.make_graph(derivative)(*args)
            reacting = _reaching(graph)
            assert not reacting & {1 + n for n in free}
            if declared.partials[i] is None:
                assert 0 not in reacting
                assert not any(np.any(out) for out in _run(derivative, args))
            for old, new in zip(
                _run(derivative, args), _run(derivative, [direction, *elsewhere]), strict=True
            ):
                np.testing.assert_array_equal(new, old)


def _check_constant(case: Case, declared: Sparsity) -> None:
    """The value does not move with operands in which the derivative is zero, between jumps."""
    function, xs = case.split()
    still = [declared.partials[i] is None for i in case.moving]
    related = case.declaration.oracle is not None  # an operand may be a function of another
    if related or case.declaration.primitive is STOP_GRADIENT or not any(still):
        return
    xs = [x * (1 + 0.03 * noise(x, 95 + n)) for n, x in enumerate(xs)]
    near = [
        x * (1 + 1e-10 * noise(x, 97)) if held else x for x, held in zip(xs, still, strict=True)
    ]
    for old, new in zip(_run(function, xs), _run(function, near), strict=True):
        np.testing.assert_array_equal(new, old)


def _derivatives(
    function: Callable[..., list[Any]], xs: Sequence[Any], k: int
) -> Iterator[tuple[Callable[..., list[Any]], Any]]:
    """The jvp and the vjp in the k-th of ``xs``, functions of the direction and all of them."""

    def alone(ys: Sequence[Any]) -> Callable[[Any], list[Any]]:
        return lambda y: function(*ys[:k], y, *ys[k + 1 :])

    def push(tangent: Any, *ys: Any) -> list[Any]:
        return list(fad.jvp(alone(ys), (ys[k],), (tangent,))[1])

    yield push, noise(xs[k], 60)
    for n, out in enumerate(function(*xs)):

        def pull(cotangent: Any, *ys: Any, n: int = n) -> list[Any]:
            outs, pullback = fad.vjp(alone(ys), ys[k])
            zeros = [np.zeros(o.shape, o.dtype) for o in outs]
            return list(pullback([*zeros[:n], cotangent, *zeros[n + 1 :]]))

        yield pull, noise(out, 61)


def _reaching(graph: Graph) -> set[int]:
    """The inputs of a graph, by position, through which its outputs have derivatives."""
    needed = set(graph.outputs)
    for eqn in reversed(graph.equations):
        if needed & set(eqn.outputs):
            partials = sparsity(eqn.operation.primitive, len(eqn.inputs)).partials
            needed |= {v for v, on in zip(eqn.inputs, partials, strict=True) if on is not None}
    return {k for k, v in enumerate(graph.inputs) if v in needed}
