"""Polynomials as vectors of coefficients, the highest power first.

Leading zeros are kept, where NumPy drops them from some results: a shape does not depend on values.
"""

from __future__ import annotations

import math
from operator import index
from typing import Any

from numpy import finfo

from fad.core import dtypes
from fad.core.aval import Shape
from fad.core.errors import FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy import signals
from fad.numpy.axes import inexact, tensor
from fad.numpy.decompositions import lstsq
from fad.numpy.diagonals import vander
from fad.numpy.shapes import atleast_1d
from fad.primitives.arithmetic import add, div, mul, neg, sub
from fad.primitives.broadcast import broadcast_to, convert, full
from fad.primitives.constants import iota
from fad.primitives.declare import broadcast_shapes
from fad.primitives.join import concatenate, stack, unstack
from fad.primitives.linalg import product
from fad.primitives.lu import inverse
from fad.primitives.norms import norm
from fad.primitives.products import dot_general
from fad.primitives.reductions import reduce_sum
from fad.primitives.shape import flip, pad, reshape, slice_axis

__all__ = [
    "poly", "polyadd", "polyder", "polydiv", "polyfit", "polyint", "polymul", "polysub", "polyval",
]  # fmt: skip

_UNROLLED = 32
"""Up to so many coefficients Horner's scheme is written out; beyond, it goes by blocks of them."""


def _coefficients(name: str, p: Any) -> Tensor:
    x = atleast_1d(tensor(p))
    if x.ndim != 1:
        raise FadValueError(
            located(f"{name}: a polynomial is a vector of coefficients, got shape {x.shape}")
        )
    return x


def polyval(p: Any, x: Any) -> Tensor:
    """The polynomial with coefficients ``p``, the highest power first, at ``x``.

    ``p`` may have further axes, which broadcast against ``x``. Horner's scheme.

    >>> import fad, fad.numpy as fnp
    >>> fnp.polyval([3.0, 0.0, 1.0], 5.0)
    fad.Tensor(76.)
    >>> fad.grad(lambda x: fnp.polyval([3.0, 0.0, 1.0], x))(5.0)
    fad.Tensor(30.)
    """
    coefficients, at = atleast_1d(tensor(p)), tensor(x)
    dtype = dtypes.promote_types(coefficients.dtype, at.dtype)
    shape = broadcast_shapes("polyval", [coefficients.shape[1:], at.shape])
    count = coefficients.shape[0]
    if not count:
        return full(shape, 0, at.dtype)
    at, coefficients = convert(at, dtype), convert(coefficients, dtype)
    if count <= _UNROLLED or not at.aval.inexact:
        return _horner(coefficients, at, shape)
    return _by_blocks(coefficients, at, shape)


def _horner(coefficients: Tensor, at: Tensor, shape: Shape) -> Tensor:
    first, *rest = unstack(coefficients)
    value = broadcast_to(first, shape)
    for coefficient in rest:
        value = add(mul(value, at), coefficient)
    return value


def _by_blocks(coefficients: Tensor, at: Tensor, shape: Shape) -> Tensor:
    """Horner's scheme in a power of ``at`` whose coefficients are short polynomials: what is kept
    for the derivative grows as the root of the degree (Paterson and Stockmeyer, 1973)."""
    count, *inner = coefficients.shape
    size = math.isqrt(count - 1) + 1
    rows = -(-count // size)
    pads = [rows * size - count] + [0] * len(inner)
    blocks = reshape(pad(coefficients, pads, [0] * (1 + len(inner))), (rows, size, *inner))
    powers = [broadcast_to(full((), 1, at.dtype), at.shape), at]
    for i in range(2, size + 1):
        powers.append(mul(powers[i // 2], powers[i - i // 2]))
    table = stack(powers[:size][::-1], 0)
    if inner:
        ranks = (1,) * (len(shape) - len(inner))
        blocks = reshape(blocks, (rows, size, *ranks, *inner))
        table = reshape(table, (size, *(1,) * (len(shape) - at.ndim), *at.shape))
        values = reduce_sum(mul(blocks, table), (1,))
    else:
        values = dot_general(blocks, table, ((1,), (0,)))
    return _horner(values, powers[size], shape)


def polyder(p: Any, m: int = 1) -> Tensor:
    """The coefficients of the ``m``-th derivative; none, where NumPy too has none, of a constant.

    >>> import fad.numpy as fnp
    >>> fnp.polyder([1.0, 2.0, 3.0])
    fad.Tensor([2., 2.])
    """
    x, order = _coefficients("polyder", p), index(m)
    if order < 0:
        raise FadValueError(located("polyder: m must not be negative; polyint integrates"))
    for _ in range(order):
        n = max(x.size - 1, 0)
        x = mul(slice_axis(x, 0, n), _powers(n))
    return x


def _powers(count: int) -> Any:
    """``count``, ..., 2, 1."""
    return add(flip(iota(count), (0,)), 1)


def polyint(p: Any, m: int = 1, k: Any = None) -> Tensor:
    """The coefficients of the ``m``-th integral. ``k`` are the constants, in the order in which
    they are added, or one for all; 0 if None.

    >>> import fad.numpy as fnp
    >>> fnp.polyint([3.0, 2.0], k=7.0)
    fad.Tensor([1.5, 2. , 7. ])
    """
    x, order = _coefficients("polyint", p), index(m)
    if order < 0:
        raise FadValueError(located("polyint: m must not be negative; polyder differentiates"))
    constants = [0.0] * order if k is None else list(unstack(_coefficients("polyint", k)))
    if len(constants) == 1:
        constants = constants * order
    if len(constants) < order:
        raise FadValueError(
            located(f"polyint: k must be one number or {order} of them, got {len(constants)}")
        )
    for constant in constants[:order]:
        raised = div(x, _powers(x.size))
        end = reshape(tensor(constant), (1,))
        common = dtypes.promote_types(raised.dtype, end.dtype)
        x = concatenate([convert(raised, common), convert(end, common)], 0)
    return x


def _aligned(name: str, a1: Any, a2: Any) -> tuple[Tensor, Tensor]:
    """Both with as many coefficients as the longer one."""
    x, y = _coefficients(name, a1), _coefficients(name, a2)
    most = max(x.size, y.size)
    return pad(x, (most - x.size,), (0,)), pad(y, (most - y.size,), (0,))


def polyadd(a1: Any, a2: Any) -> Tensor:
    """The coefficients of the sum."""
    return add(*_aligned("polyadd", a1, a2))


def polysub(a1: Any, a2: Any) -> Tensor:
    """The coefficients of the difference."""
    return sub(*_aligned("polysub", a1, a2))


def polymul(a1: Any, a2: Any) -> Tensor:
    """The coefficients of the product.

    >>> import fad.numpy as fnp
    >>> fnp.polymul([1.0, 1.0], [1.0, -1.0])
    fad.Tensor([ 1.,  0., -1.])
    """
    return signals.convolve(_coefficients("polymul", a1), _coefficients("polymul", a2))


def polydiv(u: Any, v: Any) -> tuple[Tensor, Tensor]:
    """The coefficients of quotient and remainder of ``u`` and ``v``, whose first is not 0.

    The remainder has one coefficient less than ``v``, leading zeros included.

    >>> import fad.numpy as fnp
    >>> fnp.polydiv([3.0, 5.0, 2.0], [2.0, 1.0])
    (fad.Tensor([1.5 , 1.75]), fad.Tensor([0.25]))
    """
    x = inexact(_coefficients("polydiv", u))
    y = inexact(_coefficients("polydiv", v))
    dtype = dtypes.promote_types(x.dtype, y.dtype)
    rest, divisor = convert(x, dtype), convert(y, dtype)
    n = divisor.size
    lead, tail = slice_axis(divisor, 0, 1), slice_axis(divisor, 1, n)
    found = []
    for _ in range(x.size - n + 1):
        factor = div(slice_axis(rest, 0, 1), lead)
        found.append(reshape(factor, ()))
        head, left = slice_axis(rest, 1, n), slice_axis(rest, n, rest.size)
        rest = concatenate([sub(head, mul(factor, tail)), left], 0)
    quotient = stack(found, 0) if found else full((1,), 0, dtype)
    return quotient, rest if rest.size else full((1,), 0, dtype)


def poly(seq_of_zeros: Any) -> Tensor:
    """The coefficients of the polynomial with these zeros and leading coefficient 1.

    Complex zeros give complex coefficients, also where they come in conjugate pairs.

    >>> import fad.numpy as fnp
    >>> fnp.poly([1.0, 2.0])
    fad.Tensor([ 1., -3.,  2.])
    """
    zeros = atleast_1d(tensor(seq_of_zeros))
    if zeros.ndim != 1:
        raise FadValueError(
            located(
                f"poly: a vector of zeros is expected, got shape {zeros.shape}; the characteristic "
                "polynomial of a matrix needs its eigenvalues"
            )
        )
    zeros = inexact(zeros)
    if not zeros.size:
        return full((), 1, zeros.dtype)  # as NumPy has it
    out = full((1,), 1, zeros.dtype)
    for zero in unstack(zeros):
        shifted = mul(neg(zero), out)
        out = add(pad(out, (0,), (1,)), pad(shifted, (1,), (0,)))
    return out


def polyfit(
    x: Any,
    y: Any,
    deg: Any,
    rcond: Any = None,
    full: bool = False,
    w: Any = None,
    cov: bool | str = False,
) -> Any:
    """The coefficients of the polynomial of degree ``deg`` that fits ``y`` at ``x`` best.

    The weighted sum of squares of ``w * (p(x) - y)`` is least; ``y`` may have several columns. With
    ``full`` the result is followed by the residuals, rank and singular values of the system and
    ``rcond``, as :func:`fad.numpy.linalg.lstsq` gives them; with ``cov`` by the covariance of the
    coefficients, not scaled by the residuals if that is ``"unscaled"``. Where NumPy warns of a
    rank that is too small nothing is said, since that would read a value.

    >>> import fad.numpy as fnp
    >>> fnp.polyfit([0.0, 1.0, 2.0, 3.0], [1.0, 3.0, 5.0, 7.0], 1).round(6)
    fad.Tensor([2., 1.])
    """
    order = index(deg) + 1
    at, values = inexact(x), inexact(y)
    if order < 1:
        raise FadValueError(located(f"polyfit: deg must not be negative, got {deg}"))
    if at.ndim != 1 or not at.size or values.ndim not in (1, 2) or values.shape[0] != at.size:
        raise FadValueError(
            located(
                f"polyfit: x must be a vector that is not empty, and y a vector or a matrix of as "
                f"many rows, got shapes {at.shape} and {values.shape}"
            )
        )
    left = vander(at, order)
    if w is not None:
        weights = inexact(w)
        if weights.shape != at.shape:
            raise FadValueError(
                located(f"polyfit: w must have the shape of x, got {weights.shape} for {at.shape}")
            )
        column = reshape(weights, (at.size, 1))
        left = mul(left, column)
        values = mul(values, weights if values.ndim == 1 else column)
    cutoff = at.size * float(finfo(at.dtype).eps) if rcond is None else rcond
    scale = norm(left, (0,))
    solution, squares, rank, s = lstsq(div(left, scale), values, cutoff)
    divisor = scale if values.ndim == 1 else reshape(scale, (order, 1))
    found = div(solution, divisor)
    if full:
        return found, squares, rank, s, cutoff
    if not cov:
        return found
    return found, _covariance(left, scale, squares, values.ndim, cov == "unscaled")


def _covariance(left: Tensor, scale: Tensor, squares: Tensor, ndim: int, unscaled: bool) -> Tensor:
    """The covariance of the coefficients of a fit, for each column of the values."""
    count, order = left.shape
    scaled = div(left, scale)
    inverted = inverse(product(scaled, scaled, -2, -2))
    base = div(div(inverted, reshape(scale, (order, 1))), scale)
    if not unscaled and count <= order:
        raise FadValueError(
            located(
                f"polyfit: {count} points are too few for the covariance of {order} coefficients; "
                "the number of data points must exceed the number of coefficients to scale it"
            )
        )
    base = base if ndim == 1 else reshape(base, (order, order, 1))
    if unscaled:
        return base
    factor = div(squares, float(count - order))
    return mul(base, reshape(factor, ()) if ndim == 1 else factor)
