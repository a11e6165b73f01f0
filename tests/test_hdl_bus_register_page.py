"""A register map as a page for people."""

from kakure.hdl.bus.register_map import Field, Register
from kakure.hdl.bus.register_page import markdown

FIELDS = (Field("LOW", 0, 1, "Bit."), Field("HIGH", 8, 4, "Four."))
EXAMPLE = (
    Register("A", 0x00, "r", "The first."),
    Register("B", 0x1C, "rw", "The second.", FIELDS),
)


def test_markdown():
    assert markdown(EXAMPLE, "Title").splitlines() == [
        "# Title",
        "",
        "| offset | name | access | meaning |",
        "|---|---|---|---|",
        "| 0x00 | A | r | The first. |",
        "| 0x1C | B | rw | The second. |",
        "| | B.LOW [0] | | Bit. |",
        "| | B.HIGH [11:8] | | Four. |",
    ]
