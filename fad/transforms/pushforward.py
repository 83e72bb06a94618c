"""jvp and vjp: one directional derivative in either mode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fad.core import pytree
from fad.core.aval import Aval
from fad.core.dtypes import float0
from fad.core.errors import FadTypeError, check_callable, located
from fad.core.leaves import lift_leaves, output_avals, output_leaves
from fad.core.runs import outermost
from fad.forward.dual import DualLevel, DualTensor
from fad.primitives.broadcast import zeros
from fad.reverse.pullback import Recording
from fad.transforms.arguments import rebuilt, zeros_or_float0
from fad.transforms.checks import check_inexact, float0_zeros, matching, split_aux


def _primal_leaves(transform: str, primals: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    if not isinstance(primals, (tuple, list)):
        raise FadTypeError(
            located(
                f"{transform}: primals must be a tuple or list with one entry per argument, "
                f"got {type(primals).__name__}. Write (x,) for a single argument."
            )
        )
    return lift_leaves(transform, primal_title, list(primals))


def primal_title(number: int) -> str:
    """What messages call a primal."""
    return f"primal {number}"


@outermost
def jvp(
    f: Callable[..., Any],
    primals: Any,
    tangents: Any,
    has_aux: bool = False,
    allow_int: bool = False,
) -> Any:
    """Value and directional derivative, by forward mode.

    Args:
        f: any function of the primals.
        primals: tuple of arguments, each a pytree.
        tangents: the direction, of the same structure, shapes and dtypes; None is zero. Integers
            and booleans have none: theirs is None or of dtype float0.
        has_aux: ``f`` returns ``(result, aux)``.
        allow_int: whatever tangent an integer has counts as zero, instead of an error.

    Returns:
        ``(out, tangent_out)``, or ``(out, tangent_out, aux)`` with ``has_aux``.

    Raises:
        FadTypeError: a tangent does not match its primal; the message names its path in the tree.

    >>> import fad
    >>> import numpy as np
    >>> fad.jvp(np.sin, (0.0,), (2.0,))
    (fad.Tensor(0.), fad.Tensor(2.))
    """
    check_callable("jvp", f, "(f, primals, tangents)")
    leaves, treedefs = _primal_leaves("jvp", primals)
    directions = directions_of("jvp", primals, tangents, [x.aval for x in leaves], allow_int)
    return pushed("jvp", f, leaves, directions, treedefs, has_aux)


def directions_of(
    transform: str,
    primals: Any,
    tangents: Any,
    avals: Sequence[Aval],
    allow_int: bool = False,
    kind: str = "tangent",
) -> list[Any]:
    """Leaves of the tangents, None for zero, checked against primals with these avals."""
    if not isinstance(tangents, (tuple, list)) or len(tangents) != len(primals):
        found = f" of {len(tangents)}" if isinstance(tangents, (tuple, list)) else ""
        count = len(primals)
        raise FadTypeError(
            located(
                f"{transform}: {kind}s must be a tuple or list of {count} "
                f"{'entries' if count != 1 else 'entry'}, one per primal, got "
                f"{type(tangents).__name__}{found}. Write (v,) for a single one."
            )
        )
    trees = tuple(tangents), tuple(primals)
    return matching(kind, transform, trees, avals, "primal", allow_int)


def pushed(
    transform: str,
    f: Callable[..., Any],
    leaves: Sequence[Any],
    directions: Sequence[Any],
    treedefs: Sequence[Any],
    has_aux: bool = False,
) -> Any:
    """(out, tangent_out[, aux]) from leaves and tangents, None for zero, that are known to fit."""
    level = DualLevel(f, transform)
    duals = [level.dual(x, t) for x, t in zip(leaves, directions, strict=True)]
    try:
        out = f(*rebuilt(treedefs, duals))
        aux = None
        if has_aux:
            out, aux = split_aux(transform, f, out)
        outs, treedef = output_leaves(transform, f, out)
    finally:
        level.active = False
    values = [level.lower(x) for x in outs]
    out_tangents = [_tangent(level, x) for x in outs]
    results = pytree.unflatten(treedef, values), pytree.unflatten(treedef, out_tangents)
    if has_aux:
        return (*results, pytree.map(level.lower, aux))
    return results


def pushed_leaves(
    function: Callable[[Sequence[Any]], list[Any]], leaves: Sequence[Any], directions: Sequence[Any]
) -> list[Any]:
    """Tangents of the leaves that ``function`` gives, at leaves and tangents that fit."""
    level = DualLevel(None)
    try:
        outs = function([level.dual(x, t) for x, t in zip(leaves, directions, strict=True)])
    finally:
        level.active = False
    return [_tangent(level, x) for x in outs]


def pulled_leaves(
    function: Callable[[Sequence[Any]], list[Any]], leaves: Sequence[Any], given: Sequence[Any]
) -> list[Any]:
    """Cotangents of the leaves, None for zero, from those given of the leaves of the result."""
    recording = Recording(function, list(leaves))
    try:
        outs = function(recording.tensors)
    finally:
        recording.close()
    return recording.pull(outs, given)


def _tangent(level: DualLevel, x: Any) -> Any:
    if isinstance(x, DualTensor) and x.level is level:
        return x.tangent
    return zeros(x.aval) if x.aval.inexact else float0_zeros(x.aval.shape)


@outermost
def vjp(
    f: Callable[..., Any], *primals: Any, has_aux: bool = False, allow_int: bool = False
) -> Any:
    """Value and pullback, by reverse mode.

    Args:
        f: any function of the primals.
        primals: its arguments, each a pytree.
        has_aux: ``f`` returns ``(result, aux)``.
        allow_int: integer primals get a zero cotangent of dtype float0 instead of an error.

    Returns:
        ``(out, pullback)``, or ``(out, pullback, aux)``. ``pullback(cotangent)`` takes a tree like
        ``out`` and gives a tuple with one cotangent tree per primal. It can be called many times,
        under every transform, and shows its tape as ``pullback.recording``.

    Raises:
        FadTypeError: a cotangent does not match the output; the message names its path in the tree.

    >>> import fad
    >>> import numpy as np
    >>> y, pullback = fad.vjp(lambda x, w: x @ w, np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    >>> float(y), pullback(1.0)
    (11.0, (fad.Tensor([3., 4.]), fad.Tensor([1., 2.])))
    """
    check_callable("vjp", f, "(f, *primals)")
    leaves, treedefs = _primal_leaves("vjp", primals)
    if not allow_int:
        check_inexact("vjp", primal_title, primals, [x.aval for x in leaves])
    wanted = [x for x in leaves if x.aval.inexact]
    recording = Recording(f, wanted, "vjp")
    tensors = iter(recording.tensors)
    try:
        out = f(*rebuilt(treedefs, [next(tensors) if x.aval.inexact else x for x in leaves]))
        aux = None
        if has_aux:
            out, aux = split_aux("vjp", f, out)
        outs, treedef = output_leaves("vjp", f, out)
    finally:
        recording.close()
    pullback = Pullback(recording, outs, treedef, [x.aval for x in leaves], treedefs)
    value = pytree.unflatten(treedef, [recording.lower(x) for x in outs])
    if has_aux:
        return value, pullback, pytree.map(recording.lower, aux)
    return value, pullback


class Pullback:
    """The transpose of a function's derivative at the point where it was recorded."""

    __slots__ = ("_avals", "_out_avals", "_outs", "_treedef", "_treedefs", "recording")

    def __init__(
        self,
        recording: Recording,
        outs: Sequence[Any],
        treedef: Any,
        avals: Sequence[Aval],
        treedefs: Sequence[Any],
    ) -> None:
        self.recording = recording
        self._outs = outs
        self._out_avals, _ = output_avals(outs, treedef)
        self._treedef = treedef
        self._avals = avals
        self._treedefs = treedefs

    def __call__(self, cotangent: Any) -> tuple[Any, ...]:
        """Cotangents of the primals from one of the output, of its structure, shapes and dtypes."""
        return _pull(self, cotangent)

    def leaves(self, cotangents: Sequence[Any]) -> list[Any]:
        """Cotangents of the inexact input leaves (None: zero) from those of the output leaves."""
        return self.recording.pull(self._outs, cotangents, keep_graph=True)


@outermost
def _pull(pullback: Pullback, cotangent: Any) -> tuple[Any, ...]:
    like = pytree.unflatten(pullback._treedef, pullback._outs)
    avals = pullback._out_avals
    given = matching("cotangent", "vjp", (cotangent, like), avals, "output")
    given = [c for c, aval in zip(given, avals, strict=True) if aval.dtype != float0]
    received = iter(pullback.leaves(given))
    results = []
    for aval in pullback._avals:
        c = next(received) if aval.inexact else None
        results.append(zeros_or_float0(aval) if c is None else c)
    return tuple(rebuilt(pullback._treedefs, results))
