"""``kakure space``: say how large a search space is."""

import argparse
from pathlib import Path

from kakure.search.space.description import describe
from kakure.search.space.space_file import load_space

__all__ = ["options", "run"]


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("space", type=Path, metavar="SPACE", help="search space (.json)")


def run(args: argparse.Namespace) -> None:
    """Print it."""
    print(describe(load_space(args.space)))
