"""The page on NumPy: what each function of its main namespace does on tensors.

Nothing here is written down from memory: every function is called, by name, on staged tensors and
on tensors of ``grad``, and where neither works on concrete tensors.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import re
import types
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

import fad
import fad.numpy as fnp
from docs.generate.numpy_calls import CALLS, NO_ALTERNATIVE, NO_TENSORS
from fad.core import pytree
from fad.core.errors import FadError
from fad.numpy import dispatch

PATH = "docs/numpy.md"

WRITTEN_FOR = "2.4"
"""The version of NumPy's whose namespace the page lists."""

SUPPORTED, UNJITTED, CONSTANTS, REFUSED = "supported", "un-jitted", "constants", "refused"
YES, ZERO = "yes", "0"

MATRIX = np.array([[0.3, 0.6, 0.8], [0.45, 0.2, 0.7], [0.15, 0.55, 0.9]])


def unavailable() -> str | None:
    """The namespace is that of one version of NumPy's."""
    installed = ".".join(np.__version__.split(".")[:2])
    if installed == WRITTEN_FOR:
        return None
    return f"it lists the functions of NumPy {WRITTEN_FOR}, and {installed} is installed"


# ------------------------------------------------------------------------------------- asking


class Row(NamedTuple):
    """What was found out about one function."""

    name: str
    status: str
    gradient: str = ""  # YES or ZERO, and nothing where no result is a floating-point number
    dispatched: bool = False  # numpy's own function does the same on tensors


def operands(m: Any) -> dict[str, Any]:
    """What the calls name, made of one matrix."""
    v, w = m[0], m[1]
    i, j = ((x * 10).astype("int64") for x in (v, w))
    return {
        "m": m, "v": v, "w": w, "t": m[0, 0], "i": i, "j": j, "k": i % 3, "b": v > 0.4,
    }  # fmt: skip


def call_of(name: str) -> str:
    """The example call of a function."""
    if name in CALLS:
        return CALLS[name]
    ufunc = getattr(np, name)
    if isinstance(ufunc, np.ufunc):
        return f"np.{name}({', '.join('vw'[: ufunc.nin])})"
    raise LookupError(f"docs/generate/numpy_calls.py has no call of numpy.{name}")


def probe(name: str, namespace: Any) -> Callable[[Any], Any]:
    """The example call, as a function of the matrix; gives the list of results that are numbers."""
    code = compile(call_of(name), f"<numpy.{name}>", "eval")

    def run(m: Any) -> list[Any]:
        return leaves(eval(code, {"np": namespace, **operands(m)}))

    return run


def leaves(value: Any) -> list[Any]:
    """Tensors, arrays and numbers in nested results; other objects and texts are left out."""
    kinds = fad.Tensor | np.ndarray | np.generic | int | float | complex
    return [x for x in pytree.flatten(value)[0] if isinstance(x, kinds)]


def total(run: Callable[[Any], Any], found: list[Any]) -> Callable[[Any], Any]:
    """A scalar that depends on all inexact results, which are put into ``found``."""

    def scalar(m: Any) -> Any:
        found[:] = run(m)
        out = 0.0 * m[0, 0]
        for x in found:
            if depends(x):
                out = out + fnp.sum(fnp.real(x))
        return out

    return scalar


def depends(x: Any) -> bool:
    """Whether a result is a tensor of floating-point numbers on the tape."""
    return isinstance(x, fad.reverse.TapeTensor) and x.aval.inexact


def gradient_of(results: list[Any]) -> str:
    """What the gradient of these results is, in a word."""
    if any(map(depends, results)):
        return YES
    return ZERO if any(isinstance(x, fad.Tensor) and x.aval.inexact for x in results) else ""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Nothing is compiled that does not have to be, and NumPy's warnings are not ours."""
    with fad.config(compile="never"), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


ERRORS = (FadError, AttributeError, TypeError, ValueError, IndexError)
"""What a call raises that does not work: fad's errors, and NumPy's where it finds no array."""


def works(transform: Callable[[Any], Any], run: Callable[[Any], Any]) -> list[Any] | None:
    """The results of a call under a transform of its gradient, or None if it raises."""
    found: list[Any] = []
    try:
        transform(total(run, found))
    except ERRORS:
        return None
    return found


def staged(function: Callable[[Any], Any]) -> Any:
    """Shapes of the gradient only: what needs values raises, and nothing is computed."""
    return fad.eval_shape(fad.grad(function), fad.asarray(MATRIX))


def unjitted(function: Callable[[Any], Any]) -> Any:
    """The gradient, where values can be read."""
    return fad.grad(function)(fad.asarray(MATRIX))


def concrete(function: Callable[[Any], Any]) -> Any:
    """The value alone."""
    return function(fad.asarray(MATRIX))


def ask(name: str) -> Row:
    """What works of a function."""
    with quiet():
        if not hasattr(fnp, name):
            return _numpys(name)
        status, transform = SUPPORTED, staged
        results = works(staged, probe(name, fnp))
        if results is None:
            status, transform = UNJITTED, unjitted
            results = works(unjitted, probe(name, fnp))
        if results is None:
            return Row(name, REFUSED)
        numpys = works(transform, probe(name, np))
        dispatched = numpys is not None and not any(isinstance(x, np.ndarray) for x in numpys)
        return Row(name, status, gradient_of(results), dispatched)


def _numpys(name: str) -> Row:
    """What works of a function for which there is none in fad.numpy."""
    run = probe(name, np)
    for status, transform in ((SUPPORTED, staged), (UNJITTED, unjitted)):
        results = works(transform, run)  # it may be made of functions that there are
        if results is not None and gradient_of(results) == YES:
            return Row(name, status, YES, True)
    return Row(name, REFUSED if works(concrete, run) is None else CONSTANTS)


def functions() -> list[str]:
    """The functions of NumPy's main namespace, and what is used like one."""
    names = []
    for name in vars(np):  # not dir: lazy submodules would be imported
        if name.startswith("_") or name in NO_TENSORS:
            continue
        value = getattr(np, name)
        plain = callable(value) and not isinstance(value, type | types.ModuleType)
        if plain or name in CALLS:
            names.append(name)
    return sorted(names)


def rows() -> list[Row]:
    """What works of every function."""
    return [ask(name) for name in functions()]


# ------------------------------------------------------------------------------------ the page

_INTRO = f"""\
# NumPy's functions on tensors

<!-- Written by `make docs`; `docs/generate/numpy.py` says how each line was found out. -->

What NumPy {WRITTEN_FOR}'s functions do when an argument is a tensor of a transform. Every line was
found out by a call on a staged tensor of `grad`: nothing here is a promise that is not kept by the
version of fad beside which this page lies.

- **NumPy's names and parameters**, positional or by keyword. What a tensor cannot do is refused by
  an error that names the parameter: `out=` everywhere, `where=` and `signature=` of ufuncs. The
  methods of ufuncs (`np.add.reduce`, `accumulate`, `outer`) work like the functions.
- **From either namespace**: `np.f(x)` on a tensor calls `fad.numpy.f`. Functions that make arrays
  (`np.zeros(3)`, `np.asarray(x)`) cannot know that a tensor is wanted: where the table says
  `fad.numpy.f`, call them from there, or say `like=x`.
- **Gradient**: *yes*; *0* where the result is piecewise constant, or does not depend on the
  argument; nothing where the result is not a floating-point number.
"""

_UNJITTED = """\
The shape of the result, or its type in Python, depends on values. These work on concrete tensors
and on those of un-jitted `grad`, `vjp`, `jvp` and the like, and raise an error under `jit` and
`vmap` that says so.
"""

_CONSTANTS = """\
NumPy's own function runs, and gives NumPy's arrays. On a tensor of a transform it raises an error
that says what to use instead.
"""

_REFUSED = """\
A tensor is immutable, and it holds numbers in no memory layout of its own.
"""

_NO_TENSORS = """\
Files, dates, settings and text: NumPy's functions do what they always do.
"""


def families() -> dict[str, list[str]]:
    """The names of each module of fad.numpy, as they are exported."""
    modules = {name: importlib.import_module(f"fad.numpy.{name}") for name in fnp._FAMILIES}
    return {name: list(module.__all__) for name, module in modules.items()}


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *body]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _lines(rows: Iterable[Row]) -> str:
    """The table of functions that are supported."""
    body = []
    for row in rows:
        name = f"np.{row.name}" if row.dispatched else f"fad.numpy.{row.name}"
        body.append([f"`{name}`", row.gradient, _summary(getattr(fnp, row.name, None))])
    return table(["function", "gradient", ""], body)


def _summary(function: Any) -> str:
    """The first sentence of a docstring."""
    doc = (inspect.getdoc(function) if function is not None else None) or ""
    line = " ".join(doc.partition("\n\n")[0].split())
    line = re.sub(r":\w+:`(\w+)`", r"`\1`", line)
    return line.replace("``", "`").replace("|", "\\|")


def _supported(found: dict[str, Row]) -> str:
    parts = []
    supported = {name: row for name, row in found.items() if row.status == SUPPORTED}
    groups = families()
    known = {name for names in groups.values() for name in names}
    groups["NumPy's own, made of the others"] = list(set(supported) - known)
    for family, names in groups.items():
        here = [supported[name] for name in sorted(names) if name in supported]
        if here:
            parts.append(f"### {family}\n\n{_lines(here)}")
    return "\n".join(parts)


def _instead(rows: Sequence[Row]) -> str:
    body = []
    for row in rows:
        text = dispatch.instead_of(row.name) or NO_ALTERNATIVE.get(row.name, "")
        words = re.search(r" (with|such|and|or|over|of|a|no) ", f" {text}")
        body.append([f"`{row.name}`", text if words or not text else f"`{text}`"])
    return table(["function", "instead"], body)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) + "\n"


def _module(name: str) -> str:
    """What a submodule of NumPy's has here, and what is to come."""
    ours, theirs = getattr(fnp, name, None), importlib.import_module(f"numpy.{name}")
    wanted = [n for n in theirs.__all__ if not isinstance(getattr(theirs, n), type)]
    here = [n for n in wanted if hasattr(ours, n)]
    lines = [f"## numpy.{name}\n"]
    if here:
        lines.append(f"Supported: {_names(here)}")
    lines.append(f"Later: {_names(set(wanted) - set(here))}")
    return "\n".join(lines)


def _methods() -> str:
    """Which of the methods and attributes of NumPy's arrays tensors have."""
    wanted = [name for name in dir(np.ndarray) if not name.startswith("_")]
    x = fad.asarray(MATRIX)
    here = [name for name in wanted if hasattr(x, name)]
    writers = [name for name in here if (getattr(x, name).__doc__ or "").startswith("An error:")]
    lines = [
        "## Methods and attributes of arrays\n",
        f"Of tensors, too: {_names(set(here) - set(writers))}",
        f"Errors that say what to write instead, as they write into the array: {_names(writers)}",
        "Not of tensors, which have no memory layout and no files: "
        f"{_names(set(wanted) - set(here))}",
    ]
    return "\n".join(lines)


def text() -> str:
    """The page."""
    found = {row.name: row for row in rows()}
    of = {
        status: [row for row in found.values() if row.status == status]
        for status in (SUPPORTED, UNJITTED, CONSTANTS, REFUSED)
    }
    counts = [
        ["supported", str(len(of[SUPPORTED]))],
        ["supported, un-jitted only", str(len(of[UNJITTED]))],
        ["run by NumPy, on constants only", str(len(of[CONSTANTS]))],
        ["not supported", str(len(of[REFUSED]))],
    ]
    parts = [
        f"{_INTRO}\n{table(['', 'functions'], counts)}",
        f"## Supported\n\n{_supported(found)}",
        f"## Supported, un-jitted only\n\n{_UNJITTED}\n" + _lines(of[UNJITTED]),
        f"## Run by NumPy, on constants only\n\n{_CONSTANTS}\n{_instead(of[CONSTANTS])}",
        f"## Not supported\n\n{_REFUSED}\n{_instead(of[REFUSED])}",
        f"## Without tensors\n\n{_NO_TENSORS}\n{_names(NO_TENSORS)}",
        _methods(),
        _module("linalg"),
        _module("fft"),
    ]
    return "\n".join(parts)
