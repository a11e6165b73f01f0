"""A register map as a C header."""

import re

from kakure.hdl.bus.c_header import c_header
from tests.test_hdl_bus_register_page import EXAMPLE


def test_c_header():
    text = c_header(EXAMPLE, "GUARD_H", {"SIZE": "3u"})
    defined = dict(re.findall(r"^#define (\w+) (\S+)", text, re.MULTILINE))
    assert defined == {
        "KAKURE_SIZE": "3u",
        "KAKURE_A_OFFSET": "0x00u",
        "KAKURE_B_OFFSET": "0x1Cu",
        "KAKURE_B_LOW_SHIFT": "0u",
        "KAKURE_B_LOW_MASK": "0x00000001u",
        "KAKURE_B_HIGH_SHIFT": "8u",
        "KAKURE_B_HIGH_MASK": "0x00000F00u",
    }
    assert text.startswith("#ifndef GUARD_H\n#define GUARD_H\n")
    assert text.endswith("#endif /* GUARD_H */\n")
