"""dtypes and what is asked of them: NumPy's names, with bfloat16 added.

The names are NumPy's scalar types, so ``x.dtype == float32`` holds and either library's name can be
given to the other.
"""

from __future__ import annotations

import builtins
import warnings
from functools import reduce
from typing import TYPE_CHECKING, Any

import jax.numpy as _jnp
import numpy as np

from fad.core import dtypes
from fad.core.aval import SCALARS
from fad.core.dtypes import DType
from fad.core.errors import FadOverflowError, FadTypeError, located
from fad.core.tensor import Tensor, aval_of, lift
from fad.primitives.broadcast import convert

bool = bool_ = np.bool_
int8, int16, int32, int64 = np.int8, np.int16, np.int32, np.int64
uint8, uint16, uint32, uint64 = np.uint8, np.uint16, np.uint32, np.uint64
float16, float32, float64 = np.float16, np.float32, np.float64
bfloat16 = dtypes.bfloat16.type
complex64, complex128 = np.complex64, np.complex128
half, single, double, csingle, cdouble = float16, float32, float64, complex64, complex128
int_, intp, uint, uintp = np.int_, np.intp, np.uint, np.uintp
generic, number, integer, inexact = np.generic, np.number, np.integer, np.inexact
signedinteger, unsignedinteger = np.signedinteger, np.unsignedinteger
floating, complexfloating = np.floating, np.complexfloating
dtype, issubdtype = np.dtype, np.issubdtype

pi, e, euler_gamma, inf, nan, newaxis = np.pi, np.e, np.euler_gamma, np.inf, np.nan, np.newaxis

__all__ = [
    "astype", "bfloat16", "bool", "bool_", "can_cast", "cdouble", "common_type", "complex64",
    "complex128", "complexfloating", "csingle", "double", "dtype", "e", "euler_gamma", "finfo",
    "float16", "float32", "float64", "floating", "generic", "half", "iinfo", "inexact", "inf",
    "int8", "int16", "int32", "int64", "int_", "integer", "intp", "isdtype", "issubdtype", "nan",
    "newaxis", "number", "pi", "promote_types", "result_type", "signedinteger", "single", "uint",
    "uint8", "uint16", "uint32", "uint64", "uintp", "unsignedinteger",
]  # fmt: skip


def as_dtype(dtype: Any) -> DType:
    """The supported NumPy dtype that ``dtype`` names: a dtype, a scalar type, a string, ``float``.

    >>> from fad.numpy.dtypes import as_dtype
    >>> as_dtype(float), as_dtype("int8")
    (dtype('float64'), dtype('int8'))
    """
    try:
        made = np.dtype(dtype)
    except TypeError:
        raise FadTypeError(located(f"{dtype!r} is not a dtype")) from None
    return dtypes.check_supported(made.newbyteorder("="))


def _dtype_of(value: Any) -> tuple[DType, builtins.bool]:
    """dtype and weak type of a tensor, an array, a Python scalar or anything that names a dtype."""
    if isinstance(value, Tensor | np.ndarray | np.generic) or type(value) in SCALARS:
        aval = aval_of(value)
        return aval.dtype, aval.weak
    return as_dtype(value), False


def result_type(*arrays_and_dtypes: Any) -> DType:
    """The dtype of an operation on these; Python scalars, and tensors made of them, are weak."""
    if not arrays_and_dtypes:
        raise FadTypeError(located("result_type needs at least one array or dtype"))
    return dtypes.result_type(tuple([_dtype_of(v) for v in arrays_and_dtypes]))[0]


def promote_types(type1: Any, type2: Any) -> DType:
    """The smallest dtype to which both convert safely."""
    return dtypes.promote_types(as_dtype(type1), as_dtype(type2))


def common_type(*arrays: Any) -> Any:
    """The scalar type of floats or complex numbers that holds all of these; float64 for integers.

    >>> import fad.numpy as fnp
    >>> fnp.common_type(fnp.ones(2, "float32"), fnp.ones(2, int)).__name__
    'float64'
    """
    found = [_dtype_of(a)[0] for a in arrays]
    for dtype in found:
        if dtypes.kind(dtype) not in "iufc":
            raise FadTypeError(located(f"can't get common type for non-numeric dtype {dtype}"))
    floats = [d if dtypes.is_inexact(d) else dtypes.float64 for d in found]
    return reduce(dtypes.promote_types, floats or [dtypes.float16]).type


def can_cast(from_: Any, to: Any, casting: str = "safe") -> builtins.bool:
    """Whether a conversion is allowed; a tensor stands for its dtype."""
    source, target = _dtype_of(from_)[0], as_dtype(to)
    if dtypes.bfloat16 in (source, target) and casting == "safe":
        return dtypes.promote_types(source, target) == target
    return np.can_cast(source, target, casting)  # type: ignore[arg-type]


class finfo:
    """Limits of a floating-point or complex dtype, or of a tensor's dtype, as Python numbers.

    >>> import fad.numpy as fnp
    >>> fnp.finfo("float32").eps
    1.1920928955078125e-07
    """

    def __init__(self, dtype: Any) -> None:
        given = dtypes.real_of(_dtype_of(dtype)[0])
        if not dtypes.is_inexact(given):
            raise FadTypeError(located(f"finfo is for floating-point dtypes, got {given}"))
        info: Any = _jnp.finfo(given)
        self.dtype = given
        for name in "bits iexp machep maxexp minexp negep nexp nmant precision".split():
            setattr(self, name, int(getattr(info, name)))
        for name in "eps epsneg max min resolution smallest_subnormal tiny".split():
            setattr(self, name, float(getattr(info, name)))
        self.smallest_normal = self.tiny

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def __repr__(self) -> str:
        return f"finfo(min={self.min}, max={self.max}, eps={self.eps}, dtype={self.dtype})"


def iinfo(dtype: Any) -> Any:
    """Limits of an integer dtype, or of a tensor's dtype."""
    return np.iinfo(_dtype_of(dtype)[0])


def isdtype(dtype: Any, kind: Any) -> builtins.bool:
    """Whether ``dtype`` is of a kind such as ``"integral"``, or is that dtype; see NumPy."""
    given = as_dtype(dtype)
    if given != dtypes.bfloat16:
        return np.isdtype(given, kind)
    kinds = kind if isinstance(kind, tuple) else (kind,)
    names = ("real floating", "numeric")
    return any(k in names if isinstance(k, str) else as_dtype(k) == given for k in kinds)


def astype(x: Any, /, dtype: Any, copy: builtins.bool = True, *, device: Any = None) -> Any:
    """``x`` with elements of ``dtype``. From complex to real it is the real part, with a warning.

    ``copy`` changes nothing: tensors are immutable.
    """
    converted = cast(lift(x), as_dtype(dtype))
    return converted if device is None else converted.to_device(device)


def cast(x: Any, target: DType) -> Any:
    """A tensor converted, with NumPy's warning where imaginary parts are lost."""
    if dtypes.kind(x.dtype) == "c" and dtypes.kind(target) not in "cb":
        warnings.warn(
            "Casting complex values to real discards the imaginary part",
            np.exceptions.ComplexWarning,
            stacklevel=3,
        )
    return convert(x, target)


def check_int(value: Any, dtype: DType) -> None:
    """Raise if a Python integer does not fit an integer dtype."""
    if type(value) is int and dtypes.kind(dtype) in "iu":
        info = np.iinfo(dtype)
        if not info.min <= value <= info.max:
            raise FadOverflowError(located(f"Python integer {value} out of bounds for {dtype}"))
