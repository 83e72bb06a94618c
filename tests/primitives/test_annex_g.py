"""Complex functions where a part is infinite, NaN or a signed zero: C99's Annex G, and NumPy."""

import math

import jax
import numpy as np
import pytest
from jax import lax

import fad
import fad.numpy as fnp
from fad.primitives import annex_g

INF, NAN, PI = math.inf, math.nan, math.pi
PARTS = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.5, -2.5, 800.0, -800.0, INF, -INF, NAN]
PLANE = np.array([complex(a, b) for a in PARTS for b in PARTS])

ROWS = {
    # Annex G, one row for each rule at a point that the compiler's functions get wrong.
    "exp": [
        (complex(2, -0.0), complex(math.exp(2), -0.0)),
        (complex(-INF, INF), 0j),
        (complex(-INF, NAN), 0j),
        (complex(INF, INF), complex(INF, NAN)),
        (complex(INF, NAN), complex(INF, NAN)),
        (complex(NAN, -0.0), complex(NAN, -0.0)),
    ],
    "expm1": [
        (complex(-0.0, -0.0), complex(0.0, -0.0)),
        (complex(INF, 0.0), complex(INF, 0.0)),
        (complex(-INF, INF), -1 + 0j),
        (complex(INF, NAN), complex(INF, NAN)),
        (complex(NAN, 0.0), complex(NAN, 0.0)),
    ],
    "log": [(complex(INF, NAN), complex(INF, NAN)), (complex(NAN, -INF), complex(INF, NAN))],
    "log1p": [(complex(-INF, NAN), complex(INF, NAN))],
    "log2": [(complex(-INF, 0.0), complex(INF, PI / math.log(2))), (0j, complex(-INF, 0.0))],
    "sqrt": [
        (complex(NAN, -INF), complex(INF, -INF)),
        (complex(-INF, NAN), complex(NAN, INF)),
        (complex(INF, NAN), complex(INF, NAN)),
    ],
    "sinh": [
        (complex(0.0, INF), complex(0.0, NAN)),
        (complex(INF, NAN), complex(INF, NAN)),
        (complex(NAN, 0.0), complex(NAN, 0.0)),
    ],
    "cosh": [
        (complex(0.0, NAN), complex(NAN, 0.0)),
        (complex(INF, 0.0), complex(INF, 0.0)),
        (complex(-1.0, 0.0), complex(math.cosh(1), -0.0)),
        (complex(INF, INF), complex(INF, NAN)),
    ],
    "tanh": [
        (complex(0.0, INF), complex(0.0, NAN)),
        (complex(1.0, -0.0), complex(math.tanh(1), -0.0)),
        (complex(INF, NAN), complex(1.0, 0.0)),
        (complex(INF, 2.5), complex(1.0, 0.0)),
    ],
    "sin": [(complex(INF, 0.0), complex(NAN, 0.0)), (complex(NAN, INF), complex(NAN, INF))],
    "tan": [(complex(NAN, INF), complex(0.0, 1.0)), (complex(-0.0, 0.5), 1j * math.tanh(0.5))],
    "arcsin": [(complex(0.0, NAN), complex(0.0, NAN))],
    "arccos": [(complex(-0.0, NAN), complex(PI / 2, NAN))],
    "arccosh": [(complex(0.0, NAN), complex(NAN, PI / 2))],
    "arcsinh": [(complex(NAN, -0.0), complex(NAN, -0.0))],
    "arctan": [
        (complex(-0.0, 0.0), complex(-0.0, 0.0)),
        (complex(NAN, INF), complex(NAN, 0.0)),
        (complex(-0.0, 2.0), complex(-PI / 2, math.atanh(0.5))),
    ],
    "arctanh": [
        (complex(-0.0, 0.5), complex(-0.0, math.atan(0.5))),
        (complex(2.0, -0.0), complex(math.atanh(0.5), -PI / 2)),
        (complex(INF, NAN), complex(0.0, NAN)),
        (complex(NAN, -INF), complex(0.0, -PI / 2)),
        (complex(0.0, NAN), complex(0.0, NAN)),
    ],
    "sign": [
        (complex(-0.0, -0.0), 0j),
        (complex(INF, -3.0), 1 + 0j),
        (complex(2.0, -INF), complex(0.0, -1.0)),
        (complex(INF, INF), complex(NAN, NAN)),
    ],
}
"""(operand, result); the sign of a zero result counts unless it is in ``ANY_SIGN``."""

ANY_SIGN = {("tan", 0), ("cosh", 1)}
"""Zero parts whose sign Annex G leaves open at some point."""


def same(got, expected, part=None):
    """Equal within rounding; NaN like NaN, infinities and zeros with their signs."""
    if math.isnan(expected) or math.isnan(got):
        return math.isnan(expected) and math.isnan(got)
    close = math.isclose(got, expected, rel_tol=1e-12)
    return close and (expected != 0 or part in ANY_SIGN or same_sign(got, expected))


def same_sign(got, expected):
    return math.copysign(1.0, got) == math.copysign(1.0, expected)


@pytest.mark.parametrize(
    ("name", "z", "expected"), [(name, *row) for name, rows in ROWS.items() for row in rows]
)
def test_special_values(name, z, expected):
    function = getattr(fnp, name)
    for got in (complex(function(fad.asarray(z))), complex(fad.jit(function)(fad.asarray(z)))):
        assert same(got.real, expected.real, (name, 0)), got
        assert same(got.imag, expected.imag, (name, 1)), got


NUMPYS = """
    exp log log1p log2 log10 sqrt sin cos tan sinh cosh tanh
    arcsin arccos arctan arcsinh arccosh arctanh sign
""".split()


def unspecified(name, z):
    """Whether Annex G leaves the signs of zeros and infinities open at this point."""
    lost = not (math.isfinite(z.real) and math.isfinite(z.imag))
    return lost and name in ("sinh", "cosh", "tanh", "sin", "cos", "tan")


@pytest.mark.parametrize("name", NUMPYS)
def test_plane_is_numpys(name):
    """NumPy follows Annex G on the platforms whose C library does."""
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(PLANE)
    got = np.asarray(getattr(fnp, name)(fad.asarray(PLANE)))
    for z, g, e in zip(PLANE, got, expected, strict=True):
        for a, b in ((g.real, e.real), (g.imag, e.imag)):
            if unspecified(name, z):
                a, b = abs(a), abs(b)
            assert same(a, b), (z, g, e)


def test_magnitude_is_infinite_if_a_part_is():
    z = fad.asarray(np.array([complex(NAN, -INF), complex(INF, NAN), complex(NAN, 1.0)]))
    np.testing.assert_array_equal(np.asarray(abs(z)), [INF, INF, NAN])


@pytest.mark.parametrize("name", ["exp", "expm1", "log1p", "sqrt", "arctanh", "arcsinh"])
def test_single_precision_likewise(name):
    wide = np.asarray(getattr(fnp, name)(fad.asarray(PLANE[np.abs(PLANE) != 800])))
    plane = fad.asarray(PLANE.astype(np.complex64)[np.abs(PLANE) != 800])
    got = np.asarray(getattr(fnp, name)(plane))
    assert got.dtype == np.complex64
    with np.errstate(over="ignore"):
        wide = wide.astype(np.complex64)
    for a, b in ((got.real, wide.real), (got.imag, wide.imag)):
        np.testing.assert_allclose(a, b, rtol=2e-6)


def test_expm1_keeps_its_digits_near_zero():
    z = 1e-9 + 1e-9j
    got = complex(fnp.expm1(fad.asarray(z)))
    # z + z**2 / 2 + ..., of which the square is imaginary here.
    assert got == pytest.approx(1e-9 + (1e-9 + 1e-18) * 1j, rel=1e-15)


@pytest.mark.parametrize(("ours", "theirs"), [("sin", lax.sin), ("log", lax.log), ("tan", lax.tan)])
def test_real_kernels_are_the_compilers(ours, theirs):
    """Nothing is added to programs of real numbers."""

    def text(kernel):
        return jax.jit(lambda x: kernel(x)).lower(np.float32(1.0)).as_text()

    assert text(getattr(annex_g, ours)) == text(theirs)
