"""Command line of the search: run, space, bench, schema."""

from kakure.model.commands.interrupt import arm

if __name__ == "__main__":
    arm()  # first of all: the other imports take a while

import argparse
import os
import shlex
import sys
import time
from pathlib import Path

from kakure.hdl.emission.artifacts import BUILD
from kakure.model.commands.command import Parser, jobs, run_command, seed, whole, write_or_print
from kakure.model.errors import Infeasible, UserError
from kakure.search.commands import gen
from kakure.search.cost.unfitted import Unfitted
from kakure.search.space.space import Space, describe, json_schema, load_space
from kakure.search.store.parallel import BACKENDS, Workers

__all__ = ["main"]

STORE = BUILD / "search" / "store.sqlite"
SCHEMA = Path("configs/search-schema.json")


def run_search(args: argparse.Namespace) -> None:
    """Search, write the result, say what was found."""
    from kakure.search.rounds.output import check_output, output_folder, write_result
    from kakure.search.rounds.run import Options, search
    from kakure.search.rounds.summary import summary
    from kakure.search.store.store import Store

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
        raise (error.of(args.space) if _is_of_space(error) else error) from None
    command = shlex.join(["python", "-m", "kakure.search", *args.argv])
    seconds = time.monotonic() - start
    best = write_result(result, folder, args.space.parent, command, seconds)
    print(summary(result.record))
    print(f"new evaluations {store.total() - before}, stored in {args.store}")
    print(f"page            {folder / 'index.html'}")
    print(f"configuration   {best}    (make gen CONFIG={best})")


def _is_of_space(error: UserError) -> bool:
    """Whether the space itself must change, not the machine, an option or another file."""
    is_field = bool(error.where) and error.where[0] in Space.model_fields
    return is_field or isinstance(error, Infeasible | Unfitted)


def run_space(args: argparse.Namespace) -> None:
    """Say how large a space is."""
    print(describe(load_space(args.space)))


def run_schema(args: argparse.Namespace) -> None:
    """Write the JSON schema of a space."""
    write_or_print(args.output, json_schema())


def run_bench(args: argparse.Namespace) -> None:
    """Measure the speed."""
    from kakure.search.studies.benchmark import main as bench

    bench()


count = whole(0, 10**6)
"""A number of rounds, or of networks."""


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = Parser(
        prog="python -m kakure.search",
        description="Search network, periphery and precision together.",
    )
    commands = top.add_subparsers(required=True, metavar="command")

    sub = commands.add_parser("run", help="search a space", description="Search a space.")
    sub.set_defaults(run=run_search)
    sub.add_argument("space", type=Path, metavar="SPACE", help="configs/search-*.json")
    sub.add_argument("--model", choices=("digital", "analog"), default="digital", help="of costs")
    sub.add_argument(
        "--rounds",
        type=count,
        default=1,
        help="rounds of search and synthesis; 0 synthesizes nothing (%(default)s)",
    )
    sub.add_argument(
        "--synthesized",
        type=count,
        default=2,
        help="networks of phase 1 that a round synthesizes besides the best configuration and "
        "the least certain one (%(default)s)",
    )
    sub.add_argument("--seed", type=seed, default=1, help="of all trainings (%(default)s)")
    sub.add_argument("--jobs", type=jobs, default=2, help="evaluations at once (%(default)s)")
    sub.add_argument(
        "--backend", choices=BACKENDS, default="local", help="processes here, or a Ray cluster"
    )
    sub.add_argument(
        "--store", type=Path, default=STORE, metavar="FILE", help="finished evaluations"
    )
    sub.add_argument("--output", type=Path, metavar="FOLDER", help="instead of build/search/...")

    sub = commands.add_parser("gen", help="generate hardware", description="Generate hardware.")
    sub.set_defaults(run=gen.run)
    gen.options(sub)

    sub = commands.add_parser("space", help="say how large a space is", description="Describe.")
    sub.set_defaults(run=run_space)
    sub.add_argument("space", type=Path, metavar="SPACE")

    sub = commands.add_parser("bench", help="measure the speed of the search", description="Speed.")
    sub.set_defaults(run=run_bench)

    sub = commands.add_parser("schema", help="write the spaces' schema", description="Schema.")
    sub.set_defaults(run=run_schema)
    sub.add_argument(
        "--output", type=Path, metavar="FILE", default=SCHEMA, help="%(default)s; - prints it"
    )
    return top


def main(argv: list[str] | None = None) -> int:
    """Run a command; 0 if all is well, 2 for a mistake of the user, 130 if interrupted."""
    argv = sys.argv[1:] if argv is None else argv
    args = parser().parse_args(argv)
    args.argv = argv
    resume = "; the same command goes on" if args.run is run_search else ""
    return run_command(lambda: args.run(args), interrupted=f"interrupted{resume}")


if __name__ == "__main__":
    sys.exit(main())
