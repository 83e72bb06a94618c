"""Strong zeros of every primitive: nothing else changes, and zero stays zero at any point."""

import itertools

import numpy as np
import pytest

import fad
from fad.core.apply import apply
from fad.primitives.declare import declarations

DIFFERENTIABLE = sorted(n for n, d in declarations.items() if d.primitive.derivative is not None)
ELEMENTWISE = [n for n in DIFFERENTIABLE if declarations[n].primitive.elementwise is not None]


def of_inexact(name, sample):
    """The primitive as a function of its inexact operands to its inexact results."""
    operation = declarations[name].primitive(**sample.params)
    operands = [np.asarray(x) for x in sample.operands]
    moving = [i for i, x in enumerate(operands) if x.dtype.kind in "fc"]

    def function(*xs):
        full = list(operands)
        for i, x in zip(moving, xs, strict=True):
            full[i] = x
        out = apply(operation, *full)
        return [o for o in (out if isinstance(out, tuple) else [out]) if o.aval.inexact]

    return function, [operands[i] for i in moving]


def both_modes(function, points, seed=0):
    """Pulled cotangents and pushed tangents, in random directions."""
    rng = np.random.default_rng(seed)

    def noise(x):
        real = rng.normal(size=x.shape)
        return (real + 1j * rng.normal(size=x.shape) if x.dtype.kind == "c" else real).astype(
            x.dtype
        )

    out, pull = fad.vjp(function, *points)
    pulled = pull([noise(o) for o in out])
    _, pushed = fad.jvp(function, tuple(points), tuple(noise(x) for x in points))
    return [np.asarray(x) for x in (*pulled, *pushed)]


REGULAR = [
    pytest.param(name, marks=[pytest.mark.deep] if name in ELEMENTWISE else [])
    for name in DIFFERENTIABLE
]


@pytest.mark.parametrize("name", REGULAR)
def test_at_regular_points_nothing_changes(name):
    sample = declarations[name].samples()[0]
    function, points = of_inexact(name, sample)
    if not points or not function(*points):
        return
    plain = both_modes(function, points)
    with fad.strong_zero():
        strong = both_modes(function, points)
    for a, b in zip(strong, plain, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


BAD = (0.0, -1.0, np.inf, -np.inf, np.nan)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_zero_stays_zero_at_any_point(name):
    declaration = declarations[name]
    sample = declaration.samples()[0]
    function, points = of_inexact(name, sample)
    if not points or len(points) < len(sample.operands) or not function(*points):
        return  # an operand is no float, and its values are not arbitrary
    grid = list(zip(*itertools.product(BAD, repeat=len(points)), strict=True))
    bad = [np.asarray(column).astype(x.dtype) for column, x in zip(grid, points, strict=True)]
    with fad.strong_zero(), fad.config(compile="never"):  # kernel by kernel: most are shared
        out, pull = fad.vjp(function, *bad)
        zeros = pull([np.zeros(o.shape, o.dtype) for o in out])
        pushed = fad.jvp(function, tuple(bad), tuple(np.zeros_like(x) for x in bad))[1]
    for x in (*zeros, *pushed):
        np.testing.assert_array_equal(np.asarray(x), np.zeros(x.shape))


# They multiply within their kernels, so a zero times an infinite element is NaN: documented.
AS_THEY_ARE = {
    "cholesky", "cofactors", "cofactors_push", "convolve", "det", "dot_general", "eigh",
    "linear_recurrence", "lu", "lu_solve", "pinv", "products_before", "qr", "slogdet", "svd",
    "svdvals", "triangular_solve",
    "cumlogsumexp", "cumlogsumexp_weights",  # of NaN alone
}  # fmt: skip


@pytest.mark.parametrize("fill", BAD)
@pytest.mark.parametrize("name", sorted(set(DIFFERENTIABLE) - set(ELEMENTWISE) - AS_THEY_ARE))
def test_a_zero_stays_zero_where_all_elements_are_bad(name, fill):
    for sample in declarations[name].samples():
        function, points = of_inexact(name, sample)
        if not points or not function(*points):
            continue
        bad = [np.full_like(x, fill) for x in points]
        with fad.strong_zero(), fad.config(compile="never"):
            out, pull = fad.vjp(function, *bad)
            zeros = pull([np.zeros(o.shape, o.dtype) for o in out])
            pushed = fad.jvp(function, tuple(bad), tuple(map(np.zeros_like, bad)))[1]
        for x in (*zeros, *pushed):
            np.testing.assert_array_equal(np.asarray(x), np.zeros(x.shape))
