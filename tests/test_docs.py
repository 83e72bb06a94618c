"""Generated pages say what the library does today."""

import pytest

from docs.generate import is_current, unavailable
from docs.generate.__main__ import PAGES


@pytest.mark.parametrize("page", PAGES, ids=[page.PATH for page in PAGES])
def test_page_is_up_to_date(page):
    why = unavailable(page)
    if why:
        pytest.skip(why)
    assert is_current(page), f"{page.PATH} is out of date: run `make docs` and commit it"


def test_paths_are_distinct():
    assert len({page.PATH for page in PAGES}) == len(PAGES)
