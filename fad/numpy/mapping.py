"""Functions mapped over axes: apply_along_axis, apply_over_axes, vectorize.

The functions are called once, on all examples together (see :func:`fad.vmap`), so what they give
is differentiated, compiled and batched like anything else; they cannot branch on values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial, wraps
from typing import Any

from fad.core.aval import Shape
from fad.core.errors import FadTypeError, FadValueError, check_callable, located
from fad.core.tensor import Tensor
from fad.numpy.axes import is_sequence, one_axis, tensor
from fad.numpy.dtypes import as_dtype
from fad.numpy.shapes import expand_dims
from fad.primitives.broadcast import broadcast_to, convert
from fad.primitives.declare import broadcast_shapes
from fad.primitives.shape import moved_axes, reshape, transpose
from fad.transforms.vectorize import vmap

__all__ = ["apply_along_axis", "apply_over_axes", "vectorize"]


def apply_along_axis(
    func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any
) -> Tensor:
    """``func1d(line, *args, **kwargs)`` of every line along ``axis``, whose place the result's axes
    take.

    ``func1d`` is called once, as ``fad.vmap`` calls it, not once for every line.

    >>> import fad.numpy as fnp
    >>> fnp.apply_along_axis(lambda v: v[0] + v[-1], 1, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    fad.Tensor([ 4., 10.])
    """
    check_callable("numpy.apply_along_axis", func1d, "(func1d, axis, arr)")
    x = tensor(arr)
    along = one_axis("apply_along_axis", axis, x.ndim)
    others = [i for i in range(x.ndim) if i != along]
    lead = tuple([x.shape[i] for i in others])
    count = math.prod(lead)
    if not count:
        raise FadValueError(
            located(
                "Cannot apply_along_axis when any iteration dimensions are 0: "
                f"axis {axis} of shape {x.shape}"
            )
        )
    lines = reshape(transpose(x, (*others, along)), (count, x.shape[along]))

    @wraps(func1d)
    def of_line(line: Any) -> Tensor:
        return tensor(func1d(line, *args, **kwargs))

    out = vmap(of_line)(lines)
    rank = out.ndim - 1
    out = reshape(out, lead + out.shape[1:])
    results = tuple(range(len(lead), len(lead) + rank))
    places = tuple(range(along, along + rank))
    return transpose(out, moved_axes(out.ndim, results, places))


def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Tensor:
    """``func(a, axis)`` for each of ``axes`` in turn; an axis that it drops stays, of length 1.

    >>> import fad.numpy as fnp
    >>> fnp.apply_over_axes(fnp.sum, fnp.ones((2, 3, 4)), [0, 2])
    fad.Tensor([[[8.],
                 [8.],
                 [8.]]])
    """
    x = tensor(a)
    ndim = x.ndim
    for axis in axes if is_sequence(axes) else (axes,):
        along = one_axis("apply_over_axes", axis, ndim)
        out = tensor(func(x, along))
        if out.ndim == ndim - 1:
            out = expand_dims(out, along)
        if out.ndim != ndim:
            raise FadValueError(
                located(
                    "apply_over_axes: function is not returning an array of the correct shape: "
                    f"{out.shape} for one of shape {x.shape}"
                )
            )
        x = out
    return x


# -------------------------------------------------------------------------------------- vectorize

_NAME = r"[A-Za-z_]\w*"
_CORE = rf"\(\s*(?:{_NAME}(?:\s*,\s*{_NAME})*)?\s*,?\s*\)"
_SIGNATURE = re.compile(rf"\s*(?:{_CORE}(?:\s*,\s*{_CORE})*)?\s*->\s*{_CORE}(?:\s*,\s*{_CORE})*\s*")

Cores = list[tuple[str, ...]]


def vectorize(
    pyfunc: Callable[..., Any] | None = None,
    otypes: Any = None,
    doc: str | None = None,
    excluded: Iterable[int | str] | None = None,
    cache: bool = False,
    signature: str | None = None,
) -> Callable[..., Any]:
    """``pyfunc``, a function of numbers, as one of tensors that broadcast; also as a decorator.

    With a ``signature`` such as ``"(m,n),(n)->(m)"`` it is a function of vectors and matrices, and
    the axes before those broadcast. ``excluded`` are positions and names of arguments to be passed
    on as they are, ``otypes`` the dtypes of the results, which are otherwise whatever comes out.
    ``cache`` changes nothing: ``pyfunc`` is called once, as ``fad.vmap`` calls it.

    >>> import fad.numpy as fnp
    >>> fnp.vectorize(lambda x, y: x * y + 1.0)([1.0, 2.0], [[3.0], [4.0]])
    fad.Tensor([[4., 7.],
                [5., 9.]])
    >>> fnp.vectorize(lambda a, b: a @ b, signature="(n),(n)->()")([[1.0, 2.0], [3.0, 4.0]], [1, 1])
    fad.Tensor([3., 7.])
    """
    if pyfunc is None:
        return partial(
            vectorize, otypes=otypes, doc=doc, excluded=excluded, cache=cache, signature=signature
        )
    check_callable("numpy.vectorize", pyfunc, "(pyfunc)")
    function = pyfunc
    cores = None if signature is None else _parsed(signature)
    left_out = set(excluded or ())
    targets = None if otypes is None else [as_dtype(t) for t in otypes]

    @wraps(function)
    def vectorized(*args: Any, **kwargs: Any) -> Any:
        names: list[int | str] = [i for i in range(len(args)) if i not in left_out]
        names += [k for k in kwargs if k not in left_out]
        operands = [tensor(args[k] if isinstance(k, int) else kwargs[k]) for k in names]

        @wraps(function)
        def of_operands(*values: Any) -> Any:
            given = dict(zip(names, values, strict=True))
            out = function(
                *[given.get(i, a) for i, a in enumerate(args)],
                **{k: given.get(k, v) for k, v in kwargs.items()},
            )
            return tuple(map(tensor, out)) if isinstance(out, tuple) else tensor(out)

        inputs = [()] * len(operands) if cores is None else cores[0]
        if len(inputs) != len(operands):
            raise FadTypeError(
                located(
                    f"wrong number of positional arguments: {signature} has {len(inputs)}, got "
                    f"{len(operands)}"
                )
            )
        out = _mapped(of_operands, operands, inputs, None if cores is None else cores[1])
        return out if targets is None else _converted(out, targets)

    if doc is not None:
        vectorized.__doc__ = doc
    return vectorized


def _parsed(signature: str) -> tuple[Cores, Cores]:
    """The core dimensions of arguments and results."""
    if not _SIGNATURE.fullmatch(signature):
        raise FadValueError(located(f"not a valid gufunc signature: {signature!r}"))
    inputs, outputs = [
        [tuple(re.findall(_NAME, core)) for core in re.findall(_CORE, side)]
        for side in signature.split("->")
    ]
    return inputs, outputs


def _mapped(
    function: Callable[..., Any], operands: list[Tensor], inputs: Sequence[Any], outputs: Any
) -> Any:
    """The function of the last axes of operands, for each index of the others, which broadcast."""
    lengths: dict[str, int] = {}
    leads = []
    for x, core in zip(operands, inputs, strict=True):
        cut = x.ndim - len(core)
        if cut < 0:
            raise FadValueError(
                located(f"vectorize: {x.ndim}-dimensional argument does not have {core} axes")
            )
        leads.append(x.shape[:cut])
        _check_core("argument", lengths, core, x.shape[cut:])
    lead = broadcast_shapes("vectorize", leads)
    count = math.prod(lead)
    if not any(leads):
        out = function(*operands)
    else:
        rows = [
            reshape(broadcast_to(x, lead + x.shape[len(own) :]), (count, *x.shape[len(own) :]))
            if own
            else x
            for x, own in zip(operands, leads, strict=True)
        ]
        out = vmap(function, in_axes=tuple([0 if own else None for own in leads]))(*rows)
    results = out if isinstance(out, tuple) else (out,)
    skip = 1 if any(leads) else 0
    if outputs is not None:
        if len(results) != len(outputs):
            raise FadValueError(
                located(f"vectorize: wrong number of outputs: {len(outputs)}, got {len(results)}")
            )
        for result, core in zip(results, outputs, strict=True):
            _check_core("result", lengths, core, result.shape[skip:])
    shaped: Any = tuple([reshape(r, (*lead, *r.shape[skip:])) for r in results])
    return shaped if isinstance(out, tuple) else shaped[0]


def _check_core(what: str, lengths: dict[str, int], core: tuple[str, ...], shape: Shape) -> None:
    if len(core) != len(shape):
        raise FadValueError(
            located(f"vectorize: a {what} of shape {shape} does not have the core axes {core}")
        )
    for name, n in zip(core, shape, strict=True):
        if lengths.setdefault(name, n) != n:
            raise FadValueError(
                located(
                    f"vectorize: inconsistent size for core dimension {name!r}: {n} vs "
                    f"{lengths[name]}"
                )
            )


def _converted(out: Any, targets: list[Any]) -> Any:
    results = out if isinstance(out, tuple) else (out,)
    if len(results) != len(targets):
        raise FadValueError(located(f"vectorize: {len(targets)} otypes for {len(results)} results"))
    converted = tuple([convert(r, t) for r, t in zip(results, targets, strict=True)])
    return converted if isinstance(out, tuple) else converted[0]
