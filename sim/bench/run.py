"""Simulate this accelerator against its golden vectors: ``python run.py``.

Needs a C++ compiler, make, and the Python packages of requirements.txt in this folder
(``pip install -r requirements.txt``); nothing of Kakure.
"""

import argparse
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent

try:
    from lifetime import end_with_parent
    from outcome import Outcome, progress, read_outcome, run_name
    from simulator import run
    from simulator_cache import compiled, placed
    from vectors import Vectors
    from work_folder import LOCK, fresh_folder, held, keep
except ModuleNotFoundError as error:
    sys.exit(f"error: {error}: pip install -r {HERE / 'requirements.txt'}")

__all__ = ["Bench", "main", "top_module"]

FULL_RATE = "all_images_at_full_rate"
"""The test that compares every image."""


@dataclass(frozen=True)
class Bench:
    """What is simulated, and where.

    Attributes
    ----------
    vectors : Path
        Golden vectors.
    modules : dict of str to str
        Verilog of each file, by its name without ``.v``.
    top : str
        The module that is simulated.
    work : Path
        Folder of this run and no other.
    cache : Path
        Folder of compiled simulators.
    seed : int
        Of random pauses and corruptions.
    verbose : bool
        Whether all that the tools say goes to the terminal.
    """

    vectors: Path
    modules: dict[str, str]
    top: str
    work: Path
    cache: Path
    seed: int
    verbose: bool
    slow_images: int = 8
    corruptions: int = 3

    @property
    def outcome(self) -> Path:
        """Where the bench writes what it compared."""
        return self.work / "outcome.json"

    @property
    def given(self) -> dict[str, Any]:
        """What the bench is told."""
        return {
            "vectors": str(self.vectors.resolve()),
            "outcome": str(self.outcome.resolve()),
            "run": run_name(self.work),
            "slow_images": self.slow_images,
            "corruptions": self.corruptions,
            "seed": self.seed,
        }

    def simulate(self) -> tuple[list[str], Outcome | None]:
        """Run every test of the bench; return what failed, and what was compared if nothing did.

        After a failure it is simulated again with all signals visible, and the waveform is left in
        ``work``/waves/dump.vcd. For logits that differ, each layer's first difference is named.
        """
        self.outcome.unlink(missing_ok=True)
        placed(compiled(self.modules, self.top, self.cache, verbose=self.verbose), self.work)
        tests, failed = run(
            self.work,
            self.top,
            "test_accelerator",
            HERE,
            parameters=self.given,
            quiet=not self.verbose,
            seed=self.seed,
        )
        if failed:
            return self._failures(failed), None
        try:
            outcome = read_outcome(
                self.outcome,
                run=self.given["run"],
                seed=self.seed,
                vectors=self.vectors,
                tests=tests,
            )
        except ValueError as error:
            return [str(error)], None
        return self._shortfalls(outcome), outcome

    def _shortfalls(self, outcome: Outcome) -> list[str]:
        """Where fewer were compared than the golden vectors hold."""
        vectors = Vectors.load(self.vectors)
        wanted = {
            "images": len(vectors.images),
            "logits": sum(map(len, vectors.logits)),
            "results_in_their_cycle": len(vectors.cycles),
            "cycles": vectors.cycles[-1] if vectors.cycles else 0,
        }
        if vectors.counts:
            wanted["counters"] = len(vectors.counts)
        lost = vectors.lost(outcome.declared)
        failures = [lost] if lost else []
        for what, count in wanted.items():
            got = outcome.count(what, FULL_RATE)
            if got != count or not count:
                failures.append(f"{FULL_RATE}: {what}: must be {count or 'some'}, not {got}")
        return failures

    def _failures(self, failed: int) -> list[str]:
        failures = []
        image = None
        failing = []
        for case in ElementTree.parse(self.work / "results-test_accelerator.xml").iter("testcase"):
            for failure in [*case.findall("failure"), *case.findall("error")]:
                said = failure.get("message") or failure.get("type") or "failed"
                message = said.splitlines()[0]
                failing.append(case.get("name", ""))
                failures.append(f"{failing[-1]}: {message}")
                mismatch = re.match(r"MISMATCH image (\d+)", message)
                if image is None and mismatch:
                    image = int(mismatch[1])
        if not failures:
            return [f"{failed} tests failed; see {self.work / 'run.log'}"]
        return failures + self._locate(image, failing[0])

    def _locate(self, image: int | None, test: str) -> list[str]:
        """Run again with all signals visible: the image that differs, or else the failing test."""
        folder = self.work / "waves"
        folder.mkdir(exist_ok=True)
        placed(
            compiled(self.modules, self.top, self.cache, waves=True, verbose=self.verbose), folder
        )
        waveform = f"waveform: {folder / 'dump.vcd'}"
        given = {**self.given, "outcome": str((folder / "outcome.json").resolve())}
        if image is None:
            run(
                folder,
                self.top,
                "test_accelerator",
                HERE,
                parameters=given,
                testcases=[test],
                waves=True,
                seed=self.seed,
            )
            return [waveform]
        report = folder / "difference.txt"
        report.unlink(missing_ok=True)
        given = {**given, "image": image, "report": str(report.resolve())}
        run(folder, self.top, "locate", HERE, parameters=given, waves=True)
        found = report.read_text(encoding="utf-8").splitlines() if report.exists() else []
        return [*(found or [f"image {image} alone does not differ"]), waveform]


def top_module(verilog: Path) -> str:
    """Name of the module that ``files.txt`` lists last: children come first."""
    listed = (verilog / "files.txt").read_text(encoding="utf-8").split()
    if not listed:
        raise ValueError(f"{verilog / 'files.txt'}: must list the modules, the top last")
    return listed[-1].removesuffix(".v")


@contextmanager
def counter(outcome: Path, is_shown: bool) -> Iterator[None]:
    """Show a line that counts on stderr while a bench runs."""
    ended = threading.Event()

    def show() -> None:
        while not ended.wait(0.5):
            state = progress(outcome)
            if state is not None:
                print(f"\r{state[0]} of {state[1]} {state[2]} ", end="", file=sys.stderr)
                sys.stderr.flush()

    shower = threading.Thread(target=show, daemon=True)
    if is_shown:
        shower.start()
    try:
        yield
    finally:
        ended.set()
        if is_shown:
            shower.join()
            print("\r\033[K", end="", file=sys.stderr, flush=True)


@contextmanager
def work_folder(given: Path | None) -> Iterator[Path]:
    """Yield the folder of this run: the one that was given, or a new one."""
    if given is None:
        with fresh_folder(HERE / "work") as folder:
            yield folder
        return
    given.mkdir(parents=True, exist_ok=True)
    with held(given / LOCK, f"it runs in {given}"):
        yield given


def main() -> int:
    """Run the bench of this folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--vectors", type=Path, default=HERE / "vectors.json", help="golden vectors"
    )
    parser.add_argument("--work", type=Path, help="folder of this run (a new one in work/)")
    parser.add_argument(
        "--cache", type=Path, default=HERE / "work" / "simulators", help="compiled simulators"
    )
    parser.add_argument("--seed", type=int, default=1, help="of random pauses and corruptions")
    parser.add_argument("--verbose", action="store_true", help="show all that the tools say")
    parser.add_argument("--quiet", action="store_true", help="only say what failed")
    parser.add_argument("--with-parent", action="store_true", help="end when the caller ends")
    args = parser.parse_args()
    if args.with_parent:
        end_with_parent()
    begin = time.monotonic()
    outcome = None
    try:
        with work_folder(args.work) as work:
            verilog = HERE.parent / "verilog"
            modules = {file.stem: file.read_text(encoding="utf-8") for file in verilog.glob("*.v")}
            top = top_module(verilog)
            bench = Bench(args.vectors, modules, top, work, args.cache, args.seed, args.verbose)
            is_shown = sys.stderr.isatty() and not (args.quiet or args.verbose)
            with counter(bench.outcome, is_shown):
                failures, outcome = bench.simulate()
            if failures:
                keep(work)
    except (RuntimeError, OSError, ValueError) as error:
        failures = [str(error)]
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    for failure in failures:
        print(f"FAIL {failure}")
    if failures or outcome is None:
        return 1
    if not args.quiet:
        print(
            f"PASS {outcome.count('images', FULL_RATE)} images: every logit and every cycle count "
            f"is equal ({outcome.count('logits', FULL_RATE)} logits, "
            f"{outcome.count('cycles', FULL_RATE)} cycles, {len(outcome.tests)} tests, "
            f"{outcome.count('images')} images in all; {time.monotonic() - begin:.0f} s)"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
