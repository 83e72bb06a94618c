"""How far values and derivatives are from the exact ones: ``python -m benchmarks.accuracy``.

Every elementwise primitive, on arguments of all magnitudes, in every dtype, against mpmath; beside
JAX and PyTorch on the same arguments. The result is ``docs/accuracy_table.md``.
"""
