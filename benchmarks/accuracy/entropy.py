"""Exact functions of several operands around x log(y), Hurwitz's zeta function and means."""

from __future__ import annotations

from typing import Any

from mpmath import mp

from benchmarks.accuracy.exact import Exact, one, two
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


_REAL = Domain(-300.0, 1e3, (1.0, -0.5), ((-4.0, 4.0), (-40.0, 40.0), (-280.0, 40.0)), density=0.05)


def _continued(s: Any, derivative: int = 0) -> Any:
    """Riemann's zeta function: mpmath's own, which takes long for derivatives far below 0."""
    if s > -1 or derivative == 0:
        return mp.zeta(s, 1, derivative)
    # The functional equation (DLMF 25.4.1), differentiated by Leibniz.
    z, n = 1 - s, derivative
    turned = [mp.sinpi(s / 2), mp.cospi(s / 2), -mp.sinpi(s / 2)]
    sine = [t * (mp.pi / 2) ** n for n, t in enumerate(turned)]
    slope = mp.log(2 * mp.pi) - mp.digamma(z)
    scale = [mp.gamma(z) * mp.power(2 * mp.pi, -z)]
    scale += [scale[0] * slope, scale[0] * (slope**2 + mp.psi(1, z))]
    zeta = [(-1) ** n * mp.zeta(z, 1, n) for n in range(derivative + 1)]
    return 2 * mp.fsum(
        mp.factorial(n)
        / (mp.factorial(i) * mp.factorial(j) * mp.factorial(n - i - j))
        * (sine[i] * scale[j] * zeta[n - i - j])
        for i in range(n + 1)
        for j in range(n + 1 - i)
    )


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
    "riemann_zeta": one(
        _continued,
        lambda s: _continued(s, 1),
        lambda s: _continued(s, 2),
        _REAL,
        params={"order": 0},
        bits=260,
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
