"""Broadcasting and conversion: the linear operations every other rule leans on.

``broadcast_to`` and ``sum_to`` are each other's transposes; so are conversions between dtypes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core import dtypes
from fad.core.apply import apply, apply1
from fad.core.aval import Aval, Shape, make_aval
from fad.core.dtypes import DType
from fad.core.primitive import Operation
from fad.primitives.declare import Sample, broadcast_shapes, primitive
from fad.primitives.derivative import Linear


def _draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=shape)


def _infer_broadcast(x: Aval, *, shape: Shape) -> Aval:
    if broadcast_shapes("broadcast_to", [x.shape, shape]) != shape:
        broadcast_shapes("broadcast_to", [x.shape, (*shape, -1)])
    return make_aval(shape, x.dtype)


def _batch_broadcast(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    (x,) = operands
    target = operation.params["shape"]
    inner = x.shape[1:]
    padded = (size,) + (1,) * (len(target) - len(inner)) + inner
    return broadcast_to(reshape(x, padded), (size, *target)), True


BROADCAST_TO = primitive(
    "broadcast_to",
    lambda x, *, shape: jnp.broadcast_to(x, shape),
    Linear([lambda g, aval: sum_to(g, aval.shape)]),
    infer=_infer_broadcast,
    batch=_batch_broadcast,
    samples=lambda: [
        Sample((_draw(3),), {"shape": (2, 3)}),
        Sample((_draw(2, 1),), {"shape": (4, 2, 3)}),
        Sample((_draw(),), {"shape": (2,)}),
        Sample((_draw(0, 1),), {"shape": (0, 2)}),
    ],
    reference=lambda x, *, shape: np.broadcast_to(x, shape),
    formula="x[..., i, ...] along new axes",
)


def broadcast_to(x: Any, shape: Shape) -> Any:
    """``x`` repeated along new leading axes and axes of length 1, to ``shape``."""
    return x if x.aval.shape == shape else apply1(BROADCAST_TO(shape=shape), x)


def _sum_to(x: Any, *, shape: Shape) -> Any:
    extra = x.ndim - len(shape)
    axes = [i for i in range(x.ndim) if i < extra or shape[i - extra] != x.shape[i]]
    return lax.reshape(jnp.sum(x, axis=tuple(axes), dtype=x.dtype), shape)


def _batch_sum_to(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    (x,) = operands
    target = operation.params["shape"]
    padded = (1,) * (x.aval.ndim - 1 - len(target)) + target
    return reshape(sum_to(x, (size, *padded)), (size, *target)), True


SUM_TO = primitive(
    "sum_to",
    _sum_to,
    Linear([lambda g, aval: broadcast_to(g, aval.shape)]),
    infer=lambda x, *, shape: make_aval(shape, x.dtype),
    batch=_batch_sum_to,
    samples=lambda: [
        Sample((_draw(2, 3),), {"shape": (3,)}),
        Sample((_draw(4, 2, 3),), {"shape": (2, 1)}),
        Sample((_draw(2),), {"shape": ()}),
        Sample((_draw(0, 2),), {"shape": (0, 1)}),
        Sample((_draw(0, 2),), {"shape": (2,)}),
    ],
    formula="the sum over the axes along which `shape` is broadcast to that of x",
)


def sum_to(x: Any, shape: Shape) -> Any:
    """The sum over the axes along which broadcasting ``shape`` gives ``x.shape``."""
    return x if x.aval.shape == shape else apply1(SUM_TO(shape=shape), x)


def _convert(x: Any, *, dtype: DType) -> Any:
    if jnp.issubdtype(x.dtype, jnp.complexfloating) and dtypes.kind(dtype) != "c":
        if dtype == dtypes.bool_:
            return x != 0
        x = jnp.real(x)
    return lax.convert_element_type(x, dtype)


CONVERT = primitive(
    "convert",
    _convert,
    Linear([lambda g, aval: convert(g, aval.dtype)]),
    infer=lambda x, *, dtype: make_aval(x.shape, dtype),
    batch=lambda operation, size, operands, batched: (apply(operation, *operands), True),
    samples=lambda: [
        Sample((_draw(3),), {"dtype": dtypes.float32}),
        Sample((_draw(3),), {"dtype": dtypes.complex128}),
        Sample((_draw(3) + 1j,), {"dtype": dtypes.float64}),
        Sample((_draw(3),), {"dtype": dtypes.int64}),
        Sample((np.arange(3),), {"dtype": dtypes.float64}),
    ],
    formula="x with elements of `dtype`",
)


def convert(x: Any, dtype: DType) -> Any:
    """``x`` with elements of ``dtype``; from complex to real it is the real part."""
    return x if x.aval.dtype == dtype and not x.aval.weak else apply1(CONVERT(dtype=dtype), x)


def fit(cotangent: Any, target: Aval) -> Any:
    """A cotangent of a broadcast and promoted operand, as one of the operand itself."""
    cotangent = sum_to(cotangent, target.shape)
    return cotangent if cotangent.aval.dtype == target.dtype else convert(cotangent, target.dtype)


def expand(tangent: Any, target: Aval) -> Any:
    """A tangent of a broadcast and promoted operand, as one of the result."""
    tangent = broadcast_to(tangent, target.shape)
    return tangent if tangent.aval.dtype == target.dtype else convert(tangent, target.dtype)


FULL = primitive(
    "full",
    lambda *, shape, value, dtype: jnp.full(shape, value, dtype),
    None,
    infer=lambda *, shape, value, dtype: make_aval(shape, dtype),
    samples=lambda: [Sample((), {"shape": (2,), "value": 1.0, "dtype": dtypes.float64})],
    formula="value everywhere",
)


def full(shape: Shape, value: complex, dtype: DType) -> Any:
    """A tensor with this constant everywhere; the constant is part of the program."""
    return apply(FULL(shape=shape, value=value, dtype=dtype))


def zeros(aval: Aval) -> Any:
    """Zeros of this aval."""
    return full(aval.shape, 0, aval.dtype)


def ones(aval: Aval) -> Any:
    """Ones of this aval."""
    return full(aval.shape, 1, aval.dtype)


from fad.primitives.shape import reshape  # noqa: E402
