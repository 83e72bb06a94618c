"""Derivatives, batching rules and linear functions with one thing changed."""

from __future__ import annotations

import copy
import inspect
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from fad.batching.batch import BATCHED
from fad.core.apply import apply1
from fad.core.primitive import Operation, Primitive, ReverseRule
from fad.primitives.derivative import needs
from fad.primitives.identity import STOP_GRADIENT

KEEP = object()
"""For a part of a mutant that is left as it is."""


class Mutant(NamedTuple):
    """A primitive's rules with one thing wrong: ``what`` says which, ``kind`` of what kind."""

    what: str
    derivative: Any = KEEP
    batch: Any = KEEP
    kind: str = ""


@contextmanager
def installed(primitive: Primitive, mutant: Mutant) -> Iterator[None]:
    """The primitive and its operations with a mutant's rules, until the block ends.

    The operations stay the same objects, so that compiled kernels serve on. Rules that were made
    from the declared ones, those of batched operations too, are forgotten on both ways.
    """
    derivative, batch = primitive.derivative, primitive.batch
    _install(
        primitive,
        derivative if mutant.derivative is KEEP else mutant.derivative,
        batch if mutant.batch is KEEP else mutant.batch,
    )
    primitive.batch = batch  # the declaration still says whether there is a rule of its own
    try:
        yield
    finally:
        _install(primitive, derivative, batch)


def _install(primitive: Primitive, derivative: Any, batch: Any) -> None:
    primitive.derivative, primitive.batch = derivative, batch
    for operation in primitive._interned.values():
        operation.derivative, operation.batch = derivative, batch
        _forget(operation)
    for operation in BATCHED._interned.values():
        _forget(operation)


def _forget(operation: Operation) -> None:
    operation.rules.clear()
    operation._strong = None


class Altered:
    """A derivative with functions applied to what goes in and what comes out.

    ``given`` and ``pulled`` change the cotangent that a reverse rule gets and the cotangents that
    it gives; ``tangents`` and ``pushed`` those of the forward rule; ``kept`` what a tape saves.
    """

    def __init__(
        self,
        derivative: Any,
        *,
        given: Callable[[Any], Any] | None = None,
        pulled: Callable[[list[Any]], Any] | None = None,
        tangents: Callable[[list[Any]], Any] | None = None,
        pushed: Callable[[Any], Any] | None = None,
        kept: Callable[[Any], Any] | None = None,
    ) -> None:
        self.derivative = derivative
        self.strong = getattr(derivative, "strong", False)
        self.given = given or (lambda g: g)
        self.pulled = pulled or (lambda cotangents: cotangents)
        self.tangents = tangents or (lambda ts: ts)
        self.pushed = pushed or (lambda t: t)
        self.kept = kept

    def forward(self, operation: Operation, primals: Any, tangents: Any) -> tuple[Any, Any]:
        """See :class:`fad.core.primitive.Derivative`."""
        out, tangent = self.derivative.forward(
            operation, primals, tuple(self.tangents(list(tangents)))
        )
        return out, None if tangent is None else self.pushed(tangent)

    def reverse(self, operation: Operation, mask: int) -> ReverseRule:
        """See :class:`fad.core.primitive.Derivative`."""
        rule = copy.copy(self.derivative.reverse(operation, mask))
        pull, save = rule.pull, rule.save
        if self.kept is not None:
            kept = self.kept
            rule.save = lambda operands, out: tuple(kept(save(operands, out)))
        if pull is not None:
            rule.pull = lambda g, saved, targets: self.pulled(
                list(pull(self.given(g), saved, targets))
            )
        return rule


def at(index: int, change: Callable[[Any], Any]) -> Callable[[Sequence[Any]], Any]:
    """Change one of several, where it is there and not a symbolic zero."""

    def run(values: Any) -> Any:
        values = list(values)
        if index < len(values) and values[index] is not None:
            values[index] = change(values[index])
        return values

    return run


# ------------------------------------------------------------------------------- linear functions


def with_signature(
    function: Callable[..., Any],
    names: Sequence[str],
    call: Callable[..., Any],
) -> Callable[..., Any]:
    """``call(g, values by name, params)`` as a linear function that needs ``names``."""
    kind = inspect.Parameter
    params = needs(function)[1]
    unique = list(dict.fromkeys(names))

    def run(g: Any, *values: Any, **given: Any) -> Any:
        return call(g, dict(zip(unique, values, strict=True)), given)

    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [kind("g", kind.POSITIONAL_ONLY)]
        + [kind(n, kind.POSITIONAL_ONLY) for n in unique]
        + [kind(p, kind.KEYWORD_ONLY) for p in params]
    )
    return run


def renamed(function: Callable[..., Any], old: str, new: str) -> Callable[..., Any]:
    """The linear function with ``new`` where it asks for ``old``."""
    names = [new if n == old else n for n in needs(function)[0]]
    return with_signature(
        function, names, lambda g, env, params: function(g, *[env[n] for n in names], **params)
    )


def detached(function: Callable[..., Any], which: str) -> Callable[..., Any]:
    """The linear function with what it asks for as a constant: wrong at order two alone."""
    names = needs(function)[0]
    return with_signature(
        function,
        names,
        lambda g, env, params: function(
            g, *[_constant(env[n]) if n == which else env[n] for n in names], **params
        ),
    )


def _constant(x: Any) -> Any:
    if isinstance(x, tuple) and not hasattr(x, "aval"):
        return tuple([_constant(one) for one in x])
    return apply1(STOP_GRADIENT(), x) if hasattr(x, "aval") and x.aval.inexact else x


def with_param(
    function: Callable[..., Any], name: str, change: Callable[[Any], Any]
) -> Callable[..., Any]:
    """The linear function with another value for a parameter."""
    names = needs(function)[0]
    return with_signature(
        function,
        names,
        lambda g, env, params: function(
            g, *[env[n] for n in names], **{**params, name: change(params[name])}
        ),
    )


def rebuilt(
    function: types.FunctionType,
    constants: dict[Any, Any] | None = None,
    names: dict[str, Any] | None = None,
) -> types.FunctionType:
    """The function with other numbers, or other meanings of the global names it uses."""
    made = types.FunctionType(
        _with_constants(function.__code__, constants or {}),
        {**function.__globals__, **(names or {})},
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def _with_constants(code: types.CodeType, constants: dict[Any, Any]) -> types.CodeType:
    """The code, and that of the functions within it, with other numbers."""

    def changed(c: Any) -> Any:
        if isinstance(c, types.CodeType):
            return _with_constants(c, constants)
        return constants.get(c, c) if type(c) is float else c

    return code.replace(co_consts=tuple([changed(c) for c in code.co_consts]))
