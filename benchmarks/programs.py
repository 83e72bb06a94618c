"""The programs whose gradients are timed, each written once over a namespace.

The builders take sizes, so that the same program serves small (un-jitted, where the cost of an
operation's bookkeeping counts) and large (jitted, where the compiled code counts).
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from benchmarks.program import Program


def _random(name: str) -> np.random.Generator:
    """Random numbers that depend on the program's name alone."""
    return np.random.default_rng(zlib.crc32(name.encode()))


def polynomial() -> Program:
    """Horner's scheme in a scalar, degree 8."""
    coefficients = [0.5, -1.25, 2.0, 0.75, -0.3, 1.1, -0.9, 0.2]

    def function(xp: Any, x: Any) -> Any:
        y = 0.1 * x
        for coefficient in coefficients:
            y = y * x + coefficient
        return y

    return Program("polynomial, scalar", function, (np.array(0.7),))


def scalar_loop(operations: int = 50) -> Program:
    """A loop over a scalar, two operations a turn."""

    def function(xp: Any, x: Any) -> Any:
        for _ in range(operations // 2):
            x = xp.sin(x) * 1.05
        return x

    return Program(f"scalar loop, {operations} operations", function, (np.array(0.4),))


def rosenbrock(size: int) -> Program:
    """The banana function with its neighbours chained."""

    def function(xp: Any, x: Any) -> Any:
        head, tail = x[:-1], x[1:]
        return xp.sum(100.0 * (tail - head**2) ** 2 + (1.0 - head) ** 2)

    name = f"rosenbrock, {size}"
    return Program(name, function, (_random(name).normal(size=size),))


def logistic(rows: int = 100, columns: int = 20) -> Program:
    """Penalised logistic loss in the weights."""

    def function(xp: Any, w: Any, x: Any, y: Any) -> Any:
        margins = y * (x @ w)
        return xp.mean(xp.log1p(xp.exp(-margins))) + 0.05 * xp.sum(w * w)

    name = f"logistic loss, {rows}x{columns}"
    random = _random(name)
    signs = random.choice([-1.0, 1.0], size=rows)
    inputs = (random.normal(size=columns), random.normal(size=(rows, columns)), signs)
    return Program(name, function, inputs)


def mlp(depth: int = 4, width: int = 64, batch: int = 32) -> Program:
    """A tanh network with squared loss, differentiated in a list of (weights, bias)."""

    def function(xp: Any, layers: Any, x: Any, target: Any) -> Any:
        for weights, bias in layers:
            x = xp.tanh(x @ weights + bias)
        return xp.mean((x - target) ** 2)

    name = f"tanh network, {depth} layers of {width}, batch {batch}"
    random = _random(name)
    layers = [
        (random.normal(size=(width, width)) / np.sqrt(width), 0.1 * random.normal(size=width))
        for _ in range(depth)
    ]
    inputs = (layers, random.normal(size=(batch, width)), random.normal(size=(batch, width)))
    return Program(name, function, inputs)


def cross_entropy(rows: int = 64, features: int = 20, classes: int = 10) -> Program:
    """Softmax regression: a product, a log-sum-exp, and a gather of the labels' scores."""

    def function(xp: Any, parameters: Any, x: Any, index: Any, labels: Any) -> Any:
        scores = x @ parameters["weights"] + parameters["bias"]
        return xp.mean(xp.logsumexp(scores, 1) - scores[index, labels])

    name = f"softmax cross entropy, {rows}x{features} to {classes}"
    random = _random(name)
    parameters = {
        "bias": random.normal(size=classes),
        "weights": random.normal(size=(features, classes)),
    }
    labels = random.integers(classes, size=rows)
    inputs = (parameters, random.normal(size=(rows, features)), np.arange(rows), labels)
    return Program(name, function, inputs)


def gaussian(size: int = 200) -> Program:
    """The log-likelihood of a sample in mean and log-scale, two scalars."""

    def function(xp: Any, mean: Any, log_scale: Any, sample: Any) -> Any:
        z = (sample - mean) / xp.exp(log_scale)
        return xp.sum(-0.5 * z**2 - log_scale - 0.9189385332046727)

    name = f"Gaussian log-likelihood, {size}"
    inputs = (np.array(0.3), np.array(-0.2), _random(name).normal(size=size))
    return Program(name, function, inputs, argnums=(0, 1))


def matrix_power(size: int = 16, power: int = 6) -> Program:
    """The trace of a power of a matrix, by repeated products."""

    def function(xp: Any, a: Any) -> Any:
        product = a
        for _ in range(power - 1):
            product = product @ a
        return xp.trace(product)

    name = f"trace of a {size}x{size} matrix to the {power}"
    return Program(name, function, (_random(name).normal(size=(size, size)) / np.sqrt(size),))


def recurrent(steps: int = 30, width: int = 32, batch: int = 8) -> Program:
    """A recurrent network unrolled by a Python loop."""

    def function(xp: Any, hidden: Any, inward: Any, bias: Any, x: Any) -> Any:
        state = xp.tanh(x[0] @ inward + bias)
        for step in range(1, steps):
            state = xp.tanh(state @ hidden + x[step] @ inward + bias)
        return xp.sum(state**2)

    name = f"recurrent network, {steps} steps of {width}, batch {batch}"
    random = _random(name)
    scale = 1.0 / np.sqrt(width)
    hidden, inward = scale * random.normal(size=(2, width, width))
    x = random.normal(size=(steps, batch, width))
    return Program(name, function, (hidden, inward, np.zeros(width), x), argnums=(0, 1, 2))


def newton() -> Program:
    """A root by Newton's method, stopped by the size of its step: control flow on values."""

    def function(xp: Any, a: Any, b: Any) -> Any:
        y = b
        error = 1.0 + 0.0 * b
        while xp.number(error) > 1e-12:
            step = (y**3 + a * y - b) / (3.0 * y**2 + a)
            y = y - step
            error = xp.abs(step)
        return y

    return Program(
        "Newton iteration, `while`", function, (np.array(1.3), np.array(2.1)), (0, 1), False
    )


def branch(size: int = 50) -> Program:
    """Two formulas, one of them chosen by a value."""

    def function(xp: Any, x: Any) -> Any:
        if x.sum() > 0:
            return xp.sum(xp.exp(-(x**2)))
        return xp.sum(xp.sin(x) * x)

    name = "branch on a sum, `if`"
    return Program(name, function, (_random(name).normal(size=size),), staged=False)


def embedding(rows: int = 1000, width: int = 16, words: int = 64) -> Program:
    """Rows gathered from a table, with repetitions, and scored."""

    def function(xp: Any, table: Any, weights: Any, index: Any) -> Any:
        return xp.sum(xp.tanh(table[index] @ weights))

    name = f"embedding, {words} rows of {rows}x{width}"
    random = _random(name)
    index = random.integers(rows // 10, size=words)
    inputs = (random.normal(size=(rows, width)), random.normal(size=width), index)
    return Program(name, function, inputs, argnums=(0, 1))


def pairwise(points: int = 50, dimensions: int = 3) -> Program:
    """The sum of all distances, by broadcasting."""

    def function(xp: Any, x: Any) -> Any:
        differences = x[:, None, :] - x[None, :, :]
        return xp.sum(xp.sqrt(xp.sum(differences**2, 2) + 1e-6))

    name = f"pairwise distances, {points}x{points}"
    return Program(name, function, (_random(name).normal(size=(points, dimensions)),))


def lotka_volterra(steps: int = 50) -> Program:
    """Predators and prey by Runge and Kutta's fourth-order steps, every quantity a scalar."""

    def function(xp: Any, growth: Any, attack: Any, death: Any, yields: Any) -> Any:
        def slope(prey: Any, predators: Any) -> tuple[Any, Any]:
            met = prey * predators
            return growth * prey - attack * met, yields * met - death * predators

        h = 0.02
        x, y = 1.0 + 0.0 * growth, 0.5 + 0.0 * growth
        for _ in range(steps):
            a, b = slope(x, y)
            c, d = slope(x + 0.5 * h * a, y + 0.5 * h * b)
            e, f = slope(x + 0.5 * h * c, y + 0.5 * h * d)
            g, i = slope(x + h * e, y + h * f)
            x = x + (h / 6.0) * (a + 2.0 * c + 2.0 * e + g)
            y = y + (h / 6.0) * (b + 2.0 * d + 2.0 * f + i)
        return x * x + y * y

    inputs = (np.array(1.5), np.array(1.0), np.array(3.0), np.array(1.1))
    return Program(f"Lotka-Volterra, {steps} steps, scalars", function, inputs, (0, 1, 2, 3))


def mixture(points: int = 200, dimensions: int = 4, components: int = 5) -> Program:
    """The log-likelihood of a mixture of diagonal Gaussians."""

    def function(xp: Any, weights: Any, means: Any, log_scales: Any, x: Any) -> Any:
        z = (x[:, None, :] - means) * xp.exp(-log_scales)
        densities = weights - xp.sum(log_scales, 1) - 0.5 * xp.sum(z**2, 2)
        return xp.sum(xp.logsumexp(densities, 1)) - points * xp.logsumexp(weights, 0)

    name = f"Gaussian mixture, {points}x{dimensions}, {components} components"
    random = _random(name)
    inputs = (
        random.normal(size=components),
        random.normal(size=(components, dimensions)),
        0.1 * random.normal(size=(components, dimensions)),
        random.normal(size=(points, dimensions)),
    )
    return Program(name, function, inputs, argnums=(0, 1, 2))


def small() -> list[Program]:
    """The programs of everyday sizes: what un-jitted gradients are judged by."""
    return [
        polynomial(),
        scalar_loop(),
        rosenbrock(10),
        rosenbrock(1000),
        logistic(),
        mlp(),
        mlp(depth=3, width=16, batch=1),
        cross_entropy(),
        gaussian(),
        matrix_power(),
        recurrent(),
        newton(),
        branch(),
        embedding(),
        pairwise(),
        mixture(),
        lotka_volterra(),
    ]


def large() -> list[Program]:
    """The same programs at sizes at which compiled code takes more than 100 microseconds."""
    return [
        rosenbrock(300_000),
        logistic(20_000, 100),
        mlp(width=256, batch=128),
        cross_entropy(2000, 100, 50),
        gaussian(300_000),
        matrix_power(200, 6),
        recurrent(30, 128, 32),
        embedding(20_000, 64, 4000),
        pairwise(300),
        mixture(2000, 16, 10),
    ]
