"""Formulas from graphs: a rule is run on symbols, and what it recorded is written down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fad.core.graph import Equation, Graph

_SUM, _PRODUCT, _SIGN, _CALL = range(4)  # how tightly an expression holds together

_INFIX: Mapping[str, tuple[str, int, int, int]] = {
    "add": ("{} + {}", _SUM, _SUM, _SUM),
    "sub": ("{} - {}", _SUM, _SUM, _PRODUCT),
    "mul": ("{} {}", _PRODUCT, _PRODUCT, _SIGN),
    "div": ("{} / {}", _PRODUCT, _PRODUCT, _SIGN),
}
_SHORT = 24
"""Expressions longer than this that are used twice get a name."""

Text = tuple[str, int]


def formula_of(graph: Graph, names: Sequence[str]) -> list[str]:
    """The outputs of a graph as expressions of its inputs, named, and after them a line for each
    part that has a name of its own."""
    uses = Counter(v for eqn in graph.equations for v in eqn.inputs)
    uses.update(graph.outputs)
    text: dict[int, Text] = {v: (name, _CALL) for v, name in zip(graph.inputs, names, strict=True)}
    parts: list[str] = []
    letters = iter("abcdefhijklmnopqrstu")
    for eqn in graph.equations:
        written = _written(eqn, [text[v] for v in eqn.inputs])
        for v, one in zip(eqn.outputs, written, strict=True):
            if uses[v] > 1 and len(one[0]) > _SHORT and eqn.operation.name != "scalar":
                name = next(letters, f"v{v}")
                parts.append(f"{name} = {one[0]}")
                one = (name, _CALL)
            text[v] = one
    return [", ".join(text[v][0] for v in graph.outputs), *parts]


def _written(eqn: Equation, operands: list[Text]) -> list[Text]:
    name = eqn.operation.name
    if name == "scalar":
        return [(_number(eqn.operation.params), _CALL)]
    if name in _INFIX:
        pattern, level, *least = _INFIX[name]
        inner = [_held(t, n) for t, n in zip(operands, least, strict=True)]
        if name == "mul":  # numbers first, as one writes them
            inner = _ordered(operands, least)
            pattern = "{} · {}"
        return [(pattern.format(*inner), level)]
    if name == "neg":
        return [("-" + _held(operands[0], _PRODUCT), _PRODUCT)]
    call = f"{name}({', '.join(t for t, _ in operands)})"
    if not eqn.operation.multiple:
        return [(call, _CALL)]
    return [(f"{call}[{k}]", _CALL) for k in range(len(eqn.outputs))]


def _ordered(operands: list[Text], least: Sequence[int]) -> list[str]:
    first, second = operands
    if _is_number(second[0]) and not _is_number(first[0]):
        first, second = second, first
    return [_held(first, _PRODUCT), _held(second, _SIGN)]


def _is_number(text: str) -> bool:
    return text.lstrip("-")[:1].isdigit()


def _held(text: Text, least: int) -> str:
    return text[0] if text[1] >= least else f"({text[0]})"


def _number(params: Mapping[str, Any]) -> str:
    text = str(params["text"])
    try:
        short = f"{float(text):.6g}"
    except ValueError:
        return text
    return short if len(short) < len(text) else text.removesuffix(".0")


def rule_text(pull: Callable[..., Any], avals: Sequence[Any], names: Sequence[str]) -> list[str]:
    """The formula of a linear function of tensors with these avals."""
    import fad

    return formula_of(fad.make_graph(pull)(*avals), names)
