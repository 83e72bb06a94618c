"""Random programs over a namespace, and random compositions of transforms.

A program is data: a list of instructions, each naming a function and the earlier values it takes.
It runs on any namespace with NumPy's functions, so that the same program runs on fad and on an
oracle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

UNARY: dict[str, Callable[[Any, Any], Any]] = {
    "sin": lambda xp, x: xp.sin(x),
    "tanh": lambda xp, x: xp.tanh(x),
    "exp": lambda xp, x: xp.exp(xp.tanh(x)),
    "log": lambda xp, x: xp.log(1.5 + x * x),
    "sqrt": lambda xp, x: xp.sqrt(x * x + 0.25),
    "neg": lambda xp, x: -x,
    "scale": lambda xp, x: 0.75 * x + 0.5,
    "square": lambda xp, x: xp.tanh(x) ** 2,
    "reciprocal": lambda xp, x: 1.0 / (2.0 + xp.cos(x)),
    "sum": lambda xp, x: xp.sum(x, axis=-1) if x.ndim else x,
    "mean0": lambda xp, x: xp.mean(x, axis=0) if x.ndim else x,
    "max": lambda xp, x: xp.max(x, axis=-1) if x.ndim else x,
    "cumsum": lambda xp, x: xp.cumsum(x, axis=-1) if x.ndim else x,
    "sort": lambda xp, x: xp.sort(x, axis=-1) if x.ndim else x,
    "flip": lambda xp, x: xp.flip(x),
    "transpose": lambda xp, x: xp.transpose(x),
    "ravel": lambda xp, x: xp.ravel(x),
    "first": lambda xp, x: x[0] if x.ndim else x,
    "tail": lambda xp, x: xp.concatenate([x[1:], x[:1]]) if x.ndim else x,
    "pick": lambda xp, x: x[np.array([1, 0, 1])] if x.ndim and x.shape[0] > 1 else x,
    "clamp": lambda xp, x: xp.where(x > 0.1, x, 0.3 * x),
    "abs": lambda xp, x: xp.abs(x + 0.0625),
}

BINARY: dict[str, Callable[[Any, Any, Any], Any]] = {
    "add": lambda xp, x, y: x + y,
    "sub": lambda xp, x, y: x - y,
    "mul": lambda xp, x, y: xp.tanh(x) * y,
    "div": lambda xp, x, y: x / (1.5 + y * y),
    "maximum": lambda xp, x, y: xp.maximum(x, y + 0.03125),
    "choose": lambda xp, x, y: xp.where(x < y, xp.sin(x), y),
    "outer": lambda xp, x, y: xp.sum(xp.sin(x) * xp.sum(y)),
}


class Instruction(NamedTuple):
    """One call; operands are positions in the list of values so far, modulo its length."""

    name: str
    first: int
    second: int


def run(program: Sequence[Instruction], xp: Any, x: Any) -> Any:
    """The scalar that a program computes from a vector of 3."""
    values = [x, xp.sum(x * np.array([0.5, -1.0, 0.25])), xp.reshape(xp.sin(x), (3, 1)) * x]
    for name, first, second in program:
        a, b = values[first % len(values)], values[second % len(values)]
        if name in UNARY:
            values.append(UNARY[name](xp, a))
        elif _broadcast(a.shape, b.shape):
            values.append(BINARY[name](xp, a, b))
        else:
            values.append(BINARY[name](xp, xp.sum(a), b))
    total = xp.sum(values[-1])
    for value in values[-4:-1]:
        total = total + 0.5 * xp.sum(xp.sin(value))
    return total


def _broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    try:
        np.broadcast_shapes(a, b)
    except ValueError:
        return False
    return True


instructions = st.builds(
    Instruction,
    st.sampled_from([*UNARY, *BINARY, *BINARY]),
    st.integers(0, 30),
    st.integers(0, 30),
)
programs = st.lists(instructions, min_size=2, max_size=12)
vectors = st.lists(
    st.floats(-2.0, 2.0, allow_subnormal=False), min_size=3, max_size=3, unique=True
).map(lambda values: np.array(values) + np.array([0.011, 0.023, -0.017]))

Scalar = Callable[[Any], Any]
DIRECTION = np.array([0.3, -0.7, 1.1])


def compose(library: Any, xp: Any, f: Scalar, names: Sequence[str]) -> Scalar:
    """Apply transforms to a scalar function of a vector, each giving such a function again."""
    for name in names:
        f = _apply(library, xp, f, name)
    return f


def _apply(library: Any, xp: Any, f: Scalar, name: str) -> Scalar:
    if name == "grad":
        return lambda x: xp.sum(library.grad(f)(x) * DIRECTION)
    if name == "jvp":
        return lambda x: library.jvp(f, (x,), (DIRECTION,))[1]
    if name == "vjp":
        return lambda x: xp.sum(xp.sin(library.vjp(f, x)[1](xp.sum(0.0 * x) + 1.5)[0]))
    if name == "vmap":
        return lambda x: xp.sum(library.vmap(f)(xp.stack([x, 0.5 * x, xp.flip(x)])))
    if name == "vmap_closed":
        return lambda x: xp.sum(library.vmap(lambda s: f(s * x))(np.array([0.5, 1.25])))
    if name == "jit":
        return lambda x: library.jit(f)(x)
    if name == "jacobian":
        return lambda x: xp.sum(library.jacfwd(f)(x) * DIRECTION)
    if name == "linearize":

        def value_and_product(x: Any) -> Any:
            value, linear_map = library.linearize(f, x)
            return value + linear_map(DIRECTION)

        return value_and_product
    if name == "constant":
        return lambda x: xp.sum(library.grad(f)(0.5 * DIRECTION) * xp.sin(x))
    assert name == "closure"
    return lambda x: library.grad(lambda s: f(s * x))(xp.sum(0.0 * x) + 0.9)


TRANSFORMS = [
    *("grad", "jvp", "vjp", "linearize", "vmap", "vmap_closed", "jit", "jacobian"),
    *("closure", "constant"),
]
compositions = st.lists(st.sampled_from(TRANSFORMS), min_size=1, max_size=3)
