"""Hurwitz's zeta function and its derivatives in both arguments."""

import mpmath as mp
import numpy as np
import pytest

import fad
from fad.core.apply import apply2
from fad.primitives.zeta import ZETA, zeta
from tests.primitives.accuracy import between, derivative, spread, ulps

S = np.concatenate([1 + spread(1e-6, 30, 12, False), between(1.01, 12, 14)])
Q = np.concatenate([spread(1e-3, 1e3, 12, False), between(0.1, 12, 14)[::-1]])


def in_q(s, q):
    return -s * mp.zeta(s + 1, q)


def in_both(s, q):
    return -mp.zeta(s + 1, q) - s * mp.zeta(s + 1, q, 1)


EXACT = {
    (0, 0): mp.zeta,
    (0, 1): in_q,
    (0, 2): lambda s, q: s * (s + 1) * mp.zeta(s + 2, q),
    (1, 0): lambda s, q: mp.zeta(s, q, 1),
    (1, 1): in_both,
    (2, 0): lambda s, q: mp.zeta(s, q, 2),
}


@pytest.mark.parametrize("orders", EXACT)
def test_accuracy(orders):
    ds, dq = orders
    got = apply2(ZETA(ds=ds, dq=dq), fad.asarray(S), fad.asarray(Q))
    assert ulps(got, EXACT[orders], S, Q, bits=250) <= (4.0 if ds + dq < 2 else 8.0)


def test_first_derivatives():
    assert ulps(derivative(zeta, [S, Q], 0), EXACT[1, 0], S, Q, bits=250) <= 4.0
    assert ulps(derivative(zeta, [S, Q], 1), EXACT[0, 1], S, Q, bits=250) <= 4.0


def test_mixed_derivatives_commute():
    first = fad.grad(lambda s, q: fad.grad(zeta, argnums=1)(s, q), argnums=0)
    second = fad.grad(lambda s, q: fad.grad(zeta, argnums=0)(s, q), argnums=1)
    expected = float(in_both(2.5, 0.7))
    assert float(first(2.5, 0.7)) == pytest.approx(expected, rel=1e-14)
    assert float(second(2.5, 0.7)) == pytest.approx(expected, rel=1e-14)


def test_large_arguments():
    s = np.array([1e5, 1e5, 1e5, 50.0, 60.0, 3.0, 1e3, 40.0])
    q = np.array([1.00001, 0.99, 1.0, 1e200, 70.0, 1e9, 1e3, 40.0])
    with np.errstate(over="ignore"):
        expected = [q[0] ** -1e5, np.inf, 1.0, 0.0, None, None, None, None]
    with mp.workdps(60):
        for i in range(4, 8):
            expected[i] = float(mp.zeta(mp.mpf(s[i]), mp.mpf(q[i])))
    np.testing.assert_allclose(zeta(s, q), expected, rtol=2e-14)


def test_edges():
    inf, nan = np.inf, np.nan
    s = np.array([1.0, 0.5, 2.0, 2.0, 2.0, inf, inf, inf, nan, 2.0])
    q = np.array([1.0, 1.0, 0.0, -1.0, -1.5, 0.5, 1.0, 2.0, 1.0, nan])
    expected = [inf, nan, inf, inf, nan, inf, 1, 0, nan, nan]
    np.testing.assert_array_equal(zeta(s, q), expected)


def test_single_precision():
    got = zeta(S.astype(np.float32), Q.astype(np.float32))
    assert got.dtype == np.float32
    expected = zeta(S.astype(np.float32).astype(float), Q.astype(np.float32).astype(float))
    normal = np.asarray(expected) > 1e-30
    np.testing.assert_allclose(np.asarray(got)[normal], np.asarray(expected)[normal], rtol=4e-7)
