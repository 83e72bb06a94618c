"""The benchmark suite: fad against PyTorch and JAX, side by side, in one run.

Run it with ``python -m benchmarks``; ``README.md`` in this folder says what is measured and how.
"""
