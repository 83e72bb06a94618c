"""Products of vectors, matrices and stacks of them. einsum has a module of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fad.core.errors import FadValueError, located
from fad.core.tensor import Tensor
from fad.numpy.axes import one_axis, tensor
from fad.numpy.reductions import refuse_out
from fad.primitives.arithmetic import mul
from fad.primitives.complexes import conj
from fad.primitives.products import contract, dot_general
from fad.primitives.products import matmul as _matmul
from fad.primitives.shape import reshape

__all__ = ["dot", "inner", "kron", "matmul", "outer", "tensordot", "vdot", "vecdot"]


def matmul(x1: Any, x2: Any, /) -> Tensor:
    """The matrix product ``x1 @ x2``.

    Vectors count as a row on the left and as a column on the right, without that axis in the
    result; leading axes are stacks of matrices, which broadcast. Scalars are an error.

    >>> import fad.numpy as np
    >>> np.matmul([[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0])
    fad.Tensor([3., 7.])
    """
    return _matmul(tensor(x1), tensor(x2))


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


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Tensor:
    """The sum of ``conj(x1) * x2`` over one axis; the other axes broadcast.

    >>> import fad.numpy as np
    >>> np.vecdot([[1.0, 2.0], [3.0, 4.0]], [1.0, 10.0])
    fad.Tensor([21., 43.])
    """
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
    out = max(x_labels, y_labels, key=len)
    return contract(
        conj(x), x_labels, y, y_labels, tuple([label for label in out if label is not None])
    )


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
