"""JAX as the compiler: how its backend is started (in processes of their own), what it compiles."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import jax
import numpy as np
import pytest

import fad
from fad.core import kernels, program

_WATCH = """
import jax
seen = []
devices = jax.devices
def watched(*args):
    seen.append(jax.config.read("jax_cpu_enable_async_dispatch"))
    return devices(*args)
jax.devices = watched
"""
_USE = "import fad\nfad.grad(lambda x: x * x)(2.0).block_until_ready()\n"
_ASK = "print(seen[0], jax.config.read('jax_cpu_enable_async_dispatch'))"


@pytest.mark.parametrize("chosen", [True, False])
def test_programs_run_in_the_calling_thread_and_the_setting_is_put_back(chosen: bool) -> None:
    choose = f"jax.config.update('jax_cpu_enable_async_dispatch', {chosen})\n"
    assert _output(_WATCH + choose + _USE + _ASK) == f"False {chosen}"


def test_importing_fad_starts_no_backend() -> None:
    assert _output(_WATCH + "import fad\nprint(seen)") == "[]"


def _output(program: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout.strip()


def test_taking_an_array_compiles_nothing_whatever_its_shape(
    request: pytest.FixtureRequest,
) -> None:
    compiled: list[str] = []

    def listen(event: str, duration: float, **_: object) -> None:
        if "backend_compile" in event:
            compiled.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    request.addfinalizer(lambda: jax.monitoring.unregister_event_duration_listener(listen))
    for shape in [(), (7, 3), (1, 11, 2)]:
        value = np.full(shape, 0.25)
        x = fad.asarray(value)
        value[...] = 1.0
        np.testing.assert_array_equal(np.asarray(x), np.full(shape, 0.25))
    assert not compiled
    np.asarray(fad.asarray(np.ones((13, 17))) + 1.0)
    assert compiled, "the listener hears of compilations"


@pytest.mark.parametrize(
    "dtype", [bool, "u1", "u4", "u8", "i1", "i4", "f2", "f4", "f8", "c8", "c16"]
)
def test_programs_without_fusion_transpose_every_dtype(dtype: str) -> None:
    """XLA lost transposes of complex and unsigned numbers there."""

    def through(xp: Any, x: Any) -> list[Any]:
        y = xp.where(x != 0, x, x)
        moved = xp.transpose(xp.reshape(y, (4, 3, 1)), (1, 2, 0))
        return [y.T.reshape(12), y.T.reshape(3, 2, 2), moved.reshape(3, 4), x.T.ravel()]

    x = np.arange(12).reshape(4, 3).astype(dtype)
    found = kernels.compile(lambda x: through(jax.numpy, x), fuse=False)(x)
    for a, b in zip(found, through(np, x), strict=True):
        np.testing.assert_array_equal(np.asarray(a), b)


def test_long_programs_of_complex_numbers() -> None:
    def f(x: Any) -> Any:
        for _ in range(program.MAX_FUSED):
            x = x * 1j
        return x.T.ravel()

    x = np.arange(6.0).reshape(2, 3) + 1j
    with fad.config(compile="always"):
        np.testing.assert_allclose(np.asarray(fad.jit(f)(x)), f(x), rtol=1e-12)


_FORK = """
import os, signal, sys, warnings
warnings.simplefilter("ignore")  # JAX and Python warn of the fork, too
import numpy as np
import fad
def compute(k):
    return float(fad.grad(lambda x: x * x * k)(3.0))
if sys.argv[1] == "after":
    compute(1.0)
    before = fad.asarray([1.0, 2.0]) * 3.0
    np.asarray(before)
child = os.fork()
if not child:
    signal.alarm(60)
    if sys.argv[1] == "after":
        print(np.asarray(before))
    try:
        print(compute(2.0), fad.jit(np.sinh)(0.0))
    except RuntimeError as error:
        print(str(error).split(",")[0])
    sys.stdout.flush()
    os._exit(0)
os.waitpid(child, 0)
print(compute(2.0))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_a_process_forked_after_a_computation_says_so_instead_of_hanging() -> None:
    message = "this process was forked from one in which fad had computed"
    assert _output(_FORK, "after").splitlines() == ["[3. 6.]", message, "12.0"]
    assert _output(_FORK, "before").splitlines() == ["12.0 0.0", "12.0"]
