"""fad and its rivals behind one interface: a function of arrays, and its derivatives.

``LIBRARIES[name](primitive, exact)`` gives the library's function of that name, or None if it has
none. ``evaluate(function, path, operands)`` is its value or a derivative, elementwise.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import numpy as jnp

import fad
from benchmarks.accuracy.exact import Exact, Path
from fad.core.apply import apply
from fad.primitives.declare import declarations

Function = Callable[..., Any]


_special = jax.scipy.special


def _is_internal(name: str, exact: Exact) -> bool:
    """Whether the row is about a derivative that other libraries have no function for."""
    return name != "polygamma" and exact.params.get("order", 0) > 0


class Library(NamedTuple):
    """How to find a function and how to differentiate it."""

    find: Callable[[str, Exact], Function | None]
    evaluate: Callable[[Function, Path, list[Any]], Any]


# ------------------------------------------------------------------------------------------- fad


def _of_fad(name: str, exact: Exact) -> Function:
    operation = declarations[name].primitive(**exact.params)
    return lambda *operands: apply(operation, *operands)


def _by_fad(function: Function, path: Path, operands: list[Any]) -> Any:
    for index in path:
        function = _pulled(function, index)
    return np.asarray(function(*operands))


def _pulled(function: Function, index: int) -> Function:
    """The derivative in one operand, by the reverse rule."""

    def derivative(*operands: Any) -> Any:
        def of_one(x: Any) -> Any:
            return function(*operands[:index], x, *operands[index + 1 :])

        out, pull = fad.vjp(of_one, operands[index])
        return pull(np.ones(out.shape, out.dtype))[0]

    return derivative


# ------------------------------------------------------------------------------------------- JAX

_JAX: dict[str, Function | None] = {
    "rsqrt": jax.lax.rsqrt,
    "integer_pow": lambda x, *, exponent: x**exponent,
    "sigmoid": jax.nn.sigmoid,
    "erf": jax.scipy.special.erf,
    "erfc": jax.scipy.special.erfc,
    "add": jnp.add,
    "sub": jnp.subtract,
    "mul": jnp.multiply,
    "div": jnp.divide,
    "power": lambda x, y, **params: jnp.power(x, y),
    "sinc": lambda x, *, order: jnp.sinc(x),
    "ldexp": jnp.ldexp,
    "select": None,
    "round": jnp.round,
    "polygamma": lambda x, *, order: _jax_polygamma(x, order),
    "erfcx": None,
    "softplus": jax.nn.softplus,
    "bessel_ratio": lambda x, *, order, scaled: (_special.i0e if scaled else _special.i0)(x),
    "zeta": lambda s, q, **params: _special.zeta(s, q),
}


def _jax_polygamma(x: Any, order: int) -> Any:
    plain = {-1: _special.gammaln, 0: _special.digamma}
    return plain[order](x) if order in plain else _special.polygamma(order, x)


def _of_jax(name: str, exact: Exact) -> Function | None:
    if _is_internal(name, exact):
        return None
    function = _JAX[name] if name in _JAX else getattr(jnp, name, None)
    function = function or getattr(_special, name, None)
    if function is None or not exact.params:
        return function
    return lambda *operands: function(*operands, **exact.params)


def _by_jax(function: Function, path: Path, operands: list[Any]) -> Any:
    holomorphic = np.iscomplexobj(operands[0])
    for index in path:
        function = jax.grad(function, argnums=index, holomorphic=holomorphic)
    with jax.enable_x64(True):
        return np.asarray(jax.jit(jax.vmap(function))(*operands))


# --------------------------------------------------------------------------------------- PyTorch

_TORCH: dict[str, str | None] = {
    "floor_divide": "floor_divide",
    "power": "pow",
    "cbrt": None,
    "select": None,
    "rint": "round",
}


def _of_torch(name: str, exact: Exact) -> Function | None:
    if importlib.util.find_spec("torch") is None or _is_internal(name, exact):
        return None
    import torch

    if name == "polygamma":  # its derivatives count up from -1e15 in steps of 1
        return torch.lgamma if exact.params["order"] == -1 else None
    if name == "bessel_ratio":
        return torch.special.i0e if exact.params["scaled"] else torch.special.i0
    if name == "softplus":
        return torch.nn.functional.softplus

    if name == "integer_pow":
        return lambda x: x ** exact.params["exponent"]
    torch_name = _TORCH.get(name, name)
    if torch_name is None:
        return None
    found: Function | None = getattr(torch.special, torch_name, None)
    return found or getattr(torch, torch_name, None)


def _by_torch(function: Function, path: Path, operands: list[Any]) -> Any:
    import torch

    tensors = [torch.tensor(x) for x in operands]
    for index in set(path):
        tensors[index].requires_grad_()
    out = function(*tensors)
    for index in path:
        if not out.requires_grad:
            return np.zeros(out.shape, out.numpy().dtype)
        (out,) = torch.autograd.grad(
            out, tensors[index], torch.ones_like(out), create_graph=True, allow_unused=True
        )
        if out is None:
            return np.zeros_like(operands[index])
        out = out.conj()  # torch's derivative of a holomorphic function is the conjugate of f'
    return out.detach().resolve_conj().numpy()


LIBRARIES: dict[str, Library] = {
    "fad": Library(_of_fad, _by_fad),
    "JAX": Library(_of_jax, _by_jax),
    "PyTorch": Library(_of_torch, _by_torch),
}
