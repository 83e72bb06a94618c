"""Run the demonstration: `python demo/run.py`."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

import numpy as np
import scipy

import fad
from demo import breast_cancer, hudson_bay, orbit
from demo.picture import draw
from demo.tables import error, heading, seconds
from demo.tape import tape_summary

PICTURE = Path(__file__).parent / "output" / "fits.png"


def main() -> None:
    """Three studies, one picture, one tape."""
    start = time.perf_counter()
    say(
        f"fad {fad.__version__}, NumPy {np.__version__}, SciPy {scipy.__version__},"
        f" Python {platform.python_version()}, {os.cpu_count()} cores"
    )
    patients, classifications = classify()
    pelts, found = fit_populations()
    orbits()
    draw(PICTURE, patients, classifications, pelts, found)
    say(f"\nPicture: {os.path.relpath(PICTURE)}")
    show_tape(pelts, found)
    say(f"\nAll in {seconds(time.perf_counter() - start)}.")


def say(text: str) -> None:
    """Print at once, so that a pipe sees every part when it is done."""
    print(text, flush=True)


def classify() -> tuple[breast_cancer.Data, list[breast_cancer.Fit]]:
    """Part (a)."""
    patients = breast_cancer.load()
    count, width = patients.design.shape
    say(heading("(a) Logistic regression on the breast-cancer data"))
    say(f"{count} patients, {width} weights; the loss is two lines of NumPy.\n")
    fits = [breast_cancer.fit(way, patients) for way in breast_cancer.ways()]
    say(breast_cancer.report(fits))
    say(
        "\n2-point differences is what SciPy does when it has the loss alone. Errors are absolute,"
        "\nagainst X^T(sigma - y)/n in extended precision; calls and `again` are of a second run."
    )
    return patients, fits


def fit_populations() -> tuple[hudson_bay.Pelts, hudson_bay.Uncertainty]:
    """Part (b)."""
    pelts = hudson_bay.load()
    years, steps = len(pelts.years) - 1, hudson_bay.STEPS_PER_YEAR
    say(heading("(b) Lynx and hare of Hudson Bay, 1900 to 1920"))
    say(f"A Runge-Kutta loop of {years * steps} steps in plain Python, six unknowns.\n")
    fits = hudson_bay.fits(pelts)
    say(hudson_bay.report(fits))
    found = hudson_bay.uncertainty(fits[0].theta, pelts)
    say(
        "\nErrors are relative, against the complex step. Discretisation: "
        f"{error(hudson_bay.discretisation_error(found.theta, years, steps))} from DOP853.\n"
    )
    say(hudson_bay.interval_report(found))
    say(
        f"\nScatter on the log scale {found.sigma:.3f} (published 0.25). Relative error of the"
        f" Hessian {error(hudson_bay.hessian_error(found, pelts))},"
        "\nagainst differences of complex-step gradients, which are good to about 1e-10."
    )
    return pelts, found


def orbits() -> None:
    """Part (c)."""
    say(heading("(c) A module that never heard of fad: demo/plain_numpy.py"))
    say("Log-likelihood of a star's velocity with an unseen planet; Kepler by Newton's method.\n")
    say(orbit.report(orbit.checks(orbit.measure())))
    say("\nErrors are relative, against the complex step (Hessian: its differences, about 1e-10).")


def show_tape(pelts: hudson_bay.Pelts, found: hudson_bay.Uncertainty) -> None:
    """The tape of part (b)."""
    say(heading("The tape of (b): negative log-likelihood at the fit"))
    say(tape_summary(hudson_bay.likelihood(pelts, found.sigma), found.theta))


if __name__ == "__main__":
    main()
