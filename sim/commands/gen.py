"""``kakure gen``: everything that a configuration stands for, in one folder."""

import argparse
from pathlib import Path

from kakure.model.commands.command import jobs
from kakure.sim.generation.generate import generate
from kakure.sim.generation.project import open_project

__all__ = ["options", "run"]


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("config", type=Path, metavar="CONFIG", help="configuration (.json)")
    parser.add_argument("--no-synth", action="store_true", help="leave out the synthesis")
    parser.add_argument("--jobs", type=jobs, default=2, help="modules at a time (%(default)s)")


def run(args: argparse.Namespace) -> int:
    """Generate, synthesize, and print one page."""
    folder = generate(open_project(args.config), synthesis_jobs=0 if args.no_synth else args.jobs)
    print((folder / "summary.txt").read_text(encoding="utf-8"), end="")
    return 0
