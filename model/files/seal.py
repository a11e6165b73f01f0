"""Checksums of files and lines that are kept: what was damaged is found before it is used."""

import re
from hashlib import sha256
from pathlib import Path

from kakure.model.errors import Damaged

__all__ = ["open_line", "opened", "read_sealed", "seal_line", "sealed"]

MARK = b"\nsha256 "
LENGTH = len(MARK) + 64 + 1
"""Of what :func:`sealed` adds [byte]."""

_LINE = re.compile(r',"sha256":"([0-9a-f]{64})"\}')


def sealed(data: bytes) -> bytes:
    """``data``, and its SHA-256 behind it; zip archives and ELF files are still read as such."""
    return data + MARK + sha256(data).hexdigest().encode() + b"\n"


def opened(data: bytes, name: object) -> bytes:
    """Undo :func:`sealed`.

    Parameters
    ----------
    name : str or Path
        What the bytes are, for the error.

    Raises
    ------
    Damaged
        If a byte of them, or of the checksum, is not the one that was written.
    """
    if len(data) < LENGTH or sealed(data[:-LENGTH]) != data:
        raise Damaged(f"{name}: is damaged: its checksum does not match its bytes")
    return data[:-LENGTH]


def read_sealed(path: Path) -> bytes:
    """What was written as :func:`sealed`.

    Raises
    ------
    Damaged
        If it cannot be read, or is not what was written.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Damaged(f"cannot be read: {error.strerror}", file=path) from None
    return opened(data, path)


def seal_line(text: str) -> str:
    """A JSON object in one line, with the SHA-256 of the line as its last key."""
    return f'{text[:-1]},"sha256":"{sha256(text.encode()).hexdigest()}"}}'


def open_line(line: str) -> str | None:
    """Undo :func:`seal_line`; None if the line is damaged, or never was sealed."""
    head, tail = line[:-77], line[-77:]
    found = _LINE.fullmatch(tail)
    text = head + "}"
    if found is None or sha256(text.encode()).hexdigest() != found[1]:
        return None
    return text
