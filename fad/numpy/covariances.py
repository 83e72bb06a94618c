"""Covariance and correlation of variables from their observations."""

from __future__ import annotations

from typing import Any

import numpy as np

from fad.core import dtypes
from fad.core.apply import apply1
from fad.core.errors import FadTypeError, FadValueError, located
from fad.core.tensor import Array, Tensor
from fad.numpy.axes import tensor
from fad.numpy.dtypes import as_dtype
from fad.numpy.elementwise import clip
from fad.primitives import complexes
from fad.primitives.arithmetic import add, div, mul, sqrt, sub
from fad.primitives.broadcast import convert, full
from fad.primitives.diagonal import diagonal
from fad.primitives.extrema import maximum
from fad.primitives.identity import STOP_GRADIENT
from fad.primitives.join import concatenate
from fad.primitives.products import dot_general
from fad.primitives.reductions import reduce_sum
from fad.primitives.shape import reshape, transpose

__all__ = ["corrcoef", "cov"]


def _variables(name: str, m: Any, rowvar: bool) -> Tensor:
    """One row for each variable, one column for each observation."""
    x = tensor(m)
    if x.ndim > 2:
        raise FadValueError(located(f"cov: {name} has more than 2 dimensions: shape {x.shape}"))
    if x.ndim < 2:
        return reshape(x, (1, x.size))
    one_row = name == "y" and x.shape[0] == 1  # which NumPy takes for a variable in any case
    return x if rowvar or one_row else transpose(x, (1, 0))


def _weights(name: str, given: Any, count: int) -> Tensor | None:
    """One weight for each observation; checked as far as the numbers are known."""
    if given is None:
        return None
    w = tensor(given)
    if w.shape != (count,):
        raise FadValueError(
            located(f"cov: {name} of shape {w.shape} do not fit {count} observations")
        )
    known = np.asarray(w) if isinstance(w, Array) else np.ones(1)
    if np.any(known < 0):
        raise FadValueError(located(f"cov: {name} cannot be negative"))
    if name == "fweights" and np.any(known != np.rint(known)):
        raise FadTypeError(located("cov: fweights must be integer; aweights need not be"))
    return w if w.aval.inexact else convert(w, dtypes.float64)


def _freedom(w: Tensor | None, aweights: Tensor | None, count: int, ddof: int) -> Any:
    """What the sums of products are divided by; 0 where it would be less."""
    if w is None:
        return float(max(count - ddof, 0))
    total = reduce_sum(w, (0,))
    if not ddof:
        return total
    lost: Any = float(ddof)
    if aweights is not None:
        lost = div(mul(reduce_sum(mul(w, aweights), (0,)), lost), total)
    return maximum(sub(total, lost), 0.0)


def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Tensor:
    """The covariance matrix of variables, which are rows, or columns if ``rowvar`` is False.

    ``y`` are further variables. Divided by n - ``ddof``, where that is 1, or 0 with ``bias``.
    ``fweights`` say how often each observation was made, ``aweights`` how important it is. A single
    variable has a variance, without axes.

    >>> import fad.numpy as fnp
    >>> fnp.cov([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])
    fad.Tensor([[ 1., -1.],
                [-1.,  1.]])
    """
    if ddof is not None and ddof != int(ddof):
        raise FadValueError(located(f"cov: ddof must be integer, got {ddof}"))
    rows = [_variables("m", m, rowvar)]
    if y is not None:
        rows.append(_variables("y", y, rowvar))
    target = None if dtype is None else as_dtype(dtype)
    for x in rows if target is None else ():
        target = dtypes.promote_types(target or dtypes.float64, x.dtype)
    assert target is not None
    rows = [convert(x, target) for x in rows]
    x = rows[0]
    if not x.shape[0]:
        return full((0, 0), 0, target)
    if len(rows) > 1:
        if rows[1].shape[1] != x.shape[1]:
            raise FadValueError(
                located(f"cov: {x.shape[1]} observations in m, {rows[1].shape[1]} in y")
            )
        x = concatenate(rows, 0)
    lost = (0 if bias else 1) if ddof is None else int(ddof)
    count = x.shape[1]
    often = _weights("fweights", fweights, count)
    important = _weights("aweights", aweights, count)
    w = important if often is None else often if important is None else mul(often, important)
    freedom = _freedom(w, important, count, lost)
    weighted = x if w is None else mul(x, w)
    total = float(count) if w is None else reduce_sum(w, (0,))
    x = sub(x, div(reduce_sum(weighted, (1,), True), total))
    other = complexes.conj(x if w is None else mul(x, w))
    products = dot_general(x, other, ((1,), (1,)))
    out = convert(div(products, freedom), target)
    return reshape(out, ()) if out.shape == (1, 1) else out


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Tensor:
    """The correlation coefficients of variables; see :func:`cov`.

    Their parts are brought into [-1, 1], where rounding left it; the derivative is not touched. A
    variable that does not vary has none: NaN.

    >>> import fad.numpy as fnp
    >>> fnp.corrcoef([[0.0, 1.0, 2.0], [5.0, 3.0, 1.0]])
    fad.Tensor([[ 1., -1.],
                [-1.,  1.]])
    """
    c = cov(x, y, rowvar, dtype=dtype)
    if not c.ndim:
        return div(c, c)
    spread = sqrt(complexes.real(diagonal(c, 0)))
    n = spread.size
    c = div(div(c, reshape(spread, (n, 1))), spread)
    if dtypes.kind(c.dtype) != "c":
        return _limited(c)
    return complexes.make_complex(_limited(complexes.real(c)), _limited(complexes.imag(c)))


def _limited(c: Tensor) -> Tensor:
    """``c`` brought into [-1, 1] by a correction that has no derivative."""
    return add(c, apply1(STOP_GRADIENT(), sub(clip(c, -1.0, 1.0), c)))
