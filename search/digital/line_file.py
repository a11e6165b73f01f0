"""Files of measurements: a line of JSON each, added the moment it is measured."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from model.errors import UserError

__all__ = ["append_lines", "read_lines"]

T = TypeVar("T")


def read_lines(
    path: Path, parse: Callable[[str], T], key: Callable[[T], str], *, what: str, command: str
) -> list[T]:
    """All that a file holds, in order of the keys; of one key the last line counts.

    A last line that was cut off by a crash is left out.

    Parameters
    ----------
    path : Path
    parse : callable
        A line to what it holds; ValueError, TypeError or KeyError if it is something else.
    key : callable
        What tells one measurement from another.
    what, command : str
        What a line is, and what writes the file, for errors.

    Raises
    ------
    UserError
        If the file cannot be read, or a line of it is something else.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}; run {command}") from None
    found: dict[str, T] = {}
    for number, line in enumerate(lines, 1):
        if not line.endswith("\n"):
            break
        try:
            one = parse(line)
        except (ValueError, TypeError, KeyError):
            raise UserError(f"{path}: line {number} is not {what}") from None
        found[key(one)] = one
    return [found[name] for name in sorted(found)]


def append_lines(path: Path, lines: Sequence[str]) -> None:
    """Add lines, after cutting one off that a crash left unfinished."""
    with path.open("ab+") as file:
        text = path.read_bytes()
        if text and not text.endswith(b"\n"):
            file.truncate(text.rfind(b"\n") + 1)
        for line in lines:
            file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
