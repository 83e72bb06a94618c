"""Exact functions of two operands."""

from __future__ import annotations

from typing import Any

from mpmath import mp

from benchmarks.accuracy.exact import Exact, two
from benchmarks.accuracy.grid import Domain, Plane

LINE = Domain()
POSITIVE = Domain(low=0.0, spans=((0.5, 2.0), (0.0, 40.0)))
EXPONENTS = Domain(around=(1.0,), spans=((-1, 1), (-40, 40), (-745, 710)))


def r(x: Any, y: Any) -> Any:
    """The distance from the origin."""
    return mp.sqrt(x * x + y * y)


def share(x: Any, y: Any, base: Any = None) -> Any:
    """The part of exp(x) in exp(x) + exp(y)."""
    return 1 / (1 + _exp(y - x, base))


def both(x: Any, y: Any, base: Any = None) -> Any:
    """The product of both parts."""
    return share(x, y, base) * share(y, x, base)


def _exp(x: Any, base: Any) -> Any:
    return mp.exp(x) if base is None else mp.exp(x * mp.log(base))


def _logaddexp(x: Any, y: Any) -> Any:
    return max(x, y) + mp.log1p(mp.exp(-abs(x - y)))


def _logaddexp2(x: Any, y: Any) -> Any:
    return max(x, y) + mp.log1p(_exp(-abs(x - y), 2)) / mp.log(2)


def _share_slope(x: Any, y: Any, base: Any = None) -> Any:
    """The derivative of the product of both parts, in x."""
    scale = 1 if base is None else mp.log(base)
    return both(x, y, base) * mp.tanh((y - x) * scale / 2)


def _whole(x: Any, y: Any) -> Any:
    return x - y * mp.floor(x / y)


def _truncated(x: Any, y: Any) -> Any:
    q = x / y
    return x - y * mp.sign(q) * mp.floor(abs(q))


LN2 = lambda: mp.log(2)  # noqa: E731 (at the precision of the moment)

_REMAINDERS = (
    Domain(spans=((-9.0, 9.0),)),
    Domain(spans=((-3.0, 3.0),)),
)

_PRODUCT = two(
    lambda x, y: x * y,
    (lambda x, y: y, lambda x, y: x),
    (None, lambda x, y: mp.mpf(1), None),
    (LINE, LINE),
    plane=Plane(1e30, 1e30),
)

TWO: dict[str, Exact] = {
    "add": two(lambda x, y: x + y, (lambda x, y: 1, lambda x, y: 1), (None,) * 3, (LINE, LINE)),
    "sub": two(lambda x, y: x - y, (lambda x, y: 1, lambda x, y: -1), (None,) * 3, (LINE, LINE)),
    "mul": _PRODUCT,
    "strong_mul": _PRODUCT,
    "div": two(
        lambda x, y: x / y,
        (lambda x, y: 1 / y, lambda x, y: -x / y**2),
        (None, lambda x, y: -1 / y**2, lambda x, y: 2 * x / y**3),
        (LINE, LINE),
        plane=Plane(1e30, 1e30),
    ),
    "ratio": two(
        lambda x, y: x / y,
        (lambda x, y: 1 / y, lambda x, y: -x / y**2),
        (None, lambda x, y: -1 / y**2, lambda x, y: 2 * x / y**3),
        (LINE, LINE),
    ),
    "floor_divide": two(
        lambda x, y: mp.floor(x / y), (None, None), (None,) * 3, _REMAINDERS, bits=2400
    ),
    "remainder": two(
        _whole,
        (lambda x, y: mp.mpf(1), lambda x, y: -mp.floor(x / y)),
        (None,) * 3,
        _REMAINDERS,
        bits=2400,
    ),
    "fmod": two(
        _truncated,
        (lambda x, y: mp.mpf(1), lambda x, y: -mp.sign(x / y) * mp.floor(abs(x / y))),
        (None,) * 3,
        _REMAINDERS,
        bits=2400,
    ),
    "ldexp": two(
        lambda x, n: mp.ldexp(x, int(n)),
        (lambda x, n: mp.ldexp(1, int(n)), None),
        (None,) * 3,
        (LINE, Domain(-2100.0, 2100.0, spans=((-2100.0, 2100.0), (-30.0, 30.0)))),
        integers=(1,),
        without=frozenset({(0, 0)}),  # 0, and neither JAX nor PyTorch have it
    ),
    "power": two(
        lambda x, y: mp.exp(y * mp.log(x)),
        (
            lambda x, y: y * mp.exp((y - 1) * mp.log(x)),
            lambda x, y: mp.log(x) * mp.exp(y * mp.log(x)),
        ),
        (
            lambda x, y: y * (y - 1) * mp.exp((y - 2) * mp.log(x)),
            lambda x, y: (1 + y * mp.log(x)) * mp.exp((y - 1) * mp.log(x)),
            lambda x, y: mp.log(x) ** 2 * mp.exp(y * mp.log(x)),
        ),
        (POSITIVE, Domain(spans=((-4.0, 4.0), (-300.0, 300.0)))),
        params={"dx": 0, "dy": 0},
    ),
    # ------------------------------------------------------------------------------- exponentials
    "logaddexp": two(
        _logaddexp,
        (share, lambda x, y: share(y, x)),
        (both, lambda x, y: -both(x, y), both),
        (EXPONENTS, EXPONENTS),
    ),
    "logaddexp2": two(
        _logaddexp2,
        (lambda x, y: share(x, y, 2), lambda x, y: share(y, x, 2)),
        (
            lambda x, y: both(x, y, 2) * LN2(),
            lambda x, y: -both(x, y, 2) * LN2(),
            lambda x, y: both(x, y, 2) * LN2(),
        ),
        (EXPONENTS, EXPONENTS),
    ),
    "share": two(
        share,
        (both, lambda x, y: -both(x, y)),
        (_share_slope, lambda x, y: -_share_slope(x, y), _share_slope),
        (EXPONENTS, EXPONENTS),
    ),
    "share2": two(
        lambda x, y: share(x, y, 2),
        (lambda x, y: both(x, y, 2) * LN2(), lambda x, y: -both(x, y, 2) * LN2()),
        (
            lambda x, y: _share_slope(x, y, 2) * LN2() ** 2,
            lambda x, y: -_share_slope(x, y, 2) * LN2() ** 2,
            lambda x, y: _share_slope(x, y, 2) * LN2() ** 2,
        ),
        (EXPONENTS, EXPONENTS),
    ),
    # ---------------------------------------------------------------------------------- the plane
    "hypot": two(
        r,
        (lambda x, y: x / r(x, y), lambda x, y: y / r(x, y)),
        (
            lambda x, y: y * y / r(x, y) ** 3,
            lambda x, y: -x * y / r(x, y) ** 3,
            lambda x, y: x * x / r(x, y) ** 3,
        ),
        (LINE, LINE),
    ),
    "arctan2": two(
        mp.atan2,
        (lambda x, y: y / r(x, y) ** 2, lambda x, y: -x / r(x, y) ** 2),
        (
            lambda x, y: -2 * x * y / r(x, y) ** 4,
            lambda x, y: (x - y) * (x + y) / r(x, y) ** 4,
            lambda x, y: 2 * x * y / r(x, y) ** 4,
        ),
        (LINE, LINE),
    ),
    "direction": two(
        lambda x, y: x / r(x, y),
        (lambda x, y: y * y / r(x, y) ** 3, lambda x, y: -x * y / r(x, y) ** 3),
        (
            lambda x, y: -3 * x * y * y / r(x, y) ** 5,
            lambda x, y: y * (2 * x * x - y * y) / r(x, y) ** 5,
            lambda x, y: x * (2 * y * y - x * x) / r(x, y) ** 5,
        ),
        (LINE, LINE),
    ),
    "inversion": two(
        lambda x, y: x / r(x, y) ** 2,
        (lambda x, y: (y - x) * (y + x) / r(x, y) ** 4, lambda x, y: -2 * x * y / r(x, y) ** 4),
        (
            lambda x, y: 2 * x * (x * x - 3 * y * y) / r(x, y) ** 6,
            lambda x, y: 2 * y * (3 * x * x - y * y) / r(x, y) ** 6,
            lambda x, y: -2 * x * (x * x - 3 * y * y) / r(x, y) ** 6,
        ),
        (LINE, LINE),
    ),
}
