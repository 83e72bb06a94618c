"""Small drawings of functions of one variable with their derivatives, as SVG."""

from __future__ import annotations

from typing import Any

import numpy as np

import fad
from fad.core.apply import apply
from fad.primitives.declare import Declaration

_WIDTH, _HEIGHT, _MARGIN = 240, 150, 14
_POINTS = 97
_COLOURS = ("#1f6fb4", "#e07b1a")


def plot(declaration: Declaration, drawn: bool = True) -> str | None:
    """The drawing of an elementwise primitive of one real operand; None of any other.

    Without ``drawn`` it says whether there is one.
    """
    primitive = declaration.primitive
    if primitive.elementwise is None or len(declaration.domains) != 1:
        return None
    sample = declaration.samples()[0]
    if np.asarray(sample.operands[0]).dtype != np.float64:
        return None
    if not drawn:
        return ""
    low, high = declaration.domains[0]
    x = np.linspace(low, high, _POINTS)
    operation = primitive(**sample.params)

    def function(v: Any) -> Any:
        return apply(operation, v)

    value = np.asarray(function(x))
    curves = [(np.real(value).astype(float), _COLOURS[0])]
    if primitive.derivative is not None and value.dtype.kind == "f":
        _, slope = fad.jvp(function, (x,), (np.ones_like(x),))
        curves.append((np.asarray(slope), _COLOURS[1]))
    return _svg(declaration.primitive.name, x, curves)


def _svg(name: str, x: np.ndarray, curves: list[tuple[np.ndarray, str]]) -> str:
    finite = np.concatenate([c[np.isfinite(c)] for c, _ in curves])
    low, high = (float(np.min(finite)), float(np.max(finite))) if finite.size else (0.0, 1.0)
    low, high = min(low, 0.0), max(high, 0.0)
    high += (high == low) * 1.0

    def across(v: Any) -> Any:
        return _MARGIN + (v - x[0]) / (x[-1] - x[0]) * (_WIDTH - 2 * _MARGIN)

    def down(v: Any) -> Any:
        return _HEIGHT - _MARGIN - (v - low) / (high - low) * (_HEIGHT - 2 * _MARGIN)

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="9">',
        f"<title>{name} and its derivative</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        _line(_MARGIN, down(0.0), _WIDTH - _MARGIN, down(0.0)),
    ]
    if x[0] <= 0.0 <= x[-1]:
        lines.append(_line(across(0.0), _MARGIN, across(0.0), _HEIGHT - _MARGIN))
    for curve, colour in curves:
        for part in _parts(curve):
            points = " ".join(f"{across(x[i]):.1f},{down(curve[i]):.1f}" for i in part)
            lines.append(
                f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
            )
    lines += [
        _text(_MARGIN, _HEIGHT - 3, "start", f"{x[0]:g}"),
        _text(_WIDTH - _MARGIN, _HEIGHT - 3, "end", f"{x[-1]:g}"),
        _text(2, 10, "start", f"{high:.3g}"),
        _text(2, _HEIGHT - _MARGIN - 2, "start", f"{low:.3g}"),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _parts(curve: np.ndarray) -> list[list[int]]:
    """Runs of finite points."""
    parts: list[list[int]] = [[]]
    for i, v in enumerate(curve):
        if np.isfinite(v):
            parts[-1].append(i)
        elif parts[-1]:
            parts.append([])
    return [p for p in parts if len(p) > 1]


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#bbb" '
        'stroke-width="1"/>'
    )


def _text(x: float, y: float, anchor: str, text: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="#666">{text}</text>'
