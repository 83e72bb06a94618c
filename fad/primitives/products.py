"""Products: ``dot_general``, to which every matrix product, contraction and einsum comes down."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core import dtypes
from fad.core.apply import apply2
from fad.core.aval import Aval, Shape, make_aval
from fad.core.errors import FadValueError, located
from fad.core.graph import Equation
from fad.core.primitive import Operation
from fad.primitives.arithmetic import mul
from fad.primitives.broadcast import CONVERT, convert, sum_to
from fad.primitives.constants import EYE
from fad.primitives.declare import Sample, broadcast_shapes, primitive
from fad.primitives.derivative import Multilinear
from fad.primitives.shape import RESHAPE, TRANSPOSE, inverse_permutation, reshape, transpose

Axes = tuple[int, ...]
Pair = tuple[Axes, Axes]


def _draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).normal(size=shape)


class Sides(NamedTuple):
    """The free axes of both operands, ascending. The result has batch axes, then x's, then y's."""

    x: Axes
    y: Axes


@cache
def free_axes(x_ndim: int, y_ndim: int, contract: Pair, batch: Pair) -> Sides:
    """The axes that are neither contracted nor batch axes."""
    x_used = {*contract[0], *batch[0]}
    y_used = {*contract[1], *batch[1]}
    return Sides(
        tuple([i for i in range(x_ndim) if i not in x_used]),
        tuple([i for i in range(y_ndim) if i not in y_used]),
    )


def _kernel(x: Any, y: Any, *, contract: Pair, batch: Pair) -> Any:
    dtype = dtypes.promote_types(np.dtype(x.dtype), np.dtype(y.dtype))
    x, y = (a if a.dtype == dtype else lax.convert_element_type(a, dtype) for a in (x, y))
    if not contract[0]:  # XLA's dot is slower at this than a fused multiplication
        return _outer(x, y, batch)
    half = dtype in (dtypes.float16, dtypes.bfloat16)
    out = lax.dot_general(
        x, y, (contract, batch), precision=lax.Precision.HIGHEST,
        preferred_element_type=jnp.float32 if half else dtype,
    )  # fmt: skip
    return lax.convert_element_type(out, dtype) if half else out


def _outer(x: Any, y: Any, batch: Pair) -> Any:
    free = free_axes(x.ndim, y.ndim, ((), ()), batch)
    x = lax.transpose(x, (*batch[0], *free.x))
    y = lax.transpose(y, (*batch[1], *free.y))
    n = len(batch[0])
    shape = (*x.shape, *y.shape[n:])
    x = lax.broadcast_in_dim(x, shape, tuple(range(x.ndim)))
    y = lax.broadcast_in_dim(y, shape, (*range(n), *range(x.ndim - y.ndim + n, x.ndim)))
    return lax.bitwise_and(x, y) if x.dtype == jnp.bool_ else lax.mul(x, y)


def _infer(x: Aval, y: Aval, *, contract: Pair, batch: Pair) -> Aval:
    for what, (x_axes, y_axes) in (("contracted", contract), ("batch", batch)):
        lengths = [x.shape[i] for i in x_axes], [y.shape[i] for i in y_axes]
        if lengths[0] != lengths[1]:
            raise FadValueError(
                located(
                    f"dot_general: the {what} axes {x_axes} of shape {x.shape} and {y_axes} of "
                    f"shape {y.shape} differ in length; swap or transpose an operand"
                )
            )
    free = free_axes(x.ndim, y.ndim, contract, batch)
    shape = [x.shape[i] for i in (*batch[0], *free.x)] + [y.shape[i] for i in free.y]
    return make_aval(tuple(shape), dtypes.promote_types(x.dtype, y.dtype))


class _Pull(NamedTuple):
    """How the cotangent of one operand is had: a product, then a transpose (often the identity)."""

    operation: Operation
    cotangent_first: bool
    axes: Axes


@lru_cache(maxsize=4096)
def _pull_plan(side: int, ndim: int, other_ndim: int, contract: Pair, batch: Pair) -> _Pull:
    """The plan for operand ``side``, which has ``ndim`` axes.

    The cotangent's axes are batch, x's free, y's free; contracting those of the other operand
    leaves batch, mine, and the contracted axes in the other operand's order. Of the two orders of
    the product that is taken which needs no transpose, if there is one.
    """
    ndims = (ndim, other_ndim) if side == 0 else (other_ndim, ndim)
    free = free_axes(*ndims, contract, batch)
    n = len(batch[0])
    places = (
        tuple(range(n, n + len(free.x))),
        tuple(range(n + len(free.x), n + len(free.x) + len(free.y))),
    )
    other = 1 - side
    sums = (places[other], free[other])
    batches = (tuple(range(n)), batch[other])
    partner = dict(zip(contract[other], contract[side], strict=True))
    summed = tuple([partner[axis] for axis in sorted(contract[other])])
    for cotangent_first in (side == 0, side != 0):
        mine = (free[side], summed) if cotangent_first else (summed, free[side])
        axes = inverse_permutation((*batch[side], *mine[0], *mine[1]))
        if axes == tuple(range(ndim)):
            break
    pairs = (sums, batches) if cotangent_first else (sums[::-1], batches[::-1])
    return _Pull(DOT_GENERAL(contract=pairs[0], batch=pairs[1]), cotangent_first, axes)


def _pull(side: int, g: Any, other: Any, aval: Aval, contract: Pair, batch: Pair) -> Any:
    plan = _pull_plan(side, aval.ndim, other.aval.ndim, contract, batch)
    product = apply2(plan.operation, *((g, other) if plan.cotangent_first else (other, g)))
    return convert(transpose(product, plan.axes), aval.dtype)


def _shifted(axes: Axes) -> Axes:
    return tuple([axis + 1 for axis in axes])


def _batch(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    """One product in every case: an axis that one operand has alone becomes a free axis of it."""
    x, y = operands
    contract, batch = operation.params["contract"], operation.params["batch"]
    free = free_axes(x.aval.ndim - batched[0], y.aval.ndim - batched[1], contract, batch)
    n = len(batch[0])
    if all(batched):
        contract = (_shifted(contract[0]), _shifted(contract[1]))
        batch = ((0, *_shifted(batch[0])), (0, *_shifted(batch[1])))
        return dot_general(x, y, contract, batch), True
    if batched[0]:
        place = n
        contract = (_shifted(contract[0]), contract[1])
        batch = (_shifted(batch[0]), batch[1])
    else:
        contract = (contract[0], _shifted(contract[1]))
        batch = (batch[0], _shifted(batch[1]))
        place = n + len(free.x)
        if free.x and not free.y:  # the other order leaves the axis in front
            x, y, contract, batch, place = y, x, contract[::-1], batch[::-1], n
    out = dot_general(x, y, contract, batch)
    rest = [axis for axis in range(out.aval.ndim) if axis != place]
    return transpose(out, (place, *rest)), True


def _simplify(
    operation: Operation, inputs: tuple[int, ...], definitions: Mapping[int, Equation], avals: Any
) -> Any:
    """A product with the identity is the other operand, transposed: what Jacobians start from."""
    if operation.params["batch"][0]:
        return None
    contract = operation.params["contract"]
    for side in (0, 1):
        if _is_identity(inputs[side], definitions):
            identity, other = avals[inputs[side]], avals[inputs[1 - side]]
            chain = _through_identity(identity, other, side, contract[side], contract[1 - side])
            if chain is not None:
                return chain, inputs[1 - side]
    return None


def _is_identity(v: int, definitions: Mapping[int, Equation]) -> bool:
    """Whether a variable is an identity matrix, perhaps reshaped."""
    equation = definitions.get(v)
    while equation is not None and equation.operation.primitive is RESHAPE:
        equation = definitions.get(equation.inputs[0])
    if equation is None or equation.operation.primitive is not EYE:
        return False
    params = equation.operation.params
    return params["n"] == params["m"] and params["k"] == 0


def _through_identity(
    identity: Aval, other: Aval, side: int, mine: Axes, theirs: Axes
) -> tuple[Operation, ...] | None:
    """The operations that take ``other`` to its product with the identity, operand ``side``.

    That works if exactly the axes of the identity's rows are contracted, or those of its columns.
    """
    ndim = identity.ndim
    group = tuple(sorted(mine))
    kept = tuple([axis for axis in range(ndim) if axis not in group])
    lengths = [math.prod([identity.shape[axis] for axis in part]) for part in (group, kept)]
    orders = ((*group, *kept), (*kept, *group))
    if lengths[0] != lengths[1] or tuple(range(ndim)) not in orders:
        return None
    summed = [theirs[mine.index(axis)] for axis in group]
    free = [axis for axis in range(other.ndim) if axis not in theirs]
    axes = tuple(summed + free if side == 0 else free + summed)
    new = [identity.shape[axis] for axis in kept]
    old = [other.shape[axis] for axis in free]
    shape = tuple(new + old if side == 0 else old + new)
    chain = [] if axes == tuple(range(other.ndim)) else [TRANSPOSE(axes=axes)]
    if shape != tuple([other.shape[axis] for axis in axes]):
        chain.append(RESHAPE(shape=shape))
    dtype = dtypes.promote_types(identity.dtype, other.dtype)
    return tuple(chain if dtype == other.dtype else [*chain, CONVERT(dtype=dtype)])


def _reference(x: Any, y: Any, *, contract: Pair, batch: Pair) -> Any:
    letters = iter("abcdefghijklmnop")
    x_labels = [next(letters) for _ in range(np.ndim(x))]
    y_labels = [next(letters) for _ in range(np.ndim(y))]
    for pair in (contract, batch):
        for i, j in zip(*pair, strict=True):
            y_labels[j] = x_labels[i]
    free = free_axes(np.ndim(x), np.ndim(y), contract, batch)
    out = [x_labels[i] for i in (*batch[0], *free.x)] + [y_labels[i] for i in free.y]
    return np.einsum(f"{''.join(x_labels)},{''.join(y_labels)}->{''.join(out)}", x, y)


def _samples() -> list[Sample]:
    def case(x: Any, y: Any, contract: Pair, batch: Pair = ((), ())) -> Sample:
        return Sample((x, y), {"contract": contract, "batch": batch})

    return [
        case(_draw(2, 3), _draw(3, 2), ((1,), (0,))),
        case(_draw(3), _draw(3), ((0,), (0,))),
        case(_draw(), _draw(2), ((), ())),
        case(_draw(3, 2, 4), _draw(2, 4, 3), ((2, 0), (1, 2))),
        case(_draw(2, 3, 2), _draw(3, 4, 2), ((0,), (2,)), ((1,), (0,))),
        case(_draw(2, 3), _draw(3, 2), ((), ()), ((0, 1), (1, 0))),
        case(_draw(2, 0), _draw(0, 2), ((1,), (0,))),
        case(_draw(2, 2) + 1j * _draw(2, 2), _draw(2), ((1,), (0,))),
        case(np.arange(4).reshape(2, 2), _draw(2), ((0,), (0,))),
    ]


DOT_GENERAL = primitive(
    "dot_general",
    _kernel,
    Multilinear(
        [
            lambda g, y, aval, *, contract, batch: _pull(0, g, y, aval, contract, batch),
            lambda g, x, aval, *, contract, batch: _pull(1, g, x, aval, contract, batch),
        ]
    ),
    infer=_infer,
    batch=_batch,
    simplify=_simplify,
    compile_cost=10.0,
    samples=_samples,
    reference=_reference,
    formula="Σ x y over the contracted axes",
)


def dot_general(x: Any, y: Any, contract: Pair, batch: Pair = ((), ())) -> Any:
    """Sum of products over the axes ``contract``, for each index of the axes ``batch``.

    The axes are non-negative, those of ``x`` first. The result has the batch axes, then the other
    axes of ``x``, then those of ``y``. dtypes promote as in ``x * y``, booleans with "or" as sum.
    """
    return apply2(DOT_GENERAL(contract=contract, batch=batch), x, y)


@lru_cache(maxsize=4096)
def _matmul_operation(xs: Shape, ys: Shape) -> Operation | None:
    """The one operation that is matmul for these shapes, if there is one."""
    if not xs or not ys:
        raise FadValueError(
            located("matmul: operands must have at least one axis; multiply scalars with *")
        )
    if xs[-1] != ys[0 if len(ys) == 1 else -2]:
        raise FadValueError(
            located(
                f"matmul: shapes {xs} and {ys} do not fit: the last axis of the first operand has "
                f"length {xs[-1]}, the {'only' if len(ys) == 1 else 'second to last'} axis of the "
                f"second {ys[0 if len(ys) == 1 else -2]}. Transpose an operand with x.mT."
            )
        )
    if len(xs) > 1 and len(ys) > 2:
        return None
    return DOT_GENERAL(contract=((len(xs) - 1,), (max(len(ys) - 2, 0),)), batch=((), ()))


def matmul(x: Any, y: Any) -> Any:
    """The matrix product with NumPy's conventions: vectors, and leading axes that broadcast.

    One operation is recorded unless both operands are stacks of matrices (or the right one alone).
    """
    xs, ys = x.aval.shape, y.aval.shape
    operation = _matmul_operation(xs, ys)
    if operation is not None:
        return apply2(operation, x, y)
    leading = broadcast_shapes("matmul", [xs[:-2], ys[:-2]])
    labels = tuple(range(len(leading)))
    x_labels = (*labels[len(labels) - len(xs) + 2 :], -3, -2)
    y_labels = (*labels[len(labels) - len(ys) + 2 :], -2, -1)
    return contract(x, x_labels, y, y_labels, (*labels, -3, -1))


Labels = tuple[Any, ...]


def contract(x: Any, x_labels: Labels, y: Any, y_labels: Labels, out: Labels) -> Any:
    """The einsum of two operands: each axis has a label, and those not in ``out`` are summed over.

    Within one operand labels differ. An axis of length 1 broadcasts along the other's.
    """
    lengths = dict(zip(x_labels, x.aval.shape, strict=True))
    unit = {a for a, n in zip(y_labels, y.aval.shape, strict=True) if n == 1 != lengths.get(a, 1)}
    y, y_labels = sum_labels(y, y_labels, unit)
    lengths = dict(zip(y_labels, y.aval.shape, strict=True))
    unit = {a for a, n in zip(x_labels, x.aval.shape, strict=True) if n == 1 != lengths.get(a, 1)}
    x, x_labels = sum_labels(x, x_labels, unit)
    x, x_labels = sum_labels(x, x_labels, set(x_labels).difference(y_labels, out))
    y, y_labels = sum_labels(y, y_labels, set(y_labels).difference(x_labels, out))
    shared = set(x_labels) & set(y_labels)
    if shared <= set(out) and len(shared) == min(len(x_labels), len(y_labels)):
        return mul(_aligned(x, x_labels, out), _aligned(y, y_labels, out))
    plan = _contract_plan(x_labels, y_labels, out)
    product = apply2(plan.operation, *((x, y) if plan.in_order else (y, x)))
    return transpose(product, plan.axes)


def sum_labels(x: Any, labels: Labels, drop: set[Any]) -> tuple[Any, Labels]:
    """``x`` summed over the axes labelled ``drop``, and the labels that remain."""
    if not drop:
        return x, labels
    shape = x.aval.shape
    ones = tuple([1 if a in drop else n for a, n in zip(labels, shape, strict=True)])
    kept = tuple([n for a, n in zip(labels, shape, strict=True) if a not in drop])
    return reshape(sum_to(x, ones), kept), tuple([a for a in labels if a not in drop])


def _aligned(x: Any, labels: Labels, out: Labels) -> Any:
    """``x`` with its axes in the order of ``out``, of length 1 where it has none."""
    present = [a for a in out if a in labels]
    x = transpose(x, [labels.index(a) for a in present])
    lengths = dict(zip(present, x.aval.shape, strict=True))
    first = out.index(present[0]) if present else len(out)
    return reshape(x, tuple([lengths.get(a, 1) for a in out[first:]]))


class _Contraction(NamedTuple):
    operation: Operation
    in_order: bool
    axes: Axes


@lru_cache(maxsize=4096)
def _contract_plan(x: Labels, y: Labels, out: Labels) -> _Contraction:
    """The product, in the order that needs no transpose afterwards if there is one."""
    both = set(x) & set(y)
    summed = [a for a in x if a in both and a not in out]
    batch = [a for a in out if a in both]
    orders = ((x, y), (y, x))
    free = [[a for a in (*first, *second) if a not in both] for first, second in orders]
    found = [tuple([(batch + labels).index(a) for a in out]) for labels in free]
    swap = found[0] != tuple(range(len(out))) == found[1]
    first, second = orders[swap]

    def pair(labels: list[Any]) -> Pair:
        return tuple([first.index(a) for a in labels]), tuple([second.index(a) for a in labels])

    operation = DOT_GENERAL(contract=pair(summed), batch=pair(batch))
    return _Contraction(operation, not swap, found[swap])
