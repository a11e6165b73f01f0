"""What messages echo is cut and escaped."""

import os
import subprocess

import pytest

from kakure.model.shown import LONGEST, command_line, one_line, printable, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("conv", "'conv'"),
        ("it's", '"it\'s"'),
        ("a\nb\x1b[31m\x00\u202e\ud800", r"'a\nb\x1b[31m\x00\u202e\ud800'"),
        ("größe", "'größe'"),
        (True, "true"),
        (None, "null"),
        (0.5, "0.5"),
        (float("nan"), "NaN"),
        ([1, 2], "a list"),
        ((1, 2), "a list"),
        ({}, "an object"),
        (b"\x1b", r"b'\x1b'"),
        ("x" * 100, f"'{'x' * 55}...'"),
        (10**100, f"1{'0' * 56}..."),
        (10**5000, "a number of thousands of digits"),
    ],
    ids=range(15),
)
def test_a_value_as_it_is_echoed(value, text):
    assert shown(value) == text
    assert len(text) <= LONGEST


def test_what_a_terminal_would_obey_is_escaped():
    text = "".join(map(chr, range(0x3000)))
    assert printable(text).isprintable()
    assert printable("a b−ü…") == "a b−ü…"


def test_a_message_is_one_line_of_at_most_1000_characters():
    text = one_line("a.json: field: must be\n" + "x" * 5000 + "\rend")
    assert len(text) <= 1000 and text.startswith("a.json: field: must be\\nxx")
    assert text.endswith("xx\\rend") and " ... " in text
    assert one_line("x" * 1000) == "x" * 1000


def test_a_command_is_one_line_that_a_shell_takes_word_by_word():
    words = ["kakure", "a b", "it's", "größe", "", "\udcffa'\\b\n.json", "\x1b1"]
    line = command_line(words)
    assert line.isprintable() and line.startswith("kakure 'a b' ")
    line.encode()
    script = f"for word in {line}; do printf '%s\\0' \"$word\"; done"
    said = subprocess.run(["bash", "-c", script], capture_output=True, check=True).stdout
    assert [os.fsdecode(word) for word in said.split(b"\0")[:-1]] == words
