"""Rules broken on purpose: what the generated tests must notice."""
