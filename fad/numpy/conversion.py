"""From tensors to Python numbers, NumPy arrays and other libraries, and what to do instead.

A number or an array taken out of a tensor is a constant to every transform. That is wanted where
it decides what to compute (``if x > 0``, ``while float(err) > tol``): ``bool``, ``int``, ``float``
work in every transform that is not jitted or batched. It is a mistake where it *is* what to
compute: ``math.sin(x)``, ``a[0] = x`` and ``np.asarray(x)`` inside a transform are errors, as is
any function in C that takes the float itself.
"""

from __future__ import annotations

import array
import dis
import math
import sys
from functools import lru_cache
from types import BuiltinFunctionType, CodeType, FrameType, ModuleType
from typing import Any, NoReturn

import numpy as np

from fad.core import dtypes, kernels
from fad.core.aval import make_aval
from fad.core.device import find_device
from fad.core.errors import FadTypeError, FadValueError, located, user_frame
from fad.core.stream import local
from fad.core.tensor import Array, Tensor
from fad.numpy.dispatch import counterpart


def host(x: Tensor, purpose: str) -> np.ndarray:
    """The numbers of ``x``, not to be written to, or the error of a level that has none."""
    return np.asarray(x.concrete(purpose).realize())


# ------------------------------------------------------------------------------- Python scalars


def to_bool(x: Tensor) -> bool:
    """``bool(x)``, and the condition of ``if``, ``while``, ``and``, ``or`` and ``not``."""
    if x.aval.size != 1:
        what = "a tensor with more than one element" if x.aval.size else "an empty tensor"
        raise FadValueError(
            located(
                f"The truth value of {what} is ambiguous. Use x.any(), x.all() or x.size > 0; to "
                "choose element by element, fad.numpy.where(condition, a, b)."
            )
        )
    return bool(host(x, "a truth value (if, while, and, or, not, bool())"))


def to_int(x: Tensor) -> int:
    """``int(x)`` of a zero-dimensional tensor."""
    return int(_scalar(x, "int"))


def to_float(x: Tensor) -> float:
    """``float(x)`` of a zero-dimensional tensor; ``math.sin(x)`` of one in a transform raises."""
    if x.__class__ is not Array:
        _refuse_loss(x, sys._getframe(1))
    return float(_scalar(x, "float"))


def to_complex(x: Tensor) -> complex:
    """``complex(x)`` of a zero-dimensional tensor."""
    if x.__class__ is not Array:
        _refuse_loss(x, sys._getframe(1))
    return complex(_scalar(x, "complex"))


def to_index(x: Tensor) -> int:
    """The integer of a zero-dimensional integer tensor, for ``range(n)``, slices and shapes."""
    if x.aval.ndim or x.aval.dtype.kind not in "iu":
        raise FadTypeError(
            located(f"only integer scalar tensors can be converted to an index, got {x.aval}")
        )
    return int(host(x, "an index (range(), a slice, a shape)"))


def floor(x: Tensor) -> int:
    """``math.floor(x)``."""
    return math.floor(_scalar(x, "math.floor"))


def ceil(x: Tensor) -> int:
    """``math.ceil(x)``."""
    return math.ceil(_scalar(x, "math.ceil"))


def trunc(x: Tensor) -> int:
    """``math.trunc(x)``."""
    return math.trunc(_scalar(x, "math.trunc"))


def _scalar(x: Tensor, name: str) -> Any:
    if x.aval.ndim:
        raise FadTypeError(
            located(
                "only 0-dimensional tensors can be converted to Python scalars, but this one has "
                f"shape {x.shape}. Pick an element, x[0], or write x.item() for the only one."
            )
        )
    value = host(x, f"{name}()").item()
    if x.aval.dtype.kind == "c" and name != "complex":
        raise FadTypeError(
            located(f"{name}() of a complex tensor would drop its imaginary part: write x.real")
        )
    return value


def item(x: Tensor, *index: Any) -> Any:
    """The only element, or the one at ``index``, as a Python scalar: a constant to transforms."""
    value = host(x, "item()")
    if not index and value.size != 1:
        raise FadValueError(
            located(f"item(): a tensor of shape {x.shape} has no single element; give an index")
        )
    found = value.item(*index)
    return float(found) if x.aval.dtype == dtypes.bfloat16 else found


def tobytes(x: Tensor, order: Any = "C") -> bytes:
    """The bytes of the numbers, in row-major order, or column-major if ``order`` is "F"."""
    if x.__class__ is not Array:
        _refuse_conversion(x)
    return np.asarray(x.realize()).tobytes(order)


def tolist(x: Tensor) -> Any:
    """Nested lists of Python scalars: constants to transforms."""
    return host(x, "tolist()").tolist()


# ------------------------------------------------------- math.sin(x), told apart from float(x)

_HARMLESS = frozenset("isnan isinf isfinite isclose floor ceil trunc".split())
"""Functions of ``math`` without a derivative to lose."""

_PASSING_ON = ("builtins", "_bisect", "_functools", "_operator")
"""Modules in C whose functions call ``float`` for the user: ``sum(map(float, xs))``."""

_NUMPY_NAMES = {
    "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan",
    "atan2": "arctan2", "atanh": "arctanh", "pow": "power", "fabs": "abs", "fsum": "sum",
    "dist": "linalg.norm", "phase": "angle",
}  # fmt: skip
_SPECIAL_NAMES = {"erf": "erf", "erfc": "erfc", "gamma": "gamma", "lgamma": "gammaln"}


def _refuse_loss(x: Tensor, frame: FrameType) -> None:
    """Raise if what asks for a float is no ``float(x)``: ``math.sin(x)``, ``a[i] = x``."""
    if not x.aval.inexact:
        return
    opname, names = _asking(frame.f_code, frame.f_lasti)
    function = _resolve(names, frame)
    if opname == "STORE_SUBSCR":
        what = "a[i] = x stores a Python float in an array a"
        instead = "a = a.at[i].set(x) with a = fad.asarray(a), or fad.numpy.stack on a list"
    elif isinstance(function, type) and issubclass(function, np.generic):
        _refuse_conversion(x)
    elif _takes_floats(function):
        what, instead = _in_floats(function)
    else:
        return
    raise FadTypeError(
        located(
            f"{what}: the derivative of this tensor {x.aval} in {x.level.describe()} would be "
            f"lost. Write {instead}."
        )
    )


def _takes_floats(function: Any) -> bool:
    """Whether it is a function in C that asks for a float on its own account."""
    if not isinstance(function, BuiltinFunctionType):
        return function is array.array
    harmless = function.__module__ in ("math", "cmath") and function.__name__ in _HARMLESS
    return not harmless and function.__module__ not in _PASSING_ON


def _in_floats(function: Any) -> tuple[str, str]:
    """What such a function does, and what to write instead."""
    module, name = function.__module__, function.__name__
    if module in ("math", "cmath"):
        instead = f"fad.numpy.{_NUMPY_NAMES.get(name, name)}"
        if name in _SPECIAL_NAMES:
            instead = f"fad.scipy.special.{_SPECIAL_NAMES[name]}"
        return f"{module}.{name} works on Python floats", instead
    instead = "it with functions of fad.numpy; where a constant is meant, give it float(x)"
    if function is np.fromiter:
        instead = "fad.numpy.fromiter"
    return f"{_called()[0] or f'{module}.{name}'} takes Python floats", instead


def _called() -> tuple[str, Any]:
    """What the user's line calls, as it is written there, ``np.asarray``, and what that is.

    "" and None if unknown.
    """
    frame = user_frame()
    if frame is None:
        return "", None
    names = _asking(frame.f_code, frame.f_lasti)[1]
    return ".".join(names), _resolve(names, frame)


@lru_cache(maxsize=512)
def _asking(code: CodeType, lasti: int) -> tuple[str, tuple[str, ...]]:
    """The instruction at ``lasti``, and if it is a call, what it calls, as ``("math", "sin")``.

    Read off the byte code: the callee is loaded where, in the source, the call begins.
    """
    positions = list(code.co_positions())
    line, _, column, _ = positions[lasti // 2]
    names: tuple[str, ...] = ()
    *before, asking = _performed(code, lasti)
    for instruction in before:
        opname = instruction.opname
        where = positions[instruction.offset // 2]
        if (where[0], where[2]) != (line, column) or opname in _IGNORED:
            continue
        if opname.startswith(_LOADS):
            names = (instruction.argval,)
        elif opname in ("LOAD_ATTR", "LOAD_METHOD") and names:
            names = (*names, instruction.argval)
        else:
            names = ()
    known = asking.opname in _CALLS and column is not None
    return asking.opname, names if known else ()


def _performed(code: CodeType, lasti: int) -> list[dis.Instruction]:
    """The instructions up to the one at ``lasti``, which may point into the caches behind it."""
    return [i for i in dis.get_instructions(code) if i.offset <= lasti]


_LOADS = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FAST", "LOAD_DEREF")
_IGNORED = frozenset(["CACHE", "EXTENDED_ARG", "KW_NAMES", "NOP", "PRECALL", "PUSH_NULL", "RESUME"])
_CALLS = frozenset(["CALL", "PRECALL", "CALL_KW", "CALL_FUNCTION_EX"])


def _resolve(names: tuple[str, ...], frame: FrameType) -> Any:
    """The object that a dotted name stands for, in modules and arrays; None if unknown."""
    if not names:
        return None
    first, *rest = names
    for scope in (frame.f_locals, frame.f_globals, frame.f_builtins):
        if first in scope:
            found = scope[first]
            break
    else:
        return None
    for name in rest:
        if not isinstance(found, ModuleType | np.ndarray):
            return None
        found = getattr(found, name, None)
    return found


def refuse_statement(call: str) -> None:
    """Raise if ``x.sort()`` stands as a statement: NumPy would sort the array ``x`` in place.

    The method calls it. A line of a REPL, where the value is printed, is let through.
    """
    frame = sys._getframe(2)
    if _is_dropped(frame.f_code, frame.f_lasti):
        name, _, arguments = call.partition("(")
        instead = f"x = np.{name}(x{', ' if arguments != ')' else ''}{arguments}"
        raise FadTypeError(located(f"tensors are immutable: write {instead} instead of x.{call}"))


@lru_cache(maxsize=512)
def _is_dropped(code: CodeType, lasti: int) -> bool:
    """Whether the instruction at ``lasti`` is a call whose result nobody takes."""
    here = len(_performed(code, lasti)) - 1
    call, following = list(dis.get_instructions(code))[here : here + 2]
    return call.opname in _CALLS and following.opname == "POP_TOP"


# --------------------------------------------------------------- arrays, DLPack, pickles, copies


def to_ndarray(x: Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    """``np.asarray(x)``: a new writable array; a read-only view if ``copy=False``."""
    if x.__class__ is not Array:
        _refuse_conversion(x)
    value = np.asarray(x.realize())
    if copy is False:
        if dtype is not None and np.dtype(dtype) != value.dtype:
            raise FadValueError(located("a change of dtype needs a copy: leave copy=False out"))
        view = value.view()
        view.flags.writeable = False
        return view
    return np.array(value, dtype, copy=True)


def _refuse_conversion(x: Tensor) -> NoReturn:
    x.level.check_active(x)
    called, function = _called()
    by = f"{called}(...)" if called else "NumPy"
    what = f"{by} would convert a tensor {x.aval} of {x.level.describe()} to a NumPy array, and its"
    if not x.aval.inexact:
        raise FadTypeError(
            located(
                f"{what} value is not known there. Index a tensor instead, fad.asarray(table)[n]; "
                "where n decides on a shape, as in np.arange(n), close over it or make it a static "
                "argument (static_argnums of fad.jit). Else call functions of fad.numpy."
            )
        )
    ours = counterpart(function)
    if ours:
        instead = f"Write {ours}; fad.numpy.stack or fad.asarray for a list of tensors."
    else:
        instead = (
            "Call functions of NumPy, fad.numpy or fad.scipy on the tensor; fad.numpy.stack or "
            "fad.asarray for a list of tensors; a.at[i].set(x) instead of a[i] = x with "
            "a = fad.asarray(a)."
        )
    raise FadTypeError(
        located(
            f"{what} derivative would be lost. {instead} "
            "For a constant, convert fad.stop_gradient(x)."
        )
    )


def to_dlpack(
    x: Tensor,
    *,
    stream: Any = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """A DLPack capsule. The memory is the tensor's own, and must not be written to.

    It is of the unversioned kind, which readers of every version take, whatever ``max_version``.
    """
    if x.__class__ is not Array:
        _refuse_conversion(x)
    return _exported(x).__dlpack__(stream=stream, dl_device=dl_device, copy=copy)


def dlpack_device(x: Tensor) -> tuple[int, int]:
    """DLPack's numbers of the device that holds the tensor."""
    if x.__class__ is not Array:
        _refuse_conversion(x)
    return _exported(x).__dlpack_device__()


def _exported(x: Any) -> Any:
    """The buffer on its device; a copy of host buffers and of numbers, which others may hold."""
    buffer = x.realize()
    return buffer if kernels.is_buffer(buffer) and x.aval.ndim else kernels.put(buffer)


def device(x: Tensor) -> Any:
    """The device that holds the tensor; in a transform, the default one."""
    return kernels.devices()[0]


def to_device(x: Tensor, device: Any, /, *, stream: Any = None) -> Tensor:
    """The tensor on another device; in a transform it can only stay where it is."""
    target = find_device(device)
    if target == x.device:
        return x
    if x.__class__ is not Array:
        raise FadTypeError(
            located(
                f"a tensor of {x.level.describe()} cannot move to another device; move the "
                "arguments of that transform instead"
            )
        )
    return Array(x.aval, kernels.put(x.realize(), target))


def reduce(x: Tensor) -> Any:
    """What pickle stores of a concrete tensor: its numbers, dtype and weak type."""
    if x.__class__ is not Array:
        raise FadTypeError(
            located(
                f"cannot pickle a tensor of {x.level.describe()}: it has no meaning outside that "
                "call. Return it from the transform and pickle the result."
            )
        )
    return _restore, (np.array(x.realize()), x.aval.weak)


def _restore(value: np.ndarray, weak: bool) -> Array:
    return Array(make_aval(value.shape, value.dtype, weak), kernels.put(value))


def copy(x: Tensor, *unused: Any, **ignored: Any) -> Tensor:
    """A tensor with memory of its own, which stays when that of ``x`` is donated.

    Within a transform it is the tensor itself: nobody can write to it, and nothing is donated.
    """
    if x.__class__ is not Array or local.depth:
        return x
    return Array(x.aval, kernels.put(x.realize()))
