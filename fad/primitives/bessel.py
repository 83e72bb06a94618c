"""Modified Bessel functions of the first kind, plain and scaled by exp(-|x|).

I_n(x) / x**n is even, entire, and has the derivative x I_(n+1)(x) / x**(n+1) (DLMF 10.29.4), so it
is the primitive here, with n as parameter. Up to 8 it is a series of positive terms; farther out
the scaled functions are polynomials in 1 / x over the root of x.
"""

from __future__ import annotations

import math
from typing import Any

from jax import lax
from jax import numpy as jnp

from fad.core.apply import apply1
from fad.core.primitive import Primitive
from fad.primitives.arithmetic import add, mul, neg, sign, square, sub
from fad.primitives.declare import (
    REAL_INEXACT,
    Convention,
    elementwise,
    elementwise_family,
    function_of,
)
from fad.primitives.precise import widened
from fad.primitives.series import polynomial

_LIMIT = 8.0

# I_0(x) and I_1(x) / x in powers of x**2, for |x| <= 8: fits of least relative error.
_I0 = (
    1.0, 0.25, 0.015624999999999977, 0.00043402777777779516, 6.78168402777127e-06,
    6.781684027919776e-08, 4.709502795098431e-10, 2.4028075678889687e-12, 9.385965796531636e-15,
    2.8969089242852317e-17, 7.242073688982863e-20, 1.49677946811771e-22, 2.5901648653395207e-25,
    3.933618413841849e-28, 4.198877579189446e-31, 8.56770827598196e-34,
)  # fmt: skip
_I1 = (
    0.5, 0.0625, 0.0026041666666666652, 5.425347222222313e-05, 6.781684027774681e-07,
    5.651403356544072e-09, 3.363930568521415e-11, 1.5017547256118386e-13, 5.214425662940478e-16,
    1.4484536602676173e-18, 3.291872549358933e-21, 6.23619565079573e-24, 9.967100194316428e-27,
    1.4007202397114486e-29, 1.4202306859956342e-32, 2.631515766750611e-35,
)  # fmt: skip

# For x >= 8, in powers of 16 / x - 1: exp(-x) times I_0(x) and I_1(x), over the root of x, and
# their difference times x over that. For x from 2 to 8, in powers of 3 (x - 4) / (x + 4): the last
# again. By Chebyshev interpolation at 50 digits.
_I0_FAR = (
    0.4021765094450081, 0.0033605519836678614, 0.0001362160743919305, 1.1143033790932038e-05,
    1.4838475658279249e-06, 2.9735985885673923e-07, 8.872219737904054e-08, 3.932584334552952e-08,
    2.1548377974791598e-08, 7.554691881248808e-09, -6.747657956107524e-09, -1.340891754008974e-08,
    -5.404771567579958e-09, 7.552583062123384e-09, 7.430464650325426e-09, -3.505966530879332e-09,
    -5.95356943826489e-09, 1.5200816953924232e-09, 3.6379546359011143e-09, -5.715843864202709e-10,
    -1.618980683624682e-09, 1.5279202694981569e-10, 4.577087631643623e-10,
    -2.0260604287413626e-11, -6.067631570603006e-11,
)  # fmt: skip
_I1_FAR = (
    0.38939845902587233, -0.009749577193235737, -0.00021923576383388928, -1.5038547200567216e-05,
    -1.8349101326980946e-06, -3.483855761044295e-07, -1.0001288294864884e-07,
    -4.312917729178349e-08, -2.337392820814264e-08, -8.427766093735185e-09, 6.734464815301592e-09,
    1.4034238782067183e-08, 5.974437608040264e-09, -7.64239413436356e-09, -7.888351507862078e-09,
    3.4262341490077958e-09, 6.242741219786445e-09, -1.4387250533041013e-09,
    -3.794670896208339e-09, 5.295625441161261e-10, 1.6848984479705146e-09,
    -1.4011625179770627e-10, -4.758818838703853e-10, 1.8515118828852956e-11,
    6.305965197150057e-11,
)  # fmt: skip
_GAP_FAR = (
    0.20444880670617194, 0.005313260124286597, 0.0003739692873426968, 4.493600841770415e-05,
    8.16411382576346e-06, 2.1678164347029322e-06, 8.51966078341134e-07, 4.6726525880828943e-07,
    2.5123939650318553e-07, 4.8891045365286046e-09, -2.1880769172783516e-07,
    -2.2240759985758665e-07, 3.206885875485041e-08, 2.1830929606484626e-07, 5.261211582837863e-08,
    -1.8033212407279536e-07, -7.082937073576603e-08, 1.4477540036043342e-07,
    5.9453643839597374e-08, -1.0549567671026874e-07, -3.8081620779208684e-08,
    6.22906332766428e-08, 1.8483685924978736e-08, -2.6602600721922404e-08, -6.376679749333011e-09,
    7.124110037810284e-09, 1.3833789692572696e-09, -8.875289756454639e-10,
    -1.4100747123386612e-10,
)  # fmt: skip
_GAP_MID = (
    0.22600865377241097, -0.026033022334125803, 0.01439793570618309, -0.0032881784040540555,
    -0.002970383859253329, 0.002821613146905281, -0.0005839163707557828, -0.0002886822093963034,
    0.0001133268093164662, 2.8631417828156803e-05, -9.784706745009199e-06, -4.463426299258885e-06,
    2.916995203055695e-07, 5.301165466190469e-07, 1.0374053147074631e-07, -2.8005919708182747e-08,
    -1.943422187664279e-08, -3.4884931402009517e-09, 9.242810794620683e-10, 7.673113040684598e-10,
    1.6055907844544822e-10, -4.464381586623612e-11, -2.1945890381358175e-11,
)  # fmt: skip


def _near(square: Any, order: int) -> Any:
    """I_n(x) / x**n for |x| <= 8."""
    if order < 2:
        return polynomial(square, (_I0, _I1)[order])
    terms = [
        0.5 ** (2 * k + order) / (math.factorial(k) * math.factorial(k + order)) for k in range(30)
    ]
    return polynomial(square, terms)


def _far(x: Any, order: int) -> Any:
    """exp(-x) I_n(x) for x >= 8; from n = 2 on by the recurrence."""
    t = 2.0 * _LIMIT / x - 1.0
    root = lax.sqrt(x)
    if order == 0:
        return polynomial(t, _I0_FAR) / root
    before, here = polynomial(t, _I0_FAR), polynomial(t, _I1_FAR)
    for n in range(1, order):
        before, here = here, before - (2.0 * n) * here / x
    return here / root


def _over_power(x: Any, order: int, power: int, scaled: bool) -> Any:
    """I_n(x) / x**power for a power of 0 or n, times exp(-|x|) if ``scaled``."""
    a = lax.abs(x)
    large = a > _LIMIT
    inner, outer = jnp.where(large, 0.0, x), jnp.where(large, a, _LIMIT)
    near = _near(inner * inner, order) * lax.integer_pow(inner, order - power)
    far = _far(outer, order) / lax.integer_pow(outer, power)
    if scaled:
        near = near * lax.exp(-lax.abs(inner))
    else:
        half = lax.exp(0.5 * outer)  # the whole exponential overflows before the function does
        far = jnp.where(outer < jnp.inf, (half * far) * half, outer)
    if (order - power) % 2:
        far = jnp.where(x < 0, -far, far)
    return jnp.where(large, far, near)


@widened
def _ratio(x: Any, *, order: int, scaled: bool) -> Any:
    return _over_power(x, order, order, scaled)


@widened
def _gap(x: Any) -> Any:
    """exp(-|x|) (I_0(x) - I_1(|x|)), without the cancellation for large x."""
    a = lax.abs(x)
    inner = jnp.where(a < 2.0, a, 0.0)
    square = inner * inner
    near = lax.exp(-inner) * (_near(square, 0) - inner * _near(square, 1))
    outer = jnp.where(a < 2.0, 2.0, a)
    middle = jnp.where(outer > _LIMIT, _LIMIT, outer)
    middle = polynomial(3.0 * (middle - 4.0) / (middle + 4.0), _GAP_MID)
    far = polynomial(2.0 * _LIMIT / jnp.where(outer > _LIMIT, outer, _LIMIT) - 1.0, _GAP_FAR)
    far = jnp.where(outer > _LIMIT, far, middle) / outer / lax.sqrt(outer)
    return jnp.where(a < 2.0, near, far)


def _ratio_partial(g: Any, x: Any, *, order: int, scaled: bool) -> Any:
    if scaled and order == 0:
        return neg(mul(g, mul(sign(x), bessel_gap(x))))
    slope = mul(x, ratio(x, order + 1, scaled))
    if scaled:
        slope = sub(slope, mul(sign(x), ratio(x, order, True)))
    return mul(g, slope)


RATIO: Primitive = elementwise_family(
    "bessel_ratio",
    _ratio,
    [_ratio_partial],
    params=[{"order": n, "scaled": scaled} for n in range(4) for scaled in (False, True)],
    promotion=REAL_INEXACT,
    domains=((-12.0, 12.0),),
    conventions=[
        Convention(
            (0.0,),
            (0.0,),
            "the middle of the subgradients, as of abs",
            point="i0e at 0",
            params={"order": 0, "scaled": True},
        ),
    ],
    formula="I_order(x) / x**order, times e**(-|x|) if `scaled`",
)


def ratio(x: Any, order: int, scaled: bool) -> Any:
    """I_n(x) / x**n, times exp(-|x|) if ``scaled``."""
    return apply1(RATIO(order=order, scaled=scaled), x)


bessel_gap: Any = elementwise(
    "bessel_gap",
    _gap,
    [lambda g, x, out: mul(g, mul(sign(x), sub(ratio(x, 1, True), mul(out, 2.0))))],
    promotion=REAL_INEXACT,
    domains=((-12.0, 12.0),),
    formula="(I_0(x) - |I_1(x)|) e**(-|x|)",
)
i1 = elementwise(
    "i1",
    widened(lambda x: _over_power(x, 1, 0, False)),
    [lambda g, x: mul(g, add(ratio(x, 1, False), mul(square(x), ratio(x, 2, False))))],
    promotion=REAL_INEXACT,
    domains=((-12.0, 12.0),),
)
i1e = elementwise(
    "i1e",
    widened(lambda x: _over_power(x, 1, 0, True)),
    [lambda g, x: mul(g, sub(bessel_gap(x), ratio(x, 1, True)))],
    promotion=REAL_INEXACT,
    domains=((-12.0, 12.0),),
)


i0 = function_of(RATIO(order=0, scaled=False))
i0e = function_of(RATIO(order=0, scaled=True))
