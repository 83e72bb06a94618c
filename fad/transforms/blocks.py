"""Jacobians as blocks: batches of basis vectors in, a matrix per output and input leaf out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fad.batching.batch import BatchLevel, BatchTensor
from fad.core.aval import Aval
from fad.primitives import join
from fad.primitives import shape as shapes
from fad.primitives.broadcast import full
from fad.primitives.identity import basis


def basis_vectors(level: BatchLevel, avals: Sequence[Aval], start: int, stop: int) -> list[Any]:
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


def rows_of(level: BatchLevel, x: Any, aval: Aval) -> Any:
    """The batch of (co)tangents, zeros if there is none."""
    if x is None:
        return full((level.size, *aval.shape), 0, aval.dtype)
    return level.unwrap(x)


def stacked(pieces: list[Any], aval: Aval) -> Any:
    """The chunks of a Jacobian's rows or columns as one tensor."""
    if not pieces:
        return full((0, *aval.shape), 0, aval.dtype)
    return pieces[0] if len(pieces) == 1 else join.concatenate(pieces, 0)


def split_rows(rows: list[Any], out_avals: list[Aval], in_avals: list[Aval]) -> list[list[Any]]:
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


def split_columns(
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
