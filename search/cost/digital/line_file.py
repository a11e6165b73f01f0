"""Files of measurements: a line of JSON each with its checksum, added when it is measured."""

import fcntl
import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from kakure.model.errors import Damaged, UserError
from kakure.model.files.atomic import write_atomically
from kakure.model.files.regular_file import read_regular
from kakure.model.files.seal import open_line, seal_line

__all__ = ["append_lines", "digest_of_lines", "read_lines"]

LARGEST = 1 << 30
"""Largest file of measurements [byte]; those that come with Kakure are a thousand times smaller."""

T = TypeVar("T")

SEAL = b'"sha256"'
"""In every line that was sealed, damaged or not."""


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
        If the file cannot be read, or a line of it is damaged or something else. Also where it is
        mended: if no line was ever sealed, or one is whole and something else, it is another file,
        and stays as it is.
    """
    try:
        lines = read_regular(path, LARGEST).splitlines(keepends=True)
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}; run {command}", file=path) from None
    found: dict[str, T] = {}
    whole: list[bytes] = []
    damages: list[Damaged] = []
    for number, line in enumerate(lines, 1):
        if number == len(lines) and _is_cut_off(line):
            whole.append(line)
            break
        text = open_line(line.removesuffix(b"\n").decode("utf-8", "replace"))
        try:
            one = parse(text or "")
        except (ValueError, TypeError, KeyError):
            damage = Damaged(f"line {number} is not {what}, or damaged", file=path)
            if not is_mended:
                raise damage.but(f"run {command}") from None
            if text is not None:
                raise UserError(
                    f"line {number} is not {what}; move the file away", file=path
                ) from None
            damages.append(damage)
            continue
        whole.append(line)
        found[key(one)] = one
    if lines and not found and not any(SEAL in line for line in lines):
        raise UserError(f"no line is {what}; move the file away", file=path)
    for damage in damages:
        print(f"{damage}: it is cut out, and measured anew", file=sys.stderr, flush=True)
    if damages:
        write_atomically(path, b"".join(whole))
    return [found[name] for name in sorted(found)]


def _is_cut_off(line: bytes) -> bool:
    """Whether a last line may be the beginning of one of ours that a crash left unfinished.

    It is none where the line is whole, with its end, without it, or with another byte in its place.
    """
    if line.endswith(b"\n") or not line.startswith(b"{"):
        return False
    text = line.decode("utf-8", "replace")
    return open_line(text) is None and open_line(text[:-1]) is None


def digest_of_lines(lines: Iterable[str]) -> str:
    """SHA-256 of lines without their checksums, whatever their order: what a fit rests on."""
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def append_lines(path: Path, lines: Sequence[str]) -> None:
    """Add lines with their checksums, after cutting one off that a crash left unfinished.

    What else stands at the end without a line end stays, as a line of its own. Two processes that
    add to one file wait for each other.
    """
    with path.open("ab+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed
        text = path.read_bytes()
        last = text[text.rfind(b"\n") + 1 :]
        if _is_cut_off(last):
            file.truncate(len(text) - len(last))
        elif last:
            file.write(b"\n")
        for line in lines:
            file.write(seal_line(line).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
