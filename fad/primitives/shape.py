"""Shape: reshape, transpose, concatenate, pad, slice, flip, unstack. All linear."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core.apply import apply, apply1
from fad.core.aval import Aval, Shape, make_aval
from fad.core.errors import FadValueError, located
from fad.core.primitive import Operation
from fad.primitives.declare import Sample, primitive
from fad.primitives.derivative import Linear


def _draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(2).normal(size=shape)


def _infer_reshape(x: Aval, *, shape: Shape) -> Aval:
    if math.prod(shape) != x.size:
        raise FadValueError(located(f"cannot reshape a tensor of shape {x.shape} into {shape}"))
    return make_aval(shape, x.dtype)


def _batch_reshape(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    return reshape(operands[0], (size, *operation.params["shape"])), True


RESHAPE = primitive(
    "reshape",
    lambda x, *, shape: lax.reshape(x, shape),
    Linear([lambda g, aval: reshape(g, aval.shape)]),
    infer=_infer_reshape,
    batch=_batch_reshape,
    samples=lambda: [
        Sample((_draw(2, 3),), {"shape": (3, 2)}),
        Sample((_draw(1),), {"shape": ()}),
        Sample((_draw(0, 3),), {"shape": (3, 0)}),
    ],
    reference=lambda x, *, shape: np.reshape(x, shape),
)


def reshape(x: Any, shape: Shape) -> Any:
    """The same elements in row-major order under another shape."""
    return x if x.aval.shape == shape else apply1(RESHAPE(shape=shape), x)


def inverse_permutation(axes: Sequence[int]) -> tuple[int, ...]:
    """The permutation that undoes ``axes``."""
    inverse = [0] * len(axes)
    for position, axis in enumerate(axes):
        inverse[axis] = position
    return tuple(inverse)


def _batch_transpose(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    axes = operation.params["axes"]
    return transpose(operands[0], (0, *[a + 1 for a in axes])), True


def _simplify_transpose(
    operation: Operation, inputs: tuple[int, ...], definitions: Sequence[Any], avals: Any
) -> Any:
    """Two transposes are one, or none."""
    inner = definitions[0]
    if inner is None or inner.operation.primitive is not TRANSPOSE:
        return None
    first = inner.operation.params["axes"]
    axes = tuple([first[a] for a in operation.params["axes"]])
    return (
        ((), inner.inputs[0])
        if axes == tuple(range(len(axes)))
        else ((TRANSPOSE(axes=axes),), inner.inputs[0])
    )


TRANSPOSE = primitive(
    "transpose",
    lambda x, *, axes: lax.transpose(x, axes),
    Linear([lambda g, *, axes: transpose(g, inverse_permutation(axes))]),
    infer=lambda x, *, axes: make_aval(tuple([x.shape[a] for a in axes]), x.dtype),
    batch=_batch_transpose,
    simplify=_simplify_transpose,
    samples=lambda: [
        Sample((_draw(2, 3),), {"axes": (1, 0)}),
        Sample((_draw(2, 3, 4),), {"axes": (1, 2, 0)}),
        Sample((_draw(2, 0, 4),), {"axes": (2, 0, 1)}),
        Sample((_draw(),), {"axes": ()}),
    ],
    reference=lambda x, *, axes: np.transpose(x, axes),
)


def transpose(x: Any, axes: Sequence[int]) -> Any:
    """Axis i of the result is axis ``axes[i]`` of ``x``: a permutation of 0 ... ndim - 1."""
    axes = tuple(axes)
    return x if axes == tuple(range(len(axes))) else apply1(TRANSPOSE(axes=axes), x)
