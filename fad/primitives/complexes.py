"""Complex numbers and their parts.

The convention is JAX's: the cotangent of a holomorphic f is g f'(z), so a cotangent g belongs to
the linear map t -> Re(g t). The transposes of ``real``, ``imag`` and ``conj`` follow from that.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax

from fad.core import dtypes
from fad.core.tensor import Tensor, aval_of, lift
from fad.primitives.arithmetic import is_complex, neg
from fad.primitives.broadcast import zeros
from fad.primitives.declare import Promotion, elementwise

_COMPLEX_TO_REAL = Promotion(compute=dtypes.complex_of, result=dtypes.real_of)


def _wide(d: Any) -> Any:
    """The real dtype of the parts of the smallest complex number that holds ``d``."""
    return dtypes.real_of(dtypes.complex_of(d))


def _tensor(x: Any) -> Any:
    return x if isinstance(x, Tensor) else lift(x)


_real = elementwise(
    "real",
    lax.real,
    [lambda g: g],  # as a complex number
    forwards=[lambda g: real(g)],
    promotion=_COMPLEX_TO_REAL,
    reference=np.real,
)
_imag = elementwise(
    "imag",
    lax.imag,
    [lambda g: make_complex(0.0, neg(g))],
    forwards=[lambda g: imag(g)],
    promotion=_COMPLEX_TO_REAL,
    reference=np.imag,
)
_conj = elementwise(
    "conj",
    lax.conj,
    [lambda g: conj(g)],
    promotion=Promotion(compute=dtypes.complex_of),
    reference=lambda x: np.conj(x + 0j),
)
make_complex: Any = elementwise(
    "complex",
    lax.complex,
    [lambda g: real(g), lambda g: neg(imag(g))],
    forwards=[lambda g: g, lambda g: make_complex(0.0, g)],
    promotion=Promotion(compute=_wide, result=dtypes.complex_of, allowed="biuf"),
    reference=lambda x, y: x + 1j * y,
    formula="x + i y",
)


def real(x: Any) -> Any:
    """The real part; a real tensor is its own."""
    return _real(x) if is_complex(x) else _tensor(x)


def imag(x: Any) -> Any:
    """The imaginary part, zeros for a real tensor."""
    return _imag(x) if is_complex(x) else zeros(aval_of(x))


def conj(x: Any) -> Any:
    """The complex conjugate; a real tensor is its own."""
    return _conj(x) if is_complex(x) else _tensor(x)


def times_i(x: Any) -> Any:
    """i times a complex tensor, with the signs of its zeros: they choose the side of a cut."""
    return make_complex(neg(imag(x)), real(x))
