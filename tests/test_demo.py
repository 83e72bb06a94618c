"""The pieces of the demonstration on a coarse setting, held to the figures they promise."""

from functools import partial

import numpy as np
import pytest

import fad

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

from demo import breast_cancer, hudson_bay, orbit, picture, plain_numpy, tables
from demo.measuring import Counted, complex_step, complex_step_hessian, largest_error
from demo.tape import tape_summary

STEPS = 2  # a year; enough for every derivative to be what it is


@pytest.fixture(scope="module")
def patients():
    return breast_cancer.load()


@pytest.fixture(scope="module")
def pelts():
    return hudson_bay.load()


@pytest.fixture(scope="module")
def classifications(patients):
    chosen = [way for way in breast_cancer.ways() if way.method == "trust-exact"]
    return [breast_cancer.fit(way, patients) for way in chosen]


@pytest.fixture(scope="module")
def fits(pelts):
    return hudson_bay.fits(pelts, STEPS)


@pytest.fixture(scope="module")
def found(fits, pelts):
    return hudson_bay.uncertainty(fits[0].theta, pelts, STEPS)


def test_classification_by_fad_is_that_by_hand(classifications):
    by_hand = classifications[0]
    for fit in classifications:
        assert fit.gradient_error < 1e-15
        assert fit.gradient_norms[-1] < breast_cancer.TOLERANCE
        assert fit.iterations == by_hand.iterations
        assert fit.accuracy > 0.98
        np.testing.assert_allclose(fit.weights, by_hand.weights, rtol=0, atol=1e-9)


@pytest.mark.parametrize("jitted", [False, True])
def test_hessian_of_the_loss(patients, rng, jitted):
    hessian = fad.hessian(breast_cancer.loss)
    weights = rng.standard_normal(patients.design.shape[1])
    found = (fad.jit(hessian) if jitted else hessian)(weights, *patients)
    exact = breast_cancer.hessian_by_hand(weights, *patients)
    assert largest_error(found, exact) < 1e-13


def test_data_of_hudson_bay(pelts):
    assert pelts.years.tolist() == list(range(1900, 1921))
    np.testing.assert_allclose(np.exp(pelts.log_counts[[0, -1]]), [[30.0, 4.0], [24.7, 8.6]])


def test_fits_of_hudson_bay_agree(fits):
    by_fad, jitted, by_differences = fits
    assert by_fad.jacobian_error < 1e-12
    assert jitted.jacobian_error < 1e-12
    assert by_differences.jacobian_error > 1e-10
    assert by_fad.gradient_norm < 1e-5
    for fit in fits:
        np.testing.assert_allclose(fit.theta, by_fad.theta, rtol=0, atol=1e-6)


def test_intervals_contain_what_was_published(found, pelts):
    for place, name in enumerate(hudson_bay.NAMES):
        low, high = found.interval(place)
        assert low < hudson_bay.PUBLISHED[name][0] < high
    assert found.sigma == pytest.approx(0.24, abs=0.01)
    assert hudson_bay.hessian_error(found, pelts, STEPS) < 1e-8


def test_discretisation_is_of_order_four(found):
    coarse, fine = (hudson_bay.discretisation_error(found.theta, 20, steps) for steps in (4, 8))
    assert 12 < coarse / fine < 20


def test_plain_numpy_never_mentions_fad():
    with open(plain_numpy.__file__, encoding="utf-8") as file:
        assert "fad" not in file.read()


def test_derivatives_of_plain_numpy():
    checks = {check.name: check for check in orbit.checks(orbit.measure(), batch=5)}
    assert len(checks) == 6
    for name, check in checks.items():
        assert check.error < (1e-9 if "Hessian" in name else 1e-12), name


def test_picture_is_drawn(tmp_path, patients, classifications, pelts, found):
    path = tmp_path / "new" / "fits.png"
    picture.draw(path, patients, classifications, pelts, found, STEPS)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_reports_have_one_line_per_row(classifications, fits, found):
    for text, rows in (
        (breast_cancer.report(classifications), len(classifications)),
        (hudson_bay.report(fits), len(fits)),
        (hudson_bay.interval_report(found), len(hudson_bay.NAMES)),
    ):
        assert len(text.splitlines()) == rows + 2


def test_tape_of_the_likelihood(found, pelts):
    text = tape_summary(hudson_bay.likelihood(pelts, found.sigma, STEPS), found.theta)
    assert "exp" in text


def test_complex_step_oracles():
    point = np.array([0.3, -1.2])
    cubic = partial(np.polyval, [2.0, 0.0, 1.0, 0.0])
    slopes = 6.0 * point**2 + 1.0
    np.testing.assert_allclose(complex_step(cubic, point), np.diag(slopes), rtol=1e-15)
    found = complex_step_hessian(lambda x: np.sum(cubic(x)), point, shift=1e-3)
    np.testing.assert_allclose(found, np.diag(12.0 * point), rtol=0, atol=1e-11)


def test_counted_and_table():
    counted = Counted(abs)
    assert (counted(-2), counted(3), counted.calls) == (2, 3, 2)
    assert tables.table(["a", "bc"], [["x", "1"]]) == "  a  bc\n  -  --\n  x   1"
    assert [tables.seconds(t) for t in (2.0, 0.0123, 4e-6)] == ["2 s", "12.3 ms", "4 µs"]
