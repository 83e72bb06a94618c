"""The vmap level: one generic rule batches every primitive.

A batched tensor's value carries the batch at axis 0. A primitive with a batching rule of its own
uses it; any other becomes a *batched operation*, whose kernel is the primitive's kernel mapped by
the compiler and whose derivative rules are those of the primitive, run under a vmap level.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fad.core import kernels
from fad.core.apply import apply
from fad.core.aval import Aval
from fad.core.errors import ConcretizationError, located
from fad.core.level import Level
from fad.core.primitive import Operation, Primitive, ReverseRule
from fad.core.tensor import Array, Tensor
from fad.primitives import arithmetic, broadcast


class BatchTensor(Tensor):
    """One example of a batch, whose size the level knows; ``aval`` is that of the example."""

    __slots__ = ("aval", "level", "value")

    level: BatchLevel
    value: Any

    def __init__(self, level: BatchLevel, value: Any) -> None:
        self.level = level
        self.aval = value.aval.without_leading_axis()
        self.value = value

    def concrete(self, purpose: str) -> Array:
        self.level.check_active(self)
        raise ConcretizationError(
            located(
                f"{purpose} needs one concrete value, but inside {self.level.describe()} this "
                f"tensor {self.aval} stands for {self.level.size} examples at once. Use "
                "fad.numpy.where for choices that depend on values, or move this outside vmap."
            )
        )


class BatchLevel(Level):
    """One call of vmap, over a batch of ``size`` examples."""

    __slots__ = ("size",)

    transform = "vmap"
    instead = "Return it from the function instead of storing it elsewhere"

    def __init__(self, function: Callable[..., Any] | None, size: int) -> None:
        super().__init__(function)
        self.size = size

    def process(self, operation: Operation, operands: tuple[Any, ...]) -> Any:
        """Apply ``operation`` to whole batches."""
        values = []
        batched = []
        for x in operands:
            mine = x.__class__ is BatchTensor and x.level is self
            if mine and not self.active:
                self.check_active(x)
            values.append(x.value if mine else x)
            batched.append(mine)
        rule = operation.batch or batch_generic
        out, out_batched = rule(operation, self.size, tuple(values), tuple(batched))
        if operation.multiple:
            flags = (
                out_batched if isinstance(out_batched, (tuple, list)) else [out_batched] * len(out)
            )
            return tuple(
                [BatchTensor(self, o) if b else o for o, b in zip(out, flags, strict=True)]
            )
        return BatchTensor(self, out) if out_batched else out

    def wrap(self, value: Any, batched: bool) -> Any:
        """The batched tensor of a value whose axis 0 is the batch."""
        return BatchTensor(self, value) if batched and value is not None else value

    def unwrap(self, x: Any) -> Any:
        """The value with the batch at axis 0, repeated along it if ``x`` does not depend on it."""
        if x is None:
            return None
        if x.__class__ is BatchTensor and x.level is self:
            return x.value
        return broadcast.broadcast_to(x, (self.size, *x.aval.shape))


def batch_generic(
    operation: Operation, size: int, operands: tuple[Any, ...], batched: tuple[bool, ...]
) -> tuple[Any, Any]:
    """Batch any operation by mapping its kernel."""
    return apply(BATCHED(operation=operation, size=size, batched=batched), *operands), True


class _BatchedDerivative:
    """The rules of the operation within, run under a vmap level."""

    def forward(
        self, operation: Operation, primals: tuple[Any, ...], tangents: tuple[Any, ...]
    ) -> tuple[Any, Any]:
        inner, level, batched = _parts(operation)
        out, tangent = inner.derivative.forward(
            inner, _wrap_all(level, primals, batched), _wrap_all(level, tangents, batched)
        )
        if inner.multiple:
            unwrapped = None if tangent is None else tuple([level.unwrap(t) for t in tangent])
            return tuple([level.unwrap(o) for o in out]), unwrapped
        return level.unwrap(out), level.unwrap(tangent)

    def reverse(self, operation: Operation, mask: int) -> ReverseRule:
        inner, _, batched = _parts(operation)
        size = operation.params["size"]
        if inner.derivative is None:
            return ReverseRule(operation, mask, lambda operands, out: (), None)
        rule = inner.rule(mask)
        forward = operation
        if rule.operation is not inner:
            forward = BATCHED(operation=rule.operation, size=size, batched=batched)

        def save(operands: tuple[Any, ...], out: Any) -> tuple[Any, ...]:
            level = BatchLevel(None, size)
            outs = (
                [BatchTensor(level, o) for o in out]
                if type(out) is tuple
                else [BatchTensor(level, out)]
            )
            kept = rule.save(
                _wrap_all(level, operands, batched), tuple(outs) if type(out) is tuple else outs[0]
            )
            flags = tuple([x.__class__ is BatchTensor and x.level is level for x in kept])
            return (*[x.value if f else x for x, f in zip(kept, flags, strict=True)], flags)

        def pull(g: Any, saved: tuple[Any, ...], targets: Sequence[Aval | None]) -> list[Any]:
            level = BatchLevel(None, size)
            *kept, flags = saved
            inside = _wrap_all(level, tuple(kept), flags)
            g = [level.wrap(c, True) for c in g] if type(g) is list else level.wrap(g, True)
            wanted = [
                t.without_leading_axis() if t is not None and b else t
                for t, b in zip(targets, batched, strict=False)
            ]
            cotangents = rule.pull(g, inside, wanted)
            return [
                None if c is None else level.unwrap(c) if b else _sum_batch(level, c)
                for c, b in zip(cotangents, batched, strict=False)
            ]

        pull_or_none = None if rule.pull is None else pull
        return ReverseRule(operation, mask, save, pull_or_none, forward, rule.results)


def _parts(operation: Operation) -> tuple[Any, BatchLevel, tuple[bool, ...]]:
    params = operation.params
    return params["operation"], BatchLevel(None, params["size"]), params["batched"]


def _wrap_all(level: BatchLevel, values: Sequence[Any], flags: Sequence[bool]) -> tuple[Any, ...]:
    return tuple([level.wrap(v, b) for v, b in zip(values, flags, strict=True)])


def _sum_batch(level: BatchLevel, cotangent: Any) -> Any:
    """The cotangent of an operand that all examples share."""
    if cotangent.__class__ is BatchTensor and cotangent.level is level:
        return broadcast.sum_to(cotangent.value, cotangent.aval.shape)
    return arithmetic.mul(cotangent, float(level.size))


def _kernel(*operands: Any, operation: Operation, size: int, batched: tuple[bool, ...]) -> Any:
    return kernels.mapped(operation.kernel, batched, size)(*operands)


def _infer(*avals: Aval, operation: Operation, size: int, batched: tuple[bool, ...]) -> Any:
    inside = [a.without_leading_axis() if b else a for a, b in zip(avals, batched, strict=True)]
    out = operation.infer(tuple(inside))
    if type(out) is tuple:
        return tuple([a.with_leading_axis(size) for a in out])
    assert isinstance(out, Aval)
    return out.with_leading_axis(size)


class _Batched(Primitive):
    """The primitive of batched operations, which have as many results as the inner ones."""

    __slots__ = ()

    def __call__(self, **params: Any) -> Operation:
        operation = super().__call__(**params)
        operation.multiple = params["operation"].multiple
        operation.name = "vmap(" + params["operation"].name + ")"
        if params["operation"].derivative is None:
            operation.derivative = None
        return operation


BATCHED = _Batched("batched", _kernel, derivative=_BatchedDerivative(), infer=_infer)
