"""NumPy's mathematical functions: signatures, dtypes and values are NumPy's."""

import inspect

import numpy as np
import pytest

import fad
import fad.numpy as fnp
from fad.core.errors import FadTypeError
from fad.numpy import elementwise, logic

UFUNCS = sorted(
    name
    for name in dir(np)
    if isinstance(getattr(np, name), np.ufunc)
    and name not in ("isnat", "matmul", "matvec", "vecdot", "vecmat", "divmod", "frexp", "modf")
)
SAMPLES = {
    "f": np.array([0.25, 0.5, 0.75]),
    "i": np.array([1, 2, 3]),
}


def operands(ufunc):
    kinds = ufunc.types[-1] if ufunc.nin == 1 else ""
    floats = any(set("fd") & set(t.split("->")[0]) for t in ufunc.types)
    x = SAMPLES["f" if floats else "i"]
    if ufunc.__name__ == "arccosh":
        x = x + 1
    if ufunc.__name__ == "ldexp":
        return x, SAMPLES["i"]
    return (x,) * ufunc.nin if kinds is not None else ()


@pytest.mark.parametrize("name", UFUNCS)
def test_every_ufunc_is_here_and_agrees(name):
    ufunc, function = getattr(np, name), getattr(fnp, name)
    args = operands(ufunc)
    expected = ufunc(*args)
    got = function(*[fad.asarray(a) for a in args])
    assert isinstance(got, fad.Tensor)
    assert got.dtype == expected.dtype
    np.testing.assert_allclose(got, expected, rtol=1e-14)
    dispatched = ufunc(*[fad.asarray(a) for a in args])
    np.testing.assert_array_equal(dispatched, got)
    listed = function(*[a.tolist() for a in args])
    np.testing.assert_array_equal(listed, got)


@pytest.mark.parametrize("name", UFUNCS)
def test_out_and_where_are_refused_by_name(name):
    ufunc, function = getattr(np, name), getattr(fnp, name)
    args = operands(ufunc)
    with pytest.raises(TypeError, match=r"tensors are immutable; write result = \w+\("):
        function(*args, out=np.zeros(3))
    with pytest.raises(TypeError, match="leaves elements undefined"):
        function(*args, where=np.array([True, False, True]))
    with pytest.raises(TypeError, match="takes no bogus="):
        function(*args, bogus=1)
    assert function(*args, out=None, where=True).shape == (3,)


def test_dtype_is_that_to_compute_in():
    x = fad.asarray([1, 2])
    assert fnp.sin(x, dtype=np.float32).dtype == np.float32
    assert fnp.add(x, 1, dtype="float64").dtype == np.float64
    assert fnp.equal(x, x, dtype=bool).dtype == np.bool_
    with pytest.raises(TypeError, match="cannot cast from float64 to dtype=int64"):
        fnp.add(fad.asarray([1.0]), 1, dtype=int)
    assert fnp.add(fad.asarray([1.5]), 1, dtype=int, casting="unsafe").dtype == np.int64


def test_functions_without_options_are_the_primitive_s():
    for name in ("sin", "add", "multiply", "tanh", "maximum"):
        assert getattr(fnp, name).operation.primitive.derivative is not None


def test_every_function_has_a_docstring():
    for module in (elementwise, logic):
        for name in module.__all__:
            function = getattr(module, name)
            assert inspect.getdoc(function), name


def test_aliases_of_the_array_api():
    for ours, theirs in [
        ("acos", "arccos"), ("asinh", "arcsinh"), ("atan2", "arctan2"), ("pow", "power"),
        ("true_divide", "divide"), ("mod", "remainder"), ("conj", "conjugate"), ("abs", "absolute"),
        ("bitwise_invert", "invert"), ("bitwise_left_shift", "left_shift"), ("around", "round"),
    ]:  # fmt: skip
        assert getattr(fnp, ours) is getattr(fnp, theirs)


X = np.array([-3.7, -0.5, 0.0, 0.5, 2.5, np.inf, -np.inf, np.nan])


def same(got, expected):
    if isinstance(expected, tuple):
        for g, e in zip(got, expected, strict=True):
            same(g, e)
        return
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got, expected)
    number = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(np.asarray(got))[number], np.signbit(expected)[number])


def test_several_results():
    with np.errstate(invalid="ignore"):
        same(fnp.modf(X), np.modf(X))
        same(fnp.divmod(X, 0.7), np.divmod(X, 0.7))
        same(divmod(fad.asarray(X), 0.7), np.divmod(X, 0.7))
    same(fnp.frexp(X[:5]), np.frexp(X[:5]))
    tangents = fad.jvp(lambda x: fnp.frexp(x)[0], (np.array([6.0]),), (np.ones(1),))[1]
    np.testing.assert_array_equal(tangents, [1 / 8])
    np.testing.assert_array_equal(fad.grad(lambda x: fnp.modf(x)[0])(2.5), 1.0)


def test_nan_to_num():
    same(fnp.nan_to_num(X), np.nan_to_num(X))
    same(fnp.nan_to_num(X, nan=1.0, posinf=2.0, neginf=3.0),
         np.nan_to_num(X, nan=1.0, posinf=2.0, neginf=3.0))  # fmt: skip
    z = np.array([complex(np.nan, np.inf), 1 + 2j])
    np.testing.assert_array_equal(fnp.nan_to_num(z), np.nan_to_num(z))
    same(fnp.nan_to_num(np.array([1, 2])), np.array([1, 2]))
    gradient = fad.grad(lambda x: fnp.sum(fnp.nan_to_num(x)))(X)
    np.testing.assert_array_equal(gradient, np.isfinite(X))


@pytest.mark.parametrize("decimals", [0, 1, 3, -1, -2])
def test_round(decimals):
    x = np.array([1.25, 2.35, -0.05, 1234.5678, -150.0, 1e300])
    np.testing.assert_array_equal(fnp.round(x, decimals), np.round(x, decimals))
    n = np.array([0, 5, 15, 25, -15, -25, 149, 150, 151, 250, -12345])
    same(fnp.round(n, decimals), np.round(n, decimals))
    assert round(fad.asarray(2.567), 1).item() == 2.6


def test_clip():
    x = np.array([-1.0, 0.0, 0.5, 1.0, 2.0])
    for args, kwargs in [
        ((0.0, 1.0), {}), ((None, 0.7), {}), ((0.2, None), {}), ((), {"min": 0.0, "max": 0.6}),
        ((np.zeros(5), [1, 1, 0.2, 1, 1]), {}), ((2.0, 1.0), {}), ((), {}),
    ]:  # fmt: skip
        np.testing.assert_array_equal(fnp.clip(x, *args, **kwargs), np.clip(x, *args, **kwargs))
    np.testing.assert_array_equal(
        fad.grad(lambda x: fnp.sum(fnp.clip(x, 0.0, 1.0)))(x), [0, 1, 1, 1, 0]
    )
    bounds = fad.grad(lambda lo, hi: fnp.sum(fnp.clip(x, lo, hi)), argnums=(0, 1))(0.0, 1.0)
    assert [float(b) for b in bounds] == [1.0, 1.0]
    with pytest.raises(TypeError, match="not both"):
        fnp.clip(x, 0.0, 1.0, a_min=0.0)
    with pytest.raises(OverflowError):
        fnp.clip(np.uint8([1]), 300, None)
    np.testing.assert_array_equal(fnp.clip(x, a_max=None, a_min=0.5), np.clip(x, 0.5, None))
    assert np.clip(fad.asarray(x), 0.0, 1.0, dtype=np.float32).dtype == np.float32
    with pytest.raises(FadTypeError, match=r"where\(mask, np.clip"):
        fnp.clip(x, 0.0, 1.0, where=x > 0)


@pytest.mark.parametrize("name", ["divmod", "modf", "frexp"])
def test_ufuncs_of_several_results_take_their_options(name):
    operands = (np.array([1.5, -2.0]), 0.7)[: getattr(np, name).nin]
    function = getattr(fnp, name)
    single = function(*operands, dtype=np.float32, out=(None, None))
    assert single[0].dtype == np.float32
    with pytest.raises(FadTypeError, match="cannot write through out="):
        function(*operands, out=(np.zeros(2), np.zeros(2)))
    with pytest.raises(FadTypeError, match="takes no signature= on tensors"):
        function(*operands, signature="d->dd")


@pytest.mark.parametrize("name", ["fmax", "fmin"])
def test_extrema_ignoring_nan(name):
    x, y = np.array([1.0, np.nan, 3.0, np.nan, 2.0]), np.array([2.0, 5.0, np.nan, np.nan, 2.0])
    function = getattr(fnp, name)
    np.testing.assert_array_equal(function(x, y), getattr(np, name)(x, y))
    gx, gy = fad.grad(lambda x, y: fnp.sum(function(x, y)), argnums=(0, 1))(x, y)
    np.testing.assert_array_equal(np.asarray(gx + gy)[[0, 1, 2, 4]], 1)
    np.testing.assert_array_equal(np.asarray(gx)[[1, 2, 4]], [0, 1, 0.5])


def test_complex_parts_and_angles():
    z = np.array([1 + 2j, -3 - 0.5j, -2 + 0j])
    for name in ("real", "imag", "angle"):
        same(getattr(fnp, name)(z), getattr(np, name)(z))
    np.testing.assert_allclose(fnp.angle(z, deg=True), np.angle(z, deg=True))
    np.testing.assert_array_equal(fnp.angle([-1.0, 2.0]), np.angle([-1.0, 2.0]))
    gradient = complex(fad.grad(fnp.angle)(3 + 4j))
    assert gradient == pytest.approx(-1j / (3 + 4j))


def test_refused_dtypes():
    for call in (
        lambda: fnp.positive(True),
        lambda: fnp.fabs(1j),
        lambda: fnp.maximum("a", 1),
        lambda: fnp.negative([True]),
    ):
        with pytest.raises(TypeError):
            call()


def test_modf_has_numpys_signs_and_slope_one_at_integers_too() -> None:
    x = np.array([-1.0, -0.0, 0.0, 2.0, -2.5, np.inf, -np.inf])
    for got, expected in zip(np.modf(fad.asarray(x)), np.modf(x), strict=True):
        np.testing.assert_array_equal(got, expected)
        np.testing.assert_array_equal(np.signbit(np.asarray(got)), np.signbit(expected))
    slope = fad.grad(lambda x: np.modf(x)[0].sum())(x[:5])
    np.testing.assert_array_equal(slope, np.ones(5))


def test_dtypes_of_small_integers_and_booleans():
    for name in ("deg2rad", "rad2deg", "sinc", "round", "around", "angle"):
        for dtype in (np.bool_, np.int8, np.uint8, np.int16, np.int64):
            x = np.array([0, 1], dtype)
            got, expected = getattr(fnp, name)(x), getattr(np, name)(x)
            assert got.dtype == expected.dtype, (name, dtype)
            np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-3, atol=1e-15)


@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered:RuntimeWarning")
def test_decimals_of_any_size():
    x = np.array([1234.5678, -0.15, 2.675])
    for decimals in (-400, -4, -2, 0, 1, 2, 5, 13, 400):
        np.testing.assert_array_equal(fnp.round(x, decimals), np.round(x, decimals))
    with pytest.raises(FadTypeError, match="round of booleans"):
        fnp.round(np.array([True]), 1)
