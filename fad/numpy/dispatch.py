"""NumPy's dispatch: ``np.sin(x)``, ``np.concatenate([x, y])``, ``np.add.reduce(x)`` on tensors.

A NumPy function is answered by the fad function of the same name. Where there is none, concrete
tensors are converted and NumPy's own function runs (plotting, histograms, ...); a tensor of a
transform raises an error that names the function. Writing into an array is an error.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache, partial
from types import ModuleType
from typing import Any

import numpy as np

from fad.core.apply import apply1, apply2
from fad.core.aval import SCALARS
from fad.core.errors import FadError, FadTypeError, located
from fad.core.tensor import Array, Tensor
from fad.numpy import ufunc_methods
from fad.numpy.ufunc import refuse_out

_namespaces: dict[str, ModuleType] = {}
_ufuncs: dict[Any, Callable[..., Any]] = {}
_short_ways: dict[Any, Callable[..., Any]] = {}


def register(name: str, module: ModuleType) -> None:
    """Let ``module`` answer for the functions and ufuncs of NumPy's module ``name``.

    Any module will do whose functions go through NumPy's protocols: ``scipy.special`` does.
    """
    _namespaces[name] = module
    _function_for.cache_clear()
    if name == "numpy":
        for ufunc_name in vars(np):  # not dir: lazy submodules would be imported
            ufunc = getattr(np, ufunc_name)
            function = getattr(module, ufunc_name, None)
            if isinstance(ufunc, np.ufunc) and function is not None:
                _ufuncs[ufunc] = function
                operation = getattr(function, "operation", None)
                if operation is not None and ufunc.nin < 3:
                    _short_ways[ufunc] = partial((apply1, apply2)[ufunc.nin - 1], operation)


# ---------------------------------------------------------------------------------------- ufuncs


def array_ufunc(self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
    """``Tensor.__array_ufunc__``."""
    if not options and method == "__call__":
        function = _short_ways.get(ufunc)
        if function is not None:
            try:
                return function(*inputs)
            except FadTypeError:
                pass  # the long way takes lists too, or raises the same again
    return _any_ufunc(ufunc, method, inputs, options)


def _any_ufunc(ufunc: np.ufunc, method: str, inputs: Any, options: dict[str, Any]) -> Any:
    if _has_foreign(inputs):
        return NotImplemented
    name = _title(ufunc) if method == "__call__" else f"{_title(ufunc)}.{method}"
    if options.get("out") is not None:
        return _write(ufunc, method, name, inputs, options)
    options.pop("out", None)
    function = _ufuncs.get(ufunc) or _scipy_function(ufunc)
    if function is None or method in ("reduceat", "at"):
        return _by_numpy(getattr(ufunc, method), name, inputs, options)
    if method == "__call__":
        return function(*inputs, **options)
    return ufunc_methods.METHODS[method](ufunc, function, *inputs, **options)


def _write(ufunc: np.ufunc, method: str, name: str, inputs: Any, options: dict[str, Any]) -> Any:
    """``out=``: only ``a += x`` of a NumPy array ``a`` and a concrete tensor ``x`` can be done."""
    outs = options["out"]
    in_place = method == "__call__" and inputs and len(outs) == 1 and outs[0] is inputs[0]
    in_place = in_place and not isinstance(outs[0], Tensor)
    if in_place and all(map(_is_concrete, inputs)):
        return ufunc(*map(_to_numpy, inputs), **options)
    if in_place:
        what = f"an in-place operation ({name}) would write a tensor into a NumPy array"
        whole = "write a = a + x instead of a += x"
        part = "a = a.at[i].set(a[i] + x) instead of a[i] += x, with a = fad.asarray(a)"
        raise FadTypeError(located(f"{what}; {whole}; {part}."))
    refuse_out(name, outs)


def _title(ufunc: np.ufunc) -> str:
    """``numpy.sin``, for messages. Ufuncs do not say where they belong."""
    name = ufunc.__name__
    for module in ("numpy", "scipy.special"):
        if getattr(sys.modules.get(module), name, None) is ufunc:
            return f"{module}.{name}"
    frame = sys._getframe(1) if name.startswith("_") else None
    while frame is not None:  # which of SciPy's functions calls this one of its own
        module = ".".join(str(frame.f_globals.get("__name__")).split(".")[:2])
        public = frame.f_code.co_name
        if module.startswith("scipy.") and hasattr(sys.modules.get(module), public):
            return f"{module}.{public}"
        frame = frame.f_back
    return name


def _scipy_function(ufunc: np.ufunc) -> Any:
    """The function for a ufunc of ``scipy.special``, which ufuncs do not say they belong to."""
    module = _namespaces.get("scipy.special")
    if module is None or getattr(np, ufunc.__name__, None) is ufunc:
        return None
    return getattr(module, ufunc.__name__, None)


def counterpart(function: Any) -> str:
    """The name of fad's function for one of NumPy's or SciPy's, for messages; "" if none."""
    if isinstance(function, np.ufunc):
        *parts, name = _title(function).split(".")
    else:
        # SciPy's functions name the private module within that one where they are written.
        parts = str(getattr(function, "__module__", "")).split(".")[:2]
        name = getattr(function, "__name__", "")
    return _fads(".".join([*parts, name])) if parts[:1] in (["numpy"], ["scipy"]) else ""


def _fads(name: str) -> str:
    """The same for a name such as ``scipy.special.zeta``."""
    module, _, last = f"fad.{name}".rpartition(".")
    found = getattr(sys.modules.get(module), last, None)
    return "" if found is None or isinstance(found, type) else f"fad.{name}"


# ------------------------------------------------------------------------------------- functions


def array_function(self: Tensor, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """``Tensor.__array_function__``."""
    function = _function_for(func)
    if function is None or "out" in kwargs:
        return _any_function(func, function, args, kwargs)
    for kind in types:
        if not issubclass(kind, Tensor | np.ndarray):
            return NotImplemented
    try:
        return function(*args, **kwargs)
    except FadTypeError as error:
        return _with_objects(func, args, kwargs, error)


@cache
def _function_for(func: Any) -> Any:
    function = getattr(_namespaces.get(func.__module__), func.__name__, None)
    return function if func not in _CONVERTERS else _converter(func, function)


_CONVERTERS = (np.atleast_1d, np.atleast_2d, np.atleast_3d, np.copy)
"""What libraries call to have an array of their own, such as compiled code insists on."""


def _converter(func: Any, function: Any) -> Any:
    def converting(*args: Any, **kwargs: Any) -> Any:
        if all(map(_is_concrete, _tensors((args, kwargs)))):
            return func(*_to_numpy(args), **_to_numpy(kwargs))
        return function(*args, **kwargs)

    return converting


def _with_objects(func: Any, args: Any, kwargs: dict[str, Any], error: FadTypeError) -> Any:
    """What ``func`` gives where strings or other objects stand beside concrete tensors."""
    if not all(map(_is_concrete, _tensors((args, kwargs)))):
        raise error
    try:
        return func(*_to_numpy(args), **_to_numpy(kwargs))
    except Exception:
        raise error from None


def _any_function(func: Any, function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    name = f"{func.__module__}.{func.__name__}"
    if function is None:
        return _by_numpy(func, name, args, kwargs)
    kwargs = dict(kwargs)
    refuse_out(name, kwargs.pop("out"))
    return function(*args, **kwargs)


def array_namespace(self: Tensor, *, api_version: str | None = None) -> ModuleType:
    """``Tensor.__array_namespace__``, as the array API standard asks: this namespace."""
    return _namespaces["numpy"]


# ----------------------------------------------------------------- what fad has no function for

_WRITERS = {
    "add.at": "x.at[indices].add(values)",
    "subtract.at": "x.at[indices].add(-values)",
    "multiply.at": "x.at[indices].multiply(values)",
    "maximum.at": "x.at[indices].max(values)",
    "minimum.at": "x.at[indices].min(values)",
    "copyto": "fad.numpy.where(mask, new, old)",
    "fill_diagonal": "x.at[i, i].set(values) with i = numpy.arange(n)",
    "place": "fad.numpy.where(mask, new, old)",
    "put": "x.ravel().at[indices].set(values).reshape(x.shape)",
    "put_along_axis": "x.at[rows, columns].set(values), with an index for every axis",
    "putmask": "fad.numpy.where(mask, new, old)",
}

_HERMITIAN = "fad.numpy.linalg.{} if the matrix is Hermitian; those of others are yet to come"

_INSTEAD = {
    "asmatrix": "fad.numpy.asarray(x), and x @ y for the matrix product",
    "bmat": "fad.numpy.block",
    "frompyfunc": "fad.numpy.vectorize",
    "min_scalar_type": "fad.numpy.result_type",
    "nditer": "fad.vmap",
    "require": "fad.numpy.asarray",
    "ndenumerate": "a loop over numpy.ndindex(x.shape)",
    "add.reduceat": "fad.numpy.zeros(n).at[segments].add(x)",
    "linalg.eig": _HERMITIAN.format("eigh"),
    "linalg.eigvals": _HERMITIAN.format("eigvalsh"),
    "roots": "r - fad.numpy.polyval(p, r) / fad.numpy.polyval(fad.numpy.polyder(p), r) with "
    "r = numpy.roots(fad.stop_gradient(p)), whose first derivatives are those of simple roots",
}


def instead_of(name: str) -> str | None:
    """What to write instead of one of NumPy's functions, where something is known."""
    return _WRITERS.get(name) or _INSTEAD.get(name)


class MissingNameError(FadError, AttributeError):
    """A name that NumPy or another library has and fad has not, and what to write instead."""


def missing(name: str) -> AttributeError:
    """The error for a name that ``fad.numpy`` does not have."""
    if name in _WRITERS:
        why = f"it would write into an array, and tensors are immutable; write {_WRITERS[name]}"
    elif name in _INSTEAD:
        why = f"use {_INSTEAD[name]}"
    else:
        return AttributeError(f"module 'fad.numpy' has no attribute {name!r}")
    return MissingNameError(located(f"fad.numpy has no {name}: {why}."))


def _by_numpy(func: Any, name: str, args: Any, kwargs: Any) -> Any:
    """Run NumPy's own function on concrete tensors; the error where that cannot be done."""
    short = name.removeprefix("numpy.")
    tensors = list(_tensors((args, kwargs)))
    concrete = all(t.__class__ is Array for t in tensors)
    writes = short in _WRITERS or short.endswith(".at")
    if concrete and (not writes or (args and isinstance(args[0], np.ndarray))):
        return func(*_to_numpy(args), **_to_numpy(kwargs))
    if writes:
        instead = instead_of(short) or "x.at[indices].set(values)"
        raise FadTypeError(
            located(
                f"{name} would write into an array, and tensors are immutable. Write {instead}."
            )
        )
    level = next(t for t in tensors if t.__class__ is not Array).level
    other = instead_of(short) or _fads(name)
    hint = f"Use {other}. " if other else ""
    raise FadTypeError(
        located(
            f"{name} is not supported on the tensors of {level.describe()}. {hint}It can be "
            "applied to constants, fad.stop_gradient(x)."
        )
    )


def _tensors(tree: Any) -> Any:
    if isinstance(tree, Tensor):
        yield tree
    elif isinstance(tree, list | tuple):
        for item in tree:
            yield from _tensors(item)
    elif isinstance(tree, dict):
        yield from _tensors(list(tree.values()))


def _to_numpy(tree: Any) -> Any:
    """The same with arrays for concrete tensors, down into lists and dictionaries."""
    if isinstance(tree, Tensor):
        return np.asarray(tree)
    if type(tree) in (list, tuple):
        return type(tree)([_to_numpy(item) for item in tree])
    if type(tree) is dict:
        return {key: _to_numpy(item) for key, item in tree.items()}
    return tree


def _is_concrete(x: Any) -> bool:
    return x.__class__ is Array or not isinstance(x, Tensor)


def _has_foreign(inputs: Any) -> bool:
    """Whether another library's array type, with a dispatch of its own, is among the inputs."""
    for x in inputs:
        if isinstance(x, Tensor | np.ndarray | np.generic | list | tuple) or type(x) in SCALARS:
            continue
        if hasattr(type(x), "__array_ufunc__"):
            return True
    return False
