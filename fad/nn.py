"""Activations and normalisations of neural networks, as functions.

Names, arguments and conventions are those of ``jax.nn``. Values and derivatives keep their relative
precision in the tails, where most of these functions are close to 0: ``silu(-700)`` and
``gelu(-30, approximate=False)`` have all their digits, and so have their derivatives.
"""

from __future__ import annotations

import math
from operator import index
from typing import Any

from fad.core import dtypes
from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy.axes import inexact, one_axis, tensor
from fad.numpy.dtypes import as_dtype
from fad.numpy.statistics import mean as _mean
from fad.primitives import extrema, logistic, normal, transcendental
from fad.primitives.arithmetic import add, div, mul, neg, rsqrt, sqrt, square, sub
from fad.primitives.broadcast import convert
from fad.primitives.comparison import drop_where, eq, ge, gt, le, lt, select
from fad.primitives.constants import iota
from fad.primitives.floating import isinf
from fad.primitives.polar import hypot
from fad.primitives.shape import expand_dims, reshape, slice_axis
from fad.primitives.transcendental import expm1
from fad.scipy import special

__all__ = [
    "celu", "elu", "gelu", "glu", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
    "leaky_relu", "log_sigmoid", "log_softmax", "logsumexp", "mish", "one_hot", "relu", "relu6",
    "selu", "sigmoid", "silu", "soft_sign", "softmax", "softplus", "squareplus", "standardize",
    "swish", "tanh",
]  # fmt: skip

# --------------------------------------------------------------------------- pieces of lines


def relu(x: Any) -> Tensor:
    """The positive part. Its derivative at 0 is 0.

    >>> import fad
    >>> fad.nn.relu([-1.0, 0.0, 2.0])
    fad.Tensor([0., 0., 2.])
    >>> fad.grad(fad.nn.relu)(0.0)
    fad.Tensor(0.)
    """
    x = tensor(x)
    result: Tensor = drop_where(le(x, 0), x)
    return result


def relu6(x: Any) -> Tensor:
    """``x`` limited to [0, 6]. Its derivative at 0 and 6 is 0."""
    x = relu(x)
    result: Tensor = select(ge(x, 6), 6, x)
    return result


def leaky_relu(x: Any, negative_slope: Any = 0.01) -> Tensor:
    """``x``, times ``negative_slope`` where it is negative. Its derivative at 0 is 1."""
    x = inexact(x)
    result: Tensor = select(lt(x, 0.0), mul(x, negative_slope), x)
    return result


def hard_tanh(x: Any) -> Tensor:
    """``x`` limited to [-1, 1]. Its derivative at both ends is 1."""
    x = inexact(x)
    result: Tensor = extrema.lower_to(extrema.raise_to(x, -1.0), 1.0)
    return result


def hard_sigmoid(x: Any) -> Tensor:
    """``relu6(x + 3) / 6``."""
    return div(relu6(add(inexact(x), 3.0)), 6.0)


def hard_silu(x: Any) -> Tensor:
    """``x * hard_sigmoid(x)``, 0 from -3 down."""
    return _gated(inexact(x), hard_sigmoid(x))


hard_swish = hard_silu

# ------------------------------------------------------------------------- smooth activations


def _gated(x: Tensor, gate: Any) -> Tensor:
    """``x * gate`` for a gate that at -inf and inf nears 0 and 1 faster than any power of ``x``.

    There the products with ``x``, of the gate and of its derivative, would be NaN.
    """
    product = mul(drop_where(isinf(x), x), gate)
    result: Tensor = select(eq(x, math.inf), x, product)
    return result


def tanh(x: Any) -> Tensor:
    """The hyperbolic tangent."""
    return transcendental.tanh(inexact(x))


def sigmoid(x: Any) -> Tensor:
    """``1 / (1 + exp(-x))``."""
    return transcendental.sigmoid(inexact(x))


def log_sigmoid(x: Any) -> Tensor:
    """``log(sigmoid(x))``: -800 at -800, -exp(-40) at 40."""
    return logistic.log_sigmoid(inexact(x))


def softplus(x: Any) -> Tensor:
    """``log(1 + exp(x))``, a smooth :func:`relu`.

    >>> import fad
    >>> fad.nn.softplus(800.0), fad.nn.softplus(-40.0)
    (fad.Tensor(800.), fad.Tensor(4.24835426e-18))
    """
    return logistic.softplus(inexact(x))


def silu(x: Any) -> Tensor:
    """``x * sigmoid(x)``, also called swish; 0 at -inf."""
    x = inexact(x)
    return _gated(x, transcendental.sigmoid(x))


swish = silu


def mish(x: Any) -> Tensor:
    """``x * tanh(softplus(x))``; 0 at -inf."""
    x = inexact(x)
    return _gated(x, transcendental.tanh(logistic.softplus(x)))


_SATURATED = 30.0


def gelu(x: Any, approximate: bool = True) -> Tensor:
    """``x`` times the standard normal distribution function.

    Args:
        x: real tensor of any shape; the value at -inf is 0.
        approximate: whether to take ``(1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) / 2`` for
            that function, as ``jax.nn`` does unless told otherwise.

    >>> import fad
    >>> fad.nn.gelu(-30.0, approximate=False)
    fad.Tensor(-1.472e-196)
    """
    x = inexact(x)
    if not approximate:
        return _gated(x, normal.ndtr(x))
    # Beyond, the gate is 0 or 1 to the last digit, and cubes are larger than half precision holds.
    u = extrema.lower_to(extrema.raise_to(x, -_SATURATED), _SATURATED)
    cubic = mul(u, add(mul(square(u), 0.044715), 1.0))
    # (1 + tanh(v)) / 2 is the logistic function at 2 v, which keeps its digits where that is small.
    return _gated(x, transcendental.sigmoid(mul(cubic, 2.0 * math.sqrt(2.0 / math.pi))))


def elu(x: Any, alpha: Any = 1.0) -> Tensor:
    """``x`` where positive, else ``alpha * (exp(x) - 1)``, whose derivative holds at 0."""
    x = inexact(x)
    positive = gt(x, 0.0)
    result: Tensor = select(positive, x, mul(expm1(drop_where(positive, x)), alpha))
    return result


def celu(x: Any, alpha: Any = 1.0) -> Tensor:
    """``x`` where positive, else ``alpha * (exp(x / alpha) - 1)``; its derivative at 0 is 1."""
    x = inexact(x)
    positive = gt(x, 0.0)
    result: Tensor = select(positive, x, mul(expm1(div(drop_where(positive, x), alpha)), alpha))
    return result


def selu(x: Any) -> Tensor:
    """:func:`elu` with the factors of self-normalising networks (Klambauer et al. 2017)."""
    alpha, scale = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
    return mul(elu(x, alpha), scale)


def soft_sign(x: Any) -> Tensor:
    """``x / (1 + abs(x))``. Its derivative at 0 is 1."""
    return logistic.soft_sign(inexact(x))


def squareplus(x: Any, b: Any = 4.0) -> Tensor:
    """``(x + sqrt(x**2 + b)) / 2``, a smooth :func:`relu`."""
    x = inexact(x)
    root = hypot(x, sqrt(b))
    # For negative x the sum cancels; it is b / 4 over the other root of its equation.
    negative = lt(x, 0.0)
    larger = mul(add(select(negative, neg(x), x), root), 0.5)
    result: Tensor = select(negative, div(b, mul(larger, 4.0)), larger)
    return result


def glu(x: Any, axis: int = -1) -> Tensor:
    """The first half along ``axis`` times the :func:`sigmoid` of the second."""
    x = inexact(x)
    axis = one_axis("glu", axis, x.ndim)
    size = x.shape[axis]
    if size % 2:
        raise FadValueError(
            located(f"glu halves axis {axis}, whose length {size} is odd. Pad it, or name another.")
        )
    first = slice_axis(x, 0, size // 2, axis=axis)
    second = slice_axis(x, size // 2, size, axis=axis)
    return mul(first, transcendental.sigmoid(second))


# ------------------------------------------------------------------------------- along axes


def _masked(x: Any, where: Any, other: float) -> Tensor:
    x = inexact(x)
    if where is None:
        return x
    result: Tensor = select(convert(tensor(where), dtypes.bool_), x, other)
    return result


def softmax(x: Any, axis: Any = -1, where: Any = None) -> Tensor:
    """Exponentials divided by their sum along ``axis``; 0 outside the mask ``where``.

    >>> import fad
    >>> fad.nn.softmax([1000.0, 1000.0, -1000.0])
    fad.Tensor([0.5, 0.5, 0. ])
    """
    return special.softmax(_masked(x, where, -math.inf), axis)


def log_softmax(x: Any, axis: Any = -1, where: Any = None) -> Tensor:
    """The logarithm of :func:`softmax`; -inf outside the mask ``where``."""
    return special.log_softmax(_masked(x, where, -math.inf), axis)


def logsumexp(
    a: Any,
    axis: Any = None,
    b: Any = None,
    keepdims: bool = False,
    return_sign: bool = False,
    where: Any = None,
) -> Any:
    """The logarithm of the sum of exponentials along ``axis``; see ``fad.scipy.special``.

    Elements outside the mask ``where`` do not count.
    """
    return special.logsumexp(_masked(a, where, -math.inf), axis, b, keepdims, return_sign)


def standardize(
    x: Any,
    axis: Any = -1,
    mean: Any = None,
    variance: Any = None,
    epsilon: Any = 1e-5,
    where: Any = None,
) -> Tensor:
    """``(x - mean) / sqrt(variance + epsilon)``, by default of the elements along ``axis``.

    Where ``where`` is given, it says which elements mean and variance are taken of.
    """
    x = inexact(x)
    options: Any = {"axis": axis, "keepdims": True, "where": True if where is None else where}
    if mean is None:
        mean = _mean(x, **options)
    centred = sub(x, mean)
    if variance is None:
        variance = _mean(square(centred), **options)
    return mul(centred, rsqrt(add(variance, epsilon)))


def one_hot(x: Any, num_classes: int, *, dtype: Any = None, axis: int = -1) -> Tensor:
    """1 where the index along a new ``axis`` of length ``num_classes`` is ``x``, else 0.

    Args:
        x: integers; those outside [0, num_classes) give zeros.
        num_classes: int, part of the program.
        dtype: of the result, float64 by default.
        axis: where the new axis stands in the result.

    >>> import fad
    >>> fad.nn.one_hot([0, 2], 3)
    fad.Tensor([[1., 0., 0.],
                [0., 0., 1.]])
    """
    try:
        count = index(num_classes)
    except TypeError:
        raise FadTypeError(
            located(f"one_hot: num_classes is an int, got {type(num_classes).__name__}")
        ) from None
    x = tensor(x)
    place = one_axis("one_hot", axis, x.ndim + 1)
    classes = reshape(iota(count), (count,) + (1,) * (x.ndim - place))
    hot = eq(expand_dims(x, (place,)), classes)
    return convert(hot, as_dtype(dtype) if dtype is not None else dtypes.float64)
