"""Hessians and products with them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from fad.core import pytree
from fad.core.errors import FadTypeError, located
from fad.primitives import arithmetic
from fad.primitives import shape as shapes
from fad.transforms.arguments import Argnums, Selection
from fad.transforms.gradient import grad, value_and_grad
from fad.transforms.jacobians import ChunkSize, value_and_jacobian
from fad.transforms.pushforward import jvp, outermost, vjp


def hessian(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    chunk_size: ChunkSize = "auto",
    progress: bool = False,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """The Hessian of a scalar-valued function: forward mode over its gradient.

    Symmetry: for several leaves only the blocks on and above the diagonal are computed, the others
    are their transposes; each block on the diagonal is exactly symmetric.

    Args:
        f: function to a scalar.
        argnums: position(s) or name(s) of the arguments to differentiate.
        chunk_size, progress: as for :func:`fad.jacobian`.
        has_aux: ``f`` returns ``(result, aux)``; then so does the Hessian function.
        holomorphic: ``f`` is holomorphic: inputs and result are complex.

    Returns:
        A function of the same arguments. For an argument of shape ``n`` it gives shape ``(*n, *n)``;
        for pytrees a tree of trees.

    Raises:
        FadTypeError: the result is not a scalar; use ``jacobian(jacobian(f))``.

    >>> import fad
    >>> import numpy as np
    >>> fad.hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
    fad.Tensor([[4., 2.],
            [2., 0.]])
    """
    compute = value_grad_and_hessian(f, argnums, chunk_size, progress, has_aux, holomorphic)

    @wraps(f)
    @outermost
    def hessian_of_f(*args: Any, **kwargs: Any) -> Any:
        value, _, result = compute(*args, **kwargs)
        return (result, value[1]) if has_aux else result

    return hessian_of_f


def value_grad_and_hessian(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    chunk_size: ChunkSize = "auto",
    progress: bool = False,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """Value, gradient and Hessian from one evaluation; arguments as for :func:`hessian`.

    Returns ``(value, gradient, hessian)``; with ``has_aux`` the value is ``(value, aux)``.

    >>> import fad
    >>> fad.value_grad_and_hessian(lambda x: x * x * x)(2.0)
    (fad.Tensor(8.), fad.Tensor(12.), fad.Tensor(12.))
    """
    # Validates now, so that the error comes where the transform is written.
    selection = Selection("hessian", f, argnums)
    gradient = value_and_grad(f, argnums, has_aux, holomorphic, _name="hessian")

    def gradient_first(*args: Any, **kwargs: Any) -> Any:
        value, g = gradient(*args, **kwargs)
        return g, (value, g)

    compute = value_and_jacobian(
        gradient_first, argnums, "forward", chunk_size, progress, True, holomorphic
    )

    @wraps(f)
    @outermost
    def value_grad_and_hessian_of_f(*args: Any, **kwargs: Any) -> Any:
        (_, (value, g)), blocks = compute(*args, **kwargs)
        return value, g, _symmetric(blocks, g, selection.single)

    return value_grad_and_hessian_of_f


def _symmetric(blocks: Any, gradient: Any, single: bool) -> Any:
    """The Hessian's tree with blocks below the diagonal replaced by transposes of those above.

    What is computed for a block that is replaced is dead code, and never run.
    """
    leaves, treedef = pytree.flatten(gradient)
    count = len(leaves)
    flat, block_def = pytree.flatten(blocks)
    grid = [flat[i * count : (i + 1) * count] for i in range(count)]
    for i in range(count):
        for j in range(i):
            grid[i][j] = _swapped(grid[j][i], leaves[j].ndim, leaves[i].ndim)
        grid[i][i] = _mirrored(grid[i][i], leaves[i].size)
    return pytree.unflatten(block_def, [b for line in grid for b in line])


def _swapped(block: Any, first: int, second: int) -> Any:
    axes = (*range(first, first + second), *range(first))
    return shapes.transpose(block, axes) if first and second else block


def _mirrored(block: Any, n: int) -> Any:
    """The mean of a square block and its transpose."""
    if n < 2:
        return block
    square = shapes.reshape(block, (n, n))
    mean = arithmetic.mul(arithmetic.add(square, shapes.transpose(square, (1, 0))), 0.5)
    return shapes.reshape(mean, block.shape)


def _gradient_of_all(f: Callable[..., Any], transform: str, primals: Any) -> Callable[..., Any]:
    if not isinstance(primals, (tuple, list)):
        raise FadTypeError(
            located(
                f"{transform}: primals must be a tuple with one entry per argument, got "
                f"{type(primals).__name__}; write (x,) for a single argument"
            )
        )
    return grad(f, tuple(range(len(primals))))


@outermost
def hvp(f: Callable[..., Any], primals: Any, tangents: Any) -> Any:
    """Hessian-vector product ``H v`` of a scalar-valued function, forward over reverse.

    Args:
        f: function to a scalar.
        primals: tuple of arguments, each a pytree.
        tangents: the vector, of the same structure, shapes and dtypes.

    Returns:
        A tuple like ``primals``. Costs a small multiple of one evaluation of ``f``.

    >>> import fad
    >>> fad.hvp(lambda x, y: x * x * y, (1.0, 2.0), (1.0, 0.0))
    (fad.Tensor(4.), fad.Tensor(2.))
    """
    return jvp(_gradient_of_all(f, "hvp", primals), tuple(primals), tuple(tangents))[1]


@outermost
def vhp(f: Callable[..., Any], primals: Any, cotangents: Any) -> Any:
    """Vector-Hessian product ``v H`` of a scalar-valued function, reverse over reverse.

    Equal to :func:`hvp`, since Hessians are symmetric; the way to it is another.

    >>> import fad
    >>> fad.vhp(lambda x, y: x * x * y, (1.0, 2.0), (1.0, 0.0))
    (fad.Tensor(4.), fad.Tensor(2.))
    """
    _, pullback = vjp(_gradient_of_all(f, "vhp", primals), *primals)
    return pullback(tuple(cotangents))


@outermost
def gnvp(
    f: Callable[..., Any],
    primals: Any,
    tangents: Any,
    loss: Callable[[Any], Any] | None = None,
) -> Any:
    """Gauss-Newton-vector product ``J' H J v``.

    ``J`` is the Jacobian of ``f`` and ``H`` the Hessian of ``loss`` at ``f``'s result; without a loss
    it is that of half the sum of squares, the identity.

    Args:
        f: function of the primals, for example the residuals of a fit.
        primals: tuple of arguments, each a pytree.
        tangents: the vector, of the same structure, shapes and dtypes.
        loss: scalar-valued function of ``f``'s result.

    Returns:
        A tuple like ``primals``.

    >>> import fad
    >>> import numpy as np
    >>> fad.gnvp(lambda x: np.stack([x, 2.0 * x]), (3.0,), (1.0,))
    (fad.Tensor(5.),)
    """
    out, pushed = jvp(f, primals, tangents)
    if loss is not None:
        (pushed,) = hvp(loss, (out,), (pushed,))
    _, pullback = vjp(f, *primals)
    return pullback(pushed)
