"""The Lotka-Volterra system fitted to the lynx and hare pelts of the Hudson's Bay Company.

Hares u and lynxes v follow du/dt = (alpha - beta v) u and dv/dt = (delta u - gamma) v. The model
is a classic Runge-Kutta loop in plain Python over NumPy, on logarithms; the unknowns are the
logarithms of the four rates and of both populations in 1900. SciPy's `least_squares` fits it with
the Jacobian that fad makes of the residuals, and with forward differences. The Hessian of the
negative log-likelihood then gives confidence intervals.

The published figures are posterior means and standard deviations of B. Carpenter, Predator-Prey
Population Dynamics: the Lotka-Volterra model in Stan, 2018, whose weak priors the fit does without.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import OptimizeResult, approx_fprime, least_squares
from scipy.stats import t as student

import fad
from demo.measuring import (
    Counted,
    Vector,
    complex_step,
    complex_step_hessian,
    for_scipy,
    largest_error,
    timed,
)
from demo.tables import error, seconds, table

CSV = Path(__file__).parent / "data" / "hudson_bay.csv"
STEPS_PER_YEAR = 5
TOLERANCE = 1e-14
GRADIENT_TOLERANCE = 1e-10
DIFFERENCE_STEP = np.sqrt(np.finfo(np.float64).eps)

NAMES = "alpha beta gamma delta hares_1900 lynxes_1900".split()
START = np.log([1.0, 0.05, 1.0, 0.05, 30.0, 4.0])
PUBLISHED = {
    "alpha": (0.55, 0.064),
    "beta": (0.028, 0.004),
    "gamma": (0.80, 0.092),
    "delta": (0.024, 0.004),
    "hares_1900": (33.96, 2.9),
    "lynxes_1900": (5.93, 0.53),
}


class Pelts(NamedTuple):
    """The counts, in thousands."""

    years: Vector
    log_counts: Vector  # one row per year: log hares, log lynxes


def load() -> Pelts:
    """Read the table of twenty-one years."""
    rows = np.loadtxt(CSV, delimiter=",", skiprows=5)
    return Pelts(rows[:, 0], np.log(rows[:, [2, 1]]))


# ------------------------------------------------------------------------------------------ model


def trajectory(theta: Any, years: int, steps: int) -> Any:
    """Logarithms of hares and lynxes at every step, by the classic Runge-Kutta method."""
    alpha, beta, gamma, delta = np.exp(theta[:4])
    growth = np.stack([alpha, -gamma])
    contact = np.stack([-beta, delta])

    def slope(state: Any) -> Any:
        return growth + contact * np.exp(state[::-1])

    h = 1.0 / steps
    state = theta[4:]
    states = [state]
    for _ in range(years * steps):
        k1 = slope(state)
        k2 = slope(state + 0.5 * h * k1)
        k3 = slope(state + 0.5 * h * k2)
        k4 = slope(state + h * k3)
        state = state + h / 6.0 * (k1 + 2.0 * (k2 + k3) + k4)
        states.append(state)
    return np.stack(states)


def residuals(theta: Any, log_counts: Vector, steps: int = STEPS_PER_YEAR) -> Any:
    """Model minus data, on logarithms: two numbers per year."""
    model = trajectory(theta, len(log_counts) - 1, steps)
    return np.ravel(model[::steps] - log_counts)


def negative_log_likelihood(theta: Any, log_counts: Vector, sigma: float, steps: int) -> Any:
    """Log-normal counts with a common standard deviation on the log scale."""
    scaled = residuals(theta, log_counts, steps) / sigma
    return 0.5 * np.sum(scaled**2) + scaled.size * np.log(sigma)


def discretisation_error(theta: Vector, years: int, steps: int) -> float:
    """Largest distance of a trajectory from one by an adaptive method of order 8."""
    alpha, beta, gamma, delta = np.exp(theta[:4])
    adaptive = solve_ivp(
        lambda _, state: [alpha - beta * np.exp(state[1]), delta * np.exp(state[0]) - gamma],
        (0.0, float(years)),
        theta[4:],
        method="DOP853",
        t_eval=np.arange(years + 1.0),
        rtol=1e-12,
        atol=1e-12,
    )
    return float(np.max(np.abs(trajectory(theta, years, steps)[::steps] - adaptive.y.T)))


# --------------------------------------------------------------------------------------- the fits


@dataclass(frozen=True)
class Fit:
    """What one way of differentiating led to, what it cost, and how exact its Jacobian was."""

    name: str
    theta: Vector
    residual_calls: int  # all evaluations of the model by NumPy, differences included
    jacobians: int
    first: float  # seconds of the first run, all compilation in it
    again: float  # seconds of the same run once more
    cost: float
    gradient_norm: float  # by the complex step
    jacobian_error: float  # relative, against the complex step


def fit(name: str, function: Callable[[Any], Any], jacobian: Callable[[Any], Any] | None) -> Fit:
    """Fit twice: once as in a new session, once with everything compiled."""
    _, first = timed(lambda: _least_squares(function, jacobian))
    (result, calls), again = timed(lambda: _least_squares(function, jacobian))
    exact = complex_step(function, result.x)
    found = jacobian or (lambda theta: approx_fprime(theta, function, DIFFERENCE_STEP))
    return Fit(
        name,
        result.x,
        calls,
        result.njev,
        first,
        again,
        float(result.cost),
        float(np.max(np.abs(exact.T @ function(result.x)))),
        largest_error(found(result.x), exact),
    )


def _least_squares(
    function: Callable[[Any], Any], jacobian: Callable[[Any], Any] | None
) -> tuple[OptimizeResult, int]:
    """Run SciPy once; return its result and how often the model was evaluated."""
    counted = Counted(function)
    result = least_squares(
        counted,
        START,
        jac=jacobian or "2-point",
        xtol=TOLERANCE,
        ftol=TOLERANCE,
        gtol=GRADIENT_TOLERANCE,
    )
    return result, counted.calls


def fits(pelts: Pelts, steps: int = STEPS_PER_YEAR) -> list[Fit]:
    """fad un-jitted, fad jitted, and forward differences."""
    function = partial(residuals, log_counts=pelts.log_counts, steps=steps)
    jacobian = fad.jacobian(function)
    return [
        fit("fad, un-jitted", function, for_scipy(jacobian)),
        fit("fad.jit", function, for_scipy(fad.jit(jacobian))),
        fit("2-point differences", function, None),
    ]


def report(fits: list[Fit]) -> str:
    """One line per fit."""
    titles = (
        "Jacobian, model runs, Jacobians, first run, again, cost, final gradient, Jacobian error"
    )
    rows = [
        [
            fit.name,
            str(fit.residual_calls),
            str(fit.jacobians),
            seconds(fit.first),
            seconds(fit.again),
            f"{fit.cost:.12f}",
            error(fit.gradient_norm),
            error(fit.jacobian_error),
        ]
        for fit in fits
    ]
    return table(titles.split(", "), rows)


# ---------------------------------------------------------------------------------- uncertainty


@dataclass(frozen=True)
class Uncertainty:
    """Normal approximation around the fit, from the Hessian of the negative log-likelihood."""

    theta: Vector
    sigma: float
    hessian: Vector
    covariance: Vector
    quantile: float  # of Student's distribution, for 95 %

    def interval(self, place: int) -> tuple[float, float]:
        """95 % for one parameter, from the log scale to its own."""
        reach = self.quantile * np.sqrt(self.covariance[place, place])
        return float(np.exp(self.theta[place] - reach)), float(np.exp(self.theta[place] + reach))


def uncertainty(theta: Vector, pelts: Pelts, steps: int = STEPS_PER_YEAR) -> Uncertainty:
    """Invert the Hessian at the fit; the scatter is estimated from the residuals."""
    left = residuals(theta, pelts.log_counts, steps)
    freedom = left.size - theta.size
    sigma = float(np.sqrt(left @ left / freedom))
    hessian = fad.hessian(likelihood(pelts, sigma, steps))(theta)
    hessian = np.asarray(hessian)
    return Uncertainty(
        theta, sigma, hessian, np.linalg.inv(hessian), float(student.ppf(0.975, freedom))
    )


def likelihood(pelts: Pelts, sigma: float, steps: int = STEPS_PER_YEAR) -> Callable[[Any], Any]:
    """The negative log-likelihood as a function of the unknowns alone."""
    return partial(negative_log_likelihood, log_counts=pelts.log_counts, sigma=sigma, steps=steps)


def hessian_error(found: Uncertainty, pelts: Pelts, steps: int = STEPS_PER_YEAR) -> float:
    """Relative error of the Hessian, against differences of complex-step gradients."""
    value = likelihood(pelts, found.sigma, steps)
    return largest_error(found.hessian, complex_step_hessian(value, found.theta, shift=1e-4))


def confidence_band(found: Uncertainty, years: int, steps: int = STEPS_PER_YEAR) -> Vector:
    """Half-width of the 95 % band around the log trajectory, at every step."""
    sensitivity = np.asarray(
        fad.jacobian(partial(trajectory, years=years, steps=steps))(found.theta)
    )
    variance = np.einsum("...i,ij,...j->...", sensitivity, found.covariance, sensitivity)
    return found.quantile * np.sqrt(variance)


def interval_report(found: Uncertainty) -> str:
    """One line per parameter, beside what was published."""
    titles = "parameter, estimate, 95 % from, to, published mean, +- 2 sd from, to"
    rows = []
    for place, name in enumerate(NAMES):
        low, high = found.interval(place)
        mean, deviation = PUBLISHED[name]
        values = [np.exp(found.theta[place]), low, high]
        values += [mean, mean - 2 * deviation, mean + 2 * deviation]
        rows.append([name, *(f"{value:.4g}" for value in values)])
    return table(titles.split(", "), rows)
