"""Questions about arrays, the array API's namespace, and the small ways of making tensors."""

import numpy as np
import pytest

import fad
import fad.numpy as fnp

M = np.arange(6.0).reshape(2, 3)


def test_shapes_of_anything():
    for value in (M, M.tolist(), fnp.asarray(M), [fnp.asarray(M[0]), M[1].tolist()]):
        assert fnp.shape(value) == (2, 3)
        assert fnp.ndim(value) == 2
        assert fnp.size(value) == 6
        assert fnp.size(value, 1) == 3
        assert fnp.size(value, (0, 1)) == 6
    assert fnp.shape(2.0) == ()
    assert fnp.size(2) == 1


def test_kinds():
    assert fnp.iscomplexobj(fnp.asarray([1j]))
    assert fnp.isrealobj(M)
    assert fnp.isscalar(2.0)
    assert not fnp.isscalar(fnp.asarray(2.0))
    assert fnp.iterable(fnp.asarray(M))
    assert not fnp.iterable(fnp.asarray(2.0))
    assert not fnp.iterable(3)
    assert not fnp.may_share_memory(fnp.asarray(M), M)
    assert fnp.shares_memory(M, M)


@pytest.mark.parametrize("name", ["allclose", "array_equal", "array_equiv"])
@pytest.mark.parametrize(
    ("a", "b"),
    [
        (M, M),
        (M, M + 1.0),
        (M, M + 1e-12),
        (M, M[0]),
        (M, M[0] * 0.0 + M[:1]),
        (M[0], M[0, 0]),
        (np.zeros(2), 0),
        ([np.nan], [np.nan]),
    ],
)
def test_equality(name, a, b):
    expected = bool(getattr(np, name)(a, b))
    for x, y in ((fnp.asarray(a), b), (a, fnp.asarray(b))):
        assert bool(getattr(fnp, name)(x, y)) is expected
        assert bool(getattr(np, name)(x, y)) is expected


def test_equality_with_nan_and_of_shapes_that_do_not_fit():
    nan = fnp.asarray([np.nan, 1.0])
    assert fnp.array_equal(nan, nan, equal_nan=True)
    assert fnp.allclose(nan, nan, equal_nan=True)
    assert not fnp.array_equal(nan, nan)
    assert fnp.array_equal(fnp.asarray([1]), [1], equal_nan=True)
    assert not fnp.array_equal(nan, [1.0])
    assert not fnp.array_equiv(nan, [1.0, 2.0, 3.0])


def test_equality_is_known_under_jit():
    assert fad.jit(fnp.array_equal)(M, M)
    assert not fad.jit(fnp.allclose)(M, M + 1.0)


@pytest.mark.parametrize(
    "made",
    [
        lambda xp: xp.fromfunction(lambda i, j: i + 10 * j, (2, 3)),
        lambda xp: xp.fromfunction(lambda i: i, (3,), dtype=int),
        lambda xp: xp.fromiter((k * k for k in range(5)), float),
        lambda xp: xp.fromiter(range(5), int, 3),
        lambda xp: xp.frombuffer(b"\x01\x02\x03", "uint8", 2, 1),
        lambda xp: xp.ascontiguousarray(3.0),
        lambda xp: xp.asanyarray([1, 2]),
        lambda xp: xp.asarray_chkfinite([1.0, 2.0]),
        lambda xp: xp.asarray_chkfinite([1, 2]),
        lambda xp: xp.copy([1.0]),
        lambda xp: xp.asfortranarray(2.0),
        lambda xp: xp.asarray([[1, 2]], None, "F", copy=True),
        lambda xp: xp.array([1, 2], float, ndmin=2, order="C", subok=True),
        lambda xp: xp.identity(2, like=None),
    ],
)
def test_ways_of_making(made):
    got, expected = made(fnp), made(np)
    assert isinstance(got, fad.Tensor)
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(np.asarray(got), expected)


def test_chkfinite_raises():
    with pytest.raises(ValueError, match="infs or NaNs"):
        fnp.asarray_chkfinite([1.0, np.inf])


def test_what_is_like_a_tensor_is_one():
    x = fnp.asarray([1.0])
    for made in (np.zeros(2, like=x), np.asarray([2], like=x), np.full(2, 3.0, like=x),
                 np.arange(3, like=x), np.eye(2, like=x), np.tri(2, like=x)):  # fmt: skip
        assert isinstance(made, fad.Tensor)


def test_lists_may_be_refused_by_their_depth():
    with pytest.raises(fad.FadError, match="2 axes, more than ndmax=1"):
        fnp.array([[1.0]], ndmax=1)


def test_text():
    x = fnp.asarray([1.0, 2.5])
    assert fnp.array_str(x) == "[1.  2.5]"
    assert fnp.array2string(x, separator=",") == "[1. ,2.5]"
    assert np.array2string(x) == "[1.  2.5]"
    assert fnp.array_repr(x) == repr(x)
    assert fnp.array_repr(x / 3, precision=2) == "fad.Tensor([0.33, 0.83])"


def test_the_standard_namespace_describes_itself():
    info = fnp.__array_namespace_info__()
    assert info.capabilities()["boolean indexing"]
    assert info.default_dtypes()["real floating"] == np.float64
    assert set(info.dtypes(kind="complex floating")) == {"complex64", "complex128"}
    assert set(info.dtypes(kind=("bool", "signed integer"))) >= {"bool", "int8"}
    assert len(info.dtypes()) == 13
    assert info.default_device() in info.devices()
    assert fnp.zeros(2, device=info.default_device()).device == info.default_device()
    assert fnp.__array_api_version__ >= "2023.12"
