"""Primitives, one module per family: each declares kernel and derivative together.

Importing the package imports every family, so that all primitives are declared; there is no list.
"""

import importlib
import pkgutil

# First, since derivatives are made of primitives which have derivatives: this closes the cycle.
importlib.import_module("fad.primitives.derivative")
for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"fad.primitives.{_module.name}")
