"""SciPy's functions on tensors, under SciPy's names and with SciPy's conventions."""

from fad.scipy import linalg, special

__all__ = ["linalg", "special"]
