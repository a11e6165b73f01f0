"""One training at a time of a configuration and a seed: they share a checkpoint."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from kakure.model.errors import UserError

__all__ = ["training_lock"]


@contextmanager
def training_lock(lock: Path, source: Path) -> Iterator[None]:
    """Hold ``lock``; it ends with the process, however that ends.

    Raises
    ------
    UserError
        If another process holds it: the line names ``source``, the configuration's file.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock, blocking=False):
            yield
    except Timeout:
        raise UserError(
            f"a training with this seed is under way already, and holds {lock}: "
            "wait for it, or take another --seed",
            file=source,
        ) from None
