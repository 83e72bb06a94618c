"""What transforms demand of their arguments, (co)tangents and results, and the messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fad.core import dtypes, pytree
from fad.core.aval import Aval, make_aval
from fad.core.errors import FadTypeError, FadValueError, located, name_of
from fad.core.leaves import Title, at, each_leaf, kind_of, output_leaves
from fad.core.tensor import Tensor, aval_of
from fad.forward.matching import Mismatch, demand, matching_leaf

# ---------------------------------------------------------------------------------------- inputs


def shape_only(transform: str, title: Title, trees: Sequence[Any]) -> tuple[list[Aval], list[Any]]:
    """Avals of the leaves of all trees, which may be anything with shape and dtype; their trees."""
    why = "has no shape and dtype of a tensor. Pass tensors, arrays, numbers or avals."
    return each_leaf(transform, title, trees, _aval_of_any, why)


def _aval_of_any(x: Any) -> Aval:
    if isinstance(x, (Aval, Tensor)) or not (hasattr(x, "shape") and hasattr(x, "dtype")):
        return x if isinstance(x, Aval) else aval_of(x)
    dtype = np.dtype(x.dtype).newbyteorder("=")
    return make_aval(tuple(x.shape), dtypes.check_supported(dtype))


def check_inexact(
    transform: str, title: Title, trees: Sequence[Any], avals: Sequence[Aval]
) -> None:
    """Raise if a leaf of the differentiated arguments is an integer or boolean."""
    for i, aval in enumerate(avals):
        if not aval.inexact:
            raise FadTypeError(
                located(
                    f"{transform} requires real- or complex-valued inputs (input dtype that is a "
                    f"sub-dtype of np.inexact), but {_leaf_title(title, trees, i)} is {aval}. "
                    "Pass a float (1.0 instead of 1, x.astype(float)), close over it, or pass "
                    "allow_int=True for a zero of dtype float0."
                )
            )


def check_complex(
    transform: str, title: Title, trees: Sequence[Any], avals: Sequence[Aval]
) -> None:
    """With holomorphic=True every differentiated input must be complex."""
    for i, aval in enumerate(avals):
        if aval.inexact and aval.dtype.kind != "c":
            raise FadTypeError(
                located(
                    f"{transform} with holomorphic=True requires inputs with complex dtype, but "
                    f"{_leaf_title(title, trees, i)} is {aval}. Pass a complex number, for "
                    "example x + 0j."
                )
            )


def check_real(
    transform: str, title: Title, trees: Sequence[Any], avals: Sequence[Aval], instead: str
) -> None:
    """Without holomorphic=True some transforms take no complex input; ``instead`` is the advice."""
    for i, aval in enumerate(avals):
        if aval.dtype.kind == "c":
            raise FadTypeError(
                located(
                    f"{transform} requires real-valued inputs, but {_leaf_title(title, trees, i)} "
                    f"is {aval}. For a holomorphic function pass holomorphic=True; else {instead}."
                )
            )


def _leaf_title(title: Title, trees: Sequence[Any], leaf: int) -> str:
    """``argument 0 ('x')['w']``: the name of one of the leaves of all trees."""
    names = [title(i) + path for i, tree in enumerate(trees) for path in pytree.paths(tree)]
    return names[leaf]


def check_chunk_size(transform: str, chunk_size: Any, auto: bool = True) -> None:
    """Raise unless it says how many passes or examples run at a time."""
    if chunk_size is None or (auto and chunk_size == "auto"):
        return
    if type(chunk_size) is not int or chunk_size < 1:
        choices = "a positive int, None or 'auto'" if auto else "a positive int or None"
        raise FadValueError(
            located(f"{transform}: chunk_size must be {choices}, got {chunk_size!r}")
        )


# --------------------------------------------------------------------- tangents and cotangents


def float0_zeros(shape: tuple[int, ...]) -> np.ndarray:
    """The tangent of an integer or boolean: it has no information, and its dtype says so."""
    return np.zeros(shape, dtypes.float0)


def matching(
    kind: str,
    transform: str,
    trees: tuple[Any, Any],
    avals: Sequence[Aval],
    like: str,
    allow_int: bool = False,
) -> list[Any]:
    """Leaves of a (co)tangent tree as tensors, checked leaf by leaf against what they belong to.

    ``trees`` are the tree given and the one it must match. None is the zero of a leaf or a whole
    subtree; integers take None or float0, with ``allow_int`` anything.
    """
    given, expected = trees
    leaves, treedef = pytree.flatten(given)
    _, expected_def = pytree.flatten(expected)
    if treedef != expected_def:
        filled = _with_nones(given, expected, expected_def)
        if filled is None:
            raise FadTypeError(
                located(
                    f"{transform}: the tree of the {kind} must match that of the {like}: "
                    f"{_difference(given, expected)}expected {expected_def}, got {treedef}"
                )
            )
        leaves = filled
    out = []
    for i, (leaf, aval) in enumerate(zip(leaves, avals, strict=True)):
        try:
            out.append(None if allow_int and not aval.inexact else matching_leaf(leaf, aval))
        except Mismatch as error:
            path = pytree.paths(expected)[i]
            raise FadTypeError(
                located(
                    f"{transform}: the {kind}{at(path)} {error}, but the {like} there is {aval}. "
                    + demand(kind, transform, aval)
                )
            ) from None
    return out


def _with_nones(given: Any, expected: Any, treedef: Any) -> list[Any] | None:
    """Leaves of ``given`` if it matches once None may stand for a subtree (a symbolic zero)."""
    try:
        if pytree.flatten(pytree.fill_nones(given, expected))[1] == treedef:
            return pytree.broadcast_prefix(given, expected)
    except ValueError:
        pass
    return None


def _difference(given: Any, expected: Any) -> str:
    """Where two trees differ first, if it can be told by paths."""
    mine, theirs = pytree.paths(given), pytree.paths(expected)
    for path in theirs:
        if path not in mine:
            return f"it has nothing at {path or 'the root'}; "
    for path in mine:
        if path not in theirs:
            return f"it has {path or 'a leaf at the root'} in excess; "
    return ""


# --------------------------------------------------------------------------------------- results


def split_aux(transform: str, function: Any, out: Any) -> tuple[Any, Any]:
    """(result, aux) of a function with has_aux=True."""
    if not isinstance(out, tuple) or len(out) != 2:
        found = f"a tuple of {len(out)}" if isinstance(out, tuple) else kind_of(out)
        raise FadTypeError(
            located(
                f"{transform} with has_aux=True needs a function that returns a pair "
                f"(result, aux), but {name_of(function)} returned {found}. Return a pair, or drop "
                "has_aux=True."
            )
        )
    return out


def check_output(
    transform: str, aval: Aval, out: Any, leaf: int, holomorphic: bool, forward: bool = False
) -> None:
    """Raise unless the output leaf has a derivative of the kind asked for.

    Forward mode has one for complex outputs of real inputs, too.
    """
    is_complex = aval.dtype.kind == "c"
    if aval.inexact and (is_complex if holomorphic else forward or not is_complex):
        return
    where = at(pytree.paths(pytree.with_float0_inside(out))[leaf])
    if not aval.inexact:
        raise FadTypeError(
            located(
                f"{transform} requires real- or complex-valued outputs, but the output{where} is "
                f"{aval}, which has no derivative. Return it with has_aux=True."
            )
        )
    if holomorphic:
        raise FadTypeError(
            located(
                f"{transform} with holomorphic=True requires complex-valued outputs, but the "
                f"output{where} is {aval}. Drop holomorphic=True for a real-valued function."
            )
        )
    raise FadTypeError(
        located(
            f"{transform} requires real-valued outputs, but the output{where} is {aval}. Of "
            "real inputs use fad.jacfwd; for a holomorphic function of complex inputs pass "
            "holomorphic=True; else differentiate its real part, imaginary part or absolute value, "
            "or use fad.vjp."
        )
    )


def scalar_output(transform: str, function: Any, out: Any, holomorphic: bool) -> Tensor:
    """The function's result if its gradient is defined, or the error that says what to use."""
    if not isinstance(out, Tensor):
        leaves, _ = output_leaves(transform, function, out)
        if len(leaves) != 1 or isinstance(out, (list, tuple, dict)):
            raise FadTypeError(
                located(
                    f"{transform} requires a scalar-output function, but {name_of(function)} "
                    f"returned a {type(out).__name__}. Return one scalar (and the rest with "
                    "has_aux=True), or use fad.jacobian or fad.vjp."
                )
            )
        out = leaves[0]
    if out.aval.shape != ():
        raise FadTypeError(
            located(
                f"{transform}: Gradient only defined for scalar-output functions; output had "
                f"shape: {out.aval.shape}. Reduce it to a scalar, for example with .sum(), or use "
                "fad.jacobian (all derivatives) or fad.vjp (with a cotangent)."
            )
        )
    check_output(transform, out.aval, out, 0, holomorphic)
    result: Tensor = out
    return result
