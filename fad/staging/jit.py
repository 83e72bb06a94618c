"""jit: capture a function once for each signature, compile it, and skip its Python afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import update_wrapper
from typing import Any
from weakref import ref

import numpy as np

from fad.core import pytree
from fad.core.aval import SCALARS, Aval
from fad.core.config import is_zero_strong
from fad.core.errors import (
    FadTypeError,
    FadValueError,
    check_callable,
    located,
    name_of,
    user_line,
)
from fad.core.graph import Graph, simplify
from fad.core.leaves import kind_of, refuse_leaf, refuse_nothing
from fad.core.literals import literal_buffer
from fad.core.program import Program, program_for
from fad.core.runs import abandon_run, begin_run, end_run
from fad.core.stream import flush, local
from fad.core.tensor import Array, Tensor, aval_of, lift
from fad.staging.call import call_graph
from fad.staging.capture import StageLevel
from fad.staging.donation import mark_donated, reusable_memory, to_give_away
from fad.staging.signature import (
    Static,
    Version,
    difference,
    places,
    quick_key,
    signature_text,
    static_key,
    static_places,
)


class Compiled:
    """One captured signature of a function."""

    __slots__ = (
        "captures",
        "compiled",
        "donated",
        "graph",
        "out_avals",
        "program",
        "single",
        "treedef",
        "used",
    )

    def __init__(
        self, graph: Graph, captures: list[Tensor], treedef: Any, donated: tuple[int, ...]
    ) -> None:
        self.captures = captures
        self.treedef = treedef
        self.donated = donated
        self.graph = simplify(graph)
        self.out_avals = self.graph.out_avals
        self.single = treedef == _LEAF
        self.used: list[int] | None = None
        self.compiled: Callable[..., list[Any]] | None = None  # kept, whatever streams release
        if donated:
            self.program = Program(self.graph, "always", reusable_memory(self.graph, donated))
        else:
            self.program, used = program_for(self.graph, "always")
            if len(used) != len(self.graph.inputs):
                self.used = used

    def run(self, buffers: list[Any]) -> Any:
        """The function's result from the buffers of its leaves."""
        if self.captures:
            buffers += [x.realize() for x in self.captures]  # type: ignore[attr-defined]
        if self.used is not None:
            buffers = [buffers[i] for i in self.used]
        if self.compiled is None:
            results = self.program(*buffers)
            self.compiled = self.program.compiled
        else:
            results = self.compiled(*buffers)
        if self.single:
            return Array(self.out_avals[0], results[0])
        arrays = [Array(aval, b) for aval, b in zip(self.out_avals, results, strict=True)]
        return pytree.unflatten(self.treedef, arrays)

    @property
    def reusable(self) -> bool:
        """Whether nothing was captured that belongs to a transform still running."""
        return all(x.__class__ is Array for x in self.captures)


_LEAF = pytree.flatten(0.0)[1]


class Jitted:
    """A function compiled on demand; made by :func:`jit`."""

    def __init__(
        self,
        f: Callable[..., Any],
        static_argnums: int | Sequence[int],
        static_argnames: str | Sequence[str],
        donate_argnums: int | Sequence[int],
    ) -> None:
        check_callable("jit", f)
        update_wrapper(self, f, updated=())  # what f has as attributes is not to hide methods
        self._f = f
        static = places("static_argnums", f, static_argnums)
        self._static_nums, self._static_names = static_places(f, static, static_argnames)
        self._donate = frozenset(places("donate_argnums", f, donate_argnums))
        if not self._donate.isdisjoint(self._static_nums):
            raise FadValueError(
                located(f"jit: an argument of {name_of(f)} cannot be static and donated")
            )
        self._plain = not (self._static_nums or self._static_names or self._donate)
        self._fast: dict[tuple[Any, ...], Compiled] = {}
        self._compiled: dict[Any, Compiled] = {}
        self._versions: list[Version] = []
        self._bound: dict[int, tuple[Any, dict[str, Any]]] = {}  # by id: instance, state

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Bind like a function, so that methods can be jitted; ``self`` is part of the program.

        What an instance has compiled is kept here and dies with it: the instance may be copied and
        pickled.
        """
        if instance is None:
            return self
        reference, state = self._bound.get(id(instance), (None, {}))
        if reference is None or reference() is not instance:
            state = self._bound_state()
            self._keep(instance, state)
        bound: Jitted = object.__new__(Jitted)
        bound.__dict__.update(state)
        bound._f = self._f.__get__(instance, owner)
        return bound

    def _bound_state(self) -> dict[str, Any]:
        """What a bound method starts with: places count from the argument after ``self``."""
        state = dict(self.__dict__)
        state.update(
            _static_nums=tuple([i - 1 for i in self._static_nums if i]),
            _donate=frozenset([i - 1 for i in self._donate if i]),
            _fast={}, _compiled={}, _versions=[], _bound={},
        )  # fmt: skip
        return state

    def _keep(self, instance: Any, state: dict[str, Any]) -> None:
        bound, key = self._bound, id(instance)
        with suppress(TypeError):  # no weak references to it: each access compiles anew
            bound[key] = (ref(instance, lambda _: bound.pop(key, None)), state)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._plain and not kwargs and not local.depth:
            key: list[Any] = [True] if is_zero_strong() else []
            buffers: list[Any] = []
            if quick_key(args, key, buffers):
                found = self._fast.get(tuple(key))
                if found is not None:
                    return found.run(buffers)
        return self._call(args, kwargs)

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        depth = local.depth
        try:
            begin_run()
            static, dynamic_args, dynamic_kwargs = self._split(args, kwargs)
            leaves, treedef = pytree.flatten((dynamic_args, dynamic_kwargs))
            avals = self._avals(leaves, (dynamic_args, dynamic_kwargs))
            key = (static, treedef, avals, is_zero_strong())
            compiled = self._compiled.get(key)
            if compiled is None:
                compiled = self._capture(static, treedef, avals, args, dynamic_args)
                if compiled.reusable:
                    self._remember(key, compiled, args, kwargs)
            concrete = compiled.reusable and all(
                not isinstance(x, Tensor) or x.__class__ is Array for x in leaves
            )
            if concrete and not depth:
                flush()
                buffers = [_buffer(x) for x in leaves]
                for i in compiled.donated:
                    buffers[i] = to_give_away(leaves[i], buffers[i], compiled.captures)
                result = compiled.run(buffers)
                mark_donated(self._name(), [leaves[i] for i in compiled.donated])
            else:
                out = call_graph(compiled.graph, [*map(_operand, leaves), *compiled.captures])
                result = pytree.unflatten(compiled.treedef, out)
            end_run()
        except BaseException:
            abandon_run(depth)
            raise
        return result

    def _split(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Any, list[Any], dict[str, Any]]:
        """The key of the static arguments, and the others (None in place of the static ones)."""
        if self._plain:
            return (), list(args), kwargs
        static: list[tuple[int | str, Static]] = []
        rest = list(args)
        for i in self._static_nums:
            if i < len(args):
                static.append((i, static_key(args[i], i, self._f)))
                rest[i] = None
        others = {}
        for name, value in kwargs.items():
            if name in self._static_names:
                static.append((name, static_key(value, name, self._f)))
            else:
                others[name] = value
        return tuple(static), rest, others

    def _avals(self, leaves: list[Any], tree: Any) -> tuple[Aval, ...]:
        avals = []
        for i, leaf in enumerate(leaves):
            try:
                avals.append(aval_of(leaf))
            except FadTypeError:
                args, kwargs = tree
                path = (pytree.paths(args) + pytree.paths(kwargs))[i]
                raise FadTypeError(
                    located(
                        f"jit: argument {path} of {self._name()} is {kind_of(leaf)}, which is no "
                        "tensor, array or number. Make it static with static_argnums or "
                        "static_argnames, or convert it."
                    )
                ) from None
        return tuple(avals)

    def _capture(
        self, static: Any, treedef: Any, avals: tuple[Aval, ...], args: Any, dynamic: list[Any]
    ) -> Compiled:
        values = {place: entry.value for place, entry in static}
        with StageLevel(self._f) as level:
            inputs = [level.tensor(aval) for aval in avals]
            call_args, call_kwargs = pytree.unflatten(treedef, inputs)
            call_args = [values.get(i, x) for i, x in enumerate(call_args)]
            call_kwargs.update({k: v for k, v in values.items() if isinstance(k, str)})
            out = self._f(*call_args, **call_kwargs)
            if out is None:
                refuse_nothing("jit", self._f, out)
            out = pytree.with_float0_inside(out)
            leaves, out_tree = pytree.flatten(out)
            outputs = [level.lookup(self._result(x, out, i)) for i, x in enumerate(leaves)]
        graph = level.graph([x.variable for x in inputs], outputs)
        return Compiled(graph, level.captures, out_tree, self._donated(dynamic))

    def _result(self, x: Any, out: Any, i: int) -> Any:
        if isinstance(x, Tensor) or type(x) in SCALARS:
            return x
        try:
            return lift(x)
        except FadTypeError:
            refuse_leaf("jit", self._f, out, i)

    def _donated(self, args: list[Any]) -> tuple[int, ...]:
        """Leaf positions of the donated arguments."""
        donated: list[int] = []
        position = 0
        for i, arg in enumerate(args):
            count = len(pytree.flatten(arg)[0])
            if i in self._donate:
                donated.extend(range(position, position + count))
            position += count
        return tuple(donated)

    def _remember(self, key: Any, compiled: Compiled, args: Any, kwargs: Any) -> None:
        reason = difference(list(self._compiled), key)
        self._compiled[key] = compiled
        graph = compiled.graph
        self._versions.append(
            Version(
                signature_text(key), user_line(), reason, len(graph.inputs), len(graph.equations)
            )
        )
        if self._plain and not kwargs:
            quick: list[Any] = [True] if is_zero_strong() else []
            if quick_key(args, quick, []) and all(map(_is_native, pytree.flatten(args)[0])):
                self._fast[tuple(quick)] = compiled

    def _name(self) -> str:
        return name_of(self._f)

    def explain(self) -> str:
        """What has been compiled, for which arguments, when first, and why it was not reused.

        >>> import fad
        >>> import numpy as np
        >>> f = fad.jit(lambda x: x * 2)
        >>> _ = f(np.ones(3)), f(np.ones(4))
        >>> print(f.explain().splitlines()[0])
        jit(<lambda>): 2 versions
        """
        count = len(self._versions)
        lines = [f"jit({self._name()}): {count} version{'s' * (count != 1)}"]
        for i, v in enumerate(self._versions):
            lines.append(
                f"  {i}: ({v.signature}) {v.simplified} operations, first met at {v.where}"
            )
            lines.append(f"     because {v.reason}")
        return "\n".join(lines)

    def graph(self, *args: Any, **kwargs: Any) -> Graph:
        """The graph that is compiled for these arguments."""
        static, dynamic_args, dynamic_kwargs = self._split(args, kwargs)
        leaves, treedef = pytree.flatten((dynamic_args, dynamic_kwargs))
        avals = self._avals(leaves, (dynamic_args, dynamic_kwargs))
        found = self._compiled.get((static, treedef, avals, is_zero_strong()))
        return (found or self._capture(static, treedef, avals, args, dynamic_args)).graph


def jit(
    f: Callable[..., Any] | None = None,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
    donate_argnums: int | Sequence[int] = (),
) -> Any:
    """Compile a function whole, once for each structure, shape and dtype of its arguments.

    The function's Python runs only when a new signature is met; new values, Python scalars
    included, never recompile. Works under every transform and contains every transform.

    Args:
        f: function of pytrees of tensors, arrays and numbers. Without it, a decorator is returned.
        static_argnums, static_argnames: arguments that are part of the program: hashable, or small
            arrays (hashed by content). A new value compiles anew.
        donate_argnums: arguments whose memory the results may take over; they must not be used
        again.

    Raises:
        ConcretizationError: the function asks for a value (``if x > 0``, ``float(x)``).

    >>> import fad
    >>> import numpy as np
    >>> f = fad.jit(lambda x: np.sum(np.sin(x) ** 2))
    >>> fad.jit(fad.grad(f))(np.zeros(2))
    fad.Tensor([0., 0.])
    """
    if f is None:
        return lambda function: Jitted(function, static_argnums, static_argnames, donate_argnums)
    return Jitted(f, static_argnums, static_argnames, donate_argnums)


def _is_native(x: Any) -> bool:
    return not isinstance(x, np.ndarray) or x.dtype.isnative


def _buffer(x: Any) -> Any:
    if x.__class__ is Array:
        return x.realize()
    return literal_buffer(x) if type(x) in SCALARS else lift(x).realize()  # type: ignore[attr-defined]


def _operand(x: Any) -> Any:
    return x if isinstance(x, Tensor) or type(x) in SCALARS else lift(x)
