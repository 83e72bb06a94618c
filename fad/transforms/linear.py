"""linearize and linear_transpose: linear maps as values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fad.batching.batch import BatchLevel
from fad.core import pytree
from fad.core.aval import Aval, make_aval
from fad.core.errors import FadRuntimeError, FadTypeError, check_callable, located, name_of
from fad.core.graph import Graph, simplify
from fad.core.leaves import lift_leaves, output_avals, output_leaves
from fad.core.runs import outermost
from fad.forward.dual import DualLevel, DualTensor
from fad.primitives import join
from fad.primitives import shape as shapes
from fad.primitives.broadcast import FULL
from fad.staging.call import call_graph
from fad.staging.capture import StageLevel, capture
from fad.staging.transpose import transpose
from fad.transforms.arguments import rebuilt
from fad.transforms.blocks import basis_vectors, stacked
from fad.transforms.checks import (
    check_chunk_size,
    check_inexact,
    float0_zeros,
    matching,
    shape_only,
    split_aux,
)
from fad.transforms.complex_linear import is_complex, is_complex_linear
from fad.transforms.pushforward import primal_title


@outermost
def linearize(
    f: Callable[..., Any], *primals: Any, has_aux: bool = False, allow_int: bool = False
) -> Any:
    """Value of ``f`` and its derivative at the primals, as a linear map that never runs ``f``
    again.

    Args:
        f: any function of the primals.
        primals: its arguments, each a pytree.
        has_aux: ``f`` returns ``(result, aux)``.
        allow_int: integer primals have tangents and cotangents of dtype float0 instead of an error.

    Returns:
        ``(out, linear_map)``, or ``(out, linear_map, aux)``; see :class:`LinearMap`.

    >>> import fad
    >>> import numpy as np
    >>> y, linear_map = fad.linearize(lambda x: x * x, np.array([1.0, 2.0]))
    >>> linear_map(np.array([1.0, 1.0]))
    fad.Tensor([2., 4.])
    >>> linear_map.T(np.array([1.0, 0.0]))
    fad.Tensor([2., 0.])
    """
    check_callable("linearize", f, "(f, *primals)")
    leaves, treedefs = lift_leaves("linearize", primal_title, primals)
    if not allow_int:
        check_inexact("linearize", primal_title, primals, [x.aval for x in leaves])
    stage, level = StageLevel(f, "linearize"), DualLevel(f, "linearize")
    in_avals = [_strong(x.aval) for x in leaves]
    tangents = [stage.tensor(aval) if aval.inexact else None for aval in in_avals]
    try:
        duals = [level.dual(x, t) for x, t in zip(leaves, tangents, strict=True)]
        out, aux = f(*rebuilt(treedefs, duals)), None
        if has_aux:
            out, aux = split_aux("linearize", f, out)
        outs, treedef = output_leaves("linearize", f, out)
        results = [_staged_tangent(stage, level, x) for x in outs if x.aval.inexact]
    finally:
        stage.active = level.active = False
    inputs = [t.variable for t in tangents if t is not None]
    value = pytree.unflatten(treedef, [level.lower(x) for x in outs])
    linear_map = LinearMap(
        simplify(stage.graph(inputs, results)),
        list(stage.captures),
        rebuilt(treedefs, in_avals),
        _result(outs, treedef),
    )
    if has_aux:
        return value, linear_map, pytree.map(level.lower, aux)
    return value, linear_map


def _staged_tangent(stage: StageLevel, level: DualLevel, x: Any) -> int:
    if isinstance(x, DualTensor) and x.level is level:
        return stage.lookup(x.tangent)
    zeros = FULL(shape=x.aval.shape, value=0, dtype=x.aval.dtype)
    return stage.lookup(stage.process(zeros, ()))


def _result(leaves: Sequence[Any], treedef: Any) -> Any:
    """The tree of a function's results, with avals at the leaves."""
    avals, tree = output_avals(leaves, treedef)
    return pytree.unflatten(tree, [_strong(a) for a in avals])


def _strong(aval: Aval) -> Aval:
    return make_aval(aval.shape, aval.dtype)


class LinearMap:
    """A linear map between pytrees, which runs both ways.

    ``linear_map(*tangents)`` applies it, ``linear_map.T(cotangent)`` its transpose (a tuple if
    there are several primals). ``shape`` is ``(m, n)``, the numbers of elements of result and
    arguments. Integers and booleans take no part: theirs are zeros of dtype float0.
    """

    def __init__(
        self,
        graph: Graph,
        captures: Sequence[Any],
        arguments: list[Any],
        result: Any,
        transposed: LinearMap | None = None,
        kind: str = "tangent",
    ) -> None:
        self._graph = graph
        self._captures = captures
        self._arguments = arguments  # avals at the leaves
        self._result = result
        self._transposed = transposed
        self._kind = kind  # what it takes, for messages
        self._in_avals = pytree.flatten(arguments)[0]
        self._out_avals, self._out_tree = pytree.flatten(result)
        self._columns = [a for a in self._in_avals if a.inexact]
        self._rows = [a for a in self._out_avals if a.inexact]

    def __repr__(self) -> str:
        return f"LinearMap({self.shape[0]} x {self.shape[1]})"

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of elements of the result and of the arguments."""
        return sum(a.size for a in self._rows), sum(a.size for a in self._columns)

    @property
    def graph(self) -> Graph:
        """The operations it performs; captures come after the arguments."""
        return self._graph

    def __call__(self, *tangents: Any) -> Any:
        """Apply the map; tangents must match the primals in structure, shapes and dtypes."""
        return _apply(self, tangents)

    def leaves(self, leaves: Sequence[Any]) -> list[Any]:
        """The inexact result leaves from the inexact argument leaves, of any level."""
        return call_graph(self._graph, [*leaves, *self._captures])

    @property
    def T(self) -> LinearMap:
        """The transpose, computed once."""
        if self._transposed is None:
            graph = transpose(self._graph, len(self._columns), "the linearized function")
            arguments = self._arguments
            result = arguments[0] if len(arguments) == 1 else tuple(arguments)
            self._transposed = LinearMap(
                graph, self._captures, [self._result], result, self, "cotangent"
            )
        return self._transposed

    def matrix(self, chunk_size: int | None = None) -> Any:
        """The matrix of the map, of shape ``(m, n)``, from products with basis vectors.

        Args:
            chunk_size: how many products run at a time, as one batch; None for all.

        Raises:
            FadTypeError: of complex arguments and not complex-linear, so that there is no matrix.
        """
        check_chunk_size("LinearMap.matrix", chunk_size, auto=False)
        self._check_complex_linear("matrix")
        m, n = self.shape
        # Between real and complex leaves the transpose gives no more than real parts.
        alike = len({is_complex(a) for a in self._columns + self._rows}) == 1
        if m < n and alike:
            return _transposed(_by_columns(self.T, chunk_size))
        return _by_columns(self, chunk_size)

    def as_scipy(self) -> Any:
        """A ``scipy.sparse.linalg.LinearOperator`` over flat NumPy vectors.

        >>> import fad
        >>> import numpy as np
        >>> _, linear_map = fad.linearize(lambda x: x * x, np.array([1.0, 2.0]))
        >>> linear_map.as_scipy() @ np.array([1.0, 1.0])
        array([2., 4.])
        """
        try:
            from scipy.sparse.linalg import LinearOperator
        except ImportError:
            raise FadRuntimeError(
                located("as_scipy needs SciPy: pip install 'fad[tools]'")
            ) from None
        self._check_complex_linear("as_scipy")
        dtype = np.result_type(*[a.dtype for a in self._columns + self._rows])
        return LinearOperator(
            shape=self.shape,
            dtype=dtype,
            matvec=self._product,
            rmatvec=lambda v: np.conj(self._transposed_product(np.conj(v))),
        )

    def _check_complex_linear(self, purpose: str) -> None:
        if any(map(is_complex, self._columns)) and not is_complex_linear(
            self.graph, self._captures, self._columns
        ):
            raise FadTypeError(
                located(
                    f"LinearMap.{purpose}: the map takes complex numbers and is not known to be "
                    "complex-linear (conjugates, real parts and absolute values are not; values "
                    "that are not known yet, as inside jit, do not tell), so that no matrix stands "
                    "for it. Apply it to one direction, linear_map(v), or linearize a function of "
                    "real and imaginary parts."
                )
            )

    def _product(self, vector: np.ndarray) -> np.ndarray:
        """The matrix times a vector."""
        if np.iscomplexobj(vector) and not all(map(is_complex, self._columns)):
            return self._flat(vector.real) + 1j * self._flat(vector.imag)
        return self._flat(vector)

    def _transposed_product(self, vector: np.ndarray) -> np.ndarray:
        """The transposed matrix times a vector: a real argument's cotangent is the real part."""
        out = self.T._flat(vector)
        real = [not is_complex(a) for a in self._columns]
        if any(real) and (np.iscomplexobj(vector) or any(map(is_complex, self._rows))):
            mask = np.repeat(real, [a.size for a in self._columns])
            out = out + 1j * np.where(mask, self.T._flat(-1j * vector), 0.0)
        return out

    def _flat(self, vector: np.ndarray) -> np.ndarray:
        """The map of a flat vector, of whose elements real arguments take the real parts."""
        vector = np.asarray(vector).reshape(-1)
        parts, start = [], 0
        for aval in self._columns:
            part = vector[start : start + aval.size]
            part = (part if is_complex(aval) else part.real).astype(aval.dtype, copy=False)
            parts.append(part.reshape(aval.shape))
            start += aval.size
        out = _flat_result(self, parts)
        return np.concatenate([np.asarray(x).reshape(-1) for x in out])


@outermost
def _flat_result(linear_map: LinearMap, leaves: list[Any]) -> list[Any]:
    return linear_map.leaves(leaves)


@outermost
def _apply(linear_map: LinearMap, tangents: tuple[Any, ...]) -> Any:
    arguments = linear_map._arguments
    if len(tangents) != len(arguments):
        count = len(arguments)
        raise FadTypeError(
            located(
                f"the linear map takes {count} argument{'s' * (count != 1)}, one per primal, got "
                f"{len(tangents)}"
            )
        )
    trees = list(tangents), arguments
    leaves = matching(linear_map._kind, "linear map", trees, linear_map._in_avals, "argument")
    filled = [
        _zeros(a) if x is None else x
        for x, a in zip(leaves, linear_map._in_avals, strict=True)
        if a.inexact
    ]
    results = iter(linear_map.leaves(filled))
    out = [next(results) if a.inexact else float0_zeros(a.shape) for a in linear_map._out_avals]
    return pytree.unflatten(linear_map._out_tree, out)


def _zeros(aval: Aval) -> Any:
    return np.zeros(aval.shape, aval.dtype)


@outermost
def _by_columns(linear_map: LinearMap, chunk_size: int | None) -> Any:
    m, n = linear_map.shape
    size = n if chunk_size is None else chunk_size
    rows = []
    for start in range(0, n, max(size, 1)):
        stop = min(start + size, n)
        level = BatchLevel(None, stop - start)
        tangents = basis_vectors(level, linear_map._columns, start, stop)
        filled = [
            _zeros(a) if t is None else t
            for t, a in zip(tangents, linear_map._columns, strict=True)
        ]
        out = [level.unwrap(x) for x in linear_map.leaves(filled)]
        flat = [
            shapes.reshape(x, (stop - start, a.size))
            for x, a in zip(out, linear_map._rows, strict=True)
        ]
        rows.append(flat[0] if len(flat) == 1 else join.concatenate(flat, 1))
    dtype = linear_map._rows[0].dtype
    return _transposed(stacked(rows, make_aval((m,), dtype)))


def _transposed(matrix: Any) -> Any:
    return shapes.transpose(matrix, (1, 0))


def linear_transpose(f: Callable[..., Any], *avals: Any) -> Callable[..., Any]:
    """The transpose of a linear function.

    Args:
        f: function that is linear in all its arguments.
        avals: for each argument anything with the shape and dtype it takes: a tensor, an array, an
            aval, or a pytree of these.

    Returns:
        A function from a cotangent of the result to a tuple of cotangents of the arguments.

    Raises:
        FadTypeError: ``f`` is not linear.

    >>> import fad
    >>> import numpy as np
    >>> transpose = fad.linear_transpose(lambda x: 3.0 * x, np.zeros(2))
    >>> transpose(np.array([1.0, 2.0]))
    (fad.Tensor([3., 6.]),)
    """
    check_callable("linear_transpose", f, "(f, *avals)")
    given, treedefs = shape_only("linear_transpose", primal_title, avals)
    check_inexact("linear_transpose", primal_title, avals, given)
    in_avals = [_strong(a) for a in given]
    trees: list[Any] = []

    def flat(*xs: Any) -> list[Any]:
        out = f(*rebuilt(treedefs, xs))
        outs, out_tree = output_leaves("linear_transpose", f, out)
        trees.append(out_tree)
        return outs

    graph, captures = capture(flat, in_avals, f, "linear_transpose")
    transposed = transpose(simplify(graph), len(in_avals), name_of(f))
    result = _result(graph.out_avals, trees[0])
    arguments = tuple(rebuilt(treedefs, in_avals))
    back = LinearMap(transposed, captures, [result], arguments, kind="cotangent")

    def pull(cotangent: Any) -> tuple[Any, ...]:
        return tuple(back(cotangent))

    return pull
