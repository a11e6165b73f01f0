"""Folders of runs: each run has its own, held while it lives and removed when it is over.

Needs nothing of Kakure: the benches that ``kakure gen`` writes carry a copy of this file.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

__all__ = ["KEPT", "LOCK", "fresh_folder", "held", "keep", "remove_dead", "temporary_folder"]

LOCK = "lock"
"""File in a folder that its process holds locked; the system lets go of it when that ends."""

FAILED = "failed"
"""File in a folder that tells that somebody may want to look into it."""

MOMENT = 60
"""A folder that gets its name later than this after it was made will not get one any more [s]."""

KEPT = 4
"""Folders of failed runs that stay beside each other, the newest."""


@contextmanager
def held(lock: Path, what: str) -> Iterator[None]:
    """Hold a lock file; where another process holds it, say what is waited for, and wait.

    Raises
    ------
    OSError
        If it cannot be made: nobody would let go of it.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    file = FileLock(lock)
    try:
        file.acquire(timeout=0)
    except Timeout:
        print(f"waiting for another process: {what}", file=sys.stderr, flush=True)
        file.acquire()
    try:
        yield
    finally:
        file.release()


@contextmanager
def fresh_folder(parent: Path, prefix: str = "run.") -> Iterator[Path]:
    """Yield a new folder ``parent/prefix*`` that no other process uses, removed at the end.

    Unless :func:`keep` was called for it: then it stays until :data:`KEPT` newer ones stay too.
    What killed processes left behind in ``parent`` is removed.

    Raises
    ------
    OSError
        If the file system refuses.
    """
    parent.mkdir(parents=True, exist_ok=True)
    remove_dead(parent, prefix)
    new = Path(tempfile.mkdtemp(prefix=f".new.{prefix}", dir=parent))
    with FileLock(new / LOCK):  # it gets its name when it is held, so that nobody takes it for dead
        folder = new.with_name(new.name.removeprefix(".new."))
        new.chmod(0o755)  # others may look, unlike into a temporary folder
        new.rename(folder)
        try:
            yield folder
        finally:
            if not (folder / FAILED).exists():
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def temporary_folder(purpose: str) -> Iterator[Path]:
    """Yield a :func:`fresh_folder` among the system's temporary files, for one user and purpose."""
    with fresh_folder(Path(tempfile.gettempdir()), f"kakure.{os.getuid()}.{purpose}.") as folder:
        yield folder


def keep(folder: Path) -> None:
    """Let a folder stay when its run is over: something failed, and it tells why."""
    (folder / FAILED).touch()


def remove_dead(parent: Path, prefix: str) -> None:
    """Remove folders ``prefix*`` whose process is gone, but for the newest that were kept."""
    for folder in parent.glob(f".new.{prefix}*/"):
        with suppress(FileNotFoundError):
            if folder.stat().st_mtime < time.time() - MOMENT:
                _remove_if_free(folder)
    kept = []
    for folder in parent.glob(f"{prefix}*/"):
        with suppress(FileNotFoundError):
            if (folder / FAILED).exists():
                kept.append(((folder / FAILED).stat().st_mtime_ns, folder))
            else:
                _remove_if_free(folder)
    for _, folder in sorted(kept)[: -(KEPT - 1)]:
        _remove_if_free(folder)


def _remove_if_free(folder: Path) -> None:
    with suppress(Timeout, FileNotFoundError), FileLock(folder / LOCK, timeout=0):
        shutil.rmtree(folder, ignore_errors=True)
