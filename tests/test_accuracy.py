"""The measured accuracy: exact functions that are exact, and a row for every primitive."""

import json

import numpy as np
import pytest
from mpmath import mp

import fad  # noqa: F401
from benchmarks.accuracy.exact import APART, COPIES
from benchmarks.accuracy.libraries import LIBRARIES
from benchmarks.accuracy.measure import compare, dtypes_of, operands_of, reference
from benchmarks.accuracy.one import ONE
from benchmarks.accuracy.page import above_aim, label
from benchmarks.accuracy.reasons import AIM, because
from benchmarks.accuracy.tables import EXACT, primitive_of
from docs.generate import accuracy as accuracy_page
from fad.primitives.declare import declarations


def inexact_elementwise():
    """Elementwise primitives that have a derivative, zero everywhere or not."""
    primitives = [d.primitive for d in declarations.values()]
    return {p.name for p in primitives if p.elementwise and p.derivative is not None}


def test_every_elementwise_primitive_has_an_exact_reference():
    known = {primitive_of(row) for row in EXACT} | COPIES | APART
    assert not inexact_elementwise() - known
    assert not known - set(declarations)


def few_points(exact, count=6):
    """Arguments of moderate size, where numerical differentiation works."""
    operands = operands_of(exact, "float64", 0.1)
    moderate = np.all([(abs(x) > 1e-2) & (abs(x) < 9) for x in operands], axis=0)
    chosen = np.random.default_rng(2).permutation(np.flatnonzero(moderate))[:count]
    return [x[chosen] for x in operands]


@pytest.mark.parametrize("row", EXACT)
def test_derivatives_are_those_of_the_value(row):
    exact = EXACT[row]
    operands = few_points(exact)
    value, count = exact.derivative(()), len(operands)
    for path in exact.paths[1:]:
        orders = tuple(path.count(i) for i in range(count))
        for point in zip(*[x.tolist() for x in operands], strict=True):
            with mp.workprec(300):
                numbers = [mp.mpf(x) for x in point]
                if count == 1:
                    numerical = mp.diff(value, numbers[0], len(path))
                elif exact.integers:
                    numerical = mp.diff(lambda x, n=numbers[1]: value(x, n), numbers[0], len(path))
                else:
                    numerical = mp.diff(value, tuple(numbers), orders)
                error = abs(numerical - exact.derivative(path)(*numbers))
                assert error <= 1e-25 * (1 + abs(numerical)), (path, point)


@pytest.mark.parametrize("row", EXACT)
def test_the_working_precision_suffices(row):
    exact = EXACT[row]
    cheap = all(domain.density == 1 for domain in exact.domains)
    for dtype in dtypes_of(exact):
        operands = [x[:: len(x) // 8] for x in operands_of(exact, dtype, 0.1)]
        for path in exact.paths:
            usual = reference(exact, path, operands)
            more = reference(exact, path, operands, bits=3000 if cheap else exact.bits + 100)
            with np.errstate(invalid="ignore"):  # infinities
                error = abs((usual.high - more.high) + (usual.low - more.low))
                assert not np.any(error > 1e-20 * abs(more.high))
            np.testing.assert_array_equal(np.isnan(usual.high), np.isnan(more.high))


def test_compare_counts_what_is_lost_and_says_where():
    x = np.array([1.0, 2.0, 3.0, 4.0, 1e-308])
    exact = reference(EXACT["abs"], (), [x])
    cell = compare(np.array([1.0 + 2**-52, 2.0, np.nan, 0.0, 0.0]), exact, [x])
    assert (cell.ulps, cell.at, cell.lost, cell.lost_at) == (1.0, (1.0,), 2, (3.0,))
    assert (cell.edge, cell.subnormal, cell.count) == (0, 1, 4)


NUMBERS = json.loads(accuracy_page.NUMBERS.read_text("utf-8"))["rows"]


def test_every_elementwise_primitive_is_in_the_table():
    assert not inexact_elementwise() - {primitive_of(row) for row in NUMBERS} - COPIES - APART
    assert set(NUMBERS) == set(EXACT)
    for row, dtypes in NUMBERS.items():
        assert list(dtypes) == dtypes_of(EXACT[row]), row
        for libraries in dtypes.values():
            assert len(libraries["fad"]) == len(EXACT[row].paths), row


def test_every_excess_has_a_reason():
    excess = [
        (row, dtype, path)
        for row, dtypes in NUMBERS.items()
        for dtype, libraries in dtypes.items()
        for path, cell in libraries["fad"].items()
        if above_aim(path, cell)
    ]
    assert not [e for e in excess if not because(*e)]


QUICK = [row for row in EXACT if row in ONE]


@pytest.mark.parametrize(
    "row", [*QUICK, *[pytest.param(r, marks=pytest.mark.deep) for r in EXACT if r not in QUICK]]
)
def test_the_numbers_are_those_of_today(row):
    exact = EXACT[row]
    function = LIBRARIES["fad"].find(primitive_of(row), exact)
    for dtype in ("float64", "float32"):
        operands = [x[::20] for x in operands_of(exact, dtype)]  # some of what was measured
        for path in exact.paths:
            if len(path) > 1:
                continue
            got = LIBRARIES["fad"].evaluate(function, path, operands)
            cell = compare(got, reference(exact, path, operands), operands)
            recorded = NUMBERS[row][dtype]["fad"][label(path)]
            assert cell.ulps <= max(AIM, 1.5 * recorded["ulps"]), (dtype, path, cell)
            assert cell.lost == 0 or "lost" in recorded, (dtype, path, cell)
