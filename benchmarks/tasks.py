"""What the fresh processes run; imports nothing but the clock, for the same reason as `fresh`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

_clock = time.perf_counter


def bring(library: str) -> tuple[Any, Callable[[Any], Any], Callable[..., Any]]:
    """The namespace of a library, its array constructor, and `gradient(f, *inputs)`, ready-made.

    An input is an array or a list of arrays. `gradient` returns a call which returns the gradients,
    one for each input, materialised.
    """
    if library == "torch":
        return _bring_torch()
    name = library.removesuffix("_jit")
    module: Any = __import__(name)
    xp: Any = __import__(f"{name}.numpy", fromlist=["sin"])
    if name == "jax":
        module.config.update("jax_enable_x64", True)

    def grad(function: Callable[..., Any], argnums: Any) -> Callable[..., Any]:
        transformed = module.grad(function, argnums=argnums)
        return module.jit(transformed) if library.endswith("_jit") else transformed

    def gradient(function: Callable[..., Any], *inputs: Any) -> Callable[[], Any]:
        transformed = grad(function, argnums=tuple(range(len(inputs))))

        def call() -> Any:
            gradients = transformed(*inputs)
            for one in gradients:
                for array in one if isinstance(one, list) else (one,):
                    array.block_until_ready()
            return gradients

        return call

    return xp, module.asarray if name == "fad" else xp.asarray, gradient


def _bring_torch() -> tuple[Any, Callable[[Any], Any], Callable[..., Any]]:
    import torch

    torch.set_num_threads(2)

    def gradient(function: Callable[..., Any], *inputs: Any) -> Callable[[], Any]:
        wanted = []
        for one in inputs:
            wanted += one if isinstance(one, list) else [one]
        for tensor in wanted:
            tensor.requires_grad_()
        return lambda: torch.autograd.grad(function(*inputs), wanted)

    return torch, lambda value: torch.tensor(value, dtype=torch.float64), gradient


def imported(library: str) -> dict[str, float]:
    """Seconds that importing a library takes."""
    start = _clock()
    __import__(library)
    return {"seconds": _clock() - start}


def _polynomial(xp: Any, x: Any) -> Any:
    return x * x * x + 2.0 * x + 1.0


def _six_operations(xp: Any, x: Any) -> Any:
    return (xp.sin(x) * x + xp.exp(-x)).sum()


def _logistic(xp: Any, w: Any, x: Any) -> Any:
    return xp.log1p(xp.exp(-(x @ w))).mean() + 0.1 * (w * w).sum()


_SCALAR, _VECTOR = 0.7, [0.1 * i for i in range(10)]
_MATRIX = [[0.1 * (i - j) for i in range(10)] for j in range(20)]

SMALL: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "cubic in a scalar": (_polynomial, (_SCALAR,)),
    "six operations on 10 elements": (_six_operations, (_VECTOR,)),
    "logistic loss, 20x10": (_logistic, (_VECTOR, _MATRIX)),
}


def first_gradient(library: str, name: str) -> dict[str, float]:
    """Seconds from nothing to the first gradient of a small function, and to the second."""
    function, inputs = SMALL[name]
    start = _clock()
    xp, array, gradient = bring(library)
    ready = _clock()
    call = gradient(lambda *given: function(xp, *given), *map(array, inputs))
    call()
    first = _clock()
    call()
    return {"import": ready - start, "total": first - start, "second": _clock() - first}


def chain(library: str, operations: int, seconds: float) -> dict[str, float]:
    """Gradients of a chain of operations on 10 elements: the first call, and the later ones.

    Later calls are repeated for about `seconds`, and the median of the last quarter is taken.
    """
    xp, array, gradient = bring(library)

    def function(x: Any) -> Any:
        for _ in range(operations // 2):
            x = xp.sin(x) * 1.01
        return x.sum()

    return _first_and_later(gradient(function, array(_VECTOR)), seconds)


def wide(library: str, inputs: int, seconds: float) -> dict[str, float]:
    """Gradients in many scalars at once: one tape with as many inputs."""
    _, array, gradient = bring(library)

    def function(given: list[Any]) -> Any:
        total = given[0]
        for one in given[1:]:
            total = total + one * one
        return total

    return _first_and_later(gradient(function, [array(0.001 * i) for i in range(inputs)]), seconds)


def _first_and_later(call: Callable[[], Any], seconds: float) -> dict[str, float]:
    start = _clock()
    call()
    first = _clock() - start
    later: list[float] = []
    end = _clock() + seconds
    while len(later) < 3 or (_clock() < end and len(later) < 1000):
        begin = _clock()
        call()
        later.append(_clock() - begin)
    last = sorted(later[-max(3, len(later) // 4) :])
    return {"first": first, "later": last[len(last) // 2], "calls": len(later), "worst": max(later)}
