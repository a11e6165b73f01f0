"""Writing a file so that it is either whole or not there."""

import fcntl
import os
import threading
from contextlib import suppress
from pathlib import Path

__all__ = ["write_atomically"]


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` beside ``path`` under a name of its own, then rename it to ``path``.

    What killed writers of the same path left beside it is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    for other in path.parent.glob(f".{path.name}.*"):
        _remove_dead(other)
    try:
        with beside.open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # the system lets go of it when the writer ends
            file.write(data)
            file.flush()
            beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _remove_dead(beside: Path) -> None:
    """Remove a file that no writer holds."""
    with suppress(OSError), beside.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        beside.unlink()
