"""Files of measurements: a line of JSON each with its checksum, added when it is measured."""

import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from kakure.model.errors import Damaged, UserError
from kakure.model.files.atomic import write_atomically
from kakure.model.files.seal import open_line, seal_line

__all__ = ["append_lines", "digest_of_lines", "read_lines"]

T = TypeVar("T")


def read_lines(
    path: Path,
    parse: Callable[[str], T],
    key: Callable[[T], str],
    *,
    what: str,
    command: str,
    is_mended: bool = False,
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
    is_mended : bool
        Whether lines that are damaged are named on stderr and cut out of the file, so that they
        are measured anew.

    Raises
    ------
    UserError
        If the file cannot be read, or a line of it is damaged or something else.
    """
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}; run {command}", file=path) from None
    found: dict[str, T] = {}
    whole: list[bytes] = []
    for number, line in enumerate(lines, 1):
        text = open_line(line[:-1].decode("utf-8", "replace"))
        if not line.endswith(b"\n"):
            if number == len(lines) and text is None:
                whole.append(line)
                break
            text = None
        try:
            one = parse(text or "")
        except (ValueError, TypeError, KeyError):
            damage = Damaged(f"line {number} is not {what}, or damaged", file=path)
            if not is_mended:
                raise damage.but(f"run {command}") from None
            print(f"{damage}: it is cut out, and measured anew", file=sys.stderr, flush=True)
            continue
        whole.append(line)
        found[key(one)] = one
    if len(whole) < len(lines):
        write_atomically(path, b"".join(whole))
    return [found[name] for name in sorted(found)]


def digest_of_lines(lines: Iterable[str]) -> str:
    """SHA-256 of lines without their checksums, whatever their order: what a fit rests on."""
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def append_lines(path: Path, lines: Sequence[str]) -> None:
    """Add lines with their checksums, after cutting one off that a crash left unfinished."""
    with path.open("ab+") as file:
        text = path.read_bytes()
        if text and not text.endswith(b"\n"):
            file.truncate(text.rfind(b"\n") + 1)
        for line in lines:
            file.write(seal_line(line).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
