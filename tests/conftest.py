"""Settings that hold for every test: threads, Hypothesis profiles and seeds, markers, ``rng``."""

import os
import secrets
import zlib

# Each xdist worker is a process of its own: one BLAS thread each, or they fight over the cores.
# This has to happen before NumPy is first imported.
if "PYTEST_XDIST_WORKER" in os.environ:
    for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(_name, "1")

from tests.compiling import QUICK

# The suite compiles some tens of thousands of small programs, and spends its time on that.
if os.environ.get("FAD_TEST_PROFILE") != "deep":
    os.environ.setdefault("XLA_FLAGS", QUICK)

import gc
import importlib.util

import jax
import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from fad.core import kernels, program, runs, trie

PROFILE = os.environ.get("FAD_TEST_PROFILE", "default")

# A first call compiles, so that the time of one example says nothing: no deadlines, no health check
# on slowness. Every failure prints a blob with which it can be reproduced.
_common = settings(
    deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow], derandomize=False
)
settings.register_profile("default", _common, max_examples=25)
settings.register_profile("ci", _common, max_examples=25, database=None)
settings.register_profile("deep", _common, max_examples=1000)
settings.load_profile(PROFILE)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """Choose the seed of Hypothesis here, so that the header can print it (workers inherit it)."""
    if config.getoption("--hypothesis-seed") is None:
        config.option.hypothesis_seed = str(secrets.randbelow(2**32))


def pytest_report_header(config):
    seed = config.getoption("--hypothesis-seed")
    return f"fad: profile {PROFILE}; repeat this run's examples with --hypothesis-seed={seed}"


def pytest_collection_modifyitems(items):
    has_torch = importlib.util.find_spec("torch") is not None
    for item in items:
        if PROFILE != "deep" and item.get_closest_marker("deep"):
            item.add_marker(pytest.mark.skip(reason="only with FAD_TEST_PROFILE=deep"))
        if not has_torch and item.get_closest_marker("torch"):
            item.add_marker(pytest.mark.skip(reason="torch is not installed"))


MAX_COMPILED = 1000
"""XLA keeps 1 to 2 MB for each program, and a worker would compile some tens of thousands."""

_compiled_before = 0


@pytest.fixture(autouse=True)
def _bounded_memory():
    """Forget what was compiled, now and then."""
    global _compiled_before
    yield
    if kernels.compilations() - _compiled_before > MAX_COMPILED:
        _compiled_before = kernels.compilations()
        runs.restart()
        trie.trie.forget()
        program._kernels.clear()
        program._programs.clear()
        program._holding.clear()
        jax.clear_caches()
        gc.collect()


@pytest.fixture
def rng(request):
    """A NumPy generator whose numbers depend only on the test's name and parameters."""
    return np.random.default_rng(zlib.crc32(request.node.name.encode()))
