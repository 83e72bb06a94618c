"""Looking at functions without running them: eval_shape and make_graph; and stop_gradient."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from fad.core import pytree
from fad.core.apply import apply1
from fad.core.errors import check_callable
from fad.core.graph import Graph, simplify
from fad.core.leaves import output_avals, output_leaves
from fad.core.tensor import Tensor, lift
from fad.primitives.identity import STOP_GRADIENT
from fad.staging.capture import capture
from fad.transforms.arguments import rebuilt
from fad.transforms.checks import shape_only


def eval_shape(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Shapes and dtypes of a function's results, without computing them.

    Args:
        f: function of pytrees.
        args, kwargs: its arguments, or anything with their shapes and dtypes (avals, arrays).

    Returns:
        The result's tree with an aval (``shape``, ``dtype``, ``weak``) at each leaf.

    >>> import fad
    >>> import numpy as np
    >>> fad.eval_shape(lambda x: x @ x.T, np.zeros((3, 2)))
    f64[3,3]
    """
    check_callable("eval_shape", f, "(f, *args)")
    graph, treedef = _captured("eval_shape", f, args, kwargs)
    avals, full_tree = output_avals(graph.out_avals, treedef)
    return pytree.unflatten(full_tree, avals)


def make_graph(f: Callable[..., Any]) -> Callable[..., Graph]:
    """The graph of a function: what ``jit`` compiles, after simplification.

    >>> import fad
    >>> print(fad.make_graph(lambda x: x * x + x)(1.0))
    graph(a: f64~):
      b: f64~ = mul a a
      c: f64~ = add b a
      return c
    """

    check_callable("make_graph", f)

    @wraps(f)
    def graph_of_f(*args: Any, **kwargs: Any) -> Graph:
        return simplify(_captured("make_graph", f, args, kwargs)[0])

    return graph_of_f


def _captured(
    transform: str, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Graph, Any]:
    keywords = list(kwargs)
    avals, treedefs = shape_only(
        transform,
        lambda i: f"argument {i if i < len(args) else repr(keywords[i - len(args)])}",
        [*args, *kwargs.values()],
    )
    trees: list[Any] = []

    def flat(*tensors: Any) -> list[Any]:
        values = rebuilt(treedefs, tensors)
        out = f(*values[: len(args)], **dict(zip(keywords, values[len(args) :], strict=True)))
        outs, out_tree = output_leaves(transform, f, out)
        trees.append(out_tree)
        return outs

    graph, _ = capture(flat, avals, f, transform)
    return graph, trees[0]


def stop_gradient(x: Any) -> Any:
    """The same values, as constants of every differentiation, in both modes. Takes pytrees.

    >>> import fad
    >>> fad.grad(lambda x: x * fad.stop_gradient(x))(3.0)
    fad.Tensor(3.)
    """
    return pytree.map(_stopped, x)


def _stopped(x: Any) -> Tensor:
    x = lift(x)
    return apply1(STOP_GRADIENT(), x) if x.aval.inexact else x
