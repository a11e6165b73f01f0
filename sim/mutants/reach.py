"""Which tests reach which lines: measured once, and only the order of tests depends on it."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from kakure.model.errors import Damaged
from kakure.model.files.atomic import write_atomically
from kakure.model.files.seal import read_sealed, sealed

from .source_mutant import SourceMutant
from .tree import Measured

__all__ = ["Reach"]

Value = TypeVar("Value")

SOON_S = 60.0
"""Tests of the first turn take no longer together, as far as was measured [s]."""


class Reach:
    """What the tests of each file take and reach, as far as it was measured.

    A line may have moved since, and what a test reaches through another process, or finds made by
    a test before it, is not known: so whoever looks for a survivor runs the other tests too.

    Parameters
    ----------
    root : Path
        The repository.
    folder : Path
        Where it is kept; need not exist.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root
        self._folder = folder
        self._known: dict[str, Measured] = {}

    def missing(self, files: Sequence[str]) -> list[str]:
        """Test files that were not measured, or were others then."""
        return [file for file in files if not self._load(file)]

    def keep(self, files: Sequence[str], measured: Measured) -> None:
        """Keep what was measured of some test files, each by itself."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            seconds, reached = _of(file, measured.seconds), _of(file, measured.reached)
            content = {"digest": self._digest(file), "seconds": seconds, "reached": reached}
            write_atomically(self._path(file), sealed(json.dumps(content).encode()))
            self._known[file] = Measured(seconds, reached)

    def turns(self, mutant: SourceMutant, files: Sequence[str]) -> list[Sequence[str]]:
        """Tests that may notice a mutant, the quickest of those that reach it first; then all."""
        first, last = mutant.statement
        seconds: dict[str, float] = {}
        reaching: list[str] = []
        for file in files:
            if self._load(file):
                known = self._known[file]
                seconds |= {test: known.seconds.get(test, 0.0) for test in known.reached}
                for test, lines in known.reached.items():
                    if any(first <= line <= last for line in lines.get(mutant.file, ())):
                        reaching.append(test)
        soon, total = [], 0.0
        for test in sorted(reaching or seconds, key=lambda test: (seconds[test], test)):
            total += seconds[test]
            if total > SOON_S:
                break
            soon.append(test)
        return [soon, files] if soon else [files]

    def _load(self, file: str) -> bool:
        """Whether a test file, as it is, was measured."""
        if file not in self._known:
            try:
                content = json.loads(read_sealed(self._path(file)))
            except Damaged:
                return False
            if content["digest"] != self._digest(file):
                return False
            self._known[file] = Measured(content["seconds"], content["reached"])
        return True

    def _path(self, file: str) -> Path:
        return self._folder / f"{Path(file).stem}.json"

    def _digest(self, file: str) -> str:
        return sha256((self._root / file).read_bytes()).hexdigest()[:16]


def _of(file: str, by_test: Mapping[str, Value]) -> dict[str, Value]:
    """Those tests that are of a file."""
    return {test: value for test, value in by_test.items() if test.startswith(f"{file}::")}
