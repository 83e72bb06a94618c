"""Every example in a docstring of fad and in a Markdown page is run, and shows what it says.

An example is self-contained: it imports what it uses. A number in an expected output stands for
every number that rounds to it: ``0.5403`` is met by ``0.5403023058681398``, so that examples stay
readable and do not depend on the last digit of a machine's arithmetic.

In Markdown, Python blocks of one page are run in order and in one namespace. A block with prompts
is checked like a docstring, one without has to run to its end. A block after ``<!-- not run -->``
is left alone.
"""

import doctest
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "fad").rglob("*.py")
)
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])

NUMBER = re.compile(r"(?<![\w.])[+-]?(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][+-]?\d+)?")
FENCED = re.compile(
    r"(?P<skip><!-- not run -->\s*)?^```python\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE
)


class RoundedNumbers(doctest.OutputChecker):
    """Accepts a number that agrees with the expected one to the digits that are written."""

    def check_output(self, want, got, optionflags):
        if super().check_output(want, got, optionflags):
            return True
        wanted, found = NUMBER.findall(want), NUMBER.findall(got)
        if len(wanted) != len(found):
            return False
        pairs = iter(list(zip(wanted, found, strict=True)))

        def settle(match):
            expected, actual = next(pairs)
            return expected if agrees(expected, actual) else actual

        return super().check_output(want, NUMBER.sub(settle, got), optionflags)


def agrees(expected, actual):
    """Whether a number agrees with another to half a unit of the other's last written digit."""
    mantissa, _, exponent = expected.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    tolerance = 0.5 * 10.0 ** (int(exponent or 0) - decimals)
    # The factor forgives the rounding of the tolerance itself, nothing more.
    return abs(float(actual) - float(expected)) <= tolerance * (1 + 1e-9)


def run(test):
    runner = doctest.DocTestRunner(
        RoundedNumbers(),
        verbose=False,
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE,
    )
    report = []
    results = runner.run(test, out=report.append, clear_globs=False)
    if results.failed:
        pytest.fail("".join(report), pytrace=False)


@pytest.mark.parametrize("name", MODULES)
def test_docstrings_of(name):
    module = importlib.import_module(name)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, name):
        test.globs = {"__name__": "__main__"}  # not the module's names: examples import theirs
        run(test)


def run_page(text, filename):
    namespace = {"__name__": "__main__"}
    for match in FENCED.finditer(text):
        if match["skip"]:
            continue
        code, line = match["code"], text.count("\n", 0, match.start("code"))
        if ">>> " in code:
            test = doctest.DocTestParser().get_doctest(code, namespace, filename, filename, line)
            test.globs = namespace  # get_doctest copies, and blocks of a page build on each other
            run(test)
        else:
            exec(compile("\n" * line + code, filename, "exec"), namespace)


@pytest.mark.parametrize("page", PAGES, ids=[str(p.relative_to(ROOT)) for p in PAGES])
def test_examples_in(page):
    run_page(page.read_text("utf-8"), str(page))


# ------------------------------------------------------------------ the checker itself is checked


@pytest.mark.parametrize(
    ("want", "got", "same"),
    [
        ("0.5403", "0.5403023058681398", True),
        ("0.5404", "0.5403023058681398", False),
        ("1e-3", "0.0012", True),
        ("1.0e-3", "0.0012", False),
        ("-0.54", "0.5403", False),
        ("Array([0.84, 2.0])", "Array([0.8415,    2.004])", True),
        ("Array([0.84, 2.0])", "Array([0.8415])", False),
        ("(3,)", "(4,)", False),
        ("float64[3]", "float64[3]", True),
        ("float64", "float32", False),
        ("f(x1) = 2.5", "f(x2) = 2.5", False),
        ("loss ... 0.25", "loss after 7 steps: 0.2500001", True),
    ],
)
def test_expected_numbers_are_rounded_numbers(want, got, same):
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert RoundedNumbers().check_output(want + "\n", got + "\n", flags) is same


PAGE = """
```python
x = 2
```
```python
>>> x + {added}
3
```
<!-- not run -->
```python
raise SystemExit
```
```text
not Python
```
"""


def test_blocks_of_a_page_share_a_namespace():
    run_page(PAGE.format(added=1), "page.md")


def test_a_wrong_page_is_found():
    with pytest.raises(pytest.fail.Exception, match="line 6"):
        run_page(PAGE.format(added=2), "page.md")
    with pytest.raises(ZeroDivisionError):
        run_page("```python\n1 / 0\n```\n", "page.md")
