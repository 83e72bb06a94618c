"""What the array API standard asks of a namespace besides NumPy's functions."""

from __future__ import annotations

from typing import Any

from fad.core import kernels
from fad.numpy import dtypes

__all__ = ["__array_api_version__", "__array_namespace_info__"]

__array_api_version__ = "2025.12"

_KINDS = {
    "bool": ["bool"],
    "signed integer": ["int8", "int16", "int32", "int64"],
    "unsigned integer": ["uint8", "uint16", "uint32", "uint64"],
    "real floating": ["float32", "float64"],
    "complex floating": ["complex64", "complex128"],
}
_KINDS["integral"] = _KINDS["signed integer"] + _KINDS["unsigned integer"]
_KINDS["numeric"] = _KINDS["integral"] + _KINDS["real floating"] + _KINDS["complex floating"]


class __array_namespace_info__:
    """Capabilities, default dtypes and devices of this namespace."""

    def capabilities(self) -> dict[str, Any]:
        """Which optional parts of the standard there are."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> Any:
        """The device on which tensors are made unless another is named."""
        return kernels.devices()[0]

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        """The dtypes of tensors made without naming one."""
        return {
            "real floating": dtypes.dtype("float64"),
            "complex floating": dtypes.dtype("complex128"),
            "integral": dtypes.dtype("int64"),
            "indexing": dtypes.dtype("int64"),
        }

    def devices(self) -> tuple[Any, ...]:
        """All devices of the default platform."""
        return tuple(kernels.devices())

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, Any]:
        """The standard's dtypes by name; those of one kind, or of several."""
        kinds = ["bool", "numeric"] if kind is None else kind
        kinds = [kinds] if isinstance(kinds, str) else kinds
        return {name: dtypes.dtype(name) for k in kinds for name in _KINDS[k]}
