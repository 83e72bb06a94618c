"""Jacobians, by forward or reverse mode over a batch of basis vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, Literal

from fad.batching.batch import BatchLevel
from fad.core import pytree
from fad.core.aval import Aval
from fad.core.dtypes import float0
from fad.core.errors import FadRuntimeError, FadValueError, located
from fad.core.leaves import output_avals, output_leaves
from fad.core.runs import outermost
from fad.core.tensor import Array
from fad.forward.dual import DualLevel, DualTensor
from fad.reverse.pullback import Recording
from fad.transforms.arguments import Argnums, Inputs, Options, Selection
from fad.transforms.blocks import basis_vectors, rows_of, split_columns, split_rows, stacked
from fad.transforms.checks import check_chunk_size, check_output, split_aux

Mode = Literal["auto", "forward", "reverse"]
ChunkSize = int | Literal["auto"] | None

CHUNK_BYTES = 1 << 28
"""With chunk_size="auto", the tangents or cotangents of the inputs and outputs of one chunk take at
most this much memory."""

INSTEAD = "use fad.jacrev, or fad.jvp for one direction"
"""What to do about complex inputs in forward mode."""


def jacobian(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    mode: Mode = "auto",
    chunk_size: ChunkSize = "auto",
    progress: bool = False,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable[..., Any]:
    """The Jacobian of a function of tensors or pytrees.

    Args:
        f: function of tensors or pytrees to tensors or pytrees.
        argnums: position(s) or name(s) of the arguments to differentiate.
        mode: "forward" (one pass per input element), "reverse" (one per output element) or "auto":
            the one with fewer passes. Unless ``holomorphic``, forward mode takes real inputs only
            and reverse mode real outputs only, so that "auto" takes the one that there is.
        chunk_size: how many passes run at a time, as one batch; None for all, "auto" to bound
            memory.
        progress: show a tqdm progress bar over the chunks.
        has_aux: ``f`` returns ``(result, aux)``; then so does the Jacobian function.
        holomorphic: ``f`` is holomorphic: inputs and result are complex.
        allow_int: integer inputs get zeros of dtype float0 instead of an error.

    Returns:
        A function of the same arguments. For an array result of shape ``m`` and an argument of
        shape ``n`` it gives an array of shape ``(*m, *n)``; pytrees nest, the result's outside.

    >>> import fad
    >>> import numpy as np
    >>> fad.jacobian(lambda x: x**2)(np.array([1.0, 3.0]))
    fad.Tensor([[2., 0.],
            [0., 6.]])
    """
    options = Options(has_aux, holomorphic, allow_int)
    return _jacobian("jacobian", f, argnums, mode, chunk_size, progress, options)


def _jacobian(
    transform: str, f: Any, argnums: Argnums, mode: Mode, chunk_size: Any, progress: bool,
    options: Options,
) -> Callable[..., Any]:  # fmt: skip
    compute = computation(transform, f, argnums, mode, chunk_size, progress, options)

    @wraps(f)
    @outermost
    def jacobian_of_f(*args: Any, **kwargs: Any) -> Any:
        value, result, aux = compute(args, kwargs)
        del value
        return (result, aux) if options.has_aux else result

    return jacobian_of_f


def jacfwd(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    chunk_size: ChunkSize = "auto",
    progress: bool = False,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable[..., Any]:
    """:func:`jacobian` in forward mode.

    >>> import fad
    >>> import numpy as np
    >>> fad.jacfwd(np.sin)(0.0)
    fad.Tensor(1.)
    """
    options = Options(has_aux, holomorphic, allow_int)
    return _jacobian("jacfwd", f, argnums, "forward", chunk_size, progress, options)


def jacrev(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    chunk_size: ChunkSize = "auto",
    progress: bool = False,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable[..., Any]:
    """:func:`jacobian` in reverse mode.

    >>> import fad
    >>> import numpy as np
    >>> fad.jacrev(np.sum)(np.zeros(3))
    fad.Tensor([1., 1., 1.])
    """
    options = Options(has_aux, holomorphic, allow_int)
    return _jacobian("jacrev", f, argnums, "reverse", chunk_size, progress, options)


def value_and_jacobian(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    mode: Mode = "auto",
    chunk_size: ChunkSize = "auto",
    progress: bool = False,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable[..., Any]:
    """Value and Jacobian from one evaluation; arguments as for :func:`jacobian`.

    Returns ``(value, jacobian)``, or ``((value, aux), jacobian)`` with ``has_aux``.

    >>> import fad
    >>> fad.value_and_jacobian(lambda x: x * x)(3.0)
    (fad.Tensor(9.), fad.Tensor(6.))
    """
    options = Options(has_aux, holomorphic, allow_int)
    compute = computation("value_and_jacobian", f, argnums, mode, chunk_size, progress, options)

    @wraps(f)
    @outermost
    def value_and_jacobian_of_f(*args: Any, **kwargs: Any) -> Any:
        value, result, aux = compute(args, kwargs)
        return ((value, aux) if has_aux else value), result

    return value_and_jacobian_of_f


def computation(
    transform: str, f: Any, argnums: Argnums, mode: Mode, chunk_size: Any, progress: bool,
    options: Options,
) -> Callable[..., tuple[Any, Any, Any]]:  # fmt: skip
    """``compute(args, kwargs) -> (value, Jacobian, aux)``, of which the transforms are made."""
    selection = Selection(transform, f, argnums)
    if mode not in ("auto", "forward", "reverse"):
        raise FadValueError(
            located(f"{transform}: mode must be 'auto', 'forward' or 'reverse', got {mode!r}")
        )
    check_chunk_size(transform, chunk_size)
    if mode == "forward":
        options = options._replace(instead=INSTEAD)

    def compute(args: Any, kwargs: Any) -> tuple[Any, Any, Any]:
        inputs = Inputs(selection, options, args, kwargs)
        return Point(inputs, options, chunk_size, progress).jacobian(mode)

    return compute


class Point:
    """One evaluation of a Jacobian: the inputs and how to compute."""

    def __init__(self, inputs: Inputs, options: Options, chunk_size: Any, progress: bool) -> None:
        self.inputs = inputs
        self.transform = inputs.selection.transform
        self.options = options
        self.chunk_size = chunk_size
        self.progress = progress
        self.in_avals = [x.aval for x in inputs.wanted]
        self.n = sum(a.size for a in self.in_avals)

    def evaluate(self, tensors: Sequence[Any]) -> tuple[Any, Any]:
        """The result and aux of the user's function at these inputs."""
        f = self.inputs.selection.function
        args, kwargs = self.inputs.call(list(tensors))
        out = f(*args, **kwargs)
        return split_aux(self.transform, f, out) if self.options.has_aux else (out, None)

    def call(self, tensors: Sequence[Any]) -> tuple[list[Any], Any, Any]:
        """Output leaves, their tree, and aux, of the user's function at these inputs."""
        f = self.inputs.selection.function
        out, aux = self.evaluate(tensors)
        return *output_leaves(self.transform, f, out), aux

    def record(self) -> tuple[Recording, list[Any], Any, Any]:
        """The function on a tape, its output leaves, their tree, and aux."""
        inputs = self.inputs
        recording = Recording(inputs.selection.function, inputs.wanted, self.transform, follow=True)
        try:
            return recording, *self.call(recording.tensors)
        finally:
            recording.close()

    def chosen(self, out_avals: Sequence[Aval]) -> Mode:
        """The mode there is, or with both the one with fewer passes."""
        if not self.options.holomorphic:
            if any(a.dtype.kind == "c" for a in self.in_avals):
                return "reverse"
            if any(a.dtype.kind == "c" for a in out_avals):
                return "forward"
        m = sum(a.size for a in out_avals)
        return "reverse" if m < self.n or m <= 1 else "forward"

    def jacobian(self, mode: Mode) -> tuple[Any, Any, Any]:
        """(value, Jacobian, aux)."""
        recording, outs, treedef, aux = self.record()
        out_avals = [x.aval for x in outs]
        m = sum(a.size for a in out_avals)
        if mode == "auto":
            mode = self.chosen(out_avals)
        out, forward = pytree.unflatten(treedef, outs), mode == "forward"
        for i, aval in enumerate(out_avals):
            check_output(self.transform, aval, out, i, self.options.holomorphic, forward)
        chunks = self.chunks(m if mode == "reverse" else self.n)

        def compute() -> list[Any]:
            if mode == "reverse":
                blocks = self._reverse(recording, outs, chunks)
            else:
                again = recording.again(outs, lambda tensors: self.call(tensors)[0])
                blocks, _ = self.forward(again, recording.values, chunks)
            return [block for line in blocks for block in line]

        if self.progress:
            flat = compute()
        else:
            flat = recording.replayed((mode, len(chunks)), outs, compute)
        count = len(self.in_avals)
        blocks = [flat[i * count : (i + 1) * count] for i in range(len(outs))]
        value = pytree.unflatten(treedef, [recording.lower(x) for x in outs])
        return value, self.tree(treedef, outs, blocks), pytree.map(recording.lower, aux)

    def _reverse(
        self, recording: Recording, outs: Sequence[Any], chunks: Sequence[tuple[int, int]]
    ) -> list[list[Any]]:
        """Blocks [output][input], one reverse pass per output element."""
        out_avals = [x.aval for x in outs]
        pieces: list[list[Any]] = [[] for _ in self.in_avals]
        for x in outs:  # nodes hold what is saved: recording the cotangents may flush it
            recording.edge(x)
        for start, stop in self._with_bar(chunks):
            level = BatchLevel(None, stop - start)
            cotangents = basis_vectors(level, out_avals, start, stop)
            pulled = recording.pull(outs, cotangents, keep_graph=True)
            for piece, c, aval in zip(pieces, pulled, self.in_avals, strict=True):
                piece.append(rows_of(level, c, aval))
            self._finish_chunk(pieces)
        rows = [stacked(p, a) for p, a in zip(pieces, self.in_avals, strict=True)]
        return split_rows(rows, out_avals, self.in_avals)

    def forward(
        self,
        function: Callable[[Sequence[Any]], list[Any]],
        primals: Sequence[Any],
        chunks: Sequence[tuple[int, int]],
    ) -> tuple[list[list[Any]], list[Any]]:
        """Blocks [output][input], one forward pass per input element, and the output leaves."""
        out_avals: list[Aval] = []
        pieces: list[list[Any]] = []
        values: list[Any] = []
        for start, stop in self._with_bar(chunks):
            batch = BatchLevel(None, stop - start)
            level = DualLevel(self.inputs.selection.function, self.transform)
            tangents = basis_vectors(batch, self.in_avals, start, stop)
            duals = [level.dual(x, t) for x, t in zip(primals, tangents, strict=True)]
            try:
                outs = function(duals)
            finally:
                level.active = batch.active = False
            out_avals = [x.aval for x in outs]
            pieces = pieces or [[] for _ in outs]
            for piece, out in zip(pieces, outs, strict=True):
                piece.append(rows_of(batch, out.tangent if _mine(level, out) else None, out.aval))
            values = [out.primal if _mine(level, out) else out for out in outs]
            self._finish_chunk(pieces)
        columns = [stacked(p, a) for p, a in zip(pieces, out_avals, strict=True)]
        return split_columns(columns, out_avals, self.in_avals), values

    def chunks(self, total: int) -> list[tuple[int, int]]:
        """Which passes run together."""
        size: Any = self.chunk_size
        if size == "auto":
            row = max([a.nbytes for a in self.in_avals], default=8) + 8 * total
            size = max(1, CHUNK_BYTES // max(row, 1))
            if self.progress:  # a bar that moves, without giving up much of the batching
                size = min(size, max(1, -(-total // 20)))
        size = max(1, total if size is None else min(size, total))
        return [(i, min(i + size, total)) for i in range(0, max(total, 1), size)]

    def _with_bar(self, chunks: Sequence[tuple[int, int]]) -> Iterable[tuple[int, int]]:
        return _bar(chunks, self.transform) if self.progress else chunks

    def _finish_chunk(self, pieces: Sequence[Sequence[Any]]) -> None:
        """Let the bar show what has been computed, not what has been recorded."""
        if self.progress:
            for piece in pieces:
                if piece and piece[-1].__class__ is Array:
                    piece[-1].block_until_ready()

    def tree(self, treedef: Any, outs: Sequence[Any], blocks: list[list[Any]]) -> Any:
        """The result's tree of the arguments' trees of blocks."""
        remaining = iter(blocks)
        rows = []
        avals, tree = output_avals(outs, treedef)
        for aval in avals:
            row = self.inputs.float0_row(aval) if aval.dtype == float0 else next(remaining)
            rows.append(self.inputs.gradient(row, aval.shape))
        return pytree.unflatten(tree, rows)


def _mine(level: DualLevel, x: Any) -> bool:
    return isinstance(x, DualTensor) and x.level is level


def _bar(chunks: Sequence[tuple[int, int]], title: str) -> Iterable[tuple[int, int]]:
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
