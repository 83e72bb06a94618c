"""Tensors and transforms where other libraries take arrays and functions of arrays."""

import numpy as np
import pytest

import fad

X = np.linspace(0.0, 1.0, 20)


def quartic(p):
    return ((p - 1.0) ** 4).sum() + (p * p).sum()


def residuals(p):
    return p[0] * X + p[1] - np.sin(6.0 * X)


MINIMUM = 0.4102454876985416  # of the quartic: 4 (p - 1)**3 + 2 p = 0


@pytest.mark.parametrize("method", ["BFGS", "CG", "L-BFGS-B", "SLSQP", "TNC", "trust-exact"])
def test_minimize(method):
    optimize = pytest.importorskip("scipy.optimize")
    hessian = {"hess": fad.hessian(quartic)} if method == "trust-exact" else {}
    found = optimize.minimize(
        lambda p: quartic(fad.asarray(p)), np.zeros(3), jac=fad.grad(quartic), method=method,
        **hessian,
    )  # fmt: skip
    np.testing.assert_allclose(found.x, MINIMUM, atol=1e-4)


def test_least_squares_and_root():
    optimize = pytest.importorskip("scipy.optimize")
    expected = np.polyfit(X, np.sin(6.0 * X), 1)
    fitted = optimize.least_squares(residuals, np.zeros(2), jac=fad.jacobian(residuals))
    np.testing.assert_allclose(fitted.x, expected, rtol=1e-9)
    found = optimize.root(lambda p: p**3 - 2.0, np.ones(2), jac=fad.jacobian(lambda p: p**3 - 2.0))
    np.testing.assert_allclose(found.x, np.cbrt(2.0))


def test_scipy_takes_tensors():
    sparse = pytest.importorskip("scipy.sparse")
    linalg = pytest.importorskip("scipy.linalg")
    x = fad.asarray([1.0, 2.0, 3.0])
    matrix = sparse.csr_matrix(np.diag([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(matrix @ x, [1.0, 4.0, 9.0])
    np.testing.assert_array_equal(x @ matrix, [1.0, 4.0, 9.0])
    np.testing.assert_allclose(linalg.solve(np.eye(3), x), x)


def test_scipys_solver_integrates_a_function_of_tensors():
    integrate = pytest.importorskip("scipy.integrate")
    solution = integrate.solve_ivp(lambda t, z: -2.0 * fad.asarray(z), (0.0, 1.0), np.ones(2))
    np.testing.assert_allclose(solution.y[:, -1], np.exp(-2.0), rtol=1e-2)


def test_scikit_learn_fits_tensors():
    linear_model = pytest.importorskip("sklearn.linear_model")
    x = fad.asarray(X)[:, None]
    model = linear_model.LinearRegression().fit(x, 3.0 * x[:, 0] + 1.0)
    np.testing.assert_allclose(model.coef_, [3.0])


def test_matplotlib_draws_tensors():
    pytest.importorskip("matplotlib")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    x = fad.asarray(X)
    y = np.sin(6.0 * x)
    (line,) = left.plot(x, y)
    np.testing.assert_array_equal(line.get_ydata(), np.asarray(y))
    left.errorbar(x, y, yerr=abs(y))
    left.bar(x, y)
    left.axhline(y[3])
    right.imshow(np.outer(x, y))
    right.hist(y, bins=5)
    figure.canvas.draw()


def test_random_generators_take_tensors():
    rng = np.random.default_rng(0)
    assert rng.normal(fad.asarray(X)).shape == (20,)
    assert rng.permutation(fad.asarray(X)).shape == (20,)


def test_arrays_are_indexed_by_tensors():
    np.testing.assert_array_equal(X[fad.asarray([0, 19])], [0.0, 1.0])
    assert X[fad.asarray(19)] == 1.0
    np.testing.assert_array_equal(X[fad.asarray(X) > 0.9], X[X > 0.9])


def test_atleast_1d_and_copy_give_arrays_outside_transforms_and_tensors_within():
    x = fad.asarray(X)
    for convert in (np.atleast_1d, np.atleast_2d, np.copy):
        assert type(convert(x)) is np.ndarray
        assert convert(x).flags.writeable

        def f(x, convert=convert):
            assert isinstance(convert(x), fad.Tensor)
            return (convert(x) ** 2).sum()

        np.testing.assert_array_equal(np.asarray(fad.grad(f)(X)), 2.0 * X)


def test_values_are_plotted_and_solved_for_in_a_differentiated_function(capsys):
    optimize = pytest.importorskip("scipy.optimize")
    pytest.importorskip("matplotlib")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    def f(a):
        figure = Figure()
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        axes.plot([0.0, 1.0], [1.0, float(a)])
        axes.plot(fad.stop_gradient(a * X))
        axes.set_title(f"{a:.2f} {a}")
        figure.canvas.draw()
        print(a, "%.1f" % a, round(float(a)))  # noqa: UP031
        value = float(a)
        for method in ("BFGS", "SLSQP", "Nelder-Mead"):
            found = optimize.minimize(lambda p: (p[0] - value) ** 2, [0.5], method=method)
            np.testing.assert_allclose(found.x, 2.0, atol=1e-3)
        root = optimize.newton(lambda t: t * t - value, 1.0)
        return a * root

    assert float(fad.grad(f)(2.0)) == pytest.approx(np.sqrt(2.0))
    assert capsys.readouterr().out == "2.0 2.0 2\n"
