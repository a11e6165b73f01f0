"""Folders of runs: each run has its own, held while it lives and removed when it is over.

Needs nothing of Kakure: the benches that ``make gen`` writes carry a copy of this file.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

__all__ = ["KEPT", "LOCK", "fresh_folder", "held", "keep"]

LOCK = "lock"
"""File in a folder that its process holds locked; the system lets go of it when that ends."""

FAILED = "failed"
"""File in a folder that tells that somebody may want to look into it."""

KEPT = 4
"""Folders of failed runs that stay beside each other, the newest."""


@contextmanager
def held(lock: Path, what: str) -> Iterator[None]:
    """Hold a lock file; where another process holds it, say what is waited for, and wait."""
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
    with held(parent / LOCK, f"it begins in {parent}"):
        _remove_dead(parent, prefix)
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        lock = FileLock(folder / LOCK)
        lock.acquire()
    folder.chmod(0o755)  # others may look, unlike into a temporary folder
    try:
        yield folder
    finally:
        if not (folder / FAILED).exists():
            shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def keep(folder: Path) -> None:
    """Let a folder stay when its run is over: something failed, and it tells why."""
    (folder / FAILED).touch()


def _remove_dead(parent: Path, prefix: str) -> None:
    """Remove folders ``prefix*`` whose process is gone, but for the newest that were kept.

    The caller holds a lock without which no such folder is made.
    """
    kept = []
    for folder in parent.glob(f"{prefix}*/"):
        lock = FileLock(folder / LOCK)
        with suppress(Timeout, FileNotFoundError):
            lock.acquire(timeout=0)
            try:
                if (folder / FAILED).exists():
                    kept.append(((folder / FAILED).stat().st_mtime_ns, folder))
                else:
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                lock.release()
    for _, folder in sorted(kept)[: -(KEPT - 1)]:
        shutil.rmtree(folder, ignore_errors=True)
