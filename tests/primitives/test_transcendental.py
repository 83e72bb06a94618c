"""Values and derivatives within a few units in the last place of the exact ones, everywhere."""

import jax
import mpmath as mp
import numpy as np
import pytest

import fad
from fad.primitives import arithmetic, transcendental
from tests.primitives.accuracy import between, derivative, pushed, relative, spread, ulps

SMALL = spread(1e-300, 1e-3)
NEAR_ONE = 1 - spread(1e-15, 1e-2, signed=False)
ALL_POSITIVE = spread(1e-300, 1e300, signed=False)


def join(*parts):
    return np.concatenate(parts)


def sech2(x):
    return mp.sech(x) ** 2


def gaussian(scale):
    return lambda x: scale / mp.sqrt(mp.pi) * mp.exp(-x * x)


POSITIVE = join(ALL_POSITIVE, between(0.5, 2))
ANGLES = join(SMALL, between(-30, 30), spread(1, 1e12))
UNIT = join(SMALL, between(-1, 1), NEAR_ONE, -NEAR_ONE)
ABOVE_ONE = join(1 + spread(1e-15, 1, signed=False), spread(1, 1e300, signed=False))
HYPERBOLIC = join(SMALL, between(-705, 705), between(-2, 2))

# function: value, derivative, points
REAL = {
    "exp": (mp.exp, mp.exp, join(SMALL, between(-700, 700))),
    "exp2": (lambda x: 2**x, lambda x: mp.log(2) * 2**x, join(SMALL, between(-1000, 1000))),
    "expm1": (mp.expm1, mp.exp, join(SMALL, between(-700, 700), between(-1, 1))),
    "log": (mp.log, lambda x: 1 / x, POSITIVE),
    "log1p": (mp.log1p, lambda x: 1 / (1 + x), join(UNIT, ALL_POSITIVE, between(-0.6, 0.6))),
    "log2": (lambda x: mp.log(x, 2), lambda x: 1 / x / mp.log(2), POSITIVE),
    "log10": (lambda x: mp.log(x, 10), lambda x: 1 / x / mp.log(10), POSITIVE),
    "sin": (mp.sin, mp.cos, ANGLES),
    "cos": (mp.cos, lambda x: -mp.sin(x), ANGLES),
    "tan": (mp.tan, lambda x: mp.sec(x) ** 2, ANGLES),
    "arcsin": (mp.asin, lambda x: 1 / mp.sqrt(1 - x * x), UNIT),
    "arccos": (mp.acos, lambda x: -1 / mp.sqrt(1 - x * x), UNIT),
    "arctan": (mp.atan, lambda x: 1 / (1 + x * x), join(SMALL, spread(1e-3, 1e150))),
    "sinh": (mp.sinh, mp.cosh, HYPERBOLIC),
    "cosh": (mp.cosh, mp.sinh, HYPERBOLIC),
    "tanh": (mp.tanh, sech2, join(SMALL, between(-350, 350), between(-3, 3), between(17, 20))),
    "sech2": (sech2, lambda x: -2 * mp.tanh(x) * sech2(x), join(SMALL, between(-340, 340))),
    "sigmoid": (
        lambda x: 1 / (1 + mp.exp(-x)),
        lambda x: sech2(x / 2) / 4,
        join(SMALL, between(-700, 700), between(-3, 3)),
    ),
    "arcsinh": (mp.asinh, lambda x: 1 / mp.hypot(1, x), join(SMALL, spread(1e-3, 1e300))),
    "arccosh": (mp.acosh, lambda x: 1 / mp.sqrt(x * x - 1), ABOVE_ONE),
    "arctanh": (mp.atanh, lambda x: 1 / (1 - x * x), UNIT),
    "gaussian": (
        lambda x: mp.exp(-x * x),
        lambda x: -2 * x * mp.exp(-x * x),
        join(spread(1e-100, 1e-3), between(-26, 26)),
    ),
    "erf": (mp.erf, gaussian(2), join(SMALL, between(-26, 26), between(-1, 1))),
    "erfc": (mp.erfc, gaussian(-2), join(SMALL, between(-26, 26), between(-1, 1))),
}
# What the compiler's own kernels leave: see fad/primitives/precise.py.
VALUE_BOUNDS = {"tanh": 8.0, "erfc": 4.0}
SLOPE_BOUNDS = {"sech2": 8.0}


@pytest.mark.parametrize("name", REAL)
def test_accuracy(name):
    function = getattr(transcendental, name)
    value, slope, points = REAL[name]
    assert ulps(function(fad.asarray(points)), value, points) <= VALUE_BOUNDS.get(name, 3.0)
    assert ulps(derivative(function, [points]), slope, points) <= SLOPE_BOUNDS.get(name, 4.0)


def test_forward_rules_are_as_accurate():
    for name in ("tanh", "sigmoid", "erfc", "tan"):
        _, slope, points = REAL[name]
        assert ulps(pushed(getattr(transcendental, name), [points]), slope, points) <= 4.0


def complex_points(real, imag, count=15):
    """Complex numbers of all magnitudes, on the unit circle, and near 1, -1, i and -i."""
    rng = np.random.default_rng(3)

    def magnitudes(high):
        return 10 ** rng.uniform(-14, np.log10(high), count) * rng.choice([-1, 1], count)

    circle = (1 + magnitudes(1e-2)) * np.exp(2j * np.pi * rng.random(count))
    parts = [rng.uniform(-3, 3, count) + 1j * rng.uniform(-3, 3, count), circle]
    parts.append(magnitudes(real) + 1j * magnitudes(imag))
    parts += [c + magnitudes(1e-2) + 1j * magnitudes(1e-2) for c in (1, -1, 1j, -1j)]
    return np.concatenate(parts)


PLANE = complex_points(1e140, 1e140)
RING = between(0.5, 2.0) * np.exp(1j * between(-3.1, 3.1)[::-1])
COMPLEX = {
    "exp2": (
        lambda z: mp.exp(z * mp.log(2)),
        lambda z: mp.log(2) * mp.exp(z * mp.log(2)),
        complex_points(1000, 1e6),
    ),
    "log": (mp.log, lambda z: 1 / z, join(PLANE, RING)),
    "log2": (lambda z: mp.log(z) / mp.log(2), lambda z: 1 / (z * mp.log(2)), join(PLANE, RING)),
    "log10": (lambda z: mp.log10(z), lambda z: 1 / (z * mp.log(10)), join(PLANE, RING)),
    "log1p": (lambda z: mp.log(1 + z), lambda z: 1 / (1 + z), PLANE),
    "tan": (mp.tan, lambda z: mp.sec(z) ** 2, complex_points(1e6, 300)),
    "tanh": (mp.tanh, sech2, complex_points(300, 1e6)),
    "sinh": (mp.sinh, mp.cosh, complex_points(700, 1e6)),
    "sigmoid": (lambda z: 1 / (1 + mp.exp(-z)), lambda z: sech2(z / 2) / 4, complex_points(300, 9)),
    "arcsin": (mp.asin, lambda z: 1 / (mp.sqrt(1 - z) * mp.sqrt(1 + z)), PLANE),
    "arctan": (mp.atan, lambda z: 1 / (1 + z * z), PLANE),
    "arcsinh": (mp.asinh, lambda z: 1 / (mp.sqrt(1 - 1j * z) * mp.sqrt(1 + 1j * z)), PLANE),
    "arccosh": (mp.acosh, lambda z: 1 / (mp.sqrt(z - 1) * mp.sqrt(z + 1)), PLANE),
    "arctanh": (mp.atanh, lambda z: 1 / (1 - z * z), PLANE),
}


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_accuracy(name):
    function = getattr(transcendental, name)
    value, slope, points = COMPLEX[name]
    assert relative(function(fad.asarray(points)), value, points) <= 4.0
    assert relative(derivative(function, [points]), slope, points) <= 4.0


@pytest.mark.parametrize("name", ["arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh"])
def test_derivatives_take_the_value_s_side_of_a_branch_cut(name):
    function = getattr(transcendental, name)
    cut = np.array([complex(2, 0.0), complex(2, -0.0), complex(-2, 0.0), complex(-2, -0.0)])
    if name in ("arctan", "arcsinh"):
        cut = np.array([complex(0.0, 2), complex(-0.0, 2), complex(0.0, -2), complex(-0.0, -2)])
    beside = cut + np.where(np.signbit(cut.imag), -1e-9j, 1e-9j)
    if name in ("arctan", "arcsinh"):
        beside = cut + np.where(np.signbit(cut.real), -1e-9, 1e-9)
    np.testing.assert_allclose(function(cut), getattr(np, name)(cut), rtol=1e-15)
    np.testing.assert_allclose(
        derivative(function, [cut]), derivative(function, [beside]), atol=1e-8
    )


def test_the_derivatives_that_the_usual_formulas_lose():
    assert float(fad.grad(transcendental.tanh)(20.0)) == pytest.approx(1.6993417021166355e-17)
    assert float(fad.grad(transcendental.sigmoid)(40.0)) == pytest.approx(4.248354255291589e-18)
    assert float(fad.grad(transcendental.expm1)(-40.0)) == pytest.approx(4.248354255291589e-18)
    assert float(fad.grad(transcendental.arcsinh)(1e200)) == pytest.approx(1e-200)


INVERSES = {  # second derivatives close to 0, where those of 1 - x and 1 + x cancel
    "arcsin": 1.0,
    "arccos": -1.0,
    "arctan": -2.0,
    "arcsinh": -1.0,
    "arctanh": 2.0,
}


@pytest.mark.parametrize("name", INVERSES)
def test_second_derivatives_of_inverse_functions_keep_their_digits_near_0(name):
    nested = fad.grad(fad.grad(getattr(transcendental, name)))
    holomorphic = fad.grad(getattr(transcendental, name), holomorphic=True)
    for x in (1e-5, 1e-17, 1e-200):
        assert float(nested(x)) == pytest.approx(INVERSES[name] * x, rel=1e-9)
        of_complex = complex(fad.grad(holomorphic, holomorphic=True)(complex(x, x)))
        assert of_complex == pytest.approx(INVERSES[name] * complex(x, x), rel=1e-9)


def test_the_ends_of_the_range_of_float32():
    x = np.float32([88.0, 88.4, 88.6, 88.7, 88.72])
    for name in ("exp", "expm1"):
        got = np.asarray(getattr(transcendental, name)(x))
        np.testing.assert_allclose(got, np.exp(x.astype(float)), rtol=2.5e-7)
    assert np.isinf(float(transcendental.exp(np.float32(88.73))))
    assert float(transcendental.erfc(np.float32(9.0))) == pytest.approx(4.1370317e-37, rel=1e-6)


def test_exact_values():
    np.testing.assert_array_equal(
        transcendental.exp2(np.arange(-1022.0, 1024.0)), 2.0 ** np.arange(-1022.0, 1024.0)
    )
    np.testing.assert_array_equal(
        transcendental.log2(2.0 ** np.arange(-1022.0, 1024.0)), np.arange(-1022.0, 1024.0)
    )
    tens = np.array([float(f"1e{n}") for n in range(-300, 300)])
    np.testing.assert_array_equal(transcendental.log10(tens), np.arange(-300, 300))


SPECIAL = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 1e308, -1e308])


@pytest.mark.parametrize("name", [n for n in REAL if hasattr(np, n)])
def test_special_values(name):
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(SPECIAL)
    got = np.asarray(getattr(transcendental, name)(SPECIAL))
    np.testing.assert_allclose(got, expected, rtol=1e-15)
    number = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(got)[number], np.signbit(expected)[number])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, "bfloat16", np.int8, np.int32, bool])
def test_other_dtypes(dtype):
    x = fad.asarray([0.0, 1.0], dtype="float64").astype(dtype)
    expected = {"float16": "float16", "float32": "float32", "bfloat16": "bfloat16"}
    expected |= {"int8": "float16", "int32": "float64", "bool": "float16"}
    for name in ("exp2", "sinh", "tanh"):
        out = getattr(transcendental, name)(x)
        assert str(out.dtype) == expected[str(x.dtype)]
        wide = getattr(transcendental, name)(np.array([0.0, 1.0]))
        np.testing.assert_allclose(np.asarray(out, float), np.asarray(wide), rtol=1e-2)


def test_single_precision():
    for name in ("tanh", "erfc", "log1p"):
        x = np.float32([-8.0, -2.5, -0.35, -1e-3, 0.4, 3.0, 8.5])
        x = x[x > -1] if name == "log1p" else x
        function = getattr(transcendental, name)
        slope = derivative(function, [x])
        assert slope.dtype == np.float32
        np.testing.assert_allclose(slope, derivative(function, [x.astype(float)]), rtol=1e-6)


def test_logaddexp():
    x = join(between(-300, 300), between(-3, 3), np.array([5.0, -np.inf, np.inf, 3.0]))
    y = join(between(-300, 300)[::-1], between(-3, 3)[::-1], np.array([5.0, 1.0, 1.0, -np.inf]))
    for name, base in (("logaddexp", mp.e), ("logaddexp2", mp.mpf(2))):
        function = getattr(transcendental, name)
        np.testing.assert_allclose(function(fad.asarray(x), y), getattr(np, name)(x, y), 1e-13)
        for index, sign in ((0, 1), (1, -1)):
            slope = derivative(function, [x, y], index)
            exact = lambda a, b, base=base, sign=sign: 1 / (1 + base ** (sign * (b - a)))  # noqa: E731
            assert ulps(slope[:-3], exact, x[:-3], y[:-3]) <= 4.0
            np.testing.assert_array_equal(slope[-3:], [[0, 1, 1], [1, 0, 0]][index])


def test_logaddexp_of_equal_infinities_shares_evenly():
    for infinity in (np.inf, -np.inf):
        gradient = fad.grad(transcendental.logaddexp, argnums=(0, 1))(infinity, infinity)
        assert [float(g) for g in gradient] == [0.5, 0.5]


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "arctan", "log1p", "erf", "tan", "arcsinh"])
def test_third_derivatives(name):
    x = np.array([-0.7, 0.1, 0.45])
    oracle = {"sigmoid": jax.nn.sigmoid, "erf": jax.scipy.special.erf}.get(name)
    oracle = oracle or getattr(jax.numpy, name)
    function = getattr(transcendental, name)
    nested = fad.grad(fad.grad(fad.grad(function)))
    with jax.enable_x64(True):
        expected = jax.vmap(jax.grad(jax.grad(jax.grad(oracle))))(x)
    np.testing.assert_allclose(fad.vmap(nested)(x), expected, rtol=1e-9)


def test_functions_of_reals_refuse_complex_numbers():
    for function in (transcendental.erf, transcendental.logaddexp, arithmetic.cbrt):
        operands = (1j, 1j) if function is transcendental.logaddexp else (1j,)
        with pytest.raises(TypeError, match="not defined for dtype complex128"):
            function(*operands)


@pytest.mark.parametrize("name", ["tan", "tanh", "sigmoid", "arcsin", "arctan", "arcsinh"])
def test_complex_second_derivatives(name):
    z = np.array([0.3 + 0.4j, -1.2 + 0.5j])
    function = getattr(transcendental, name)
    nested = fad.grad(fad.grad(function, holomorphic=True), holomorphic=True)
    slope = COMPLEX[name][1]
    with mp.workdps(40):
        expected = [complex(mp.diff(slope, complex(point))) for point in z]
    np.testing.assert_allclose(fad.vmap(nested)(z), expected, rtol=1e-13)
