"""packbits and unpackbits, and what is asked of dtypes and imaginary parts: as in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import fad
import fad.numpy as fnp
from fad.core.errors import FadTypeError, FadValueError
from tests.against import as_numpy

RNG = np.random.default_rng(0)
BITS = RNG.integers(0, 2, (3, 11))
BYTES = RNG.integers(0, 256, (3, 5)).astype(np.uint8)


@pytest.mark.parametrize("bitorder", ["big", "little"])
def test_as_numpy(bitorder):
    for axis in (None, 0, -1):
        as_numpy("packbits", BITS, axis=axis, bitorder=bitorder)
        as_numpy("packbits", BITS > 0, axis=axis, bitorder=bitorder)
        as_numpy("unpackbits", BYTES, axis=axis, bitorder=bitorder)
    for count in (0, 3, 13, -3, 60):
        as_numpy("unpackbits", BYTES, axis=1, count=count, bitorder=bitorder)
    as_numpy("packbits", BITS[:, :0], axis=1)


def test_errors():
    with pytest.raises(FadTypeError, match="integers or booleans"):
        fnp.packbits([1.0])
    with pytest.raises(FadTypeError, match="uint8 is expected, got int64"):
        fnp.unpackbits([1])
    with pytest.raises(FadValueError, match="bitorder must be"):
        fnp.packbits([1], bitorder="no")
    with pytest.raises(FadValueError, match="count=-9 for 8 bits"):
        fnp.unpackbits(BYTES[:1, :1], count=-9)


def test_real_if_close():
    for imag in (1e-15, 1e-12):
        as_numpy("real_if_close", np.array([1 + imag * 1j, 2]))
        as_numpy("real_if_close", np.array([1 + imag * 1j, 2]), tol=1e6)
        as_numpy("real_if_close", np.array([1 + imag * 1j, 2]), tol=1e-13)
    as_numpy("real_if_close", BITS)
    slope = fad.grad(lambda x: fnp.real_if_close(x + 0j) ** 2)(3.0)
    assert float(slope) == 6.0
    with pytest.raises(FadTypeError, match="real_if_close"):
        fad.jit(fnp.real_if_close)(np.array([1j]))


def test_common_type():
    for arrays in (
        [BITS],
        [BITS, np.float32(1)],
        [np.ones(2, np.float16)],
        [np.complex64(1), BITS],
    ):
        assert fnp.common_type(*arrays) is np.common_type(*arrays)
        assert np.common_type(*map(fad.asarray, arrays)) is np.common_type(*arrays)
    with pytest.raises(FadTypeError, match="non-numeric"):
        fnp.common_type(BITS > 0)


def test_resize():
    for shape in ((2, 3), 50, (0, 3), ()):
        as_numpy("resize", BITS, shape)
    as_numpy("resize", np.zeros(0), (2,))
    slope = fad.grad(lambda x: (fnp.resize(x, 5) * np.arange(5.0)).sum())(np.ones(2))
    np.testing.assert_array_equal(slope, [6, 4])
    with pytest.raises(FadValueError, match="non-negative"):
        fnp.resize(BITS, (-1,))
