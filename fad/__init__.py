"""fad: functional automatic differentiation.

Pure transforms (``grad``, ``vjp``, ``jvp``, ``jacobian``, ``hessian``, ``vmap``, ``jit``) over dual
tensors and an explicit reverse tape, with every primitive compiled by XLA.
"""

from fad.core.config import config
from fad.core.errors import FadError
from fad.core.tensor import Array, Tensor
from fad.transforms.gradient import grad, value_and_grad
from fad.transforms.pushforward import jvp, vjp
from fad.transforms.vectorize import vmap

__all__ = ["Array", "FadError", "Tensor", "config", "grad", "jvp", "value_and_grad", "vjp", "vmap"]
