"""What is measured in the same way everywhere: calls, times, derivatives by the complex step."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Result = TypeVar("Result")
Vector = NDArray[np.float64]


class Counted(Generic[Result]):
    """A function that counts its calls, so that those made inside SciPy are seen too."""

    def __init__(self, function: Callable[..., Result]) -> None:
        self.function = function
        self.calls = 0

    def __call__(self, *args: Any) -> Result:
        self.calls += 1
        return self.function(*args)


def for_scipy(function: Callable[..., Any]) -> Callable[..., Vector]:
    """Return NumPy arrays, since SciPy computes on with whatever type of array it is given."""
    return lambda *args: np.asarray(function(*args))


def timed(run: Callable[[], Result]) -> tuple[Result, float]:
    """Run once; return the result and the seconds it took."""
    start = time.perf_counter()
    result = run()
    return result, time.perf_counter() - start


def complex_step(function: Callable[[Any], Any], point: Vector, step: float = 1e-40) -> Vector:
    """Differentiate an analytic function at `point`: no difference is taken, so no digit is lost.

    f(x + ih) = f(x) + ih f'(x) + O(h^2) (Squire and Trapp, SIAM Review 40, 1998). The last axis of
    the result runs over the components of `point`.
    """
    columns = []
    for place in range(point.size):
        shifted = point.astype(complex)
        shifted[place] += 1j * step
        columns.append(np.imag(function(shifted)) / step)
    return np.stack(columns, axis=-1)


def complex_step_hessian(function: Callable[[Any], Any], point: Vector, shift: float) -> Vector:
    """Central differences of order 4 of complex-step gradients: nine to eleven digits."""
    columns = []
    for unit in shift * np.eye(point.size):
        near = complex_step(function, point + unit) - complex_step(function, point - unit)
        far = complex_step(function, point + 2 * unit) - complex_step(function, point - 2 * unit)
        columns.append((8 * near - far) / (12 * shift))
    return np.stack(columns, axis=-1)


def largest_error(value: Any, exact: Vector) -> float:
    """Largest absolute error, over the largest absolute value of what is exact."""
    return float(np.max(np.abs(np.asarray(value) - exact)) / np.max(np.abs(exact)))
