"""Primitives, one module per family: each declares kernel and derivative together."""

from fad.primitives import derivative as _derivative  # isort: skip  # first: closes the import cycle
from fad.primitives import (
    arithmetic,
    broadcast,
    cumulative,
    determinants,
    linalg,
    logsumexp,
    lu,
    norms,
    products,
    reductions,
    shape,
    sorting,
)

__all__ = [
    "arithmetic", "broadcast", "cumulative", "determinants", "linalg", "logsumexp", "lu", "norms",
    "products", "reductions", "shape", "sorting",
]  # fmt: skip
