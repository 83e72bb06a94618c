"""A tangent or a cotangent as a tensor, checked against what it belongs to."""

from __future__ import annotations

from typing import Any

from fad.core import dtypes
from fad.core.aval import Aval
from fad.core.errors import FadTypeError
from fad.core.leaves import kind_of
from fad.core.tensor import aval_of, lift
from fad.primitives.broadcast import convert


class Mismatch(Exception):
    """What is wrong with a (co)tangent, in words that follow its name."""


def matching_leaf(leaf: Any, aval: Aval) -> Any:
    """``leaf`` as a (co)tangent of a tensor with this aval, None for zero; else a Mismatch."""
    if leaf is None:
        return None
    if not aval.inexact and dtypes.is_float0(leaf):
        return None
    try:
        found = aval_of(leaf)
    except FadTypeError:
        raise Mismatch(f"is {kind_of(leaf)}") from None
    if not aval.inexact:
        raise Mismatch(f"has dtype {found.dtype}")
    if found.shape != aval.shape:
        raise Mismatch(f"has shape {found.shape}")
    if (
        found.weak
        and dtypes.result_type(((found.dtype, True), (aval.dtype, False)))[0] == aval.dtype
    ):
        return convert(lift(leaf), aval.dtype)
    if found.dtype != aval.dtype:
        raise Mismatch(f"has dtype {found.dtype}")
    return lift(leaf)


def demand(kind: str, transform: str, aval: Aval) -> str:
    """What a (co)tangent must be, in words."""
    if aval.inexact:
        return (
            f"Pass one of shape {aval.shape} and dtype {aval.dtype} (x.reshape, x.astype), or None "
            "for zero."
        )
    if kind == "tangent":
        return (
            f"{transform} requires real- or complex-valued inputs (input dtype that is a sub-dtype "
            "of np.inexact): pass a float (1.0 instead of 1, x.astype(float)), or None, or dtype "
            "float0, as tangent of an integer, or allow_int=True."
        )
    return "Pass None or dtype float0 for integers."
