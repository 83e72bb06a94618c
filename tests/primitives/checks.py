"""What every primitive must satisfy, as checks on one sample.

The checks know nothing of any primitive: operands, parameters and reference come from its
declaration.
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
from fad.core.tensor import Tensor, aval_of
from fad.primitives.declare import Declaration, Sample

RTOL, ATOL = 1e-10, 1e-12


def function_of(declaration: Declaration, sample: Sample) -> Callable[..., list[Any]]:
    """The primitive with the sample's parameters, as a function of tensors to a list of tensors."""
    operation = declaration.primitive(**sample.params)

    def function(*operands: Any) -> list[Any]:
        out = apply(operation, *operands)
        return list(out) if isinstance(out, tuple) else [out]

    return function


def operands_of(sample: Sample) -> list[Any]:
    """The sample's operands as arrays."""
    return [np.asarray(x) for x in sample.operands]


def inexact(x: Any) -> bool:
    """Whether an array is differentiated."""
    return np.asarray(x).dtype.kind in "fc"


def noise(like: Any, seed: int) -> np.ndarray:
    """Random numbers of the shape and dtype of ``like``."""
    aval = aval_of(like)
    rng = np.random.default_rng(seed)
    out = rng.normal(size=aval.shape)
    if aval.dtype.kind == "c":
        out = out + 1j * rng.normal(size=aval.shape)
    return np.asarray(out).astype(aval.dtype)


def pairing(a: Sequence[Any], b: Sequence[Any]) -> float:
    """The real bilinear pairing under which JAX's complex convention transposes."""
    return float(sum(np.sum(np.asarray(x) * np.asarray(y)).real for x, y in zip(a, b, strict=True)))


def split(function: Callable[..., Any], operands: Sequence[Any]) -> tuple[Any, list[Any]]:
    """The function of the inexact operands to its inexact results, and those operands."""
    moving = [i for i, x in enumerate(operands) if inexact(x)]

    def of_moving(*xs: Any) -> list[Any]:
        full = list(operands)
        for i, x in zip(moving, xs, strict=True):
            full[i] = x
        return [o for o in function(*full) if o.aval.inexact]

    return of_moving, [operands[i] for i in moving]


def check_value(declaration: Declaration, sample: Sample) -> None:
    """Deferred, kernel by kernel, jitted and the NumPy reference agree."""
    function, operands = function_of(declaration, sample), operands_of(sample)
    outs = [np.asarray(o) for o in function(*operands)]
    avals = [o.aval for o in function(*operands)]
    for out, aval in zip(outs, avals, strict=True):
        assert (out.shape, out.dtype) == (aval.shape, aval.dtype)
    with fad.config(compile="never"):
        same(function(*operands), outs)
    same(fad.jit(function)(*operands), outs)
    if declaration.reference is not None:
        expected = declaration.reference(*operands, **sample.params)
        expected = expected if isinstance(expected, (tuple, list)) else [expected]
        for out, e in zip(outs, expected, strict=True):
            np.testing.assert_allclose(out, e, rtol=1e-12, atol=1e-13)
            assert out.dtype == np.asarray(e).dtype


def same(a: Sequence[Any], b: Sequence[Any]) -> None:
    """Equal up to rounding, NaN equal to NaN."""
    assert len(a) == len(b)
    for x, y in zip(a, b, strict=True):
        x, y = np.asarray(x), np.asarray(y)
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        scale = np.max(np.abs(y[np.isfinite(y)]), initial=0.0) if y.dtype.kind in "fc" else 0
        np.testing.assert_allclose(x, y, rtol=RTOL, atol=ATOL + 1e-13 * scale)


def adjoint(function: Callable[..., Any], xs: Sequence[Any]) -> None:
    """<w, J v> = <J' w, v> for random v and w; and jvp, vjp give the same value."""
    if not xs or not function(*xs):
        return
    tangents = tuple(noise(x, 10 + i) for i, x in enumerate(xs))
    out, pushed = fad.jvp(function, tuple(xs), tangents)
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
    eps = max(float(np.finfo(x.dtype).eps) for x in [*map(np.asarray, xs), *out])
    np.testing.assert_allclose(left, right, rtol=1e5 * eps, atol=1e4 * eps * (1 + magnitude))


def check_adjoint(declaration: Declaration, sample: Sample) -> None:
    """Forward and reverse rules are each other's transposes."""
    adjoint(*split(function_of(declaration, sample), operands_of(sample)))


def check_second_order(declaration: Declaration, sample: Sample) -> None:
    """The same for the pullback as a function of point and cotangent."""
    function, xs = split(function_of(declaration, sample), operands_of(sample))
    out = function(*xs)
    if not xs or not out:
        return
    cotangents = [noise(o, 30 + i) for i, o in enumerate(out)]

    def pull(cts: Any, *points: Any) -> list[Any]:
        return list(fad.vjp(function, *points)[1](cts))

    def flat(*all_xs: Any) -> list[Any]:
        return pull(list(all_xs[: len(cotangents)]), *all_xs[len(cotangents) :])

    adjoint(flat, [*cotangents, *xs])


def check_oracle(declaration: Declaration, sample: Sample) -> None:
    """Forward derivatives agree with JAX's of the same kernel."""
    function, operands = function_of(declaration, sample), operands_of(sample)
    of_moving, xs = split(function, operands)
    if not xs or not of_moving(*xs):
        return
    moving = [i for i, x in enumerate(operands) if inexact(x)]
    operation = declaration.primitive(**sample.params)
    promotion = declaration.primitive.elementwise

    def kernel(*moved: Any) -> list[Any]:
        full: list[Any] = [jax.numpy.asarray(x) for x in operands]
        for i, x in zip(moving, moved, strict=True):
            full[i] = x
        if promotion is not None:
            avals = tuple(make_aval(tuple(x.shape), x.dtype) for x in full)
            full = kernels.align(full, promotion.operands(avals))
        declared = declaration.oracle
        out = declared(*full, **sample.params) if declared else operation.kernel(*full)
        outs = out if isinstance(out, (tuple, list)) else [out]
        return [o for o in outs if o.dtype.kind in "fc"]

    tangents = tuple(noise(x, 40 + i) for i, x in enumerate(xs))
    with jax.enable_x64(True):
        _, expected = jax.jvp(kernel, tuple(map(jax.numpy.asarray, xs)), tangents)
        expected = [np.asarray(e) for e in expected]
        if operation.derivative is None:
            expected = [np.zeros_like(e) for e in expected]
    _, pushed = fad.jvp(of_moving, tuple(xs), tangents)
    for p, e in zip(pushed, expected, strict=True):
        np.testing.assert_allclose(np.asarray(p), e, rtol=1e-9, atol=1e-11)


def stacked(x: np.ndarray) -> np.ndarray:
    """Three examples like ``x`` that stay in its domain."""
    if not inexact(x):
        return np.stack([x, x, x])
    return np.stack([x, x * np.asarray(0.9, x.dtype), x * np.asarray(0.8, x.dtype)])


def check_batched(declaration: Declaration, sample: Sample) -> None:
    """vmap agrees with a loop over examples, for each operand batched alone and all together."""
    function, operands = function_of(declaration, sample), operands_of(sample)
    count = len(operands)
    patterns = {tuple(i == j for i in range(count)) for j in range(count)} | {(True,) * count}
    for pattern in sorted(patterns):
        if any(pattern):
            _check_pattern(function, operands, pattern)


def _check_pattern(function: Any, operands: list[Any], pattern: tuple[bool, ...]) -> None:
    batched = [stacked(x) if b else x for x, b in zip(operands, pattern, strict=True)]
    axes = tuple(0 if b else None for b in pattern)
    mapped = fad.vmap(function, in_axes=axes)
    outs = mapped(*batched)
    loop = [
        function(*[x[i] if b else x for x, b in zip(batched, pattern, strict=True)])
        for i in range(3)
    ]
    same(outs, [np.stack([np.asarray(one[k]) for one in loop]) for k in range(len(outs))])
    adjoint(*split(mapped, batched))
    of_moving, xs = split(
        function, [x[0] if b else x for x, b in zip(batched, pattern, strict=True)]
    )
    if xs and of_moving(*xs):
        _check_batched_pullback(function, batched, pattern)


def _check_batched_pullback(function: Any, batched: list[Any], pattern: tuple[bool, ...]) -> None:
    """vmap of the pullback agrees with a loop of pullbacks."""

    def pull(*example: Any) -> list[Any]:
        moving = [x for x in example if aval_of(x).inexact]

        def of_moving(*xs: Any) -> list[Any]:
            rest = iter(xs)
            full = [next(rest) if aval_of(x).inexact else x for x in example]
            return [o for o in function(*full) if o.aval.inexact]

        out, pullback = fad.vjp(of_moving, *moving)
        return list(pullback([noise(o, 50 + i) for i, o in enumerate(out)]))

    axes = tuple(0 if b else None for b in pattern)
    outs = fad.vmap(pull, in_axes=axes)(*batched)
    loop = [
        pull(*[x[i] if b else x for x, b in zip(batched, pattern, strict=True)]) for i in range(3)
    ]
    same(outs, [np.stack([np.asarray(one[k]) for one in loop]) for k in range(len(outs))])


def check_jitted(declaration: Declaration, sample: Sample) -> None:
    """Jitted derivatives agree with un-jitted ones, whichever is outside."""
    function, xs = split(function_of(declaration, sample), operands_of(sample))
    if not xs or not function(*xs):
        return
    out, pullback = fad.vjp(function, *xs)
    cotangents = [noise(o, 60 + i) for i, o in enumerate(out)]
    expected = pullback(cotangents)
    inner = fad.jit(function)
    same(fad.vjp(inner, *xs)[1](cotangents), expected)
    outer = fad.jit(lambda cts, *ys: fad.vjp(function, *ys)[1](cts))
    same(outer(cotangents, *xs), expected)
    tangents = tuple(noise(x, 70 + i) for i, x in enumerate(xs))
    same(fad.jvp(inner, tuple(xs), tangents)[1], fad.jvp(function, tuple(xs), tangents)[1])


def is_tensor(x: Any) -> bool:
    """Whether ``x`` is one of fad's."""
    return isinstance(x, Tensor)


CHECKS: dict[str, Callable[[Declaration, Sample], None]] = {
    "value": check_value,
    "adjoint": check_adjoint,
    "second_order": check_second_order,
    "oracle": check_oracle,
    "batched": check_batched,
    "jitted": check_jitted,
}
