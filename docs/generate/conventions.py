"""The page of conventions: what derivatives are where functions are not smooth.

The table is made of what the declarations state, and of what is stated here of functions that are
composed of several primitives. The tests hold every row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import fad
from fad.core.apply import apply
from fad.primitives.declare import Convention, declarations
from fad.scipy import linalg as fad_linalg
from fad.scipy import special

PATH = "docs/conventions.md"


class Row(NamedTuple):
    """A convention of a function."""

    name: str
    function: Callable[..., Any]
    convention: Convention


KNOWN_AS = {
    "complex_sign": "sign of complex numbers",
    "div": "divide",
    "integer_pow": "x**n",
    "lower_to": "clip",
    "raise_to": "clip",
    "reduce_max": "max",
    "reduce_min": "min",
    "reduce_prod": "prod",
}
"""What users call primitives that stand behind functions of other names."""


def known_as(primitive: str) -> str | None:
    """The name by which users know a primitive; None if it is a part of derivatives."""
    for namespace in (fad.numpy, fad.numpy.linalg, special, fad_linalg):
        if primitive in namespace.__all__:
            return primitive
    return KNOWN_AS.get(primitive)


_INF, _NAN = float("inf"), float("nan")
_ONE, _ZEROS = [[1.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]


def _rebuilt(x: Any) -> Any:
    values, vectors = fad.numpy.linalg.eigh(x)
    return (vectors * values) @ vectors.mT


COMPOSED = [
    Row(
        "abs of complex numbers",
        fad.numpy.abs,
        Convention((0j,), (0j,), "as for real numbers"),
    ),
    Row(
        "angle",
        fad.numpy.angle,
        Convention((0j,), (complex(_NAN, _NAN),), "every direction has another limit"),
    ),
    Row(
        "x**0.0",
        lambda x: x**0.0,
        Convention((0.0,), (0.0,), "constant, as x**0 with an integer exponent"),
    ),
    Row(
        "fmax",
        fad.numpy.fmax,
        Convention((1.0, 1.0), (0.5, 0.5), "ties share evenly", "x = y"),
    ),
    Row(
        "fmin",
        fad.numpy.fmin,
        Convention((1.0, 1.0), (0.5, 0.5), "ties share evenly", "x = y"),
    ),
    Row(
        "fmax",
        fad.numpy.fmax,
        Convention((_NAN, 1.0), (0.0, 1.0), "the other is taken", "x is NaN"),
    ),
    Row(
        "fmin",
        fad.numpy.fmin,
        Convention((_NAN, 1.0), (0.0, 1.0), "the other is taken", "x is NaN"),
    ),
    Row("nn.relu", fad.nn.relu, Convention((0.0,), (0.0,), "that of the side below")),
    Row("nn.relu6", fad.nn.relu6, Convention((0.0,), (0.0,), "that of the side outside")),
    Row("nn.relu6", fad.nn.relu6, Convention((6.0,), (0.0,), "that of the side outside")),
    Row("nn.leaky_relu", fad.nn.leaky_relu, Convention((0.0,), (1.0,), "that of the side above")),
    Row("nn.hard_tanh", fad.nn.hard_tanh, Convention((1.0,), (1.0,), "as clip at a bound")),
    Row(
        "nn.elu, alpha = 2",
        lambda x: fad.nn.elu(x, 2.0),
        Convention((0.0,), (2.0,), "that of the side below"),
    ),
    Row(
        "interp of (0, 0), (1, 1), (2, 4)",
        lambda x: fad.numpy.interp(x, [0.0, 1.0, 2.0], [0.0, 1.0, 4.0]),
        Convention((1.0,), (3.0,), "the slope to the right", "at a knot"),
    ),
    Row(
        "quantile of 0, 1, 4",
        lambda q: fad.numpy.quantile(np.array([0.0, 1.0, 4.0]).astype(q.dtype), q),
        Convention((0.5,), (6.0,), "the slope to the right", "at an element"),
    ),
    Row(
        "partition, second result",
        lambda x: fad.numpy.partition(x, 1)[1],
        Convention(([1.0, 1.0, 2.0],), ([0.0, 1.0, 0.0],), "equal elements keep their order"),
    ),
    Row(
        "nanmax",
        fad.numpy.nanmax,
        Convention(([1.0, _NAN, 1.0],), ([0.5, 0.0, 0.5],), "NaN is left out; ties share evenly"),
    ),
    Row(
        "x.at[0].max(y)",
        lambda x, y: fad.numpy.asarray(x).at[0].max(y),
        Convention(([1.0], 1.0), ([0.5], 0.5), "ties share evenly", "x[0] = y"),
    ),
    Row(
        "x.at[0].multiply(y)",
        lambda x, y: fad.numpy.asarray(x).at[0].multiply(y),
        Convention(([0.0], 0.0), ([0.0], 0.0), "exact", "two zeros"),
    ),
    Row("log", fad.numpy.log, Convention((-1.0,), (-1.0,), "1 / x; the value is NaN")),
    Row(
        "clip",
        fad.numpy.clip,
        Convention((1.0, 2.0, 0.0), (0.0, 0.0, 1.0), "the upper bound is taken", "bounds crossed"),
    ),
    Row(
        "linalg.slogdet, logarithm",
        lambda x: fad.numpy.linalg.slogdet(x)[1],
        Convention(([[0.0]],), ([[_INF]],), "1 / x", "singular"),
    ),
    Row(
        "linalg.inv",
        fad.numpy.linalg.inv,
        Convention(([[0.0]],), ([[-_INF]],), "-1 / x**2", "singular"),
    ),
    Row(
        "nan_to_num",
        fad.numpy.nan_to_num,
        Convention((_NAN,), (0.0,), "what is put there is constant", "x is NaN"),
    ),
    Row(
        "nansum",
        fad.numpy.nansum,
        Convention(([1.0, _NAN],), ([1.0, 0.0],), "NaN is left out"),
    ),
    Row(
        "modf, fractional part",
        lambda x: fad.numpy.modf(x)[0],
        Convention((2.0,), (1.0,), "x up to a constant; the jump is left out", "at integers"),
    ),
    Row(
        "frexp, mantissa",
        lambda x: fad.numpy.frexp(x)[0],
        Convention((1.0,), (0.5,), "x / 2**n; the jump is left out", "at powers of 2"),
    ),
    Row(
        "std",
        fad.numpy.std,
        Convention(([1.0, 1.0],), ([0.0, 0.0],), "as norm at 0", "all equal"),
    ),
    Row(
        "ptp",
        fad.numpy.ptp,
        Convention(([1.0, 1.0],), ([0.0, 0.0],), "ties share evenly, and cancel", "all equal"),
    ),
    Row(
        "median",
        fad.numpy.median,
        Convention(
            ([1.0, 1.0, 2.0],),
            ([0.0, 1.0, 0.0],),
            "equal elements keep their order: the middle one is taken",
            "ties",
        ),
    ),
    Row(
        "quantile",
        fad.numpy.quantile,
        Convention(
            ([1.0, 2.0, 4.0], 0.5),
            ([0.0, 1.0, 0.0], 4.0),
            "in q the slope towards the next element",
            "at an element",
        ),
    ),
    Row(
        "quantile",
        fad.numpy.quantile,
        Convention(
            ([1.0, 2.0, 4.0], 1.0),
            ([0.0, 0.0, 1.0], 4.0),
            "in q the slope from the element before",
            "at the last element",
        ),
    ),
    Row(
        "quantile",
        fad.numpy.quantile,
        Convention(
            ([1.0, _INF, _INF], 0.75),
            ([0.0, 0.5, 0.5], 0.0),
            "the same lies between both",
            "between equal infinities",
        ),
    ),
    Row(
        "top_k, values",
        lambda x: fad.numpy.top_k(x, 1)[0],
        Convention(([1.0, 2.0, 2.0],), ([0.0, 1.0, 0.0],), "the first ones are taken", "ties"),
    ),
    Row(
        "interp",
        fad.numpy.interp,
        Convention(
            (1.0, [0.0, 1.0, 2.0], [0.0, 10.0, 5.0]),
            (-5.0, [0.0, 5.0, 0.0], [0.0, 1.0, 0.0]),
            "the slope of the line that begins there",
            "x is a point",
        ),
    ),
    Row(
        "interp",
        fad.numpy.interp,
        Convention(
            (2.0, [0.0, 1.0, 2.0], [0.0, 10.0, 5.0]),
            (-5.0, [0.0, 0.0, 5.0], [0.0, 0.0, 1.0]),
            "the slope of the line that ends there",
            "x is the last point",
        ),
    ),
    Row(
        "unwrap",
        fad.numpy.unwrap,
        Convention(([0.0, np.pi, 0.0],), ([1.0, 1.0, 1.0],), "the jumps are left out"),
    ),
    Row(
        "linalg.norm of order 1",
        lambda x: fad.numpy.linalg.norm(x, 1),
        Convention(([0.0, -2.0],), ([0.0, -1.0],), "as abs at 0"),
    ),
    Row(
        "linalg.norm of order inf",
        lambda x: fad.numpy.linalg.norm(x, np.inf),
        Convention(([1.0, -1.0],), ([0.5, -0.5],), "ties share evenly", "ties"),
    ),
    Row(
        "linalg.norm of order 2",
        lambda x: fad.numpy.linalg.norm(x, 2),
        Convention((_ZEROS,), (_ZEROS,), "as abs at 0"),
    ),
    Row(
        "linalg.norm of order 2",
        lambda x: fad.numpy.linalg.norm(x, 2),
        Convention((_ONE,), ([[0.5, 0.0], [0.0, 0.5]],), "ties share evenly", "ties"),
    ),
    Row(
        "linalg.norm of order nuc",
        lambda x: fad.numpy.linalg.norm(x, "nuc"),
        Convention((_ZEROS,), (_ZEROS,), "as abs at 0"),
    ),
    Row(
        "linalg.eigvalsh",
        fad.numpy.linalg.eigvalsh,
        Convention((_ONE,), (_ONE,), "exact, since the values enter symmetrically", "ties"),
    ),
    Row(
        "linalg.eigvalsh, the largest",
        lambda x: fad.numpy.linalg.eigvalsh(x)[-1],
        Convention((_ONE,), ([[0.0, 0.0], [0.0, 1.0]],), "that of one of the vectors", "ties"),
    ),
    Row(
        "linalg.eigh, v w vᴴ",
        _rebuilt,
        Convention(
            (_ONE,), (_ONE,), "what rotates tied vectors among themselves is left out", "ties"
        ),
    ),
    Row(
        "cumprod",
        fad.numpy.cumprod,
        Convention(
            ([2.0, 0.0, 5.0],), ([1.0, 12.0, 0.0],), "exact, by a recurrence without division"
        ),
    ),
]


def rows() -> Iterator[Row]:
    """Every row of the table, in alphabetical order of the names."""
    found = list(COMPOSED)
    for name, declaration in declarations.items():
        shown = known_as(name)
        if shown is None:
            continue
        for convention in declaration.conventions:
            operation = declaration.primitive(**convention.params)
            found.append(Row(shown, lambda *xs, o=operation: apply(o, *xs), convention))
    return iter(sorted(found, key=lambda row: row.name.lower()))


def _show(x: Any) -> str:
    """A number, or nested lists of them, in few characters."""
    if x is None:
        return "-"
    a = np.asarray(x)
    if a.ndim:
        return "[" + ", ".join(_show(y) for y in a) + "]"
    if np.iscomplexobj(a):
        return "nan" if np.isnan(a) else f"{complex(a):.6g}".strip("()")
    return f"{float(a):.6g}"


def _point(convention: Convention) -> str:
    operands = ", ".join(_show(x) for x in convention.at)
    return f"{convention.point}: {operands}" if convention.point else operands


def _line(row: Row) -> str:
    c = row.convention
    value = row.function(*[np.asarray(x) for x in c.at])
    partials = ", ".join(_show(p) for p in c.partials)
    if c.cotangent is not None:
        partials += f" (cotangent {_show(c.cotangent)})"
    return f"| `{row.name}` | {_point(c)} | {_show(value + 0.0)} | {partials} | {c.because} |"


def text() -> str:
    """The page."""
    lines = "\n".join(_line(row) for row in rows())
    return _BEFORE + lines + "\n" + _AFTER


_BEFORE = """# Conventions

What a derivative is where the function is not smooth, jumps, or its domain ends. Forward and
reverse mode give the same, un-jitted and jitted, in single and double precision: the tests hold
every row. The rows stand in the declarations of the primitives (`conventions=`), and this page is
written by `make docs`.

## Principles

- Where one-sided limits of the derivative exist, that is the value, infinite or not: `sqrt` has the
  derivative inf at 0, not an error and not a large number.
- At a kink the value is the middle of the subgradients: 0 for `abs`, one half each for ties of
  `maximum`. `clip` passes on to x at its bounds, too.
- Functions that are constant but for jumps have the derivative 0 everywhere.
- Where every direction has another limit, the value is NaN.
- Ties share evenly in reductions and cumulative extrema. Where elements are moved (`sort`,
  `median`), the derivative goes with the element, and ties keep their order.
- Products and determinants have exact derivatives with any number of zeros.
- For complex numbers the convention is JAX's: the cotangent of a holomorphic f is g f'(z), without
  conjugation.
- Where nothing here says otherwise, the value is JAX's.

## Table

Derivatives are listed in the order of the operands. Those of functions of arrays are gradients of
the sum of the results, or of the combination of results that is given as a cotangent.

| function | at | value | derivatives | because |
|---|---|---|---|---|
"""

_AFTER = """
## Strong zero

The chain rule multiplies. Where a program chooses its way around a singular point, the way that was
not chosen gets the cotangent 0, and 0 times the infinite derivative there is NaN (in reverse mode;
forward, the infinite tangent is not chosen):

```python
>>> import fad
>>> import numpy as np
>>> guarded = lambda x: np.where(x > 0, np.sqrt(x), 0.0)
>>> fad.grad(guarded)(0.0)
fad.Tensor(nan)
>>> with fad.strong_zero():
...     fad.grad(guarded)(0.0)
fad.Tensor(0.)
>>> fad.hessian(fad.strong_zero()(guarded))(0.0)
fad.Tensor(0.)
```

Under `fad.strong_zero()`, a context manager and a decorator, a zero factor wins in every product of
a tangent or cotangent with a partial derivative. Put precisely:

- The product is 0 where *either* factor is 0. A chain of partial derivatives then has the same
  product from both ends, which is what makes forward and reverse mode agree.
- It is bilinear, and its derivative is made of the same products. So second derivatives are right,
  too: a cotangent that is 0 at a point but moves (in `sin(x) ** 2` at 0) still counts.
- It is decided where an operation is *recorded*. A decorated function has strong zeros in a
  transform that is called outside; a pullback made inside keeps its strong zeros wherever it is
  called; a jitted function is compiled once for each of the two.

- Elementwise functions have strong zeros: the partial derivative meets the cotangent in a strong
  product. Where functions choose or add (`where`, `select`, `maximum`, `clip`, indexing, sorting,
  shapes, sums), zeros are strong anyway.
- So have `prod`, `max`, `min`, `norm`, `logsumexp`, `softmax` and `x.at[...].multiply`. At bad
  points of their own (zeros, the origin, all -inf) they need none: see the table.
- What multiplies within its kernel has none: matrix products, convolutions, `det` and `slogdet`,
  solving, factorisations, and recurrences, which are `cumprod`, the second derivatives of `prod`
  and, at NaN, `logaddexp.accumulate`. There a zero cotangent times an infinite or NaN element is
  NaN.

### Why it is not the default

Not because of what it costs. While nobody uses it, nothing measurable: the tape tests one number
more. In use, on two cores and in float64:

| gradient of | plain | strong |
|---|---|---|
| 6 operations on 10 numbers, un-jitted | 29 µs | 30 µs |
| 60 operations on 10 numbers, un-jitted | 150 µs | 166 µs |
| the same, jitted | 18 µs | 21 µs |
| 4-layer tanh MLP, 64 wide, batch 32, un-jitted | 171 µs | 174 µs |
| 6 operations on 100,000 numbers, jitted | 2.3 ms | 2.4 ms |
| 60 operations on 100,000 numbers, jitted | 20 ms | 26 ms |

But because of what it hides. A NaN in a gradient says that the derivative could not be had this
way; with strong zeros some of these become zeros that are wrong, and nothing tells:

| function at 0 | derivative | plain | strong |
|---|---|---|---|
| `sqrt(x) ** 2` | 1 | NaN | 0 |
| `sqrt(x) * sqrt(x)` | 1 | NaN | 0 |
| `sqrt(abs(x))` | none, a cusp | NaN | 0 |
| `sqrt(x * x)` | a kink, as `abs` | NaN | 0 |
| `log(x) * 0.0` | none | NaN | 0 |

So it is asked for, where it is known that zeros mean "not chosen".
"""
