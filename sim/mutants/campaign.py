"""A campaign of mutants: each is put into a copy of the repository, and its tests are run."""

import hashlib
import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from tqdm import tqdm

from kakure.model.errors import UserError
from kakure.model.files.seal import open_line, seal_line
from kakure.model.files.work_folder import fresh_folder

from .reach import Reach
from .source_mutant import SourceMutant
from .source_mutants import chosen, mutants_of
from .test_choice import nearest_tests
from .tree import Tree
from .verdict import Summary, Verdict

__all__ = ["EQUIVALENT", "TEST_FILES", "equivalents", "run_campaign"]

FOLDERS = ("hdl", "model")
"""What is mutated."""

OWN = Path(__file__).parent

EQUIVALENT = OWN / "equivalent.json"
"""Mutants that change nothing that anybody can see, each with the reason."""

PORTION = 8
"""Test files that are measured at a time; what was measured is kept when a campaign is ended."""

TEST_FILES = 8
"""Test files that a mutant must survive; the nearest ones."""


Item = TypeVar("Item")
Result = TypeVar("Result")


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
    test_files: int = TEST_FILES,
    listed: Mapping[str, str] | None = None,
    judges_listed: bool = False,
) -> Summary:
    """Judge ``count`` mutants of a repository, drawn by ``seed``.

    A mutant that was judged before on the same sources, and by test files that are still the same,
    is not judged again.

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
        Judge those alone whose name contains it, and anew, by every test of those files; else a
        mutant is judged by those that run its function, as far as they are known.
    test_files : int
        How many test files, the nearest, a mutant must survive.
    listed : mapping
        Equivalent mutants; by default :func:`equivalents`. They are left out: no test fails for
        them, so that each would cost all its tests.
    judges_listed : bool
        Judge them too, after the others; ``only`` does so as well.

    Raises
    ------
    UserError
        If tests do not run, or one that killed a mutant fails without it too.
    """
    drawn = chosen(mutants_of(root, FOLDERS), count, seed)
    drawn = [mutant for mutant in drawn if only in mutant.name]
    listed = equivalents() if listed is None else listed
    equivalent = [mutant.name for mutant in drawn if mutant.name in listed]
    if not (judges_listed or only):
        drawn = [mutant for mutant in drawn if mutant.name not in listed]
    choice = nearest_tests(root, test_files)
    sources = _digest(root, sorted(_sources(root)))
    work.mkdir(parents=True, exist_ok=True)
    store = work / "verdicts.jsonl"
    known = {} if only else {verdict.mutant: verdict for verdict in _read(store)}
    verdicts: dict[str, Verdict] = {}
    for mutant in drawn:
        verdict = known.get(mutant.name)
        if verdict is not None and verdict.sources == sources:
            if verdict.tests == _decided(root, verdict.killed_by, choice[mutant.file]):
                verdicts[mutant.name] = verdict
    open_ones = [mutant for mutant in drawn if mutant.name not in verdicts]
    open_ones.sort(key=lambda mutant: mutant.name in listed)
    reach = Reach(root, work / "reach")
    if not only:
        _measure(root, work, reach, sorted({f for m in open_ones for f in choice[m.file]}), jobs)

    def judge(tree: Tree, mutant: SourceMutant) -> str | None:
        turns = reach.turns(mutant, choice[mutant.file], is_thorough=bool(only))
        return tree.killed_by(mutant, turns)

    with closing(_in_trees(root, work, jobs, open_ones, judge)) as judged:
        for mutant, killed_by in tqdm(judged, total=len(open_ones), desc="mutants", unit="mutant"):
            decided = _decided(root, killed_by, choice[mutant.file])
            verdict = Verdict(mutant.name, mutant.line, killed_by, sources, decided)
            verdicts[mutant.name] = verdict
            _append(store, asdict(verdict))
    found = [verdicts[mutant.name] for mutant in drawn]
    killed = [verdict for verdict in found if verdict.killed_by is not None]
    alive = [verdict for verdict in found if verdict.killed_by is None]
    _check_baseline(root, work, killed)
    refuted = {verdict.mutant for verdict in killed if verdict.mutant in listed}
    return Summary(
        [verdict for verdict in killed if verdict.mutant not in refuted],
        [verdict for verdict in alive if verdict.mutant not in listed],
        [name for name in equivalent if name not in refuted],
        [verdict for verdict in killed if verdict.mutant in refuted],
    )


def _measure(root: Path, work: Path, reach: Reach, files: Sequence[str], jobs: int) -> None:
    """Run test files once, as far as it is not known what their tests take and run."""
    missing = reach.missing(files)
    portions = [missing[start : start + PORTION] for start in range(0, len(missing), PORTION)]
    with (
        closing(_in_trees(root, work, jobs, portions, Tree.measured)) as measured,
        tqdm(total=len(missing), desc="what tests run", unit="file", disable=not missing) as bar,
    ):
        for portion, found in measured:
            reach.keep(portion, found)
            bar.update(len(portion))


def _in_trees(
    root: Path,
    work: Path,
    jobs: int,
    items: Sequence[Item],
    do: Callable[[Tree, Item], Result],
) -> Generator[tuple[Item, Result]]:
    """Items as they are done, and what came of them; each had a tree of its own meanwhile."""
    free: SimpleQueue[Tree] = SimpleQueue()

    def done_with(item: Item) -> tuple[Item, Result]:
        tree = free.get()
        try:
            return item, do(tree, item)
        finally:
            free.put(tree)

    jobs = min(jobs, len(items))
    with ExitStack() as stack:
        folders = [stack.enter_context(fresh_folder(work, "tree.")) for _ in range(jobs)]
        trees = [Tree(root, folder) for folder in folders]
        for tree in trees:
            free.put(tree)
        pool = stack.enter_context(ThreadPoolExecutor(max(1, jobs)))
        waiting = [pool.submit(done_with, item) for item in items]
        try:
            for done in as_completed(waiting):
                yield done.result()
        finally:
            for future in waiting:
                future.cancel()
            for tree in trees:
                tree.stop()


def _check_baseline(root: Path, work: Path, killed: Iterable[Verdict]) -> None:
    """See that what killed the mutants passes without them."""
    passed = work / "baseline.jsonl"
    known = {json.dumps(line) for line in _lines(passed)}
    open_ones = {}
    for verdict in killed:
        line = {"test": verdict.killed_by, "sources": verdict.sources, "tests": verdict.tests}
        if json.dumps(line) not in known:
            open_ones[str(verdict.killed_by)] = line
    if not open_ones:
        return
    with fresh_folder(work, "tree.") as folder:
        failed = Tree(root, folder).first_failure(sorted(open_ones))
    if failed is not None:
        raise UserError(f"{failed}: must pass without a mutant, else its verdicts mean nothing")
    for line in open_ones.values():
        _append(passed, line)


def _decided(root: Path, killed_by: str | None, tests: Sequence[str]) -> str:
    """Digest of the test files that a verdict rests on; of a survivor, of how they are chosen."""
    if killed_by is not None:
        return _digest(root, [killed_by.partition("::")[0]])
    own = sorted(path.name for path in OWN.glob("*.py"))
    chooses = hashlib.sha256(b"".join((OWN / name).read_bytes() for name in own))
    return _digest(root, tests) + chooses.hexdigest()[:4]


def _read(store: Path) -> Iterator[Verdict]:
    """Verdicts of earlier runs."""
    for line in _lines(store):
        yield Verdict(**line)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Objects that were appended to a file; a line that a kill has cut is left out."""
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            text = open_line(line)
            if text is not None:
                yield json.loads(text)


def _append(path: Path, line: Mapping[str, object]) -> None:
    """Add an object as one line, on a line of its own whatever a kill has left there."""
    is_cut = path.exists() and not path.read_bytes().endswith(b"\n")
    with path.open("a", encoding="utf-8") as file:
        file.write("\n" * is_cut + seal_line(json.dumps(line)) + "\n")


def _sources(root: Path) -> Iterator[str]:
    """What a verdict depends on beside the tests; this package only finds it."""
    for package in ("model", "hdl", "sim"):
        for path in (root / package).rglob("*.py"):
            name = path.relative_to(root).as_posix()
            if not name.startswith("sim/mutants/"):
                yield name


def _digest(root: Path, files: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for name in files:
        path = root / name
        text = path.read_bytes() if path.exists() else b""
        digest.update(f"{name}\0{len(text)}\0".encode() + text)
    return digest.hexdigest()[:16]
