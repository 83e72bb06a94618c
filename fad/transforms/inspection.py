"""Looking at functions without running them: eval_shape and make_graph; and stop_gradient."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from fad.core import pytree
from fad.core.apply import apply1
from fad.core.graph import Graph, simplify
from fad.core.tensor import Tensor, aval_of, lift
from fad.primitives.identity import STOP_GRADIENT
from fad.staging.capture import capture
from fad.transforms.checks import output_leaves


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
    graph, treedef = _captured(f, args, kwargs)
    return pytree.unflatten(treedef, graph.out_avals)


def make_graph(f: Callable[..., Any]) -> Callable[..., Graph]:
    """The graph of a function: what ``jit`` compiles, after simplification.

    >>> import fad
    >>> print(fad.make_graph(lambda x: x * x + x)(1.0))
    graph(a: f64~):
      b: f64~ = mul a a
      c: f64~ = add b a
      return c
    """

    @wraps(f)
    def graph_of_f(*args: Any, **kwargs: Any) -> Graph:
        return simplify(_captured(f, args, kwargs)[0])

    return graph_of_f


def _captured(f: Callable[..., Any], args: Any, kwargs: Any) -> tuple[Graph, Any]:
    leaves, treedef = pytree.flatten((args, kwargs))
    trees: list[Any] = []

    def flat(*tensors: Any) -> list[Any]:
        call_args, call_kwargs = pytree.unflatten(treedef, tensors)
        out = f(*call_args, **call_kwargs)
        outs, out_tree = output_leaves("make_graph", f, out)
        trees.append(out_tree)
        return outs

    graph, _ = capture(flat, [aval_of(x) for x in leaves], f, "make_graph")
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
