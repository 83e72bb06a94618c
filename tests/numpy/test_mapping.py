"""apply_along_axis, apply_over_axes, vectorize: NumPy's results, from one call of the function."""

from __future__ import annotations

import numpy as np
import pytest

import fad
import fad.numpy as fnp
from fad.core.errors import FadError, FadTypeError, FadValueError
from tests.against import as_numpy, same

A = np.random.default_rng(0).normal(size=(2, 3, 4))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_apply_along_axis(axis):
    for f in (
        lambda v: v * 2,
        lambda v: v.sum(),
        lambda v: np.outer(v, v),
        lambda v: [v[0], 1.0],
        lambda v: 3,
    ):
        as_numpy("apply_along_axis", f, axis, A)
    as_numpy("apply_along_axis", lambda v, k, m=1.0: v * k + m, axis, A, 3, m=2.0)


def test_apply_along_axis_is_differentiated_in_everything():
    def f(x, w):
        return (np.apply_along_axis(lambda v, w: np.dot(v, v) * w, 1, x, w) ** 2).sum()

    of_x, of_w = fad.jit(fad.grad(f, (0, 1)))(A, 3.0)
    squares = (A**2).sum(1, keepdims=True)
    np.testing.assert_allclose(np.asarray(of_x), 36 * squares * A, rtol=1e-13)
    np.testing.assert_allclose(float(of_w), 6 * (squares**2).sum(), rtol=1e-13)


def test_apply_over_axes():
    as_numpy("apply_over_axes", np.sum, A, [0, -1])
    as_numpy("apply_over_axes", lambda a, axis: np.max(a, axis, keepdims=True), A, 1)
    same(fad.jit(lambda x: fnp.apply_over_axes(fnp.sum, x, (0, 1)))(A), A.sum((0, 1))[None, None])


def both(f, *args, **options):
    """vectorize's result here and in NumPy."""
    kwargs = options.pop("kwargs", {})
    expected = np.vectorize(f, **options)(*args, **kwargs)
    same(fnp.vectorize(f, **options)(*args, **kwargs), expected)
    tensors = [fad.asarray(a) if isinstance(a, np.ndarray) else a for a in args]
    same(fnp.vectorize(f, **options)(*tensors, **kwargs), expected)


def test_vectorize():
    def f(x, y=2.0, p=None):
        return x * y if p is None else (x, y + p)

    both(f, A, A[0])
    both(f, A[:, :1], 3.0)
    both(f, A, kwargs={"y": A[0, 0]})
    both(f, A, A[0], kwargs={"p": 5}, excluded={"p"})
    both(f, A, 4.0, kwargs={"p": 5}, excluded={1, "p"})
    both(f, 2.0)
    both(lambda a: a, [1, 2], otypes="f")
    both(lambda a: (a, a), [1, 2], otypes=["f", "i8"])


def test_signatures():
    matvec = "(m,n),(n)->(m)"
    both(lambda a, b: a @ b, A, A[:, 0], signature=matvec)
    both(lambda a, b: a @ b, A, A[0, 0], signature=matvec)
    both(lambda a, b: a @ b, A[0], A[0, 0], signature=matvec)
    both(lambda a: (a.sum(), a[::-1]), A, signature="(n)->(),(n)")
    both(lambda a, b: a + b, A, 2.0, signature="(n),()->(n)")


def test_as_a_decorator_and_its_derivative():
    @fnp.vectorize(signature="()->(n)")
    def powers(x):
        """Powers."""
        return fnp.stack([x, x**2])

    assert powers.__doc__ == "Powers."
    assert fnp.vectorize(powers, doc="other").__doc__ == "other"
    jacobian = fad.jacobian(powers)(np.array([1.0, 3.0]))
    np.testing.assert_array_equal(jacobian, [[[1, 0], [2, 0]], [[0, 1], [0, 6]]])


def test_the_function_is_called_once():
    calls = []
    fnp.vectorize(lambda x: calls.append(1) or x)(A)
    fnp.apply_along_axis(lambda v: calls.append(1) or v, 0, A)
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fnp.apply_along_axis(np.sum, 0, np.zeros((2, 0))), FadValueError, "are 0"),
        (lambda: fnp.apply_along_axis(3, 0, A), FadTypeError, "takes a function"),
        (lambda: fnp.apply_over_axes(lambda a, i: a.sum(), A, 0), FadValueError, "correct shape"),
        (
            lambda: fnp.vectorize(lambda a: a, signature="(m")(A),
            FadValueError,
            "not a valid gufunc",
        ),
        (lambda: fnp.vectorize(np.dot, signature="(n),(n)->()")(A), FadTypeError, "wrong number"),
        (
            lambda: fnp.vectorize(np.dot, signature="(n),(n)->()")(A, A[..., :2]),
            FadValueError,
            "inconsistent size for core dimension 'n': 2 vs 4",
        ),
        (lambda: fnp.vectorize(np.dot, signature="(n),(n)->()")(3.0, A), FadValueError, "axes"),
        (
            lambda: fnp.vectorize(lambda a: (a, a), signature="()->()")(A),
            FadValueError,
            "wrong number of outputs",
        ),
        (lambda: fnp.vectorize(lambda a: a, otypes="fd")(A), FadValueError, "2 otypes for 1"),
        (lambda: fnp.vectorize(lambda a: a if a > 0 else -a)(A), FadError, "fad.numpy.where"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
