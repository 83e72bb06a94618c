"""Shape, join, padding and diagonal functions: NumPy's values, shapes, dtypes and signatures."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import fad
import fad.numpy as fnp
from fad.core.errors import FadIndexError, FadTypeError, FadValueError
from fad.numpy import constants, diagonals, indexing, join, padding, shapes

A = np.arange(24.0).reshape(2, 3, 4)
V = np.array([3, 1, 2], np.int32)
M = np.arange(6.0).reshape(2, 3)

CALLS = [
    ("reshape", (A, (4, -1)), {}),
    ("reshape", (A, -1), {}),
    ("reshape", (A, (3, 8)), {"order": "F"}),
    ("ravel", (M,), {"order": "F"}),
    ("ravel", (M,), {"order": "K"}),
    ("transpose", (A,), {}),
    ("transpose", (A, (1, -1, 0)), {}),
    ("permute_dims", (A, (2, 0, 1)), {}),
    ("matrix_transpose", (A,), {}),
    ("swapaxes", (A, 0, -1), {}),
    ("moveaxis", (A, 0, -1), {}),
    ("moveaxis", (A, (0, 1), (-1, 0)), {}),
    ("rollaxis", (A, 2), {}),
    ("rollaxis", (A, 0, 3), {}),
    ("rollaxis", (A, 0, -1), {}),
    ("expand_dims", (M, (0, -1)), {}),
    ("squeeze", (A[:1, :, :1],), {}),
    ("squeeze", (A[:1, :, :1],), {"axis": -1}),
    ("atleast_1d", (2.0,), {}),
    ("atleast_2d", (V,), {}),
    ("atleast_3d", (M,), {}),
    ("atleast_3d", (V,), {}),
    ("broadcast_to", (V, (2, 3)), {}),
    ("broadcast_arrays", (V, M), {}),
    ("broadcast_shapes", ((2, 1), (3,)), {}),
    ("flip", (M,), {}),
    ("flip", (A,), {"axis": (0, -1)}),
    ("fliplr", (M,), {}),
    ("flipud", (M,), {}),
    ("roll", (M, 4), {}),
    ("roll", (M, -1), {"axis": 1}),
    ("roll", (M, (1, -1)), {"axis": (0, 1)}),
    ("roll", (M, (1, 1)), {"axis": 1}),
    ("roll", (M, (1,)), {"axis": (0, 1)}),
    *[("rot90", (M, k), {}) for k in range(4)],
    ("concatenate", ([M, M[:1]],), {}),
    ("concatenate", ([M, V],), {"axis": None}),
    ("concatenate", ([M, M],), {"axis": -1, "dtype": "float32"}),
    ("concatenate", (A,), {"axis": 1}),
    ("concat", ([V, V],), {}),
    ("stack", ([V, V], -1), {}),
    ("stack", ([1, 2.5, 3],), {}),
    ("vstack", ([V, M],), {}),
    ("hstack", ([V, V],), {}),
    ("hstack", ([M, M],), {}),
    ("dstack", ([M, M],), {}),
    ("column_stack", ([V, V, np.eye(3)],), {}),
    ("append", (M, [[7.0, 8.0, 9.0]], 0), {}),
    ("append", (M, 7.0), {}),
    ("block", ([[M, M], [np.ones((1, 6))]],), {}),
    ("block", ([1.0, V],), {}),
    ("split", (M, 3, 1), {}),
    ("split", (V, [1]), {}),
    ("split", (V, [2, 1, 5]), {}),
    ("array_split", (A, 3, 2), {}),
    ("hsplit", (M, [1, 2]), {}),
    ("vsplit", (M, 2), {}),
    ("dsplit", (A, 2), {}),
    ("unstack", (A,), {"axis": 1}),
    ("tile", (M, 2), {}),
    ("tile", (M, (2, 1, 3)), {}),
    ("tile", (V, ()), {}),
    ("repeat", (M, 2), {}),
    ("repeat", (M, [2, 0], 0), {}),
    ("repeat", (M, [3], 1), {}),
    ("diag", (V, 1), {}),
    ("diag", (M, -1), {}),
    ("diagflat", (M,), {"k": -1}),
    ("diagonal", (A,), {}),
    ("diagonal", (A, 1, -1, 0), {}),
    ("trace", (A,), {"offset": -1}),
    ("trace", (M.astype("int8"),), {}),
    ("tri", (2, 3, 1), {}),
    ("tril", (M,), {}),
    ("triu", (A, -1), {}),
    ("tril", (V,), {}),
    ("vander", (np.array([0.0, 2.0, -3.0]),), {}),
    ("vander", (V.astype(int), 4), {"increasing": True}),
    ("zeros", (3,), {}),
    ("zeros", ((2, 0), "int8"), {}),
    ("ones", ((2, 1),), {"dtype": bool}),
    ("full", (2, 7), {}),
    ("full", ((2, 3), V), {"dtype": "float32"}),
    ("zeros_like", (V,), {}),
    ("ones_like", (M, int), {"shape": (4,)}),
    ("full_like", (V, 2.0), {}),
    ("eye", (2, 3, 1, int), {}),
    ("identity", (2,), {}),
    ("arange", (4,), {}),
    ("arange", (1, 9, 3), {}),
    ("arange", (5, 0, -2), {"dtype": "float32"}),
    ("arange", (0.1, 0.75, 0.1), {}),
    ("arange", (np.float32(3),), {}),
    ("arange", (3, 1), {}),
    ("linspace", (0, 1, 7), {}),
    ("linspace", ([0, 1], [2, 5], 3), {"axis": -1, "endpoint": False}),
    ("linspace", (0, 10, 5), {"dtype": int, "retstep": True}),
    ("logspace", (0, 2, 3), {}),
    ("geomspace", (1, 8, 4), {}),
    ("meshgrid", (V, [1.0, 2.0]), {}),
    ("meshgrid", (V, [1.0, 2.0], [5]), {"indexing": "ij", "sparse": True}),
    ("indices", ((2, 3),), {}),
    ("indices", ((2, 3),), {"sparse": True}),
    ("pad", (V, 2), {}),
    ("pad", (M, ((1, 0), (0, 2))), {"constant_values": ((1.0, 2.0), (3.0, 4.0))}),
    ("pad", (M, {-1: (1, 2)}), {"mode": "edge"}),
    ("pad", (V, (4, 5)), {"mode": "reflect"}),
    ("pad", (V, (4, 5)), {"mode": "reflect", "reflect_type": "odd"}),
    ("pad", (V, (4, 7)), {"mode": "symmetric"}),
    ("pad", (V, (4, 7)), {"mode": "symmetric", "reflect_type": "odd"}),
    ("pad", (V, (4, 7)), {"mode": "wrap"}),
    ("pad", (M, 2), {"mode": "linear_ramp", "end_values": (5, -4)}),
    ("pad", (M, ((1, 2), (2, 0))), {"mode": "maximum"}),
    ("pad", (M, 1), {"mode": "minimum", "stat_length": 2}),
    ("pad", (M, 1), {"mode": "mean"}),
    ("pad", (V, 1), {"mode": "mean", "stat_length": (2, 3)}),
    ("pad", (M, 1), {"mode": "median"}),
]  # fmt: skip


def as_list(x):
    return list(x) if isinstance(x, (tuple, list)) else [x]


def tensors_in(x):
    """Arrays as tensors, inside lists too."""
    if isinstance(x, np.ndarray):
        return fad.asarray(x)
    return [tensors_in(e) for e in x] if isinstance(x, list) else x


@pytest.mark.parametrize(("name", "args", "options"), CALLS, ids=[c[0] for c in CALLS])
def test_as_in_numpy(name, args, options):
    expected = as_list(getattr(np, name)(*args, **options))
    found = as_list(getattr(fnp, name)(*[tensors_in(a) for a in args], **options))
    for out, e in zip(found, expected, strict=True):
        assert isinstance(out, (fad.Tensor, int))
        np.testing.assert_allclose(out, e, rtol=1e-14, atol=1e-15)
        assert np.shape(out) == np.shape(e)
        assert np.asarray(out).dtype == np.asarray(e).dtype


@pytest.mark.parametrize("module", [constants, diagonals, indexing, join, padding, shapes])
def test_signatures_are_numpys(module):
    """Every parameter of NumPy's functions is there, at its place, except ``like``."""
    for name in module.__all__:
        if name in ("getitem", "arange", "pad"):  # NumPy's hides what it takes
            continue
        try:
            theirs = inspect.signature(getattr(np, name)).parameters
        except ValueError:
            continue  # NumPy does not know
        ours = inspect.signature(getattr(fnp, name)).parameters
        wanted = [p for p in theirs if p not in ("like", "newshape", "args")]
        assert [p for p in ours if p in wanted] == wanted, name


def test_numpys_own_functions_arrive_here():
    x = fad.asarray(M)
    for out in (np.concatenate([x, x]), np.reshape(x, 6), np.pad(x, 1), np.tile(x, 2), np.diag(x)):
        assert isinstance(out, fad.Tensor)


def test_differentiable_bounds_of_ranges():
    t = np.linspace(0.0, 1.0, 5)

    def f(a, b):
        return fnp.sum(fnp.linspace(a, b, 5) ** 2)

    of_a, of_b = fad.grad(f, argnums=(0, 1))(2.0, 3.0)
    line = np.linspace(2.0, 3.0, 5)
    np.testing.assert_allclose(float(of_a), np.sum(2 * line * (1 - t)))
    np.testing.assert_allclose(float(of_b), np.sum(2 * line * t))
    ends = fnp.linspace(fad.asarray(1e20), fad.asarray(1e-20), 7)
    assert float(ends[0]) == 1e20
    assert float(ends[-1]) == 1e-20
    ratio = fad.grad(lambda b: fnp.geomspace(fad.asarray(1.0), b, 3)[1])(4.0)
    np.testing.assert_allclose(float(ratio), 0.25)
    power = fad.grad(lambda b: fnp.logspace(fad.asarray(0.0), b, 3)[1])(2.0)
    np.testing.assert_allclose(float(power), 10 * np.log(10) / 2)
    whole = fnp.linspace(fad.asarray(0), fad.asarray(9), 4, dtype=int)
    np.testing.assert_array_equal(whole, [0, 3, 6, 9])


def test_ranges_by_ratio():
    for bounds in ((1.0, 8.0), (-2.0, -32.0), ([1.0, 2.0], [3.0, 50.0]), (1j, -4.0), (3 + 1j, 8j)):
        for options in ({}, {"endpoint": False}, {"axis": -1}):
            expected = np.geomspace(*bounds, 5, **options)
            found = fnp.geomspace(*[fad.asarray(b) for b in bounds], 5, **options)
            assert found.dtype == expected.dtype
            np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-13, atol=1e-14)
    slopes = fad.jacobian(lambda a: fnp.geomspace(a, -32.0, 3))(-2.0)
    np.testing.assert_allclose(np.asarray(slopes), [1.0, 2.0, 0.0], rtol=1e-15)


def test_differentiable_padding():
    x, c = np.array([1.0, 2.0, 4.0]), 3.0

    def f(x, c):
        return fnp.sum(fnp.pad(x, (1, 2), constant_values=c) * np.arange(6.0))

    of_x, of_c = fad.grad(f, argnums=(0, 1))(x, c)
    np.testing.assert_array_equal(of_x, [1.0, 2.0, 3.0])
    assert float(of_c) == 9.0
    edge = fad.grad(lambda x: fnp.sum(fnp.pad(x, (1, 2), mode="edge") * np.arange(6.0)))(x)
    np.testing.assert_array_equal(edge, [1.0, 2.0, 12.0])


def test_a_new_step_is_no_new_program():
    from fad.core import kernels

    np.asarray(fnp.arange(2, 12, 5))
    before = kernels.compilations()
    np.testing.assert_array_equal(fnp.arange(3, 9, 4), [3, 7])
    assert kernels.compilations() == before


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fnp.reshape(A, (5, -1)), r"cannot reshape a tensor of shape \(2, 3, 4\)"),
        (lambda: fnp.transpose(A, (0, 1)), r"axes \(0, 1\) do not match"),
        (lambda: fnp.transpose(A, (0, 1, 1)), "repeated axis"),
        (lambda: fnp.squeeze(A, 0), "axis 0 .* has a length other than 1"),
        (lambda: fnp.flip(A, 3), "axis 3 is out of bounds for a tensor of dimension 3"),
        (lambda: fnp.split(V, 2), "does not divide"),
        (lambda: fnp.concatenate([1.0, 2.0]), "use stack"),
        (lambda: fnp.stack([]), "at least one"),
        (lambda: fnp.pad(V, -1), "must not be negative"),
        (lambda: fnp.pad(V, 1, lambda *args: None), "tensors are immutable"),
        (lambda: fnp.geomspace(0.0, 1.0), "cannot include zero"),
        (lambda: fnp.delete(M, [True, False], 1), "delete: boolean array"),
        (lambda: fnp.pad(V, 1, mode="no"), "mode 'no' is not one of"),
        (lambda: fnp.pad(V, 1, mode="edge", constant_values=1), "does not take"),
        (lambda: fnp.pad(np.zeros((0,)), 1, mode="edge"), "axis 0 is empty"),
        (lambda: fnp.reshape(M, (3, -1), order="K"), "order 'K' is not permitted for reshaping"),
        (lambda: fnp.ravel(M, order="no"), "order 'no' is not permitted for reshaping; write 'C'"),
        (lambda: fnp.linspace(0, 1, -1), "must not be negative"),
        (lambda: fnp.arange(0, 1, 0), "arange"),
        (lambda: fnp.diag(A), "vector or a matrix"),
        (lambda: fnp.block([[1], 2]), "nested equally deep"),
    ],
)
def test_errors(call, message):
    with pytest.raises(FadValueError, match=message):
        call()


def test_more_errors():
    with pytest.raises(FadTypeError, match="a shape is made of integers"):
        fnp.zeros((2.5,))
    with pytest.raises(FadTypeError, match="cannot cast"):
        fnp.concatenate([M, M], dtype=int)
    with pytest.raises(FadTypeError, match="arange"):
        fad.jit(lambda n: fnp.arange(n))(3)
    with pytest.raises(FadIndexError, match="delete: index 5 is out of bounds"):
        fnp.delete(M, 5, 1)
    with pytest.raises(FadIndexError, match="insert: index 5 is out of bounds"):
        fnp.insert(M, 5, 1.0, 1)


def test_an_axis_out_of_bounds_is_caught_as_either_error():
    for error in (ValueError, IndexError):
        with pytest.raises(error, match="expand_dims: axis 3 is out of bounds"):
            fnp.expand_dims(np.ones((2, 2)), 3)
