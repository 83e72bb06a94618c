"""Shape: reshape, transpose, concatenate, pad, slice, flip, unstack. All linear."""

from __future__ import annotations

import math
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
