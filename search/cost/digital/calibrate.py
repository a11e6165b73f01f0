"""Calibration of the digital model: synthesize the planned samples, fit, report the errors."""

from kakure.model.commands.interrupt import arm

if __name__ == "__main__":
    arm()  # first of all: the other imports take a while

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kakure.hdl.synthesis.flow import CACHE
from kakure.model.commands.command import Parser, jobs, run_command
from kakure.model.errors import UserError
from kakure.model.files.atomic import write_atomically

from .coefficients import COEFFICIENTS
from .fit import fit
from .measured import MEASURED, read_measured, run
from .samples import plan

__all__ = ["main", "report", "to_json"]

STOPPED = "stopped; the same command goes on from here"


def to_json(data: Mapping[str, Any]) -> str:
    """Text of ``coefficients.json``."""
    return json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def report(data: Mapping[str, Any]) -> str:
    """Errors of the fit as a table [%]: blocks by themselves, whole samples, and periods."""
    head = f"{'':22}{'fitted':>8}{'mean':>8}{'max':>8}{'held out':>10}{'mean':>8}{'max':>8}"

    def row(name: str, fitted: Mapping[str, Any], held: Mapping[str, Any]) -> str:
        parts = [f"{name:22}"]
        for entry, width in ((fitted, 8), (held, 10)):
            parts.append(f"{entry['points']:{width}}")
            parts += [f"{100 * entry[key]:8.2f}" for key in ("mean", "max")]
        if "rank_correlation" in held:
            parts.append(f"   rank {held['rank_correlation']:.4f}")
        return "".join(parts)

    empty = {"points": 0, "mean": 0.0, "max": 0.0}
    lines = [f"{data['samples']} samples, {data['tools']['yosys']}, {data['tools']['library']}"]
    lines += ["", "area of one block, its children not counted [%]", head]
    for kind, block in data["blocks"].items():
        lines.append(row(kind, block["fitted"], block["held_out"]))
    lines += ["", "area of whole samples, with all that is below them [%]", head]
    for kind, design in data["designs"].items():
        lines.append(row(kind, design["fitted"], design["held_out"]))
    lines += ["", "of these, drawn after the closed forms were settled [%]", head]
    for kind, design in data["designs"].items():
        if design["validation"]["points"]:
            lines.append(row(kind, empty, design["validation"]))
    lines += ["", "critical path [%]", head]
    for kind, path in sorted(data["period"].items()):
        if isinstance(path, dict) and "terms_ns" in path:
            lines.append(row(kind, path["fitted"], path.get("held_out", empty)))
    lines.append(row("accelerator", empty, data["period"]["accelerator"]["all"]))
    lines += [
        "",
        "clock period by what sets it, held-out samples long enough to set it [%]",
        f"{'':22}{'points':>8}{'ns from':>9}{'to':>7}{'mean':>8}{'max':>8}",
    ]
    for kind, errors in sorted(data["period"]["kinds"].items()):
        low, high = errors["ns"]
        lines.append(
            f"{kind:22}{errors['points']:8}{low:9.2f}{high:7.2f}"
            f"{100 * errors['mean']:8.2f}{100 * errors['max']:8.2f}"
        )
    lines += [
        "",
        "ends of the ranges left out of the fit [%]",
        f"{'':22}{'area':>8}{'mean':>8}{'max':>8}{'path':>10}{'mean':>8}{'max':>8}",
    ]
    for kind, block in data["blocks"].items():
        path = data["period"].get(kind, {}).get("beyond", empty)
        if block["beyond"]["points"] or path["points"]:
            lines.append(row(kind, block["beyond"], path))
    return "\n".join(lines)


def calibrate(options: argparse.Namespace) -> None:
    """Measure what is missing, fit, write the coefficients, and print the errors."""
    samples = plan()
    if options.blocks:
        known = {sample.block for sample in samples}
        wanted = set(options.blocks.split(","))
        if wanted - known:
            wrong = sorted(wanted - known)[0]
            raise UserError(f"--blocks must be of {', '.join(sorted(known))}", value=wrong)
        samples = [sample for sample in samples if sample.block in wanted]
    if not options.fit_only:
        run(
            samples,
            path=options.measured,
            cache=options.cache,
            jobs=options.jobs,
            check=options.check,
        )
    data = fit(read_measured(options.measured))
    write_atomically(options.coefficients, to_json(data).encode())
    print(report(data))
    print(f"\nwrote {options.coefficients}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the calibration; 0 if all is well, 2 for a mistake of the user, 130 if interrupted."""
    parser = Parser(
        prog="python -m kakure.search.cost.digital.calibrate",
        description="Synthesize the planned samples, fit the digital cost model, report errors.",
    )
    parser.add_argument("--jobs", type=jobs, default=2, help="samples at a time")
    parser.add_argument("--blocks", help="measure only these, separated by commas")
    parser.add_argument("--check", action="store_true", help="measure changed generators again")
    parser.add_argument("--fit-only", action="store_true", help="synthesize nothing")
    parser.add_argument("--measured", type=Path, default=MEASURED, help="file of the measurements")
    parser.add_argument("--coefficients", type=Path, default=COEFFICIENTS, help="file to write")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of mapped modules")
    options = parser.parse_args(arguments)
    return run_command(lambda: calibrate(options), interrupted=STOPPED)


if __name__ == "__main__":
    sys.exit(main())
