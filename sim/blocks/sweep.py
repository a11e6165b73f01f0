"""Every block over a sweep of its parameters: ``kakure blocks [NAME ...]``."""

import json
import shutil
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from kakure.hdl.emission.artifacts import BUILD
from kakure.hdl.emission.design import Design
from kakure.hdl.emission.emit import emit
from kakure.model.errors import UserError
from kakure.model.files.work_folder import fresh_folder, keep
from kakure.sim.bench.outcome import Outcome, read_outcome, run_name
from kakure.sim.runner.simulator import run
from kakure.sim.runner.simulator_cache import placed

from . import (
    golden_crossbar_tile,
    golden_max_pool,
    golden_pe_array,
    golden_requantizer,
    golden_sliding_window,
    golden_sum_pool,
    golden_weight_generator,
)
from .build_cache import compiled
from .point import Point

__all__ = [
    "BLOCKS",
    "Checked",
    "Failure",
    "check_point",
    "main",
    "points",
    "run_bench",
    "run_point",
    "simulate",
    "sweep",
]

TOP = "dut"
ROOT = Path(__file__).resolve().parents[2]
WORK = BUILD / "sim" / "blocks"
SIMULATOR = "simulator"
"""Said to have failed where no test did."""

GOLDEN = {
    "crossbar_tile": golden_crossbar_tile,
    "weight_generator": golden_weight_generator,
    "pe_array": golden_pe_array,
    "sliding_window": golden_sliding_window,
    "sum_pool": golden_sum_pool,
    "max_pool": golden_max_pool,
    "requantizer": golden_requantizer,
}
BLOCKS = tuple(GOLDEN)
"""Names of the blocks that have a bench."""


def points(block: str, *, quick: bool = False) -> list[Point]:
    """Return the points of a block; with ``quick`` the few that run on every change.

    Raises
    ------
    UserError
        If there is no such block.
    """
    if block not in GOLDEN:
        raise UserError(f"must be one of {', '.join(BLOCKS)}", where=("block",), value=repr(block))
    return [point for point in GOLDEN[block].points() if point.is_quick or not quick]


def run_point(point: Point) -> str | None:
    """Build and run a point; return None, or what failed first and where its waveform is."""
    with fresh_folder(WORK) as folder:
        failure = check_point(point, folder).failure
        if failure is not None:
            keep(folder)
    return failure


@dataclass(frozen=True)
class Checked:
    """What came of a point.

    Attributes
    ----------
    failure : str or None
        What failed first, and where its waveform is.
    vectors, values : int
        How many cases or images the bench ran to their end, and how many payloads or writes it
        compared and found equal, as it counted them itself.
    """

    failure: str | None
    vectors: int = 0
    values: int = 0


def check_point(point: Point, work: Path) -> Checked:
    """Build and run a point in a folder of its own below ``work``, which stays if it fails."""
    number = [other.name for other in points(point.block)].index(point.name)
    folder = work / point.block / str(number)
    failure = simulate(point, emit(point.make(), TOP), folder)
    if failure is not None:
        return Checked(failure)
    try:
        outcome = _compared(folder, folder / "vectors.json")
    except ValueError as error:
        return Checked(f"{point.name}: {error}")
    shutil.rmtree(folder)
    return Checked(None, outcome.count("vectors"), outcome.count("values"))


def simulate(point: Point, design: Design, folder: Path, *, waves: bool = True) -> str | None:
    """Run the bench of a point on any design; return None, or what failed.

    Parameters
    ----------
    waves : bool
        Whether to run what failed once more, for a waveform.
    """
    folder.mkdir(parents=True, exist_ok=True)
    vectors = folder / "vectors.json"
    point.save_vectors(vectors)
    failure = run_bench(point.block, compiled(design), folder, vectors)
    if failure is None:
        return None
    report = f"{point.name}: {failure}"
    if not waves or failure.test == SIMULATOR:
        return report
    executable = compiled(design, waves=True)
    run_bench(point.block, executable, folder / "waves", vectors, test=failure.test)
    return f"{report}; waveform: {(folder / 'waves' / 'dump.vcd').resolve()}"


@dataclass(frozen=True)
class Failure:
    """A test that failed, or the simulator, and what it said."""

    test: str
    message: str

    def __str__(self) -> str:
        return f"{self.test}: {self.message}"


def run_bench(
    block: str, executable: Path, folder: Path, vectors: Path, *, test: str | None = None
) -> Failure | None:
    """Run a bench; return None, or the first failure.

    Parameters
    ----------
    executable : Path
        What :func:`kakure.sim.blocks.build_cache.compiled` returned.
    folder : Path
        Where it runs, and leaves its log and its results.
    vectors : Path
        What it is given.
    test : str or None
        Run only this test, on a simulator made with ``waves``, and leave ``dump.vcd``.
    """
    folder.mkdir(exist_ok=True)
    placed(executable, folder)
    outcome = folder / "outcome.json"
    outcome.unlink(missing_ok=True)
    module = f"kakure.sim.blocks.bench_{block}"
    try:
        tests, _ = run(
            folder.resolve(),
            TOP,
            module,
            ROOT,
            parameters={
                "vectors": str(vectors.resolve()),
                "outcome": str(outcome.resolve()),
                "run": run_name(folder),
            },
            testcases=[test] if test else None,
            waves=test is not None,
        )
    except RuntimeError as error:
        return Failure(SIMULATOR, str(error))
    for case in ElementTree.parse(folder / f"results-{module}.xml").iter("testcase"):
        for problem in (*case.iter("failure"), *case.iter("error")):
            message = problem.get("error_msg") or problem.get("message") or "failed"
            return Failure(case.get("name", "?"), message.splitlines()[0])
    if test is None:
        try:
            _compared(folder, vectors, tests)
        except ValueError as error:
            return Failure(SIMULATOR, str(error))
    return None if tests else Failure(SIMULATOR, "no test ran")


def _compared(folder: Path, vectors: Path, tests: int | None = None) -> Outcome:
    """What a bench compared; ValueError where that is less than the vectors hold."""
    outcome = read_outcome(
        folder / "outcome.json", run=run_name(folder), seed=0, vectors=vectors, tests=tests
    )
    first = outcome.declared[0]  # the test that compares everything, at least once
    wanted = outcome.count("runs", first) * _values(vectors)
    got = outcome.count("values", first)
    if got < wanted or not wanted:
        raise ValueError(f"{first}: must compare {wanted or 'some'} values, not {got}")
    return outcome


def _values(vectors: Path) -> int:
    """How many payloads or writes must come of golden vectors."""
    data = json.loads(vectors.read_text(encoding="utf-8"))
    if "loads" in data:
        writes = [load["writes"].values() for load in data["loads"] if load["error"] == 0]
        return sum(len(port) for ports in writes for port in ports)
    return sum(len(case["outputs"]) - case["extra"] for case in data["cases"])


def sweep(block: str | None = None) -> list[str]:
    """Run all points of a block, or of all blocks; return what failed."""
    return _sweep(BLOCKS if block is None else (block,))


def _sweep(blocks: Sequence[str]) -> list[str]:
    chosen = {block: points(block) for block in blocks}
    failures: list[str] = []
    lines = []
    with (
        fresh_folder(WORK) as work,
        tqdm(
            total=sum(map(len, chosen.values())), unit="point", disable=not sys.stderr.isatty()
        ) as bar,
    ):
        for block, wanted in chosen.items():
            passed = []
            for point in wanted:
                checked = check_point(point, work)
                if checked.failure is not None:
                    failures.append(checked.failure)
                    keep(work)
                    bar.write(f"FAIL {checked.failure}")
                else:
                    passed.append(checked)
                    bar.write(f"PASS {point.name}: {checked.values} values equal")
                bar.update()
            vectors = sum(checked.vectors for checked in passed)
            values = sum(checked.values for checked in passed)
            lines.append(
                f"{block:18}{len(passed):4} of {len(wanted)} points, {vectors} vectors, "
                f"{values} values equal to the reference"
            )
            if not values and not failures:
                failures.append(f"{block}: nothing was compared")
    print("\n".join(lines))
    return failures


def main(names: Sequence[str] = ()) -> int:
    """Run the blocks named, or all; return the exit status."""
    failures = _sweep(names or BLOCKS)
    print("FAILED" if failures else "PASSED: every block equals the reference at every point")
    return 1 if failures else 0
