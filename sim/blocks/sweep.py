"""Every block over a sweep of its parameters: ``python -m sim blocks [NAME ...]``."""

import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from hdl.artifacts import BUILD
from hdl.design import Design
from hdl.emit import emit
from model.errors import UserError
from sim.simulator import run

from . import (
    golden_crossbar_tile,
    golden_max_pool,
    golden_pe_array,
    golden_requantizer,
    golden_sliding_window,
    golden_weight_generator,
)
from .build_cache import compiled
from .point import Point

__all__ = ["BLOCKS", "Failure", "main", "points", "run_bench", "run_point", "simulate", "sweep"]

TOP = "dut"
ROOT = Path(__file__).resolve().parents[2]
WORK = BUILD / "sim" / "blocks"

GOLDEN = {
    "crossbar_tile": golden_crossbar_tile,
    "weight_generator": golden_weight_generator,
    "pe_array": golden_pe_array,
    "sliding_window": golden_sliding_window,
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
        raise UserError(f"block: must be one of {', '.join(BLOCKS)}, not {block!r}")
    return [point for point in GOLDEN[block].points() if point.is_quick or not quick]


def run_point(point: Point) -> str | None:
    """Build and run a point; return None, or what failed first and where its waveform is."""
    number = [other.name for other in points(point.block)].index(point.name)
    folder = WORK / point.block / str(number)
    return simulate(point, emit(point.make(), TOP), folder)


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
    if not waves:
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
        What :func:`sim.blocks.build_cache.compiled` returned.
    folder : Path
        Where it runs, and leaves its log and its results.
    vectors : Path
        What it is given.
    test : str or None
        Run only this test, on a simulator made with ``waves``, and leave ``dump.vcd``.
    """
    folder.mkdir(exist_ok=True)
    linked = folder / TOP
    linked.unlink(missing_ok=True)
    linked.symlink_to(executable.resolve())
    module = f"sim.blocks.bench_{block}"
    try:
        tests, _ = run(
            folder.resolve(),
            TOP,
            module,
            ROOT,
            parameters={"vectors": str(vectors.resolve())},
            testcases=[test] if test else None,
            waves=test is not None,
        )
    except RuntimeError as error:
        return Failure("simulator", str(error))
    for case in ElementTree.parse(folder / f"results-{module}.xml").iter("testcase"):
        for problem in (*case.iter("failure"), *case.iter("error")):
            message = problem.get("error_msg") or problem.get("message") or "failed"
            return Failure(case.get("name", "?"), message.splitlines()[0])
    return None if tests else Failure("simulator", "no test ran")


def sweep(block: str | None = None) -> list[str]:
    """Run all points of a block, or of all blocks; return what failed."""
    return _sweep(BLOCKS if block is None else (block,))


def _sweep(blocks: Sequence[str]) -> list[str]:
    chosen = [point for block in blocks for point in points(block)]
    failures = []
    with tqdm(total=len(chosen), unit="point", disable=not sys.stderr.isatty()) as bar:
        for point in chosen:
            failure = run_point(point)
            if failure is not None:
                failures.append(failure)
            bar.write(f"PASS {point.name}" if failure is None else f"FAIL {failure}")
            bar.update()
    return failures


def main(names: Sequence[str] = ()) -> int:
    """Run the blocks named, or all; return the exit status."""
    failures = _sweep(names or BLOCKS)
    print("FAILED" if failures else "PASSED: every block equals the reference at every point")
    return 1 if failures else 0
