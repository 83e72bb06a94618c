"""Arguments of transforms: which are differentiated, what their leaves may be, and the messages."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from fad.core import pytree
from fad.core.aval import Aval, make_aval
from fad.core.errors import FadTypeError, FadValueError, check_callable, located, name_of
from fad.core.leaves import lift_leaves
from fad.core.tensor import Tensor, lift
from fad.primitives.broadcast import zeros
from fad.transforms.checks import check_complex, check_inexact, check_real, float0_zeros

Argnums = int | str | Sequence[int | str]


class Selection:
    """Picks the arguments named by ``argnums`` out of a call, and puts others in their place."""

    __slots__ = ("_signature", "function", "names", "positions", "single", "transform")

    def __init__(self, transform: str, function: Callable[..., Any], argnums: Argnums) -> None:
        check_callable(transform, function)
        self.transform = transform
        self.function = function
        self.single = isinstance(argnums, (int, str, np.integer))
        names: Any = (argnums,) if self.single else argnums
        if not isinstance(names, Iterable) or not all(map(_is_argnum, names)):
            raise FadTypeError(
                located(
                    f"{transform}: argnums must be an int, an argument name, or a tuple of these, "
                    f"got {argnums!r}"
                )
            )
        self.names: tuple[int | str, ...] = tuple(names)
        numbers = [n for n in self.names if type(n) is int and n >= 0]
        simple = len(set(numbers)) == len(self.names)
        self.positions: tuple[int, ...] = tuple(numbers) if simple else ()
        self._signature: inspect.Signature | None = None

    def real_arrays(self, args: tuple[Any, ...]) -> list[Tensor] | None:
        """The selected arguments as tensors in the commonest case: real, and no containers."""
        tensors = []
        count = len(args)
        for position in self.positions:
            if position >= count:
                return None
            x = args[position]
            if x.__class__ is np.ndarray or x.__class__ is float:
                x = lift(x)
            if not isinstance(x, Tensor) or not x.aval.inexact or x.aval.dtype.kind == "c":
                return None
            tensors.append(x)
        return tensors or None

    def places(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[int | str]:
        """Where each selected argument is in this call: a position, or a keyword."""
        if self.positions and max(self.positions) < len(args):
            return list(self.positions)
        found = [self._place(name, args, kwargs) for name in self.names]
        if len(set(found)) < len(found):
            twice = next(place for place in found if found.count(place) > 1)
            raise FadValueError(
                located(
                    f"{self.transform}: argnums={self.names} names {self.title(twice)} twice. Name "
                    "each argument once."
                )
            )
        return found

    def _place(self, name: int | str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int | str:
        if not isinstance(name, str):
            if -len(args) <= name < len(args):
                return int(name) % len(args)
            parameters = list(self.signature().parameters) if kwargs else []
            if 0 <= name < len(parameters) and parameters[name] in kwargs:
                return parameters[name]
            count = len(args)
            if not parameters and not count and not self._known():
                raise FadValueError(
                    located(
                        f"{self.transform}: {name_of(self.function)} takes no arguments, so there "
                        "is nothing to differentiate in. Make what it depends on an argument, and "
                        "pass that."
                    )
                )
            among = f"an int from {-count} to {count - 1}, or " if count else ""
            raise FadValueError(
                located(
                    f"{self.transform}: argnums={name} is out of range: {name_of(self.function)} "
                    f"was called with {count} positional argument{'s' * (count != 1)}. "
                    f"Pass {among}a name among ({self._known()})."
                )
            )
        if name in kwargs:
            return name
        parameters = list(self.signature().parameters)
        if name in parameters and parameters.index(name) < len(args):
            return parameters.index(name)
        problem = "was not passed" if name in parameters else "is unknown"
        raise FadValueError(
            located(
                f"{self.transform}: the argument {name!r} {problem}: "
                f"{name_of(self.function)} takes ({self._known()})"
            )
        )

    def _known(self) -> str:
        return ", ".join(self.signature().parameters)

    def signature(self) -> inspect.Signature:
        """The signature of the function, if Python can tell it."""
        if self._signature is None:
            try:
                self._signature = inspect.signature(self.function)
            except (TypeError, ValueError):
                self._signature = inspect.Signature()
        return self._signature

    def title(self, place: int | str) -> str:
        """``argument 0 ('x')``, for messages."""
        names = list(self.signature().parameters)
        if isinstance(place, int) and place < len(names):
            return f"argument {place} ({names[place]!r})"
        return f"argument {place!r}"


def _is_argnum(name: Any) -> bool:
    return isinstance(name, (int, str, np.integer)) and not isinstance(name, bool)


class Options(NamedTuple):
    """Keyword options that transforms share."""

    has_aux: bool = False
    holomorphic: bool = False
    allow_int: bool = False
    instead: str = ""
    """Where complex inputs need holomorphic=True: what else to use for them."""


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


def zeros_or_float0(aval: Aval) -> Any:
    """The zero cotangent of an input, as users get it."""
    if not aval.inexact:
        return float0_zeros(aval.shape)
    return zeros(make_aval(aval.shape, aval.dtype))


class Inputs:
    """The arguments of one call, in general: trees of leaves, some of which are differentiated."""

    __slots__ = ("args", "avals", "kwargs", "leaves", "places", "selection", "treedefs", "wanted")

    def __init__(
        self, selection: Selection, options: Options, args: Any, kwargs: dict[str, Any]
    ) -> None:
        self.selection = selection
        self.args, self.kwargs = args, kwargs
        self.places = selection.places(args, kwargs)
        trees = [args[p] if isinstance(p, int) else kwargs[p] for p in self.places]
        self.leaves, self.treedefs = lift_leaves(selection.transform, self._title, trees)
        self.avals: list[Aval] = [x.aval for x in self.leaves]
        self.wanted = [x for x in self.leaves if x.aval.inexact]
        if len(self.wanted) < len(self.leaves) and not options.allow_int:
            check_inexact(selection.transform, self._title, trees, self.avals)
        if options.holomorphic:
            check_complex(selection.transform, self._title, trees, self.avals)
        elif options.instead:
            check_real(selection.transform, self._title, trees, self.avals, options.instead)

    def _title(self, tree: int) -> str:
        return self.selection.title(self.places[tree])

    def call(self, tensors: list[Any]) -> tuple[list[Any], dict[str, Any]]:
        """The arguments with the wanted leaves replaced by tensors of the tape."""
        leaves = tensors
        if len(tensors) < len(self.leaves):
            remaining = iter(tensors)
            leaves = [next(remaining) if x.aval.inexact else x for x in self.leaves]
        return replaced(self.args, self.kwargs, self.places, rebuilt(self.treedefs, leaves))

    def gradient(self, gradients: Sequence[Any], leading: tuple[int, ...] = ()) -> Any:
        """The result: one tree, or a tuple of trees, of the wanted leaves' cotangents.

        Leaves that are no numbers to differentiate get zeros of dtype float0, with ``leading`` axes
        before their own.
        """
        remaining = iter(gradients)
        leaves = []
        for aval in self.avals:
            g = next(remaining) if aval.inexact else float0_zeros((*leading, *aval.shape))
            leaves.append(zeros_or_float0(aval) if g is None else g)
        return self._result(leaves)

    def nested(self, lines: Sequence[Sequence[Any]]) -> Any:
        """The tree, or tuple of trees, of the wanted arguments with such a tree at each leaf."""
        remaining = iter(lines)
        leaves = []
        for aval in self.avals:
            line: Any = next(remaining) if aval.inexact else self.float0_row(aval)
            leaves.append(self.gradient(line, aval.shape))
        return self._result(leaves)

    def float0_row(self, aval: Aval) -> list[Any]:
        """Derivatives of an integer's gradient, or of an output that is one."""
        return [float0_zeros((*aval.shape, *x.aval.shape)) for x in self.wanted]

    def _result(self, leaves: list[Any]) -> Any:
        trees = rebuilt(self.treedefs, leaves)
        return trees[0] if self.selection.single else tuple(trees)


def rebuilt(treedefs: Sequence[Any], leaves: Sequence[Any]) -> list[Any]:
    """The trees of these structures, from the leaves of all of them."""
    if len(treedefs) == 1:
        return [pytree.unflatten(treedefs[0], leaves)]
    trees, start = [], 0
    for treedef in treedefs:
        stop = start + treedef.num_leaves
        trees.append(pytree.unflatten(treedef, leaves[start:stop]))
        start = stop
    return trees
