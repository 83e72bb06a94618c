"""Properties of random programs under random compositions of transforms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from hypothesis import given, settings

import fad
from tests.transforms.programs import Instruction, compose, compositions, programs, run, vectors

Program = Sequence[Instruction]

# Each example compiles some dozens of programs; the deep profile draws many times as many.
FEW = max(4, settings.default.max_examples // 3)


def fad_function(program: Program) -> Any:
    """The program on fad's tensors."""
    return lambda x: run(program, fad.numpy, x)


def close(a: Any, b: Any, rtol: float = 1e-9) -> None:
    """Equal up to rounding, relative to the size of what was added up."""
    b = np.asarray(b)
    np.testing.assert_allclose(np.asarray(a), b, rtol=rtol, atol=1e-9 * (1 + np.max(np.abs(b))))


@settings(max_examples=FEW)
@given(programs, compositions, vectors)
def test_compositions_agree_with_jax(program: Program, names: list[str], x: np.ndarray) -> None:
    ours = compose(fad, fad.numpy, fad_function(program), names)
    with jax.enable_x64(True):
        theirs = compose(jax, jax.numpy, lambda x: run(program, jax.numpy, x), names)
        expected = np.asarray(jax.jit(theirs)(x))
    for _ in range(2):  # recorded, then replayed
        close(ours(x), expected)
    close(fad.jit(ours)(x), expected)


@settings(max_examples=FEW)
@given(programs, vectors)
def test_forward_and_reverse_are_adjoint(program: Program, x: np.ndarray) -> None:
    f = fad_function(program)
    v = np.array([0.3, -1.2, 0.8])
    _, pushed = fad.jvp(f, (x,), (v,))
    for _ in range(2):
        np.testing.assert_allclose(
            float(pushed), float(np.asarray(fad.grad(f)(x)) @ v), rtol=1e-11, atol=1e-11
        )


@settings(max_examples=FEW)
@given(programs, vectors)
def test_batched_is_looped(program: Program, x: np.ndarray) -> None:
    f = fad_function(program)
    batch = np.stack([x, -0.5 * x, x[::-1] + 0.125])
    close(fad.vmap(f)(batch), [float(f(one)) for one in batch])
    close(fad.vmap(fad.grad(f))(batch), [np.asarray(fad.grad(f)(one)) for one in batch])


@settings(max_examples=FEW)
@given(programs, vectors)
def test_every_way_to_run_gives_the_same(program: Program, x: np.ndarray) -> None:
    f = fad.grad(fad_function(program))
    points = [x, 0.5 * x, x]
    expected = [np.asarray(f(p)) for p in points]
    close(expected[0], expected[2], rtol=0)
    ways: list[dict[str, Any]] = [{"compile": "never"}, {"max_pending": 1}, {"replay": False}]
    for changes in ways:
        with fad.config(**changes):
            for p, e in zip(points, expected, strict=True):
                close(f(p), e)
    jitted = fad.jit(f)
    for p, e in zip(points, expected, strict=True):
        close(jitted(p), e)


@settings(max_examples=FEW)
@given(programs, vectors)
def test_the_hessian_is_symmetric_and_agrees_with_products(program: Program, x: np.ndarray) -> None:
    f = fad_function(program)
    for point in (x, 0.75 * x):
        h = np.asarray(fad.hessian(f)(point))
        np.testing.assert_array_equal(h, h.T)
        close(h, fad.jacfwd(fad.grad(f))(point))
        v = np.array([1.0, -0.5, 0.25])
        close(fad.hvp(f, (point,), (v,))[0], h @ v)
        close(fad.vhp(f, (point,), (v,))[0], h @ v)


@settings(max_examples=FEW)
@given(programs, vectors)
def test_the_same_call_gives_the_same_bits(program: Program, x: np.ndarray) -> None:
    f = fad.grad(fad_function(program))
    first = np.asarray(f(x)).tobytes()
    pending = fad.numpy.sin(fad.asarray(x)) * 3.0
    assert np.asarray(f(x)).tobytes() == first
    del pending
    assert np.asarray(f(x)).tobytes() == first
