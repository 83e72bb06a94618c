"""Products of vectors, matrices and stacks of them. einsum has a module of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fad.core.errors import FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy.axes import is_sequence, one_axis, several_axes, tensor
from fad.numpy.ufunc import refuse_out, with_options
from fad.primitives.arithmetic import mul, sub
from fad.primitives.complexes import conj
from fad.primitives.products import contract, dot_general
from fad.primitives.products import matmul as _matmul
from fad.primitives.shape import moveaxis, moved_axes, pad, reshape, roll, squeeze, transpose
from fad.primitives.shape import slice_axis as _slice

__all__ = [
    "cross", "dot", "inner", "kron", "matmul", "matvec", "outer", "tensordot", "vdot", "vecdot",
    "vecmat",
]  # fmt: skip


def _with_options(
    name: str, function: Any, x1: Any, x2: Any, cores: tuple[int, int, int], out: Any,
    options: dict[str, Any],
) -> Tensor:  # fmt: skip
    """A generalized ufunc with NumPy's options: ``axes`` says where operands and result have the
    axes that it works on, which are as many as ``cores`` says and else the last ones."""
    axes = options.pop("axes", None)
    if axes is None:
        return with_options(name, function, (x1, x2), out, options)
    places = [tuple(a) if is_sequence(a) else (a,) for a in axes]
    if len(places) == 2 and not cores[2]:
        places.append(())
    if tuple(map(len, places)) != cores:
        raise FadValueError(
            located(f"{name}: axes must be a list of tuples of {cores} axes, got {axes}")
        )
    inputs = [_to_end(name, tensor(x), p) for x, p in zip((x1, x2), places, strict=False)]
    result = with_options(name, function, tuple(inputs), out, options)
    ends = tuple(range(result.ndim - cores[2], result.ndim))
    targets = several_axes(name, places[2], result.ndim)
    return transpose(result, moved_axes(result.ndim, ends, targets))


def _to_end(name: str, x: Tensor, axes: tuple[int, ...]) -> Tensor:
    found = several_axes(name, axes, x.ndim)
    ends = range(x.ndim - len(found), x.ndim)
    return transpose(x, moved_axes(x.ndim, found, tuple(ends)))


def matmul(x1: Any, x2: Any, /, out: None = None, **options: Any) -> Tensor:
    """The matrix product ``x1 @ x2``.

    Vectors count as a row on the left and as a column on the right, without that axis in the
    result; leading axes are stacks of matrices, which broadcast. Scalars are an error.

    >>> import fad.numpy as np
    >>> np.matmul([[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0])
    fad.Tensor([3., 7.])
    """
    if out is not None or options:
        return _with_options("matmul", matmul, x1, x2, (2, 2, 2), out, options)
    if isinstance(x1, Tensor) and isinstance(x2, Tensor):  # the hot path
        return _matmul(x1, x2)
    return _matmul(tensor(x1), tensor(x2))


def matvec(x1: Any, x2: Any, /, out: None = None, **options: Any) -> Tensor:
    """The product of matrices and vectors; leading axes, of both, broadcast.

    >>> import fad.numpy as np
    >>> np.matvec([[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [0.0, 1.0]])
    fad.Tensor([[1., 3.],
                [2., 4.]])
    """
    if out is not None or options:
        return _with_options("matvec", matvec, x1, x2, (2, 1, 1), out, options)
    x, y = tensor(x1), tensor(x2)
    _check_ranks("matvec", x, 2, y, 1)
    _check_lengths("matvec", x, y, x.ndim - 1, y.ndim - 1)
    lead = _leading(x.ndim - 2, y.ndim - 1)
    return contract(x, (*lead[0], -2, -1), y, (*lead[1], -1), (*max(lead, key=len), -2))


def vecmat(x1: Any, x2: Any, /, out: None = None, **options: Any) -> Tensor:
    """The product of vectors, conjugated, and matrices; leading axes, of both, broadcast."""
    if out is not None or options:
        return _with_options("vecmat", vecmat, x1, x2, (1, 2, 1), out, options)
    x, y = tensor(x1), tensor(x2)
    _check_ranks("vecmat", x, 1, y, 2)
    _check_lengths("vecmat", x, y, x.ndim - 1, y.ndim - 2)
    lead = _leading(x.ndim - 1, y.ndim - 2)
    return contract(conj(x), (*lead[0], -1), y, (*lead[1], -1, -2), (*max(lead, key=len), -2))


def _leading(x_count: int, y_count: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Labels for leading axes, which are aligned at the right."""
    most = max(x_count, y_count)
    labels = tuple(range(most))
    return labels[most - x_count :], labels[most - y_count :]


def _check_ranks(name: str, x: Tensor, x_least: int, y: Tensor, y_least: int) -> None:
    for which, operand, least in (("first", x, x_least), ("second", y, y_least)):
        if operand.ndim < least:
            what = "matrices" if least == 2 else "vectors"
            raise FadValueError(
                located(f"{name}: the {which} operand must be {what}, got shape {operand.shape}")
            )


def _check_lengths(name: str, x: Tensor, y: Tensor, x_axis: int, y_axis: int) -> None:
    if x.shape[x_axis] != y.shape[y_axis]:
        raise FadValueError(
            located(
                f"{name}: axis {x_axis} of shape {x.shape} and axis {y_axis} of shape {y.shape} "
                f"must have one length; got {x.shape[x_axis]} and {y.shape[y_axis]}"
            )
        )


def dot(a: Any, b: Any, out: None = None) -> Tensor:
    """The sum of products over the last axis of ``a`` and the last but one (or only) one of ``b``.

    Other axes are not paired: the result has those of ``a``, then those of ``b``. With a scalar it
    is multiplication.

    >>> import fad.numpy as np
    >>> np.dot([1.0, 2.0], [3.0, 4.0])
    fad.Tensor(11.)
    """
    refuse_out("dot", out)
    x, y = tensor(a), tensor(b)
    if not x.ndim or not y.ndim:
        return mul(x, y)
    return _pairing("dot", x, y, max(y.ndim - 2, 0))


def inner(a: Any, b: Any, /) -> Tensor:
    """The sum of products over the last axis of both; with a scalar it is multiplication."""
    x, y = tensor(a), tensor(b)
    if not x.ndim or not y.ndim:
        return mul(x, y)
    return _pairing("inner", x, y, y.ndim - 1)


def _pairing(name: str, x: Tensor, y: Tensor, axis: int) -> Tensor:
    if x.shape[-1] != y.shape[axis]:
        raise FadValueError(
            located(
                f"{name}: shapes {x.shape} and {y.shape} not aligned: {x.shape[-1]} (dim "
                f"{x.ndim - 1}) != {y.shape[axis]} (dim {axis}); transpose an operand"
            )
        )
    return dot_general(x, y, ((x.ndim - 1,), (axis,)))


def vdot(a: Any, b: Any, /) -> Tensor:
    """The sum of ``conj(a) * b`` over all elements of two tensors of equal size."""
    x, y = tensor(a), tensor(b)
    return _pairing("vdot", conj(reshape(x, (x.size,))), reshape(y, (y.size,)), 0)


def vecdot(x1: Any, x2: Any, /, out: None = None, *, axis: int = -1, **options: Any) -> Tensor:
    """The sum of ``conj(x1) * x2`` over one axis; the other axes broadcast.

    >>> import fad.numpy as np
    >>> np.vecdot([[1.0, 2.0], [3.0, 4.0]], [1.0, 10.0])
    fad.Tensor([21., 43.])
    """
    if out is not None or options:
        if axis != -1:
            options["axes"] = [(axis,), (axis,), ()]
        return _with_options("vecdot", vecdot, x1, x2, (1, 1, 0), out, options)
    x, y = tensor(x1), tensor(x2)
    for operand in (x, y):
        if not operand.ndim:
            raise FadValueError(
                located("vecdot: operands must have at least one axis; multiply scalars with *")
            )
    x_axis, y_axis = one_axis("vecdot", axis, x.ndim), one_axis("vecdot", axis, y.ndim)
    if x.shape[x_axis] != y.shape[y_axis]:
        raise FadValueError(
            located(
                f"vecdot: axis {axis} has length {x.shape[x_axis]} in the first operand and "
                f"{y.shape[y_axis]} in the second (shapes {x.shape} and {y.shape})"
            )
        )
    x_labels = _right_aligned(x.ndim, x_axis)
    y_labels = _right_aligned(y.ndim, y_axis)
    longer = max(x_labels, y_labels, key=len)
    kept = tuple([label for label in longer if label is not None])
    return contract(conj(x), x_labels, y, y_labels, kept)


def _right_aligned(ndim: int, axis: int) -> tuple[int | None, ...]:
    """Labels for the axes, counted from the last one without ``axis``, which has None."""
    labels: list[int | None] = list(range(1 - ndim, 0))
    labels.insert(axis, None)
    return tuple(labels)


def outer(a: Any, b: Any, out: None = None) -> Tensor:
    """All products of an element of ``a`` and one of ``b``, as a matrix.

    >>> import fad.numpy as np
    >>> np.outer([1.0, 2.0], [3.0, 4.0])
    fad.Tensor([[3., 4.],
                [6., 8.]])
    """
    refuse_out("outer", out)
    x, y = tensor(a), tensor(b)
    return dot_general(reshape(x, (x.size,)), reshape(y, (y.size,)), ((), ()))


def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Tensor:
    """The cross product of vectors in three dimensions; the other axes broadcast.

    ``axisa``, ``axisb``, ``axisc`` say where operands and result have their vectors, ``axis`` does
    for all. A vector of two counts as one with third component 0; of two such, the result is the
    third component alone.

    >>> import fad.numpy as np
    >>> np.cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    fad.Tensor([0., 0., 1.])
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = tensor(a), tensor(b)
    if not x.ndim or not y.ndim:
        raise FadValueError(located("cross: both operands need an axis of vectors"))
    x = moveaxis(x, one_axis("cross", axisa, x.ndim), x.ndim - 1)
    y = moveaxis(y, one_axis("cross", axisb, y.ndim), y.ndim - 1)
    if not {x.shape[-1], y.shape[-1]} <= {2, 3}:
        raise FadValueError(
            located(
                "incompatible dimensions for cross product (dimension must be 2 or 3): the vectors "
                f"have {x.shape[-1]} and {y.shape[-1]}"
            )
        )
    if x.shape[-1] == y.shape[-1] == 2:
        return squeeze(_third(x, y), (max(x.ndim, y.ndim) - 1,))
    x, y = _three(x), _three(y)
    ahead = mul(_turned(x, -1), _turned(y, -2))
    out = sub(ahead, mul(_turned(x, -2), _turned(y, -1)))
    return moveaxis(out, out.ndim - 1, one_axis("cross", axisc, out.ndim))


def _third(x: Tensor, y: Tensor) -> Tensor:
    """The third component of a cross product, with an axis of length 1 for it."""
    (x0, x1), (y0, y1) = ([_slice(v, i, i + 1, axis=v.ndim - 1) for i in (0, 1)] for v in (x, y))
    return sub(mul(x0, y1), mul(x1, y0))


def _three(x: Tensor) -> Tensor:
    missing = 3 - x.shape[-1]
    return pad(x, [0] * x.ndim, [0] * (x.ndim - 1) + [missing])


def _turned(x: Tensor, shift: int) -> Tensor:
    return roll(x, [shift], [x.ndim - 1])


def tensordot(a: Any, b: Any, axes: int | Sequence[Any] = 2) -> Tensor:
    """The sum of products over pairs of axes.

    ``axes`` is a number N (the last N of ``a`` with the first N of ``b``, in order) or two
    sequences of axes. The result has the other axes of ``a``, then those of ``b``.
    """
    x, y = tensor(a), tensor(b)
    if isinstance(axes, int):
        if not 0 <= axes <= min(x.ndim, y.ndim):
            raise FadValueError(
                located(f"tensordot: axes={axes} of operands of shapes {x.shape} and {y.shape}")
            )
        pair = tuple(range(x.ndim - axes, x.ndim)), tuple(range(axes))
    else:
        x_axes, y_axes = ([k] if isinstance(k, int) else k for k in axes)
        pair = (
            tuple([one_axis("tensordot", k, x.ndim) for k in x_axes]),
            tuple([one_axis("tensordot", k, y.ndim) for k in y_axes]),
        )
    lengths = [x.shape[k] for k in pair[0]], [y.shape[k] for k in pair[1]]
    if lengths[0] != lengths[1] or any(len(set(side)) < len(side) for side in pair):
        raise FadValueError(
            located(
                f"tensordot: shape-mismatch for sum: axes {pair[0]} of shape {x.shape} and "
                f"{pair[1]} of shape {y.shape} must be equally many, distinct and of equal lengths"
            )
        )
    return dot_general(x, y, pair)


def kron(a: Any, b: Any) -> Tensor:
    """The Kronecker product: every element of ``a`` times the whole of ``b``, in blocks.

    >>> import fad.numpy as np
    >>> np.kron([1.0, 10.0], [1.0, 2.0])
    fad.Tensor([ 1.,  2., 10., 20.])
    """
    x, y = tensor(a), tensor(b)
    ndim = max(x.ndim, y.ndim)
    xs = (1,) * (ndim - x.ndim) + x.shape
    ys = (1,) * (ndim - y.ndim) + y.shape
    x = reshape(x, tuple([n for length in xs for n in (length, 1)]))
    y = reshape(y, tuple([n for length in ys for n in (1, length)]))
    return reshape(mul(x, y), tuple([math.prod(pair) for pair in zip(xs, ys, strict=True)]))
