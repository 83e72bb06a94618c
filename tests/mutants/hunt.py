"""Run the generated checks on mutants, and tell survivors from mutants that are no mutants."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

import fad
from fad.core.primitive import Primitive
from fad.primitives.declare import declarations
from fad.primitives.derivative import PerOperand
from fad.primitives.sparsity import sparsity
from tests.mutants.altered import Mutant, installed
from tests.mutants.mutations import mutants_of, operands_of
from tests.primitives import checks
from tests.primitives.cases import Case, cases_of, noise, resolution

OF_RULES = (
    ("adjoint", "differences"),
    ("alone",),
    ("second_order",),
    ("oracle",),
    ("batched",),
    ("strong_zero",),
)
"""Checks by group, the deadliest first; a group is run case by case."""

OF_BATCHING = (("batched",), ("axes",))
NEVER_EQUIVALENT = ("sign", "factor", "dropped")
"""Where these change nothing the derivative is zero in every case, and nothing tests it."""

POINTS = 12
"""At how many random points of each case a mutant and the declared rules are compared."""


class Verdict(NamedTuple):
    """What became of a mutant: killed by a check, equivalent, or a survivor.

    ``fails`` and ``unhunted`` tell why there are no mutants of a primitive or of an operand.
    """

    primitive: str
    what: str
    fate: str
    kind: str = ""


def hunt(name: str) -> list[Verdict]:
    """The fate of every mutant of one primitive."""
    try:
        with warnings.catch_warnings(), fad.config(compile="never", replay=False):
            warnings.simplefilter("ignore")
            return list(_hunt(name))
    except Exception as error:
        return [Verdict(name, repr(error), "fails")]


def _hunt(name: str) -> Iterator[Verdict]:
    primitive, cases = declarations[name].primitive, cases_of(name)
    for group in dict.fromkeys([*OF_RULES, *OF_BATCHING]):
        failing = _failing(group, cases)
        if failing is not None:  # then mutants would die of that
            yield Verdict(name, f"{failing} without any change", "fails")
            return
    if isinstance(primitive.derivative, PerOperand):
        found = operands_of(primitive, cases)
        partials = sparsity(primitive, max(len(c.operands) for c in cases)).partials
        for i, on in enumerate(partials):
            if on is not None and i not in found:
                yield Verdict(name, f"operand {i} is differentiated in no case", "unhunted")
    for mutant in mutants_of(primitive, cases):
        yield Verdict(name, mutant.what, fate_of(name, mutant), mutant.kind)


def fate_of(name: str, mutant: Mutant) -> str:
    """The check that kills a mutant, ``equivalent`` or ``survives``."""
    primitive, cases = declarations[name].primitive, cases_of(name)
    selected = OF_BATCHING if mutant.kind == "batching" else OF_RULES
    with fad.config(compile="never", replay=False):
        with installed(primitive, mutant):
            for group in selected:
                failing = _failing(group, cases)
                if failing is not None:
                    return failing
        if mutant.kind == "batching" or mutant.kind in NEVER_EQUIVALENT:
            return "survives"
        return "equivalent" if _is_equivalent(primitive, mutant, cases) else "survives"


def _failing(group: Iterable[str], cases: Iterable[Case]) -> str | None:
    """The first check of a group that fails, case by case."""
    for case in cases:
        for check in group:
            try:
                checks.run(check, case)
            except Exception:
                return check
    return None


# -------------------------------------------------------------------------------- equivalence


def _is_equivalent(primitive: Primitive, mutant: Mutant, cases: Sequence[Case]) -> bool:
    """Whether a mutant's derivatives are the declared ones, at more points than the tests have.

    Values of jvp, vjp and the jvp of the vjp at random points about every case. Then nothing was
    broken: the operands commute, the residual is constant almost everywhere, the parameter does
    not matter, the coefficients are real.
    """
    for case in cases:
        if not case.differentiable:
            continue
        points = list(_points(case))
        for point, declared in zip(points, _declared(case, points), strict=True):
            try:
                with installed(primitive, mutant):
                    found = _derivatives(case, point)
            except Exception:
                return False
            if not _agree(declared, found):
                return False
    return True


def _declared(case: Case, points: Sequence[list[Any]]) -> list[list[np.ndarray]]:
    def compute() -> list[list[np.ndarray]]:
        return [_derivatives(case, point) for point in points]

    declared: list[list[np.ndarray]] = case.keep("declared", compute)
    return declared


def _points(case: Case) -> Iterable[list[Any]]:
    xs = [case.operands[i] for i in case.moving]
    yield xs
    for k in range(POINTS):
        yield [x * (1 + 0.3 * noise(x, 200 + 10 * k + i).real) for i, x in enumerate(xs)]


def _derivatives(case: Case, xs: Sequence[Any]) -> list[np.ndarray]:
    function, _ = case.split()
    tangents = tuple(noise(x, 300 + i) for i, x in enumerate(xs))
    out, pushed = fad.jvp(function, tuple(xs), tangents)
    cotangents = [noise(o, 310 + i) for i, o in enumerate(out)]

    def pull(*ys: Any) -> list[Any]:
        return list(fad.vjp(function, *ys)[1](cotangents))

    pulled, twice = fad.jvp(pull, tuple(xs), tangents)
    return [np.asarray(x) for x in (*pushed, *pulled, *twice)]


def _agree(declared: Sequence[np.ndarray], found: Sequence[np.ndarray]) -> bool:
    """Equal up to rounding, which is that of the largest of all derivatives at the point."""
    sizes = [float(np.max(np.abs(a[np.isfinite(a)]), initial=0.0)) for a in declared]
    scale = max(1.0, *sizes)
    for a, b in zip(declared, found, strict=True):
        if (a.shape, a.dtype) != (b.shape, b.dtype):
            return False
        eps = 1e3 * resolution(a.dtype)
        if not np.allclose(a, b, rtol=eps, atol=eps * scale, equal_nan=True):
            return False
    return True
