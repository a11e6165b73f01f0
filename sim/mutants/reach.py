"""Which tests run which functions, noted once."""

import json
from collections.abc import Sequence
from dataclasses import astuple
from hashlib import sha256
from pathlib import Path

from kakure.model.errors import Damaged
from kakure.model.files.atomic import write_atomically
from kakure.model.files.seal import read_sealed, sealed

from .source_mutant import SourceMutant
from .tree import Measured, Noted

__all__ = ["Reach"]

BY = "name"
"""How functions are called; what was measured when it was by lines is not used."""

SOON_S = 60.0
"""Tests of the first turn take no longer together, as far as was measured [s]."""

FAR_S = 120.0
"""Tests that are not in the nearest files take no longer together, as far as was measured [s]."""


class Reach:
    """What the tests of each file take and run, as far as it was measured.

    What a test runs in another process, or finds made by a test before it, is not known: a mutant
    that survives the tests of its function may still be noticed by others.

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
            own = {test: one for test, one in measured.items() if test.startswith(f"{file}::")}
            tests = {test: astuple(one) for test, one in own.items()}
            content = {"by": BY, "digest": self._digest(file), "tests": tests}
            write_atomically(self._path(file), sealed(json.dumps(content).encode()))
            self._known[file] = own

    def turns(
        self, mutant: SourceMutant, files: Sequence[str], *, is_thorough: bool = False
    ) -> list[Sequence[str]]:
        """Tests that may notice a mutant, those that are quick in the first turn.

        They are the tests that run its function, of ``files`` and, the quickest of them, of all
        others that were measured; where none is known, or ``is_thorough``, all of ``files``.
        """
        noted = {test: one for f in files if self._load(f) for test, one in self._known[f].items()}
        function = f"{mutant.file}:{mutant.function}"
        running = {test: one for test, one in noted.items() if function in one.functions}
        running |= self._far(function, files)
        soon, late, total = [], [], 0.0
        for test, one in sorted((running or noted).items(), key=lambda item: item[1].seconds):
            total += one.seconds
            (soon if total < SOON_S else late).append(test)
        everything = is_thorough or not running or any(map(self._is_unknown, files))
        return [turn for turn in (soon, files if everything else late) if turn]

    def _far(self, function: str, files: Sequence[str]) -> Measured:
        """The quickest tests of other files that run a function."""
        others = (self._known[file] for file in sorted(set(self._known) - set(files)))
        found = {
            t: one for tests in others for t, one in tests.items() if function in one.functions
        }
        chosen, total = {}, 0.0
        for test, one in sorted(found.items(), key=lambda item: item[1].seconds):
            total += one.seconds
            if total < FAR_S:
                chosen[test] = one
        return chosen

    def _is_unknown(self, file: str) -> bool:
        return not self._load(file)

    def _load(self, file: str) -> bool:
        """Whether a test file, as it is, was measured."""
        if file not in self._known:
            try:
                content = json.loads(read_sealed(self._path(file)))
            except Damaged:
                return False
            if (content.get("by"), content["digest"]) != (BY, self._digest(file)):
                return False
            self._known[file] = {test: Noted(*one) for test, one in content["tests"].items()}
        return True

    def _path(self, file: str) -> Path:
        return self._folder / f"{Path(file).stem}.json"

    def _digest(self, file: str) -> str:
        return sha256((self._root / file).read_bytes()).hexdigest()[:16]
