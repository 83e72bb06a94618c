"""Tests generated from the declarations: every primitive, every check, every case."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

import fad  # noqa: F401
from fad.core.primitive import Primitive
from fad.primitives.declare import declarations
from tests.primitives.cases import cases_of
from tests.primitives.checks import CHECKS, run

# Operations on operations: their tests are those of jit, vmap and of the operations within.
META = {"batched", "call", "scalar"}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", sorted(declarations))
def test_primitive(name: str, check: str) -> None:
    for case in cases_of(name):
        run(check, case)


def test_every_primitive_is_declared_with_samples() -> None:
    # Other tests declare primitives of their own, under such names.
    ours = {name for name in Primitive.registry if not name.startswith("test_")}
    undeclared = ours - set(declarations) - META
    assert not undeclared
    without = [name for name, d in declarations.items() if not d.samples()]
    assert not without


def test_every_primitive_says_what_it_computes() -> None:
    # By its formula, or by a name that NumPy or SciPy has given the same function.
    unsaid = [
        name
        for name, declaration in declarations.items()
        if not (declaration.formula or hasattr(np, name) or hasattr(special, name))
    ]
    assert not unsaid
