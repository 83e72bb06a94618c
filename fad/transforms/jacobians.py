"""Jacobians, by forward or reverse mode over a batch of basis vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, Literal

from fad.batching.batch import BatchLevel, BatchTensor
from fad.core import pytree
from fad.core.aval import Aval
from fad.core.errors import FadRuntimeError, FadTypeError, FadValueError, located
from fad.core.tensor import Array
from fad.forward.dual import DualLevel, DualTensor
from fad.primitives import join
from fad.primitives import shape as shapes
from fad.primitives.broadcast import full
from fad.primitives.identity import basis
from fad.reverse.pullback import Recording
from fad.transforms.arguments import (
    Argnums,
    Inputs,
    Options,
    Selection,
    output_leaves,
    split_aux,
)
from fad.transforms.pushforward import outermost

Mode = Literal["auto", "forward", "reverse"]
ChunkSize = int | Literal["auto"] | None

CHUNK_BYTES = 1 << 28
"""With chunk_size="auto", the tangents or cotangents of the inputs and outputs of one chunk take at
most this much memory."""


def jacobian(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    mode: Mode = "auto",
    chunk_size: ChunkSize = "auto",
    progress: bool = False,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """The Jacobian of a function of tensors or pytrees.

    Args:
        f: function of tensors or pytrees to tensors or pytrees.
        argnums: position(s) or name(s) of the arguments to differentiate.
        mode: "forward" (one pass per input element), "reverse" (one per output element) or "auto":
            the one with fewer passes.
        chunk_size: how many passes run at a time, as one batch; None for all, "auto" to bound memory.
        progress: show a tqdm progress bar over the chunks.
        has_aux: ``f`` returns ``(result, aux)``; then so does the Jacobian function.
        holomorphic: ``f`` is holomorphic: inputs and results are complex.

    Returns:
        A function of the same arguments. For an array result of shape ``m`` and an argument of shape
        ``n`` it gives an array of shape ``(*m, *n)``; pytrees nest, the result's outside.

    >>> import fad
    >>> import numpy as np
    >>> fad.jacobian(lambda x: x**2)(np.array([1.0, 3.0]))
    fad.Tensor([[2., 0.],
            [0., 6.]])
    """
    compute = _value_and_jacobian("jacobian", f, argnums, mode, chunk_size, progress, holomorphic)

    @wraps(f)
    @outermost
    def jacobian_of_f(*args: Any, **kwargs: Any) -> Any:
        value, result, aux = compute(args, kwargs, has_aux)
        del value
        return (result, aux) if has_aux else result

    return jacobian_of_f


def jacfwd(f: Callable[..., Any], argnums: Argnums = 0, **options: Any) -> Callable[..., Any]:
    """:func:`jacobian` in forward mode.

    >>> import fad
    >>> import numpy as np
    >>> fad.jacfwd(np.sin)(0.0)
    fad.Tensor(1.)
    """
    return jacobian(f, argnums, mode="forward", **options)


def jacrev(f: Callable[..., Any], argnums: Argnums = 0, **options: Any) -> Callable[..., Any]:
    """:func:`jacobian` in reverse mode.

    >>> import fad
    >>> import numpy as np
    >>> fad.jacrev(np.sum)(np.zeros(3))
    fad.Tensor([1., 1., 1.])
    """
    return jacobian(f, argnums, mode="reverse", **options)


def value_and_jacobian(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    mode: Mode = "auto",
    chunk_size: ChunkSize = "auto",
    progress: bool = False,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """Value and Jacobian from one evaluation; arguments as for :func:`jacobian`.

    Returns ``(value, jacobian)``, or ``((value, aux), jacobian)`` with ``has_aux``.

    >>> import fad
    >>> fad.value_and_jacobian(lambda x: x * x)(3.0)
    (fad.Tensor(9.), fad.Tensor(6.))
    """
    compute = _value_and_jacobian(
        "value_and_jacobian", f, argnums, mode, chunk_size, progress, holomorphic
    )

    @wraps(f)
    @outermost
    def value_and_jacobian_of_f(*args: Any, **kwargs: Any) -> Any:
        value, result, aux = compute(args, kwargs, has_aux)
        return ((value, aux) if has_aux else value), result

    return value_and_jacobian_of_f


def _value_and_jacobian(
    transform: str, f: Any, argnums: Argnums, mode: Mode, chunk_size: Any, progress: bool,
    holomorphic: bool,
) -> Callable[..., tuple[Any, Any, Any]]:  # fmt: skip
    selection = Selection(transform, f, argnums)
    if mode not in ("auto", "forward", "reverse"):
        raise FadValueError(
            located(f"{transform}: mode must be 'auto', 'forward' or 'reverse', got {mode!r}")
        )
    if not (chunk_size in ("auto", None) or (isinstance(chunk_size, int) and chunk_size > 0)):
        raise FadValueError(
            located(f"{transform}: chunk_size must be a positive int, None or 'auto'")
        )
    chosen: dict[tuple[Aval, ...], Mode] = {}

    def compute(args: Any, kwargs: Any, has_aux: bool) -> tuple[Any, Any, Any]:
        options = Options(has_aux, holomorphic)
        inputs = Inputs(selection, options, args, kwargs)
        point = _Point(inputs, options, chunk_size, progress)
        key = tuple(inputs.avals)
        how = chosen.get(key, mode)
        if how == "forward":
            return point.forward()
        result = point.reverse(only_if_cheaper=how == "auto")
        if result is not None:
            return result
        chosen[key] = "forward"
        return point.forward()

    return compute


class _Point:
    """One evaluation of a Jacobian: the inputs and how to compute."""

    def __init__(self, inputs: Inputs, options: Options, chunk_size: Any, progress: bool) -> None:
        self.inputs = inputs
        self.transform = inputs.selection.transform
        self.options = options
        self.chunk_size = chunk_size
        self.progress = progress
        self.in_avals = [x.aval for x in inputs.wanted]
        self.n = sum(a.size for a in self.in_avals)

    def _call(self, tensors: list[Any]) -> tuple[list[Any], Any, Any]:
        """Output leaves, their tree, and aux, of the function at these inputs."""
        f = self.inputs.selection.function
        args, kwargs = self.inputs.call(tensors)
        out = f(*args, **kwargs)
        aux = None
        if self.options.has_aux:
            out, aux = split_aux(self.transform, out)
        leaves, treedef = output_leaves(self.transform, f, out)
        for leaf, path in zip(leaves, pytree.paths(out), strict=True):
            _check_output(self.transform, leaf.aval, path, self.options.holomorphic)
        return leaves, treedef, aux

    def reverse(self, only_if_cheaper: bool) -> tuple[Any, Any, Any] | None:
        """(value, Jacobian, aux), one reverse pass per output element."""
        recording = Recording(
            self.inputs.selection.function, self.inputs.wanted, self.transform
        )
        try:
            outs, treedef, aux = self._call(recording.tensors)
        finally:
            recording.close()
        out_avals = [x.aval for x in outs]
        m = sum(a.size for a in out_avals)
        if only_if_cheaper and m >= self.n > 0 and not (m == self.n == 1):
            return None
        pieces: list[list[Any]] = [[] for _ in self.in_avals]
        chunks = self._chunks(m)
        for start, stop in chunks:
            level = BatchLevel(None, stop - start)
            cotangents = _basis(level, out_avals, start, stop)
            pulled = recording.pull(outs, cotangents, keep_graph=stop < m)
            for piece, c, aval in zip(pieces, pulled, self.in_avals, strict=True):
                piece.append(_rows(level, c, aval))
            self._finish_chunk(pieces)
        rows = [_stacked(p, a) for p, a in zip(pieces, self.in_avals, strict=True)]
        blocks = _split_rows(rows, out_avals, self.in_avals)
        value = pytree.unflatten(treedef, [recording.lower(x) for x in outs])
        return value, self._tree(treedef, blocks), pytree.map(recording.lower, aux)

    def forward(self) -> tuple[Any, Any, Any]:
        """(value, Jacobian, aux), one forward pass per input element."""
        value: Any = None
        aux: Any = None
        treedef: Any = None
        out_avals: list[Aval] = []
        pieces: list[list[Any]] = []
        chunks = self._chunks(self.n)
        for start, stop in chunks:
            batch, level = BatchLevel(None, stop - start), DualLevel(None)
            level.function = self.inputs.selection.function
            tangents = _basis(batch, self.in_avals, start, stop)
            duals = [level.dual(x, t) for x, t in zip(self.inputs.wanted, tangents, strict=True)]
            try:
                outs, treedef, aux = self._call(duals)
            finally:
                level.active = batch.active = False
            out_avals = [x.aval for x in outs]
            pieces = pieces or [[] for _ in outs]
            for piece, out in zip(pieces, outs, strict=True):
                tangent = out.tangent if _mine(level, out) else None
                piece.append(_rows(batch, tangent, out.aval))
            value = pytree.unflatten(treedef, [_lower(level, x) for x in outs])
            aux = pytree.map(lambda x, level=level: _lower(level, x), aux)
            self._finish_chunk(pieces)
        columns = [_stacked(p, a) for p, a in zip(pieces, out_avals, strict=True)]
        blocks = _split_columns(columns, out_avals, self.in_avals)
        return value, self._tree(treedef, blocks), aux

    def _chunks(self, total: int) -> Iterable[tuple[int, int]]:
        size: Any = self.chunk_size
        if size == "auto":
            row = max([a.nbytes for a in self.in_avals], default=8) + 8 * total
            size = max(1, CHUNK_BYTES // max(row, 1))
            if self.progress:  # a bar that moves, without giving up much of the batching
                size = min(size, max(1, -(-total // 20)))
        size = max(1, total if size is None else min(size, total))
        chunks = [(i, min(i + size, total)) for i in range(0, max(total, 1), size)]
        return _with_bar(chunks, self.transform) if self.progress else chunks

    def _finish_chunk(self, pieces: Sequence[Sequence[Any]]) -> None:
        """Let the bar show what has been computed, not what has been recorded."""
        if self.progress:
            for piece in pieces:
                if piece and piece[-1].__class__ is Array:
                    piece[-1].block_until_ready()

    def _tree(self, treedef: Any, blocks: list[list[Any]]) -> Any:
        return pytree.unflatten(treedef, [self.inputs.gradient(row) for row in blocks])


def _check_output(transform: str, aval: Aval, path: str, holomorphic: bool) -> None:
    where = f" at {path}" if path else ""
    if not aval.inexact:
        raise FadTypeError(
            located(
                f"{transform} requires real- or complex-valued outputs, but the output{where} is "
                f"{aval}, which has no derivative. Return it with has_aux=True."
            )
        )
    if (aval.dtype.kind == "c") != holomorphic:
        hint = (
            "pass holomorphic=True if the function is holomorphic, else differentiate real and "
            "imaginary part" if not holomorphic else "drop holomorphic=True"
        )  # fmt: skip
        raise FadTypeError(located(f"{transform}: the output{where} is {aval}: {hint}."))


def _basis(level: BatchLevel, avals: Sequence[Aval], start: int, stop: int) -> list[Any]:
    """Rows ``start`` to ``stop`` of the identity over all elements, as a batch for each leaf.

    None for a leaf in which all these rows are zero.
    """
    out: list[Any] = []
    offset = 0
    for aval in avals:
        if stop <= offset or start >= offset + aval.size:
            out.append(None)
        else:
            matrix = basis(stop - start, aval.size, start - offset, aval.dtype)
            out.append(BatchTensor(level, shapes.reshape(matrix, (stop - start, *aval.shape))))
        offset += aval.size
    return out


def _rows(level: BatchLevel, x: Any, aval: Aval) -> Any:
    """The batch of (co)tangents, zeros if there is none."""
    if x is None:
        return full((level.size, *aval.shape), 0, aval.dtype)
    return level.unwrap(x)


def _stacked(pieces: list[Any], aval: Aval) -> Any:
    if not pieces:
        return full((0, *aval.shape), 0, aval.dtype)
    return pieces[0] if len(pieces) == 1 else join.concatenate(pieces, 0)


def _split_rows(
    rows: list[Any], out_avals: list[Aval], in_avals: list[Aval]
) -> list[list[Any]]:
    """Blocks [output][input] from one matrix per input whose rows run over all outputs."""
    blocks = []
    offset = 0
    for out in out_avals:
        line = []
        for matrix, aval in zip(rows, in_avals, strict=True):
            part = _part(matrix, offset, out.size)
            line.append(shapes.reshape(part, (*out.shape, *aval.shape)))
        blocks.append(line)
        offset += out.size
    return blocks


def _split_columns(
    columns: list[Any], out_avals: list[Aval], in_avals: list[Aval]
) -> list[list[Any]]:
    """Blocks [output][input] from one matrix per output whose rows run over all inputs."""
    blocks = []
    for matrix, out in zip(columns, out_avals, strict=True):
        flat = shapes.reshape(matrix, (matrix.shape[0], out.size))
        line, offset = [], 0
        for aval in in_avals:
            part = shapes.transpose(_part(flat, offset, aval.size), (1, 0))
            line.append(shapes.reshape(part, (*out.shape, *aval.shape)))
            offset += aval.size
        blocks.append(line)
    return blocks


def _part(matrix: Any, start: int, count: int) -> Any:
    """``count`` rows from ``start``."""
    if start == 0 and count == matrix.shape[0]:
        return matrix
    rest = matrix.shape[1:]
    return shapes.slice_(matrix, (start,) + (0,) * len(rest), (start + count, *rest))


def _mine(level: DualLevel, x: Any) -> bool:
    return isinstance(x, DualTensor) and x.level is level


def _lower(level: DualLevel, x: Any) -> Any:
    return x.primal if isinstance(x, DualTensor) and x.level is level else x


def _with_bar(chunks: list[tuple[int, int]], title: str) -> Iterable[tuple[int, int]]:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise FadRuntimeError(
            located("progress=True needs tqdm: pip install 'fad[tools]', or pass progress=False")
        ) from None
    total = chunks[-1][1] if chunks else 0
    with tqdm(total=total, desc=title, unit="pass") as bar:
        for start, stop in chunks:
            yield start, stop
            bar.update(stop - start)
