"""NumPy's indexing: what ``x[index]`` selects, as static slices and one gather.

Integers are run-time operands, so ``x[i]`` in a loop over i is one program; so are the bounds of
unit-step slices such as ``x[i:i+32]``, whose length alone is static. A slice with an open end
(``x[1:]``), with one bound counted from the end (``x[1:-1]``: moving either changes the length), or
with another step is part of the program, where it costs least.

Integers and host arrays are checked against the bounds; tensors are not, as nobody knows their
values yet: reading out of bounds gives the nearest element.

What there is to do for a shape and an index' key (see ``index_key.py``) is worked out once and
remembered as a *recipe*.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from fad.core.apply import apply, apply1, apply2
from fad.core.aval import Aval, Shape
from fad.core.primitive import Operation
from fad.core.tensor import Tensor
from fad.primitives.declare import broadcast_shapes
from fad.primitives.gather import GATHER, Mode, Selection
from fad.primitives.index_key import Pick, checked, read_index
from fad.primitives.shape import FLIP, RESHAPE, SLICE, expand_dims, reshape

_MAX_RECIPES = 4096
_recipes: dict[Any, Recipe] = {}


def getitem(x: Tensor, index: Any) -> Tensor:
    """``x[index]``, with NumPy's basic and advanced indices.

    >>> import fad
    >>> x = fad.asarray([[1.0, 2.0], [3.0, 4.0]])
    >>> x[1, 0], x[:, [1, 1, 0]].shape
    (fad.Tensor(3.), (2, 3))
    """
    shape = x.aval.shape
    kind = index.__class__
    if kind is int:
        if shape:
            return apply(_FIRST, x, checked(index, shape[0], 0))
        return plan(shape, index).read(x)
    if isinstance(index, Tensor):
        gather = _gathers.get((shape, index.aval))
        if gather is not None:
            return apply2(gather, x, index)
    entries = index if kind is tuple else (index,)
    key = _static_key(shape, entries)
    if key is not None:
        steps = _static_steps.get(key)
        if steps is not None:
            for step in steps:
                x = apply1(step, x)
            return x
    elif all(isinstance(i, Tensor) and i.aval.dtype.kind in "iu" for i in entries):
        key = (shape, *[i.aval for i in entries])
        gather = _gathers.get(key)
        if gather is not None:
            return apply(gather, x, *entries)
    found = plan(shape, index)
    if key is not None:
        _remember(key, x.aval, found.recipe)
    return found.read(x)


_static_steps: dict[Any, tuple[Operation, ...]] = {}
"""What there is to do for an index of slices with open ends, new axes and an ellipsis."""
_gathers: dict[Any, Operation] = {}
"""What there is to do for an index of integer tensors."""


def _static_key(shape: Shape, entries: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The key of an index that is part of the program, if it is one that can be read off at once:
    a slice counts if its bounds are Python's own integers, so that equal keys are equal slices."""
    key: list[Any] = [shape]
    for e in entries:
        if e.__class__ is slice:
            bounds = e.start, e.stop, e.step
            for bound in bounds:
                if bound is not None and bound.__class__ is not int:
                    return None
            key.append(bounds)
        elif e is None or e is Ellipsis:
            key.append(e)
        else:
            return None
    return tuple(key)


def _remember(key: tuple[Any, ...], aval: Aval, recipe: Recipe) -> None:
    """Keep what a recipe does, if that takes no operands but the index' own tensors."""
    for kept in (_static_steps, _gathers):
        if len(kept) >= _MAX_RECIPES:
            kept.clear()
    if recipe.gather is None:
        for cut in recipe.cuts:
            aval = cut.infer((aval,))  # type: ignore[assignment]
        last = () if aval.shape == recipe.shape else (RESHAPE(shape=recipe.shape),)
        _static_steps[key] = (*recipe.cuts, *last)
    elif all(entry.__class__ is Aval for entry in key[1:]):
        _gathers[key] = recipe.gather


class Span(NamedTuple):
    """A static slice of one axis, in ascending order, and whether it is then reversed."""

    axis: int
    start: int
    stop: int
    step: int
    reverse: bool


class Recipe(NamedTuple):
    """What there is to do for an index, in this order.

    Attributes:
        inserted: axes of length 1 put in for zero-dimensional masks.
        spans: static slices.
        cuts: the operations that make them.
        selection: what is gathered then, or None.
        gather: the operation that gathers it.
        sources: where its index operands come from: (place among the operands, or None, and then
            the number itself).
        shape: shape of the result; new axes are put in last.
    """

    inserted: tuple[int, ...]
    spans: tuple[Span, ...]
    cuts: tuple[Operation, ...]
    selection: Selection | None
    gather: Operation | None
    sources: tuple[tuple[int | None, int], ...]
    shape: Shape


class Plan(NamedTuple):
    """A recipe with its index operands."""

    recipe: Recipe
    indices: list[Any]

    def read(self, x: Tensor) -> Tensor:
        """What the index selects from ``x``."""
        recipe = self.recipe
        x = self.sliced(expand_dims(x, recipe.inserted) if recipe.inserted else x)
        if recipe.gather is not None:
            x = apply(recipe.gather, x, *self.indices)
        return reshape(x, recipe.shape)

    def sliced(self, x: Tensor) -> Tensor:
        """``x`` after the static slices."""
        for cut in self.recipe.cuts:
            x = apply1(cut, x)
        return x


def plan(shape: Shape, index: Any, writing: bool = False, mode: Mode = "clip") -> Plan:
    """The plan of an index for tensors of this shape; ``mode`` is for indices that are tensors."""
    parts, operands = read_index(shape, index if index.__class__ is tuple else (index,))
    key = (shape, writing, mode, parts)
    recipe = _recipes.get(key)
    if recipe is None:
        if len(_recipes) >= _MAX_RECIPES:
            _recipes.clear()
        recipe = _recipes[key] = _work_out(shape, parts, writing, mode)
    indices = [start if place is None else operands[place] for place, start in recipe.sources]
    return Plan(recipe, indices)


# ------------------------------------------------------------------------------- working out a key


class _Operand(NamedTuple):
    """An index operand: the axis it addresses, the length of its window, where it comes from."""

    axis: int
    size: int | None
    source: tuple[int | None, int]


def _work_out(shape: Shape, parts: tuple[Any, ...], writing: bool, mode: Mode) -> Recipe:
    picks = [p for p in parts if p.__class__ is Pick]
    lengths = list(shape)
    inserted: list[int] = []
    spans: list[Span] = []
    operands: list[_Operand] = []
    rest: list[tuple[int, bool]] = []  # length of each axis that stays, and whether it is new
    marks = []  # how many of those come before each pick
    axis = place = 0
    for part in _without_ellipsis(shape, parts):
        if part is None:
            rest.append((1, True))
            continue
        if part.__class__ is Pick:
            if part.new:
                lengths.insert(axis, 1)
                inserted.append(axis)
            marks.append(len(rest))
            operands.append(_Operand(axis, None, (place, 0)))
            place += 1
        elif part.__class__ is int:
            rest.append((part, False))
            if part < lengths[axis]:
                operands.append(_Operand(axis, part, (place, 0)))
            place += 1
        else:
            n = lengths[axis]
            start, stop, step = slice(*part).indices(n)
            size = len(range(start, stop, step))
            rest.append((size, False))
            if step == 1 and size and (writing or picks):
                if size < n:
                    operands.append(_Operand(axis, size, (None, start)))
            elif size < n or step != 1:
                spans.append(_span(axis, start, size, step))
        axis += 1
    arrays = [p.shape for p in picks if p.shape is not None]
    together = bool(arrays) and all(mark == marks[0] for mark in marks)
    before = rest[: marks[0]] if together else []
    after = rest[len(before) :]
    inner = broadcast_shapes("indexing", arrays) if arrays else ()
    out = (*[n for n, _ in before], *inner, *[n for n, _ in after])
    position = sum([not new for _, new in before])
    selection = _selection(picks, operands, position, mode) if operands else None
    return Recipe(
        tuple(inserted),
        tuple(spans),
        _cuts(tuple(lengths), spans),
        selection,
        GATHER(selection=selection) if selection else None,
        tuple([o.source for o in operands]),
        out,
    )


def _without_ellipsis(shape: Shape, parts: tuple[Any, ...]) -> list[Any]:
    """The entries with the ellipsis, which stands at the end if there is none, written out."""
    place = parts.index(Ellipsis) if Ellipsis in parts else len(parts)
    taken = sum(
        [not (p is None or p is Ellipsis or (p.__class__ is Pick and p.new)) for p in parts]
    )
    whole = [(None, None, None)] * (len(shape) - taken)
    return [*parts[:place], *whole, *parts[place + 1 :]]


def _selection(picks: list[Pick], operands: list[_Operand], position: int, mode: Mode) -> Selection:
    known = all(p.known for p in picks)
    arrays = [p for p in picks if p.shape is not None]
    # One mask selects nothing twice, nor do integers.
    unique = all(p.mask and not p.new for p in arrays) and len({p.shape for p in arrays}) <= 1
    return Selection(
        tuple([o.axis for o in operands]),
        tuple([o.size for o in operands]),
        position,
        mode="checked" if known else mode,
        unique=unique,
    )


def _span(axis: int, start: int, size: int, step: int) -> Span:
    if not size:
        return Span(axis, 0, 0, 1, False)
    last = start + (size - 1) * step
    low, high = (start, last) if step > 0 else (last, start)
    return Span(axis, low, high + 1, abs(step) if size > 1 else 1, step < 0 and size > 1)


def _cuts(shape: Shape, spans: list[Span]) -> tuple[Operation, ...]:
    """The operations that make static slices."""
    start, limit, stride = [0] * len(shape), list(shape), [1] * len(shape)
    for span in spans:
        start[span.axis], limit[span.axis], stride[span.axis] = span.start, span.stop, span.step
    cuts = []
    if limit != list(shape) or any(start) or any(step > 1 for step in stride):
        cuts.append(SLICE(start=tuple(start), limit=tuple(limit), stride=tuple(stride)))
    reverse = tuple([span.axis for span in spans if span.reverse])
    if reverse:
        cuts.append(FLIP(axes=reverse))
    return tuple(cuts)


_FIRST = GATHER(selection=Selection((0,), (None,), mode="checked", unique=True))
"""Picking one element along the first axis."""
