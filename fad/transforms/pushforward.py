"""jvp and vjp: one directional derivative in either mode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from fad.core import pytree
from fad.core.aval import Aval
from fad.core.errors import FadTypeError, located
from fad.core.stream import abandon_run, begin_run, end_run
from fad.forward.dual import DualLevel, DualTensor
from fad.primitives.broadcast import zeros
from fad.reverse.pullback import Recording
from fad.transforms.arguments import (
    float0_zeros,
    lift_leaves,
    matching,
    output_leaves,
    split_aux,
    zeros_or_float0,
)


def outermost(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a transform's call a program of its own if it is an outermost one."""

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        begin_run()
        try:
            result = function(*args, **kwargs)
        except BaseException:
            abandon_run()
            raise
        end_run()
        return result

    return wrapped


def _primal_leaves(transform: str, primals: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    if not isinstance(primals, (tuple, list)):
        raise FadTypeError(
            located(
                f"{transform}: primals must be a tuple or list with one entry per argument, "
                f"got {type(primals).__name__}. Write ({'x'},) for a single argument."
            )
        )
    titles = [f"primal {i}" for i in range(len(primals))]
    return lift_leaves(transform, titles, list(primals))


def _rebuilt(treedefs: Sequence[Any], leaves: Sequence[Any]) -> list[Any]:
    trees, start = [], 0
    for treedef in treedefs:
        stop = start + treedef.num_leaves
        trees.append(pytree.unflatten(treedef, leaves[start:stop]))
        start = stop
    return trees


@outermost
def jvp(f: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """Value and directional derivative, by forward mode.

    Args:
        f: any function of the primals.
        primals: tuple of arguments, each a pytree.
        tangents: the direction, of the same structure, shapes and dtypes; None is zero.
        has_aux: ``f`` returns ``(result, aux)``.

    Returns:
        ``(out, tangent_out)``, or ``(out, tangent_out, aux)`` with ``has_aux``.

    Raises:
        FadTypeError: a tangent does not match its primal; the message names its path in the tree.

    >>> import fad
    >>> import numpy as np
    >>> fad.jvp(np.sin, (0.0,), (2.0,))
    (fad.Tensor(0.), fad.Tensor(2.))
    """
    leaves, treedefs = _primal_leaves("jvp", primals)
    if not isinstance(tangents, (tuple, list)) or len(tangents) != len(primals):
        raise FadTypeError(
            located(
                f"jvp: tangents must be a tuple or list of {len(primals)} entries, one per primal, "
                f"got {type(tangents).__name__}"
                + (f" of {len(tangents)}" if isinstance(tangents, (tuple, list)) else "")
            )
        )
    avals = [x.aval for x in leaves]
    directions = matching("tangent", "jvp", (tuple(tangents), tuple(primals)), avals, "primal")
    return pushed(f, leaves, directions, treedefs, has_aux)


def pushed(
    f: Callable[..., Any],
    leaves: Sequence[Any],
    directions: Sequence[Any],
    treedefs: Sequence[Any],
    has_aux: bool = False,
) -> Any:
    """(out, tangent_out[, aux]) from leaves and tangents, None for zero, that are known to fit."""
    level = DualLevel(f)
    duals = [level.dual(x, t) for x, t in zip(leaves, directions, strict=True)]
    try:
        out = f(*_rebuilt(treedefs, duals))
        aux = None
        if has_aux:
            out, aux = split_aux("jvp", out)
        outs, treedef = output_leaves("jvp", f, out)
    finally:
        level.active = False
    values = [_primal(level, x) for x in outs]
    out_tangents = [_tangent(level, x) for x in outs]
    results = pytree.unflatten(treedef, values), pytree.unflatten(treedef, out_tangents)
    if has_aux:
        return (*results, pytree.map(lambda x: _primal(level, x), aux))
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


def _primal(level: DualLevel, x: Any) -> Any:
    return x.primal if isinstance(x, DualTensor) and x.level is level else x


def _tangent(level: DualLevel, x: Any) -> Any:
    if isinstance(x, DualTensor) and x.level is level:
        return x.tangent
    return zeros(x.aval) if x.aval.inexact else float0_zeros(x.aval)


@outermost
def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """Value and pullback, by reverse mode.

    Args:
        f: any function of the primals.
        primals: its arguments, each a pytree.
        has_aux: ``f`` returns ``(result, aux)``.

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
    leaves, treedefs = _primal_leaves("vjp", primals)
    wanted = [x for x in leaves if x.aval.inexact]
    recording = Recording(f, wanted, "vjp")
    tensors = iter(recording.tensors)
    try:
        out = f(*_rebuilt(treedefs, [next(tensors) if x.aval.inexact else x for x in leaves]))
        aux = None
        if has_aux:
            out, aux = split_aux("vjp", out)
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
        self._out_avals = [x.aval for x in outs]
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
    given = matching("cotangent", "vjp", (cotangent, like), pullback._out_avals, "output")
    received = iter(pullback.leaves(given))
    results = []
    for aval in pullback._avals:
        c = next(received) if aval.inexact else None
        results.append(zeros_or_float0(aval) if c is None else c)
    return tuple(_rebuilt(pullback._treedefs, results))
