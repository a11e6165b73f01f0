"""Tables in pages: what stands outside of their comments stays."""

from functools import partial

import pytest

from kakure.model.errors import UserError
from kakure.search.studies.page import check_page, write_page

FIRST, LAST = "<!-- one -->\n", "<!-- end one -->\n"


def test_only_what_is_between_the_comments_changes(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{FIRST}old\n{LAST}after")
    write_page(page, "one", "new")
    assert page.read_text() == f"before\n{FIRST}\nnew\n\n{LAST}after"


@pytest.mark.parametrize(
    "text", ["", FIRST, LAST, f"a\n{LAST}b\n{FIRST}c\n", FIRST + LAST + LAST, FIRST + FIRST + LAST]
)
def test_comments_that_do_not_enclose_a_table_are_refused(tmp_path, text):
    page = tmp_path / "page.md"
    page.write_text(text)
    for use in (check_page, partial(write_page, text="new")):
        with pytest.raises(UserError, match=r"must hold the lines .* once each, in this order"):
            use(page, "one")
    assert page.read_text() == text


def test_a_page_that_cannot_be_written_is_refused_before_the_work(tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text(FIRST + LAST)
    monkeypatch.setattr(
        "pathlib.Path.touch", lambda *_, **__: (_ for _ in ()).throw(OSError(30, "R/o"))
    )
    with pytest.raises(
        UserError, match=r"--page: must be a file in an existing, writable folder: R/o"
    ):
        check_page(page, "one")
