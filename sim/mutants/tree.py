"""A copy of the repository that mutants are put into, and the tests that are run in it."""

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import pytest

from kakure.model.commands.lifetime import tied
from kakure.model.errors import UserError

from .source_mutant import SourceMutant

__all__ = ["Tree"]

LEFT_OUT = ("__pycache__", "build", "data", "*.egg-info", ".git", ".venv", ".*_cache")
"""What is no source."""

PLUGINS = ("-p", "pytest_timeout", "-p", "xdist.plugin", "-p", "no:cacheprovider")
"""Those that tests need; to look for all takes longer than many a test."""

TEST_S = 150
"""A test that runs for longer has failed: it hangs [s]."""

TESTS_S = 3600.0
"""If by then no test has failed, none will [s]."""

MEMORY = 12 << 30
"""Address space of a process of the tests; a mutant may ask for any [byte]."""


class Tree:
    """A copy of a repository with at most one mutant in it.

    Parameters
    ----------
    root : Path
        The repository.
    folder : Path
        Of the copy; exists, and holds nothing of these names.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self.folder = folder / "kakure"  # the name that it is imported by
        self._temporary = (folder / "tmp").absolute()
        self._lock = Lock()
        self._process: subprocess.Popen[str] | None = None
        self._is_stopped = False
        shutil.copytree(root, self.folder, ignore=shutil.ignore_patterns(*LEFT_OUT))

    def killed_by(self, mutant: SourceMutant, tests: Sequence[str]) -> str | None:
        """Put a mutant in, run the tests until one fails, and put the file back.

        Returns
        -------
        str or None
            The first test that failed; None where all passed, or there are none.

        Raises
        ------
        UserError
            If the tests do not run, or :meth:`stop` ended them.
        """
        path = self.folder / mutant.file
        text = path.read_text(encoding="utf-8")
        try:
            path.write_text(mutant.applied(text), encoding="utf-8")
            _forget_compiled(path)
            return self.first_failure(tests)
        finally:
            path.write_text(text, encoding="utf-8")
            _forget_compiled(path)

    def first_failure(self, tests: Sequence[str]) -> str | None:
        """Run test files or tests until one fails, hangs, or ends the process; None if none does.

        Raises
        ------
        UserError
            If the tests do not run, or :meth:`stop` ended them.
        """
        if not tests:
            return None
        command = [sys.executable, "-m", "pytest", "-x", "-v", "--tb=no", "-m", "not full"]
        command += [*PLUGINS, "-o", "addopts="]
        command += [f"--timeout={TEST_S}", f"--basetemp={self._temporary}", *tests]
        with self._lock:
            if self._is_stopped:
                raise UserError("the campaign must be running", value="stopped")
            self._process = process = subprocess.Popen(
                tied(command),
                cwd=self.folder,
                env=os.environ
                | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(self.folder.parent)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        resource.prlimit(process.pid, resource.RLIMIT_AS, (MEMORY, MEMORY))
        try:
            said, _ = process.communicate(timeout=TESTS_S)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _end_group(process)
        if self._is_stopped:
            raise UserError("the campaign must be running", value="stopped")
        return _failure(process.returncode, said, tests)

    def stop(self) -> None:
        """End what runs, and let nothing begin any more."""
        with self._lock:
            self._is_stopped = True
            if self._process is not None:
                _end_group(self._process)


def _end_group(process: subprocess.Popen[str]) -> None:
    """End a process and all that it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def _failure(code: int, said: str, tests: Sequence[str]) -> str | None:
    """Which test failed, after what pytest said."""
    if code == 0:
        return None
    lines = said.splitlines()
    for line in lines:
        if line.startswith(("FAILED ", "ERROR ")):
            return line.partition(" ")[2].partition(" - ")[0]  # a name may hold spaces
    begun = [line for line in lines if line.startswith("tests/") and "::" in line]
    if begun:
        return begun[-1].partition(" PASSED ")[0].rstrip()  # it has ended pytest
    if code == pytest.ExitCode.INTERNAL_ERROR:
        return tests[0]  # importing the mutant has ended pytest
    raise UserError(f"tests of a mutant must run, not end with code {code}: {said[-500:]}")


def _forget_compiled(path: Path) -> None:
    """Python takes a file of equal size and second for the one that it compiled."""
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink()
