"""SciPy's functions on tensors, under SciPy's names and with SciPy's conventions."""
