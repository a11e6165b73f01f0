"""``kakure space``: say how large a search space is, and whether it can be searched."""

import argparse
from pathlib import Path

from kakure.model.errors import UserError
from kakure.search.cost.analog.model import AnalogModel
from kakure.search.cost.digital.model import DigitalModel
from kakure.search.rounds.checks import check_inputs, exact_search, of_space
from kakure.search.space.description import describe
from kakure.search.space.space_file import load_space

__all__ = ["options", "run"]

MODELS = {"digital": DigitalModel, "analog": AnalogModel}


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("space", type=Path, metavar="SPACE", help="search space (.json)")
    parser.add_argument(
        "--model", choices=tuple(MODELS), default="digital", help="of costs (%(default)s)"
    )


def run(args: argparse.Namespace) -> None:
    """Print it, then refuse what ``kakure search`` would refuse before it trains."""
    space = load_space(args.space)
    print(describe(space), flush=True)
    try:
        check_inputs(space, args.space.parent)
        least = exact_search(space, MODELS[args.model]()).front().area_um2[0]
    except UserError as error:
        raise of_space(error, args.space) from None
    print(f"area        {least} µm² at least within the bounds, {args.model} model")
