"""A copy of the repository that mutants are put into, and the tests that are run in it."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from kakure.model.commands.lifetime import tied
from kakure.model.errors import UserError

from .noting import NOTED
from .probes import put_probes
from .source_mutant import SourceMutant

__all__ = ["Measured", "Noted", "Tree"]

LEFT_OUT = ("__pycache__", "build", "data", "*.egg-info", ".git", ".venv", ".*_cache")
"""What is no source."""

PLUGINS = ("-p", "pytest_timeout", "-p", "xdist.plugin", "-p", "no:cacheprovider")
"""Those that tests need; to look for all takes longer than many a test."""

PROBED = ("hdl", "model")
"""Packages whose functions are looked at."""

PLUGIN = Path(__file__).with_name("noting.py")

FAILED, INTERNAL_ERROR = 1, 3
"""Exit codes of pytest, beside 0 where all tests passed."""

TEST_S = 150
"""A test that runs for longer has failed: it hangs [s]."""

TESTS_S = 3600.0
"""If by then no test has failed, none will [s]."""

MEMORY = 12 << 30
"""Address space of a process of the tests; a mutant may ask for any [byte]."""


@dataclass(frozen=True)
class Noted:
    """What was noted of a test.

    Attributes
    ----------
    seconds : float
        That it takes, with its set-up.
    functions : list of str
        That it runs in this process, each as ``file:Class.method``.
    """

    seconds: float
    functions: list[str]


Measured = dict[str, Noted]
"""By test."""


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
        folder = folder.absolute()
        self.folder = folder / "kakure"  # the name that it is imported by
        self._temporary = folder / "tmp"
        self._lock = Lock()
        self._process: subprocess.Popen[str] | None = None
        self._is_stopped = False
        shutil.copytree(root, self.folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
        shutil.copy(PLUGIN, folder)

    def killed_by(self, mutant: SourceMutant, turns: Iterable[Sequence[str]]) -> str | None:
        """Put a mutant in, run tests, turn after turn, until one fails, and put the file back.

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
            failures = (self.first_failure(tests) for tests in turns)
            return next((failure for failure in failures if failure is not None), None)
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
        try:
            code, said = self._run(["-x", "--tb=no"], tests)
        except subprocess.TimeoutExpired:
            return None
        return _failure(code, said, tests)

    def measured(self, tests: Sequence[str]) -> Measured:
        """Run test files; how long each test takes, and which functions it runs.

        Raises
        ------
        UserError
            If the tests do not run within their time, or :meth:`stop` ended them.
        """
        texts = {path: path.read_bytes() for path in self._probed()}
        noted = self.folder / NOTED
        try:
            for path in texts:
                put_probes(self.folder, path.relative_to(self.folder).as_posix())
                _forget_compiled(path)
            code, said = self._run(["--tb=no", "-p", PLUGIN.stem], tests)
            if code not in (0, FAILED):
                raise UserError(f"tests must run, not end with code {code}: {said[-500:]}")
            found = json.loads(noted.read_text(encoding="utf-8"))
        except subprocess.TimeoutExpired as error:
            raise UserError(f"tests must end within {TESTS_S:.0f} s", value=tests) from error
        finally:
            noted.unlink(missing_ok=True)
            for path, text in texts.items():
                path.write_bytes(text)
                _forget_compiled(path)
        return {test: Noted(*one) for test, one in found.items()}

    def _probed(self) -> list[Path]:
        """Files whose functions are looked at."""
        return [path for package in PROBED for path in (self.folder / package).rglob("*.py")]

    def _run(self, options: Sequence[str], tests: Sequence[str]) -> tuple[int, str]:
        """Exit code of pytest, and what it said."""
        listed = self._temporary.with_suffix(".txt")
        listed.write_text("".join(f"{test}\n" for test in tests), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-v", "-m", "not full", *PLUGINS]
        command += ["-o", "addopts=", f"--timeout={TEST_S}", f"--basetemp={self._temporary}"]
        command += [*options, f"@{listed}"]  # a file: there may be thousands
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
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
        resource.prlimit(process.pid, resource.RLIMIT_AS, (MEMORY, MEMORY))
        try:
            said, _ = process.communicate(timeout=TESTS_S)
        finally:
            _end_group(process)
        if self._is_stopped:
            raise UserError("the campaign must be running", value="stopped")
        return process.returncode, said

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
    if code == INTERNAL_ERROR:
        return tests[0]  # importing the mutant has ended pytest
    raise UserError(f"tests of a mutant must run, not end with code {code}: {said[-500:]}")


def _forget_compiled(path: Path) -> None:
    """Python takes a file of equal size and second for the one that it compiled."""
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink()
