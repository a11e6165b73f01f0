"""How a message shows what it was given: on one line, escaped, and cut."""

import json
import os
import shlex
from collections.abc import Iterable

__all__ = ["LONGEST", "command_line", "cut", "one_line", "printable", "shown"]

LONGEST = 60
"""Characters of a value that a message echoes."""

LONGEST_LINE = 1000
"""Characters of a whole message: paths stay whole, and a mistake stays a line."""


def printable(text: str) -> str:
    """Escape what a terminal would obey or hide: control characters, line ends, bidi marks."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def cut(text: str, most: int = LONGEST) -> str:
    """The first characters of a text that is longer than ``most``, and three dots."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def shown(value: object) -> str:
    """A value as a message echoes it: a string in quotes, else JSON where it has any."""
    if isinstance(value, str):
        text = repr(value)
        return text if len(text) <= LONGEST else f"{text[: LONGEST - 4]}...{text[0]}"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    try:
        return cut(json.dumps(value))
    except TypeError:
        return cut(printable(repr(value)))
    except ValueError:  # Python refuses to print a whole number of thousands of digits
        return "a number of thousands of digits"


def command_line(words: Iterable[str]) -> str:
    """A command on one line, as a shell takes it: bash's ``$'...'`` where a word is no text."""
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    if not word or word.isprintable():
        return shlex.quote(word)
    escaped = "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b"'\\" else f"\\x{byte:02x}"
        for byte in os.fsencode(word)
    )
    return f"$'{escaped}'"


def one_line(message: str, most: int = LONGEST_LINE) -> str:
    """A message on one line: escaped, and cut in its middle where it is longer than ``most``."""
    text = printable(message)
    half = (most - 5) // 2
    return text if len(text) <= most else f"{text[:half]} ... {text[-half:]}"
