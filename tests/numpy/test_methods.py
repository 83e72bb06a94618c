"""Operators, container behaviour and methods of tensors, against those of NumPy's arrays."""

import importlib
import inspect
import operator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import fad
import fad.numpy as fnp

X = np.array([1.0, -2.0, 3.5])
M = np.array([[4.0, -1.0, 2.5], [0.5, 3.0, -2.0]])
N = np.array([3, 7, -2])

BINARY = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod,
    operator.pow, operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne,
]  # fmt: skip
NUMBERS = st.integers(-900, 900).map(lambda n: n / 64)  # without subnormals, which XLA flushes
INTEGER = [operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift]


@pytest.fixture(autouse=True)
def _kernel_by_kernel():
    """Hundreds of tiny programs share their kernels."""
    with fad.config(compile="never"):
        yield


def same(got, expected):
    assert isinstance(got, fad.Tensor)
    assert got.shape == np.shape(expected)
    assert got.dtype == np.asarray(expected).dtype
    np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-15)


# ------------------------------------------------------------------------------------- operators


@pytest.mark.parametrize("op", BINARY, ids=lambda op: op.__name__)
@pytest.mark.parametrize(
    "other", [X + 4.0, 2.0, 2, np.float64(2.5), np.float32(2.5), [1.0, 2.0, 3.0], N, True]
)
def test_binary_operators(op, other):
    a = np.abs(X) if op is operator.pow else X
    x = fnp.asarray(a)
    same(op(x, other), op(a, other))
    with np.errstate(invalid="ignore"):
        same(op(other, x), op(other, a))
    same(op(x, fnp.asarray(other)), op(a, np.asarray(other)))


@pytest.mark.parametrize("op", INTEGER, ids=lambda op: op.__name__)
@pytest.mark.parametrize("other", [2, np.int64(3), np.array([1, 2, 3])])
def test_bit_operators(op, other):
    same(op(fnp.asarray(N), other), op(N, other))
    same(op(other, fnp.asarray(np.abs(N))), op(other, np.abs(N)))


def test_boolean_operators():
    a, b = X > 0, X > 2
    x, y = fnp.asarray(a), fnp.asarray(b)
    same(x & y, a & b)
    same(x | y, a | b)
    same(x ^ True, a ^ True)
    same(~x, ~a)


def test_unary_operators():
    x = fnp.asarray(X)
    same(-x, -X)
    same(+x, X)
    same(abs(x), abs(X))
    same(~fnp.asarray(N), ~N)
    same(round(x), np.round(X))
    same(round(x, 1), np.round(X, 1))


def test_divmod():
    quotient, rest = divmod(fnp.asarray(X), 2.0)
    same(quotient, X // 2.0)
    same(rest, X % 2.0)
    quotient, rest = divmod(7.0, fnp.asarray(X))
    same(quotient, 7.0 // X)
    same(rest, 7.0 % X)


def test_matrix_products():
    x, m = fnp.asarray(X), fnp.asarray(M)
    same(m @ x, M @ X)
    same(m @ X, M @ X)
    same(M @ x, M @ X)
    same(x @ x, X @ X)
    same(m @ [1, 2, 3], M @ [1, 2, 3])
    same([1, 2] @ m, [1, 2] @ M)
    with pytest.raises(ValueError, match="matmul"):
        m @ 2.0


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, -2, 7, 0.5, 2.0, -1.5])
def test_powers_and_their_derivatives(exponent):
    a = np.abs(X)
    same(fnp.asarray(a) ** exponent, a**exponent)
    gradient = fad.grad(lambda x: (x**exponent).sum())(a)
    expected = exponent * a ** (exponent - 1.0)
    np.testing.assert_allclose(np.asarray(gradient), expected, rtol=1e-14)


def test_an_integer_power_of_integers_stays_one():
    same(fnp.asarray(N) ** 2, N**2)
    same(2 ** fnp.asarray([1, 2]), 2 ** np.array([1, 2]))
    same(fnp.asarray(X) ** 3, X**3)  # a negative base


def test_power_is_differentiated_at_negative_and_zero_bases():
    gradient = fad.grad(lambda x: (x**2 + x**3).sum())([-1.0, 0.0, 2.0][0])
    assert float(gradient) == 1.0
    assert float(fad.grad(lambda x: x**0)(0.0)) == 0.0
    assert float(fad.grad(lambda x: x**2)(0.0)) == 0.0
    assert float(fad.grad(fad.grad(lambda x: x**2))(0.0)) == 2.0


def test_comparison_with_what_is_no_number():
    x = fnp.asarray(X)
    assert (x == None) is False  # noqa: E711
    assert (x != "a") is True
    with pytest.raises(TypeError, match="not supported between"):
        x < "a"  # noqa: B015


def test_operators_have_their_names():
    assert fad.Tensor.__mul__.__qualname__ == "Tensor.__mul__"
    assert fad.Tensor.__rsub__.__name__ == "__rsub__"


@pytest.mark.parametrize("other", ["a", None, object(), {"a": 1}])
def test_operands_without_meaning(other):
    with pytest.raises(TypeError, match="unsupported operand"):
        fnp.asarray(X) + other
    with pytest.raises(TypeError):
        other * fnp.asarray(X)


def test_errors_of_operators_are_those_of_the_operation():
    with pytest.raises(ValueError, match=r"add: operands could not be broadcast.*\(3,\).*\(2,\)"):
        operator.add(fnp.asarray(X), [1.0, 2.0])
    with pytest.raises(TypeError, match="bool"):
        -fnp.asarray([True])
    with pytest.raises(TypeError):
        fnp.asarray([True]) - fnp.asarray([True])


@given(
    hnp.arrays(np.float64, hnp.array_shapes(max_dims=2, max_side=3), elements=NUMBERS),
    st.sampled_from([operator.add, operator.sub, operator.mul]),
    st.one_of(st.integers(-9, 9), NUMBERS),
)
def test_operators_mean_what_numpys_mean(a, op, scalar):
    same(op(fnp.asarray(a), scalar), op(a, scalar))
    same(op(scalar, fnp.asarray(a)), op(scalar, a))


# ------------------------------------------------------------------------------------- container


def test_length_iteration_membership():
    m = fnp.asarray(M)
    assert len(m) == 2
    for got, expected in zip(m, M, strict=True):
        same(got, expected)
    _, second = m
    same(second, M[1])
    assert 3.0 in m
    assert 10.0 not in m
    assert list(fnp.asarray(np.zeros((0, 2)))) == []
    with pytest.raises(TypeError, match=r"len\(\) of a zero-dimensional"):
        len(m[0, 0])
    with pytest.raises(TypeError, match="iteration over a zero-dimensional"):
        list(m[0, 0])


def test_unpacking_differentiates():
    def f(x):
        a, b, c = x
        return a * b + c**2

    np.testing.assert_array_equal(np.asarray(fad.grad(f)(X)), [X[1], X[0], 2 * X[2]])


@pytest.mark.parametrize(
    "index",
    [
        0, -1, slice(None), slice(1, None), slice(None, None, -1), (0, 1), (slice(None), 2),
        (Ellipsis, 0), None, (None, 0), [1, 0], (slice(None), [2, 0]), ([0, 1], [1, 2]),
        np.array([True, False]), M > 0, np.int64(1), range(2), (slice(None), range(2, 0, -1)),
        (range(2), range(1, 3)), range(0),
    ],
    ids=str,
)  # fmt: skip
def test_indexing(index):
    same(fnp.asarray(M)[index], M[index])


def test_functional_updates():
    m = fnp.asarray(M)
    expected = M.copy()
    expected[0, 1] = 7.0
    same(m.at[0, 1].set(7.0), expected)
    expected = M.copy()
    expected[1] += X
    same(m.at[1].add(X), expected)


# --------------------------------------------------------------------------------------- methods

CALLS = {
    "sum": [{}, {"axis": 0}, {"axis": (0, 1), "keepdims": True}, {"dtype": np.float32}],
    "mean": [{}, {"axis": 1}],
    "max": [{}, {"axis": 0}],
    "min": [{}, {"axis": 1, "keepdims": True}],
    "prod": [{}, {"axis": 0}],
    "std": [{}, {"axis": 0, "ddof": 1}],
    "var": [{}, {"axis": 1}],
    "any": [{}, {"axis": 0}],
    "all": [{}, {"axis": 1}],
    "argmax": [{}, {"axis": 0}],
    "argmin": [{}, {"axis": 1}],
    "argsort": [{}, {"axis": 0}],
    "cumsum": [{}, {"axis": 1}],
    "cumprod": [{}, {"axis": 0}],
    "ravel": [{}, {"order": "F"}],
    "flatten": [{}, {"order": "F"}],
    "squeeze": [{}],
    "conj": [{}],
    "conjugate": [{}],
    "copy": [{}],
    "diagonal": [{}, {"offset": 1}],
    "trace": [{}],
    "clip": [{"min": 0.0}, {"min": -1.0, "max": 1.0}],
    "round": [{}, {"decimals": 1}],
    "take": [{"indices": [1, 0], "axis": 1}],
    "repeat": [{"repeats": 2, "axis": 0}],
    "astype": [{"dtype": np.float32}, {"dtype": int}],
    "compress": [{"condition": [True, False], "axis": 0}],
}


@pytest.mark.parametrize(
    ("name", "kwargs"), [(name, kwargs) for name, many in CALLS.items() for kwargs in many]
)
def test_methods(name, kwargs):
    same(getattr(fnp.asarray(M), name)(**kwargs), getattr(M, name)(**kwargs))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x.reshape(3, 2),
        lambda x: x.reshape((3, 2)),
        lambda x: x.reshape(-1),
        lambda x: x.reshape(3, -1, order="F"),
        lambda x: x.transpose(),
        lambda x: x.transpose(1, 0),
        lambda x: x.transpose((1, 0)),
        lambda x: x.transpose(None),
        lambda x: x.T,
        lambda x: x.mT,
        lambda x: x.real,
        lambda x: x.imag,
        lambda x: x.dot(X),
        lambda x: x.swapaxes(0, 1),
        lambda x: x.sum(0),
        lambda x: x.max(1),
        lambda x: x.clip(0.0, 1.0),
        lambda x: x.nonzero()[0],
    ],
)
def test_method_calls(call):
    same(call(fnp.asarray(M)), call(M))


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("grad", "fad.grad(f)(x)"),
        ("backward", "fad.grad(f)(x)"),
        ("detach", "fad.stop_gradient(x)"),
        ("numpy", "np.asarray(x)"),
    ],
)
def test_what_tensors_of_other_libraries_have(name, instead):
    def check(x):
        assert not hasattr(x, name)
        with pytest.raises(AttributeError) as caught:
            getattr(x, name)
        assert isinstance(caught.value, fad.FadError)
        for text in (f"no .{name}", instead, "test_methods.py"):
            assert text in str(caught.value)
        return x.sum()

    fad.jit(fad.grad(check))(M)
    check(fnp.asarray(M))
    assert not hasattr(fad.Tensor, name)


def test_sorting_methods_return_the_result():
    same(fnp.asarray(M).sort(), np.sort(M))
    same(fnp.asarray(M).sort(axis=0), np.sort(M, axis=0))


def test_attributes():
    m = fnp.asarray(M)
    for name in ("shape", "dtype", "ndim", "size", "nbytes", "itemsize"):
        assert getattr(m, name) == getattr(M, name)
    assert m.tolist() == M.tolist()
    assert m.item(1) == M.item(1)
    assert m.item(0, 2) == M.item(0, 2)
    with pytest.raises(ValueError, match="at least two axes"):
        m[0].mT  # noqa: B018


def test_methods_work_inside_transforms():
    def f(x):
        y = x.reshape(3, 2).T.astype(float)
        assert y.device is not None
        return (y.sum(axis=0).max() * y.mean() + y.dot(y.T).trace()).real

    plain = fad.grad(f)(M)
    np.testing.assert_allclose(np.asarray(fad.jit(fad.grad(f))(M)), np.asarray(plain))
    assert plain.shape == M.shape


def test_astype_from_complex_warns():
    with pytest.warns(np.exceptions.ComplexWarning):
        same(fnp.asarray([1 + 2j]).astype(float), [1.0])
    same(fnp.asarray([0j, 2j]).astype(bool), [False, True])


def test_the_namespace_is_known():
    x = fnp.asarray(X)
    assert x.__array_namespace__() is fnp
    assert x.__array_namespace__(api_version="2024.12") is fnp


def test_public_methods_have_docstrings():
    missing = [
        name
        for name, value in inspect.getmembers(fad.Tensor)
        if not name.startswith("_") and not inspect.getdoc(value)
    ]
    assert missing == []


# ------------------------------------------------------------------------------------ namespace


def test_everything_in_the_namespace_is_there():
    assert sorted(set(fnp.__all__)) == sorted(fnp.__all__)
    for name in fnp.__all__:
        assert getattr(fnp, name) is not None or name == "newaxis"


def test_every_family_is_exported():
    folder = Path(fnp.__file__).parent
    for path in folder.glob("*.py"):
        module = importlib.import_module(f"fad.numpy.{path.stem}")
        namespace = fnp.linalg if path.stem == "decompositions" else fnp
        if path.stem not in ("__init__", "at", "fft", "linalg"):
            for name in getattr(module, "__all__", ()):
                assert getattr(namespace, name) is getattr(module, name), f"{path.stem}.{name}"


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "complex128"])
def test_finfo(dtype):
    limits, expected = fnp.finfo(dtype), np.finfo(dtype)
    for name, value in vars(limits).items():
        assert value == getattr(expected, name)
        assert name == "dtype" or type(value) in (int, float)
    with pytest.raises(TypeError, match="floating-point"):
        fnp.finfo(int)


def test_constants_and_dtypes():
    assert (fnp.pi, fnp.e, fnp.inf, fnp.newaxis) == (np.pi, np.e, np.inf, None)
    assert fnp.asarray(X).dtype == fnp.float64
    assert fnp.finfo(fnp.float32).eps == np.finfo(np.float32).eps
    assert float(fnp.finfo("bfloat16").eps) == 2.0**-7
    assert fnp.finfo(fnp.asarray(X)).bits == 64
    assert fnp.iinfo(fnp.int8).max == 127
    assert fnp.promote_types("int8", "uint8") == np.int16
    assert fnp.promote_types(fnp.bfloat16, fnp.float16) == np.float32
    assert fnp.result_type(fnp.asarray(X), 1j) == np.complex128
    assert fnp.result_type(fnp.float32, 1.0) == np.float32
    assert fnp.can_cast(fnp.int32, fnp.float64)
    assert not fnp.can_cast(fnp.float32, fnp.bfloat16)
    assert fnp.can_cast(fnp.bfloat16, fnp.float32)
    assert fnp.isdtype(fnp.bfloat16, "real floating")
    assert fnp.isdtype(np.dtype("int8"), ("integral", "bool"))
    assert not fnp.isdtype(fnp.bfloat16, fnp.float16)
    with pytest.raises(TypeError, match="at least one"):
        fnp.result_type()


@pytest.mark.parametrize(
    ("call", "instead"),
    [
        (lambda x: x.fill(0.0), "full_like(x, v) instead of x.fill(v)"),
        (lambda x: x.put([0], 1.0), "at[i].set(v).reshape(x.shape) instead of x.put(i, v)"),
        (lambda x: x.resize((2, 2)), "fad.numpy.resize(x, shape) instead of x.resize(shape)"),
    ],
)
def test_methods_that_write_say_what_to_write(call, instead):
    with pytest.raises(fad.FadError) as raised:
        call(fad.asarray(X))
    assert instead in str(raised.value)


def test_choose_and_bytes():
    index = np.array([0, 1, 0])
    np.testing.assert_array_equal(fad.asarray(index).choose([X, -X]), index.choose([X, -X]))
    assert fad.asarray(M).tobytes("F") == M.tobytes("F")
