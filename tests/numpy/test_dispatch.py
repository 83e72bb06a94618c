"""Plain NumPy functions, ufuncs and their methods on tensors of every level."""

import subprocess
import sys

import numpy as np
import pytest
import scipy.linalg
import scipy.special

import fad
import fad.numpy as fnp
from fad.core.errors import EscapedTensorError, FadTypeError, FadValueError

X = np.array([1.0, -2.0, 3.0])
M = np.arange(6.0).reshape(2, 3)


@pytest.fixture(autouse=True)
def _kernel_by_kernel():
    """Hundreds of tiny programs share their kernels."""
    with fad.config(compile="never"):
        yield


def same(got, expected):
    assert isinstance(got, fad.Tensor)
    assert got.dtype == np.asarray(expected).dtype
    rtol = 1e-6 if got.dtype == np.float32 else 4e-15
    np.testing.assert_allclose(np.asarray(got), expected, rtol=rtol)


def gradient_of(f, x):
    """The gradient of the sum of ``f``, by ``grad`` of ``f`` as it stands."""
    return np.asarray(fad.grad(lambda x: fnp.sum(f(x)))(x))


# ---------------------------------------------------------------------------------------- ufuncs


@pytest.mark.parametrize(
    "f",
    [
        np.sin,
        np.negative,
        np.isfinite,
        np.square,
        lambda x: np.add(x, x),
        lambda x: np.multiply(X, x),
        lambda x: np.multiply(x, X),
        lambda x: np.maximum(x, 0.0),
        lambda x: np.subtract(2, x),
        lambda x: X * x - x / X,
        lambda x: np.float64(2.0) * x + x * np.float32(2.0),
        lambda x: np.less(x, 2),
        lambda x: np.power(x, 2),
        lambda x: np.hypot(x, [1.0, 2.0, 3.0]),
        lambda x: M @ x,
        lambda x: np.matmul(M, x),
        lambda x: x @ M.T,
        lambda x: np.divmod(x, 2.0)[1],
    ],
)
def test_ufuncs(f):
    same(f(fnp.asarray(X)), f(X))


def test_dtype_of_a_ufunc():
    x = fnp.asarray([1, 2])
    same(np.add(x, x, dtype=np.float32), np.add([1, 2], [1, 2], dtype=np.float32))
    same(np.sin(x, dtype="float32"), np.sin([1, 2], dtype="float32"))
    same(np.less(x, 2, dtype=bool), [True, False])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.add.reduce(x),
        lambda x: np.add.reduce(x, axis=None),
        lambda x: np.add.reduce(x, axis=(0, 1)),
        lambda x: np.add.reduce(x, axis=1, keepdims=True),
        lambda x: np.add.reduce(x, dtype=np.float32),
        lambda x: np.add.reduce(x, initial=2.0),
        lambda x: np.multiply.reduce(x, axis=-1),
        lambda x: np.maximum.reduce(x),
        lambda x: np.minimum.reduce(x, axis=1),
        lambda x: np.logical_and.reduce(x),
        lambda x: np.logical_or.reduce(x, axis=1),
        lambda x: np.logaddexp.reduce(x),
        lambda x: np.subtract.reduce(x, axis=1),
        lambda x: np.subtract.reduce(x, axis=(1,), keepdims=True),
        lambda x: np.bitwise_xor.reduce(x > 1),
        lambda x: np.hypot.reduce(x, axis=None),
        lambda x: np.hypot.reduce(x[:1, :1], axis=(0, 1)),
        lambda x: np.logaddexp.reduce(x, axis=(1, 0), where=x > 0, initial=0.5),
        lambda x: np.logaddexp2.reduce(x, axis=None, keepdims=True),
        lambda x: np.fmax.reduce(x, axis=(0, 1), where=x < 2, initial=-9.0),
        lambda x: np.logical_xor.reduce(x, axis=0),
        lambda x: np.subtract.reduce(x, axis=0, initial=2.0),
        lambda x: np.subtract.reduce(x, axis=()),
        lambda x: np.logaddexp2.accumulate(np.repeat(x, 3, 1), axis=1),
        lambda x: np.logical_xor.accumulate(x),
        lambda x: np.hypot.accumulate(x > 0, axis=1),
        lambda x: np.add.accumulate(x),
        lambda x: np.multiply.accumulate(x, axis=1),
        lambda x: np.maximum.accumulate(x, axis=1),
        lambda x: np.subtract.accumulate(x),
        lambda x: np.multiply.outer(x, X),
        lambda x: np.subtract.outer(X, x),
        lambda x: np.add.outer(x, x),
        lambda x: np.less.outer(x, 2.0),
    ],
)
def test_methods_of_ufuncs(f):
    same(f(fnp.asarray(M)), f(M))


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.hypot, np.logical_or])
@pytest.mark.parametrize("axis", [0, -1, None, ()])
def test_a_single_number_is_reduced_to_itself(ufunc, axis):
    for options in ({}, {"keepdims": True}, {"initial": 1}):
        number = np.array(2.0)
        got = ufunc.reduce(fnp.asarray(number), axis=axis, **options)
        same(got, ufunc.reduce(number, axis=axis, **options))
        assert got.shape == ()
    with pytest.raises(ValueError, match="axis 1 is out of bounds"):
        ufunc.reduce(fnp.asarray(2.0), axis=1)
    with pytest.raises(FadTypeError, match=r"cannot run along a single number: write x\.reshape"):
        ufunc.accumulate(fnp.asarray(2.0))


def test_the_slope_of_a_reduced_number():
    for ufunc in (np.add, np.multiply, np.maximum, np.hypot):
        assert float(fad.grad(ufunc.reduce)(2.0)) == 1


@pytest.mark.parametrize("ufunc", [np.logical_and, np.logical_or, np.logical_xor])
@pytest.mark.parametrize("initial", [True, False, 2.0, 0])
def test_logical_reductions_start_with_a_value(ufunc, initial):
    for x in (np.array([1.0, 0.0, 2.0]), np.ones(2), np.zeros(2, int), np.zeros(0)):
        for options in ({}, {"keepdims": True}, {"where": np.arange(x.size) != 1}):
            got = ufunc.reduce(fnp.asarray(x), initial=initial, **options)
            same(got, ufunc.reduce(x, initial=initial, **options))


@pytest.mark.parametrize("ufunc", [np.add, np.maximum, np.hypot, np.subtract, np.logical_or])
def test_an_accumulation_without_an_axis(ufunc):
    same(ufunc.accumulate(fnp.asarray(X), axis=None), ufunc.accumulate(X, axis=None))
    with pytest.raises(FadValueError, match=r"accumulate runs along one axis only: give axis="):
        ufunc.accumulate(fnp.asarray(M), axis=None)


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.float32])
def test_sums_and_products_in_a_requested_dtype(dtype):
    x = np.array([[3, 50], [7, 60]])
    for ufunc in (np.add, np.multiply):
        for method in (ufunc.reduce, ufunc.accumulate):
            same(method(fnp.asarray(x), dtype=dtype), method(x, dtype=dtype))


@pytest.mark.parametrize("ufunc", [np.equal, np.not_equal, np.less, np.greater_equal])
def test_comparisons_are_chained_for_truth_values_only(ufunc):
    truth = np.array([True, False, False])
    for name in ("reduce", "accumulate"):
        method = getattr(ufunc, name)
        same(method(fnp.asarray(truth)), method(truth))
        same(method(fnp.asarray(X), dtype=bool), method(X, dtype=bool))
        for x in (X, np.arange(3)):
            with pytest.raises(TypeError, match="loop"):
                method(x)
            with pytest.raises(FadTypeError, match="No loop matching") as caught:
                method(fnp.asarray(x))
            assert f"write numpy.{ufunc.__name__}(x[:-1], x[1:])" in str(caught.value)


def test_reduction_of_nothing():
    empty = fnp.asarray(np.zeros((0, 2)))
    same(np.hypot.reduce(empty), np.hypot.reduce(np.zeros((0, 2))))
    same(np.subtract.accumulate(empty), np.zeros((0, 2)))
    same(np.logaddexp.reduce(empty), np.logaddexp.reduce(np.zeros((0, 2))))
    same(np.fmax.reduce(empty, initial=2.0), [2.0, 2.0])
    with pytest.raises(ValueError, match=r"numpy\.subtract\.reduce of no elements"):
        np.subtract.reduce(empty)
    with pytest.raises(ValueError, match=r"numpy\.fmax\.reduce with where= needs initial="):
        np.fmax.reduce(fnp.asarray(M), where=M > 0)
    with pytest.raises(ValueError, match="'subtract' is not reorderable"):
        np.subtract.reduce(fnp.asarray(M), axis=None)


def test_a_long_reduction_is_a_short_program():
    long = np.linspace(0.5, 2.0, 5001)
    for f in (np.logaddexp2.reduce, np.hypot.reduce, np.hypot.accumulate):
        np.testing.assert_allclose(np.asarray(f(fnp.asarray(long))), f(long), rtol=1e-13)
        steps = str(fad.make_graph(f)(long)).count("\n")
        assert steps < 120
    slope = np.asarray(fad.grad(np.logaddexp2.reduce)(long))
    np.testing.assert_allclose(slope, np.exp2(long) / np.exp2(long).sum(), rtol=1e-12)


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: np.sin(x), np.cos(X)),
        (lambda x: np.float64(2.0) * x * X, 2.0 * X),
        (lambda x: np.add.reduce(x * x), 2.0 * X),
        (lambda x: np.multiply.outer(X, x), np.full(3, X.sum())),
        (lambda x: M @ x, M.sum(0)),
        (lambda x: np.concatenate([x, x * x]), 1.0 + 2.0 * X),
        (lambda x: np.where(x > 0, x * x, X), np.where(X > 0, 2.0 * X, 0.0)),
        (lambda x: np.einsum("i,i->", x, x), 2.0 * X),
        (lambda x: np.linalg.norm(x), X / np.linalg.norm(X)),
    ],
)
def test_numpy_functions_differentiate(f, expected):
    np.testing.assert_allclose(gradient_of(f, X), expected, rtol=1e-14)
    np.testing.assert_allclose(
        np.asarray(fad.jit(fad.grad(lambda x: fnp.sum(f(x))))(X)), expected, rtol=1e-14
    )


def test_a_numpy_function_maps_and_nests():
    def f(x):
        return np.sum(np.sin(x) ** 2, axis=-1)

    same(fad.vmap(f)(M), f(M))
    hessian = np.asarray(fad.jacfwd(fad.grad(f))(X))
    np.testing.assert_allclose(hessian, np.diag(2.0 * np.cos(2.0 * X)), rtol=1e-14)


# ------------------------------------------------------------------------------------- functions


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(x, axis=0),
        lambda x: np.mean(x),
        lambda x: np.concatenate([x, M]),
        lambda x: np.stack((M, x)),
        lambda x: np.where(x > 1, x, 0.0),
        lambda x: np.transpose(x),
        lambda x: np.reshape(x, (3, 2)),
        lambda x: np.einsum("ij,kj->ik", x, M),
        lambda x: np.dot(M, x.T),
        lambda x: np.linalg.norm(x),
        lambda x: np.zeros_like(x),
        lambda x: np.ones_like(x, dtype=int),
        lambda x: np.full_like(x, 2.0),
        lambda x: np.clip(x, 1.0, 2.0),
    ],
)
def test_functions(f):
    same(f(fnp.asarray(M)), f(M))


def test_questions_have_python_answers():
    x = fnp.asarray(M)

    def check(x):
        assert np.shape(x) == (2, 3)
        assert np.ndim(x) == 2
        assert np.size(x) == 6
        assert np.size(x, 1) == 3
        assert not np.iscomplexobj(x)
        assert np.isrealobj(x)
        assert np.result_type(x, np.float32) == np.float64
        assert np.can_cast(x, np.complex128)
        return x.sum()

    check(x)
    fad.grad(check)(x)
    fad.jit(check)(x)


def test_what_fad_lacks_is_done_by_numpy_on_concrete_tensors():
    x = fnp.asarray(X)
    counts, _ = np.histogram(x, bins=2)
    np.testing.assert_array_equal(counts, [1, 2])
    assert np.array2string(x) == "[ 1. -2.  3.]"
    np.testing.assert_array_equal(np.add.reduceat(x, [0, 2]), [-1.0, 3.0])
    np.testing.assert_allclose(x, X)


# ---------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: np.add(x, x, out=np.zeros(3)), ("numpy.add", "out=", "result = numpy.add(")),
        (lambda x: np.sum(x, out=np.zeros(())), ("numpy.sum", "out=", "result = numpy.sum(")),
        (lambda x: np.add.reduce(x, out=np.zeros(())), ("numpy.add.reduce", "out=")),
        (lambda x: np.add(X, X, out=x), ("numpy.add", "out=")),
        (lambda x: np.sin(x, out=x), ("numpy.sin", "immutable; write result = numpy.sin(")),
        (lambda x: np.sin(x, where=[True, False, True]), ("sin", "np.where(mask")),
        (lambda x: np.copyto(x, X), ("numpy.copyto", "fad.numpy.where")),
        (lambda x: np.put(x, 0, 1.0), ("numpy.put", "x.ravel().at[indices].set")),
        (lambda x: np.fill_diagonal(x, 1.0), ("numpy.fill_diagonal", "x.at[i, i].set")),
        (lambda x: np.add.at(x, [0], 1.0), ("numpy.add.at", "x.at[indices].add(values)")),
        (lambda x: np.divide.at(x, [0], 1.0), ("numpy.divide.at", "x.at[indices]")),
        (lambda x: x.__setitem__(0, 1.0), ("immutable", "x = x.at[i].set(v)")),
        (lambda x: x.__delitem__(0), ("immutable", "fad.numpy.delete")),
        (lambda x: np.power.reduce(x, where=x > 0), ("numpy.power.reduce", "where=")),
    ],
)
def test_what_cannot_be_done_is_said(call, words):
    def check(x):
        with pytest.raises(FadTypeError) as caught:
            call(x)
        for word in (*words, "test_dispatch.py"):
            assert word in str(caught.value)

    check(fnp.asarray(X))
    fad.grad(lambda x: (check(x), x.sum())[1])(X)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: np.roots(x), ("numpy.roots", "fad.stop_gradient", "polyval")),
        (lambda x: np.frompyfunc(abs, 1, 1)(x), ("abs (vectorized)", "fad.stop_gradient")),
        (lambda x: np.add.reduceat(x, [0, 2]), ("numpy.add.reduceat", ".at[segments].add")),
    ],
)
def test_unsupported_functions_say_so_in_transforms(call, words):
    def check(x):
        with pytest.raises(FadTypeError) as caught:
            call(x)
        for word in (*words, "called at", "test_dispatch.py"):
            assert word in str(caught.value)
        return x.sum()

    fad.grad(check)(X)
    fad.jit(check)(X)


def test_in_place_operators_rebind():
    def f(x):
        y = x
        y += 1.0
        y *= X
        y **= 2
        return y

    x = fnp.asarray(X)
    same(f(x), ((X + 1.0) * X) ** 2)
    same(x, X)


def test_an_array_takes_in_concrete_tensors_in_place():
    w = X.copy()
    w -= fad.grad(lambda x: (x * x).sum())(X)
    np.testing.assert_array_equal(w, -X)
    assert type(w) is np.ndarray


def test_functions_that_write_into_an_array_take_concrete_tensors():
    g = fad.grad(lambda x: (x * x).sum())(X)
    a = np.zeros(3)
    np.copyto(a, g)
    np.testing.assert_array_equal(a, 2 * X)
    np.add.at(a, [0, 0], g[:2])
    np.put(a, 2, g[0])
    np.testing.assert_array_equal(a, [4 * X[0] + 2 * X[1], 2 * X[1], 2 * X[0]])
    for write in (lambda: np.copyto(g, a), lambda: np.add.at(g, [0], a[:1])):
        with pytest.raises(FadTypeError, match="tensors are immutable"):
            write()
    with pytest.raises(FadTypeError, match="would write into an array"):
        fad.grad(lambda x: np.copyto(a, x))(X)


def test_an_array_cannot_take_in_a_tensor_of_a_transform_in_place():
    def f(x):
        total = np.zeros(3)
        total += x
        return total.sum()

    with pytest.raises(FadTypeError, match=r"in-place operation.*write a = a \+ x"):
        fad.grad(f)(X)

    def inside(x):
        total = np.zeros(5)
        total[1:-1] += x
        return total.sum()

    with pytest.raises(FadTypeError, match=r"a = a\.at\[i\]\.set\(a\[i\] \+ x\) instead of"):
        fad.grad(inside)(X)


@pytest.mark.parametrize(
    ("called", "ours"),
    [
        (lambda x: scipy.special.logsumexp(x), "fad.scipy.special.logsumexp"),
        (lambda x: scipy.special.softmax(x)[0], "fad.scipy.special.softmax"),
        (lambda x: scipy.special.ndtr([x[0]]), "fad.scipy.special.ndtr"),
        (lambda x: scipy.linalg.cholesky(np.diag(x * x)), "fad.scipy.linalg.cholesky"),
        (lambda x: np.sum([x[0], x[1]]), "fad.numpy.sum"),
        (lambda x: np.log([x[0], x[1]]), "fad.numpy.log"),
        (lambda x: np.array([x[0], 1.0]), "fad.numpy.array"),
        (lambda x: np.linalg.norm([x[0], 1.0]), "fad.numpy.linalg.norm"),
        (lambda x: np.full(3, x[0]), "fad.numpy.full"),
        (lambda x: scipy.linalg.expm(np.diag(x)), None),
        (lambda x: np.float64(x[0]), None),
    ],
)
def test_a_function_that_takes_no_tensors_is_refused_by_the_name_of_ours(called, ours):
    with pytest.raises(FadTypeError, match="its derivative would be lost") as caught:
        fad.grad(called)(X)
    expected = f" Write {ours}; " if ours else " Call functions of NumPy, fad.numpy or fad.scipy "
    assert expected in str(caught.value)


def test_every_namespace_is_there_after_import_fad():
    code = "import fad; fad.scipy.linalg.cholesky, fad.scipy.special.ndtr, fad.numpy.linalg.inv"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_other_array_types_may_answer():
    class Other:
        __array_ufunc__ = None

        def __radd__(self, other):
            return "reflected"

    class Dispatching:
        def __array_ufunc__(self, *args, **kwargs):
            return "ufunc"

        def __array_function__(self, *args, **kwargs):
            return "function"

        def __rmul__(self, other):
            return "times"

    x = fnp.asarray(X)
    assert x + Other() == "reflected"
    assert x * Dispatching() == "times"
    assert np.multiply(x, Dispatching()) == "ufunc"
    assert np.concatenate([x, Dispatching()]) == "function"
    with pytest.raises(TypeError, match="unsupported operand"):
        x + object()


def test_escaped_tensors_are_found_through_numpy():
    kept = []
    fad.grad(lambda x: (kept.append(x), x)[1])(1.0)
    with pytest.raises(EscapedTensorError, match=r"escaped from grad\(<lambda>\)"):
        np.sin(kept[0])


def test_scipys_special_functions_dispatch():
    special = pytest.importorskip("scipy.special")
    pytest.importorskip("fad.scipy.special")
    same(special.erf(fnp.asarray(X)), special.erf(X))
    gradient = gradient_of(special.erf, X)
    np.testing.assert_allclose(gradient, 2 / np.sqrt(np.pi) * np.exp(-X * X), rtol=1e-14)


@pytest.mark.parametrize("name", ["betainc", "jv", "hyp2f1"])
def test_scipys_ufuncs_are_called_scipys(name):
    function = getattr(pytest.importorskip("scipy.special"), name)
    others = [0.5] * (function.nin - 1)
    with pytest.raises(FadTypeError, match=rf"^scipy\.special\.{name} is not supported on"):
        fad.grad(lambda a: function(a, *others))(0.5)


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("put_along_axis", "tensors are immutable; write x.at"),
        ("fill_diagonal", "tensors are immutable; write x.at"),
        ("putmask", "tensors are immutable; write fad.numpy.where"),
        ("nditer", "use fad.vmap"),
    ],
)
def test_what_the_namespace_lacks_says_what_to_write(name, instead):
    with pytest.raises(AttributeError, match=f"fad.numpy has no {name}: .*{instead}") as error:
        getattr(fnp, name)
    assert isinstance(error.value, fad.FadError)
    assert not hasattr(fnp, name)
    with pytest.raises(AttributeError, match="has no attribute 'sinus'"):
        fnp.sinus  # noqa: B018


def test_a_refusal_names_the_public_function_that_was_called() -> None:
    special = pytest.importorskip("scipy.special")
    pytest.importorskip("fad.scipy.special")
    with pytest.raises(TypeError, match=r"^scipy\.special\.lambertw is not supported on the"):
        fad.grad(lambda x: special.lambertw(x).real)(1.5)
    for function in (special.zeta, lambda x: special.zeta(x, 2.0)):
        with pytest.raises(
            TypeError, match=r"^scipy\.special\.zeta .* Use fad\.scipy\.special\.zeta\."
        ):
            fad.grad(function)(1.5)
