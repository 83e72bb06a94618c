"""Comparisons, logic and choices."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from jax import lax
from jax import numpy as jnp

from fad.core import dtypes
from fad.core.aval import Aval, make_aval
from fad.core.dtypes import DType
from fad.core.tensor import Tensor, aval_of
from fad.primitives.broadcast import full
from fad.primitives.declare import (
    SAME,
    SELECT,
    Promotion,
    Sample,
    broadcast_shapes,
    elementwise,
    elementwise_samples,
)

_UINT64 = np.dtype(np.uint64)
_EXACT = 2**53
"""Integers up to here are floats."""


class _Compare(Promotion):
    """Operands of one dtype, but for unsigned and signed 64-bit integers: no dtype holds both."""

    def operands(self, avals: tuple[Aval, ...]) -> tuple[DType, ...]:
        given = [a.dtype for a in avals]
        strong = not any(a.weak for a in avals)
        if strong and _UINT64 in given and all(d.kind in "iu" for d in given):
            return tuple([d if d == _UINT64 else dtypes.int64 for d in given])
        return super().operands(avals)


def _comparison(name: str, compare: Any) -> Callable[[Any, Any], Any]:
    """The kernel of a comparison: complex numbers in lexicographic order, mixed signs exactly."""
    strict = {"le": operator.lt, "ge": operator.gt}.get(name, compare)

    def kernel(x: Any, y: Any) -> Any:
        if x.dtype != y.dtype:
            wide = jnp.uint64
            if x.dtype == wide:  # a negative y lies below every x
                below = jnp.full(y.shape, compare(1, 0))
                return jnp.where(y < 0, below, compare(x, lax.convert_element_type(y, wide)))
            below = jnp.full(x.shape, compare(0, 1))
            return jnp.where(x < 0, below, compare(lax.convert_element_type(x, wide), y))
        if jnp.issubdtype(x.dtype, jnp.complexfloating) and name not in ("eq", "ne"):
            a, b = lax.real(x), lax.real(y)
            ordered = strict(a, b) & ~jnp.isnan(lax.imag(x)) & ~jnp.isnan(lax.imag(y))
            return ordered | ((a == b) & compare(lax.imag(x), lax.imag(y)))
        return compare(x, y)

    return kernel


_SYMBOLS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def _samples_with_ties() -> list[Sample]:
    ties = Sample((np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])))
    return [ties, *elementwise_samples(((-3.0, 3.0), (-3.0, 3.0)), SAME)]


def _declare(name: str, compare: Any, reference: Any) -> Callable[[Any, Any], Any]:
    applied = elementwise(
        name,
        _comparison(name, compare),
        None,
        arity=2,
        promotion=_Compare(result=lambda d: dtypes.bool_),
        samples=_samples_with_ties,
        reference=reference,
        formula=f"x {_SYMBOLS[name]} y",
    )

    def compared(x: Any, y: Any) -> Any:
        if y.__class__ is int:
            if isinstance(x, Tensor) and x.aval.inexact and -_EXACT <= y <= _EXACT:
                return applied(x, float(y))  # the short way is that of floats
            constant = _beyond(x, y, compare)
        elif x.__class__ is int:
            constant = _beyond(x, y, compare)
        else:
            return applied(x, y)
        return applied(x, y) if constant is None else constant

    compared.__name__ = compared.__qualname__ = name
    return compared


def _beyond(x: Any, y: Any, compare: Any) -> Any:
    """The constant result if one operand is a Python int that the other's dtype does not hold."""
    swapped = x.__class__ is int
    number, other = (x, y) if swapped else (y, x)
    aval = aval_of(other)
    if aval.dtype.kind not in "iu" or aval.weak:
        return None
    info = np.iinfo(aval.dtype)
    if info.min <= number <= info.max:
        return None
    inside = compare(number, 0) if swapped else compare(0, number)
    return full(aval.shape, inside, dtypes.bool_)


eq = _declare("eq", operator.eq, np.equal)
ne = _declare("ne", operator.ne, np.not_equal)
lt = _declare("lt", operator.lt, np.less)
le = _declare("le", operator.le, np.less_equal)
gt = _declare("gt", operator.gt, np.greater)
ge = _declare("ge", operator.ge, np.greater_equal)


# ----------------------------------------------------------------------------------------- logic


class _Logic(Promotion):
    """Operands of any dtypes, each of which is true where it is not zero."""

    def operands(self, avals: tuple[Aval, ...]) -> tuple[DType, ...]:
        return tuple([a.dtype for a in avals])

    def infer(self, name: str, avals: tuple[Aval, ...]) -> Aval:
        weak = all(a.weak for a in avals)
        return make_aval(broadcast_shapes(name, [a.shape for a in avals]), dtypes.bool_, weak)


def _truth(x: Any) -> Any:
    return x if x.dtype == jnp.bool_ else x != 0


def _logical(combine: Any) -> Callable[..., Any]:
    return lambda *operands: combine(*[_truth(x) for x in operands])


def _truths(arity: int) -> list[Sample]:
    both = (np.array([0.0, 2.0, 1.0]), np.array([0.0, 0.0, 3.0]))
    return [*elementwise_samples(((-3.0, 3.0),) * arity, SAME), Sample(both[:arity])]


logical_and = elementwise(
    "logical_and", _logical(lax.bitwise_and), None, arity=2, promotion=_Logic(),
    samples=lambda: _truths(2), reference=np.logical_and,
)  # fmt: skip
logical_or = elementwise(
    "logical_or", _logical(lax.bitwise_or), None, arity=2, promotion=_Logic(),
    samples=lambda: _truths(2), reference=np.logical_or,
)  # fmt: skip
logical_xor = elementwise(
    "logical_xor", _logical(lax.bitwise_xor), None, arity=2, promotion=_Logic(),
    samples=lambda: _truths(2), reference=np.logical_xor,
)  # fmt: skip
logical_not = elementwise(
    "logical_not", _logical(lax.bitwise_not), None, promotion=_Logic(), samples=lambda: _truths(1),
    reference=np.logical_not,
)  # fmt: skip


# --------------------------------------------------------------------------------------- choices

select = elementwise(
    "select",
    lambda c, x, y: lax.select(c, x, y),
    [None, lambda g, x: keep_where(x, g), lambda g, x: drop_where(x, g)],
    promotion=SELECT,
    reference=np.where,
    strong=True,
    formula="y where x, else z",
)
keep_where: Any = elementwise(
    "keep_where",
    lambda c, x: lax.select(c, x, jnp.zeros_like(x)),
    [None, lambda g, x: keep_where(x, g)],
    promotion=SELECT,
    reference=lambda c, x: np.where(c, x, np.zeros_like(x)),
    strong=True,
    formula="y where x, else 0",
)
drop_where: Any = elementwise(
    "drop_where",
    lambda c, x: lax.select(c, jnp.zeros_like(x), x),
    [None, lambda g, x: drop_where(x, g)],
    promotion=SELECT,
    reference=lambda c, x: np.where(c, np.zeros_like(x), x),
    strong=True,
    formula="0 where x, else y",
)
