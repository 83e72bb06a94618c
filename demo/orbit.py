"""fad applied to `plain_numpy`, a module that knows nothing of it, and checked by the complex step.

The measurements are made up, with a fixed seed, for an orbit like that of 16 Cygni B b (Cochran
and others, The Astrophysical Journal 483, 1997): what is tested is derivatives, not astronomy.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

import fad
from demo import plain_numpy
from demo.measuring import Vector, complex_step, complex_step_hessian, largest_error, timed
from demo.tables import error, seconds, table

#                  P [days]        K [m/s]        e     omega  phase offset  jitter [m/s]
TRUTH = np.array([np.log(800.0), np.log(44.0), 0.634, 1.452, 0.6, -3.0, np.log(4.0)])


class Measurements(NamedTuple):
    """The arguments of the log-likelihood after the parameters."""

    times: Vector
    velocities: Vector
    errors: Vector


@dataclass(frozen=True)
class Check:
    """One derivative: how far from the oracle it is, and the seconds of two calls."""

    name: str
    error: float
    first: float
    again: float


def measure(count: int = 70, seed: int = 16) -> Measurements:
    """Make up measurements over nine years."""
    random = np.random.default_rng(seed)
    times = np.sort(random.uniform(0.0, 3300.0, count))
    errors = random.uniform(3.0, 9.0, count)
    scatter = np.hypot(errors, np.exp(TRUTH[6])) * random.standard_normal(count)
    return Measurements(times, plain_numpy.radial_velocity(TRUTH, times) + scatter, errors)


def checks(data: Measurements, batch: int = 200) -> list[Check]:
    """Gradient, Hessian and a batch of gradients, un-jitted and jitted."""
    value = partial(_log_likelihood, data)
    point = TRUTH + 0.01
    points = TRUTH + 0.02 * np.random.default_rng(7).standard_normal((batch, TRUTH.size))
    gradient = fad.grad(value)
    wanted = {
        "gradient": (gradient, point, complex_step(value, point)),
        "Hessian": (fad.hessian(value), point, complex_step_hessian(value, point, shift=1e-5)),
        f"{batch} gradients by vmap": (
            fad.vmap(gradient),
            points,
            np.stack([complex_step(value, each) for each in points]),
        ),
    }
    return [
        _check(name, function, at, exact)
        for what, (made, at, exact) in wanted.items()
        for name, function in ((what, made), (f"{what}, fad.jit", fad.jit(made)))
    ]


def _log_likelihood(data, params):
    return plain_numpy.log_likelihood(params, *data)


def _check(name, function, at: Vector, exact: Vector) -> Check:
    found, first = timed(lambda: np.asarray(function(at)))
    _, again = timed(lambda: np.asarray(function(at)))
    return Check(name, largest_error(found, exact), first, again)


def report(checks: list[Check]) -> str:
    """One line per derivative."""
    rows = [
        [check.name, error(check.error), seconds(check.first), seconds(check.again)]
        for check in checks
    ]
    return table(["derivative", "relative error", "first call", "later call"], rows)
