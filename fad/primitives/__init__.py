"""Primitives, one module per family: each declares kernel and derivative together."""

from fad.primitives import derivative as _derivative  # isort: skip  # first: closes the import cycle
from fad.primitives import (
    arithmetic,
    broadcast,
    cumulative,
    logsumexp,
    products,
    reductions,
    shape,
    sorting,
)

__all__ = [
    "arithmetic", "broadcast", "cumulative", "logsumexp", "products", "reductions", "shape",
    "sorting",
]  # fmt: skip
