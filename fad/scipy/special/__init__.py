"""Special functions, under the names of ``scipy.special`` and with its conventions.

The functions of SciPy's own module take tensors too: they dispatch to these.
"""

# ruff: noqa: F403

from __future__ import annotations

import sys as _sys

from fad.numpy import dispatch as _dispatch
from fad.scipy.special import elementwise as _elementwise
from fad.scipy.special import exponentials as _exponentials
from fad.scipy.special.elementwise import *
from fad.scipy.special.exponentials import *

__all__ = [*_elementwise.__all__, *_exponentials.__all__]

_dispatch.register("scipy.special", _sys.modules[__name__])
