"""The conditions of a run: threads held to two, versions and machine on record."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path

THREADS = 2

_THREAD_VARIABLES = ("NPROC", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_PACKAGES = ("fad", "numpy", "jax", "jaxlib", "torch")


def limit_threads(threads: int = THREADS) -> None:
    """Hold every library of this process and its children to `threads` threads.

    XLA reads ``NPROC`` and the number of schedulable processors, the others their own variables,
    and each of them only once: call this before any of them is imported.
    """
    for variable in _THREAD_VARIABLES:
        os.environ[variable] = str(threads)
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def cpu_model() -> str:
    """The processor's name, as exactly as the system knows it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    pairs = (line.partition(":") for line in lines)
    fields = {key.strip(): value.strip() for key, _, value in pairs}
    name = fields.get("model name", platform.machine())
    return f"{name} (family {fields.get('cpu family', '?')}, model {fields.get('model', '?')})"


def package_version(package: str) -> str:
    """The installed version, or "absent"."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        pass
    try:
        module = importlib.import_module(package)
    except ImportError:
        return "absent"
    return str(getattr(module, "__version__", "of this checkout"))


def describe() -> dict[str, str]:
    """The header of a report."""
    header = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {os.uname().machine}",
    }
    header["processor"] = f"{cpu_model()}, {os.cpu_count()} cores, {THREADS} threads used"
    header.update((package, package_version(package)) for package in _PACKAGES)
    header["precision"] = "float64"
    if hasattr(os, "getloadavg"):
        header["load"] = f"{os.getloadavg()[0]:.2f} before the run"
    return header
