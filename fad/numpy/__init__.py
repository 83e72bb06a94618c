"""NumPy 2's functions on tensors, under NumPy's names and with NumPy's conventions.

Each family of functions is a module, whose ``__all__`` is exported here. ``methods`` attaches them
to tensors, and ``dispatch`` lets NumPy's own functions find them.
"""

# ruff: noqa: F403

from __future__ import annotations

import sys as _sys
from typing import Any as _Any

from fad.numpy import dispatch as _dispatch
from fad.numpy import linalg
from fad.numpy import methods as _methods
from fad.numpy.bits import *
from fad.numpy.choices import *
from fad.numpy.constants import *
from fad.numpy.counting import *
from fad.numpy.covariances import *
from fad.numpy.creation import *
from fad.numpy.cumulative import *
from fad.numpy.diagonals import *
from fad.numpy.differences import *
from fad.numpy.display import *
from fad.numpy.dtypes import *
from fad.numpy.einsum import *
from fad.numpy.elementwise import *
from fad.numpy.index_tricks import *
from fad.numpy.indexing import *
from fad.numpy.inquiry import *
from fad.numpy.interpolation import *
from fad.numpy.join import *
from fad.numpy.logic import *
from fad.numpy.mapping import *
from fad.numpy.medians import *
from fad.numpy.nanfunctions import *
from fad.numpy.padding import *
from fad.numpy.polynomials import *
from fad.numpy.products import *
from fad.numpy.quantiles import *
from fad.numpy.reductions import *
from fad.numpy.sets import *
from fad.numpy.shapes import *
from fad.numpy.signals import *
from fad.numpy.sorting import *
from fad.numpy.special import *
from fad.numpy.standard import *
from fad.numpy.statistics import *
from fad.numpy.windows import *

_FAMILIES = """
    bits choices constants counting covariances creation cumulative diagonals differences
    display dtypes einsum elementwise index_tricks indexing inquiry interpolation join logic
    mapping medians nanfunctions padding polynomials products quantiles reductions sets shapes
    signals sorting special standard statistics windows
""".split()

__all__ = ["linalg"]
for _family in _FAMILIES:
    __all__ += _sys.modules[f"fad.numpy.{_family}"].__all__

_methods.attach()
_dispatch.register("numpy", _sys.modules[__name__])
_dispatch.register("numpy.linalg", linalg)


def __getattr__(name: str) -> _Any:
    raise _dispatch.missing(name)
