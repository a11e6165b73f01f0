"""``kakure mutants``: a seeded campaign of mutants over hdl/ and model/."""

import argparse
from pathlib import Path

from kakure.model.commands.command import jobs, positive, seed, whole
from kakure.model.errors import UserError
from kakure.sim.mutants.campaign import TEST_FILES, equivalents, run_campaign

__all__ = ["options", "run"]

ROOT = Path(__file__).resolve().parents[2]
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
    parser.add_argument("--only", default="", help="judge anew whose name contains this (all)")


def run(args: argparse.Namespace) -> int:
    """Run the campaign and print what it found; 1 if too many mutants survive."""
    if not (ROOT / "tests").is_dir():
        raise UserError(f"{ROOT}: must be a checkout of the repository, with its tests")
    summary = run_campaign(
        ROOT,
        Path("build") / "mutants",
        count=args.count,
        seed=args.seed,
        jobs=args.jobs,
        only=args.only,
        test_files=args.test_files,
    )
    reasons = equivalents()
    for verdict in summary.equivalent:
        print(f"EQUIVALENT {verdict.mutant}\n           {reasons[verdict.mutant]}")
    for verdict in summary.survived:
        print(f"SURVIVED   line {verdict.line}: {verdict.mutant}")
    print(
        f"{len(summary.killed)} killed, {len(summary.survived)} survived, "
        f"{len(summary.equivalent)} equivalent: {100 * summary.share:.1f} % killed"
    )
    return 0 if summary.share >= LEAST else 1
