"""The special functions that act element by element.

All take real tensors, arrays, numbers and lists, which broadcast; integers and booleans count as
floats. Derivatives are exact in every argument, at any order, but where a docstring says otherwise.
"""

from __future__ import annotations

import math
from operator import index
from typing import Any

import numpy as np

from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.tensor import Array, Tensor
from fad.numpy.axes import tensor
from fad.numpy.ufunc import binary, refuse_out, unary
from fad.primitives import bessel, entropy, incomplete, logistic, normal, transcendental
from fad.primitives import beta as _beta
from fad.primitives import gamma as _gamma
from fad.primitives import zeta as _zeta
from fad.primitives.arithmetic import add, sub
from fad.primitives.broadcast import broadcast_to
from fad.primitives.comparison import select
from fad.primitives.riemann import riemann_zeta

__all__ = [
    "beta", "betaln", "digamma", "entr", "erf", "erfc", "erfcinv", "erfcx", "erfinv", "expit",
    "exprel", "gamma", "gammainc", "gammaincc", "gammaln", "i0", "i0e", "i1", "i1e", "kl_div",
    "log_expit", "log_ndtr", "logit", "multigammaln", "ndtr", "ndtri", "polygamma", "psi",
    "rel_entr", "softplus", "xlog1py", "xlogy", "zeta",
]  # fmt: skip

# --------------------------------------------------------------- error functions, the normal's

erf = unary("erf", transcendental.erf, "The error function.")
erfc = unary("erfc", transcendental.erfc, "1 - erf(x), accurate where that is small.")
erfcx = unary("erfcx", normal.erfcx, "exp(x**2) erfc(x), which does not underflow.")
erfinv = unary("erfinv", normal.erfinv, "The inverse of erf: infinite at -1 and 1, NaN beyond.")
erfcinv = unary("erfcinv", normal.erfcinv, "The inverse of erfc, infinite at 0 and 2.")
ndtr = unary("ndtr", normal.ndtr, "The standard normal distribution function.")
ndtri = unary("ndtri", normal.ndtri, "The inverse of ndtr, infinite at 0 and 1.")
log_ndtr = unary(
    "log_ndtr",
    normal.log_ndtr,
    "The logarithm of ndtr; its value and derivatives keep their digits in both tails.",
)

# ------------------------------------------------------------------------- the logistic function

expit = unary("expit", transcendental.sigmoid, "The logistic function 1 / (1 + exp(-x)).")
logit = unary("logit", logistic.logit, "The inverse of expit: log(x / (1 - x)).")
log_expit = unary("log_expit", logistic.log_sigmoid, "The logarithm of expit.")
softplus = unary("softplus", logistic.softplus, "log(1 + exp(x)).")
exprel = unary("exprel", logistic.exprel, "(exp(x) - 1) / x, and 1 at 0.")

# ------------------------------------------------------------------------------ gamma functions

gamma = unary(
    "gamma", _gamma.gamma, "The gamma function: NaN at negative integers, infinite at 0 and -0."
)
gammaln = unary(
    "gammaln", _gamma.gammaln, "The logarithm of abs(gamma(x)), infinite at integers up to 0."
)
psi = digamma = unary(
    "psi", _gamma.digamma, "The derivative of gammaln: NaN at negative integers, infinite at 0."
)


def polygamma(n: Any, x: Any) -> Tensor:
    """The derivative of :func:`digamma` of order ``n``, at ``x``.

    Args:
        n: an integer from 0 on, or an array of such; part of the program and not differentiated.
        x: real tensor, which broadcasts against ``n``; infinite at integers up to 0.

    >>> import fad.scipy.special
    >>> fad.scipy.special.polygamma([0, 1], 2.0)
    fad.Tensor([0.42278434, 0.64493407])
    """
    if isinstance(n, Tensor) and n.__class__ is not Array:
        raise FadTypeError(
            located(
                "polygamma: the order n is part of the program, and here it is a tensor of "
                f"{n.level.describe()}. Pass an int: under jit with static_argnums."
            )
        )
    orders = np.asarray(n)
    if orders.dtype.kind not in "iuf" or np.any(orders != np.floor(orders)) or np.any(orders < 0):
        raise FadValueError(located(f"polygamma: orders are integers from 0 on, got {_short(n)}"))
    x = tensor(x)
    if orders.ndim == 0:
        result: Tensor = _gamma.polygamma(int(orders), x)
        return result
    different, *others = np.unique(orders).tolist() or [0.0]
    result = broadcast_to(
        _gamma.polygamma(int(different), x), np.broadcast_shapes(orders.shape, x.shape)
    )
    for order in others:
        result = select(tensor(orders == order), _gamma.polygamma(int(order), x), result)
    return result


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def multigammaln(a: Any, d: int) -> Tensor:
    """The logarithm of the gamma function of ``d`` dimensions, for ``a`` > (d - 1) / 2.

    >>> import fad.scipy.special
    >>> fad.scipy.special.multigammaln(3.0, 2)
    fad.Tensor(1.55019499)
    """
    try:
        d = index(d)
    except TypeError:
        raise FadTypeError(located(f"multigammaln: the dimension d is an int, got {d!r}")) from None
    if d < 1:
        raise FadValueError(located(f"multigammaln: the dimension d must be at least 1, got {d}"))
    x = tensor(a)
    result: Tensor = add(gammaln(x), d * (d - 1) / 4.0 * math.log(math.pi))
    for j in range(1, d):
        result = add(result, gammaln(sub(x, 0.5 * j)))
    return result


def zeta(x: Any, q: Any = None, out: None = None) -> Tensor:
    """The sum of (q + k)**-x over k = 0, 1, 2, ...; with ``q=None`` Riemann's zeta function.

    For x > 1 and q > 0, where it is differentiable in both. It is infinite at x = 1 and where q is
    an integer up to 0, and else NaN. Riemann's, where q would be 1, is continued to all real x.

    >>> import fad.scipy.special
    >>> fad.scipy.special.zeta(2.0)
    fad.Tensor(1.64493407)
    """
    refuse_out("zeta", out, "x, q")
    result: Tensor = riemann_zeta(tensor(x)) if q is None else _zeta.zeta(tensor(x), tensor(q))
    return result


beta = binary(
    "beta",
    _beta.beta,
    "Gamma(a) Gamma(b) / Gamma(a + b), for positive a and b; negative ones as far as the gamma\n"
    "functions of both are finite.",
)
betaln = binary(
    "betaln", _beta.betaln, "The logarithm of the magnitude of beta, without its cancellations."
)
gammainc = binary(
    "gammainc",
    incomplete.gammainc,
    "P(a, x), the integral of the gamma density of shape a from 0 to x. It is differentiable in\n"
    "both arguments, at any order.",
)
gammaincc = binary(
    "gammaincc",
    incomplete.gammaincc,
    "Q(a, x) = 1 - P(a, x), precise also where it is small; for derivatives see gammainc.",
)

# ----------------------------------------------------------------------------------- entropies

xlogy = binary(
    "xlogy",
    entropy.xlogy,
    "x log(y), 0 where x is 0. Its derivative in y is x / y, there 0 too; in x it is log(y).",
)
xlog1py = binary("xlog1py", entropy.xlog1py, "x log(1 + y), 0 where x is 0.")
entr = unary("entr", entropy.entr, "-x log(x), 0 at 0 and -inf below; its derivative at 0 is inf.")
rel_entr = binary(
    "rel_entr", entropy.rel_entr, "x log(x / y), 0 where x is 0, infinite for negative x or y."
)
kl_div = binary(
    "kl_div", entropy.kl_div, "x log(x / y) - x + y, accurate also where x is close to y."
)

# ---------------------------------------------------------------------------- Bessel functions

i0 = unary("i0", bessel.i0, "The modified Bessel function of order 0.")
i0e = unary("i0e", bessel.i0e, "The same times exp(-abs(x)); its derivative at 0 is 0.")
i1 = unary("i1", bessel.i1, "The modified Bessel function of order 1.")
i1e = unary("i1e", bessel.i1e, "The same times exp(-abs(x)).")
