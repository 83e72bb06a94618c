"""Declaring primitives: one call says all there is to say about each.

``elementwise`` returns the function users call; the others return a :class:`Primitive`, whose
operations the family's functions apply. Samples belong to the declaration: the generated tests run
every primitive on them, and refuse one without.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from fad.core import dtypes
from fad.core.apply import apply, apply1, apply2
from fad.core.aval import Aval, make_aval
from fad.core.dtypes import DType
from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.primitive import Batch, Derivative, Operation, Primitive
from fad.primitives.derivative import Elementwise, LinearFunction


class Sample(NamedTuple):
    """Operands (NumPy arrays or scalars) and parameters on which a primitive is tested."""

    operands: tuple[Any, ...]
    params: dict[str, Any] = {}  # noqa: RUF012 (a NamedTuple, not a class)


INF, NAN = float("inf"), float("nan")


class Convention(NamedTuple):
    """What derivatives are at a point where a function is not smooth or its domain ends.

    ``at``: the operands, numbers or nested lists. ``partials``: the cotangent of each operand from
    a ``cotangent`` (of ones if None): for an elementwise primitive the partial derivatives; None
    for an operand without derivative. ``because``: the reason. ``point``: how documents call the
    point, where the operands themselves do not say it. ``params``: parameters of the operation.
    Forward and reverse mode are tested to give these, in each precision; documents list them.
    """

    at: tuple[Any, ...]
    partials: tuple[Any, ...]
    because: str
    point: str = ""
    params: dict[str, Any] = {}  # noqa: RUF012 (a NamedTuple, not a class)
    cotangent: Any = None


class Declaration(NamedTuple):
    """What the tests know of a primitive besides what the library runs."""

    primitive: Primitive
    samples: Callable[[], Sequence[Sample]]
    reference: Callable[..., Any] | None
    domains: tuple[tuple[float, float], ...]
    oracle: Callable[..., Any] | None = None
    conventions: tuple[Convention, ...] = ()
    formula: str = ""
    family: str = ""


declarations: dict[str, Declaration] = {}
"""Every declared primitive, by name."""


def _family() -> str:
    """The module that is declaring a primitive; documents have a page for each."""
    frame = sys._getframe(1)
    while frame.f_globals["__name__"] == __name__ and frame.f_back is not None:
        frame = frame.f_back
    return str(frame.f_globals["__name__"]).rpartition(".")[2]


class Promotion:
    """How an elementwise primitive treats dtypes.

    ``conditions`` leading operands are booleans and take no part; the others are promoted together,
    then mapped by ``compute`` to the dtype the kernel works in, which ``result`` maps to the
    result's.
    """

    def __init__(
        self,
        compute: Callable[[DType], DType] = lambda d: d,
        result: Callable[[DType], DType] = lambda d: d,
        conditions: int = 0,
        allowed: str = "biufc",
    ) -> None:
        self.compute = compute
        self.result = result
        self.conditions = conditions
        self.allowed = allowed

    def _common(self, avals: tuple[Aval, ...]) -> tuple[DType, bool]:
        rest = avals[self.conditions :]
        return dtypes.result_type(tuple([(a.dtype, a.weak) for a in rest]))

    def operands(self, avals: tuple[Aval, ...]) -> tuple[DType, ...]:
        """The dtype to which each operand is converted before the kernel sees it."""
        dtype = self.compute(self._common(avals)[0])
        return (dtypes.bool_,) * self.conditions + (dtype,) * (len(avals) - self.conditions)

    def infer(self, name: str, avals: tuple[Aval, ...]) -> Aval:
        """The aval of the result, or the error for operands that do not fit."""
        dtype, weak = self._common(avals)
        if dtypes.kind(dtype) not in self.allowed:
            raise FadTypeError(located(f"{name} is not defined for dtype {dtype}"))
        # A condition is never weak in effect: where(mask, 1.0, 0.0) is float64, as NumPy has it.
        weak = weak and all(a.weak for a in avals[: self.conditions])
        return make_aval(
            broadcast_shapes(name, [a.shape for a in avals]), self.result(self.compute(dtype)), weak
        )


SAME = Promotion()
INEXACT = Promotion(compute=dtypes.inexact_of)
REAL_INEXACT = Promotion(compute=dtypes.inexact_of, allowed="biuf")
COMPARE = Promotion(result=lambda d: dtypes.bool_)
SELECT = Promotion(conditions=1)
TO_REAL = Promotion(result=dtypes.real_of)


def broadcast_shapes(name: str, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The common shape, or an error that names the operation and all shapes."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        text = " and ".join(str(s) for s in shapes)
        raise FadValueError(
            located(
                f"{name}: operands could not be broadcast together with shapes {text}. "
                "Trailing axes must be equal or 1; insert axes with x[:, None] or reshape."
            )
        ) from None


def primitive(
    name: str,
    kernel: Callable[..., Any],
    derivative: Derivative | None,
    *,
    samples: Callable[[], Sequence[Sample]],
    infer: Callable[..., Any] | None = None,
    batch: Batch | None = None,
    multiple: bool = False,
    simplify: Callable[..., Any] | None = None,
    compile_cost: float = 1.0,
    reference: Callable[..., Any] | None = None,
    oracle: Callable[..., Any] | None = None,
    conventions: Sequence[Convention] = (),
    formula: str = "",
) -> Primitive:
    """Declare a primitive.

    Args:
        name: unique among primitives; appears in graphs, tapes and messages.
        kernel: function of arrays and parameters in JAX's kernel language.
        derivative: see :mod:`fad.primitives.derivative`; None if no result is inexact.
        samples: operands and parameters to test it on.
        infer: aval(s) of the result(s) from avals and parameters; by abstract evaluation if None.
        batch: a batching rule of its own, where mapping the kernel would cost.
        multiple: whether it has several results, as a tuple.
        simplify: see :func:`fad.core.graph.eliminate_common`.
        compile_cost: estimated milliseconds it adds to the compilation of a program.
        reference: NumPy function of operands and parameters that computes the same.
        oracle: for tests: a kernel whose derivative is the declared one, where that of ``kernel``
            is not, since an operand is a function of another or by convention.
        conventions: the points where it is not smooth or its domain ends.
        formula: what it computes of operands x, y, z, ..., where its name does not say that.
    """
    made = Primitive(
        name, kernel, derivative=derivative, infer=infer, batch=batch, multiple=multiple,
        simplify=simplify, compile_cost=compile_cost,
    )  # fmt: skip
    declarations[name] = Declaration(
        made, samples, reference, (), oracle, tuple(conventions), formula, _family()
    )
    return made


def elementwise(
    name: str,
    kernel: Callable[..., Any],
    partials: Sequence[LinearFunction | None] | None,
    *,
    arity: int | None = None,
    **options: Any,
) -> Any:
    """Declare an elementwise primitive without parameters; returns the function that applies it.

    See :func:`elementwise_family` for the options.
    """
    made = elementwise_family(name, kernel, partials, arity=arity, **options)
    return function_of(made())


def elementwise_family(
    name: str,
    kernel: Callable[..., Any],
    partials: Sequence[LinearFunction | None] | None,
    *,
    params: Sequence[dict[str, Any]] = ({},),
    promotion: Promotion = SAME,
    forwards: Sequence[LinearFunction | None] | None = None,
    strong: bool = False,
    arity: int | None = None,
    domains: tuple[tuple[float, float], ...] | None = None,
    samples: Callable[[], Sequence[Sample]] | None = None,
    reference: Callable[..., Any] | None = None,
    oracle: Callable[..., Any] | None = None,
    conventions: Sequence[Convention] = (),
    formula: str = "",
) -> Primitive:
    """Declare an elementwise primitive whose kernel and partials take parameters, keyword-only.

    Args:
        name: see :func:`primitive`.
        kernel: function of arrays of one dtype and shape.
        partials: ``partials[i]`` multiplies a tangent or cotangent by the partial derivative in
            operand i; None where that is zero everywhere.
        params: the parameters on which tests run it, the first of them on every sample.
        promotion: how it treats dtypes.
        forwards: what multiplies a tangent, where that differs: see :class:`Elementwise`.
        strong: whether the partials make nothing but zeros of zeros, at every point.
        arity: number of operands, where it is not that of the partials.
        domains: the intervals from which tests draw operands.
        samples: operands to test it on, instead of those drawn from ``domains``.
        reference: see :func:`primitive`.
        oracle: see :func:`primitive`.
        conventions: see :func:`primitive`.
        formula: see :func:`primitive`.
    """
    count = arity if arity is not None else len(partials or (None,))

    def infer(*avals: Aval, **params: Any) -> Aval:
        return promotion.infer(name, avals)

    made = Primitive(
        name,
        kernel,
        derivative=None if partials is None else Elementwise(partials, forwards, strong),
        infer=infer,
        batch=batch_elementwise,
        elementwise=promotion,
    )
    spans = domains or ((-3.0, 3.0),) * count

    def drawn() -> list[Sample]:
        plain = samples() if samples else elementwise_samples(spans, promotion)
        first, *others = params
        return [Sample(s.operands, first) for s in plain] + [
            Sample(plain[0].operands, p) for p in others
        ]

    declarations[name] = Declaration(
        made, drawn, reference, spans, oracle, tuple(conventions), formula, _family()
    )
    return made


def function_of(operation: Operation) -> Any:
    """The function that applies an elementwise operation: the shortest way for its arity."""
    name = operation.name
    count = len(declarations[name].domains)
    if count == 1:

        def function(x: Any) -> Any:
            return apply1(operation, x)

    elif count == 2:

        def function(x: Any, y: Any) -> Any:  # type: ignore[misc]
            return apply2(operation, x, y)

    else:

        def function(*operands: Any) -> Any:  # type: ignore[misc]
            return apply(operation, *operands)

    function.__name__ = function.__qualname__ = name
    function.operation = operation  # type: ignore[attr-defined]
    return function


def elementwise_samples(spans: Sequence[tuple[float, float]], promotion: Promotion) -> list[Sample]:
    """Equal, broadcast, zero-dimensional and empty shapes, drawn from the operands' domains."""
    rng = np.random.default_rng(20)
    shapes: list[list[tuple[int, ...]]] = [[(3,)] * len(spans), [(0, 2)] * len(spans)]
    if len(spans) == 1:
        shapes.append([()])
    else:
        shapes.append([(2, 1, 3), (4, 1), (3,)][: len(spans)])
        shapes.append([(), (2, 2), (2, 2)][: len(spans)])
    out = []
    for case in shapes:
        operands: list[Any] = []
        for i, (shape, (low, high)) in enumerate(zip(case, spans, strict=True)):
            if i < promotion.conditions:
                operands.append(rng.random(shape) < 0.5)
            elif "f" not in promotion.allowed:
                operands.append(np.asarray(rng.integers(int(low), int(high) + 1, shape)))
            else:
                operands.append(np.asarray(rng.uniform(low, high, shape)))
        out.append(Sample(tuple(operands)))
    return out


def batch_elementwise(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    """Elementwise operations stay as they are; a batched operand of lower rank gets unit axes."""
    ranks = [
        x.aval.ndim - b if hasattr(x, "aval") else 0 for x, b in zip(operands, batched, strict=True)
    ]
    rank = max(ranks)
    aligned = []
    for x, b, r in zip(operands, batched, ranks, strict=True):
        if b and r < rank:
            shape = x.shape
            x = shapes.reshape(x, (shape[0],) + (1,) * (rank - r) + shape[1:])
        aligned.append(x)
    return apply(operation, *aligned), True


from fad.primitives import shape as shapes  # noqa: E402
