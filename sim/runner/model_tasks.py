"""Runs of a compiled accelerator: one test each, on some images, in a process of its own."""

import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from kakure.model.commands.lifetime import tied

from .vector_file import VectorWriter

__all__ = ["FULL_RATE", "Program", "Task", "TaskFailed"]

FULL_RATE = "all_images_at_full_rate"
"""The test that compares every image, and every cycle count."""


class TaskFailed(Exception):
    """A test that failed, or a process that ended before it: one line."""


@dataclass(frozen=True)
class Task:
    """What one process does.

    Attributes
    ----------
    test : str
    first, count : int
        Its images.
    """

    test: str
    first: int
    count: int

    @property
    def images(self) -> slice:
        """Where its images are."""
        return slice(self.first, self.first + self.count)

    def __str__(self) -> str:
        last = self.first + self.count - 1
        return f"{self.test} of images {self.first} to {last}"


class Program:
    """A compiled accelerator with its tests.

    Parameters
    ----------
    executable : Path
    writer : VectorWriter
        Of the golden vectors.
    seed : int
        Of random pauses, corruptions, and of what has no value at time 0.
    folder : Path
        For files of this run.
    """

    def __init__(self, executable: Path, writer: VectorWriter, seed: int, folder: Path) -> None:
        self.executable = executable
        self.writer = writer
        self.seed = seed
        self.folder = folder
        self._lock = Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._is_stopped = False

    def tests(self) -> list[str]:
        """Names of all its tests."""
        command = tied([str(self.executable), "--tests"])
        listed = subprocess.run(
            command, stdout=subprocess.PIPE, encoding="utf-8", errors="replace", check=False
        )
        if listed.returncode or FULL_RATE not in listed.stdout.split():
            raise TaskFailed(f"{self.executable}: {_ended(listed.returncode)}, naming no tests")
        return listed.stdout.split()

    def run(
        self, task: Task, images: NDArray[np.uint8], compared: Callable[[], object]
    ) -> dict[str, int]:
        """Run a task on its images; return what was compared and found equal, by kind.

        Raises as :meth:`simulate`.
        """
        return self.simulate(task, self.prepare(task, images), compared)

    def prepare(self, task: Task, images: NDArray[np.uint8]) -> int:
        """Write the golden vectors of a task; return their checksum."""
        return self.writer.write(self._vectors(task), images, task.first)

    def simulate(self, task: Task, crc: int, compared: Callable[[], object]) -> dict[str, int]:
        """Run a task that was prepared; return what was compared and found equal, by kind.

        Start it from a thread that waits for it.

        Parameters
        ----------
        crc : int
            Of its golden vectors.
        compared : callable
            Called whenever another image was compared at full rate.

        Raises
        ------
        TaskFailed
            If something differs or hangs, the process ends early, or it compared too little.
        """
        path = self._vectors(task)
        log = path.with_suffix(".log")
        command = tied([str(self.executable), str(path), task.test, str(self.seed)])
        last = ""
        with log.open("w", encoding="utf-8") as errors:
            process = self._started(command, errors)
            try:
                assert process.stdout is not None
                for line in process.stdout:
                    last = line.rstrip("\n")
                    if last.startswith("image "):
                        compared()
                code = process.wait()
            finally:
                self._ended(process)
        if code == 1 and last.startswith("FAIL "):
            raise TaskFailed(f"{task.test}: {last.removeprefix('FAIL ')}")
        if code or not last.startswith(f"PASS {crc} "):
            lines = log.read_text(errors="replace", encoding="utf-8").splitlines()
            said = [line for line in lines if "rror" in line] or lines or ["nothing"]
            raise TaskFailed(f"{task}: the simulator {_ended(code)}: {said[0]} (log: {log})")
        path.unlink()
        log.unlink()
        counts = {name: int(n) for name, _, n in (w.partition("=") for w in last.split()[2:])}
        self._check(task, counts)
        return counts

    def stop(self) -> None:
        """End every process, and start no other."""
        with self._lock:
            self._is_stopped = True
            for process in self._running:
                process.kill()

    def _vectors(self, task: Task) -> Path:
        return self.folder / f"{task.test}.{task.first}.vectors"

    def _check(self, task: Task, counts: dict[str, int]) -> None:
        """See that everything was compared."""
        if task.test != FULL_RATE:
            if not counts:
                raise TaskFailed(f"{task}: nothing was compared")
            return
        wanted = {
            "images": task.count,
            "logits": task.count * self.writer.config.geometry[-1].outputs,
            "results_in_their_cycle": task.count,
            "cycles": self.writer.cycles(task.count)[-1],
        }
        if self.writer.counters:
            wanted["counters"] = self.writer.counters
        if counts != wanted:
            raise TaskFailed(f"{task}: must compare {wanted}, not {counts}")

    def _started(self, command: list[str], errors) -> subprocess.Popen[str]:
        with self._lock:
            if self._is_stopped:
                raise TaskFailed("stopped")
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                encoding="utf-8",
                errors="replace",
            )
            self._running.add(process)
        return process

    def _ended(self, process: subprocess.Popen[str]) -> None:
        with self._lock:
            self._running.discard(process)
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _ended(code: int) -> str:
    """How a process ended, in words."""
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"
