"""The hunt itself: what is not broken survives, what is broken dies, and rules come back."""

from __future__ import annotations

import copy

import pytest

from fad.primitives.declare import declarations
from tests.mutants.altered import Altered, Mutant, detached, installed, rebuilt, renamed, with_param
from tests.mutants.expected import EXPECTED
from tests.mutants.hunt import fate_of, hunt
from tests.primitives.cases import cases_of


@pytest.mark.parametrize("name", ["exp", "mul", "sort", "slogdet", "concatenate"])
def test_rules_that_pass_through_the_machinery_unchanged_are_no_mutants(name):
    derivative = declarations[name].primitive.derivative
    assert fate_of(name, Mutant("nothing", Altered(derivative))) == "equivalent"


@pytest.mark.parametrize(
    "change",
    [
        lambda f: renamed(f, "x", "x"),
        lambda f: rebuilt(f, names={}),
        lambda f: rebuilt(f, constants={}),
    ],
)
def test_linear_functions_rebuilt_unchanged_are_no_mutants(change):
    derivative = copy.copy(declarations["square"].primitive.derivative)
    derivative.jvps = derivative.vjps = [change(f) for f in derivative.vjps]
    assert fate_of("square", Mutant("nothing", derivative)) == "equivalent"


def test_a_parameter_given_as_it_is_makes_no_mutant():
    derivative = copy.copy(declarations["flip"].primitive.derivative)
    derivative.vjps = [with_param(f, "axes", lambda axes: axes) for f in derivative.vjps]
    assert fate_of("flip", Mutant("nothing", derivative)) == "equivalent"


def test_a_residual_that_is_held_constant_is_noticed_at_order_two():
    derivative = copy.copy(declarations["square"].primitive.derivative)
    derivative.jvps = derivative.vjps = [detached(f, "x") for f in derivative.vjps]
    assert fate_of("square", Mutant("detached", derivative)) == "differences"


def test_rules_come_back():
    primitive = declarations["mul"].primitive
    operation, derivative, batch = primitive(), primitive.derivative, primitive.batch
    with installed(primitive, Mutant("both", None, None)):
        assert operation.derivative is None
        assert operation.batch is None
    assert (primitive.derivative, primitive.batch) == (derivative, batch)
    assert (operation.derivative, operation.batch) == (derivative, batch)


@pytest.mark.parametrize("name", ["div", "permute"])
def test_nothing_survives(name):
    survivors = {(v.primitive, v.what) for v in hunt(name) if v.fate in ("survives", "fails")}
    assert survivors == {key for key in EXPECTED if key[0] == name}
    assert cases_of(name)
