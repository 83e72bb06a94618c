"""fad: functional automatic differentiation.

Pure transforms (``grad``, ``vjp``, ``jvp``, ``jacobian``, ``hessian``, ``vmap``, ``jit``) over dual
tensors and an explicit reverse tape, with every primitive compiled by XLA.
"""

from fad import forward, nn, numpy, reverse
from fad.core.config import config, strong_zero
from fad.core.device import device_put, devices
from fad.core.dtypes import float0
from fad.core.errors import FadError
from fad.core.tensor import Array, Tensor
from fad.numpy import asarray, from_dlpack
from fad.staging.jit import jit
from fad.transforms.gradient import grad, value_and_grad
from fad.transforms.hessians import gnvp, hessian, hvp, value_grad_and_hessian, vhp
from fad.transforms.inspection import eval_shape, make_graph, stop_gradient
from fad.transforms.jacobians import jacfwd, jacobian, jacrev, value_and_jacobian
from fad.transforms.linear import linear_transpose, linearize
from fad.transforms.pushforward import jvp, vjp
from fad.transforms.vectorize import vmap

__version__ = "0.1.0"

__all__ = [
    "Array", "FadError", "Tensor", "asarray", "config", "device_put", "devices", "eval_shape",
    "float0", "forward", "from_dlpack", "gnvp", "grad", "hessian", "hvp", "jacfwd", "jacobian",
    "jacrev", "jit", "jvp", "linear_transpose", "linearize", "make_graph", "nn", "numpy", "reverse",
    "stop_gradient", "strong_zero", "value_and_grad", "value_and_jacobian",
    "value_grad_and_hessian", "vhp", "vjp", "vmap",
]  # fmt: skip
