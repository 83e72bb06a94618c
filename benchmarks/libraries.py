"""The contestants behind one interface: arrays, namespaces and derivatives of each library.

A derivative is handed out as a function of no arguments which returns with its result materialised:
fad and JAX are waited for, and PyTorch's CPU operations are done when they return.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import statistics
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from benchmarks import timing
from benchmarks.environment import THREADS
from benchmarks.program import Program, Tree, leaves, map_tree

Call = Callable[[], Any]

_SHARED_NAMES = "abs amax cos exp log log1p mean sin sqrt square stack sum tanh trace where".split()


def _namespace(module: str, **more: Callable[..., Any]) -> SimpleNamespace:
    """The functions that programs use: the module's own, and `more` where the libraries differ."""
    shared = {name: _function(module, name) for name in _SHARED_NAMES}
    return SimpleNamespace(**(shared | more))


def _function(module: str, name: str) -> Callable[..., Any]:
    """A module's function; one that is missing fails the programs that call it, and no others."""
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):

        def missing(*_: Any) -> Any:
            raise NotImplementedError(f"there is no {module}.{name}")

        return missing
    return found


def _wait(result: Tree) -> Tree:
    """Return when every array of the result is computed."""
    kind = type(result)
    if kind is tuple or kind is list:
        for child in result:
            _wait(child)
    elif kind is dict:
        for child in result.values():
            _wait(child)
    else:
        result.block_until_ready()
    return result


class Transforming:
    """fad and JAX, which share one interface."""

    def __init__(
        self, name: str, module: ModuleType, xp: SimpleNamespace, array: Callable[..., Any]
    ):
        self.name = name
        self.module = module
        self.xp = xp
        self.array = array

    def inputs(self, program: Program) -> tuple[Any, ...]:
        """The program's inputs as this library's arrays."""
        return tuple(map_tree(self.array, tree) for tree in program.inputs)

    def derivative(self, program: Program, kind: str, jit: bool = False) -> Call:
        """`kind` is "grad", "jacobian" or "hessian", or "value" for the function itself."""
        function = functools.partial(program.function, self.xp)
        if kind == "value":
            transformed = function
        else:
            transformed = getattr(self.module, kind)(function, argnums=program.argnums)
        if jit:
            transformed = self.module.jit(transformed)
        inputs = self.inputs(program)
        return lambda: _wait(transformed(*inputs))

    def compilations(self) -> Callable[[], int] | None:
        """The library's counter of compilations, if it has one."""
        try:
            kernels = importlib.import_module(f"{self.name}.core.kernels")
        except ImportError:
            return None
        return getattr(kernels, "compilations", None)

    def state(self) -> Callable[[], object] | None:
        """What changes as long as calls compile, or count towards being compiled whole."""
        compilations = self.compilations()
        if compilations is None:
            return None
        programs = importlib.import_module(f"{self.name}.core.program")._programs

        def state() -> object:
            return compilations(), sum(program.patience for program in programs.values())

        return state

    def tune(self, call: Call) -> None:
        """XLA shares out its work by itself."""


class Torch:
    """PyTorch: `torch.autograd.grad` for gradients, `torch.func` for matrices of derivatives."""

    name = "torch"

    def __init__(self, torch: ModuleType):
        self.torch = torch
        self.xp = _namespace(
            "torch",
            logsumexp=torch.logsumexp,
            number=torch.Tensor.item,
        )

    def array(self, value: np.ndarray) -> Any:
        return self.torch.tensor(value)

    def inputs(self, program: Program) -> tuple[Any, ...]:
        """The program's inputs as tensors."""
        return tuple(map_tree(self.array, tree) for tree in program.inputs)

    def derivative(self, program: Program, kind: str, jit: bool = False) -> Call:
        """`kind` is "grad", "jacobian" or "hessian"; nothing is compiled, whatever `jit` says."""
        function = functools.partial(program.function, self.xp)
        inputs = self.inputs(program)
        if kind == "grad":
            wanted = list(leaves([inputs[position] for position in program.differentiated]))
            for tensor in wanted:
                tensor.requires_grad_()
            grad = self.torch.autograd.grad
            return lambda: grad(function(*inputs), wanted)
        transform = {"jacobian": self.torch.func.jacrev, "hessian": self.torch.func.hessian}[kind]
        transformed = transform(function, argnums=program.argnums)
        return lambda: transformed(*inputs)

    def state(self) -> None:
        """Nothing is compiled."""
        return None

    def tune(self, call: Call) -> None:
        """Take the number of threads, two or one, with which the call is faster.

        PyTorch's threads wait for each other by spinning. Where something else runs on the machine,
        two of them can be a hundred times slower than one.
        """
        best = {}
        for threads in (THREADS, 1):
            self.torch.set_num_threads(threads)
            call()
            best[threads] = statistics.median(timing.batch_seconds(call, 5) for _ in range(5))
        self.torch.set_num_threads(min(best, key=best.__getitem__))


Library = Transforming | Torch


def _load_fad() -> Library:
    fad = importlib.import_module("fad")
    logsumexp = _function("fad.scipy.special", "logsumexp")
    xp = _namespace("fad.numpy", logsumexp=logsumexp, number=float)
    return Transforming("fad", fad, xp, _function("fad", "asarray"))


def _load_jax() -> Library:
    import jax
    from jax.scipy.special import logsumexp

    jax.config.update("jax_enable_x64", True)

    def number(x: Any) -> float:
        return float(jax.lax.stop_gradient(x))  # `float` of a traced value is refused

    xp = _namespace("jax.numpy", logsumexp=logsumexp, number=number)
    return Transforming("jax", jax, xp, jax.numpy.asarray)


def _load_torch() -> Library:
    import torch

    torch.set_num_threads(THREADS)
    return Torch(torch)


_LOADERS: dict[str, Callable[[], Library]] = {
    "fad": _load_fad,
    "jax": _load_jax,
    "torch": _load_torch,
}
NAMES = tuple(_LOADERS)


@functools.cache
def _load(name: str) -> Library | ImportError:
    try:
        return _LOADERS[name]()
    except ImportError as error:
        return error


def load(name: str) -> Library | None:
    """The library, or None where it is not installed."""
    loaded = _load(name)
    return None if isinstance(loaded, ImportError) else loaded


def why_absent(name: str) -> str:
    """What the import said, empty where it succeeded."""
    loaded = _load(name)
    return str(loaded) if isinstance(loaded, ImportError) else ""


def to_numpy(result: Tree) -> list[np.ndarray]:
    """The arrays of a result, for comparison."""
    return [
        np.asarray(leaf.detach() if hasattr(leaf, "detach") else leaf) for leaf in leaves(result)
    ]


def installed(name: str) -> bool:
    """Whether the library is there to be imported; does not import it."""
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.origin is not None
