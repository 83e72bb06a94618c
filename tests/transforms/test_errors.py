"""Errors as an interface: one row for each mistake, with its type, its text and its place.

Every message says what went wrong, where (the user's own line) and what to write instead.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from functools import partial
from types import CodeType
from typing import Any, NamedTuple

import numpy as np
import pytest

import fad
from fad.core.errors import ConcretizationError, EscapedTensorError

A = np.array([1.0, 2.0, 3.0])
B = np.ones(2)


def lines(code: CodeType) -> Iterator[int]:
    """All lines of a function and of those defined in it."""
    yield from (line for _, _, line in code.co_lines() if line)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from lines(constant)


def lines_of(call: Any) -> set[int]:
    """The user's lines of a call: those of the function, and of functions it is given."""
    if isinstance(call, partial):
        return lines_of(call.func).union(*[lines_of(f) for f in call.args if callable(f)])
    return set(lines(call.__code__))


def check(builtin: type[Exception], call: Any, *texts: str) -> str:
    """The error is fad's own and the built-in one, has these texts and the line of the mistake."""
    with pytest.raises(builtin) as caught:
        call()
    assert isinstance(caught.value, fad.FadError)
    message = str(caught.value)
    for text in texts:
        assert text in message, f"{text!r} is not in: {message}"
    place = re.search(r"\n  at (.*):(\d+)$", message)
    assert place is not None, f"no place in: {message}"
    assert (place[1], int(place[2]) in lines_of(call)) == (__file__, True), message
    assert len(message) < 900
    assert fad.core.stream.local.depth == 0
    return message


class Mistake(NamedTuple):
    """The built-in exception, the call and what the message contains."""

    builtin: type[Exception]
    call: Callable[[], Any]
    texts: tuple[str, ...]


def mistakes(builtin: type[Exception], **rows: Any) -> list[Any]:
    """Rows of a table: ``name=(call, text, text, ...)``."""
    return [pytest.param(Mistake(builtin, row[0], row[1:]), id=name) for name, row in rows.items()]


def table(*tables: list[Any]) -> Any:
    """Run a test once for each row."""
    return pytest.mark.parametrize("row", [row for rows in tables for row in rows])


def test_the_place_is_said_once():
    message = check(TypeError, lambda: fad.jit(lambda v, n: v.reshape(n))(A, 3), "static_argnums")
    assert message.count("\n  at ") == 1


def test_a_keyword_argument_is_unmapped_by_passing_it_positionally():
    def scaled(v, k):
        return v * k

    check(ValueError, lambda: fad.vmap(scaled)(A, k=2.0), "['k']", "Pass it positionally")
    mapped = fad.vmap(scaled, in_axes=(0, None))(A, 2.0)
    np.testing.assert_array_equal(mapped, 2.0 * A)


# ------------------------------------------------------------------------------------- functions

CALLS: dict[str, Callable[[Any], Any]] = {
    "grad": lambda f: fad.grad(f)(1.0),
    "value_and_grad": lambda f: fad.value_and_grad(f)(1.0),
    "jacobian": lambda f: fad.jacobian(f)(1.0),
    "jacfwd": lambda f: fad.jacfwd(f)(1.0),
    "jacrev": lambda f: fad.jacrev(f)(1.0),
    "value_and_jacobian": lambda f: fad.value_and_jacobian(f)(1.0),
    "hessian": lambda f: fad.hessian(f)(1.0),
    "value_grad_and_hessian": lambda f: fad.value_grad_and_hessian(f)(1.0),
    "vmap": lambda f: fad.vmap(f)(A),
    "jit": lambda f: fad.jit(f)(1.0),
    "make_graph": lambda f: fad.make_graph(f)(1.0),
    "reverse.trace": lambda f: fad.reverse.trace(f)(1.0),
    "vjp": lambda f: fad.vjp(f, 1.0),
    "jvp": lambda f: fad.jvp(f, (1.0,), (1.0,)),
    "linearize": lambda f: fad.linearize(f, 1.0),
    "linear_transpose": lambda f: fad.linear_transpose(f, 1.0),
    "hvp": lambda f: fad.hvp(f, (1.0,), (1.0,)),
    "vhp": lambda f: fad.vhp(f, (1.0,), (1.0,)),
    "gnvp": lambda f: fad.gnvp(f, (1.0,), (1.0,)),
    "eval_shape": lambda f: fad.eval_shape(f, 1.0),
}
TAKING_AUX = (
    "grad value_and_grad jacobian jacfwd jacrev value_and_jacobian hessian value_grad_and_hessian "
    "vjp jvp linearize".split()
)
SCALAR_ONLY = ["grad", "value_and_grad", "hvp", "vhp"]


def forgets(x: Any) -> None:
    """A function without a return statement."""
    x * 2.0


def writes(x: Any) -> Any:
    """A function that returns text beside numbers."""
    return {"number": x, "text": ["done"]}


@pytest.mark.parametrize("transform", CALLS)
def test_a_function_is_expected(transform: str) -> None:
    takes_f_alone = list(CALLS).index(transform) < list(CALLS).index("vjp")
    instead = f"not fad.{transform}(f(x))" if takes_f_alone else f"fad.{transform}(f, "
    check(
        TypeError,
        partial(CALLS[transform], 1.0),
        f"{transform} takes a function, got float",
        instead,
    )


@pytest.mark.parametrize("transform", CALLS)
def test_a_function_that_forgets_to_return(transform: str) -> None:
    name = transform.removeprefix("reverse.")
    check(
        TypeError, partial(CALLS[transform], forgets),
        f"{name}: forgets returned None", "Does it miss a return statement?",
    )  # fmt: skip


@pytest.mark.parametrize("transform", CALLS)
def test_a_function_that_returns_text(transform: str) -> None:
    texts = ["writes returned a str at ['text'][0]", "not a tensor or number"]
    if transform in TAKING_AUX:
        texts.append("has_aux=True")
    check(TypeError, partial(CALLS[transform], writes), *texts)


@pytest.mark.parametrize("transform", SCALAR_ONLY)
def test_a_scalar_is_expected(transform: str) -> None:
    vector = partial(CALLS[transform], lambda x: x * B)
    texts = [transform, "Gradient only defined for scalar-output functions", "(2,)"]
    check(TypeError, vector, *texts, ".sum()", "fad.jacobian", "fad.vjp")
    check(TypeError, partial(CALLS[transform], lambda x: [x, x]), "returned a list", "has_aux=True")
    check(TypeError, partial(CALLS[transform], lambda x: {"a": x}), "returned a dict", "jacobian")


def with_aux(transform: str, f: Any) -> Any:
    """The call of a transform with has_aux=True."""
    library = {
        "vjp": lambda: fad.vjp(f, 1.0, has_aux=True),
        "jvp": lambda: fad.jvp(f, (1.0,), (1.0,), has_aux=True),
        "linearize": lambda: fad.linearize(f, 1.0, has_aux=True),
    }
    return library.get(transform, lambda: getattr(fad, transform)(f, has_aux=True)(1.0))


@pytest.mark.parametrize("transform", TAKING_AUX)
def test_has_aux_needs_a_pair(transform: str) -> None:
    texts = [f"{transform} with has_aux=True", "pair (result, aux)", "drop has_aux=True"]
    check(TypeError, with_aux(transform, lambda x: x * 2.0), *texts, "returned a tensor f64")
    check(TypeError, with_aux(transform, lambda x: (x, x, x)), *texts, "returned a tuple of 3")
    check(TypeError, with_aux(transform, lambda x: [x, x]), *texts, "returned a list")


# -------------------------------------------------------------------------------------- argnums


def product(x: Any, y: Any) -> Any:
    """A function of two arguments."""
    return x * y


OUT_OF_RANGE = mistakes(
    ValueError,
    too_large=(
        lambda: fad.grad(product, 2)(1.0, 2.0),
        "grad: argnums=2 is out of range", "product was called with 2 positional arguments",
        "an int from -2 to 1", "(x, y)",
    ),
    too_small=(lambda: fad.jacobian(product, -3)(1.0, 2.0), "jacobian: argnums=-3 is out of range"),
    no_arguments=(lambda: fad.grad(lambda: 1.0)(), "<lambda> takes no arguments", "Make"),
    unknown_name=(lambda: fad.grad(product, "z")(1.0, 2.0), "'z' is unknown", "takes (x, y)"),
    name_not_passed=(
        lambda: fad.hessian(lambda x, y=1.0: x * y, "y")(1.0), "hessian: ", "'y' was not passed",
    ),
    twice=(lambda: fad.grad(product, (0, 0))(1.0, 2.0), "argument 0 ('x') twice", "once"),
    twice_by_name=(lambda: fad.grad(product, (1, "y"))(1.0, 2.0), "argument 1 ('y') twice"),
    twice_negative=(lambda: fad.jacobian(product, (0, -2))(1.0, 2.0), "argument 0 ('x') twice"),
)  # fmt: skip

ARGNUMS_OF_WRONG_TYPE = mistakes(
    TypeError,
    floating=(lambda: fad.grad(product, 1.0), "argnums must be an int", "1.0"),
    boolean=(lambda: fad.grad(product, True), "argnums must be an int", "True"),
    nested=(lambda: fad.jacobian(product, ((0, 1),)), "jacobian: argnums must be an int"),
    nothing=(lambda: fad.hessian(product, None), "hessian: argnums must be", "None"),
)


@table(OUT_OF_RANGE, ARGNUMS_OF_WRONG_TYPE)
def test_argnums(row: Mistake) -> None:
    check(row.builtin, row.call, *row.texts)


# --------------------------------------------------------------------- integers and complex numbers

POINT, DIRECTION = ({"w": 2.0, "n": 3},), ({"w": 1.0, "n": None},)
INTEGERS: dict[str, Callable[[Any, bool], Any]] = {
    "grad": lambda f, ok: fad.grad(f, allow_int=ok)({"w": 2.0, "n": 3}),
    "value_and_grad": lambda f, ok: fad.value_and_grad(f, allow_int=ok)({"w": 2.0, "n": 3})[1],
    "jacobian": lambda f, ok: fad.jacobian(f, allow_int=ok)({"w": 2.0, "n": 3}),
    "jacfwd": lambda f, ok: fad.jacfwd(f, allow_int=ok)({"w": 2.0, "n": 3}),
    "jacrev": lambda f, ok: fad.jacrev(f, allow_int=ok)({"w": 2.0, "n": 3}),
    "hessian": lambda f, ok: fad.hessian(f, allow_int=ok)({"w": 2.0, "n": 3})["w"],
    "vjp": lambda f, ok: fad.vjp(f, {"w": 2.0, "n": 3}, allow_int=ok)[1](1.0)[0],
    "linearize": lambda f, ok: fad.linearize(f, {"w": 2.0, "n": 3}, allow_int=ok)[1].T(1.0),
    "hvp": lambda f, ok: fad.hvp(f, POINT, DIRECTION, allow_int=ok)[0],
    "vhp": lambda f, ok: fad.vhp(f, POINT, DIRECTION, allow_int=ok)[0],
}


@pytest.mark.parametrize("transform", INTEGERS)
def test_integers_are_refused_alike_and_allowed_alike(transform: str) -> None:
    def f(p: Any) -> Any:
        return p["w"] ** 2 * p["n"]

    check(
        TypeError, partial(INTEGERS[transform], f, False),
        f"{transform} requires real- or complex-valued inputs", "sub-dtype of np.inexact",
        "['n'] is i64", "1.0 instead of 1", "allow_int=True",
    )  # fmt: skip
    result = INTEGERS[transform](f, True)
    assert result["n"].dtype == fad.float0
    assert result["n"].shape == ()
    assert float(result["w"]) == (6.0 if transform in ("hessian", "hvp", "vhp") else 12.0)


def test_integers_in_jvp() -> None:
    def f(x: Any, n: Any) -> Any:
        return x * n

    for tangent in (1, 1.0, np.ones((), int)):
        check(
            TypeError, lambda t=tangent: fad.jvp(f, (2.0, 3), (1.0, t)),
            "jvp", "[1]", "the primal there is i64", "real- or complex-valued inputs",
            "allow_int=True", "float0",
        )  # fmt: skip
        assert float(fad.jvp(f, (2.0, 3), (1.0, tangent), allow_int=True)[1]) == 3.0
    for zero in (None, np.zeros((), fad.float0)):
        assert float(fad.jvp(f, (2.0, 3), (1.0, zero))[1]) == 3.0
    assert fad.jvp(lambda x: (x, x > 0), (2.0,), (1.0,))[1][1].dtype == fad.float0


def test_integers_in_the_blocks_of_jacobians_and_hessians() -> None:
    jacobian = fad.jacobian(lambda p: np.stack([p["w"] * p["n"][0], p["w"]]), allow_int=True)
    blocks = jacobian({"w": 2.0, "n": np.arange(3)})
    assert (blocks["n"].shape, blocks["n"].dtype) == ((2, 3), fad.float0)
    blocks = fad.hessian(lambda n, x: x @ x * n[1], (0, 1), allow_int=True)(np.arange(3), B)
    assert [[b.shape for b in line] for line in blocks] == [[(3, 3), (3, 2)], [(2, 3), (2, 2)]]
    assert [[b.dtype == fad.float0 for b in line] for line in blocks] == [
        [True, True],
        [True, False],
    ]
    np.testing.assert_array_equal(blocks[1][1], 2 * np.eye(2))


COMPLEX = mistakes(
    TypeError,
    grad_output=(
        lambda: fad.grad(lambda z: z * z)(1.0 + 1j),
        "grad requires real-valued outputs", "c128", "holomorphic=True", "real part", "fad.vjp",
    ),
    jacobian_output=(
        lambda: fad.jacrev(lambda x: {"z": x * 1j})(A), "jacrev requires real-valued outputs",
        "['z']", "c128[3]", "Of real inputs use fad.jacfwd", "holomorphic=True",
    ),
    jacobian_of_neither=(
        lambda: fad.jacobian(lambda z: z * z)(A * 1j), "jacobian requires real-valued outputs",
        "c128[3]", "holomorphic=True", "fad.vjp",
    ),
    jacfwd_input=(
        lambda: fad.jacfwd(lambda p: abs(p["z"]))({"z": A * 1j}), "jacfwd requires real-valued",
        "argument 0 ('p')['z'] is c128[3]", "holomorphic=True", "fad.jacrev", "fad.jvp",
    ),
    forward_input=(
        lambda: fad.value_and_jacobian(abs, mode="forward")(A * 1j),
        "value_and_jacobian requires real-valued inputs", "fad.jacrev",
    ),
    hessian_output=(lambda: fad.hessian(lambda x: x * 1j)(1.0), "hessian requires real-valued"),
    hessian_input=(
        lambda: fad.hessian(lambda z: abs(z) ** 2 * z.real)(1 + 2j),
        "hessian requires real-valued inputs", "argument 0 ('z') is c128", "holomorphic=True",
        "fad.hvp", "function of real and imaginary parts",
    ),
    value_grad_and_hessian_input=(
        lambda: fad.value_grad_and_hessian(lambda p: abs(p["z"]))({"z": 1 + 2j}),
        "value_grad_and_hessian requires real-valued inputs", "('p')['z'] is c128", "fad.hvp",
    ),
    real_input=(
        lambda: fad.grad(lambda z: z * z, holomorphic=True)(1.0),
        "grad with holomorphic=True requires inputs with complex dtype", "argument 0 ('z') is f64",
        "x + 0j",
    ),
    real_input_of_jacobian=(
        lambda: fad.jacobian(lambda z: z["a"], holomorphic=True)({"a": A}), "('z')['a'] is f64[3]",
    ),
    real_input_of_hessian=(lambda: fad.hessian(lambda z: z, holomorphic=True)(1.0), "x + 0j"),
    real_output=(
        lambda: fad.grad(lambda z: z.real, holomorphic=True)(1j),
        "holomorphic=True requires complex-valued outputs", "f64", "Drop holomorphic=True",
    ),
    real_output_of_jacobian=(
        lambda: fad.jacrev(lambda z: z.real, holomorphic=True)(1j), "jacrev with", "Drop",
    ),
    grad_of_integer=(
        lambda: fad.grad(lambda x: x.astype(int))(1.0), "i64", "has no derivative", "has_aux=True",
    ),
    jacobian_of_integer=(
        lambda: fad.jacobian(lambda x: {"n": x.astype(int)})(A), "['n']", "i64[3]", "has_aux=True",
    ),
)  # fmt: skip


@table(COMPLEX)
def test_complex_and_integer_results(row: Mistake) -> None:
    check(row.builtin, row.call, *row.texts)


# ------------------------------------------------------------------------ tangents and cotangents


def tree(x: Any) -> Any:
    """A tree of results."""
    return {"a": x, "b": [x, 2.0 * x]}


def total(p: Any) -> Any:
    """A scalar of a tree."""
    return (p["a"] ** 2).sum()


F32 = A.astype(np.float32)
PULL = fad.vjp(tree, A)[1]
SQUARE = fad.linearize(lambda p: p["a"] ** 2, {"a": A})[1]

COTANGENTS = mistakes(
    TypeError,
    shape=(
        lambda: PULL({"a": A, "b": [A, B]}), "vjp: the cotangent at ['b'][1] has shape (2,)",
        "the output there is f64[3]", "shape (3,) and dtype float64",
    ),
    dtype=(lambda: PULL({"a": F32, "b": [A, A]}), "['a'] has dtype float32", "astype"),
    integer=(lambda: PULL({"a": np.arange(3), "b": [A, A]}), "['a'] has dtype int64", "astype"),
    complex=(lambda: PULL({"a": 1j * A, "b": [A, A]}), "['a'] has dtype complex128"),
    text=(lambda: PULL({"a": "x", "b": [A, A]}), "['a'] is a str"),
    missing=(lambda: PULL({"a": A}), "tree of the cotangent", "nothing at ['b'][0]", "expected"),
    excess=(lambda: PULL({"a": A, "b": [A, A], "c": A}), "has ['c'] in excess"),
    other_container=(lambda: PULL({"a": A, "b": (A, A)}), "[*, *]", "(*, *)"),
    none_elsewhere=(lambda: PULL({"a": A, "c": None}), "nothing at ['b'][0]"),
    array_for_subtree=(lambda: PULL({"a": A, "b": A}), "nothing at ['b'][0]"),
    of_integer_result=(
        lambda: fad.vjp(lambda x: (x, x > 0), A)[1]((A, A)), "[1]", "bool[3]", "float0",
    ),
    vhp=(lambda: fad.vhp(total, ({"a": A},), ({"a": B},)), "vhp: the cotangent at [0]['a']"),
    vhp_alone=(lambda: fad.vhp(lambda x: x @ x, (A,), A), "vhp: cotangents must be", "(v,)"),
    linear_map=(lambda: SQUARE.T(B), "linear map: the cotangent at [0] has shape (2,)"),
)  # fmt: skip

TANGENTS = mistakes(
    TypeError,
    shape=(
        lambda: fad.jvp(total, ({"a": A},), ({"a": B},)),
        "jvp: the tangent at [0]['a'] has shape (2,)", "the primal there is f64[3]", "shape (3,)",
    ),
    dtype=(lambda: fad.jvp(total, ({"a": A},), ({"a": F32},)), "dtype float32", "float64"),
    complex=(lambda: fad.jvp(total, ({"a": A},), ({"a": A * 1j},)), "dtype complex128"),
    missing=(lambda: fad.jvp(total, ({"a": A},), ({"b": A},)), "nothing at [0]['a']"),
    count=(lambda: fad.jvp(product, (A, A), (A,)), "a tuple or list of 2", "got tuple of 1"),
    alone=(lambda: fad.jvp(np.sin, (A,), A), "tangents must be a tuple", "ndarray", "(v,)"),
    primals_alone=(lambda: fad.jvp(np.sin, A, A), "primals must be a tuple", "(x,)"),
    hvp=(lambda: fad.hvp(total, ({"a": A},), ({"a": B},)), "hvp: the tangent at [0]['a']"),
    hvp_dtype=(lambda: fad.hvp(total, ({"a": A},), ({"a": F32},)), "hvp: ", "float32", "astype"),
    hvp_alone=(lambda: fad.hvp(lambda x: x @ x, (A,), A), "hvp: tangents must be", "(v,)"),
    hvp_primals_alone=(lambda: fad.hvp(lambda x: x @ x, A, A), "hvp: primals must be", "(x,)"),
    gnvp=(lambda: fad.gnvp(np.sin, (A,), (B,)), "gnvp: the tangent at [0] has shape (2,)"),
    gnvp_loss=(
        lambda: fad.gnvp(np.sin, (A,), (A,), loss=np.cos), "the loss of gnvp: Gradient only",
        "scalar-output", "(3,)",
    ),
    gnvp_loss_called=(
        lambda: fad.gnvp(np.sin, (A,), (A,), loss=1.0), "gnvp takes a function, got float",
        "fad.gnvp(f, primals, tangents, loss)",
    ),
    linear_map=(lambda: SQUARE({"a": B}), "linear map: the tangent at [0]['a'] has shape (2,)"),
    linear_map_dtype=(lambda: SQUARE({"a": 1j * A}), "[0]['a'] has dtype complex128"),
    linear_map_tree=(lambda: SQUARE(A), "tree of the tangent", "nothing at [0]['a']"),
    linear_map_count=(lambda: SQUARE({"a": A}, A), "takes 1 argument", "got 2"),
    not_linear=(lambda: fad.linear_transpose(lambda x: x * x, 1.0), "is not linear", "fad.vjp"),
    no_shape=(lambda: fad.linear_transpose(lambda x: x, "text"), "primal 0 is a str", "avals"),
    text_primal=(lambda: fad.vjp(total, {"a": "x"}), "primal 0['a'] is a str", "close over"),
    text_argument=(
        lambda: fad.grad(total)({"a": A, "name": "x"}), "argument 0 ('p')['name'] is a str",
        "cannot be differentiated", "close over",
    ),
)  # fmt: skip


@table(COTANGENTS, TANGENTS)
def test_tangents_and_cotangents(row: Mistake) -> None:
    check(row.builtin, row.call, *row.texts)


def test_none_is_the_zero_of_any_subtree() -> None:
    for cotangent in ({"a": A, "b": None}, {"a": A, "b": [None, None]}):
        np.testing.assert_array_equal(PULL(cotangent)[0], A)
    np.testing.assert_array_equal(PULL(None)[0], np.zeros(3))
    assert float(fad.jvp(lambda p, y: p["a"] * y, ({"a": 2.0}, 3.0), (None, 1.0))[1]) == 2.0


# ------------------------------------------------------------------------------ shapes and indices

SHAPES = mistakes(
    ValueError,
    broadcast=(
        lambda: fad.grad(lambda x: (x + B).sum())(A),
        "add: operands could not be broadcast together with shapes (3,) and (2,)", "x[:, None]",
    ),
    broadcast_by_numpy=(lambda: fad.grad(lambda x: np.multiply(x, B).sum())(A), "(3,) and (2,)"),
    where=(lambda: fad.numpy.where(fad.asarray(A) > 0.0, B, 1.0), "(3,)", "(2,)"),
    matmul=(
        lambda: fad.grad(lambda x: (x @ np.ones((2, 4))).sum())(A),
        "matmul", "(3,) and (2, 4)", "has length 3", "mT",
    ),
    matmul_of_scalar=(lambda: fad.asarray(1.0) @ A, "at least one axis", "*"),
    matmul_in_vmap=(lambda: fad.vmap(lambda x: x @ np.ones((2, 2)))(np.ones((4, 3))), "(3,)"),
    in_jit=(lambda: fad.jit(lambda x: x + B)(A), "(3,) and (2,)"),
    truth_value=(lambda: bool(fad.asarray(A)), "ambiguous", "x.any()"),
)  # fmt: skip

INDICES = mistakes(
    IndexError,
    integer=(lambda: fad.grad(lambda x: x[7])(A), "index 7 is out of bounds for axis 0", "size 3"),
    negative=(lambda: fad.asarray(A)[-4], "index -4 is out of bounds for axis 0 with size 3"),
    array=(lambda: fad.asarray(A)[np.array([0, 9])], "index 9 is out of bounds"),
    in_jit=(lambda: fad.jit(lambda x: x[3])(A), "index 3 is out of bounds"),
    in_vmap=(lambda: fad.vmap(lambda x: x[2])(np.ones((4, 2))), "index 2 is out of", "size 2"),
    update=(lambda: fad.asarray(A).at[5].set(1.0), "index 5 is out of bounds"),
    too_many=(lambda: fad.asarray(A)[0, 0], "too many indices", "1-dimensional"),
    text=(lambda: fad.asarray(A)["a"], "only integers", "got str"),
    floating=(lambda: fad.asarray(A)[1.5], "only integers", "got float"),
)


@table(SHAPES, INDICES)
def test_shapes_and_indices(row: Mistake) -> None:
    check(row.builtin, row.call, *row.texts)


# --------------------------------------------------------------------------------- escaped tensors

LEAKED: list[Any] = []


def leaky(x: Any) -> Any:
    """Stores what it computed."""
    LEAKED.append(x * 2.0)
    return (LEAKED[-1] ** 2).sum()


LEAKS: dict[str, tuple[Callable[[], Any], str]] = {
    "grad": (lambda: fad.grad(leaky)(A), "mul"),
    "vjp": (lambda: fad.vjp(leaky, A), "mul"),
    "jacobian": (lambda: fad.jacobian(leaky)(A), "mul"),
    "hessian": (lambda: fad.hessian(leaky)(A), "mul"),
    "hvp": (lambda: fad.hvp(leaky, (A,), (A,)), "mul"),
    "trace": (lambda: fad.reverse.trace(leaky)(A), "mul"),
    "jvp": (lambda: fad.jvp(leaky, (A,), (A,)), ""),
    "linearize": (lambda: fad.linearize(leaky, A), ""),
    "vmap": (lambda: fad.vmap(leaky)(A), ""),
    "jit": (lambda: fad.jit(leaky)(A), "mul"),
    "make_graph": (lambda: fad.make_graph(leaky)(A), "mul"),
    "eval_shape": (lambda: fad.eval_shape(leaky, A), "mul"),
    "linear_transpose": (lambda: fad.linear_transpose(lambda x: (leaky(x), x)[1], A), "mul"),
}
USES: dict[str, Callable[[Any], Any]] = {
    "operation": lambda x: x + 1.0,
    "function": lambda x: np.sin(x),
    "array": lambda x: np.asarray(x),
    "other_transform": lambda x: fad.grad(lambda y: (x * y).sum())(1.0),
    "captured": lambda x: fad.jit(lambda y: x * y)(1.0),
}


@pytest.mark.parametrize("transform", LEAKS)
def test_escaped_tensors(transform: str) -> None:
    call, operation = LEAKS[transform]
    LEAKED.clear()
    try:
        call()
    except TypeError:
        assert transform == "linear_transpose"
    name = "<lambda>" if transform == "linear_transpose" else "leaky"
    line = call.__code__.co_firstlineno
    for use in USES.values():
        message = check(
            RuntimeError, partial(use, LEAKED[0]),
            "escaped from", f"{transform}({name}) called at {__file__}:{line}",
            "after that transform had returned", "Return it from the function",
        )  # fmt: skip
        assert ("made by `" + operation + "`" in message) == bool(operation)
    with pytest.raises(EscapedTensorError):
        LEAKED[0].sum()
    assert repr(LEAKED[0]).endswith(f"escaped from {transform}({name}))")


def test_escaped_duals_of_an_explicit_level() -> None:
    with fad.forward.dual_level() as level:
        x = fad.forward.make_dual(level, 2.0, 1.0)
    check(RuntimeError, lambda: x * x, "escaped from dual_level called at", __file__)


def test_an_argument_that_escaped() -> None:
    LEAKED.clear()
    fad.vmap(leaky)(A)
    check(RuntimeError, partial(lambda f: fad.grad(f)(LEAKED[0]), leaky), "vmap(leaky)")
    check(RuntimeError, lambda: fad.jit(lambda x: x)(LEAKED[0]), "vmap(leaky)")


# ------------------------------------------------------------------------------- values of tensors

CONCRETE = mistakes(
    TypeError,
    float_in_jit=(
        lambda: fad.jit(lambda x: float(x))(1.0),
        "float() needs a concrete value", "jit(<lambda>) called at", "static_argnums", "f64",
    ),
    bool_in_jit=(lambda: fad.jit(lambda x: x if x > 0 else -x)(1.0), "if, while", "where"),
    int_in_jit=(lambda: fad.jit(lambda x: int(x))(1.0), "int() needs a concrete value"),
    item_in_jit=(lambda: fad.jit(lambda x: x.item())(1.0), "item() needs a concrete value"),
    range_in_jit=(lambda: fad.jit(lambda n: [*range(n)])(3), "range()", "static_argnums"),
    float_in_vmap=(
        lambda: fad.vmap(lambda x: float(x))(A),
        "float() needs one concrete value", "vmap(<lambda>) called at", "3 examples", "where",
    ),
    bool_in_vmap=(lambda: fad.vmap(lambda x: x if x > 0 else -x)(A), "if, while", "3 examples"),
    int_in_vmap=(lambda: fad.vmap(lambda x: int(x))(A), "int() needs one", "outside vmap"),
    float_in_grad_in_jit=(lambda: fad.jit(fad.grad(lambda x: x * float(x)))(1.0), "float()"),
    float_in_make_graph=(lambda: fad.make_graph(lambda x: float(x))(1.0), "make_graph(<lambda>)"),
)  # fmt: skip


@table(CONCRETE)
def test_values_that_are_not_there(row: Mistake) -> None:
    check(row.builtin, row.call, *row.texts)
    with pytest.raises(ConcretizationError):
        row.call()


def assigns(x: Any) -> Any:
    """Writes into its argument."""
    x[0] = 1.0
    return x.sum()


LOST = mistakes(
    TypeError,
    item_assignment=(
        partial(lambda f: fad.grad(f)(A), assigns), "tensors are immutable", "x.at[i].set(v)",
    ),
    out=(
        lambda: fad.grad(lambda x: np.sin(x, out=np.zeros(3)).sum())(A),
        "numpy.sin cannot write through out=", "result = numpy.sin(...)",
    ),
    out_of_function=(
        lambda: fad.grad(lambda x: np.sum(x, out=np.zeros(())))(A), "numpy.sum", "out=",
    ),
    math=(
        lambda: fad.grad(lambda x: math.sin(x))(1.0),
        "math.sin works on Python floats", "grad(<lambda>) called at", "fad.numpy.sin",
    ),
    math_in_jvp=(lambda: fad.jvp(lambda x: math.exp(x), (1.0,), (1.0,)), "fad.numpy.exp"),
    math_in_jit=(lambda: fad.jit(lambda x: math.sin(x))(1.0), "math.sin", "fad.numpy.sin"),
    math_in_vmap=(lambda: fad.vmap(lambda x: math.atan(x))(A), "math.atan", "fad.numpy.arctan"),
    asarray=(
        lambda: fad.grad(lambda x: np.asarray(x).sum())(A),
        "np.asarray(...) would convert a tensor f64[3] of grad(<lambda>) called at",
        "fad.asarray", "fad.stop_gradient(x)",
    ),
    array_in_jit=(lambda: fad.jit(lambda x: np.array([x, x]))(1.0), "np.array(...)", "stack"),
    array_in_vmap=(lambda: fad.vmap(lambda x: np.asarray(x))(A), "vmap(<lambda>)"),
    device_put=(lambda: fad.grad(lambda x: fad.device_put(x))(1.0), "concrete", "before"),
)  # fmt: skip


@table(LOST)
def test_what_would_lose_the_derivative(row: Mistake) -> None:
    check(row.builtin, row.call, *row.texts)


# -------------------------------------------------------------------------------------------- vmap


def plus(a: Any, b: Any) -> Any:
    """A function of two arguments."""
    return a + b


AXES = mistakes(
    ValueError,
    sizes=(
        lambda: fad.vmap(plus)(A, B), "inconsistent sizes",
        "argument 0 has axis 0 of size 3; argument 1 has axis 0 of size 2", "in_axes",
    ),
    sizes_in_a_tree=(
        lambda: fad.vmap(lambda p: p["x"])({"x": A, "y": B}),
        "argument 0['x'] has axis 0 of size 3; argument 0['y'] has axis 0 of size 2",
    ),
    sizes_of_keywords=(lambda: fad.vmap(plus)(A, b=B), "argument ['b'] has axis 0 of size 2"),
    length=(lambda: fad.vmap(plus, in_axes=(0,))(A, A), "1 entry for 2 positional arguments"),
    prefix=(
        lambda: fad.vmap(lambda p: p["x"], in_axes=({"y": 0},))({"x": A}),
        "in_axes ({'y': 0},) is no prefix of the tree", "{'x': *}", "an int or None for each leaf",
    ),
    no_such_axis=(lambda: fad.vmap(plus, (0, 1))(A, A), "axis 1 of argument 1", "shape (3,)"),
    scalar=(lambda: fad.vmap(plus)(A, 1.0), "axis 0 of argument 1", "shape ()", "in_axes=None"),
    nothing_mapped=(lambda: fad.vmap(plus, (None, None))(A, A), "at least one argument"),
    no_arguments=(lambda: fad.vmap(lambda: 1.0)(), "at least one argument", "function itself"),
    out_axis=(lambda: fad.vmap(np.sin, out_axes=1)(A), "out_axes=1 is out of range", "-1 to 0"),
    out_prefix=(lambda: fad.vmap(np.sin, out_axes=(0, 0))(A), "out_axes (0, 0) is no prefix"),
    out_none=(
        lambda: fad.vmap(lambda x: {"y": x}, out_axes=None)(A), "the result at ['y']", "differs",
    ),
    no_chunk=(lambda: fad.vmap(np.sin, chunk_size=0), "chunk_size must be a positive int", "0"),
    negative_chunk=(lambda: fad.vmap(np.sin, chunk_size=-2), "vmap: chunk_size", "-2"),
    jacobian_chunk=(lambda: fad.jacobian(np.sin, chunk_size=0), "jacobian: chunk_size", "'auto'"),
    hessian_chunk=(lambda: fad.hessian(np.sin, chunk_size="x"), "hessian: chunk_size", "'x'"),
    jacobian_mode=(lambda: fad.jacobian(np.sin, mode="back"), "mode must be 'auto', 'forward'"),
)  # fmt: skip

AXES_OF_WRONG_TYPE = mistakes(
    TypeError,
    text=(lambda: fad.vmap(np.sin, in_axes="0")(A), "in_axes must be an int, or a tuple", "'0'"),
    text_entry=(lambda: fad.vmap(plus, in_axes=("0", 0))(A, A), "integers or None, got '0'"),
    nothing=(lambda: fad.vmap(np.sin, in_axes=None)(A), "in_axes must be an int", "None"),
    argument=(lambda: fad.vmap(plus)(A, "text"), "argument 1 is a str", "in_axes=None"),
    objects=(lambda: fad.vmap(plus)(A, b=np.array([plus])), "['b'] is an array of dtype object"),
)


@table(AXES, AXES_OF_WRONG_TYPE)
def test_vmap(row: Mistake) -> None:
    check(row.builtin, row.call, *row.texts)


# --------------------------------------------------------------------------------------------- jit


def power(x: Any, n: Any) -> Any:
    """A function with an argument for static_argnums."""
    return x**n


JIT = mistakes(
    TypeError,
    unhashable=(
        lambda: fad.jit(power, static_argnums=1)(1.0, [2]),
        "static argument 1 of power", "list", "not hashable", "tuple",
    ),
    unhashable_name=(lambda: fad.jit(power, static_argnames="n")(1.0, n=[2]), "argument 'n'"),
    objects=(lambda: fad.jit(power, static_argnums=1)(1.0, np.array([power])), "not hashable"),
    dictionary=(
        lambda: fad.jit(power, static_argnums=1)(1.0, {"n": 2}), "a dict", "tuple(d.items())",
    ),
    a_set=(lambda: fad.jit(power, static_argnums=1)(1.0, {2}), "a set", "frozenset(s)"),
    tensor=(
        lambda: fad.jit(power, static_argnums=1)(1.0, fad.asarray(2.0)),
        "static argument 1 of power is a tensor f64", "ordinary argument", "NumPy array",
    ),
    text=(lambda: fad.jit(np.sin)("text"), "argument [0] of sin is a str", "static_argnums"),
    text_in_tree=(lambda: fad.jit(total)({"a": A, "b": "x"}), "argument [0]['b'] of total"),
    number=(lambda: fad.jit(power, static_argnums=1.5), "static_argnums must be an int", "1.5"),
    donated_number=(lambda: fad.jit(power, donate_argnums="x"), "donate_argnums must be an int"),
)  # fmt: skip

JIT_VALUES = mistakes(
    ValueError,
    no_such_number=(
        lambda: fad.jit(power, static_argnums=5),
        "static_argnums has 5", "power takes 2 positional arguments: (x, n)",
    ),
    no_such_name=(lambda: fad.jit(power, static_argnames="k"), "'k'", "power takes (x, n)"),
    no_such_donation=(lambda: fad.jit(power, donate_argnums=2), "donate_argnums has 2"),
    static_and_donated=(lambda: fad.jit(power, 1, donate_argnums=1), "static and donated"),
)  # fmt: skip


@table(JIT, JIT_VALUES)
def test_jit(row: Mistake) -> None:
    check(row.builtin, row.call, *row.texts)


def test_a_slice_of_the_whole_is_donated_with_it_and_a_copy_is_not() -> None:
    x = fad.asarray(A)
    whole, copied = (x[:], x.reshape(x.shape), x.astype(x.dtype)), x.copy()
    fad.jit(lambda x: x * 2.0, donate_argnums=0)(x)
    for same in whole:
        check(RuntimeError, lambda x=same: x + 1.0, "was donated", "x.copy()")
    np.testing.assert_array_equal(copied, A)


def test_donated_arguments_are_gone() -> None:
    f = fad.jit(lambda x: x * 2.0, donate_argnums=0)
    x = fad.asarray(A)
    np.testing.assert_array_equal(f(x), 2 * A)
    for use in (lambda: x + 1.0, lambda: np.asarray(x), lambda: f(x), lambda: float(x[0])):
        check(
            RuntimeError, use, "f64[3] was donated to jit(<lambda>) called at", __file__,
            "donate_argnums", "the function's result", "donate x.copy(), or keep one",
            "A slice or view of the whole, such as x[:]", "is the same tensor",
        )  # fmt: skip


# ----------------------------------------------------------------------- dtypes, devices, settings

DTYPES = mistakes(
    TypeError,
    strings=(lambda: fad.asarray(np.array(["a"])), "dtype <U1 is not supported", "astype"),
    objects=(lambda: fad.asarray(np.array([total])), "dtype object is not supported"),
    long_double=(lambda: fad.asarray(A.astype(np.longdouble)), "is not supported", "float64"),
    dates=(lambda: fad.asarray(np.array(["2020-01-01"], "M8[D]")), "dtype datetime64[D]"),
    operand=(lambda: fad.asarray(A) + A.astype(np.longdouble), "is not supported", "astype"),
    in_grad=(lambda: fad.grad(np.sum)(A.astype(np.longdouble)), "is not supported", "float64"),
    in_a_tree=(lambda: fad.grad(total)({"a": np.array(["x"])}), "['a'] is an array of dtype <U1"),
    in_jit=(lambda: fad.jit(np.sum)(np.array([total])), "array of dtype object"),
    astype=(lambda: fad.asarray(A).astype(str), "dtype <U0 is not supported"),
    device=(lambda: fad.device_put(1.0, 3), "fad.devices()", "'gpu:0'", "got int"),
    setting=(lambda: fad.config(bad=1).__enter__(), "no setting 'bad'", "compile", "replay"),
)
DEVICES = mistakes(
    ValueError,
    platform=(lambda: fad.devices("abacus"), "no device of platform 'abacus'"),
    number=(lambda: fad.device_put(1.0, "cpu:99"), "no device 'cpu:99'", "cpu:0"),
    compile=(lambda: fad.config(compile="maybe").__enter__(), "'auto', 'always' or 'never'"),
)


@table(DTYPES, DEVICES)
def test_dtypes_devices_and_settings(row: Mistake) -> None:
    check(row.builtin, row.call, *row.texts)


def test_the_line_is_the_users_whatever_stands_between() -> None:
    with pytest.raises(fad.FadError, match=f"at {re.escape(__file__)}:"), fad.config(unknown=1):
        pass
    with pytest.raises(fad.FadError, match=f"at {re.escape(__file__)}:"):
        np.add(fad.asarray(A), B)
