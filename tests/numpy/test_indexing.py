"""Indexing is NumPy's, its derivative adds back, and loops over indices are one program."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import fad
import fad.numpy as fnp
from fad.core import kernels
from fad.core.errors import FadIndexError, FadTypeError, FadValueError

A = np.arange(60.0).reshape(3, 4, 5)
s = np.s_

BASIC = [
    s[0], s[-1], s[1, 2], s[1, 2, 3], s[-1, 1:3], s[1:3], s[::-1], s[::2], s[:, 3:0:-2], s[...],
    s[..., 1], s[None, 0], s[0, None, ..., None], s[2:2], s[1, 2:2], s[1:-1], s[..., -3:-1],
    s[5:10], s[1:2, 1:2, 1:2], s[:0:-1, 1], s[()], s[0:3, 1:], s[:-1, 0], s[np.int64(2)],
    s[np.array(1)], s[-2:3],
]  # fmt: skip

ADVANCED = [
    s[[0, 2]], s[:, [0, 2]], s[[0, 1], [1, 2]], s[[0, 1], :, [1, 2]], s[:, [0, 1], [1, 2]],
    s[0, :, [1, 2]], s[:, 0, [1, 2]], s[[0, 1], None, [1, 2]], s[:, None, [1, 2]],
    s[np.array([[0, 1], [2, -1]])], s[np.array([[0], [1]]), np.array([[0, 1]])], s[A[:, 0, 0] > 10],
    s[A[:, :, 0] > 10], s[A > 30], s[:, np.array([True, False, True, False])],
    s[A[:, 0, 0] > -1, :, [0, 1, 2]], s[True], s[False], s[True, 0], s[0, True], s[[]], s[:, []],
    s[2:2, [0, 1]], s[0:3, [1, 3], 1:], s[0:2, [1, 3], ::2], s[1, ::-1, [0, 1]],
    s[[[True, False, True, True]] * 3], s[None, [0, 1], None], s[None, True, [0, 1]],
    s[[2, 2, 0, 2]], s[::-1, [-1, -1]], s[np.array([1, 0], np.uint8)],
]  # fmt: skip


@pytest.mark.parametrize("index", BASIC + ADVANCED, ids=repr)
def test_value_and_derivative(index, rng):
    expected = A[index]
    x = fad.asarray(A)
    weights = rng.normal(size=expected.shape)
    value, gradient = fad.value_and_grad(lambda x: fnp.sum(x[index] * weights))(x)
    out = x[index]
    assert out.shape == expected.shape
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_allclose(value, np.sum(expected * weights))
    back = np.zeros_like(A)
    np.add.at(back, index, weights)
    np.testing.assert_allclose(gradient, back)


@settings(max_examples=15)
@given(st.data())
def test_any_basic_index(data):
    shape = data.draw(hnp.array_shapes(max_dims=3, max_side=4))
    a = np.arange(np.prod(shape)).reshape(shape)
    index = data.draw(hnp.basic_indices(shape, allow_newaxis=True, max_dims=5))
    np.testing.assert_array_equal(fad.asarray(a)[index], a[index])


@settings(max_examples=15)
@given(st.data())
def test_any_index_arrays(data):
    shape = data.draw(hnp.array_shapes(min_dims=2, max_dims=3, max_side=4))
    a = np.arange(np.prod(shape)).reshape(shape)
    arrays = data.draw(hnp.integer_array_indices(shape, result_shape=hnp.array_shapes(max_dims=2)))
    where = data.draw(st.integers(0, len(arrays) - 1))
    index = tuple([slice(None) if i == where else e for i, e in enumerate(arrays)])
    np.testing.assert_array_equal(fad.asarray(a)[index], a[index])


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (3, "index 3 is out of bounds for axis 0 with size 3"),
        (-4, "index -4 is out of bounds for axis 0 with size 3"),
        (s[0, 4], "index 4 is out of bounds for axis 1 with size 4"),
        (s[..., 5], "index 5 is out of bounds for axis 2 with size 5"),
        (s[[0, 3]], "index 3 is out of bounds for axis 0 with size 3"),
        (s[:, [-5]], "index -5 is out of bounds for axis 1 with size 4"),
        (s[0, 0, 0, 0], "too many indices: the tensor is 3-dimensional, but 4 were indexed"),
        (s[..., 0, ...], "single ellipsis"),
        (1.0, "only integers, slices"),
        ("a", "only integers, slices"),
        (s[np.array([0.5])], "must be of integer or boolean type, got float64"),
        (s[np.array([True, False])], "along axis 0; size of axis is 3 but size of .* is 2"),
        (s[:, np.ones((4, 4), bool)], "along axis 2; size of axis is 5 but size of .* is 4"),
    ],
    ids=repr,
)
def test_errors(index, message):
    with pytest.raises(FadIndexError, match=message):
        fad.asarray(A)[index]


def test_index_arrays_must_broadcast():
    with pytest.raises(FadValueError, match="indexing: operands could not be broadcast"):
        fad.asarray(A)[[0, 1], [0, 1, 2]]


def test_loops_over_indices_are_one_program():
    x = fad.asarray(np.arange(40.0))
    gradient = fad.grad(lambda x, i: x[i] ** 2 + fnp.sum(x[i : i + 5] * x[-i - 6 : -i - 1]))
    gradient(x, 1)
    before = kernels.compilations()
    for i in range(2, 8):
        out = np.zeros(40)
        out[i] = 2 * i
        np.add.at(out, s[i : i + 5], np.arange(40.0)[-i - 6 : -i - 1])
        np.add.at(out, s[-i - 6 : -i - 1], np.arange(40.0)[i : i + 5])
        np.testing.assert_allclose(gradient(x, i), out)
    assert kernels.compilations() == before


def test_minibatches_are_one_program_from_end_to_end():
    x = fad.asarray(np.arange(12.0))
    gradient = fad.grad(lambda w, i: fnp.sum(x[i : i + 4] * w))
    gradient(1.0, 0)
    before = kernels.compilations()
    assert [float(gradient(1.0, i)) for i in (4, 8)] == [22.0, 38.0]
    assert kernels.compilations() == before


def test_index_tensors_clip_and_count_from_the_end():
    x = fad.asarray([1.0, 2.0, 3.0])
    indices = fad.asarray([0, -1, 7, -9])
    np.testing.assert_array_equal(x[indices], [1.0, 3.0, 3.0, 1.0])
    assert [float(x[i]) for i in indices] == [1.0, 3.0, 3.0, 1.0]
    np.testing.assert_array_equal(fad.jit(lambda x, i: x[i])(x, 1), 2.0)


def test_empty_axis():
    empty = fnp.zeros((0, 2))
    assert empty[[]].shape == (0, 2)
    with pytest.raises(IndexError, match="out of bounds"):
        empty[0]
    with pytest.raises(IndexError, match=r"axis 0 of shape .* is empty"):
        empty[fad.asarray([1])]


def test_masks_need_values():
    x = fad.asarray([1.0, -2.0, 3.0])

    def f(x):
        return fnp.sum(x[x > 0] ** 2)

    np.testing.assert_array_equal(fad.grad(f)(x), [2.0, 0.0, 6.0])
    for transform in (fad.jit, fad.vmap):
        with pytest.raises(FadTypeError, match=r"indexing with a boolean mask.*where"):
            transform(f)(fad.asarray([[1.0, -2.0]]))


def test_iteration_and_unpacking():
    a, b, c = fad.asarray([1.0, 2.0, 3.0])
    assert (float(a), float(b), float(c)) == (1.0, 2.0, 3.0)
    rows = fad.asarray(np.arange(80.0).reshape(40, 2))
    np.testing.assert_array_equal(np.stack([np.asarray(r) for r in rows]), rows)
    gradient = fad.grad(lambda x: sum(fnp.sum(r) * i for i, r in enumerate(x)))(rows)
    np.testing.assert_array_equal(gradient, np.repeat(np.arange(40.0)[:, None], 2, 1))


def test_batched_indexing_of_a_shared_table_is_one_scatter_add(rng):
    table, ids = fad.asarray(rng.normal(size=(6, 2))), np.array([[1, 2], [5, 1], [2, 2]])

    def loss(table):
        return fnp.sum(fad.vmap(lambda i: table[i] ** 2)(ids))

    back = np.zeros((6, 2))
    np.add.at(back, ids, 2 * np.asarray(table)[ids])
    np.testing.assert_allclose(fad.grad(loss)(table), back)
    text = str(fad.make_graph(fad.grad(loss))(table))
    assert text.count("spread") == 1
    assert "sum_to" not in text
    assert "[3,6,2]" not in text


@pytest.mark.parametrize("mode", ["raise", "wrap", "clip"])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_take(mode, axis):
    a = np.arange(12.0).reshape(3, 4)
    indices = [[1, -1], [2, 0]] if mode == "raise" else [[1, -7], [9, 0]]
    expected = np.take(a, indices, axis, mode=mode)
    np.testing.assert_array_equal(fnp.take(a, indices, axis, mode=mode), expected)
    if mode != "raise":
        made = fnp.take(fad.asarray(a), fad.asarray(indices), axis, mode=mode)
        np.testing.assert_array_equal(made, expected)


@pytest.mark.parametrize("axis", [0, 1, -1, None])
def test_take_along_axis(axis, rng):
    a = rng.normal(size=(3, 4))
    indices = rng.integers(-2, 2, size=(3, 2) if axis in (1, -1) else (2, 4) if axis == 0 else (5,))
    expected = np.take_along_axis(a, indices, axis)
    np.testing.assert_array_equal(fnp.take_along_axis(a, indices, axis), expected)
    x = fad.asarray(a)
    np.testing.assert_array_equal(fnp.take_along_axis(x, fad.asarray(indices), axis), expected)
    one = rng.integers(0, 3, size=(1, 4)) if axis == 0 else None
    if one is not None:  # the other axes broadcast
        wide = np.take_along_axis(np.broadcast_to(a[:, :1], (3, 4)), one, 0)
        np.testing.assert_array_equal(fnp.take_along_axis(a[:, :1], one, 0), wide)
    gradient = fad.grad(lambda x: fnp.sum(fnp.take_along_axis(x, indices, axis) ** 2))(x)
    eps = np.zeros_like(a)
    for k in range(a.size):
        step = np.zeros(a.size)
        step[k] = 1.0
        moved = np.take_along_axis(step.reshape(a.shape), indices, axis)
        eps.flat[k] = np.sum(2 * expected * moved)
    np.testing.assert_allclose(gradient, eps)


def test_functions_of_values():
    a = np.array([[0.0, 3.0], [2.0, 0.0]])
    x = fad.asarray(a)
    for name in ("nonzero", "flatnonzero", "argwhere"):
        np.testing.assert_array_equal(getattr(fnp, name)(x), getattr(np, name)(a))
    np.testing.assert_array_equal(fnp.compress([True, False], x, 1), a[:, :1])
    np.testing.assert_array_equal(fnp.extract(x > 1, x), [3.0, 2.0])


def test_delete_and_insert():
    a = np.arange(12.0).reshape(3, 4)
    for index, axis in [(1, 0), (s[::2], 1), ([0, -1], 1), (3, None)]:
        np.testing.assert_array_equal(fnp.delete(a, index, axis), np.delete(a, index, axis))
    for index, values, axis in [
        (1, 7.0, 0), (1, [1.0, 2.0, 3.0], 1), ([1, 3], 9.0, 1), ([2, 0], [[1.0], [2.0]], 0),
        (2, [5.0, 6.0], None), (s[1:3], [7.0, 8.0, 9.0, 6.0], 0),
    ]:  # fmt: skip
        expected = np.insert(a, index, values, axis)
        np.testing.assert_array_equal(fnp.insert(a, index, values, axis), expected)


def test_index_helpers():
    shape = (3, 4, 5)
    flat = np.array([[0, 59], [17, 33]])
    for order in "CF":
        parts = fnp.unravel_index(flat, shape, order)
        np.testing.assert_array_equal(parts, np.unravel_index(flat, shape, order))
        np.testing.assert_array_equal(fnp.ravel_multi_index(parts, shape, order=order), flat)
    a = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(
        fad.asarray(a)[fnp.ix_([0, 2], [1, 3])], a[np.ix_([0, 2], [1, 3])]
    )
    np.testing.assert_array_equal(fad.asarray(a)[fnp.tril_indices(3)], a[np.tril_indices(3)])


def test_indices_computed_from_what_is_indexed():
    x = np.array([0.3, 0.6, 0.8])
    gradient = fad.grad(lambda x: fnp.sum(x[fnp.astype(x * 10, "int64") % 3]))
    for _ in range(4):  # integers on the way are never on the tape, replayed or not
        np.testing.assert_array_equal(np.asarray(gradient(x)), [2.0, 0.0, 1.0])


def test_trimmed_and_compressed():
    x = np.array([0.0, 0.0, 1.0, 0.0, 2.0, 0.0])
    box = np.zeros((4, 5))
    box[1:3, 2] = 3.0
    for trim in ("fb", "F", "b"):
        np.testing.assert_array_equal(np.asarray(fnp.trim_zeros(x, trim)), np.trim_zeros(x, trim))
        for axis in (None, 1, (0,), ()):
            got = np.asarray(fnp.trim_zeros(box, trim, axis))
            np.testing.assert_array_equal(got, np.trim_zeros(box, trim, axis))
    assert fnp.trim_zeros(np.zeros(3)).shape == (0,)
    gradient = fad.grad(lambda x: fnp.sum(np.trim_zeros(x) * np.array([2.0, 3.0, 4.0])))
    np.testing.assert_array_equal(np.asarray(gradient(x)), [0, 0, 2, 3, 4, 0])
    chosen = fad.grad(lambda x: fnp.sum(np.compress([0, 1, 1], x.reshape(2, 3), axis=1) ** 2))
    np.testing.assert_array_equal(np.asarray(chosen(x)), [0, 0, 2, 0, 4, 0])
    with pytest.raises(FadValueError, match="trim must be 'f', 'b' or 'fb', got 'x'"):
        fnp.trim_zeros(x, "x")
    with pytest.raises(FadValueError, match=r"condition must have one axis, got shape \(1, 1\)"):
        fnp.compress([[True]], x)
    with pytest.raises(FadTypeError, match="take cannot write through out="):
        fnp.take(x, 0, out=x)
    with pytest.raises(FadValueError, match="a single number has no axis"):
        fnp.nonzero(3.0)
    for name in ("compress", "extract", "trim_zeros", "argwhere", "flatnonzero"):
        args = (x,) if name not in ("compress", "extract") else (x, x)
        with pytest.raises(FadTypeError, match=f"{name} needs a concrete value"):
            fad.jit(getattr(fnp, name))(*args)
