"""``kakure search``: search a space for the best configuration."""

import argparse
import os
import time
from pathlib import Path

from kakure.hdl.emission.artifacts import BUILD
from kakure.model.commands.command import jobs, seed, whole
from kakure.model.errors import UserError
from kakure.search.rounds.checks import of_space
from kakure.search.rounds.output import check_output, output_folder, write_result
from kakure.search.rounds.round import Options
from kakure.search.rounds.run import search
from kakure.search.rounds.summary import summary
from kakure.search.space.space_file import load_space
from kakure.search.store.parallel import BACKENDS, Workers
from kakure.search.store.store import Store

__all__ = ["options", "run"]

STORE = BUILD / "search" / "store.sqlite"

count = whole(0, 10**6)
"""A number of rounds, or of networks."""


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("space", type=Path, metavar="SPACE", help="search space (.json)")
    parser.add_argument(
        "--model", choices=("digital", "analog"), default="digital", help="of costs (%(default)s)"
    )
    parser.add_argument(
        "--rounds",
        type=count,
        default=1,
        help="rounds of search and synthesis; 0 synthesizes nothing (%(default)s)",
    )
    parser.add_argument(
        "--synthesized",
        type=count,
        default=2,
        help="networks of phase 1 that a round synthesizes besides the best configuration and "
        "the least certain one (%(default)s)",
    )
    parser.add_argument("--seed", type=seed, default=1, help="of all trainings (%(default)s)")
    parser.add_argument("--jobs", type=jobs, default=2, help="evaluations at once (%(default)s)")
    parser.add_argument(
        "--backend",
        choices=BACKENDS,
        default="local",
        help="processes here, or a Ray cluster (%(default)s)",
    )
    parser.add_argument(
        "--store",
        type=Path,
        default=STORE,
        metavar="FILE",
        help="finished evaluations (%(default)s)",
    )
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="(build/search/...)")


def run(args: argparse.Namespace) -> None:
    """Search, write the result, say what was found."""
    space = load_space(args.space)
    folder = args.output or output_folder(space)
    check_output(folder)
    # realpath bears a loop of links
    if Path(os.path.realpath(args.store)).is_relative_to(os.path.realpath(folder)):
        raise UserError(
            f"must lie outside {folder}, which is replaced", where=("--store",), file=args.store
        )
    store = Store(args.store)
    if args.model == "analog" and args.rounds:
        raise UserError(
            "must be 0 with the analog model: there is nothing to synthesize", where=("--rounds",)
        )
    options = Options(args.model, args.rounds, args.synthesized, args.seed)
    workers = Workers(args.jobs, args.backend)
    before, start = store.total(), time.monotonic()
    try:
        result = search(space, args.space.parent, options, store, workers, progress=True)
    except UserError as error:
        raise of_space(error, args.space) from None
    seconds = time.monotonic() - start
    best = write_result(result, folder, args.space.parent, args.command, seconds)
    print(summary(result.record))
    print(f"new evaluations {store.total() - before}, stored in {args.store}")
    print(f"page            {folder / 'index.html'}")
    print(f"configuration   {best}    (kakure gen {best})")
