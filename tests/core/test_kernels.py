"""JAX as the compiler: how its backend is started (in processes of their own), what it compiles."""

from __future__ import annotations

import subprocess
import sys

import jax
import numpy as np
import pytest

import fad

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


def _output(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
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
