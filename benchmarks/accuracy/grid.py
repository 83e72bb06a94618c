"""The arguments on which accuracy is measured: the whole domain, and closest where it is hard.

All magnitudes from the smallest normal number to the largest, with random digits; evenly spread
numbers of the intervals where functions do something; neighbours of the points where they do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Domain:
    """From where arguments are taken.

    ``low`` and ``high`` bound it; ``around`` are points of which the neighbourhood is looked at
    more closely; ``spans`` are intervals that are evenly covered, for float64; ``density`` scales
    the number of points, down for functions of which mpmath takes long.
    """

    low: float = -np.inf
    high: float = np.inf
    around: tuple[float, ...] = (1.0,)
    spans: tuple[tuple[float, float], ...] = ((-1.0, 1.0), (-4.0, 4.0), (-40.0, 40.0))
    density: float = 1.0

    def points(self, dtype: Any, per_part: int = 400, seed: int = 0) -> Array:
        """Arguments of ``dtype``, ascending, none twice."""
        rng = np.random.default_rng(seed)
        info = np.finfo(dtype)
        count = max(int(per_part * self.density), 8)
        parts = [
            _both(_magnitudes(rng, info.minexp, info.maxexp, 2 * count)),
            _both(_magnitudes(rng, -12, 12, count)),
            _both(_magnitudes(rng, -info.nmant - 4, 0, count // 2)),
            *[_evenly(rng, low, high, count) for low, high in self.spans],
            *[_neighbours(rng, c, info, count // 2) for c in (*self.around, self.low, self.high)],
            np.array([float(info.max), -float(info.max), float(info.tiny), -float(info.tiny)]),
        ]
        numbers = np.concatenate(parts)
        numbers = numbers[(abs(numbers) <= float(info.max)) & (abs(numbers) >= float(info.tiny))]
        out = np.unique(numbers.astype(dtype))
        return out[(out >= self.low) & (out <= self.high)]


def _magnitudes(rng: Any, low: int, high: int, count: int) -> Array:
    """Positive numbers with evenly spread exponents and random digits."""
    exponents = np.linspace(low, high, count, endpoint=False) + rng.random(count) * (
        (high - low) / count
    )
    whole = np.floor(exponents)
    with np.errstate(over="ignore"):
        return np.ldexp(np.exp2(exponents - whole), whole.astype(int))


def _both(numbers: Array) -> Array:
    return np.concatenate([numbers, -numbers])


def _evenly(rng: Any, low: float, high: float, count: int) -> Array:
    return low + (high - low) * (np.arange(count) + rng.random(count)) / count


def _neighbours(rng: Any, c: float, info: Any, count: int) -> Array:
    """Numbers at all distances from ``c``, the closest one unit in the last place away."""
    if not np.isfinite(c) or c == 0.0:
        return np.zeros(0)
    unit = float(np.spacing(np.asarray(abs(c), info.dtype)))
    distances = abs(c) * _magnitudes(rng, -info.nmant, -1, count)
    few = unit * np.arange(5)
    return np.concatenate([c + distances, c - distances, c + few, c - few])


def pairs(first: Domain, second: Domain, dtype: Any, per_part: int = 400) -> tuple[Array, Array]:
    """Pairs of arguments: all magnitudes with all, and more of those that are alike."""
    rng = np.random.default_rng(7)
    density = first.density * second.density
    count = max(int(per_part * density), 20)

    def thinned(domain: Domain, seed: int, size: int) -> Array:
        points = domain.points(dtype, per_part, seed)
        return rng.permutation(points)[: min(size, len(points))]

    side = int(np.sqrt(3 * count))
    product = np.meshgrid(thinned(first, 1, side), thinned(second, 2, side))
    xs = [product[0].ravel(), thinned(first, 3, 2 * count)]
    ys = [product[1].ravel(), thinned(second, 4, 2 * count)]
    size = min(len(xs[1]), len(ys[1]))
    xs[1], ys[1] = xs[1][:size], ys[1][:size]
    # Of like size: y = x (1 + d) for d of all magnitudes, and equal numbers.
    alike = thinned(first, 5, 2 * count)
    factor = 1.0 + rng.choice([-1.0, 1.0], len(alike)) * np.exp2(rng.uniform(-50, 5, len(alike)))
    with np.errstate(over="ignore"):
        other = (alike * factor).astype(dtype)
    keep = np.isfinite(other) & (other != 0) & (other >= second.low) & (other <= second.high)
    xs += [alike[keep], alike[: count // 10]]
    ys += [other[keep], np.clip(alike[: count // 10], second.low, second.high)]
    return np.concatenate(xs).astype(dtype), np.concatenate(ys).astype(dtype)


@dataclass(frozen=True)
class Plane:
    """Complex arguments: real and imaginary parts up to these magnitudes, of all smaller ones."""

    real: float = 1e140
    imag: float = 1e140
    around: tuple[complex, ...] = (1.0, -1.0, 1j, -1j)

    def points(self, count: int = 120) -> Array:
        """Numbers of complex128."""
        rng = np.random.default_rng(3)

        def magnitudes(high: float, low: float = 1e-14) -> Array:
            size = 10 ** rng.uniform(np.log10(low), np.log10(high), count)
            return size * rng.choice([-1, 1], count)

        small = min(self.real, 3.0), min(self.imag, 3.0)
        parts = [
            rng.uniform(-1, 1, 2 * count) * small[0]
            + 1j * rng.uniform(-1, 1, 2 * count) * small[1],
            magnitudes(self.real) + 1j * magnitudes(self.imag),
            magnitudes(self.real, 1e-3) + 1j * magnitudes(self.imag, 1e-3),
            (1 + magnitudes(1e-2)) * np.exp(2j * np.pi * rng.random(count)),
        ]
        parts += [c + magnitudes(1e-1) + 1j * magnitudes(1e-1) for c in self.around]
        return np.concatenate(parts)
