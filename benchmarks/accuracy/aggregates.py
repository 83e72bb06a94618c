"""Reductions and scans: errors relative to the condition of what is computed."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax import numpy as jnp
from mpmath import mp

import fad
import fad.numpy as fnp
from benchmarks.accuracy.grid import Array
from fad.primitives.logsumexp import logsumexp
from fad.primitives.norms import norm

Function = Callable[..., Any]


@dataclass(frozen=True)
class Aggregate:
    """Errors of one function on one set of elements, by library; in units of epsilon."""

    name: str
    data: str
    dtype: str
    values: dict[str, float]
    gradients: dict[str, float]


def _datasets(dtype: Any) -> dict[str, Array]:
    rng = np.random.default_rng(11)
    n = 20_000
    large = 1e150 if dtype == np.float64 else 1e18
    sets = {
        "uniform": rng.random(n),
        "normal": rng.normal(size=n),
        "far from 0": 1e4 + rng.normal(size=n),
        "all magnitudes": rng.normal(size=n) * 10.0 ** rng.uniform(-8, 8, n),
        "near 1": 1.0 + 1e-2 * rng.normal(size=n),
        "huge": large * rng.normal(size=n),
        "tiny": rng.normal(size=n) / large,
    }
    return {name: x.astype(dtype) for name, x in sets.items()}


def _sum(x: list[Any]) -> Any:
    return mp.fsum(x)


def _var(x: list[Any]) -> Any:
    mean = mp.fsum(x) / len(x)
    return mp.fsum([(v - mean) ** 2 for v in x]) / len(x)


def _var_gradient(x: list[Any]) -> list[Any]:
    mean = mp.fsum(x) / len(x)
    return [2 * (v - mean) / len(x) for v in x]


def _std_gradient(x: list[Any]) -> list[Any]:
    scale = 2 * mp.sqrt(_var(x))
    return [g / scale for g in _var_gradient(x)]


def _prod(x: list[Any]) -> Any:
    total = mp.mpf(1)
    for v in x:
        total *= v
    return total


def _prod_gradient(x: list[Any]) -> list[Any]:
    whole = _prod(x)
    return [whole / v for v in x]


def _logsumexp(x: list[Any]) -> Any:
    return mp.log(mp.fsum([mp.exp(v) for v in x]))


def _softmax(x: list[Any]) -> list[Any]:
    exponentials = [mp.exp(v) for v in x]
    total = mp.fsum(exponentials)
    return [e / total for e in exponentials]


def _norm(x: list[Any]) -> Any:
    return mp.sqrt(mp.fsum([v * v for v in x]))


def _norm_gradient(x: list[Any]) -> list[Any]:
    length = _norm(x)
    return [v / length for v in x]


def _cumsum(x: list[Any]) -> list[Any]:
    total, out = mp.mpf(0), []
    for v in x:
        total += v
        out.append(total)
    return out


def _magnitudes(x: list[Any]) -> Any:
    return mp.fsum([abs(v) for v in x])


def _cumulated_magnitudes(x: list[Any]) -> list[Any]:
    return _cumsum([abs(v) for v in x])


@dataclass(frozen=True)
class _Case:
    """Exact value, exact gradient, condition (None: the value's magnitude), data, functions."""

    exact: Function
    gradient: Function
    condition: Function | None
    data: tuple[str, ...]
    ours: Function
    jax: Function | None
    torch: str | None


_CASES: dict[str, _Case] = {
    "sum": _Case(
        _sum, lambda x: [mp.mpf(1)] * len(x), _magnitudes,
        ("uniform", "normal", "all magnitudes"), fnp.sum, jnp.sum, "sum",
    ),
    "mean": _Case(
        lambda x: _sum(x) / len(x), lambda x: [mp.mpf(1) / len(x)] * len(x),
        lambda x: _magnitudes(x) / len(x), ("uniform", "normal"), fnp.mean, jnp.mean, "mean",
    ),
    "var": _Case(
        _var, _var_gradient, None, ("uniform", "far from 0"), fnp.var, jnp.var, "var",
    ),
    "std": _Case(
        lambda x: mp.sqrt(_var(x)), _std_gradient, None,
        ("uniform", "far from 0"), fnp.std, jnp.std, "std",
    ),
    "prod": _Case(
        _prod, _prod_gradient, None, ("near 1",), fnp.prod, jnp.prod, "prod",
    ),
    "logsumexp": _Case(
        _logsumexp, _softmax, None, ("uniform", "far from 0"),
        lambda x: logsumexp(fad.asarray(x), (0,)), jax.scipy.special.logsumexp, "logsumexp",
    ),
    "norm": _Case(
        _norm, _norm_gradient, None, ("normal", "huge", "tiny"),
        lambda x: norm(fad.asarray(x), (0,)), jnp.linalg.norm, "norm",
    ),
    "cumsum": _Case(
        _cumsum, lambda x: [mp.mpf(len(x) - k) for k in range(len(x))], _cumulated_magnitudes,
        ("uniform", "normal"), fnp.cumsum, jnp.cumsum, "cumsum",
    ),
}  # fmt: skip


def _by_fad(case: _Case, x: Array) -> tuple[Any, Any]:
    out, pull = fad.vjp(case.ours, x)
    return np.asarray(out), np.asarray(pull(np.ones(out.shape, out.dtype))[0])


def _by_jax(case: _Case, x: Array) -> tuple[Any, Any]:
    function = case.jax
    assert function is not None
    with jax.enable_x64(True):

        def both(x: Any) -> Any:
            out, pull = jax.vjp(function, x)
            return out, pull(jnp.ones_like(out))[0]

        out, gradient = jax.jit(both)(x)
        return np.asarray(out), np.asarray(gradient)


def _by_torch(case: _Case, x: Array) -> tuple[Any, Any]:
    import torch

    functions: dict[str, Function] = {
        "var": lambda t: torch.var(t, correction=0),
        "std": lambda t: torch.std(t, correction=0),
        "logsumexp": lambda t: torch.logsumexp(t, 0),
        "cumsum": lambda t: torch.cumsum(t, 0),
    }
    assert case.torch is not None
    tensor = torch.tensor(x, requires_grad=True)
    out = functions.get(case.torch, getattr(torch, case.torch))(tensor)
    (gradient,) = torch.autograd.grad(out, tensor, torch.ones_like(out))
    return out.detach().numpy(), gradient.numpy()


_LIBRARIES = {"fad": _by_fad, "JAX": _by_jax, "PyTorch": _by_torch}


def _error(got: Any, exact: list[Any], condition: list[Any], eps: float) -> float:
    """The largest error relative to the condition, in units of epsilon."""
    worst = 0.0
    for value, want, scale in zip(np.atleast_1d(got).tolist(), exact, condition, strict=True):
        if not math.isfinite(value):
            return math.inf
        worst = max(worst, float(abs(mp.mpf(value) - want) / scale) / eps)
    return float(f"{worst:.3g}")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def run(only: str = "") -> list[Aggregate]:
    """Measure all of them, in float64 and float32."""
    found = []
    torch = importlib.util.find_spec("torch") is not None
    with mp.workprec(200):
        for dtype in (np.float64, np.float32):
            eps = float(np.finfo(dtype).eps)
            sets = _datasets(dtype)
            for name, case in _CASES.items():
                for data in case.data if only in name else ():
                    x = sets[data][:2000] if name == "prod" else sets[data]
                    points = [mp.mpf(v) for v in x.tolist()]
                    exact, gradient = _listed(case.exact(points)), _listed(case.gradient(points))
                    scale = case.condition(points) if case.condition else [abs(v) for v in exact]
                    largest = [max(abs(g) for g in gradient)] * len(gradient)
                    results = Aggregate(name, data, np.dtype(dtype).name, {}, {})
                    for library, evaluate in _LIBRARIES.items():
                        if library == "PyTorch" and not torch:
                            continue
                        value, pulled = evaluate(case, x)
                        results.values[library] = _error(value, exact, _listed(scale), eps)
                        results.gradients[library] = _error(pulled, gradient, largest, eps)
                    found.append(results)
    return found
