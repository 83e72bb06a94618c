"""Primitives and operations.

A *primitive* is declared once (see ``fad/primitives``): a name, a kernel in JAX's kernel language,
a derivative, and how it batches. An *operation* is a primitive with its parameters fixed.
Operations are interned: the hot path compares and hashes them by identity.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Protocol

from fad.core import kernels
from fad.core.aval import Aval
from fad.core.config import config, is_zero_strong
from fad.core.unique import Unique

Avals = Aval | tuple[Aval, ...]
Params = dict[str, Any]

_MAX_INTERNED = 4096


class Promotion(Protocol):
    """How an elementwise primitive treats the dtypes of its operands, which broadcast."""

    def operands(self, avals: tuple[Aval, ...]) -> tuple[Any, ...]:
        """The dtype to which each operand is converted before the kernel sees it."""
        ...


class ReverseRule(Unique):
    """How one operation is taped and differentiated for one set of wanted operands.

    ``operation`` is what runs forward (with extra results where the rule wants residuals of its
    own); ``save(operands, out)`` picks what the node keeps; ``pull(cotangent, saved, targets)``
    gives one cotangent per operand, None where the operand is not wanted or the cotangent is zero.
    ``targets`` are the avals of the wanted operands. ``results`` picks the visible results;
    ``keeps`` has the bit of each operand that may be saved. A rule
    without ``pull`` says that the operation has no derivative in any of the wanted operands.
    """

    __slots__ = ("keeps", "mask", "operation", "origin", "plain", "pull", "results", "save")

    def __init__(
        self,
        origin: Operation,
        mask: int,
        save: Callable[[tuple[Any, ...], Any], tuple[Any, ...]],
        pull: Callable[[Any, tuple[Any, ...], Any], Any] | None,
        operation: Operation | None = None,
        results: Callable[[Any], Any] | None = None,
        keeps: int = -1,
    ) -> None:
        self.origin = origin
        self.mask = mask
        self.save = save
        self.pull = pull
        self.operation = operation or origin
        self.results = results
        self.plain = pull is not None and results is None  # the commonest kind
        self.keeps = keeps

    def __repr__(self) -> str:
        return f"{self.origin.name}/{self.mask:b}"


class Derivative(Protocol):
    """What a primitive's declaration says about differentiation; None inside rules means zero."""

    def forward(
        self, operation: Operation, primals: tuple[Any, ...], tangents: tuple[Any, ...]
    ) -> tuple[Any, Any]:
        """Result(s) and tangent(s) of the result(s)."""
        ...

    def reverse(self, operation: Operation, mask: int) -> ReverseRule:
        """The reverse rule for the operands whose bits are set in ``mask``."""
        ...


Batch = Callable[["Operation", int, tuple[Any, ...], tuple[bool, ...]], tuple[Any, Any]]
"""(operation, size, operands, which are batched, at axis 0) -> results, which are batched."""


class Primitive(Unique):
    """One operation of the language, before its parameters are fixed."""

    __slots__ = (
        "_interned", "batch", "compile_cost", "derivative", "elementwise", "infer", "kernel",
        "multiple", "name", "simplify",
    )  # fmt: skip

    registry: ClassVar[dict[str, Primitive]] = {}

    def __init__(
        self,
        name: str,
        kernel: Callable[..., Any],
        *,
        derivative: Derivative | None = None,
        infer: Callable[..., Avals] | None = None,
        batch: Batch | None = None,
        multiple: bool = False,
        elementwise: Promotion | None = None,
        simplify: Callable[..., Any] | None = None,
        compile_cost: float = 1.0,
    ) -> None:
        if name in Primitive.registry:
            raise ValueError(f"a primitive named {name!r} is declared already")
        Primitive.registry[name] = self
        self.name = name
        self.kernel = kernel
        self.derivative = derivative
        self.infer = infer
        self.batch = batch
        self.multiple = multiple
        self.elementwise = elementwise
        self.simplify = simplify
        self.compile_cost = compile_cost
        self._interned: dict[Any, Operation] = {}

    def __repr__(self) -> str:
        return f"Primitive({self.name})"

    def __call__(self, **params: Any) -> Operation:
        """The operation with these parameters; the same one each time."""
        key = tuple(params.values())
        operation = self._interned.get(key)
        if operation is None:
            if len(self._interned) >= _MAX_INTERNED:
                self._interned.clear()
            operation = self._interned[key] = Operation(self, params)
        return operation


class Operation(Unique):
    """A primitive with its parameters fixed. Compared and hashed by identity."""

    __slots__ = (
        "_inferred", "_strong", "batch", "derivative", "kernel", "multiple", "name", "params",
        "primitive", "rules",
    )  # fmt: skip

    def __init__(self, primitive: Primitive, params: Params) -> None:
        self.primitive = primitive
        self.params = params
        self.name = primitive.name
        self.kernel = partial(primitive.kernel, **params) if params else primitive.kernel
        self.derivative: Derivative | None = primitive.derivative
        self.batch = primitive.batch
        self.multiple = primitive.multiple
        self.rules: dict[int, ReverseRule] = {}
        self._inferred: dict[tuple[Aval, ...], Avals] = {}
        self._strong: Operation | None = None

    def __repr__(self) -> str:
        return self.text(show_param)

    def text(self, show: Callable[[Any], str]) -> str:
        """The name, with the parameters as ``show`` writes them: ``sum[axes=(0,)]``."""
        inner = ", ".join([f"{k}={show(v)}" for k, v in self.params.items()])
        return f"{self.name}[{inner}]" if inner else self.name

    @property
    def operation(self) -> Operation:
        """Itself: a step of the stream is an operation or a rule, which has an operation."""
        return self

    def infer(self, avals: tuple[Aval, ...]) -> Avals:
        """Aval(s) of the result(s); raises the user's error if the operands do not fit."""
        result = self._inferred.get(avals)
        if result is None:
            if len(self._inferred) >= _MAX_INTERNED:
                self._inferred.clear()
            rule = self.primitive.infer
            result = rule(*avals, **self.params) if rule else kernels.infer(self.kernel, avals)
            self._inferred[avals] = result
        return result

    def rule(self, mask: int) -> ReverseRule:
        """The reverse rule for the operands whose bits are set in ``mask``."""
        if is_zero_strong() and self.strong() is not self:
            return self.strong().rule(mask)
        rule = self.rules.get(mask)
        if rule is None:
            assert self.derivative is not None
            rule = self.rules[mask] = self.derivative.reverse(self, mask)
        return rule

    def strong(self) -> Operation:
        """The same operation with strong zeros in its derivatives; see ``fad.strong_zero``.

        It is another object, so that tapes, programs and graphs that have it are others, too.
        """
        found = self._strong
        if found is None:
            found = self if _has_strong_zeros(self.derivative) else _strong_twin(self)
            found._strong = self._strong = found
        return found


def _has_strong_zeros(derivative: Derivative | None) -> bool:
    """Whether a derivative makes nothing but zeros of zeros, whatever the point."""
    return derivative is None or getattr(derivative, "strong", False)


def _strong_twin(operation: Operation) -> Operation:
    twin = Operation(operation.primitive, operation.params)
    twin.name, twin.multiple, twin._inferred = (
        operation.name,
        operation.multiple,
        operation._inferred,
    )
    assert operation.derivative is not None
    twin.derivative = _StrongDerivative(operation.derivative)
    if operation.batch is not None:
        twin.batch = partial(_within_strong, operation.batch)
    return twin


class _StrongDerivative:
    """The derivative of an operation, run with strong zeros: rules ask for that where they must."""

    strong = True

    def __init__(self, derivative: Derivative) -> None:
        self.derivative = derivative

    def forward(
        self, operation: Operation, primals: tuple[Any, ...], tangents: tuple[Any, ...]
    ) -> tuple[Any, Any]:
        """See :class:`Derivative`."""
        result: tuple[Any, Any] = _within_strong(
            self.derivative.forward, operation, primals, tangents
        )
        return result

    def reverse(self, operation: Operation, mask: int) -> ReverseRule:
        """See :class:`Derivative`."""
        rule: ReverseRule = _within_strong(self.derivative.reverse, operation, mask)
        rule.operation = rule.operation.strong()
        if rule.pull is not None:
            rule.pull = partial(_within_strong, rule.pull)
        return rule


def _within_strong(function: Callable[..., Any], *args: Any) -> Any:
    if is_zero_strong():
        return function(*args)
    with config(strong_zero=True):
        return function(*args)


def show_param(value: Any) -> str:
    """A parameter in one short word."""
    text = str(value).replace(" ", "")
    return text if len(text) <= 60 else text[:57] + "..."
