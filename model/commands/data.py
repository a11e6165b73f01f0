"""``kakure data``: fetch a data set."""

import argparse

from kakure.model.datasets.fetch import fetch
from kakure.model.datasets.table import DATASETS

__all__ = ["options", "run"]


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("name", choices=tuple(DATASETS), help=", ".join(DATASETS), metavar="NAME")


def run(args: argparse.Namespace) -> None:
    """Fetch it, and print where it lies."""
    print(fetch(args.name))
