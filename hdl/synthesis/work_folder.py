"""Folders to work in that nobody has to clean up: those of killed processes go with the next."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["work_folder"]

ALIVE = ".alive"
"""File of a folder that its process holds locked."""


@contextmanager
def work_folder(parent: Path, name: str) -> Iterator[Path]:
    """Yield a new folder in ``parent``/work, removed at the end; dead ones are removed before.

    A folder is dead when the process that made it is gone, on this machine or another that shares
    the file system and its locks.
    """
    root = parent / "work"
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # between the making of a folder and its lock
        for other in root.iterdir():
            if other.is_dir() and _is_dead(other):
                shutil.rmtree(other, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(dir=root, prefix=f"{name[:40]}."))
        alive = (folder / ALIVE).open("w")
        fcntl.flock(alive, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        alive.close()


def _is_dead(folder: Path) -> bool:
    try:
        with (folder / ALIVE).open("r+") as alive:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
