"""The Liberty format, read into groups."""

import re

import pytest

from kakure.hdl.synthesis.liberty_text import numbers, parse
from kakure.model.errors import UserError

NOTHING = re.compile(r"(?!)")
TEXT = """
library (x) {
  nom : 1.1; /* a comment */
  index_1 ("0.1, \\
            0.2");
  cell ("A") { area : 1; function : "!B"; }
  cell (B) { area : 2; }
}
"""


def test_a_text_becomes_groups():
    (library,) = parse(TEXT, skipped=NOTHING).of("library")
    assert library.name == "x" and library.attributes == {"nom": "1.1"}
    assert numbers(library.lists["index_1"][0]) == (0.1, 0.2)
    assert [cell.name for cell in library.of("cell")] == ["A", "B"]
    assert library.groups[0].attributes == {"area": "1", "function": "!B"}


def test_what_is_skipped_is_not_read():
    (library,) = parse(TEXT, skipped=re.compile(r'cell \("A"\) \{[^}]*\}')).of("library")
    assert [cell.name for cell in library.groups] == ["B"]


def test_a_truncated_file_is_refused():
    with pytest.raises(UserError, match="cut short"):
        parse("library (x) { cell (A) { area : 1;", skipped=NOTHING)
