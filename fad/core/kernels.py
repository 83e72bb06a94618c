"""Kernels: the one place where JAX compiles, runs or maps anything.

Everything here happens inside ``jax.enable_x64(True)``, so float64 stays float64 whatever the
user's own JAX configuration says, and that configuration stays as it is.

On the CPU programs run in the thread that calls them. JAX would hand all but the smallest to
another thread, which costs 15 to 20 µs a call, more than most of fad's programs take, and needs
their temporaries all at once. Its CPU backend is asked to do without where fad is what starts it.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple, NoReturn

import jax
import numpy as np
from jax import lax
from jax import numpy as _jnp

from fad.core.aval import Aval, make_aval
from fad.core.errors import FadRuntimeError, located

Buffer = Any
"""A jax.Array, or a NumPy array that fad owns and nobody writes to."""

_compilations = itertools.count()
_compiled_so_far = 0
enable_x64: Any = jax.enable_x64
_struct: Any = jax.ShapeDtypeStruct


def compilations() -> int:
    """How many programs and kernels have been compiled in this process so far."""
    return _compiled_so_far


def _count() -> None:
    global _compiled_so_far
    _compiled_so_far = next(_compilations) + 1


@cache
def start() -> None:
    """Start JAX's CPU backend, unless it runs already: then it stays as it was started."""
    options: Any = jax.config
    before = options.read(_ASYNCHRONOUS)
    options.update(_ASYNCHRONOUS, False)
    try:
        jax.devices("cpu")
    finally:
        options.update(_ASYNCHRONOUS, before)
    if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
        os.register_at_fork(after_in_child=_refuse_to_run)


def _refuse_to_run() -> None:
    """In a process forked off this one XLA has no threads, and would wait for them forever."""
    global enable_x64
    enable_x64 = _forked


def _forked(_: bool) -> NoReturn:
    raise FadRuntimeError(
        located(
            "this process was forked from one in which fad had computed, and XLA's threads do not "
            'survive that. Start processes afresh: multiprocessing.get_context("spawn"), with '
            "concurrent.futures as ProcessPoolExecutor(mp_context=...). Or fork before the first "
            "computation"
        )
    )


_ASYNCHRONOUS = "jax_cpu_enable_async_dispatch"


def infer(kernel: Callable[..., Any], avals: Sequence[Aval]) -> Aval | tuple[Aval, ...]:
    """Aval(s) of the kernel's result(s), by abstract evaluation."""
    with enable_x64(True):
        out = jax.eval_shape(kernel, *[_struct(a.shape, a.dtype) for a in avals])
    if isinstance(out, (tuple, list)):
        return tuple([make_aval(tuple(o.shape), o.dtype) for o in out])
    return make_aval(tuple(out.shape), out.dtype)


# Without fusion XLA's algebraic simplifier drops the copies that transpose complex and unsigned
# numbers, where a reshape that has become a bitcast follows; so reshapes stay what they are.
# XLA's older way of emitting loops, which XLA_FLAGS may ask for, is wrong without fusion, too.
_UNFUSED = {
    "xla_disable_hlo_passes": "fusion,reshape-decomposer",
    "xla_cpu_use_fusion_emitters": True,
}


def compile(
    function: Callable[..., Any], donate: tuple[int, ...] = (), fuse: bool = True
) -> Callable[..., Any]:
    """``function`` of buffers, compiled by XLA at its first call for each device and shape.

    Without ``fuse`` elementwise operations are not fused into loops on the CPU, where that pass
    takes time quadratic in the number of operations.
    """
    jitted = jit(function, donate, fuse)

    def call(*buffers: Buffer) -> Any:
        with enable_x64(True):
            return jitted(*buffers)

    return call


def jit(
    function: Callable[..., Any], donate: tuple[int, ...] = (), fuse: bool = True
) -> Callable[..., Any]:
    """The same, to be called inside ``enable_x64(True)``."""
    start()
    options = None if fuse or jax.default_backend() != "cpu" else _UNFUSED

    def traced(*buffers: Buffer) -> Any:
        _count()
        return function(*buffers)

    return jax.jit(traced, donate_argnums=donate, compiler_options=options)


class Step(NamedTuple):
    """One kernel of a program that runs kernel by kernel.

    ``dead`` are values that nothing uses after it; ``wait`` says that its results are large.
    """

    kernel: Callable[..., Any]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    multiple: bool
    dead: list[int]
    wait: bool


def run_apart(
    steps: Sequence[Step], inputs: Sequence[int], outputs: Sequence[int], buffers: Sequence[Buffer]
) -> list[Buffer]:
    """Run a program kernel by kernel."""
    env = dict(zip(inputs, buffers, strict=True))
    with enable_x64(True):
        for kernel, ins, outs, multiple, dead, wait in steps:
            results = kernel(*[env[v] for v in ins])
            if multiple:
                env.update(zip(outs, results, strict=True))
            else:
                env[outs[0]] = results
            if wait:  # XLA allocates ahead of what it computes, and would free nothing in time
                block(env[outs[0]])
            for v in dead:
                del env[v]
    return [env[v] for v in outputs]


def mapped(kernel: Callable[..., Any], batched: tuple[bool, ...], size: int) -> Callable[..., Any]:
    """``kernel`` mapped over axis 0 of the batched operands; results are batched at axis 0."""
    in_axes = tuple([0 if b else None for b in batched])
    return jax.vmap(kernel, in_axes=in_axes, out_axes=0, axis_size=size)


def unpack(buffer: Buffer, count: int) -> list[Any]:
    """The elements of a vector, inside a compilation."""
    return [lax.index_in_dim(buffer, i, keepdims=False) for i in range(count)]


def align(operands: Sequence[Any], dtypes: Sequence[Any]) -> list[Any]:
    """Operands of an elementwise kernel, converted to ``dtypes`` and broadcast to one shape."""
    converted = [
        x if x.dtype == d else lax.convert_element_type(x, d)
        for x, d in zip(operands, dtypes, strict=True)
    ]
    shapes = [tuple(x.shape) for x in converted]
    if all(shape == shapes[0] for shape in shapes):
        return converted
    shape = np.broadcast_shapes(*shapes)
    return [_broadcast(x, shape) for x in converted]


def _broadcast(x: Any, shape: tuple[int, ...]) -> Any:
    if tuple(x.shape) == shape:
        return x
    first = len(shape) - x.ndim
    kept = [i for i, n in enumerate(x.shape) if n == shape[first + i]]
    squeezed = x if len(kept) == x.ndim else lax.reshape(x, [x.shape[i] for i in kept])
    return lax.broadcast_in_dim(squeezed, shape, [first + i for i in kept])


def put(value: Any, device: Any = None) -> Buffer:
    """A device buffer with a copy of ``value``, a buffer or what NumPy makes an array of.

    NumPy copies: JAX would compile a program for it, anew for each shape. The buffer may then share
    the memory of that copy, which nobody else knows.
    """
    start()
    with enable_x64(True):
        copied = _jnp.array(value, copy=True) if is_buffer(value) else np.array(value, order="C")
        return jax.device_put(copied, device)


def from_dlpack(value: Any) -> Buffer:
    """A buffer that shares the memory of another library's array."""
    start()
    with enable_x64(True):
        return _jnp.from_dlpack(value)


def is_buffer(value: Any) -> bool:
    """Whether ``value`` is a concrete JAX array, such as a user of JAX may hand to fad."""
    return isinstance(value, jax.Array)


def block(buffer: Buffer) -> None:
    """Wait until ``buffer`` has been computed."""
    if buffer.__class__ is not np.ndarray:
        buffer.block_until_ready()


def devices(platform: str | None = None) -> list[Any]:
    """The devices of a platform of the installed JAX, by default its best one."""
    start()
    return list(jax.devices(platform))


def device_of(buffer: Buffer) -> Any:
    """The device that holds ``buffer``; host arrays belong to the default device."""
    if isinstance(buffer, jax.Array):
        return next(iter(buffer.devices()))
    return jax.devices()[0]
