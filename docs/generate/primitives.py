"""The pages of primitives, one for each family, written from the declarations.

Formulas of derivatives are those of the reverse rules: each is run on symbols.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np

from docs.generate import ROOT
from docs.generate.expressions import rule_text
from docs.generate.plots import plot
from fad.core.apply import apply
from fad.core.tensor import Tensor, aval_of
from fad.primitives.declare import Convention, Declaration, Sample, declarations
from fad.primitives.derivative import OPERANDS
from fad.primitives.sparsity import sparsity

FOLDER = "docs/primitives"
_ACCURACY = ROOT / "docs" / "accuracy_table.json"


def family_of(declaration: Declaration) -> str:
    """The module that declares a primitive."""
    return declaration.family


@cache
def families() -> dict[str, list[str]]:
    """The primitives of each family, in the order in which they are declared."""
    found: dict[str, list[str]] = {}
    for name, declaration in declarations.items():
        found.setdefault(declaration.family, []).append(name)
    return dict(sorted(found.items()))


class Page:
    """The page of one family."""

    def __init__(self, family: str) -> None:
        self.family = family
        self.PATH = f"{FOLDER}/{family}.md"

    def text(self) -> str:
        """What the page says."""
        module = importlib.import_module(f"fad.primitives.{self.family}")
        about = (module.__doc__ or "").strip()
        title = self.family.replace("_", " ").capitalize()
        lines = [f"# {title}", "", _GENERATED, "", *about.splitlines(), ""]
        for name in families()[self.family]:
            lines += _entry(declarations[name])
        return "\n".join(lines).rstrip() + "\n"

    def files(self) -> dict[str, str]:
        """The plots that the page shows, by path. Drawings differ with machines in the last digit,
        so they are written with the page and not compared."""
        return {
            f"{FOLDER}/plots/{name}.svg": drawn
            for name in families()[self.family]
            if (drawn := plot(declarations[name])) is not None
        }


_GENERATED = "<!-- Written by `make docs` from the declarations; do not edit. -->"


class Index:
    """The page that leads to the families."""

    PATH = f"{FOLDER}/README.md"

    def text(self) -> str:
        """What the page says."""
        lines = ["# Primitives", "", _GENERATED, "", *_READING.strip().splitlines(), ""]
        lines += ["| family | primitives |", "|---|---|"]
        for family, names in families().items():
            listed = " ".join(f"[`{n}`]({family}.md#{n})" for n in names)
            lines.append(f"| [{family}]({family}.md) | {listed} |")
        return "\n".join(lines) + "\n"


_READING = """
Every operation of the library is one of these, or composed of them. An entry says

- the formula, with operands x, y, z, w in order, and parameters by keyword;
- the *kind*: what the form of the derivative says is zero. The Jacobian of an *elementwise*
  primitive is diagonal in each operand. The derivative of a *linear* one does not depend on the
  point, that of a *multilinear* one in an operand not on that operand; so *linear in x*. What is
  said of derivatives holds between jumps;
- the *derivative*: what reverse mode makes of a cotangent g for each operand. It is not copied
  from anywhere: the rule itself is run on symbols, so it is the form in which it is computed,
  chosen for its accuracy. `out` is the result, `a`, `b`, ... are parts used more than once;
- what a tape *keeps* for it, for the lifetime of the tape;
- what holds *at the edges*: points where the function is not smooth or its domain ends;
- the *accuracy* of value and derivatives, in units in the last place
  ([accuracy.md](../accuracy.md) says how it is measured).

In the plots the function is drawn in blue, its derivative in orange.
"""


def pages() -> list[Any]:
    """Index and families."""
    return [Index(), *map(Page, families())]


# ---------------------------------------------------------------------------------------- entries


def _entry(declaration: Declaration) -> Iterator[str]:
    name = declaration.primitive.name
    yield f"## {name}"
    yield ""
    if plot(declaration, drawn=False) is not None:
        yield f'<img src="plots/{name}.svg" alt="{name} and its derivative" align="right">'
        yield ""
    yield f"`{formula(declaration)}`"
    yield ""
    yield f"- Kind: {sparsity(declaration.primitive, _operand_count(declaration)).kind}."
    yield from _derivative(declaration)
    yield from _edges(declaration.conventions)
    yield from _accuracy(name)
    yield ""


def formula(declaration: Declaration) -> str:
    """The declared formula; the call where the name says it all."""
    if declaration.formula:
        return declaration.formula
    sample = declaration.samples()[0]
    operands = list(OPERANDS[: len(sample.operands)])
    return f"{declaration.primitive.name}({', '.join([*operands, *sample.params])})"


def _operand_count(declaration: Declaration) -> int:
    return len(declaration.samples()[0].operands)


def _derivative(declaration: Declaration) -> Iterator[str]:
    if declaration.primitive.derivative is None:
        return
    sample = _sample(declaration)
    operation = declaration.primitive(**sample.params)
    moving = [i for i, x in enumerate(sample.operands) if aval_of(x).inexact]
    kept: list[str] = []
    for i in moving[:4]:
        rule = operation.rule(1 << i)
        if rule.pull is None:
            yield f"- Derivative in {_symbol(i)}: none."
            continue
        text, names = _pulled(operation, rule, i, sample.operands)
        kept += [n for n in names if n not in kept]
        first, *parts = text
        where = f", where {', '.join(f'`{p}`' for p in parts)}" if parts else ""
        yield f"- Derivative in {_symbol(i)}: `{first}`{where}"
    yield f"- Keeps: {', '.join(f'`{n}`' for n in kept) or 'nothing'}."


def _symbol(i: int) -> str:
    return OPERANDS[i] if i < len(OPERANDS) else f"operand {i}"


def _sample(declaration: Declaration) -> Sample:
    """Where formulas are simplest: numbers for elementwise primitives, else the first sample."""
    samples = [s for s in declaration.samples() if all(np.size(x) for x in s.operands)]
    inexact = [s for s in samples if any(aval_of(np.asarray(x)).inexact for x in s.operands)]
    sample = (inexact or samples or list(declaration.samples()))[0]
    arrays = [np.asarray(x) for x in sample.operands]
    if declaration.primitive.elementwise is not None:
        arrays = [x.ravel()[0:1].reshape(()) for x in arrays]
    return Sample(tuple(arrays), sample.params)


def _pulled(
    operation: Any, rule: Any, index: int, operands: Sequence[Any]
) -> tuple[list[str], list[str]]:
    """The formula of a reverse rule, and the names of what it keeps."""
    tensors = [apply_to(x) for x in operands]
    out = apply(rule.operation, *tensors)
    saved = rule.save(tuple(tensors), out)
    names = {id(x): _symbol(i) for i, x in enumerate(tensors)}
    if isinstance(out, tuple):
        names.update({id(o): f"out[{k}]" for k, o in enumerate(out)})
    names[id(out)] = "out"
    visible = rule.results(out) if rule.results else out
    several = isinstance(visible, tuple)
    flat: list[Any] = []
    labels: list[str] = []
    for value in saved:  # a tuple of results is several tensors
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Tensor):
                flat.append(one)
                labels.append(names.get(id(one), f"s{len(flat)}"))
    cotangents = [o for o in (visible if several else [visible]) if o.aval.inexact]
    target: list[Any] = [None] * len(operands)
    target[index] = tensors[index].aval

    def pull(*symbols: Any) -> Any:
        gs = iter(symbols[: len(cotangents)])
        rest = iter(symbols[len(cotangents) :])
        given = [next(gs) if o.aval.inexact else None for o in visible] if several else next(gs)
        values = [
            tuple([next(rest) if isinstance(one, Tensor) else one for one in value])
            if isinstance(value, tuple)
            else next(rest)
            if isinstance(value, Tensor)
            else value
            for value in saved
        ]
        return rule.pull(given, tuple(values), target)[index]

    g = ["g"] if len(cotangents) == 1 else [f"g[{k}]" for k in range(len(cotangents))]
    arguments = [np.zeros(o.shape, o.dtype) for o in cotangents]
    text = rule_text(pull, [*arguments, *map(np.asarray, flat)], [*g, *labels])
    return text, labels


def apply_to(x: Any) -> Any:
    """A tensor of its own for each operand."""
    import fad

    return fad.asarray(np.array(x))


def _edges(conventions: Sequence[Convention]) -> Iterator[str]:
    for c in conventions:
        at = c.point or ", ".join(str(x) for x in c.at)
        partials = ", ".join("-" if p is None else f"{p}" for p in c.partials)
        yield f"- At {at} the derivative is {partials}: {c.because}."


@cache
def _measured() -> dict[str, Any]:
    if not _ACCURACY.exists():
        return {}
    rows: dict[str, Any] = json.loads(_ACCURACY.read_text("utf-8")).get("rows", {})
    return rows


def _accuracy(name: str) -> Iterator[str]:
    """Worst errors of value and first derivatives, in units in the last place."""
    for row, dtypes in _measured().items():
        of, _, params = row.partition("[")
        if of != name:
            continue
        measured = []
        for dtype, libraries in sorted(dtypes.items()):
            cells = [
                f"{'value' if path == 'value' else f'd/d{path}'} {cell['ulps']:.2g}"
                for path, cell in libraries.get("fad", {}).items()
                if path == "value" or len(path) == 1
            ]
            measured.append(f"{dtype} {', '.join(cells)}")
        case = f" (for `{params.removesuffix(']')}`)" if params else ""
        yield f"- Worst errors in ulp{case}: {'; '.join(measured)}."
