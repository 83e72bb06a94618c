"""What the declarations state about kinks, jumps and ends of domains holds in both modes."""

from functools import partial

import numpy as np
import pytest

import fad
from docs.generate import conventions as page
from fad.core.apply import apply
from fad.primitives.declare import Convention, declarations

STATED = [
    pytest.param(name, convention, id=f"{name}-{i}")
    for name, declaration in sorted(declarations.items())
    for i, convention in enumerate(declaration.conventions)
]
COMPOSED = [
    pytest.param(row.function, row.convention, id=f"{row.name}-{i}")
    for i, row in enumerate(page.COMPOSED)
]


def arrays(values, dtype, repeat):
    """Operands in a precision, as they are or repeated along a new axis."""
    out = []
    for value in values:
        x = np.asarray(value)
        kind = np.result_type(dtype, np.complex64) if x.dtype.kind == "c" else dtype
        out.append(np.stack([x, x]).astype(kind) if repeat else x.astype(kind))
    return out


def derivatives(function, points, cotangent, repeat):
    """Cotangents of the operands, and the changes of the result along each direction of each."""
    pulled = fad.vjp(function, *points)[1](cotangent)
    changes = []
    for i, x in enumerate(points):

        def of_one(y, i=i):
            return function(*points[:i], y, *points[i + 1 :])

        directions = [np.ones(x.shape, x.dtype)] if repeat else basis(x)
        changes.append([fad.jvp(of_one, (x,), (d,))[1] for d in directions])
    return pulled, changes


def basis(like):
    """One direction for each element."""
    return np.eye(like.size, dtype=like.dtype).reshape(like.size, *like.shape)


def check(function, convention: Convention, dtype, repeat=False, compiled=False):
    """Both modes give the stated partials; ``repeat`` is for elementwise functions."""
    wanted = [i for i, p in enumerate(convention.partials) if p is not None]
    operands = arrays(convention.at, dtype, repeat)
    expected = arrays([convention.partials[i] for i in wanted], dtype, repeat)
    points = [operands[i] for i in wanted]

    def of_wanted(*moving):
        full = list(operands)
        for i, x in zip(wanted, moving, strict=True):
            full[i] = x
        return function(*full)

    out = fad.eval_shape(of_wanted, *points)
    given = np.ones(out.shape) if convention.cotangent is None else convention.cotangent
    cotangent = np.asarray(given).astype(out.dtype)
    compute = lambda *xs: derivatives(of_wanted, xs, cotangent, repeat)  # noqa: E731
    pulled, changes = (fad.jit(compute) if compiled else compute)(*points)
    close = partial(np.testing.assert_allclose, rtol=16 * float(np.finfo(dtype).eps))
    at = cotangent != 0  # and no infinity times zero
    for got, change, want in zip(pulled, changes, expected, strict=True):
        assert got.dtype == want.dtype
        close(got, want, err_msg="reverse")
        forward = [np.asarray(c) for c in change]
        if not repeat:
            forward = [np.sum(cotangent[at] * c[at]) for c in forward]
        close(np.reshape(forward, want.shape).astype(want.dtype), want, err_msg="forward")


@pytest.mark.parametrize(("name", "convention"), STATED)
def test_a_declared_convention(name, convention):
    primitive = declarations[name].primitive
    operation = primitive(**convention.params)

    def function(*xs):
        return apply(operation, *xs)

    check(function, convention, np.float64)
    check(function, convention, np.float32, primitive.elementwise is not None, compiled=True)


@pytest.mark.parametrize(("function", "convention"), COMPOSED)
def test_a_convention_of_a_function_that_is_composed(function, convention):
    check(function, convention, np.float64)
    check(function, convention, np.float32, compiled=True)


# ---------------------------------------------------------------------- none has been forgotten


SMALL = (0.0, 1.0, -1.0, 0.5, 2.0)
STEP = 1e-9


def is_rough(name):
    """Whether an elementwise function is not smooth at small points, by differences."""
    declaration = declarations[name]
    primitive = declaration.primitive
    operation = primitive(**declaration.samples()[0].params)
    conditions = primitive.elementwise.conditions
    count = len(declaration.domains) - conditions
    grid = [c.ravel() for c in np.meshgrid(*[SMALL] * count, indexing="ij")]
    steps = [
        np.zeros(count),
        *np.repeat(np.eye(count), 2, 0) * np.tile([STEP, -STEP], count)[:, None],
    ]
    points = [np.concatenate([x + step[i] for step in steps]) for i, x in enumerate(grid)]
    masks = [np.ones(points[0].shape, bool)] * conditions
    out, pull = fad.vjp(lambda *xs: apply(operation, *masks, *xs), *points)
    slopes = pull(np.ones(out.shape, out.dtype))
    values = np.asarray(out).reshape(len(steps), -1)
    rough = False
    for i, slope in enumerate(np.asarray(s).reshape(values.shape) for s in slopes):
        there, right, left = (slope[k] for k in (0, 2 * i + 1, 2 * i + 2))
        value, above, below = (values[k] for k in (0, 2 * i + 1, 2 * i + 2))
        scale = 1e-3 * (1 + np.abs(there))
        with np.errstate(invalid="ignore"):
            bent = (np.abs(left - there) > scale) | (np.abs(right - there) > scale)
            torn = np.abs(above - below) > 1e-3 * (1 + np.abs(value))
        defined = ~(np.isnan(above) & np.isnan(below) & np.isnan(value))
        rough |= bool(np.any(defined & (bent | torn | ~np.isfinite(there))))
    return rough


ELEMENTWISE = sorted(
    name
    for name, d in declarations.items()
    if d.primitive.elementwise is not None
    and d.primitive.derivative is not None
    and "f" in d.primitive.elementwise.allowed
    and page.known_as(name) is not None
    and all(np.asarray(x).dtype.kind == "f" for x in d.samples()[0].operands)
)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_where_a_function_is_rough_there_is_a_convention(name):
    assert declarations[name].conventions or not is_rough(name)


def test_the_search_finds_kinks_jumps_and_ends():
    assert all(map(is_rough, ("abs", "floor", "sqrt", "maximum", "arccos", "div")))
    assert not any(map(is_rough, ("sin", "exp", "add", "mul", "tanh")))
