"""What every primitive must satisfy at every case, and the derivatives' part of it.

Programs run kernel by kernel, since kernels are shared by all checks and programs are not: that is
several times quicker than compiling. Where compilation is the thing tested, it happens.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

import fad
from fad.core import kernels
from fad.core.apply import apply
from fad.core.aval import make_aval
from fad.core.graph import evaluate
from fad.reverse import trace
from tests.primitives import batching, values
from tests.primitives.alone import check_alone
from tests.primitives.cases import Case, Function, cases_of, noise, resolution, split
from tests.primitives.sparsity import check_sparsity
from tests.primitives.values import same


def pairing(a: Sequence[Any], b: Sequence[Any]) -> float:
    """The real bilinear pairing under which JAX's complex convention transposes."""
    return float(sum(np.sum(np.asarray(x) * np.asarray(y)).real for x, y in zip(a, b, strict=True)))


def adjoint(function: Function, xs: Sequence[Any]) -> None:
    """<w, J v> = <J' w, v> for random v and w; and jvp, vjp give the same value."""
    if not xs:
        return
    tangents = tuple(noise(x, 10 + i) for i, x in enumerate(xs))
    out, pushed = fad.jvp(function, tuple(xs), tangents)
    if not out:
        return
    value, pullback = fad.vjp(function, *xs)
    same(out, value)
    cotangents = [noise(o, 20 + i) for i, o in enumerate(out)]
    pulled = pullback(cotangents)
    for p, x in zip(pulled, xs, strict=True):
        assert (p.shape, p.dtype) == (np.shape(x), np.asarray(x).dtype)
    for p, o in zip(pushed, out, strict=True):
        assert (p.shape, p.dtype) == (o.shape, o.dtype)
    left, right = pairing(cotangents, pushed), pairing(pulled, tangents)
    magnitude = sum(
        float(np.sum(np.abs(np.asarray(x) * np.asarray(y))))
        for x, y in itertools.chain(
            zip(cotangents, pushed, strict=True), zip(pulled, tangents, strict=True)
        )
    )
    eps = max(resolution(x.dtype) for x in [*map(np.asarray, xs), *out])
    loose = 1e5 if eps < 1e-10 else 1e3
    np.testing.assert_allclose(
        left, right, rtol=loose * eps, atol=0.1 * loose * eps * (1 + magnitude)
    )


def check_adjoint(case: Case) -> None:
    """Forward and reverse rules are each other's transposes."""
    if case.differentiable:
        adjoint(*case.split())


def check_second_order(case: Case) -> None:
    """The pullback, a function of point and cotangent, has derivatives that are transposes.

    And it changes as the forward rule does: <w, d(J v)> = <d(J' w), v>.
    """
    function, xs = case.split()
    if not case.differentiable or case.eps > 1e-10:
        return
    cotangents = [noise(o, 30 + i) for i, o in enumerate(function(*xs))]
    count = len(cotangents)

    def flat(*both: Any) -> list[Any]:
        return list(fad.vjp(function, *both[count:])[1](list(both[:count])))

    adjoint(flat, [*cotangents, *xs])
    tangents = tuple(noise(x, 31 + i) for i, x in enumerate(xs))
    direction = tuple(noise(x, 32 + i) for i, x in enumerate(xs))
    pushed = fad.jvp(lambda *ys: list(fad.jvp(function, ys, tangents)[1]), tuple(xs), direction)[1]
    pulled = fad.jvp(lambda *ys: flat(*cotangents, *ys), tuple(xs), direction)[1]
    left, right = pairing(cotangents, pushed), pairing(pulled, tangents)
    scale = sum(
        float(np.sum(np.abs(np.asarray(a) * b)))
        for a, b in zip([*pushed, *pulled], [*cotangents, *tangents], strict=True)
    )
    np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-10 * (1e-3 + scale))


# ----------------------------------------------------------------------------- what they must be


def _difference(function: Function, xs: Sequence[Any], direction: Sequence[Any], h: float) -> Any:
    """The central difference along a direction."""
    ahead, behind = (
        function(*[x + s * h * v for x, v in zip(xs, direction, strict=True)]) for s in (1, -1)
    )
    return [(np.asarray(a) - np.asarray(b)) / (2 * h) for a, b in zip(ahead, behind, strict=True)]


def _agree(function: Function, xs: Sequence[Any], direction: Sequence[Any], pushed: Any) -> None:
    """``pushed`` is what differences along ``direction`` approach, where they approach anything."""
    h = 2e-4
    wide, narrow = (_difference(function, xs, direction, step) for step in (h, h / 2))
    for one, two, p in zip(wide, narrow, map(np.asarray, pushed), strict=True):
        scale = 1e-3 + np.max(np.abs(two), initial=0.0) + np.max(np.abs(p), initial=0.0)
        smooth = np.abs(one - two) <= 1e-4 * scale  # NaN is not
        limit = (4 * two - one) / 3
        assert np.all(np.abs(limit - p)[smooth] <= 1e-5 * scale)


def _is_derivative(function: Function, xs: Sequence[Any]) -> None:
    """Along a random direction the jvp is what differences approach."""
    direction = tuple([noise(x, 90 + i) for i, x in enumerate(xs)])
    _agree(function, xs, direction, fad.jvp(function, tuple(xs), direction)[1])


def generic(case: Case) -> list[Any]:
    """The differentiated operands, a little away from where they are: ties and kinks are rare."""
    return [case.operands[i] * (1 + 0.03 * noise(case.operands[i], 95 + i)) for i in case.moving]


def check_differences(case: Case) -> None:
    """The forward rule agrees with differences of the value, and so at order two.

    Where the declared derivative is that of an ``oracle``, order two agrees with differences of
    the oracle's derivatives.
    """
    function, _ = case.split()
    if not case.differentiable or case.eps > 1e-10 or case.operation.derivative is None:
        return
    related = case.declaration.oracle is not None  # an operand may be a function of another
    xs = [case.operands[i] for i in case.moving] if related else generic(case)
    tangents, direction = _directions(xs)

    def push(*ys: Any) -> list[Any]:
        return list(fad.jvp(function, ys, tangents)[1])

    if not related:
        _is_derivative(function, xs)
        _is_derivative(push, xs)
        return
    twice = fad.jvp(push, tuple(xs), direction)[1]
    _agree(lambda *ys: _jvp_of_jax(case, ys, tangents), xs, direction, twice)


def _directions(xs: Sequence[Any]) -> tuple[Any, Any]:
    return tuple([noise(x, 97 + i) for i, x in enumerate(xs)]), tuple(
        [noise(x, 90 + i) for i, x in enumerate(xs)]
    )


def check_oracle(case: Case) -> None:
    """Forward derivatives agree with JAX's of the same kernel, at kinks and special points too."""
    if not case.differentiable or case.kind != "sample":
        return
    function, xs = case.split()
    tangents = tuple(noise(x, 40 + i) for i, x in enumerate(xs))
    expected = case.keep("oracle", lambda: _jvp_of_jax(case, xs, tangents))
    pushed = fad.jvp(function, tuple(xs), tangents)[1]
    if case.operation.derivative is None:
        expected = [np.zeros_like(e) for e in expected]
    for p, e in zip(pushed, expected, strict=True):
        np.testing.assert_allclose(np.asarray(p), e, rtol=1e-9, atol=1e-11)


def _kernel(case: Case) -> Callable[..., list[Any]]:
    """The kernel, or the declared oracle, as a function of the moving operands."""
    declaration, promotion = case.declaration, case.declaration.primitive.elementwise

    def kernel(*moved: Any) -> list[Any]:
        full: list[Any] = [jax.numpy.asarray(x) for x in case.operands]
        for i, x in zip(case.moving, moved, strict=True):
            full[i] = x
        if promotion is not None:
            avals = tuple(make_aval(tuple(x.shape), x.dtype) for x in full)
            full = kernels.align(full, promotion.operands(avals))
        declared = declaration.oracle
        out = declared(*full, **case.params) if declared else case.operation.kernel(*full)
        outs = out if isinstance(out, (tuple, list)) else [out]
        return [o for o in outs if o.dtype.kind in "fc"]

    return kernel


def _jvp_of_jax(case: Case, xs: Sequence[Any], tangents: Sequence[Any]) -> list[np.ndarray]:
    """Compiled whole, where it may be: else JAX would compile dozens of operations."""
    kernel = _kernel(case)
    reads = case.declaration.oracle is not None and len(case.moving) < len(case.operands)

    def compiled() -> Any:
        def push(ys: Any, ts: Any) -> Any:
            return jax.jvp(kernel, ys, ts)[1]

        return push if reads else jax.jit(push)  # an oracle may read indices

    push = case.keep("jax", compiled)
    with jax.enable_x64(True):
        expected = push(tuple(map(jax.numpy.asarray, xs)), tuple(map(jax.numpy.asarray, tangents)))
        return [np.asarray(e) for e in expected]


# ----------------------------------------------------------------------------- how they came about


def check_rule(case: Case) -> None:
    """The node on the tape carries the declared rule, and keeps what the rule says it needs."""
    function, xs = case.split()
    if not case.differentiable or case.operation.derivative is None:
        return
    tape = trace(function)(*xs)
    mine = [node for node in tape.nodes if node.rule and node.rule.origin is case.operation]
    mask = sum(1 << i for i in case.moving)
    if case.operation.rule(mask).pull is None:
        assert not mine
    else:
        assert [node.rule for node in mine] == [case.operation.rule(mask)]


def check_staged(case: Case) -> None:
    """Rules can be staged: the graph of value, jvp and vjp gives what they give outside."""
    if not case.differentiable:
        return
    everything, arguments = _everything(case)
    graph = fad.make_graph(everything)(*arguments)
    outs = evaluate(graph, arguments, lambda operation, operands, _: apply(operation, *operands))
    same(outs, everything(*arguments))


def check_jitted(case: Case) -> None:
    """Compiled whole, the value and both derivatives are what they are kernel by kernel."""
    if not case.differentiable or case.kind != "sample" or _first(case) is not case:
        return
    everything, arguments = _everything(case)
    same(fad.jit(everything)(*arguments), everything(*arguments))
    function, xs = case.split()
    inner = fad.jit(function)
    tangents = tuple(noise(x, 70 + i) for i, x in enumerate(xs))
    same(fad.jvp(inner, tuple(xs), tangents)[1], fad.jvp(function, tuple(xs), tangents)[1])
    out, pullback = fad.vjp(function, *xs)
    cotangents = [noise(o, 60 + i) for i, o in enumerate(out)]
    same(fad.vjp(inner, *xs)[1](cotangents), pullback(cotangents))


def _first(case: Case) -> Case | None:
    name = case.declaration.primitive.name
    return next((c for c in cases_of(name) if c.differentiable), None)


def _everything(case: Case) -> tuple[Function, list[Any]]:
    """Value, jvp and vjp as one function of operands, tangents and cotangents."""
    count, n = len(case.operands), len(case.moving)

    def everything(*args: Any) -> list[Any]:
        function, points = split(case.function, args[:count])
        tangents, cotangents = args[count : count + n], list(args[count + n :])
        out, pushed = fad.jvp(function, tuple(points), tangents)
        return [*out, *pushed, *fad.vjp(function, *points)[1](cotangents)]

    function, xs = case.split()
    tangents = [noise(x, 70 + i) for i, x in enumerate(xs)]
    cotangents = [noise(o, 60 + i) for i, o in enumerate(function(*xs))]
    return everything, [*case.operands, *tangents, *cotangents]


def check_strong_zero(case: Case) -> None:
    """Zero cotangents and tangents stay zero at every point; others are what they are without."""
    if not case.differentiable:
        return
    function, xs = case.split()
    with fad.strong_zero():
        out, pushed = fad.jvp(function, tuple(xs), tuple(map(np.zeros_like, xs)))
        _, pullback = fad.vjp(function, *xs)
        pulled = pullback([np.zeros(o.shape, o.dtype) for o in out])
        tangents = tuple(noise(x, 70 + i) for i, x in enumerate(xs))
        cotangents = [noise(o, 71 + i) for i, o in enumerate(out)]
        strong = [*fad.jvp(function, tuple(xs), tangents)[1], *pullback(cotangents)]
    for zero in [*pushed, *pulled]:
        assert not np.any(np.asarray(zero))
    plain = [
        *fad.jvp(function, tuple(xs), tangents)[1],
        *fad.vjp(function, *xs)[1](cotangents),
    ]
    for a, b in zip(map(np.asarray, strong), map(np.asarray, plain), strict=True):
        known = np.isfinite(b)
        scale = float(np.max(np.abs(b[known]), initial=0.0))
        eps = case.eps
        np.testing.assert_allclose(a[known], b[known], rtol=1e3 * eps, atol=10 * eps * scale)


CHECKS: dict[str, Callable[[Case], None]] = {
    "adjoint": check_adjoint,
    "differences": check_differences,
    "second_order": check_second_order,
    "alone": check_alone,
    "rule": check_rule,
    "batched": batching.check_batched,
    "axes": batching.check_axes,
    "oracle": check_oracle,
    "value": values.check_value,
    "dtypes": values.check_dtypes,
    "layouts": values.check_layouts,
    "staged": check_staged,
    "jitted": check_jitted,
    "strong_zero": check_strong_zero,
    "sparsity": check_sparsity,
}
"""In the order in which they find most mistakes soonest."""


def run(check: str, case: Case) -> None:
    """Run one check, kernel by kernel."""
    with fad.config(compile="never"), np.errstate(all="ignore"):
        CHECKS[check](case)
