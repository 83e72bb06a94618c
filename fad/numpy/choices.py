"""NumPy's choices among several tensors, element by element: select, piecewise, choose."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index as to_int
from typing import Any

import numpy as np

from fad.core import dtypes
from fad.core.aval import SCALARS
from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy.axes import is_sequence, tensor
from fad.numpy.dtypes import result_type
from fad.numpy.indexing import brought_inside
from fad.numpy.logic import listed
from fad.numpy.ufunc import refuse_out
from fad.primitives import comparison
from fad.primitives.broadcast import broadcast_to, convert, full
from fad.primitives.declare import broadcast_shapes

__all__ = ["choose", "piecewise", "select"]


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Tensor:
    """The first choice whose condition holds, element by element, else ``default``.

    All are computed everywhere; see :func:`where`.

    >>> import fad.numpy as fnp
    >>> x = fnp.arange(5.0)
    >>> fnp.select([x < 2, x > 3], [x, x**2], -1.0)
    fad.Tensor([ 0.,  1., -1., -1., 16.])
    """
    if len(condlist) != len(choicelist) or not len(condlist):
        raise FadValueError(
            located(
                "select needs as many conditions as choices, and at least one; got "
                f"{len(condlist)} and {len(choicelist)}"
            )
        )
    result = default
    for condition, choice in list(zip(condlist, choicelist, strict=True))[::-1]:
        mask = tensor(condition)
        if mask.dtype != dtypes.bool_:
            raise FadTypeError(
                located(f"select: conditions must be boolean, got {mask.dtype}: write x != 0")
            )
        result = comparison.select(mask, listed(choice), listed(result))
    return result


def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Tensor:
    """Functions, or constants, each where its condition holds; one more is for everywhere else.

    Unlike NumPy's, every function is called with all of ``x``. Where conditions overlap, the last
    one holds. The result has the dtype of ``x``.

    >>> import fad, fad.numpy as fnp
    >>> f = lambda x: fnp.sum(fnp.piecewise(x, [x < 0, x > 1], [0.0, lambda x: x**2, 1.0]))
    >>> fad.grad(f)(fad.asarray([-1.0, 0.5, 3.0]))
    fad.Tensor([0., 0., 6.])
    """
    x = tensor(x)
    # A single condition may stand without a list around it, also as a list of booleans.
    single = not is_sequence(condlist) or (x.ndim and not is_sequence(condlist[0]))
    conditions = [tensor(c) for c in ([condlist] if single else condlist)]
    if len(funclist) not in (len(conditions), len(conditions) + 1):
        raise FadValueError(
            located(
                f"with {len(conditions)} condition(s), either {len(conditions)} or "
                f"{len(conditions) + 1} functions are expected, got {len(funclist)}"
            )
        )
    values = [f(x, *args, **kw) if callable(f) else f for f in funclist]
    result = full(x.shape, 0, x.dtype)
    if len(values) > len(conditions):
        result = comparison.select(full(x.shape, True, dtypes.bool_), values.pop(), result)
    for condition, value in zip(conditions, values, strict=True):
        result = comparison.select(convert(condition, dtypes.bool_), value, result)
    return result.astype(x.dtype)


def choose(a: Any, choices: Any, out: None = None, mode: str = "raise") -> Tensor:
    """``choices[a[i]][i]`` for each i, where ``a`` and all choices broadcast together.

    An entry of ``a`` out of bounds is an error ("raise"; where ``a`` is a tensor, it counts as the
    nearest choice), counts modulo their number ("wrap"), or as the nearest one ("clip").

    >>> import fad.numpy as fnp
    >>> fnp.choose([1, 0, 1], [[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    fad.Tensor([10.,  2., 30.])
    """
    refuse_out("choose", out)
    if mode not in ("raise", "wrap", "clip"):
        raise FadValueError(
            located(f"choose: mode must be 'raise', 'wrap' or 'clip', got {mode!r}")
        )
    number = tensor(a)
    if number.dtype.kind not in "biu":
        raise FadTypeError(
            located(f"choose: the first argument must be integers, got {number.dtype}")
        )
    options = [tensor(choices)[i] for i in range(len(choices))] if _is_array(choices) else choices
    if not len(options):
        raise FadValueError(located("choose: there are no choices"))
    common = result_type(*[c if type(c) in SCALARS else tensor(c) for c in options])
    options = [convert(tensor(c), common) for c in options]
    number = convert(number, dtypes.int64)
    if mode == "raise" and not isinstance(a, Tensor):
        _check(np.asarray(a), len(options))
    if mode == "wrap":
        number = brought_inside(number, len(options), mode)
    shape = broadcast_shapes("choose", [number.shape, *[c.shape for c in options]])
    result = broadcast_to(options[-1], shape)
    for i in range(len(options) - 2, -1, -1):
        result = comparison.select(comparison.le(number, i), options[i], result)
    return result


def _is_array(choices: Any) -> bool:
    return isinstance(choices, Tensor | np.ndarray)


def _check(entries: np.ndarray, count: int) -> None:
    bad = entries[(entries < 0) | (entries >= count)]
    if bad.size:
        raise FadValueError(
            located(f"choose: invalid entry {to_int(bad[0])}: there are {count} choices")
        )
