"""Reading files of the user: ordinary ones only, for a device or a pipe may never end."""

import errno
import os
import stat
from pathlib import Path

from kakure.model.errors import UserError

__all__ = ["check_regular", "read_regular"]

KINDS = {
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}
"""What a path may name instead of an ordinary file."""


def check_regular(path: Path | str) -> None:
    """Refuse what is no ordinary file; a link to one will do.

    Raises
    ------
    UserError
        If ``path`` names a device, a pipe or a socket: the line says which. If it cannot be a name.
    OSError
        If it names a folder or nothing, or cannot be looked at.
    """
    try:
        mode = Path(path).stat().st_mode
    except ValueError as error:  # a NUL, or what cannot be encoded
        rule = f"cannot be read: must be the name of a file: {error}"
        raise UserError(rule, file=path) from None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        kind = KINDS.get(stat.S_IFMT(mode), "something else")
        raise UserError("cannot be read: must be an ordinary file", value=kind, file=path)


def _opened(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a pipe that came meanwhile cannot hold us up


def read_regular(path: Path | str, most: int) -> bytes:
    """All of an ordinary file of at most ``most`` bytes.

    Raises
    ------
    UserError
        If it is no ordinary file, or larger.
    OSError
        If it cannot be read.
    """
    check_regular(path)
    with open(path, "rb", opener=_opened) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise UserError(f"cannot be read: must have at most {most} bytes", value="more", file=path)
    return data
