"""The pull of an unseen planet on its star, as an astronomer would write it: NumPy, nothing else.

A star's velocity along the line of sight swings with the planet's orbit. Where the planet stands
at a time follows from Kepler's equation E - e sin E = M, solved here by Newton's method.
"""

import numpy as np

NAMES = [
    "log_period",
    "log_amplitude",
    "eccentricity",
    "periastron",
    "phase",
    "offset",
    "log_jitter",
]


def eccentric_anomaly(mean_anomaly, eccentricity, iterations=6):
    """Solve Kepler's equation."""
    anomaly = mean_anomaly + eccentricity * np.sin(mean_anomaly)
    for _ in range(iterations):
        excess = anomaly - eccentricity * np.sin(anomaly) - mean_anomaly
        anomaly = anomaly - excess / (1 - eccentricity * np.cos(anomaly))
    return anomaly


def radial_velocity(params, times):
    """Velocity of the star at each time, in metres per second; times in days."""
    log_period, log_amplitude, eccentricity, periastron, phase, offset = params[:6]
    anomaly = eccentric_anomaly(2 * np.pi * times / np.exp(log_period) - phase, eccentricity)
    distance = 1 - eccentricity * np.cos(anomaly)
    cosine = (np.cos(anomaly) - eccentricity) / distance
    sine = np.sqrt(1 - eccentricity**2) * np.sin(anomaly) / distance
    swing = np.cos(periastron) * (cosine + eccentricity) - np.sin(periastron) * sine
    return offset + np.exp(log_amplitude) * swing


def log_likelihood(params, times, velocities, errors):
    """Gaussian, with a scatter of the star's own ("jitter") on top of the errors of measurement."""
    variance = errors**2 + np.exp(2 * params[6])
    misfit = velocities - radial_velocity(params, times)
    return -0.5 * np.sum(misfit**2 / variance + np.log(2 * np.pi * variance))
