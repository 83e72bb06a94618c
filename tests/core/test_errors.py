"""Whose line an error names: the user's, not that of a package which calls fad."""

import sysconfig
import threading

import numpy as np
import pytest

import fad
from fad.core.errors import FadValueError

PACKAGE = f"{sysconfig.get_path('purelib')}/solver/steps.py"
SOURCE = """
def solve(f, x):
    return f(x)


def broken():
    import fad
    return fad.grad(lambda x: fad.numpy.dot(x, [1.0]))([1.0, 2.0])
"""


@pytest.fixture
def package():
    """The functions of an installed package."""
    scope = {}
    exec(compile(SOURCE, PACKAGE, "exec"), scope)
    return scope


def mismatch(x):
    return fad.numpy.dot(x, np.ones(2))


def test_an_error_beneath_an_installed_package_names_the_users_line(package):
    line = test_an_error_beneath_an_installed_package_names_the_users_line.__code__.co_firstlineno
    gradient = fad.vmap(fad.numpy.asarray, in_axes=1)  # raises in the call, which the package does
    with pytest.raises(FadValueError) as caught:
        package["solve"](gradient, np.ones(3))
    assert str(caught.value).endswith(f"\n  at {__file__}:{line + 4}")


def test_a_function_of_the_users_within_is_nearer(package):
    with pytest.raises(FadValueError) as caught:
        package["solve"](mismatch, fad.asarray(np.ones(3)))
    assert str(caught.value).endswith(f"\n  at {__file__}:{mismatch.__code__.co_firstlineno + 1}")


def test_a_transform_is_called_where_the_user_stands(package):
    described = []
    package["solve"](fad.grad(lambda x: (described.append(x.level.describe()), x * x)[1]), 1.0)
    assert __file__ in described[0]


def test_where_no_frame_is_the_users_the_package_is(package):
    caught = []

    def keep(arguments):
        caught.append(str(arguments.exc_value))

    before, threading.excepthook = threading.excepthook, keep
    try:
        thread = threading.Thread(target=package["broken"])
        thread.start()
        thread.join()
    finally:
        threading.excepthook = before
    assert caught[0].endswith(f"\n  at {PACKAGE}:8")


@pytest.mark.parametrize(
    "compute",
    [
        lambda huge: fad.asarray(1.5) + huge,
        lambda huge: fad.grad(lambda x: x * huge)(2.0),
        lambda huge: fad.jit(lambda x: huge - x)(2.0),
        lambda huge: fad.vmap(lambda x: x * huge)(np.ones(3)),
        lambda huge: fad.numpy.where(True, fad.asarray(1.5), huge),
        lambda huge: fad.numpy.sin(huge),
        lambda huge: fad.numpy.full(3, huge),
        lambda huge: fad.jit(lambda x: x * 2.0)(huge),
    ],
)
def test_an_integer_too_large_for_any_dtype_is_found_with_the_line(compute):
    for huge in (10**400, -(10**5000)):  # Python does not print the second one
        bits = huge.bit_length()
        message = rf"^Python integer of {bits} bits out of bounds for (float|int)64[^\0]*{__file__}"
        with pytest.raises(OverflowError, match=message) as error:
            compute(huge)
        assert isinstance(error.value, fad.FadError)
