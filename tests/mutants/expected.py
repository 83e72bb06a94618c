"""Mutants that survive, and why that is right."""

EXPECTED: dict[tuple[str, str], str] = {}
"""(primitive, mutant): the reason."""
