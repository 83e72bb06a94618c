"""Dataclasses as pytrees: instances are rebuilt field by field, and no constructor runs again."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np
import pytest

import fad
from fad.core import pytree

X = np.array([3.0, 4.0])


@dataclasses.dataclass
class Scaled:
    """A field that the constructor does not take."""

    w: Any
    scale: Any = dataclasses.field(default=1.0, init=False)


@dataclasses.dataclass
class Normalised:
    """What the constructor does to its argument would be wrong for a gradient."""

    w: Any

    def __post_init__(self) -> None:
        self.w = self.w / np.sqrt(np.sum(self.w**2))


@dataclasses.dataclass
class Positive:
    """A constructor that refuses what gradients may be."""

    w: Any

    def __post_init__(self) -> None:
        if not np.all(self.w > 0):
            raise ValueError("w must be positive")


@dataclasses.dataclass
class Multiplied:
    """An argument that is no field."""

    w: Any
    factor: dataclasses.InitVar[float] = 1.0

    def __post_init__(self, factor: float) -> None:
        self.w = self.w * factor


@dataclasses.dataclass(frozen=True, slots=True)
class FrozenSlots:
    w: Any
    b: Any = 0.0


@dataclasses.dataclass(kw_only=True)
class KeywordsOnly:
    w: Any
    b: Any = 0.0


@dataclasses.dataclass
class Inherited(Scaled):
    b: Any = 0.0


@dataclasses.dataclass
class Unset:
    """A field that is set later, or never."""

    w: Any
    cache: Any = dataclasses.field(init=False)


@dataclasses.dataclass(frozen=True)
class Named:
    w: Any
    name: str = dataclasses.field(default="", metadata={"static": True})


def test_fields_outside_the_constructor_are_kept() -> None:
    s = Scaled(X)
    s.scale = 10.0
    f = lambda p: np.sum(p.w**2) * p.scale  # noqa: E731
    for transformed in (fad.value_and_grad(f), fad.jit(fad.value_and_grad(f))):
        value, gradient = transformed(s)
        assert float(value) == float(f(s)) == 250.0
        np.testing.assert_array_equal(gradient.w, 20.0 * X)
        assert float(gradient.scale) == 25.0
    assert float(fad.jit(f)(s)) == 250.0

    batch = Scaled(np.stack([X, 2.0 * X]))
    batch.scale = np.array([10.0, 1.0])
    np.testing.assert_array_equal(fad.vmap(f)(batch), [250.0, 100.0])
    np.testing.assert_array_equal(fad.vmap(fad.grad(f))(batch).scale, [25.0, 100.0])


def test_the_constructor_does_not_run_on_tensors_nor_on_gradients() -> None:
    loss = lambda p: np.sum(p.w**2)  # noqa: E731
    w = Normalised(X)
    for gradient in (fad.grad(loss), fad.jit(fad.grad(loss))):
        np.testing.assert_array_equal(gradient(w).w, 2.0 * w.w)
    p = Positive(X)
    np.testing.assert_array_equal(fad.grad(lambda p: -loss(p))(p).w, -2.0 * X)
    m = Multiplied(X, 3.0)
    np.testing.assert_array_equal(fad.grad(loss)(m).w, 6.0 * X)
    np.testing.assert_array_equal(fad.jit(lambda m: m)(m).w, 3.0 * X)


@pytest.mark.parametrize("kind", [FrozenSlots, KeywordsOnly, Inherited])
def test_every_kind_of_dataclass(kind: Any) -> None:
    p = kind(w=X, b=2.0)
    for gradient in (fad.grad, lambda f: fad.jit(fad.grad(f))):
        g = gradient(lambda p: np.sum(p.w * p.w) * p.b)(p)
        assert type(g) is kind
        np.testing.assert_array_equal(g.w, 4.0 * X)
        assert float(g.b) == 25.0


def test_fields_that_are_not_set_stay_so() -> None:
    u = Unset(X)
    g = fad.grad(lambda u: np.sum(u.w))(u)
    assert not hasattr(g, "cache")
    u.cache = 2.0
    g = fad.jit(fad.grad(lambda u: np.sum(u.w) * u.cache))(u)
    assert float(g.cache) == 7.0
    np.testing.assert_array_equal(g.w, [2.0, 2.0])


def test_static_fields_are_part_of_the_structure() -> None:
    f = fad.jit(lambda p: np.sum(p.w) * (2.0 if p.name == "double" else 1.0))
    assert float(f(Named(X, "double"))) == 14.0
    assert float(f(Named(X, "single"))) == 7.0
    assert fad.grad(f)(Named(X, "double")).name == "double"


def test_paths_and_registrations_of_others() -> None:
    assert pytree.paths({"a": Scaled(X)}) == ["['a'].w", "['a'].scale"]

    @dataclasses.dataclass
    class Mine:
        w: Any
        b: Any

    jax.tree_util.register_dataclass(Mine, data_fields=["w"], meta_fields=["b"])
    leaves, treedef = pytree.flatten(Mine(1.0, "text"))
    assert leaves == [1.0]
    assert pytree.unflatten(treedef, [2.0]) == Mine(2.0, "text")


def test_float0_arrays_inside_the_structure() -> None:
    @dataclasses.dataclass
    class New:  # not met before
        w: Any
        n: Any

    tree = {"a": New(X, np.zeros(3, fad.float0)), "b": (np.zeros((), fad.float0), 2.0)}
    leaves, treedef = pytree.flatten(pytree.with_float0_inside(tree))
    assert leaves[1:] == [2.0]
    assert leaves[0] is X
    back = pytree.unflatten(treedef, [1.0, 2.0])
    assert (back["a"].n.shape, back["a"].n.dtype) == ((3,), fad.float0)
    assert (back["b"][0].shape, back["b"][0].dtype) == ((), fad.float0)
    assert treedef != pytree.flatten(pytree.with_float0_inside({**tree, "b": (X, 2.0)}))[1]
