"""How JAX's backend is started, each case in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

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
