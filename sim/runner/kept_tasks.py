"""What an interrupted simulation had compared: kept till one like it has ended."""

import json
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kakure.model.commands.command import say
from kakure.model.errors import Damaged
from kakure.model.files.atomic import write_atomically
from kakure.model.files.seal import read_sealed, sealed
from kakure.model.provenance import Provenance, array_digest

from .model_tasks import Task

__all__ = ["KeptTasks"]

OTHERS = 4
"""Folders of other interrupted simulations that stay, the newest."""


class KeptTasks:
    """Counts of finished tasks on disk, each with its checksum and all that decides it.

    Two processes that simulate the same write the same, so none has to wait.

    Parameters
    ----------
    parent : Path
        Where its folder is, beside those of simulations that something else decides.
    provenance : Provenance
        What decides every task, but for its images.
    """

    def __init__(self, parent: Path, provenance: Provenance) -> None:
        self.provenance = provenance
        self.folder = parent / f"kept.{provenance.digest[:16]}"
        others = [folder for folder in parent.glob("kept.*") if folder != self.folder]
        for folder in sorted(others, key=_age)[OTHERS:]:
            shutil.rmtree(folder, ignore_errors=True)

    def find(self, task: Task, images: NDArray[np.uint8]) -> dict[str, int] | None:
        """What was compared in a task that had finished; None if it had not, or is damaged."""
        path = self._path(task)
        if not path.exists():
            return None
        try:
            kept = json.loads(read_sealed(path))
        except Damaged as error:
            say(f"{error}; simulated anew")
            return None
        return kept["counts"] if kept["facts"] == self._facts(task, images) else None

    def add(self, task: Task, images: NDArray[np.uint8], counts: dict[str, int]) -> None:
        """Keep what was compared in a task."""
        kept = {"facts": self._facts(task, images), "counts": counts}
        text = json.dumps(kept, indent=1, sort_keys=True)
        write_atomically(self._path(task), sealed(text.encode()))

    def forget(self) -> None:
        """Remove all: it was told what came of it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, task: Task) -> Path:
        return self.folder / f"{task.test}.{task.first}.{task.count}.json"

    def _facts(self, task: Task, images: NDArray[np.uint8]) -> dict[str, object]:
        return {
            "run": self.provenance.digest,
            "test": task.test,
            "first": task.first,
            "images": array_digest(images),
        }


def _age(folder: Path) -> float:
    with suppress(OSError):
        return -folder.stat().st_mtime
    return 0.0
