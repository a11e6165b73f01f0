"""``kakure data``: fetch a data set."""

import argparse

from kakure.model.datasets.fetch import NAMES, fetch

__all__ = ["options", "run"]


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("name", choices=NAMES, help=", ".join(NAMES), metavar="NAME")


def run(args: argparse.Namespace) -> None:
    """Fetch it, and print where it lies."""
    print(fetch(args.name))
