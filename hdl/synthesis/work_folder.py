"""Folders to work in that nobody has to clean up: those of killed processes go with the next."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["work_folder"]

SUFFIX = ".work"


@contextmanager
def work_folder(parent: Path, name: str) -> Iterator[Path]:
    """Yield a new folder in ``parent``, removed at the end; dead ones are removed before.

    A folder is dead when the process that made it, and holds it locked, is gone, on this machine
    or another that shares the file system and its locks.
    """
    parent.mkdir(parents=True, exist_ok=True)
    with _opened(parent) as whole:
        fcntl.flock(whole, fcntl.LOCK_EX)  # between the making of a folder and its lock
        for other in parent.glob(f"*{SUFFIX}"):
            if _is_dead(other):
                shutil.rmtree(other, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=f"{name[:40]}.", suffix=SUFFIX))
        alive = os.open(folder, os.O_RDONLY)
        fcntl.flock(alive, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(alive)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield number
    finally:
        os.close(number)


def _is_dead(folder: Path) -> bool:
    try:
        with _opened(folder) as alive:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
