"""Arguments of transforms: which are differentiated, what their leaves may be, and the messages."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from fad.core import dtypes, pytree
from fad.core.aval import Aval, make_aval
from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.tensor import Tensor, aval_of, lift
from fad.primitives.broadcast import convert, zeros

Argnums = int | str | Sequence[int | str]


class Selection:
    """Picks the arguments named by ``argnums`` out of a call, and puts others in their place."""

    __slots__ = ("_signature", "function", "names", "single", "transform")

    def __init__(self, transform: str, function: Callable[..., Any], argnums: Argnums) -> None:
        if not callable(function):
            raise FadTypeError(
                located(
                    f"{transform} takes a function, got {type(function).__name__}. "
                    f"Write fad.{transform}(f)(x), not fad.{transform}(f(x))."
                )
            )
        self.transform = transform
        self.function = function
        self.single = isinstance(argnums, (int, str))
        self.names: tuple[int | str, ...] = (argnums,) if self.single else tuple(argnums)  # type: ignore[arg-type,assignment]
        self._signature: inspect.Signature | None = None
        for name in self.names:
            if isinstance(name, bool) or not isinstance(name, (int, str, np.integer)):
                raise FadTypeError(
                    located(
                        f"argnums must be an int, an argument name, or a tuple of these, "
                        f"got {argnums!r}"
                    )
                )

    def places(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[int | str]:
        """Where each selected argument is in this call: a position, or a keyword."""
        found: list[int | str] = []
        for name in self.names:
            place = self._place(name, args, kwargs)
            if place in found:
                raise FadValueError(located(f"argnums {self.names} names one argument twice"))
            found.append(place)
        return found

    def _place(self, name: int | str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int | str:
        if not isinstance(name, str):
            if -len(args) <= name < len(args):
                return int(name) % len(args)
            parameters = list(self.signature().parameters) if kwargs else []
            if 0 <= name < len(parameters) and parameters[name] in kwargs:
                return parameters[name]
            raise FadValueError(
                located(
                    f"{self.transform}: argnums={name} is out of range: {self._title()} was called "
                    f"with {len(args)} positional argument{'s' * (len(args) != 1)}"
                )
            )
        if name in kwargs:
            return name
        parameters = list(self.signature().parameters)
        if name in parameters and parameters.index(name) < len(args):
            return parameters.index(name)
        known = ", ".join(parameters)
        problem = "was not passed" if name in parameters else "is unknown"
        raise FadValueError(
            located(
                f"{self.transform}: the argument {name!r} {problem}: "
                f"{self._title()} takes ({known})"
            )
        )

    def signature(self) -> inspect.Signature:
        """The signature of the function, if Python can tell it."""
        if self._signature is None:
            try:
                self._signature = inspect.signature(self.function)
            except (TypeError, ValueError):
                self._signature = inspect.Signature()
        return self._signature

    def _title(self) -> str:
        return getattr(self.function, "__name__", type(self.function).__name__)

    def title(self, place: int | str) -> str:
        """``argument 0 ('x')``, for messages."""
        names = list(self.signature().parameters)
        if isinstance(place, int) and place < len(names):
            return f"argument {place} ({names[place]!r})"
        return f"argument {place!r}"


class Options(NamedTuple):
    """Keyword options that transforms share."""

    has_aux: bool = False
    holomorphic: bool = False
    allow_int: bool = False


def replaced(
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    places: Sequence[int | str],
    values: Sequence[Any],
) -> tuple[list[Any], dict[str, Any]]:
    """The call's arguments with ``values`` at ``places``."""
    new_args, new_kwargs = list(args), dict(kwargs)
    for place, value in zip(places, values, strict=True):
        if isinstance(place, int):
            new_args[place] = value
        else:
            new_kwargs[place] = value
    return new_args, new_kwargs


def lift_leaves(
    transform: str, titles: Sequence[str], trees: Sequence[Any]
) -> tuple[list[Any], list[Any]]:
    """Leaves of all trees as tensors, and the structure of each tree."""
    leaves: list[Any] = []
    treedefs = []
    for title, tree in zip(titles, trees, strict=True):
        flat, treedef = pytree.flatten(tree)
        treedefs.append(treedef)
        for i, leaf in enumerate(flat):
            try:
                leaves.append(lift(leaf))
            except FadTypeError:
                path = pytree.paths(tree)[i]
                raise FadTypeError(
                    located(
                        f"{transform}: {title}{path} is of type {type(leaf).__name__}, which "
                        "cannot be differentiated; pass tensors, arrays or numbers, and close over "
                        "the rest"
                    )
                ) from None
    return leaves, treedefs


def check_inexact(transform: str, title: str, aval: Aval, allow_int: bool) -> bool:
    """Whether a leaf is differentiated: floats and complex are, integers only pass if allowed."""
    if aval.inexact:
        return True
    if allow_int:
        return False
    raise FadTypeError(
        located(
            f"{transform} requires real- or complex-valued inputs (input dtype that is a sub-dtype "
            f"of np.inexact), but {title} is {aval}. Pass a float (1.0 instead of 1, "
            "x.astype(float)), choose other argnums, or pass allow_int=True for a zero of dtype "
            "float0."
        )
    )


def check_complex(transform: str, title: str, aval: Aval, holomorphic: bool) -> None:
    """With holomorphic=True every differentiated input must be complex."""
    if holomorphic and aval.dtype.kind != "c":
        raise FadTypeError(
            located(
                f"{transform} with holomorphic=True requires inputs with complex dtype, but "
                f"{title} is {aval}. Pass a complex number, for example x + 0j."
            )
        )


def named_leaves(titles: Sequence[str], trees: Sequence[Any]) -> list[str]:
    """``argument 0 ('x')['w']``: a name for each leaf of all trees."""
    if not any(isinstance(tree, (dict, list, tuple)) for tree in trees):
        plain = [
            title for title, tree in zip(titles, trees, strict=True) if isinstance(tree, Tensor)
        ]
        if len(plain) == len(trees):
            return plain
    return [
        title + path
        for title, tree in zip(titles, trees, strict=True)
        for path in pytree.paths(tree)
    ]


def float0_zeros(aval: Aval) -> np.ndarray:
    """The tangent of an integer or boolean: it has no information, and its dtype says so."""
    return np.zeros(aval.shape, dtypes.float0)


def matching(
    kind: str, transform: str, trees: tuple[Any, Any], avals: Sequence[Aval], like: str
) -> list[Any]:
    """Leaves of a (co)tangent tree as tensors, checked leaf by leaf against what they belong to.

    ``trees`` are the tree given and the one it must match; integers take None or float0.
    """
    given, expected = trees
    leaves, treedef = pytree.flatten(given)
    _, expected_def = pytree.flatten(expected)
    if treedef != expected_def:
        filled = _with_nones(given, expected_def)
        if filled is None:
            raise FadTypeError(
                located(
                    f"{transform}: the tree of the {kind} must match that of the {like}: "
                    f"expected {expected_def}, got {treedef}"
                )
            )
        leaves = filled
    out = []
    for i, (leaf, aval) in enumerate(zip(leaves, avals, strict=True)):
        try:
            out.append(_matching_leaf(leaf, aval))
        except _Mismatch as error:
            path = pytree.paths(expected)[i]
            raise FadTypeError(
                located(
                    f"{transform}: the {kind}{' at ' + path if path else ''} has {error}, "
                    f"but the {like} there is {aval}"
                )
            ) from None
    return out


def _with_nones(given: Any, expected: Any) -> list[Any] | None:
    """Leaves of ``given`` if it matches once None counts as a leaf (a symbolic zero)."""
    leaves, treedef = pytree.flatten_with_nones(given)
    return (
        leaves
        if treedef.num_leaves == expected.num_leaves and any(leaf is None for leaf in leaves)
        else None
    )


class _Mismatch(Exception):
    pass


def _matching_leaf(leaf: Any, aval: Aval) -> Any:
    if leaf is None:
        return None
    if isinstance(leaf, np.ndarray) and leaf.dtype == dtypes.float0:
        if aval.inexact:
            raise _Mismatch("dtype float0")
        return None
    found = aval_of(leaf)
    if not aval.inexact:
        if found.inexact:
            raise _Mismatch(f"dtype {found.dtype} (use None or float0 for integers)")
        return None
    if found.shape != aval.shape:
        raise _Mismatch(f"shape {found.shape}")
    if (
        found.weak
        and dtypes.result_type(((found.dtype, True), (aval.dtype, False)))[0] == aval.dtype
    ):
        return convert(lift(leaf), aval.dtype)
    if found.dtype != aval.dtype:
        raise _Mismatch(f"dtype {found.dtype}")
    return lift(leaf)


def output_leaves(transform: str, function: Any, out: Any) -> tuple[list[Any], Any]:
    """Leaves of what a function returned, as tensors or whatever numbers they are, and the tree."""
    leaves, treedef = pytree.flatten(out)
    if not leaves:
        name = getattr(function, "__name__", "the function")
        raise FadTypeError(
            located(
                f"{transform}: {name} returned {out!r}, not a tensor. "
                "Does it miss a return statement?"
            )
        )
    for i, leaf in enumerate(leaves):
        if not isinstance(leaf, Tensor):
            try:
                leaves[i] = lift(leaf)
            except FadTypeError:
                name = getattr(function, "__name__", "the function")
                raise FadTypeError(
                    located(
                        f"{transform}: {name} returned a {type(leaf).__name__}"
                        f"{_at(pytree.paths(out)[i])}, not a tensor or number. Return other things "
                        "with has_aux=True."
                    )
                ) from None
    return leaves, treedef


def _at(path: str) -> str:
    return f" at {path}" if path else ""


def split_aux(transform: str, out: Any) -> tuple[Any, Any]:
    """(result, aux) of a function with has_aux=True."""
    if not isinstance(out, tuple) or len(out) != 2:
        raise FadTypeError(
            located(
                f"{transform} with has_aux=True needs a function that returns a pair "
                f"(result, aux), got {type(out).__name__}"
            )
        )
    return out


def zeros_or_float0(aval: Aval) -> Any:
    """The zero cotangent of an input, as users get it."""
    if not aval.inexact:
        return float0_zeros(aval)
    return zeros(make_aval(aval.shape, aval.dtype))


class Inputs:
    """The arguments of one call, in general: trees of leaves, some of which are differentiated."""

    __slots__ = ("args", "avals", "kwargs", "leaves", "places", "selection", "treedefs", "wanted")

    def __init__(
        self, selection: Selection, options: Options, args: Any, kwargs: dict[str, Any]
    ) -> None:
        transform = selection.transform
        self.selection = selection
        self.args, self.kwargs = args, kwargs
        self.places = selection.places(args, kwargs)
        trees = [args[p] if isinstance(p, int) else kwargs[p] for p in self.places]
        titles = [selection.title(p) for p in self.places]
        self.leaves, self.treedefs = lift_leaves(transform, titles, trees)
        self.avals: list[Aval] = [x.aval for x in self.leaves]
        named = named_leaves(titles, trees)
        self.wanted = []
        for title, leaf in zip(named, self.leaves, strict=True):
            if check_inexact(transform, title, leaf.aval, options.allow_int):
                check_complex(transform, title, leaf.aval, options.holomorphic)
                self.wanted.append(leaf)

    def call(self, tensors: list[Any]) -> tuple[list[Any], dict[str, Any]]:
        """The arguments with the wanted leaves replaced by tensors of the tape."""
        remaining = iter(tensors)
        leaves = [
            next(remaining) if a.inexact else x
            for a, x in zip(self.avals, self.leaves, strict=True)
        ]
        return replaced(self.args, self.kwargs, self.places, self._trees(leaves))

    def _trees(self, leaves: list[Any]) -> list[Any]:
        trees, start = [], 0
        for treedef in self.treedefs:
            stop = start + treedef.num_leaves
            trees.append(pytree.unflatten(treedef, leaves[start:stop]))
            start = stop
        return trees

    def nested(self, lines: list[Any]) -> Any:
        """The tree, or tuple of trees, of the wanted arguments with a tree at each leaf."""
        remaining = iter(lines)
        leaves = [next(remaining) if aval.inexact else None for aval in self.avals]
        trees = self._trees(leaves)
        return trees[0] if self.selection.single else tuple(trees)

    def gradient(self, gradients: Sequence[Any]) -> Any:
        """The result: one tree, or a tuple of trees, of the wanted leaves' cotangents."""
        remaining = iter(gradients)
        leaves = []
        for aval in self.avals:
            g = next(remaining) if aval.inexact else None
            leaves.append(zeros_or_float0(aval) if g is None else g)
        trees = self._trees(leaves)
        return trees[0] if self.selection.single else tuple(trees)
