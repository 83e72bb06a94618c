"""All the ways in which the rules of a primitive are broken."""

from __future__ import annotations

import copy
import itertools
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import fad
from fad.core.apply import apply
from fad.core.primitive import Primitive
from fad.primitives.arithmetic import div, mul, neg, sub
from fad.primitives.complexes import conj
from fad.primitives.derivative import OPERANDS, Elementwise, PerOperand, Variadic, needs
from fad.primitives.shape import flip
from fad.primitives.sparsity import sparsity
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
KINDS = (
    *CHANGES,
    "swapped operands",
    "conjugate",
    "broadcasting",
    "residual",
    "detached residual",
    "parameter",
    "number",
    "call",
    "batching",
)
"""What may be wrong with a rule."""

Changed = Iterator[tuple[str, str, Any]]
"""Kind, description, and what stands for the function that was changed."""


def mutants_of(primitive: Primitive, cases: Sequence[Case]) -> Iterator[Mutant]:
    """Every mutant of a primitive that the cases could show."""
    derivative = primitive.derivative
    if derivative is not None:
        moving = operands_of(primitive, cases)
        yield from _of_operands(derivative, moving[:4])
        if primitive.multiple:
            yield from _of_results(derivative, cases)
        if moving and any(x.dtype.kind == "c" for c in cases for x in c.operands):
            yield from _of_conjugates(derivative)
        if isinstance(derivative, Elementwise) and moving and _is_fitted(cases):
            yield from _of_broadcasting(derivative)
        if isinstance(derivative, PerOperand):
            yield from _of_functions(derivative, cases)
        else:
            yield from _of_attributes(derivative)
            yield from _of_residuals(derivative, moving, cases)
        if isinstance(derivative, Variadic):
            yield from _of_transpose(derivative, cases)
    if primitive.batch is not None:
        for mutant in _of_batching(primitive.batch, max(len(c.operands) for c in cases)):
            yield mutant._replace(kind="batching")


def operands_of(primitive: Primitive, cases: Sequence[Case]) -> list[int]:
    """The operands in which there is a derivative, of those that are differentiated in any case."""
    count = max(len(c.operands) for c in cases)
    partials = sparsity(primitive, count).partials
    moving = {i for c in cases if c.differentiable for i in c.moving}
    return sorted(i for i in moving if partials[i] is not None)


def _is_fitted(cases: Sequence[Case]) -> bool:
    """Whether the shape or dtype of an operand may differ from that of the result."""
    avals = [(x.dtype, o.dtype) for c in cases for x in c.operands for o in c.function(*c.operands)]
    return any(len(c.operands) > 1 for c in cases) or any(a != b for a, b in avals)


def _of_operands(derivative: Any, moving: Sequence[int]) -> Iterator[Mutant]:
    """Sign, factor and loss of what belongs to one operand, in one direction or both."""
    for i in moving:
        for kind, change in CHANGES.items():
            one = at(i, change)
            for name, altered in (
                ("vjp", Altered(derivative, pulled=one)),
                ("jvp", Altered(derivative, tangents=one)),
                ("jvp and vjp", Altered(derivative, pulled=one, tangents=one)),
            ):
                yield Mutant(f"{name} of operand {i}: {kind}", altered, kind=kind)
    for i, j in itertools.pairwise(moving):
        for name, altered in (
            ("vjps", Altered(derivative, pulled=_swapped(i, j))),
            ("jvps", Altered(derivative, tangents=_swapped(i, j))),
        ):
            yield Mutant(f"{name} of operands {i}, {j} swapped", altered, kind="swapped operands")


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
            yield Mutant(f"vjp of result {k}: {name}", Altered(derivative, given=one), kind=name)
            yield Mutant(f"jvp of result {k}: {name}", Altered(derivative, pushed=one), kind=name)


def _conj(t: Any) -> Any:
    if isinstance(t, (list, tuple)):
        return type(t)([_conj(one) for one in t])
    return t if t is None or t.aval.dtype.kind != "c" else conj(t)


def _of_conjugates(derivative: Any) -> Iterator[Mutant]:
    """The conjugate of the partial derivative instead of the partial derivative."""
    both = {"given": _conj, "pulled": _conj}, {"tangents": _conj, "pushed": _conj}
    for name, changes in (("vjp", both[0]), ("jvp", both[1]), ("jvp and vjp", both[0] | both[1])):
        yield Mutant(f"{name}: conjugated", Altered(derivative, **changes), kind="conjugate")


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
        yield Mutant(what, made, kind="broadcasting")


# ------------------------------------------------------------------------------ linear functions


def _of_functions(derivative: PerOperand, cases: Sequence[Case]) -> Iterator[Mutant]:
    """Wrong residuals, parameters, numbers and calls inside the linear functions."""
    functions: dict[Any, str] = {}
    listed = {"jvp": derivative.jvps, "vjp": derivative.vjps}
    if derivative.jvps is derivative.vjps:  # one list for both modes, or for the one it serves
        listed = {"rule": derivative.vjps}
    for name, rules in listed.items():
        for i, function in enumerate(rules):
            if function is not None:
                functions.setdefault(function, f"{name} of operand {i}")
    for function, name in functions.items():
        for kind, what, changed in _changed(function, cases):
            made = copy.copy(derivative)
            made.jvps = [changed if f is function else f for f in derivative.jvps]
            made.vjps = [changed if f is function else f for f in derivative.vjps]
            yield Mutant(f"{name}: {what}", made, kind=kind)


def _changed(function: Any, cases: Sequence[Case]) -> Changed:
    names, params = needs(function)
    arity = max(len(c.operands) for c in cases)
    values = [n for n in names if not n.endswith("aval")]
    for old in values:
        others = [n for n in (*OPERANDS[:arity], "out") if n != old]
        for new in others:
            yield "residual", f"{new} for {old}", renamed(function, old, new)
        yield "detached residual", f"{old} detached", detached(function, old)
    for param in params:
        for what, change in _PARAMETER.items():
            if any(change(c.params[param]) != c.params[param] for c in cases):
                yield "parameter", f"{param} {what}", with_param(function, param, change)
    yield from _calls(function)


def _of_attributes(derivative: Any) -> Iterator[Mutant]:
    """Wrong numbers and calls inside the functions of a derivative of another form."""
    for name, function in vars(derivative).items():
        for kind, what, changed in _calls(function):
            made = copy.copy(derivative)
            setattr(made, name, changed)
            yield Mutant(f"{name}: {what}", made, kind=kind)


def _of_residuals(
    derivative: Any, moving: Sequence[int], cases: Sequence[Case]
) -> Iterator[Mutant]:
    """Each of the tensors that a tape saves changed, where no names say which they are."""
    mask = sum(1 << i for i in moving)
    places: set[int] = set()
    for case in cases if moving else ():
        rule = derivative.reverse(case.operation, mask)
        out = apply(rule.operation, *case.operands)
        saved = rule.save(tuple(map(fad.asarray, case.operands)), out)
        places.update(k for k, x in enumerate(saved) if hasattr(x, "aval"))
    for k in sorted(places):
        changed = Altered(derivative, kept=at(k, _another))
        yield Mutant(f"residual {k} changed", changed, kind="residual")


def _another(x: Any) -> Any:
    """Other numbers; of indices the same in another order."""
    if not hasattr(x, "aval"):
        return x
    if x.aval.inexact:
        return mul(x, 1.5)
    return flip(x, tuple(range(x.aval.ndim))) if x.aval.ndim else sub(x, 1)


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


def _calls(function: Any, depth: int = 2) -> Changed:
    """Each number changed, and each elementwise function it calls replaced by another.

    Functions of the library that it calls are entered, two deep.
    """
    if not isinstance(function, types.FunctionType):
        return
    codes = list(_codes(function.__code__))
    for number in dict.fromkeys(c for code in codes for c in code.co_consts if type(c) is float):
        yield (
            "number",
            f"{number + 0.5 * (number or 1)} for {number}",
            rebuilt(function, constants={number: number + 0.5 * (number or 1)}),
        )
    for name in dict.fromkeys(name for code in codes for name in code.co_names):
        used = function.__globals__.get(name)
        if hasattr(used, "operation"):
            yield "call", f"{name} replaced", rebuilt(function, names={name: _other(used)})
        elif isinstance(used, types.FunctionType) and used.__module__ in _REARRANGING:
            left_out = rebuilt(function, names={name: lambda x, *rest, **more: x})
            yield "call", f"{name} left out", left_out
        elif isinstance(used, types.FunctionType) and depth and _is_rule(used):
            for kind, what, changed in _calls(used, depth - 1):
                yield kind, f"{what} in {name}", rebuilt(function, names={name: changed})


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """The code of a function, and of those within it, which share its global names."""
    yield code
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _codes(inner)


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
            made = _with_transpose(derivative, param, change)
            yield Mutant(f"transpose: {param} {what}", made, kind="parameter")
    if derivative.leading is not None:

        def swapped(g: Any, avals: Any, held: Any, wanted: Any, **params: Any) -> Any:
            return derivative.transpose(g, avals, held[::-1], wanted, **params)

        made = copy.copy(derivative)
        made.transpose = swapped
        yield Mutant("transpose: held operands in reverse", made, kind="residual")


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


__all__ = ["KINDS", "mutants_of", "operands_of"]
