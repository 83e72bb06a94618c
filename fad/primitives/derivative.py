"""Derivatives: what a declaration says, and the forward and reverse rules that follow from it.

A declaration gives *linear functions*, one per operand. Their first parameter is the tangent or
cotangent; the names of the others say what they need, and so what a tape saves: an operand
(``x``, ``y``, ``z``, ``w`` in order), the result (``out``), the avals of either (``x_aval``,
``out_aval``), the aval the cotangent must have (``aval``), and, keyword-only, the parameters of
the operation. Inside rules None is the symbolic zero. Rules are written in fad's own operations,
so that they can be differentiated in turn.

Under ``fad.strong_zero`` the partial derivative p of an elementwise operation is computed apart
from the tangent or cotangent g, and the two meet in a *strong product*, which is 0 where either
is 0. (To put 0 for the result where g is 0 would not do: at the next order g is moved, and its
change must go through p.) That is symmetric, for a chain of partial derivatives must have the same
product from both ends: else the modes would not agree. Rules that only choose among elements, or
are linear with constant coefficients, have strong zeros as they are (``strong = True``). Rules of
other kinds multiply with :func:`fad.primitives.arithmetic.times`, which is the strong product then.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import lru_cache, wraps
from typing import Any

from fad.core import dtypes
from fad.core.apply import apply
from fad.core.aval import Aval
from fad.core.config import is_zero_strong
from fad.core.primitive import Operation, ReverseRule
from fad.core.tensor import aval_of

OPERANDS = ("x", "y", "z", "w", "u", "v")

LinearFunction = Callable[..., Any]


@lru_cache(maxsize=4096)
def needs(function: LinearFunction) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of what a linear function needs, and of the parameters it takes."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    names = tuple([p.name for p in parameters if p.kind is not p.KEYWORD_ONLY])
    return names, tuple([p.name for p in parameters if p.kind is p.KEYWORD_ONLY])


class PerOperand:
    """One linear function per operand in each direction; None where there is no derivative.

    ``jvps[i]`` maps the tangent of operand i to its part of the tangent of the result; ``vjps[i]``,
    its transpose, maps the cotangent of the result to that of operand i.
    """

    def __init__(
        self,
        jvps: Sequence[LinearFunction | None],
        vjps: Sequence[LinearFunction | None],
    ) -> None:
        self.jvps = jvps
        self.vjps = vjps

    def forward(
        self, operation: Operation, primals: tuple[Any, ...], tangents: tuple[Any, ...]
    ) -> tuple[Any, Any]:
        """Result and tangent; see :class:`fad.core.primitive.Derivative`."""
        out = apply(operation, *primals)
        total = None
        for i, tangent in enumerate(tangents):
            if tangent is None or i >= len(self.jvps):
                continue
            function = self.jvps[i]
            if function is None:
                continue
            part = self._push(operation, i, function, tangent, primals, out)
            if part is not None:
                total = part if total is None else _add(total, part)
        return out, total

    def _strengthened(self, function: LinearFunction) -> LinearFunction:
        """The linear function to use under the present settings."""
        return function

    def _push(
        self,
        operation: Operation,
        index: int,
        function: LinearFunction,
        tangent: Any,
        primals: tuple[Any, ...],
        out: Any,
    ) -> Any:
        function = self._strengthened(function)
        names, params = needs(function)
        values = saver(names)(primals, out)
        return function(tangent, *values, **{p: operation.params[p] for p in params})

    def reverse(self, operation: Operation, mask: int) -> ReverseRule:
        """The reverse rule; see :class:`fad.core.primitive.Derivative`."""
        wanted = [
            self.vjps[i] if mask >> i & 1 and i < len(self.vjps) else None
            for i in range(mask.bit_length())
        ]
        saved: list[str] = []
        pulls: list[Callable[[Any, tuple[Any, ...], Any], Any] | None] = []
        pulls += [f and self._puller(operation, f, saved) for f in wanted]
        if not any(pulls):
            return ReverseRule(operation, mask, _save_nothing, None)
        keeps = sum(1 << OPERANDS.index(name) for name in saved if name in OPERANDS)
        return ReverseRule(operation, mask, saver(tuple(saved)), _combined(pulls), keeps=keeps)

    def _puller(
        self, operation: Operation, function: LinearFunction, saved: list[str]
    ) -> Callable[[Any, tuple[Any, ...], Any], Any]:
        """The function of (cotangent, saved, target); adds the names it needs to ``saved``."""
        function = self._strengthened(function)
        names, param_names = needs(function)
        for name in names:
            if name != "aval" and name not in saved:
                saved.append(name)
        places = [-1 if name == "aval" else saved.index(name) for name in names]
        params = {p: operation.params[p] for p in param_names}
        return _bind(function, places, params)


def _bind(
    function: LinearFunction, places: list[int], params: dict[str, Any]
) -> Callable[[Any, tuple[Any, ...], Any], Any]:
    if params or -1 in places or len(places) > 2:
        return lambda g, saved, target: function(
            g, *[target if k < 0 else saved[k] for k in places], **params
        )
    if not places:
        return lambda g, saved, target: function(g)
    if len(places) == 1:
        only = places[0]
        return lambda g, saved, target: function(g, saved[only])
    first, second = places
    return lambda g, saved, target: function(g, saved[first], saved[second])


def _combined(pulls: Sequence[Any]) -> Callable[[Any, tuple[Any, ...], Any], Any]:
    if len(pulls) == 1:
        only = pulls[0]
        return lambda g, saved, targets: (only(g, saved, targets[0]),)
    return lambda g, saved, targets: [
        None if pull is None or target is None else pull(g, saved, target)
        for pull, target in zip(pulls, targets, strict=False)
    ]


@lru_cache(maxsize=4096)
def saver(names: tuple[str, ...]) -> Callable[[tuple[Any, ...], Any], tuple[Any, ...]]:
    """The function of (operands, result) that picks what is saved; it runs for every node."""
    if not names:
        return _save_nothing
    parts = []
    for name in names:
        if name in ("out", "out_aval"):
            parts.append(name.replace("_", "."))
        elif name.endswith("_aval"):
            parts.append(f"aval_of(operands[{OPERANDS.index(name.removesuffix('_aval'))}])")
        else:
            parts.append(f"operands[{OPERANDS.index(name)}]")
    source = f"lambda operands, out: ({', '.join(parts)},)"
    function: Callable[[tuple[Any, ...], Any], tuple[Any, ...]] = eval(source, {"aval_of": aval_of})
    return function


def _save_nothing(operands: tuple[Any, ...], out: Any) -> tuple[Any, ...]:
    return ()


class Elementwise(PerOperand):
    """Elementwise operations: the partial derivative serves both directions.

    ``forwards`` overrides it forward, for functions that are not holomorphic: there the transpose
    of the tangent map is a different function. Operands broadcast, so a cotangent is summed to its
    operand's shape and a tangent broadcast to the result's. ``strong`` says that the partials have
    strong zeros as they are.
    """

    def __init__(
        self,
        partials: Sequence[LinearFunction | None],
        forwards: Sequence[LinearFunction | None] | None = None,
        strong: bool = False,
    ) -> None:
        super().__init__(partials if forwards is None else forwards, partials)
        self.holomorphic = forwards is None
        self.strong = strong or not any(
            _at_point(f) for f in (*self.jvps, *self.vjps) if f is not None
        )

    def forward(
        self, operation: Operation, primals: tuple[Any, ...], tangents: tuple[Any, ...]
    ) -> tuple[Any, Any]:
        out, tangent = super().forward(operation, primals, tangents)
        if tangent is not None and tangent.aval is not out.aval:
            tangent = broadcast.expand(tangent, out.aval)
        return out, tangent

    def _strengthened(self, function: LinearFunction) -> LinearFunction:
        if self.strong or not is_zero_strong() or not _at_point(function):
            return function
        return _with_strong_zeros(function, self.holomorphic)

    def _puller(
        self, operation: Operation, function: LinearFunction, saved: list[str]
    ) -> Callable[[Any, tuple[Any, ...], Any], Any]:
        pull = super()._puller(operation, function, saved)

        def pull_and_fit(g: Any, saved: tuple[Any, ...], target: Aval) -> Any:
            cotangent = pull(g, saved, target)
            if cotangent is None:
                return None
            return cotangent if cotangent.aval is target else broadcast.fit(cotangent, target)

        return pull_and_fit


def _at_point(function: LinearFunction) -> bool:
    """Whether a linear function depends on the point, through operands or the result."""
    return any(not name.endswith("aval") for name in needs(function)[0])


@lru_cache(maxsize=4096)
def _with_strong_zeros(function: LinearFunction, holomorphic: bool) -> LinearFunction:
    """The linear function as the strong product with its value at 1; see above.

    One that is linear over the real numbers only is taken at 1 and at i.
    """

    @wraps(function)
    def strong(g: Any, *args: Any, **params: Any) -> Any:
        dtype = g.aval.dtype
        at_one = function(broadcast.full((), 1, dtypes.real_of(dtype)), *args, **params)
        if at_one is None:
            return None
        if holomorphic or dtype.kind != "c":
            return arithmetic.strong_mul(g, at_one)
        at_i = function(broadcast.full((), 1j, dtype), *args, **params)
        return _add(
            arithmetic.strong_mul(complexes.real(g), at_one),
            arithmetic.strong_mul(complexes.imag(g), at_i),
        )

    return strong


class Multilinear(PerOperand):
    """Operations that are linear in each differentiable operand when the others are held.

    Forward, the operation itself is applied with the tangent in place of the operand.
    """

    def __init__(self, transposes: Sequence[LinearFunction | None]) -> None:
        super().__init__(transposes, transposes)

    def _push(
        self,
        operation: Operation,
        index: int,
        function: LinearFunction,
        tangent: Any,
        primals: tuple[Any, ...],
        out: Any,
    ) -> Any:
        return apply(operation, *primals[:index], tangent, *primals[index + 1 :])


class Linear(PerOperand):
    """Operations that are linear in all their differentiable operands together.

    Forward, the operation itself is applied to the tangents, zeros where there is none.
    """

    strong = True

    def __init__(self, transposes: Sequence[LinearFunction | None]) -> None:
        super().__init__(transposes, transposes)

    def forward(
        self, operation: Operation, primals: tuple[Any, ...], tangents: tuple[Any, ...]
    ) -> tuple[Any, Any]:
        out = apply(operation, *primals)
        operands = []
        for i, (primal, tangent) in enumerate(zip(primals, tangents, strict=True)):
            if i >= len(self.vjps) or self.vjps[i] is None:
                operands.append(primal)
            elif tangent is None:
                operands.append(broadcast.zeros(aval_of(primal)))
            else:
                operands.append(tangent)
        return out, apply(operation, *operands)


class Variadic:
    """Operations linear in their first ``leading`` operands together (in all if None).

    There may be any number of operands; the others are held fixed, and saved. ``transpose(g, avals,
    held, wanted, **params)`` gives the cotangents of the leading operands, with these avals, from
    that of the result; those that are not ``wanted`` may be anything.
    """

    strong = True

    def __init__(self, transpose: Callable[..., Sequence[Any]], leading: int | None = None) -> None:
        self.transpose = transpose
        self.leading = leading

    def forward(
        self, operation: Operation, primals: tuple[Any, ...], tangents: tuple[Any, ...]
    ) -> tuple[Any, Any]:
        """Results and tangents; see :class:`fad.core.primitive.Derivative`."""
        out = apply(operation, *primals)
        leading = len(primals) if self.leading is None else self.leading
        if all(t is None for t in tangents[:leading]):
            return out, None
        operands = [
            broadcast.zeros(aval_of(primal)) if tangent is None else tangent
            for primal, tangent in zip(primals[:leading], tangents[:leading], strict=True)
        ]
        return out, apply(operation, *operands, *primals[leading:])

    def reverse(self, operation: Operation, mask: int) -> ReverseRule:
        """The reverse rule; see :class:`fad.core.primitive.Derivative`."""
        leading, transpose, params = self.leading, self.transpose, operation.params
        if leading is not None and not mask & ((1 << leading) - 1):
            return ReverseRule(operation, mask, _save_nothing, None)
        wanted = [bool(mask >> i & 1) for i in range(leading or mask.bit_length())]

        def save(operands: tuple[Any, ...], out: Any) -> tuple[Any, ...]:
            count = len(operands) if leading is None else leading
            return (tuple([aval_of(x) for x in operands[:count]]), *operands[count:])

        def pull(g: Any, saved: tuple[Any, ...], targets: Any) -> Sequence[Any]:
            asked = [w and t is not None for w, t in zip(wanted, targets, strict=False)]
            cotangents = transpose(g, saved[0], saved[1:], asked, **params)
            return [c if a else None for c, a in zip(cotangents, asked, strict=False)]

        keeps = 0 if leading is None else -1 << leading
        return ReverseRule(operation, mask, save, pull, keeps=keeps)


def _add(a: Any, b: Any) -> Any:
    return arithmetic.add(a, b)


# The rules above use primitives which are themselves declared with the classes above.
from fad.primitives import arithmetic, broadcast, complexes  # noqa: E402
