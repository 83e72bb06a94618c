"""einsum: read the subscripts, choose an order (NumPy's), contract two operands at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from fad.core.aval import Shape
from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy.axes import tensor
from fad.numpy.ufunc import refuse_out
from fad.primitives.broadcast import convert
from fad.primitives.diagonal import diagonal
from fad.primitives.products import contract, sum_labels
from fad.primitives.shape import transpose

__all__ = ["einsum", "einsum_path"]

Label = Any
"""A letter, the integer of a sublist, or ``("...", k)`` for the k-th axis of an ellipsis."""
Labels = tuple[Label, ...]
Path = tuple[tuple[int, ...], ...]

_FEW = 4
"""Up to so many operands the best order is searched for; beyond, a greedy one is taken."""


class Recipe(NamedTuple):
    """What an einsum does: the labels of the operands' axes and the result's, and the order."""

    inputs: tuple[Labels, ...]
    output: Labels
    path: Path


def einsum(
    *operands: Any,
    out: None = None,
    optimize: Any = True,
    dtype: Any = None,
    order: str = "K",
    casting: str = "safe",
) -> Tensor:
    """Sums of products, in Einstein's notation: ``einsum("ij,jk->ik", a, b)`` is ``a @ b``.

    A letter names an axis. Letters that the part after ``->`` lacks are summed over; without that
    part those that occur twice are. A letter repeated within one operand takes the diagonal,
    ``...`` stands for axes that broadcast, and an axis of length 1 does so too. Operands and lists
    of integers in turn, ``einsum(a, [0, 1], b, [1, 2], [0, 2])``, are accepted as well.

    ``optimize`` says in which order operands are contracted, as in ``numpy.einsum``: True (the best
    order for up to four, a greedy one beyond), ``"greedy"``, ``"optimal"``, False (from left to
    right) or a path of ``einsum_path``. ``order`` and ``casting`` have no meaning for tensors.

    >>> import fad.numpy as np
    >>> np.einsum("ii->i", [[1.0, 2.0], [3.0, 4.0]])
    fad.Tensor([1., 4.])
    """
    refuse_out("einsum", out)
    subscripts, tensors = _split(operands)
    if dtype is not None:
        tensors = [convert(x, np.dtype(dtype)) for x in tensors]
    shapes = tuple([x.shape for x in tensors])
    path = tuple(map(tuple, optimize[1:])) if _is_path(optimize) else optimize
    return _cook(_recipe(subscripts, shapes, path), tensors)


def einsum_path(*operands: Any, optimize: Any = "greedy") -> tuple[list[Any], str]:
    """NumPy's ``einsum_path``: the order of contractions, and a report on its cost."""
    if isinstance(operands[0], str):
        return np.einsum_path(operands[0], *map(_dummy, operands[1:]), optimize=optimize)
    pairs = [_dummy(x) if i % 2 == 0 else x for i, x in enumerate(operands[:-1])]
    last = operands[-1] if len(operands) % 2 else list(operands[-1])
    return np.einsum_path(*pairs, last, optimize=optimize)


def _dummy(x: Any) -> np.ndarray:
    return _of_shape(tensor(x).shape)


def _of_shape(shape: Shape) -> np.ndarray:
    """An array of this shape that takes no memory: only shapes matter to the order."""
    return np.broadcast_to(np.zeros(()), shape)


def _is_path(optimize: Any) -> bool:
    return isinstance(optimize, list | tuple) and optimize[:1] in (
        ["einsum_path"],
        ("einsum_path",),
    )


# ----------------------------------------------------------------------------------- reading


def _split(operands: tuple[Any, ...]) -> tuple[Any, list[Tensor]]:
    """The subscripts, a string or a tuple of tuples, and the tensors."""
    if not operands:
        raise FadTypeError(located('einsum takes subscripts and operands: einsum("ij->ji", x)'))
    if isinstance(operands[0], str):
        return operands[0], [tensor(x) for x in operands[1:]]
    count = len(operands) // 2
    tensors = [tensor(x) for x in operands[: 2 * count : 2]]
    lists = [tuple(x) for x in operands[1 : 2 * count : 2]]
    output = tuple(operands[-1]) if len(operands) % 2 else None
    return (tuple(lists), output), tensors


@lru_cache(maxsize=2048)
def _recipe(subscripts: Any, shapes: tuple[Shape, ...], optimize: Any) -> Recipe:
    if isinstance(subscripts, str):
        terms, target = _terms(subscripts)
    else:
        terms, target = subscripts
    if len(terms) != len(shapes):
        raise _error(subscripts, f"names {len(terms)} operands, got {len(shapes)}")
    inputs = tuple(
        [
            _expand(subscripts, term, len(shape), i)
            for i, (term, shape) in enumerate(zip(terms, shapes, strict=True))
        ]
    )
    _check_lengths(subscripts, inputs, shapes)
    output = _output(subscripts, inputs, target)
    return Recipe(inputs, output, _path(inputs, output, shapes, optimize))


def _error(subscripts: Any, what: str) -> FadValueError:
    shown = repr(subscripts) if isinstance(subscripts, str) else f"with sublists {subscripts}"
    return FadValueError(located(f"einsum {shown} {what}"))


def _terms(subscripts: str) -> tuple[list[Labels], Labels | None]:
    """The terms of a string as labels, Ellipsis among them, and the output's if it is given."""
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    terms = [_letters(subscripts, term) for term in left.split(",")]
    return terms, _letters(subscripts, right) if arrow else None


def _letters(subscripts: str, term: str) -> Labels:
    first, dots, rest = term.partition("...")
    for letter in first + rest:
        if not letter.isalpha():
            raise _error(subscripts, f"has an invalid character {letter!r}: letters name axes")
    return (*first, *([Ellipsis] if dots else []), *rest)


def _expand(subscripts: Any, term: Labels, ndim: int, position: int) -> Labels:
    """The labels of an operand with ``ndim`` axes."""
    hidden = ndim - len(term) + 1
    if term.count(Ellipsis) > 1:
        raise _error(subscripts, "has more than one ellipsis in a term")
    if Ellipsis not in term:
        if len(term) != ndim:
            raise _error(
                subscripts, f"names {len(term)} axes of operand {position}, which has {ndim}"
            )
        return term
    if hidden < 0:
        raise _error(subscripts, f"names too many axes of operand {position}, which has {ndim}")
    place = term.index(Ellipsis)
    dots = [("...", k) for k in range(-hidden, 0)]
    return (*term[:place], *dots, *term[place + 1 :])


def _check_lengths(subscripts: Any, inputs: tuple[Labels, ...], shapes: Sequence[Shape]) -> None:
    lengths: dict[Label, int] = {}
    for labels, shape in zip(inputs, shapes, strict=True):
        own = dict(zip(labels, shape, strict=True))
        for label, n in zip(labels, shape, strict=True):
            known = lengths.setdefault(label, n)
            if known == 1:
                lengths[label] = n
            if own[label] != n or 1 != n != known != 1:
                name = "..." if isinstance(label, tuple) else label
                raise _error(
                    subscripts, f"has axes {name!r} of lengths {known} and {n}; shapes {shapes}"
                )


def _output(subscripts: Any, inputs: tuple[Labels, ...], target: Labels | None) -> Labels:
    counts: dict[Label, int] = {}
    for labels in inputs:
        for label in labels:
            counts[label] = counts.get(label, 0) + 1
    dots = sorted([label for label in counts if isinstance(label, tuple)], key=lambda p: p[1])
    if target is None:
        named = [label for label in counts if not isinstance(label, tuple)]
        return (*dots, *sorted([label for label in named if counts[label] == 1]))
    output: list[Label] = []
    for label in target:
        output.extend(dots if label is Ellipsis else [label])
    if dots and Ellipsis not in target:
        raise _error(subscripts, "has an ellipsis, which the output lacks")
    for label in output:
        if label not in counts or output.count(label) > 1:
            where = "twice in the output" if label in counts else "in no operand"
            raise _error(subscripts, f"names {label!r} {where}")
    return tuple(output)


# ---------------------------------------------------------------------------------- ordering


def _path(
    inputs: tuple[Labels, ...], output: Labels, shapes: Sequence[Shape], optimize: Any
) -> Path:
    """Which operands are contracted at each step; the result goes to the end of the list."""
    count = len(inputs)
    if isinstance(optimize, tuple) and not isinstance(optimize[0], str):
        return optimize
    if count <= 2 or optimize is False:
        return (tuple(range(count)),)
    if optimize is True:
        optimize = "optimal" if count <= _FEW else "greedy"
    letters: dict[Label, str] = {}
    terms = []
    lengths = []
    for labels, shape in zip(inputs, shapes, strict=True):
        own = dict(zip(labels, shape, strict=True))  # each once: diagonals are taken before
        terms.append("".join([letters.setdefault(a, _letter(len(letters))) for a in own]))
        lengths.append(tuple(own.values()))
    text = ",".join(terms) + "->" + "".join([letters[a] for a in output])
    path = np.einsum_path(text, *map(_of_shape, lengths), optimize=optimize)[0]
    return tuple(map(tuple, path[1:]))


def _letter(n: int) -> str:
    if n >= 52:
        raise FadValueError(located("einsum: more than 52 different axes"))
    return chr(ord("a") + n) if n < 26 else chr(ord("A") + n - 26)


# ----------------------------------------------------------------------------------- cooking


def _cook(recipe: Recipe, tensors: list[Tensor]) -> Tensor:
    """Contract the operands along the path."""
    pending = [_diagonal(x, labels) for x, labels in zip(tensors, recipe.inputs, strict=True)]
    for step in recipe.path:
        taken = [pending[i] for i in step]
        pending = [x for i, x in enumerate(pending) if i not in step]
        x, labels = taken[0]
        for i, (y, y_labels) in enumerate(taken[1:], 2):
            others = pending + taken[i:]
            out = _kept(labels, y_labels, others, recipe.output) if others else recipe.output
            x, labels = contract(x, labels, y, y_labels, out), out
        pending.append((x, labels))
    ((x, labels),) = pending
    x, labels = sum_labels(x, labels, set(labels).difference(recipe.output))
    return transpose(x, [labels.index(a) for a in recipe.output])


def _kept(x: Labels, y: Labels, others: list[tuple[Any, Labels]], output: Labels) -> Labels:
    """The axes of a product that are read later, in the order in which it has them."""
    later = set(output).union(*[labels for _, labels in others])
    both = [a for a in x if a in y]
    alone = [a for a in (*x, *y) if a not in both]
    return tuple([a for a in both + alone if a in later])


def _diagonal(x: Tensor, labels: Labels) -> tuple[Tensor, Labels]:
    """``x`` without repeated labels: for each, the diagonal of its axes is one axis."""
    while len(set(labels)) < len(labels):
        label = next(a for a in labels if labels.count(a) > 1)
        first = labels.index(label)
        second = labels.index(label, first + 1)
        rest = [axis for axis in range(len(labels)) if axis not in (first, second)]
        x = diagonal(transpose(x, (*rest, first, second)))
        labels = (*[labels[axis] for axis in rest], label)
    return x, labels
