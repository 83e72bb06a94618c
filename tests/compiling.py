"""How the tests have XLA compile."""

import os
import subprocess
import sys
from pathlib import Path

QUICK = "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"
"""Without LLVM's optimisations, and by XLA's older way of emitting loops: a third of the time. No
results depend on it but last bits, where users' programs join a product and a sum into one
instruction: what is said of those is tested in a process that compiles as users do, as the deep
profile does."""


def run_as_users(program: str) -> None:
    """Run a Python program that is compiled as users' programs are."""
    environment = {**os.environ, "XLA_FLAGS": ""}
    root = Path(__file__).parents[1]
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, cwd=root)
