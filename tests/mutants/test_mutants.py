"""The hunt itself: what is not broken survives, what is broken dies, and rules come back."""

from __future__ import annotations

import copy

import pytest

from fad.primitives.declare import declarations
from tests.mutants.__main__ import report
from tests.mutants.altered import Altered, Mutant, detached, installed, rebuilt, renamed, with_param
from tests.mutants.expected import EXPECTED
from tests.mutants.hunt import Verdict, fate_of, hunt
from tests.mutants.mutations import KINDS, mutants_of
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


@pytest.mark.parametrize("name", ["square", "permute"])
def test_nothing_survives(name):
    survivors = {(v.primitive, v.what) for v in hunt(name) if v.fate in ("survives", "fails")}
    assert survivors == {key for key in EXPECTED if key[0] == name}
    assert cases_of(name)


def test_every_kind_of_mistake_is_made():
    made = {
        name: {m.kind for m in mutants_of(declarations[name].primitive, cases_of(name))}
        for name in ("div", "log2", "permute")
    }
    assert set.union(*made.values()) == set(KINDS)
    assert made["div"] == set(KINDS) - {"parameter", "number"}


def test_numbers_and_calls_of_functions_within_a_rule_are_changed_too():
    def rule(g):
        return [(lambda t: t * 2.0)(g)]

    assert rebuilt(rule, constants={2.0: 5.0})(1.0) == [5.0]


def test_a_residual_may_be_wrong_where_no_names_say_what_is_kept():
    mutants = mutants_of(declarations["sort"].primitive, cases_of("sort"))
    (mutant,) = [m for m in mutants if m.kind == "residual"]
    assert fate_of("sort", mutant) == "adjoint"


def test_a_derivative_that_no_case_shows_is_not_taken_for_an_equivalent_one():
    derivative = declarations["exp"].primitive.derivative
    nothing = Altered(derivative)
    assert fate_of("exp", Mutant("nothing", nothing, kind="sign")) == "survives"


KILLED = Verdict("exp", "vjp of operand 0: sign", "adjoint", "sign")


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        ([KILLED, Verdict("exp", "rule: x", "survives", "call")], "survivor: exp: rule: x"),
        ([KILLED, Verdict("exp", "why", "fails")], "not hunted: exp: why"),
        ([KILLED, Verdict("exp", "operand 1", "unhunted")], "not hunted: exp: operand 1"),
        ([Verdict("exp", "x", "equivalent", "call")], "not hunted: exp: no wrong sign was noticed"),
    ],
)
def test_the_command_fails_if_something_survives_or_was_not_hunted(verdicts, told, capsys):
    assert report(verdicts, {"exp"}, 1.0) == 1
    assert told in capsys.readouterr().out.splitlines()


def test_the_command_succeeds_if_all_are_killed(capsys):
    assert report([KILLED], {"exp", "iota"}, 1.0) == 0
    out = capsys.readouterr().out
    assert "1 of 1 primitives with a derivative had it hunted" in out
    assert "no survivors" in out
