"""Exceptions from the array API standard have reasons, and are few, and stand in the documents."""

import pytest

import fad.numpy as fnp
from tests.array_api import excepted, groups
from tests.array_api.__main__ import PAGE, exceptions, out_of_date, outcomes

TESTS = [test for group in excepted() for test in group.tests]


def test_every_exception_has_a_reason_and_stands_once():
    assert all(group.reason.endswith(".") and group.tests for group in excepted())
    assert len(set(TESTS)) == len(TESTS)
    assert all(test.startswith("array_api_tests/test_") for test in TESTS)


def test_there_are_few():
    assert len(TESTS) < 75  # as many as JAX's list has


@pytest.mark.parametrize("test", [t for t in TESTS if "test_has_names[" in t])
def test_what_is_missing_is_missing(test):
    """Else the exception is out of date."""
    extension, _, name = test.partition("[")[2].rstrip("]").partition("-")
    assert not hasattr(getattr(fnp, extension, None), name)


def test_the_page_lists_them():
    assert exceptions() in PAGE.read_text("utf-8"), "write it anew: make array-api WRITE=--write"


def test_no_failure_is_in_the_committed_result():
    assert "| failed | 0 |" in PAGE.read_text("utf-8")


def test_a_reason_stands_above_its_tests():
    found = groups("# One\n# reason.\na::b\nc::d\n\n# Another.\ne::f\n")
    assert found == [("One reason.", ["a::b", "c::d"]), ("Another.", ["e::f"])]
    with pytest.raises(ValueError, match="without a reason: a::b"):
        groups("a::b\n# Too late.\n")


def test_outcomes_are_read_from_a_report(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(
        "<testsuites><testsuite>"
        "<testcase classname='array_api_tests.test_array_object' name='test_setitem'/>"
        "<testcase classname='a.b.C' name='d[e]'><failure/></testcase>"
        "<testcase classname='a.b' name='f'><skipped type='pytest.skip'/></testcase>"
        "<testcase classname='a.b' name='g'><skipped type='pytest.xfail'/></testcase>"
        "</testsuite></testsuites>"
    )
    found = outcomes(report)
    assert found == {
        "array_api_tests/test_array_object.py::test_setitem": "passed",
        "a/b.py::C::d[e]": "failed",
        "a/b.py::f": "skipped",
        "a/b.py::g": "excepted",
    }
    assert out_of_date(found) == ["array_api_tests/test_array_object.py::test_setitem"]
