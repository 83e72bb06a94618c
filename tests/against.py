"""Functions of the namespaces against NumPy (values, shapes, dtypes) and JAX (derivatives)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import fad
import fad.numpy as fnp


def tensors_in(x: Any) -> Any:
    """Arrays as tensors, inside lists too."""
    if isinstance(x, np.ndarray):
        return fad.asarray(x)
    return [tensors_in(e) for e in x] if isinstance(x, list) else x


def as_numpy(name: str, *args: Any, rtol: float = 1e-13, **options: Any) -> None:
    """``fad.numpy``'s function gives what NumPy's does: on arrays, on tensors, and called as
    NumPy's own function on tensors."""
    ours, theirs = _find(fnp, name), _find(np, name)
    expected = theirs(*args, **options)
    options = {k: tensors_in(v) for k, v in options.items()}
    given = [tensors_in(a) for a in args]
    found = [ours(*args, **options), ours(*given, **options)]
    if any(isinstance(v, fad.Tensor) for v in [*given, *options.values()]):
        found.append(theirs(*given, **options))
    for out in found:
        same(out, expected, rtol, f"{name} {options}")


def _find(module: Any, name: str) -> Any:
    for part in name.split("."):
        module = getattr(module, part)
    return module


def same(out: Any, expected: Any, rtol: float = 1e-13, message: str = "") -> None:
    """Tensors, or sequences of them, with the values, shapes and dtypes of arrays."""
    if isinstance(expected, (tuple, list)):
        assert len(out) == len(expected), message
        for o, e in zip(out, expected, strict=True):
            same(o, e, rtol, message)
        return
    assert isinstance(out, fad.Tensor), message
    e = np.asarray(expected)
    assert (out.shape, out.dtype) == (e.shape, e.dtype), message
    if e.dtype.kind in "fc":
        rtol = max(rtol, 4 * float(np.finfo(e.dtype).eps))
    scale = np.max(np.abs(e), initial=0.0, where=np.isfinite(e)) if e.dtype.kind in "fc" else 0
    np.testing.assert_allclose(np.asarray(out), e, rtol=rtol, atol=rtol * scale, err_msg=message)


def derivatives_as_jax(
    f: Callable[..., Any], g: Callable[..., Any] | None, *args: np.ndarray, rtol: float = 1e-12
) -> None:
    """Jacobians of ``f``, in both modes, jitted, and of second order, are those of ``g``, the same
    function in JAX."""
    count = tuple(range(len(args)))
    with jax.enable_x64(True):
        arrays = [jnp.asarray(a) for a in args]
        first = jax.jit(jax.jacrev(g, count))(*arrays)  # jitted: JAX else compiles each operation
        second = jax.jit(jax.jacfwd(jax.jacrev(g, count), count))(*arrays)
        first, second = jax.tree.map(np.asarray, (first, second))
    for jacobian in (fad.jacrev(f, count), fad.jacfwd(f, count), fad.jit(fad.jacrev(f, count))):
        close(jacobian(*args), first, rtol)
    close(fad.jacfwd(fad.jacrev(f, count), count)(*args), second, 10 * rtol)


def close(found: Any, expected: Any, rtol: float) -> None:
    """Every leaf, to within the tolerance relative to the largest element of all."""
    a, b = jax.tree.leaves(found), jax.tree.leaves(expected)
    assert len(a) == len(b)
    scale = max([1.0, *[float(np.max(np.abs(e), initial=0.0)) for e in b]])
    for x, e in zip(a, b, strict=True):
        np.testing.assert_allclose(np.asarray(x), e, rtol=rtol, atol=rtol * scale)
