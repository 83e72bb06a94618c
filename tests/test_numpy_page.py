"""The page on NumPy is true: each line of it is called here, on numbers."""

import ast
import inspect

import numpy as np
import pytest

import fad
import fad.numpy as fnp
from docs.generate import numpy as page
from fad.core.errors import FadError

if page.unavailable():
    pytest.skip(page.unavailable(), allow_module_level=True)

ROWS = page.rows()


def named(*statuses, gradient=None):
    rows = [r for r in ROWS if r.status in statuses and gradient in (None, r.gradient)]
    return pytest.mark.parametrize("row", rows, ids=[r.name for r in rows])


@named(page.SUPPORTED, page.UNJITTED, gradient=page.YES)
def test_gradients_are_finite(row):
    run = page.probe(row.name, np if row.dispatched else fnp)
    with page.quiet():
        gradient = page.unjitted(page.total(run, []))
    assert np.isfinite(np.asarray(gradient)).all()


@named(page.SUPPORTED, page.UNJITTED)
def test_values_are_numpys(row):
    if row.name in ("empty", "empty_like"):
        pytest.skip("NumPy's are not initialized")
    with page.quiet():
        expected = page.probe(row.name, np)(page.MATRIX)
        got = page.probe(row.name, fnp if hasattr(fnp, row.name) else np)(fad.asarray(page.MATRIX))
    assert len(got) == len(expected)
    for g, e in zip(got, expected, strict=True):
        assert np.shape(g) == np.shape(e)
        assert np.asarray(g).dtype == np.asarray(e).dtype
        np.testing.assert_allclose(np.asarray(g), np.asarray(e), rtol=1e-12, atol=1e-15)


@named(page.UNJITTED)
def test_what_needs_values_says_so(row):
    run = page.probe(row.name, np if row.dispatched else fnp)
    with page.quiet():
        for transform, m in ((fad.jit, page.MATRIX), (fad.vmap, np.stack([page.MATRIX] * 2))):
            with pytest.raises(FadError, match="value"):
                transform(lambda m: run(m))(m)


@named(page.CONSTANTS, page.REFUSED)
def test_no_derivative_is_lost_in_silence(row):
    """What NumPy computes on constants raises on the tensors of a transform."""
    if not names_in(page.call_of(row.name)) & {"m", "v", "w", "t"}:
        pytest.skip("the call takes no floating-point numbers")
    run = page.probe(row.name, np)
    with page.quiet(), pytest.raises((FadError, AttributeError, TypeError)):
        page.unjitted(page.total(run, []))


def names_in(call):
    return {node.id for node in ast.walk(ast.parse(call)) if isinstance(node, ast.Name)}


# ----------------------------------------------------------------------------------- parameters

FUNCTIONS = [
    r.name
    for r in ROWS
    if hasattr(fnp, r.name)
    and r.status in (page.SUPPORTED, page.UNJITTED)
    and inspect.isroutine(getattr(np, r.name))
]
UFUNCS = [
    r.name for r in ROWS if r.status == page.SUPPORTED and isinstance(getattr(np, r.name), np.ufunc)
]

PRIVATE = {"einsum": {"kwargs"}, "einsum_path": {"einsum_call"}}
"""Parameters that are not for users, or stand for others that are here by name."""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_parameter_of_numpys_is_here(name):
    theirs = inspect.signature(getattr(np, name)).parameters.values()
    ours = inspect.signature(getattr(fnp, name)).parameters
    if any(p.kind is p.VAR_KEYWORD for p in ours.values()):
        return
    named = {p.name for p in theirs if p.kind not in (p.POSITIONAL_ONLY, p.VAR_POSITIONAL)}
    assert named - PRIVATE.get(name, set()) <= set(ours)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_positional_parameters_stand_where_numpys_do(name):
    def order(function):
        parameters = inspect.signature(function).parameters.values()
        return [
            p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]

    theirs, ours = order(getattr(np, name)), order(getattr(fnp, name))
    first = [n for n in theirs if n in ours]
    assert ours[: len(theirs)] == [n if n in first else o for n, o in zip(theirs, ours)]


def with_option(name, **options):
    """The example call with more keywords, which the names in it can be looked up for."""
    tree = ast.parse(page.call_of(name), mode="eval")
    tree.body.keywords += [ast.keyword(k, ast.Name(k, ast.Load())) for k in options]
    code = compile(ast.fix_missing_locations(tree), "<call>", "eval")
    names = {"np": fnp, **page.operands(fad.asarray(page.MATRIX)), **options}
    return eval(code, names)


WRITERS = [
    name for name in FUNCTIONS if "out" in inspect.signature(getattr(np, name)).parameters
] + UFUNCS


@pytest.mark.parametrize("name", WRITERS)
def test_nothing_is_written_through_out(name):
    ufunc = getattr(np, name)
    several = isinstance(ufunc, np.ufunc) and ufunc.nout > 1
    out = (np.zeros(3), np.zeros(3)) if several else np.zeros(3)
    with page.quiet(), pytest.raises(FadError, match="out"):
        with_option(name, out=out)


@pytest.mark.parametrize("name", UFUNCS)
def test_options_of_ufuncs(name):
    with page.quiet():
        with_option(name, casting="unsafe", order="K", subok=True, dtype=None)
        with pytest.raises(FadError, match="signature"):
            with_option(name, signature="dd->d")
        with pytest.raises(FadError, match="where"):
            with_option(name, where=np.array([True, False, True]))
