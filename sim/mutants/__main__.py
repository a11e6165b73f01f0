"""``python -m kakure.sim.mutants``: a seeded campaign of mutants over hdl/ and model/."""

import argparse
import sys
from pathlib import Path

from kakure.model.commands.command import Parser, jobs, positive, run_command, seed, whole

from .campaign import TEST_FILES, equivalents, run_campaign

__all__ = ["main"]

ROOT = Path(__file__).resolve().parents[2]
LEAST = 0.98
"""Share of the mutants that must be killed, equivalent ones not counted."""


def campaign(args: argparse.Namespace) -> int:
    """Run the campaign and print what it found; 1 if too many mutants survive."""
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


def main(argv: list[str] | None = None) -> int:
    """Run the campaign; 0 if all is well, 1 if too many mutants survive."""
    parser = Parser(prog="python -m kakure.sim.mutants", description=__doc__)
    parser.add_argument("--count", type=positive, default=300, help="mutants (%(default)s)")
    parser.add_argument("--seed", type=seed, default=1, help="which ones (%(default)s)")
    parser.add_argument("--jobs", type=jobs, default=2, help="at a time (%(default)s)")
    parser.add_argument(
        "--test-files",
        type=whole(1, TEST_FILES),
        default=TEST_FILES,
        help="how many of the nearest decide (%(default)s)",
    )
    parser.add_argument("--only", default="", help="judge anew those whose name contains this")
    args = parser.parse_args(argv)
    return run_command(lambda: campaign(args), interrupted="interrupted; the same command goes on")


if __name__ == "__main__":
    sys.exit(main())
