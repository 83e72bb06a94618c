"""How the tests have XLA compile."""

QUICK = "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"
"""Without LLVM's optimisations, and by XLA's older way of emitting loops: a third of the time. What
is tested does not depend on either; the deep profile compiles as users do."""
