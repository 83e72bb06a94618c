"""Reductions: sum, product, extrema, any, all, and the positions of extrema.

``axes`` are non-negative and ascending; ``keepdims`` keeps them with length 1. Integers and
booleans are summed and multiplied in 64 bits, as NumPy does; half precision is accumulated in
float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core import dtypes
from fad.core.apply import apply, apply1
from fad.core.aval import Aval, Shape, make_aval
from fad.core.dtypes import DType
from fad.core.errors import FadValueError, located
from fad.core.primitive import Operation, Primitive
from fad.primitives.arithmetic import mul, over, times
from fad.primitives.broadcast import broadcast_to
from fad.primitives.declare import NAN, Convention, Sample, primitive
from fad.primitives.derivative import Linear, PerOperand
from fad.primitives.identity import in_memory
from fad.primitives.shape import inverse_permutation, reshape, transpose

Axes = tuple[int, ...]
_ONE_AXIS = {"axes": (0,), "keepdims": False}


def reduced_shape(shape: Shape, axes: Axes, keepdims: bool) -> Shape:
    """The shape after reducing ``axes``."""
    if keepdims:
        return tuple([1 if i in axes else n for i, n in enumerate(shape)])
    return tuple([n for i, n in enumerate(shape) if i not in axes])


def aligned(r: Any, shape: Shape, axes: Axes, keepdims: bool) -> Any:
    """A reduced tensor with the axes of length 1 that it needs to broadcast against ``shape``."""
    if keepdims or axes == tuple(range(len(axes))):
        return r
    return reshape(r, reduced_shape(shape, axes, True))


def spread(r: Any, shape: Shape, axes: Axes, keepdims: bool) -> Any:
    """A reduced tensor repeated along the axes that were reduced."""
    return broadcast_to(aligned(r, shape, axes, keepdims), shape)


def widened(dtype: DType) -> DType:
    """The dtype of a sum: at least 64 bits for integers."""
    kind = dtypes.kind(dtype)
    return dtype if kind in "fc" else np.dtype(np.uint64 if kind == "u" else np.int64)


def accumulator(dtype: DType) -> DType:
    """The dtype in which a sum of elements of ``dtype`` is accumulated."""
    return dtypes.float32 if dtype in (dtypes.float16, dtypes.bfloat16) else widened(dtype)


def accumulating(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """``kernel(x, ...)`` computed in the accumulator's dtype and given in the sum's."""

    def run(x: Any, **params: Any) -> Any:
        dtype = np.dtype(x.dtype)
        out = kernel(lax.convert_element_type(x, accumulator(dtype)), **params)
        return lax.convert_element_type(out, widened(dtype))

    return run


def _reducing(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """``kernel(x, axes)`` with the parameters of a reduction."""

    def run(x: Any, *, axes: Axes, keepdims: bool) -> Any:
        out = kernel(x, axes)
        return lax.reshape(out, reduced_shape(x.shape, axes, True)) if keepdims else out

    return run


def batch_reduction(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    """The same reduction with its axes shifted."""
    params = dict(operation.params)
    params["axes"] = tuple([a + 1 for a in params["axes"]])
    return apply1(operation.primitive(**params), operands[0]), True


def _infer_widened(x: Aval, *, axes: Axes, keepdims: bool) -> Aval:
    return make_aval(reduced_shape(x.shape, axes, keepdims), widened(x.dtype))


def _draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).normal(size=shape)


def _sample(x: Any, axes: Axes, keepdims: bool = False) -> Sample:
    return Sample((np.asarray(x),), {"axes": axes, "keepdims": keepdims})


def _samples() -> list[Sample]:
    return [
        _sample(_draw(2, 3, 2), (1,)),
        _sample(_draw(2, 3, 2), (0, 2), keepdims=True),
        _sample(_draw(), ()),
        _sample(_draw(2, 0), (0,)),
    ]


def _samples_with_identity() -> list[Sample]:
    integers = np.arange(6, dtype=np.int8).reshape(2, 3)
    return [*_samples(), _sample(_draw(0, 2), (0,)), _sample(integers, (0,))]


def _numpy(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, *, axes, keepdims: function(x, axis=axes, keepdims=keepdims)


REDUCE_SUM = primitive(
    "reduce_sum",
    accumulating(_reducing(lax.reduce_sum)),
    Linear([lambda g, aval, *, axes, keepdims: spread(g, aval.shape, axes, keepdims)]),
    infer=_infer_widened,
    batch=batch_reduction,
    samples=_samples_with_identity,
    reference=_numpy(np.sum),
    formula="Σ x",
)


def reduce_sum(x: Any, axes: Axes, keepdims: bool = False) -> Any:
    """The sum over ``axes``."""
    return apply1(REDUCE_SUM(axes=axes, keepdims=keepdims), x)


def products_of_others(x: Any, axes: Axes) -> Any:
    """For each element the product of all others along ``axes``, exact with zeros: no division."""
    shape = x.aval.shape
    kept = tuple([i for i in range(len(shape)) if i not in axes])
    order = (*kept, *axes)
    flat = (*[shape[i] for i in kept], math.prod([shape[i] for i in axes]))
    rows = reshape(transpose(x, order), flat)
    last = len(kept)
    others = mul(
        cumulative.products_before(rows, last), cumulative.products_before(rows, last, reverse=True)
    )
    moved = reshape(others, tuple([shape[i] for i in order]))
    return transpose(moved, inverse_permutation(order))


def _push_prod(t: Any, x: Any, *, axes: Axes, keepdims: bool) -> Any:
    return reduce_sum(times(t, products_of_others(x, axes)), axes, keepdims)


def _pull_prod(g: Any, x: Any, *, axes: Axes, keepdims: bool) -> Any:
    shape = x.aval.shape
    return times(aligned(g, shape, axes, keepdims), products_of_others(x, axes))


def _samples_prod() -> list[Sample]:
    return [
        *_samples_with_identity(),
        _sample(_draw(2, 3, 2), (0,)),
        _sample([[2.0, 3.0, 5.0], [2.0, 0.0, 5.0], [0.0, 3.0, 0.0], [0.0, 0.0, 0.0]], (1,)),
    ]


REDUCE_PROD = primitive(
    "reduce_prod",
    accumulating(_reducing(lax.reduce_prod)),
    PerOperand([_push_prod], [_pull_prod]),
    infer=_infer_widened,
    batch=batch_reduction,
    samples=_samples_prod,
    reference=_numpy(np.prod),
    conventions=[
        Convention(
            ([2.0, 0.0, 5.0],),
            ([0.0, 10.0, 0.0],),
            "exact: the product of the others",
            point="one zero",
            params={"axes": (0,), "keepdims": False},
        ),
        Convention(
            ([0.0, 3.0, 0.0],),
            ([0.0, 0.0, 0.0],),
            "exact: the product of the others",
            point="two zeros",
            params={"axes": (0,), "keepdims": False},
        ),
    ],
    formula="Π x",
)


def reduce_prod(x: Any, axes: Axes, keepdims: bool = False) -> Any:
    """The product over ``axes``. The derivative is exact with any number of zeros."""
    return apply1(REDUCE_PROD(axes=axes, keepdims=keepdims), x)


def _infer_extremum(name: str) -> Callable[..., Aval]:
    def infer(x: Aval, *, axes: Axes, keepdims: bool) -> Aval:
        empty = [a for a in axes if x.shape[a] == 0]
        out = make_aval(reduced_shape(x.shape, axes, keepdims), x.dtype)
        if empty and out.size:
            raise FadValueError(
                located(
                    f"{name}: axis {empty[0]} of shape {x.shape} is empty, and {name} of nothing "
                    "has no value; give `initial`."
                )
            )
        return out

    return infer


def _ties(x: Any, *, largest: bool, axes: Axes, keepdims: bool) -> tuple[Any, Any]:
    x = in_memory(x)  # an element computed twice, and rounded otherwise, would not be the extremum
    out = _extremum_of(x, axes, largest)
    kept = lax.reshape(out, reduced_shape(x.shape, axes, True))
    none = kept != kept  # of NaN the derivative is NaN everywhere, in both modes
    mask = (x == kept) | none
    count = lax.reduce_sum(mask.astype(accumulator(np.dtype(x.dtype))), axes)
    count = lax.reshape(lax.convert_element_type(count, x.dtype), kept.shape)
    shape = reduced_shape(x.shape, axes, keepdims)
    return mask, lax.reshape(jnp.where(none, kept, count), shape)


def _infer_ties(x: Aval, *, largest: bool, axes: Axes, keepdims: bool) -> tuple[Aval, Aval]:
    count = make_aval(reduced_shape(x.shape, axes, keepdims), x.dtype)
    return make_aval(x.shape, dtypes.bool_), count


TIES = primitive(
    "ties",
    _ties,
    None,
    multiple=True,
    infer=_infer_ties,
    samples=lambda: [
        Sample((np.array([1.0, 3.0, 3.0]),), {"largest": True, **_ONE_AXIS}),
        Sample((np.ones((2, 3)),), {"largest": False, "axes": (1,), "keepdims": True}),
    ],
    formula="where x is its extremum, and how often",
)
"""Where an extremum is attained, and how often: derivatives share evenly among ties."""


def _push_extremum(largest: bool) -> Callable[..., Any]:
    def push(t: Any, x: Any, *, axes: Axes, keepdims: bool) -> Any:
        mask, count = apply(TIES(largest=largest, axes=axes, keepdims=keepdims), x)
        return over(reduce_sum(keep_where(mask, t), axes, keepdims), count)

    return push


def _pull_extremum(largest: bool) -> Callable[..., Any]:
    def pull(g: Any, x: Any, *, axes: Axes, keepdims: bool) -> Any:
        mask, count = apply(TIES(largest=largest, axes=axes, keepdims=keepdims), x)
        return keep_where(mask, aligned(over(g, count), x.aval.shape, axes, keepdims))

    return pull


def _samples_extremum() -> list[Sample]:
    return [
        *_samples(),
        _sample([[1.0, 4.0, 4.0], [-1.0, -1.0, 4.0], [-np.inf, np.inf, 4.0]], (1,)),
        _sample([[True, False], [True, True]], (0,)),
        _sample(np.array([3, 5, 5], np.int16), (0,)),
    ]


def _extremum_of(x: Any, axes: Axes, largest: bool) -> Any:
    if x.dtype == jnp.bool_:
        return (lax.reduce_or if largest else lax.reduce_and)(x, axes)
    out = (lax.reduce_max if largest else lax.reduce_min)(x, axes)
    if not jnp.issubdtype(x.dtype, jnp.complexfloating):
        return out
    # XLA's order of complex numbers passes over NaN.
    return jnp.where(lax.reduce_or(jnp.isnan(x), axes), complex(NAN, NAN), out)


def _extremum(name: str, largest: bool, reference: Callable[..., Any]) -> Primitive:
    return primitive(
        name,
        _reducing(lambda x, axes: _extremum_of(x, axes, largest)),
        PerOperand([_push_extremum(largest)], [_pull_extremum(largest)]),
        infer=_infer_extremum(name.removeprefix("reduce_")),
        batch=batch_reduction,
        samples=_samples_extremum,
        reference=_numpy(reference),
        conventions=[
            Convention(([2.0, 2.0],), ([0.5, 0.5],), "ties share evenly", "ties", _ONE_AXIS),
            Convention(([1.0, NAN],), ([NAN, NAN],), "the result is NaN", params=_ONE_AXIS),
        ],
        formula=f"{name.removeprefix('reduce_')}(x)",
    )


REDUCE_MAX = _extremum("reduce_max", True, np.max)
REDUCE_MIN = _extremum("reduce_min", False, np.min)


def reduce_max(x: Any, axes: Axes, keepdims: bool = False) -> Any:
    """The maximum over ``axes``, NaN if there is one; ties share the derivative evenly."""
    return apply1(REDUCE_MAX(axes=axes, keepdims=keepdims), x)


def reduce_min(x: Any, axes: Axes, keepdims: bool = False) -> Any:
    """The minimum over ``axes``, NaN if there is one; ties share the derivative evenly."""
    return apply1(REDUCE_MIN(axes=axes, keepdims=keepdims), x)


def _logical(name: str, kernel: Any, reference: Callable[..., Any]) -> Primitive:
    return primitive(
        name,
        _reducing(lambda x, axes: kernel(x if x.dtype == jnp.bool_ else x != 0, axes)),
        None,
        infer=lambda x, *, axes, keepdims: make_aval(
            reduced_shape(x.shape, axes, keepdims), dtypes.bool_
        ),
        batch=batch_reduction,
        samples=lambda: [
            *_samples_with_identity(),
            _sample([0.0, np.nan], (0,)),
            _sample([[True, False]], (0,)),
        ],
        reference=_numpy(reference),
        formula=f"{name.removeprefix('reduce_')}(x)",
    )


REDUCE_ANY = _logical("reduce_any", lax.reduce_or, np.any)
REDUCE_ALL = _logical("reduce_all", lax.reduce_and, np.all)


def reduce_any(x: Any, axes: Axes, keepdims: bool = False) -> Any:
    """Whether an element along ``axes`` is not zero."""
    return apply1(REDUCE_ANY(axes=axes, keepdims=keepdims), x)


def reduce_all(x: Any, axes: Axes, keepdims: bool = False) -> Any:
    """Whether no element along ``axes`` is zero."""
    return apply1(REDUCE_ALL(axes=axes, keepdims=keepdims), x)


# The derivatives of products lean on cumulative products, which lean on sums.
from fad.primitives import cumulative  # noqa: E402
from fad.primitives.comparison import keep_where  # noqa: E402
