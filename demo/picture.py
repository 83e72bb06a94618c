"""Draw the fits into one picture."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot
from matplotlib.axes import Axes

from demo import breast_cancer, hudson_bay
from demo.measuring import Vector

HARE, LYNX = "#3b75af", "#c2552d"
BENIGN, MALIGNANT = "#3b75af", "#c2552d"


def draw(
    path: Path,
    patients: breast_cancer.Data,
    fits: list[breast_cancer.Fit],
    pelts: hudson_bay.Pelts,
    found: hudson_bay.Uncertainty,
    steps: int = hudson_bay.STEPS_PER_YEAR,
) -> None:
    """Populations above; probabilities and convergence below."""
    figure = pyplot.figure(figsize=(11.0, 8.0), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=[1.1, 1.0])
    populations(figure.add_subplot(grid[0, :]), pelts, found, steps)
    sorted_probabilities(figure.add_subplot(grid[1, 0]), patients, fits[0].weights)
    convergence(figure.add_subplot(grid[1, 1]), fits)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    pyplot.close(figure)


def populations(
    axes: Axes, pelts: hudson_bay.Pelts, found: hudson_bay.Uncertainty, steps: int
) -> None:
    """Counts, fitted trajectories, and the 95 % band of the trajectories."""
    years = len(pelts.years) - 1
    time = pelts.years[0] + np.arange(years * steps + 1) / steps
    path = np.asarray(hudson_bay.trajectory(found.theta, years, steps))
    reach = hudson_bay.confidence_band(found, years, steps)
    for kind, (name, colour) in enumerate([("hares", HARE), ("lynxes", LYNX)]):
        low, high = np.exp(path[:, kind] - reach[:, kind]), np.exp(path[:, kind] + reach[:, kind])
        axes.fill_between(time, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.plot(
            time,
            np.exp(path[:, kind]),
            color=colour,
            label=f"{name}, fit and 95 % band of the curve",
        )
        counts = np.exp(pelts.log_counts[:, kind])
        axes.plot(pelts.years, counts, "o", color=colour, markersize=4, label=f"{name}, pelts")
    axes.set(
        title="Lotka-Volterra fitted to the pelts of the Hudson's Bay Company",
        ylabel="thousands",
        xlim=(pelts.years[0], pelts.years[-1]),
        ylim=(0, 105),
    )
    axes.set_xticks(pelts.years[::2].astype(int))
    axes.legend(ncols=2, frameon=False)


def sorted_probabilities(axes: Axes, patients: breast_cancer.Data, weights: Vector) -> None:
    """Each patient's probability, in ascending order, coloured by the diagnosis."""
    probability = breast_cancer.probabilities(weights, patients)
    order = np.argsort(probability)
    probability, signs, rank = probability[order], patients.signs[order], np.arange(len(order))
    for name, sign, colour in (("benign", 1.0, BENIGN), ("malignant", -1.0, MALIGNANT)):
        wrong = (signs == sign) & ((probability > 0.5) != (sign > 0))
        right = (signs == sign) & ~wrong
        axes.plot(rank[right], probability[right], ".", color=colour, markersize=3, label=name)
        axes.plot(rank[wrong], probability[wrong], "X", color=colour, label=f"{name}, missed")
    axes.axhline(0.5, color="0.6", linewidth=0.8)
    share = breast_cancer.accuracy(weights, patients)
    axes.set(
        title=f"Breast cancer: {share:.1%} on the right side of one half",
        xlabel="patients, sorted",
        ylabel="probability of benign",
    )
    axes.legend(frameon=False, loc="center right")


def convergence(axes: Axes, fits: list[breast_cancer.Fit]) -> None:
    """Exact gradient at each iterate: quadratic with the Hessian, slow without."""
    styles = ["-", "--", ":", "-", "-"]
    for fit, style, width in zip(fits, styles, [5.0, 3.0, 2.0, 1.5, 1.0]):
        label = f"{fit.way.name} ({fit.way.method})"
        axes.semilogy(fit.gradient_norms, style, linewidth=width, label=label)
    axes.set_xscale("symlog", linthresh=10, linscale=0.7)
    axes.set_xticks([0, 5, 10, 100], ["0", "5", "10", "100"])
    axes.set(
        title="The same fit, by five ways",
        xlabel="iteration",
        ylabel="largest component of the gradient",
    )
    axes.legend(frameon=False, fontsize="small", loc="lower center", bbox_to_anchor=(0.62, 0.0))
