"""NumPy 2's functions on tensors, under NumPy's names and with NumPy's conventions."""

from __future__ import annotations

import sys as _sys

from fad.numpy.creation import *  # noqa: F403
from fad.numpy.dtypes import *  # noqa: F403
from fad.primitives.arithmetic import (
    add,
    sub as subtract,
    mul as multiply,
    div as divide,
    neg as negative,
)
from fad.numpy import dispatch as _dispatch, methods  # isort: skip

_dispatch.register("numpy", _sys.modules[__name__])
