"""Logistic regression on the Wisconsin breast-cancer data, by Newton's method in a trust region.

The loss is plain NumPy. SciPy's `trust-exact` needs its gradient and its Hessian, which fad makes
of the loss itself, un-jitted and jitted; beside them stand the derivatives written by hand, and
what SciPy does when it is given the loss alone: BFGS with a gradient of forward differences.

Data: W. H. Wolberg, W. N. Street, O. L. Mangasarian, UCI Machine Learning Repository, 1995, as it
comes with scikit-learn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult, approx_fprime, minimize
from sklearn.datasets import load_breast_cancer

import fad
from demo.measuring import Counted, Vector, for_scipy, timed
from demo.tables import error, seconds, table

PENALTY = 1e-3
TOLERANCE = 1e-8
DIFFERENCE_STEP = np.sqrt(np.finfo(np.float64).eps)


class Data(NamedTuple):
    """The arguments of the loss after the weights."""

    design: Vector  # one row per patient: 1, then the standardised features
    signs: Vector  # +1 benign, -1 malignant


def load() -> Data:
    """Standardise the thirty features and put a column of ones before them."""
    features, benign = load_breast_cancer(return_X_y=True)
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    design = np.column_stack([np.ones(len(features)), features])
    return Data(design, np.where(benign == 1, 1.0, -1.0))


# -------------------------------------------------------------------------------- model, by hand


def loss(weights: Any, design: Vector, signs: Vector) -> Any:
    """Mean of log(1 + exp(-margin)), and a ridge penalty on all weights but the intercept."""
    margins = signs * (design @ weights)
    return np.mean(np.logaddexp(0.0, -margins)) + 0.5 * PENALTY * np.sum(weights[1:] ** 2)


def gradient_by_hand(weights: Any, design: Any, signs: Any) -> Any:
    """X^T (sigma - y) / n and the penalty: the formula one finds in textbooks."""
    excess = -signs / (1.0 + np.exp(signs * (design @ weights)))
    ridge = PENALTY * weights
    ridge[0] = 0.0
    return design.T @ excess / len(signs) + ridge


def hessian_by_hand(weights: Vector, design: Vector, signs: Vector) -> Vector:
    """X^T diag(sigma (1 - sigma)) X / n and the penalty."""
    probability = 1.0 / (1.0 + np.exp(-(design @ weights)))
    curvature = probability * (1.0 - probability) / len(signs)
    ridge = np.full(weights.size, PENALTY)
    ridge[0] = 0.0
    return (design.T * curvature) @ design + np.diag(ridge)


def exact_gradient(weights: Vector, data: Data) -> Vector:
    """The formula by hand in extended precision, rounded once at the end."""
    extended = [np.asarray(value, dtype=np.longdouble) for value in (weights, *data)]
    return np.asarray(gradient_by_hand(*extended), dtype=np.float64)


def probabilities(weights: Vector, data: Data) -> Vector:
    """Probability that a tumour is benign, for each patient."""
    return 1.0 / (1.0 + np.exp(-(data.design @ weights)))


def accuracy(weights: Vector, data: Data) -> float:
    """Share of the patients on the right side of one half."""
    return float(np.mean((data.design @ weights > 0) == (data.signs > 0)))


# --------------------------------------------------------------------------------------- the runs


@dataclass(frozen=True)
class Way:
    """One way to minimise: a method of SciPy's and where its derivatives come from."""

    name: str
    method: str
    gradient: Callable[..., Any] | None = None
    hessian: Callable[..., Any] | None = None

    def gradient_at(self, weights: Vector, data: Data) -> Vector:
        """The gradient this way works with."""
        if self.gradient is None:
            return approx_fprime(weights, loss, DIFFERENCE_STEP, *data)
        return self.gradient(weights, *data)


@dataclass(frozen=True)
class Fit:
    """What one way found, what it cost, and how exact its gradient was there."""

    way: Way
    weights: Vector
    iterations: int
    loss_calls: int
    gradient_calls: int
    hessian_calls: int
    first: float  # seconds of the first run, all compilation in it
    again: float  # seconds of the same run once more
    gradient_norms: list[float]  # one per iterate, by the exact formula
    gradient_error: float  # largest absolute error at the solution
    loss: float
    accuracy: float


def ways() -> list[Way]:
    """Exact second derivatives from three sources, and two ways without them."""
    gradient, hessian = fad.grad(loss), fad.hessian(loss)
    jitted = for_scipy(fad.jit(gradient))
    return [
        Way("by hand, NumPy", "trust-exact", gradient_by_hand, hessian_by_hand),
        Way("fad, un-jitted", "trust-exact", for_scipy(gradient), for_scipy(hessian)),
        Way("fad.jit", "trust-exact", jitted, for_scipy(fad.jit(hessian))),
        Way("fad.jit, no Hessian", "BFGS", jitted),
        Way("2-point differences", "BFGS"),
    ]


def fit(way: Way, data: Data) -> Fit:
    """Minimise from zero twice: once as in a new session, once with everything compiled."""
    _, first = timed(lambda: _minimize(way, data))
    (result, iterates, counts), again = timed(lambda: _minimize(way, data))
    exact = exact_gradient(result.x, data)
    return Fit(
        way,
        result.x,
        result.nit,
        loss_calls=counts[0],
        gradient_calls=counts[1],
        hessian_calls=counts[2],
        first=first,
        again=again,
        gradient_norms=[float(np.max(np.abs(exact_gradient(at, data)))) for at in iterates],
        gradient_error=float(np.max(np.abs(way.gradient_at(result.x, data) - exact))),
        loss=float(loss(result.x, *data)),
        accuracy=accuracy(result.x, data),
    )


def _minimize(way: Way, data: Data) -> tuple[OptimizeResult, list[Vector], tuple[int, int, int]]:
    """Run SciPy once; return its result, the iterates, and the calls of loss and derivatives."""
    start = np.zeros(data.design.shape[1])
    iterates = [start]
    value = Counted(loss)
    gradient = Counted(way.gradient or _no_derivative)
    hessian = Counted(way.hessian or _no_derivative)
    result = minimize(
        value,
        start,
        args=tuple(data),
        method=way.method,
        jac=gradient if way.gradient else "2-point",
        hess=hessian if way.hessian else None,
        callback=lambda intermediate_result: iterates.append(np.array(intermediate_result.x)),
        options={"gtol": TOLERANCE, "maxiter": 1000},
    )
    return result, iterates, (value.calls, gradient.calls, hessian.calls)


def _no_derivative(*args: Any) -> Any:
    raise AssertionError("this way has no such derivative")


def report(fits: list[Fit]) -> str:
    """One line per way."""
    titles = (
        "derivatives, method, iterations, loss calls, gradients, Hessians, first run, again,"
        " gradient error, final gradient, loss, accuracy"
    )
    rows = [
        [
            fit.way.name,
            fit.way.method,
            str(fit.iterations),
            str(fit.loss_calls),
            str(fit.gradient_calls),
            str(fit.hessian_calls),
            seconds(fit.first),
            seconds(fit.again),
            error(fit.gradient_error),
            error(fit.gradient_norms[-1]),
            f"{fit.loss:.12f}",
            f"{fit.accuracy:.2%}",
        ]
        for fit in fits
    ]
    return table(titles.split(", "), rows)
