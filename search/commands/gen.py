"""``kakure gen``: everything that a configuration stands for, in one folder, with its report."""

import argparse
from pathlib import Path

from kakure.model.commands.command import jobs

__all__ = ["options", "run"]


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("config", type=Path, metavar="CONFIG", help="configuration (.json)")
    parser.add_argument("--no-synth", action="store_true", help="leave out the synthesis")
    parser.add_argument("--jobs", type=jobs, default=2, help="modules at a time (%(default)s)")


def run(args: argparse.Namespace) -> None:
    """Generate, synthesize, write the report, and print one page."""
    from kakure.search.report.accelerator import write_report
    from kakure.sim.generation.generate import generate
    from kakure.sim.generation.project import open_project

    synthesis_jobs = 0 if args.no_synth else args.jobs
    project = open_project(args.config)
    folder = generate(project, synthesis_jobs=synthesis_jobs, report=write_report)
    print((folder / "summary.txt").read_text(encoding="utf-8"), end="")
    print(f"report      {folder / 'report.html'}")
