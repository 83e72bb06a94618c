"""Cases: the points on which the generated tests run a primitive.

A declaration's samples are cases; so are what follows from them: the same in other dtypes, and for
elementwise primitives a 0-d, an empty and a broadcasting variant. Nothing here knows a primitive.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from fad.core.apply import apply
from fad.core.errors import FadTypeError
from fad.core.primitive import Operation
from fad.core.tensor import aval_of
from fad.primitives.declare import Declaration, Sample, declarations

Function = Callable[..., list[Any]]


def inexact(x: Any) -> bool:
    """Whether an operand is differentiated."""
    return bool(aval_of(x).inexact)


def noise(like: Any, seed: int) -> np.ndarray:
    """Random numbers of the shape and dtype of ``like``."""
    aval = aval_of(like)
    rng = np.random.default_rng(seed)
    out = rng.normal(size=aval.shape)
    if aval.dtype.kind == "c":
        out = out + 1j * rng.normal(size=aval.shape)
    return np.asarray(out).astype(aval.dtype)


def split(function: Function, operands: Sequence[Any]) -> tuple[Function, list[Any]]:
    """The function of the inexact operands to its inexact results, and those operands."""
    moving = [i for i, x in enumerate(operands) if inexact(x)]

    def of_moving(*xs: Any) -> list[Any]:
        full = list(operands)
        for i, x in zip(moving, xs, strict=True):
            full[i] = x
        return [o for o in function(*full) if o.aval.inexact]

    return of_moving, [operands[i] for i in moving]


class Case:
    """A primitive at one point. What is expected there is computed once, and kept."""

    def __init__(self, declaration: Declaration, sample: Sample, kind: str) -> None:
        self.declaration = declaration
        self.params = sample.params
        self.operands = [np.asarray(x) for x in sample.operands]
        self.kind = kind
        self.kept: dict[str, Any] = {}

    def __repr__(self) -> str:
        shapes = ", ".join(f"{x.dtype}{list(x.shape)}" for x in self.operands)
        return f"{self.operation!r}({shapes}), {self.kind}"

    @property
    def operation(self) -> Operation:
        return self.declaration.primitive(**self.params)

    def function(self, *operands: Any) -> list[Any]:
        """The operation, as a function of tensors to a list of tensors."""
        out = apply(self.operation, *operands)
        return list(out) if isinstance(out, tuple) else [out]

    @cached_property
    def moving(self) -> list[int]:
        """The operands that are differentiated."""
        return [i for i, x in enumerate(self.operands) if inexact(x)]

    @cached_property
    def differentiable(self) -> bool:
        """Whether there is anything to differentiate, and an inexact result of it."""
        return bool(self.moving) and any(o.aval.inexact for o in self.function(*self.operands))

    def split(self) -> tuple[Function, list[Any]]:
        """See :func:`split`."""
        return split(self.function, self.operands)

    def keep(self, name: str, compute: Callable[[], Any]) -> Any:
        """What ``compute`` gives, computed once: for what does not depend on the rules."""
        if name not in self.kept:
            self.kept[name] = compute()
        return self.kept[name]

    @cached_property
    def eps(self) -> float:
        """The coarsest spacing of the dtypes that take part."""
        everything = [*self.operands, *self.function(*self.operands)]
        dtypes = [np.dtype(x.dtype) for x in everything if inexact(x)]
        return max((resolution(d) for d in dtypes), default=0.0)


def resolution(dtype: Any) -> float:
    """The spacing of numbers of an inexact dtype about 1."""
    name = np.dtype(dtype).name
    return 2.0**-8 if name == "bfloat16" else float(np.finfo(dtype).eps)


def _elementwise_variants(sample: Sample) -> list[tuple[str, Sample]]:
    """0-d, empty and broadcasting operands, drawn from those of a sample."""
    flat = [np.ravel(x) for x in sample.operands]
    if not all(x.size for x in flat):
        return []
    rows = [np.resize(x, 2 * 3).reshape(2, 3) for x in flat]
    out = [
        ("0-d", [x[0] for x in flat]),
        ("empty", [np.resize(x, (2, 0)) for x in flat]),
    ]
    if len(flat) > 1:  # each operand in turn has the smaller shape
        for i in range(len(flat)):
            kept = [r if j != i else r[:, :1] for j, r in enumerate(rows)]
            out.append((f"operand {i} repeated", kept))
        out.append(("ranks differ", [r[0] if j % 2 else r for j, r in enumerate(rows)]))
    return [(kind, Sample(tuple(map(np.asarray, ops)), sample.params)) for kind, ops in out]


def converted(sample: Sample, real: Any, complex_: Any) -> Sample:
    """The sample with its inexact operands in other dtypes."""

    def convert(x: Any) -> np.ndarray:
        x = np.asarray(x)
        if x.dtype.kind not in "fc":
            return x
        return x.astype(complex_ if x.dtype.kind == "c" else real)

    dtypes = {np.dtype(np.float64): np.dtype(real), np.dtype(np.complex128): np.dtype(complex_)}
    return Sample(tuple([convert(x) for x in sample.operands]), _with_dtypes(sample, dtypes))


def _with_dtypes(sample: Sample, replaced: dict[Any, Any]) -> dict[str, Any]:
    """The parameters, with other dtypes for those they name."""
    return {
        k: replaced.get(p, p) if isinstance(p, np.dtype) else p for k, p in sample.params.items()
    }


def complexified(sample: Sample, which: Callable[[int], bool]) -> Sample:
    """The sample with complex numbers near its real ones."""
    operands = []
    for i, x in enumerate(map(np.asarray, sample.operands)):
        if x.dtype == np.float64 and which(i):
            x = x + 0.3j * np.abs(x) * noise(x, 80 + i)
        operands.append(x)
    dtypes = {np.dtype(np.float64): np.dtype(np.complex128)}
    return Sample(tuple(operands), _with_dtypes(sample, dtypes))


def is_defined(declaration: Declaration, sample: Sample) -> bool:
    """Whether the primitive takes operands of such dtypes."""
    try:
        out = apply(declaration.primitive(**sample.params), *sample.operands)
        for one in out if isinstance(out, tuple) else (out,):
            np.asarray(one)
    except (FadTypeError, NotImplementedError):  # the latter: XLA has no such kernel
        return False
    return True


@lru_cache(maxsize=512)
def cases_of(name: str) -> list[Case]:
    """The samples of a declaration, and the variants in which its rules are differentiated."""
    declaration = declarations[name]
    named = [("sample", s) for s in declaration.samples()]
    ordinary = [s for _, s in named if any(np.asarray(x).size for x in s.operands)]
    if declaration.primitive.elementwise is not None and ordinary:
        named += _elementwise_variants(ordinary[0])
    finite = [s for s in ordinary if all(np.isfinite(x).all() for x in s.operands)]
    for sample in finite[:1]:
        floats = [i for i, x in enumerate(sample.operands) if np.asarray(x).dtype == np.float64]
        if not floats:
            continue
        named.append(("float32", converted(sample, np.float32, np.complex64)))
        variant = complexified(sample, lambda i: True)
        given = any(np.asarray(x).dtype.kind == "c" for s in ordinary for x in s.operands)
        related = declaration.oracle is not None and declaration.primitive.elementwise is None
        if not given and not related and is_defined(declaration, variant):
            named.append(("complex", variant))
            named.append(("complex64", converted(variant, np.float32, np.complex64)))
            if len(floats) > 1 and declaration.primitive.elementwise is not None:
                for j in floats:
                    mixed = complexified(sample, lambda i, j=j: i == j)
                    named.append((f"complex operand {j}", mixed))
    return [Case(declaration, sample, kind) for kind, sample in named]
