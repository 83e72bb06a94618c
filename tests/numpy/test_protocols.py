"""What Python and other libraries ask of an array: numbers, arrays, DLPack, pickles, printing."""

import array
import bisect
import copy
import functools
import math
import pickle
import re
import struct
from math import sin as bare_sin

import numpy as np
import pytest

import fad
import fad.numpy as fnp
from fad.core.dtypes import bfloat16
from fad.core.errors import ConcretizationError, FadTypeError, FadValueError
from fad.numpy.dtypes import as_dtype

X = np.array([1.0, -2.0, 3.0])


def inside(check, at=3.0):
    """Run ``check`` on a tensor of ``grad`` and on one of ``jvp`` beneath ``grad``."""

    def loss(x):
        check(x)
        return fad.jvp(lambda y: (check(y), y * y)[1], (x,), (x,))[1]

    fad.grad(loss)(at)


# ------------------------------------------------------------------------------- Python scalars


@pytest.mark.parametrize("value", [True, 7, -2.5])
def test_scalars_come_out_as_they_went_in(value):
    x = fnp.asarray(value)
    assert bool(x) is bool(value)
    assert int(x) == int(value)
    assert float(x) == float(value)
    assert complex(x) == complex(value)
    assert x.item() == value
    assert type(x.item()) is type(value)


def test_control_flow_on_values_works_in_transforms():
    def check(x):
        y = x * x
        assert y
        assert float(y) == 9.0
        assert int(y) == 9
        assert complex(y) == 9
        assert y.item() == 9.0
        assert y.tolist() == 9.0
        assert math.floor(y) == math.ceil(y) == math.trunc(y) == 9
        assert f"{y:.2f} {y}" == "9.00 9.0"
        assert list(range(fnp.asarray(3))) == [0, 1, 2]

    inside(check)


def test_a_loop_with_a_tolerance_differentiates():
    def root(a):
        x = a
        while abs(float(x * x - a)) > 1e-12:
            x = (x + a / x) / 2.0
        return x

    assert abs(float(fad.grad(root)(2.0)) - 0.5 / math.sqrt(2)) < 1e-12


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bool(fnp.asarray(X)), "more than one element is ambiguous"),
        (lambda: bool(fnp.asarray([])), "an empty tensor is ambiguous"),
        (lambda: fnp.asarray([1.0]).item(3), "out of bounds"),
        (lambda: fnp.asarray(X).item(), "has no single element"),
    ],
)
def test_ambiguous_values(call, message):
    with pytest.raises((FadValueError, IndexError), match=message):
        call()


@pytest.mark.parametrize("function", [float, int, complex])
def test_only_zero_dimensional_tensors_become_scalars(function):
    with pytest.raises(TypeError, match="only 0-dimensional"):
        function(fnp.asarray([1.0]))


def test_a_complex_number_does_not_become_a_real_one():
    with pytest.raises(TypeError, match=r"write x\.real"):
        float(fnp.asarray(1j))


def test_index_wants_an_integer():
    assert [10, 20][fnp.asarray(1)] == 20
    with pytest.raises(TypeError, match="only integer scalar tensors"):
        range(fnp.asarray(1.0))
    with pytest.raises(TypeError, match="only integer scalar tensors"):
        [10, 20][fnp.asarray(True)]


def test_under_vmap_there_is_no_one_value():
    with pytest.raises(ConcretizationError, match=r"float\(\).*vmap.*fad.numpy.where"):
        fad.vmap(lambda x: x * float(x))(X)


# ------------------------------------------------------------------------------ math.sin(tensor)


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda x: math.sin(x), ("math.sin", "fad.numpy.sin")),
        (lambda x: bare_sin(x), ("math.sin", "fad.numpy.sin")),
        (lambda x: 1.0 + 2.0 * math.exp(x * 2.0), ("math.exp", "fad.numpy.exp")),
        (lambda x: math.pow(x, 2), ("math.pow", "fad.numpy.power")),
        (lambda x: math.hypot(*[x, x]), ("math.hypot", "fad.numpy.hypot")),
        (lambda x: math.sqrt(math.fabs(x)), ("math.fabs", "fad.numpy.abs")),
        (lambda x: math.lgamma(x), ("math.lgamma", "fad.scipy.special.gammaln")),
        (lambda x: __import__("math") and math.atan(x), ("math.atan", "fad.numpy.arctan")),
        (lambda x: [math.cos(y) for y in [x]], ("math.cos", "fad.numpy.cos")),
    ],
)
def test_math_functions_are_refused_in_transforms(call, names):
    def check(x):
        with pytest.raises(FadTypeError) as caught:
            call(x)
        for name in names:
            assert name in str(caught.value)
        assert "test_protocols.py" in str(caught.value)

    inside(check)


def test_cmath_is_refused_too():
    import cmath

    def check(x):
        with pytest.raises(FadTypeError, match=r"cmath\.exp.*fad\.numpy\.exp"):
            cmath.exp(x)

    inside(check)


def test_what_only_looks_like_math_is_let_through():
    class Box:
        sin = float

    sin = float
    math_like = Box()

    def check(x):
        assert math.isfinite(x)
        assert not math.isnan(x)
        assert sin(x) == 3.0
        assert math_like.sin(x) == 3.0
        assert math.sin(float(x)) == math.sin(3.0)
        assert float(x) + math.sin(1.0) == 3.0 + math.sin(1.0)
        assert "%.1f" % x == "3.0"  # noqa: UP031
        assert max([x], key=float) is x

    inside(check)


def _fill(x):
    a = np.zeros(2)
    a.fill(x)


@pytest.mark.parametrize(
    ("call", "called", "instead"),
    [
        (lambda x: np.fromiter((x for _ in range(2)), float), "np.fromiter", "fad.numpy.fromiter"),
        (lambda x: array.array("d", [x]), "array.array", r"float\(x\)"),
        (_fill, r"a\.fill", r"float\(x\)"),
    ],
)
def test_functions_in_c_that_take_floats_are_refused_in_transforms(call, called, instead):
    def check(x):
        with pytest.raises((TypeError, ValueError)) as caught:
            call(x)
        ours = caught.value.__cause__ or caught.value  # NumPy may put words of its own on top
        assert isinstance(ours, FadTypeError)
        assert re.search(f"{called} takes Python floats.*lost.*{instead}", str(ours))

    inside(check)
    call(fnp.asarray(3.0))
    inside(lambda x: call(fad.stop_gradient(x)))


def test_a_number_is_not_packed_in_transforms():
    def check(x):
        with pytest.raises(struct.error, match="required argument is not a float"):
            struct.pack("d", x)

    inside(check)
    assert struct.pack("d", fnp.asarray(3.0)) == struct.pack("d", 3.0)


def test_the_advice_for_functions_in_c_works():
    gradient = fad.grad(lambda v: fnp.fromiter((t * t for t in v), float).sum())(X)
    np.testing.assert_array_equal(gradient, 2 * X)

    def check(x):
        assert struct.pack("d", float(x)) == struct.pack("d", 3.0)
        assert sum(map(float, [x, x])) == 6.0
        assert bisect.bisect([x, x], 5.0, key=float) == 2
        assert functools.reduce(lambda a, b: float(a) + float(b), [x, x]) == 6.0
        assert "{:.1f} {}".format(x, x) == "3.0 3.0"  # noqa: UP032
        assert (round(x), abs(x), pow(x, 2), divmod(x, 2)[1]) == (3, 3, 9, 1)

    inside(check)


def test_scipys_solvers_in_c_do_not_take_tensors_of_a_transform():
    integrate = pytest.importorskip("scipy.integrate")
    optimize = pytest.importorskip("scipy.optimize")
    with pytest.raises(FadTypeError, match=r"integrate\.quad takes Python floats"):
        fad.grad(lambda a: integrate.quad(lambda t: a * t, 0, 1)[0])(2.0)

    def newton(a):
        r = optimize.brentq(lambda t: float(t * t - a), 0.0, 9.0, xtol=1e-14)
        return r - (r * r - a) / (2.0 * r)

    np.testing.assert_allclose(float(fad.grad(newton)(2.0)), 0.5 / math.sqrt(2.0), rtol=1e-12)


def test_bytes_of_a_tensor_of_a_transform_are_refused():
    def check(x):
        with pytest.raises(FadTypeError, match=r"x\.tobytes\(\.\.\.\) would convert.*lost"):
            x.tobytes()

    inside(check)
    assert fnp.asarray(X).tobytes() == X.tobytes()
    assert fad.grad(lambda x: x * np.frombuffer(fad.stop_gradient(x).tobytes())[0])(3.0) == 3.0


@pytest.mark.parametrize("transform", [fad.jit, fad.vmap])
def test_an_integer_has_no_value_where_the_function_is_compiled(transform):
    table = np.arange(5.0)
    numbers = np.array([1, 3])
    if transform is fad.jit:
        numbers = numbers[1]
    for call in (lambda n: table[n], lambda n: np.arange(n)):
        with pytest.raises(FadTypeError, match=r"value is not known there.*fad\.asarray\(table\)"):
            transform(call)(numbers)
    np.testing.assert_array_equal(transform(lambda n: fad.asarray(table)[n])(numbers), numbers)
    assert fad.jit(lambda n: np.arange(n), static_argnums=0)(3).shape == (3,)


# ------------------------------------------------------------------------ x.sort() as a statement


def test_sorting_as_a_statement_is_refused():
    def check(x):
        with pytest.raises(FadTypeError, match=r"write x = np\.sort\(x\) instead of x\.sort\(\)"):
            x.sort()
        with pytest.raises(FadTypeError, match=r"write x = np\.partition\(x, k\) instead of"):
            x.partition(1, axis=0)
        assert x.sort().shape == x.partition(1).shape == (3,)
        y = x.sort(axis=0)
        return y[0]

    check(fnp.asarray(X))
    np.testing.assert_array_equal(fad.grad(check)(X), [0.0, 1.0, 0.0])
    np.testing.assert_array_equal(fad.jit(fad.grad(check))(X), [0.0, 1.0, 0.0])


def test_a_repl_prints_what_sorting_returns(capsys):
    exec(compile("x.sort()", "<stdin>", "single"), {"x": fnp.asarray(X)})
    assert capsys.readouterr().out == "fad.Tensor([-2.,  1.,  3.])\n"


def test_math_functions_work_on_concrete_tensors():
    assert math.sin(fnp.asarray(1.0)) == math.sin(1.0)


# ------------------------------------------------------------------------------- NumPy's arrays


def test_an_array_made_of_a_tensor_is_its_own():
    x = fnp.asarray(X)
    a = np.asarray(x)
    a[0] = 100.0
    np.testing.assert_array_equal(np.asarray(x), X)
    assert np.array(x, dtype="float32").dtype == np.float32
    assert np.asarray(x * 2.0).dtype == np.float64


def test_copy_false_gives_a_view_that_cannot_be_written_to():
    x = fnp.asarray(X)
    view = np.asarray(x, copy=False)
    np.testing.assert_array_equal(view, X)
    assert not view.flags.writeable
    with pytest.raises(ValueError, match="change of dtype needs a copy"):
        np.asarray(x, dtype="float32", copy=False)


def test_a_tensor_does_not_see_later_changes_of_the_array_it_was_made_of():
    a = X.copy()
    x = fnp.asarray(a)
    y = x + a
    a[:] = 0.0
    np.testing.assert_array_equal(np.asarray(y), 2 * X)


@pytest.mark.parametrize(
    ("convert", "name"),
    [
        (lambda x: np.asarray(x), r"np\.asarray\(\.\.\.\)"),
        (lambda x: np.array([x, x]), r"np\.array\(\.\.\.\)"),
        (lambda x: np.zeros(2) + np.array(x, dtype=float), r"np\.array\(\.\.\.\)"),
        (lambda x: np.float32(x), r"np\.float32\(\.\.\.\)"),
    ],
)
def test_silent_conversion_in_a_transform_is_an_error(convert, name):
    def check(x):
        with pytest.raises(FadTypeError, match=name) as caught:
            convert(x)
        message = str(caught.value)
        assert "called at" in message
        for word in ("fad.numpy", "stop_gradient", "test_protocols.py"):
            assert word in message

    inside(check)


def test_an_element_of_an_array_cannot_hold_a_tensor_of_a_transform():
    a = np.zeros(2)

    def check(x):
        with pytest.raises(ValueError, match="setting an array element") as caught:
            a[0] = x  # NumPy's own words, with ours as the cause
        assert re.search(r"a\[i\] = x stores.*a\.at\[i\]\.set\(x\)", str(caught.value.__cause__))
        with pytest.raises(FadTypeError, match="would convert"):
            a[:] = x + a
        with pytest.raises(FadTypeError, match=r"np\.float64\(\.\.\.\) would convert"):
            np.float64(x)

    inside(check)
    a[0] = fnp.asarray(7.0)
    assert a[0] == 7.0


def test_conversion_is_an_error_under_vmap():
    with pytest.raises(FadTypeError, match=r"vmap\(asarray\)"):
        fad.vmap(np.asarray)(X)


def test_lists_of_tensors_and_numbers_make_a_tensor_in_a_transform():
    gradient = fad.grad(lambda x: (fnp.asarray([[x, 2.0], [1, x * x]]) * 2.0).sum())(3.0)
    assert float(gradient) == 14.0


# ----------------------------------------------------------------------------------- asarray


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (True, "bool"),
        (2, "int64"),
        (2.0, "float64"),
        (2j, "complex128"),
        ([1, 2], "int64"),
        ([1, 2.5], "float64"),
        ((True, False), "bool"),
        (np.float32(1), "float32"),
        (np.arange(3, dtype=">i4"), "int32"),
        ([], "float64"),
        (range(3), "int64"),
    ],
)
def test_asarray_has_numpys_dtypes(value, dtype):
    x = fnp.asarray(value)
    assert x.dtype == dtype
    assert not x.aval.weak
    np.testing.assert_array_equal(np.asarray(x), np.asarray(value))


@pytest.mark.parametrize("dtype", ["float32", float, np.int8, "bfloat16", np.dtype(complex)])
def test_asarray_converts(dtype):
    for value in (1, [1, 2], X, fnp.asarray(X)):
        assert fnp.asarray(value, dtype).dtype == as_dtype(dtype)


def test_asarray_keeps_tensors():
    x = fnp.asarray(X)
    assert fnp.asarray(x) is x
    assert fnp.asarray(x, "float64", copy=False) is x
    with pytest.raises(ValueError, match="needs a copy"):
        fnp.asarray(x, "float32", copy=False)


def test_array_adds_axes():
    assert fnp.array(X, ndmin=3).shape == (1, 1, 3)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ("abc", TypeError, "not supported"),
        (["a", "b"], TypeError, "not supported"),
        (object(), TypeError, "not supported"),
        (None, TypeError, "not supported"),
        (np.array(["2020-01-01"], "datetime64[D]"), TypeError, "datetime64"),
        ([[1.0], [1.0, 2.0]], ValueError, "inhomogeneous"),
        (2**64, TypeError, "not supported"),
    ],
)
def test_asarray_refuses(value, error, message):
    with pytest.raises(error, match=message) as caught:
        fnp.asarray(value)
    assert isinstance(caught.value, fad.FadError)


def test_asarray_refuses_what_does_not_fit():
    with pytest.raises(OverflowError, match="300"):
        fnp.asarray(300, "uint8")
    with pytest.raises(ValueError, match=r"one shape, got \(\) and \(1,\)"):
        fnp.asarray([fnp.asarray(1.0), [1.0]])
    with pytest.raises(ValueError, match="cannot share the memory"):
        fnp.asarray(X, copy=False)
    with pytest.raises(TypeError, match="'flout' is not a dtype"):
        fnp.asarray(X, "flout")


@pytest.mark.parametrize(
    "take",
    [
        fnp.asarray,
        fnp.sin,
        lambda a: fnp.asarray(X) * a,
        lambda a: np.multiply(a, fnp.asarray(X)),
        lambda a: np.concatenate([fnp.asarray(X), a]),
        fad.grad(lambda v: (v * v).sum()),
        fad.vmap(lambda v: v),
        fad.jit(lambda v: v * v),
        lambda a: fad.jvp(np.sin, (X,), (a,)),
        lambda a: fad.grad(lambda v: (v * a).sum())(X),
    ],
)
def test_a_mask_is_not_dropped(take):
    masked = np.ma.array(X, mask=[False, True, False])
    with pytest.raises(
        FadValueError, match=r"lose its mask.*a\.filled\(value\).*fad\.numpy\.where"
    ):
        take(masked)


def test_the_advice_for_masked_arrays_works():
    a = np.ma.array(X, mask=[False, True, False])
    for x in (fnp.asarray(a.filled(0.0)), fnp.where(np.ma.getmaskarray(a), 0.0, a.data)):
        np.testing.assert_array_equal(x, [1.0, 0.0, 3.0])


def test_devices_have_names():
    x = fnp.asarray(X, device="cpu")
    assert x.to_device("cpu:0") is x
    assert x.device == x.to_device(x.device).device
    with pytest.raises(ValueError, match="there is no device 'cpu:7'; there is cpu:0"):
        fnp.asarray(X, device="cpu:7")
    with pytest.raises(ValueError, match="there is no device of platform 'abacus'"):
        x.to_device("abacus")


# ------------------------------------------------------------------------------------ DLPack


def test_dlpack_goes_out_and_comes_in():
    x = fnp.asarray(X)
    np.testing.assert_array_equal(np.from_dlpack(x), X)
    assert x.__dlpack_device__() == (1, 0)
    for version in (None, (0, 0), (1, 0), (2, 0)):
        assert "dltensor" in repr(x.__dlpack__(max_version=version))
    y = fnp.from_dlpack(X)
    np.testing.assert_array_equal(np.asarray(y), X)
    assert fnp.from_dlpack(x) is x


def test_from_dlpack_copies_unless_told_not_to():
    a = X.copy()
    y = fnp.from_dlpack(a)
    a[0] = 100.0
    np.testing.assert_array_equal(np.asarray(y), X)
    np.testing.assert_array_equal(np.asarray(fnp.from_dlpack(X, copy=False)), X)


def test_dlpack_of_a_number_does_not_expose_a_buffer_that_others_may_hold():
    doubled = fad.grad(lambda x: 2.0 * x)(1.0)
    for x in (doubled, fad.Array(fnp.asarray(1.0).aval, np.asarray(1.0))):
        exported = np.from_dlpack(x)
        assert not np.shares_memory(exported, np.asarray(x.realize()))


def test_dlpack_refuses():
    with pytest.raises(FadTypeError, match="list has no __dlpack__ method"):
        fnp.from_dlpack([1.0])

    def check(x):
        with pytest.raises(FadTypeError, match="would convert"):
            x.__dlpack__()
        with pytest.raises(FadTypeError, match="would convert"):
            x.__dlpack_device__()

    inside(check)


@pytest.mark.torch
def test_dlpack_with_torch():
    import torch

    x = fnp.from_dlpack(torch.arange(3, dtype=torch.float64))
    np.testing.assert_array_equal(np.asarray(x), [0.0, 1.0, 2.0])
    np.testing.assert_array_equal(torch.from_dlpack(x * 2.0).numpy(), [0.0, 2.0, 4.0])


# ------------------------------------------------------------------------- pickles and copies


@pytest.mark.parametrize("value", [2.0, 3, X, [[1j, 2.0]], np.zeros((0, 2), "float32")])
def test_pickles(value):
    x = fnp.asarray(value)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        y = pickle.loads(pickle.dumps(x, protocol))
        assert y.aval is x.aval
        np.testing.assert_array_equal(np.asarray(y), np.asarray(x))


def test_pickles_keep_weak_types_and_bfloat16():
    for x in (fad.grad(lambda x: x * x)(2.0), fnp.asarray([1.5], "bfloat16")):
        assert pickle.loads(pickle.dumps(x)).aval is x.aval


COPIES = {
    "method": lambda x: x.copy(),
    "copy.copy": copy.copy,
    "copy.deepcopy": lambda x: copy.deepcopy({"w": [x]})["w"][0],
    "copy": fnp.copy,
    "asarray": lambda x: fnp.asarray(x, copy=True),
}


@pytest.mark.parametrize("name", COPIES)
@pytest.mark.parametrize("value", [X, np.arange(3), True, 1j * X, 2.0, X.astype(bfloat16)])
def test_copies_stay_when_the_tensor_is_donated(name, value):
    for x in (fnp.asarray(value), fnp.asarray(value) * 1):  # with a buffer, and pending
        expected = np.asarray(x).copy()
        y = COPIES[name](x)
        assert y is not x
        assert y.aval is x.aval
        z = COPIES[name](x)
        fad.jit(lambda v: v * 0, donate_argnums=0)(x)
        np.testing.assert_array_equal(np.asarray(y), expected)
        fad.jit(lambda v: v * 0, donate_argnums=0)(y)  # nor does one copy need another
        np.testing.assert_array_equal(np.asarray(z), expected)


def test_copies_have_memory_of_their_own():
    a = np.arange(1000.0)
    x = fnp.from_dlpack(a, copy=False)
    copies = [copied(x) for copied in COPIES.values()]
    a[:] = 7.0
    for y in copies:
        np.testing.assert_array_equal(np.asarray(y), np.arange(1000.0))


def test_a_deep_copy_keeps_what_is_shared():
    x = fnp.asarray(X)
    one, other = copy.deepcopy([x, x])
    assert one is other
    assert one is not x


def test_within_a_transform_a_copy_is_the_tensor_itself():
    w = fnp.asarray(X)  # which nobody can write to, and nothing is donated there

    def f(x):
        for t in (x, w):
            assert t.copy() is t
            assert copy.deepcopy([t])[0] is t
            assert fnp.copy(t) is t
        return (copy.deepcopy({"w": x})["w"] * w).sum()

    for transform in (fad.grad, fad.jacfwd, lambda f: fad.jit(fad.grad(f))):
        np.testing.assert_array_equal(np.asarray(transform(f)(X)), X)
    with fad.forward.dual_level() as level:
        x = fad.forward.make_dual(level, X, X)
        assert x.copy() is x


def test_a_tensor_of_a_transform_cannot_be_pickled():
    def check(x):
        with pytest.raises(FadTypeError, match="cannot pickle a tensor of"):
            pickle.dumps(x)

    inside(check)


def test_tensors_are_not_hashable():
    with pytest.raises(TypeError, match="unhashable"):
        hash(fnp.asarray(1.0))
    with pytest.raises(TypeError, match="unhashable"):
        fad.grad(lambda x: {x: 1} and x)(1.0)


# ------------------------------------------------------------------------------------ printing


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([1.0, 2.5], "fad.Tensor([1. , 2.5])"),
        (3.0, "fad.Tensor(3.)"),
        ([1, 2], "fad.Tensor([1, 2])"),
        ([True], "fad.Tensor([ True])"),
        (np.float32([1, 2]), "fad.Tensor([1., 2.], dtype=float32)"),
        (np.zeros((0, 3)), "fad.Tensor([], shape=(0, 3))"),
        (np.zeros((0,), "int8"), "fad.Tensor([], shape=(0,), dtype=int8)"),
        ([[1.0], [2.0]], "fad.Tensor([[1.],\n            [2.]])"),
        (np.zeros(5000), "fad.Tensor([0., 0., 0., ..., 0., 0., 0.], shape=(5000,))"),
    ],
)
def test_repr(value, text):
    assert repr(fnp.asarray(value)) == text


def test_repr_in_transforms_names_them():
    def loss(x):
        assert repr(x) == "fad.Tensor(f64[3], of grad(loss))"
        assert str(x) == "[ 1. -2.  3.]"
        return (x * x).sum()

    kept = []
    fad.grad(loss)(X)
    fad.vmap(lambda x: kept.append(x) or x)(X)
    assert repr(kept[0]) == "fad.Tensor(f64, escaped from vmap(<lambda>))"
    assert str(kept[0]) == repr(kept[0])


def test_repr_under_vmap_shows_no_numbers():
    texts = []
    fad.vmap(lambda x: texts.extend([repr(x), str(x), f"{x}"]) or x)(X)
    assert set(texts) == {"fad.Tensor(f64, of vmap(<lambda>))"}


def test_repr_never_raises():
    x = fnp.asarray(X)
    x.buffer = None  # as if its program had failed
    assert repr(x).startswith("fad.Tensor(f64[3], whose computation failed")


def test_format():
    assert f"{fnp.asarray(2.125):.2f}" == "2.12"
    assert f"{fnp.asarray(3):>4d}" == "   3"
    assert f"{fnp.asarray(X)}" == "[ 1. -2.  3.]"
    with pytest.raises(TypeError, match="takes one number"):
        f"{fnp.asarray(X):.2f}"
