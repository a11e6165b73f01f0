"""Calibration of the digital model: synthesize the planned samples, fit, report the errors."""

import argparse
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kakure.hdl.synthesis.flow import CACHE
from kakure.model.commands.command import jobs
from kakure.model.errors import UserError
from kakure.model.files.atomic import check_writable, write_atomically
from kakure.model.shown import shown

from .coefficients import COEFFICIENTS
from .fit import fit
from .measured import MEASURED, read_measured
from .measured import run as measure
from .samples.plan import plan

__all__ = ["options", "report", "run", "to_json"]


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


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("--jobs", type=jobs, default=2, help="samples at a time (%(default)s)")
    parser.add_argument("--blocks", help="measure only these, separated by commas")
    parser.add_argument("--check", action="store_true", help="measure changed generators again")
    parser.add_argument("--fit-only", action="store_true", help="synthesize nothing")
    parser.add_argument(
        "--measured", type=Path, default=MEASURED, metavar="FILE", help="(%(default)s)"
    )
    parser.add_argument(
        "--coefficients", type=Path, default=COEFFICIENTS, metavar="FILE", help="(%(default)s)"
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=CACHE,
        metavar="FOLDER",
        help="of mapped modules (%(default)s)",
    )


def run(args: argparse.Namespace) -> None:
    """Measure what is missing, fit, write the coefficients, and print the errors."""
    samples = plan()
    if args.blocks is not None:
        known = {sample.block for sample in samples}
        wanted = set(args.blocks.split(","))
        if wanted - known:
            wrong = sorted(wanted - known)[0]
            raise UserError(f"--blocks must be of {', '.join(sorted(known))}", value=shown(wrong))
        samples = [sample for sample in samples if sample.block in wanted]
    check_writable(args.coefficients, "--coefficients")
    if os.path.realpath(args.coefficients) == os.path.realpath(args.measured):
        raise UserError(
            "must be another file than --measured",
            where=("--coefficients",),
            file=args.coefficients,
        )
    if not args.fit_only:
        check_writable(args.measured, "--measured")
        measure(
            samples,
            path=args.measured,
            cache=args.cache,
            jobs=args.jobs,
            check=args.check,
        )
    try:
        data = fit(read_measured(args.measured))
    except UserError as error:
        raise error.of(args.measured) from None
    write_atomically(args.coefficients, to_json(data).encode())
    print(report(data))
    print(f"\nwrote {args.coefficients}")
