"""``kakure blocks``: simulate single generators over a sweep of parameters."""

import argparse

from kakure.sim.blocks import sweep

__all__ = ["options", "run"]


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(sweep.BLOCKS)}; all if none is named"
    )


def run(args: argparse.Namespace) -> int:
    """Run the benches of single generators."""
    return sweep.main(args.names)
