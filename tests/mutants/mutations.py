"""All the ways in which the rules of a primitive are broken."""

from __future__ import annotations

import copy
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from fad.core.primitive import Primitive
from fad.primitives.arithmetic import div, mul, neg, sub
from fad.primitives.complexes import conj
from fad.primitives.derivative import OPERANDS, Elementwise, PerOperand, Variadic, needs
from fad.primitives.shape import flip
from tests.mutants.altered import (
    Altered,
    Mutant,
    at,
    detached,
    rebuilt,
    renamed,
    with_param,
)
from tests.primitives.cases import Case

CHANGES: dict[str, Callable[[Any], Any]] = {
    "sign": lambda t: neg(t),
    "factor": lambda t: mul(t, 1.5),
    "dropped": lambda t: None,
}


def mutants_of(primitive: Primitive, cases: Sequence[Case]) -> Iterator[Mutant]:
    """Every mutant of a primitive that the cases could show."""
    derivative = primitive.derivative
    if derivative is not None:
        count = max((i + 1 for c in cases for i in c.moving), default=0)
        yield from _of_operands(derivative, min(count, 4))
        if primitive.multiple:
            yield from _of_results(derivative, cases)
        if any(x.dtype.kind == "c" for c in cases for x in c.operands):
            yield from _of_conjugates(derivative)
        if isinstance(derivative, PerOperand):
            yield from _of_functions(derivative, cases)
        if isinstance(derivative, Elementwise):
            yield from _of_broadcasting(derivative)
        if isinstance(derivative, Variadic):
            yield from _of_transpose(derivative, cases)
    if primitive.batch is not None:
        yield from _of_batching(primitive.batch, max(len(c.operands) for c in cases))


def _of_operands(derivative: Any, count: int) -> Iterator[Mutant]:
    """Sign, factor and loss of what belongs to one operand, in one direction or both."""
    for i in range(count):
        for name, change in CHANGES.items():
            one = at(i, change)
            yield Mutant(f"vjp of operand {i}: {name}", Altered(derivative, pulled=one))
            yield Mutant(f"jvp of operand {i}: {name}", Altered(derivative, tangents=one))
            yield Mutant(
                f"jvp and vjp of operand {i}: {name}",
                Altered(derivative, pulled=one, tangents=one),
            )
    for i in range(count - 1):
        swap = _swapped(i, i + 1)
        yield Mutant(f"vjps of operands {i}, {i + 1} swapped", Altered(derivative, pulled=swap))
        yield Mutant(f"jvps of operands {i}, {i + 1} swapped", Altered(derivative, tangents=swap))


def _swapped(i: int, j: int) -> Callable[[Sequence[Any]], list[Any]]:
    def run(values: Sequence[Any]) -> list[Any]:
        out = list(values)
        if j < len(out) and out[i] is not None and out[j] is not None:
            out[i], out[j] = out[j], out[i]
        return out

    return run


def _of_results(derivative: Any, cases: Sequence[Case]) -> Iterator[Mutant]:
    """The same for what belongs to one of several results."""
    outs = cases[0].function(*cases[0].operands)
    for k in [k for k, o in enumerate(outs) if o.aval.inexact]:
        for name, change in CHANGES.items():
            one = at(k, change)
            yield Mutant(f"vjp of result {k}: {name}", Altered(derivative, given=one))
            yield Mutant(f"jvp of result {k}: {name}", Altered(derivative, pushed=one))


def _conj(t: Any) -> Any:
    if isinstance(t, (list, tuple)):
        return type(t)([_conj(one) for one in t])
    return t if t is None or t.aval.dtype.kind != "c" else conj(t)


def _of_conjugates(derivative: Any) -> Iterator[Mutant]:
    """The conjugate of the partial derivative instead of the partial derivative."""
    yield Mutant("vjp: conjugated", Altered(derivative, given=_conj, pulled=_conj))
    yield Mutant("jvp: conjugated", Altered(derivative, tangents=_conj, pushed=_conj))
    yield Mutant(
        "jvp and vjp: conjugated",
        Altered(derivative, given=_conj, pulled=_conj, tangents=_conj, pushed=_conj),
    )


class _Unfitted(Elementwise):
    """Cotangents are not summed to the operand's shape, nor converted to its dtype."""

    _puller = PerOperand._puller


class _Unexpanded(Elementwise):
    """Tangents are not broadcast to the result's shape, nor converted to its dtype."""

    forward = PerOperand.forward


def _of_broadcasting(derivative: Elementwise) -> Iterator[Mutant]:
    for what, kind in [("vjp: not un-broadcast", _Unfitted), ("jvp: not broadcast", _Unexpanded)]:
        made = copy.copy(derivative)
        made.__class__ = kind
        yield Mutant(what, made)


# ------------------------------------------------------------------------------ linear functions


def _of_functions(derivative: PerOperand, cases: Sequence[Case]) -> Iterator[Mutant]:
    """Wrong residuals, parameters, numbers and calls inside the linear functions."""
    functions: dict[Any, str] = {}
    for kind, listed in (("jvp", derivative.jvps), ("vjp", derivative.vjps)):
        for i, function in enumerate(listed):
            if function is not None:
                functions.setdefault(function, f"{kind} of operand {i}")
    for function, name in functions.items():
        for what, changed in _changed(function, cases):
            made = copy.copy(derivative)
            made.jvps = [changed if f is function else f for f in derivative.jvps]
            made.vjps = [changed if f is function else f for f in derivative.vjps]
            yield Mutant(f"{name}: {what}", made)


def _changed(function: Any, cases: Sequence[Case]) -> Iterator[tuple[str, Any]]:
    names, params = needs(function)
    arity = max(len(c.operands) for c in cases)
    values = [n for n in names if not n.endswith("aval")]
    for old in values:
        others = [n for n in (*OPERANDS[:arity], "out") if n != old]
        for new in others:
            yield f"{new} for {old}", renamed(function, old, new)
        yield f"{old} detached", detached(function, old)
    for param in params:
        for what, change in _PARAMETER.items():
            if any(change(c.params[param]) != c.params[param] for c in cases):
                yield f"{param} {what}", with_param(function, param, change)
    yield from _calls(function)


def _reversed(p: Any) -> Any:
    if isinstance(p, bool):
        return not p
    return p[::-1] if isinstance(p, tuple) else p


def _next(p: Any) -> Any:
    if isinstance(p, int) and not isinstance(p, bool):
        return p + 1
    if isinstance(p, tuple) and p and all(type(n) is int for n in p):
        return (p[0] + 1, *p[1:])
    return p


_PARAMETER: dict[str, Callable[[Any], Any]] = {"reversed": _reversed, "plus 1": _next}


def _calls(function: Any, depth: int = 2) -> Iterator[tuple[str, Any]]:
    """Each number changed, and each elementwise function it calls replaced by another.

    Functions of the library that it calls are entered, two deep.
    """
    if not isinstance(function, types.FunctionType):
        return
    code = function.__code__
    for number in dict.fromkeys(c for c in code.co_consts if type(c) is float):
        yield (
            f"{number + 0.5 * (number or 1)} for {number}",
            rebuilt(function, constants={number: number + 0.5 * (number or 1)}),
        )
    for name in code.co_names:
        used = function.__globals__.get(name)
        if hasattr(used, "operation"):
            yield f"{name} replaced", rebuilt(function, names={name: _other(used)})
        elif isinstance(used, types.FunctionType) and used.__module__ in _REARRANGING:
            yield f"{name} left out", rebuilt(function, names={name: lambda x, *rest, **more: x})
        elif isinstance(used, types.FunctionType) and depth and _is_rule(used):
            for what, changed in _calls(used, depth - 1):
                yield f"{what} in {name}", rebuilt(function, names={name: changed})


def _is_rule(used: types.FunctionType) -> bool:
    return used.__module__.startswith("fad.primitives") and used.__module__ not in _SHARED


_REARRANGING = {f"fad.primitives.{family}" for family in ("broadcast", "shape", "diagonal")}
_SHARED = {"fad.primitives.derivative", "fad.primitives.declare", "fad.primitives.broadcast"}


def _other(function: Any) -> Any:
    """What stands for an elementwise function: its operands swapped, one of them, or another."""
    if function is sub or function is div:
        return lambda x, y: function(y, x)
    return lambda x, *rest: mul(x, 1.0) if isinstance(x, float) else x


# ---------------------------------------------------------------------- transposes and batching


def _of_transpose(derivative: Variadic, cases: Sequence[Case]) -> Iterator[Mutant]:
    params = list(cases[0].params)
    for param in params:
        for what, change in _PARAMETER.items():
            if all(change(c.params[param]) == c.params[param] for c in cases):
                continue
            yield Mutant(f"transpose: {param} {what}", _with_transpose(derivative, param, change))
    if derivative.leading is not None:

        def swapped(g: Any, avals: Any, held: Any, wanted: Any, **params: Any) -> Any:
            return derivative.transpose(g, avals, held[::-1], wanted, **params)

        made = copy.copy(derivative)
        made.transpose = swapped
        yield Mutant("transpose: held operands in reverse", made)


def _with_transpose(derivative: Variadic, param: str, change: Callable[[Any], Any]) -> Variadic:
    made = copy.copy(derivative)
    made.transpose = lambda *args, **params: derivative.transpose(
        *args, **{**params, param: change(params[param])}
    )
    return made


def _of_batching(batch: Any, arity: int) -> Iterator[Mutant]:
    def unflagged(operation: Any, size: int, operands: Any, batched: Any) -> Any:
        return batch(operation, size, operands, batched)[0], False

    def reordered(operation: Any, size: int, operands: Any, batched: Any) -> Any:
        out, flags = batch(operation, size, operands, batched)
        if isinstance(out, tuple):
            return tuple([flip(o, (0,)) for o in out]), flags
        return flip(out, (0,)), flags

    def all_batched(operation: Any, size: int, operands: Any, batched: Any) -> Any:
        return batch(operation, size, operands, (True,) * len(batched))

    yield Mutant("batching rule dropped", batch=None)
    yield Mutant("batching: result not flagged", batch=unflagged)
    yield Mutant("batching: examples reversed", batch=reordered)
    if arity > 1:
        yield Mutant("batching: every operand taken as batched", batch=all_batched)


__all__ = ["mutants_of"]
