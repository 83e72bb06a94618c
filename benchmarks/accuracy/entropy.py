"""Exact functions of several operands around x log(y), Hurwitz's zeta function and means."""

from __future__ import annotations

from typing import Any

from mpmath import mp

from benchmarks.accuracy.exact import Exact, two
from benchmarks.accuracy.grid import Domain

LINE = Domain()
POSITIVE = Domain(low=0.0, spans=((0.5, 2.0), (0.0, 40.0)))
ABOVE = Domain(low=-1.0, around=(-0.5, -0.25, 1.0), spans=((-1.0, 1.0), (-1.0, 40.0)))


def _log_ratio(x: Any, y: Any) -> Any:
    return mp.log(x / y)


_ORDERS = Domain(1.0000002, 30.0, around=(2.0,), spans=((1.0, 9.0), (1.0, 30.0)), density=0.1)
_SHIFTS = Domain(0.0, 100.0, around=(1.0,), spans=((0.0, 3.0), (0.0, 40.0)), density=0.5)


def _zeta(s: Any, q: Any, derivative: int = 0) -> Any:
    return mp.zeta(s, q, derivative)


ENTROPY: dict[str, Exact] = {
    "xlogy": two(
        lambda x, y: x * mp.log(y),
        (lambda x, y: mp.log(y), lambda x, y: x / y),
        (None, lambda x, y: 1 / y, lambda x, y: -x / y**2),
        (LINE, POSITIVE),
    ),
    "xdivy": two(
        lambda x, y: x / y,
        (lambda x, y: 1 / y, lambda x, y: -x / y**2),
        (None, lambda x, y: -1 / y**2, lambda x, y: 2 * x / y**3),
        (LINE, LINE),
    ),
    "xlog1py": two(
        lambda x, y: x * mp.log1p(y),
        (lambda x, y: mp.log1p(y), lambda x, y: x / (1 + y)),
        (None, lambda x, y: 1 / (1 + y), lambda x, y: -x / (1 + y) ** 2),
        (LINE, ABOVE),
    ),
    "xdiv1py": two(
        lambda x, y: x / (1 + y),
        (lambda x, y: 1 / (1 + y), lambda x, y: -x / (1 + y) ** 2),
        (None, lambda x, y: -1 / (1 + y) ** 2, lambda x, y: 2 * x / (1 + y) ** 3),
        (LINE, ABOVE),
    ),
    "log_ratio": two(
        _log_ratio,
        (lambda x, y: 1 / x, lambda x, y: -1 / y),
        (lambda x, y: -1 / x**2, None, lambda x, y: 1 / y**2),
        (POSITIVE, POSITIVE),
    ),
    "rel_entr": two(
        lambda x, y: x * _log_ratio(x, y),
        (lambda x, y: 1 + _log_ratio(x, y), lambda x, y: -x / y),
        (lambda x, y: 1 / x, lambda x, y: -1 / y, lambda x, y: x / y**2),
        (POSITIVE, POSITIVE),
    ),
    "kl_div": two(
        lambda x, y: x * _log_ratio(x, y) - x + y,
        (_log_ratio, lambda x, y: (y - x) / y),
        (lambda x, y: 1 / x, lambda x, y: -1 / y, lambda x, y: x / y**2),
        (POSITIVE, POSITIVE),
    ),
    "midpoint": two(
        lambda x, y: (x + y) / 2,
        (lambda x, y: mp.mpf(0.5), lambda x, y: mp.mpf(0.5)),
        (None,) * 3,
        (LINE, LINE),
    ),
    "lerp": Exact(
        {
            (): lambda a, b, t: a * (1 - t) + b * t,
            (0,): lambda a, b, t: 1 - t,
            (1,): lambda a, b, t: t,
            (2,): lambda a, b, t: b - a,
            (0, 2): lambda a, b, t: mp.mpf(-1),
            (1, 2): lambda a, b, t: mp.mpf(1),
        },
        (LINE, LINE, Domain(0.0, 1.0, (0.5,), ((0.0, 1.0),))),
    ),
    "log_ratio_plus_1": two(
        lambda x, y: 1 + mp.log(x / y),
        (lambda x, y: 1 / x, lambda x, y: -1 / y),
        (lambda x, y: -1 / x**2, None, lambda x, y: 1 / y**2),
        (POSITIVE, POSITIVE),
    ),
    "zeta": two(
        _zeta,
        (lambda s, q: _zeta(s, q, 1), lambda s, q: -s * _zeta(s + 1, q)),
        (
            lambda s, q: _zeta(s, q, 2),
            lambda s, q: -_zeta(s + 1, q) - s * _zeta(s + 1, q, 1),
            lambda s, q: s * (s + 1) * _zeta(s + 2, q),
        ),
        (_ORDERS, _SHIFTS),
        bits=330,
        params={"ds": 0, "dq": 0},
    ),
}
