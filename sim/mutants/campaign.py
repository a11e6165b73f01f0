"""A campaign of mutants: each is put into a copy of the repository, and its tests are run."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue

from tqdm import tqdm

from model.errors import UserError

from .source_mutants import SourceMutant, chosen, mutants_of
from .test_choice import nearest_tests

__all__ = ["EQUIVALENT", "Summary", "Verdict", "equivalents", "run_campaign"]

FOLDERS = ("hdl", "model")
"""What is mutated."""

COPIED = ("model", "hdl", "sim", "search", "tests", "configs", "docs", ".ci")
COPIED_FILES = ("pyproject.toml", "Makefile", "README.md", "requirements.txt")

EQUIVALENT = Path(__file__).with_name("equivalent.json")
"""Mutants that change nothing that anybody can see, each with the reason."""

TEST_FILES = 8
"""Test files that a mutant must survive; the nearest ones."""

DEADLINE_S = 420.0
"""After so long the tests of a mutant are taken to hang, which is a difference too [s]."""


@dataclass(frozen=True)
class Verdict:
    """What the tests said of a mutant.

    Attributes
    ----------
    mutant : str
        Its name.
    line : int
        In the source file.
    killed_by : str or None
        The test that failed, ``deadline`` where none ended, None where all passed.
    sources, tests : str
        Digests of what the verdict was found on: all sources, and the tests that were run.
    """

    mutant: str
    line: int
    killed_by: str | None
    sources: str
    tests: str


@dataclass(frozen=True)
class Summary:
    """Verdicts of a campaign, sorted out."""

    killed: list[Verdict]
    survived: list[Verdict]
    equivalent: list[Verdict]

    @property
    def share(self) -> float:
        """Killed ones of those that are not equivalent; 1 where there are none."""
        counted = len(self.killed) + len(self.survived)
        return len(self.killed) / counted if counted else 1.0


def equivalents(path: Path = EQUIVALENT) -> dict[str, str]:
    """Names of equivalent mutants, and why each is one."""
    return json.loads(path.read_text(encoding="utf-8"))


def run_campaign(
    root: Path,
    work: Path,
    *,
    count: int,
    seed: int,
    jobs: int,
    only: str = "",
) -> Summary:
    """Judge ``count`` mutants of a repository, drawn by ``seed``; those judged before are kept.

    Parameters
    ----------
    root : Path
        The repository.
    work : Path
        Where verdicts and copies of the repository lie.
    count, seed : int
        How many mutants are drawn, and how.
    jobs : int
        Mutants at a time.
    only : str
        Judge those alone whose name contains it, and anew.

    Raises
    ------
    UserError
        If tests that killed a mutant fail without it too.
    """
    drawn = chosen(mutants_of(root, FOLDERS), count, seed)
    drawn = [mutant for mutant in drawn if only in mutant.name]
    known = {} if only else {verdict.mutant: verdict for verdict in _read(work / "verdicts.jsonl")}
    choice = nearest_tests(root, TEST_FILES)
    sources = _digest(root, sorted(f for p in ("model", "hdl", "sim") for f in _python(root, p)))
    verdicts = {}
    for mutant in drawn:
        verdict = known.get(mutant.name)
        if verdict is not None and verdict.sources == sources:
            ran = choice[mutant.file]
            if verdict.killed_by not in (None, "deadline"):
                ran = [str(verdict.killed_by).partition("::")[0]]
            if _digest(root, ran) == verdict.tests:
                verdicts[mutant.name] = verdict
    open_ones = [mutant for mutant in drawn if mutant.name not in verdicts]
    new = _judged(root, work, open_ones, choice, sources, jobs)
    for verdict in tqdm(new, total=len(open_ones), desc="mutants", unit="mutant"):
        verdicts[verdict.mutant] = verdict
        with (work / "verdicts.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(verdict)) + "\n")
    listed = equivalents()
    found = [verdicts[mutant.name] for mutant in drawn]
    killed = [v for v in found if v.killed_by is not None]
    alive = [v for v in found if v.killed_by is None]
    _check_baseline(root, work, killed)
    return Summary(
        killed,
        [v for v in alive if v.mutant not in listed],
        [v for v in alive if v.mutant in listed],
    )


def _judged(
    root: Path,
    work: Path,
    mutants: Sequence[SourceMutant],
    choice: dict[str, list[str]],
    sources: str,
    jobs: int,
) -> Iterator[Verdict]:
    """Verdicts as they come, each from a copy of the repository that is its own meanwhile."""
    free: SimpleQueue[Path] = SimpleQueue()
    for number in range(min(jobs, max(1, len(mutants)))):
        free.put(_copy(root, work / f"tree-{number}"))

    def judge(mutant: SourceMutant) -> Verdict:
        tree = free.get()
        try:
            killed_by = _killed_by(tree, mutant, choice[mutant.file])
        finally:
            free.put(tree)
        ran = choice[mutant.file]
        if killed_by not in (None, "deadline"):
            ran = [str(killed_by).partition("::")[0]]
        return Verdict(mutant.name, mutant.line, killed_by, sources, _digest(root, ran))

    with ThreadPoolExecutor(jobs) as pool:
        waiting = [pool.submit(judge, mutant) for mutant in mutants]
        try:
            for done in as_completed(waiting):
                yield done.result()
        finally:
            for future in waiting:
                future.cancel()


def _copy(root: Path, tree: Path) -> Path:
    """A fresh copy of the repository, without what is built."""
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    ignored = shutil.ignore_patterns("__pycache__")
    for name in COPIED:
        shutil.copytree(root / name, tree / name, ignore=ignored)
    for name in COPIED_FILES:
        shutil.copyfile(root / name, tree / name)
    return tree


def _killed_by(tree: Path, mutant: SourceMutant, tests: Sequence[str]) -> str | None:
    """Put the mutant in, run the tests until one fails, and put the file back."""
    if not tests:
        return None
    path = tree / mutant.file
    text = path.read_text(encoding="utf-8")
    try:
        path.write_text(mutant.applied(text), encoding="utf-8")
        _forget_compiled(path)
        return _first_failure(tree, tests, DEADLINE_S)
    finally:
        path.write_text(text, encoding="utf-8")
        _forget_compiled(path)


def _forget_compiled(path: Path) -> None:
    """Python takes a file of equal size and second for the one that it compiled."""
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink()


def _first_failure(tree: Path, tests: Sequence[str], deadline_s: float | None) -> str | None:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider"]
    command += ["-p", "no:xdist", "-m", "not full", *tests]
    process = subprocess.Popen(
        command,
        cwd=tree,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=deadline_s)
    except subprocess.TimeoutExpired:
        return "deadline"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode == 0:
        return None
    for line in said.splitlines():
        if line.startswith(("FAILED ", "ERROR ")):
            return line.partition(" ")[2].partition(" - ")[0]  # a name may hold spaces
    if process.returncode == 1:
        return tests[0]
    raise UserError(f"tests of a mutant must run, not end with code {process.returncode}: {said}")


def _check_baseline(root: Path, work: Path, killed: Sequence[Verdict]) -> None:
    """See that what killed the mutants passes without them."""
    tests = sorted({str(v.killed_by) for v in killed} - {"deadline"})
    if not tests:
        return
    key = hashlib.sha256(json.dumps([tests, killed[0].sources]).encode()).hexdigest()
    stamp = work / "baseline"
    if stamp.exists() and stamp.read_text() == key:
        return
    tree = _copy(root, work / "tree-0")
    failed = _first_failure(tree, tests, None)
    if failed is not None:
        raise UserError(f"{failed}: must pass without a mutant, so its verdicts mean nothing")
    stamp.write_text(key)


def _read(path: Path) -> Iterator[Verdict]:
    """Verdicts of earlier runs; a line that a kill has cut is left out."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            yield Verdict(**json.loads(line))
        except (ValueError, TypeError):
            continue


def _python(root: Path, package: str) -> Iterator[str]:
    for path in (root / package).rglob("*.py"):
        yield path.relative_to(root).as_posix()


def _digest(root: Path, files: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for name in files:
        digest.update(name.encode() + b"\0" + (root / name).read_bytes())
    return digest.hexdigest()[:16]
