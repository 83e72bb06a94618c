"""Containers that arguments and results of transforms come in."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from typing import Any, NamedTuple

import jax
import numpy as np


class Pair(NamedTuple):
    """A named tuple."""

    w: Any
    b: Any


@dataclasses.dataclass
class Layer:
    """A plain dataclass, which fad registers when it first meets one."""

    w: Any
    b: Any


class Registered:
    """A class registered with jax.tree_util, with something that is no leaf."""

    def __init__(self, w: Any, b: Any, name: str = "layer") -> None:
        self.w, self.b, self.name = w, b, name


jax.tree_util.register_pytree_with_keys(
    Registered,
    lambda x: (
        ((jax.tree_util.GetAttrKey("w"), x.w), (jax.tree_util.GetAttrKey("b"), x.b)),
        x.name,
    ),
    lambda name, leaves: Registered(*leaves, name),
)

W = np.array([[1.0, -2.0], [0.5, 3.0]])
B = np.array([0.25, -1.0])

CONTAINERS: dict[str, tuple[Any, Any]] = {
    "tuple": ((W, B), lambda t: (t[0], t[1])),
    "list": ([W, B], lambda t: (t[0], t[1])),
    "dict": ({"w": W, "b": B}, lambda t: (t["w"], t["b"])),
    "ordered_dict": (OrderedDict([("w", W), ("b", B)]), lambda t: (t["w"], t["b"])),
    "with_none": ({"w": [W, None], "b": B, "z": None}, lambda t: (t["w"][0], t["b"])),
    "nested": ({"p": ({"w": W}, [B])}, lambda t: (t["p"][0]["w"], t["p"][1][0])),
    "named_tuple": (Pair(W, B), lambda t: (t.w, t.b)),
    "dataclass": (Layer(W, B), lambda t: (t.w, t.b)),
    "registered": (Registered(W, B), lambda t: (t.w, t.b)),
    "empty_part": (((), {"w": W}, [], B), lambda t: (t[1]["w"], t[3])),
}
"""Each has a matrix and a vector; with the function that takes them out."""


def structure(tree: Any) -> Any:
    """What two trees of one structure have in common."""
    return jax.tree_util.tree_structure(tree)
