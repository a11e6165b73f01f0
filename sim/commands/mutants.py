"""``kakure mutants``: a seeded campaign of mutants over hdl/ and model/."""

import argparse
from importlib.util import find_spec
from pathlib import Path

from kakure.model.commands.command import jobs, positive, seed, whole
from kakure.model.errors import UserError
from kakure.model.shown import shown
from kakure.sim.mutants.campaign import TEST_FILES, equivalents, run_campaign
from kakure.sim.mutants.verdict import Summary

__all__ = ["options", "run"]

ROOT = Path(__file__).resolve().parents[2]
NEEDED = {"pytest": "pytest", "pytest_timeout": "pytest-timeout", "xdist": "pytest-xdist"}
"""Modules that the tests need, and the packages that have them: of the group ``dev``."""

LEAST = 0.98
"""Share of the mutants that must be killed, equivalent ones not counted."""


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("--count", type=positive, default=300, help="mutants (%(default)s)")
    parser.add_argument("--seed", type=seed, default=1, help="which ones (%(default)s)")
    parser.add_argument("--jobs", type=jobs, default=2, help="at a time (%(default)s)")
    parser.add_argument(
        "--test-files",
        type=whole(1, TEST_FILES),
        default=TEST_FILES,
        help="how many of the nearest decide (%(default)s)",
    )
    parser.add_argument(
        "--listed", action="store_true", help="judge those of equivalent.json too, after the others"
    )
    parser.add_argument(
        "--only", default="", help="judge anew whose name contains this, listed or not (all)"
    )


def run(args: argparse.Namespace) -> int:
    """Run the campaign and print what it found; 1 if too many survive, or one is listed wrongly."""
    if not (ROOT / "tests").is_dir():
        raise UserError(f"{ROOT}: must be a checkout of the repository, with its tests")
    missing = [package for module, package in NEEDED.items() if find_spec(module) is None]
    if missing:
        raise UserError(
            f"{', '.join(missing)}: must be installed to run the tests",
            advice="make mutants installs them",
        )
    summary = run_campaign(
        ROOT,
        Path("build") / "mutants",
        count=args.count,
        seed=args.seed,
        jobs=args.jobs,
        only=args.only,
        test_files=args.test_files,
        judges_listed=args.listed,
    )
    if summary == Summary([], [], []):
        raise UserError(
            f"--only: must be a part of the name of one of the {args.count} mutants that --count "
            f"and --seed draw, not {shown(args.only)}"
        )
    reasons = equivalents()
    for name in summary.equivalent:
        print(f"EQUIVALENT {name}\n           {reasons[name]}")
    for verdict in summary.refuted:
        print(f"NO EQUIVALENT ONE {verdict.mutant}: {verdict.killed_by} kills it")
    for verdict in summary.survived:
        print(f"SURVIVED   line {verdict.line}: {verdict.mutant}")
    counted = summary.killed or summary.survived
    share = f"{100 * summary.share:.1f} % killed" if counted else "none counts"
    said = "" if args.listed or args.only else ", not judged"
    print(
        f"{len(summary.killed)} killed, {len(summary.survived)} survived, "
        f"{len(summary.equivalent)} equivalent{said}: {share}"
    )
    return 0 if summary.share >= LEAST and not summary.refuted else 1
