"""Writing a file so that it is either whole or not there."""

import os
import platform
import stat
import threading
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from kakure.model.errors import UserError

__all__ = ["check_writable", "write_atomically"]


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` beside ``path`` under a name of its own, then rename it to ``path``.

    What killed writers of the same path left beside it is removed.

    Raises
    ------
    OSError
        If it cannot be written, as on a full disk; what was at ``path`` stays, and nothing else.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = _beside(path)
    for other in path.parent.glob(f"{_prefix(path)}.*"):
        _remove_dead(other)
    try:
        beside.write_bytes(data)
        beside.replace(path)
    finally:
        with suppress(OSError):  # the reason why it was not written is what counts
            beside.unlink(missing_ok=True)


def _prefix(path: Path) -> str:
    """What stands for a name on this machine, short: a file may have the longest name there is."""
    return f".{sha256(os.fsencode(path.name) + platform.node().encode()).hexdigest()[:16]}"


def _beside(path: Path) -> Path:
    """A name of this thread's own."""
    return path.with_name(f"{_prefix(path)}.{os.getpid()}.{threading.get_ident()}")


def _remove_dead(beside: Path) -> None:
    """Remove a file whose writer has ended."""
    with suppress(ValueError, IndexError, OSError):
        try:
            os.kill(int(beside.name.split(".")[2]), 0)
        except ProcessLookupError:
            beside.unlink()


def check_writable(path: Path, field: str) -> None:
    """See, before hours of work, that a file can be written at ``path``, by making an empty one.

    Raises
    ------
    UserError
        If it cannot; the line names ``path``, ``field`` and the reason.
    """
    try:
        with suppress(FileNotFoundError):
            if not stat.S_ISREG(path.stat().st_mode):
                raise UserError(
                    f"{field}: must be a file in an existing, writable folder",
                    value=f"a {('folder' if path.is_dir() else 'device')}",
                    file=path,
                )
        with suppress(FileNotFoundError):
            path.lstat()  # refuses a name that is too long
        beside = _beside(path)
        try:
            beside.touch(exist_ok=False)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(
            f"{field}: must be a file in an existing, writable folder: {error.strerror}",
            file=path,
        ) from None
    except ValueError as error:  # a NUL, or what cannot be encoded
        raise UserError(f"{field}: must be the name of a file: {error}", file=path) from None
