"""``kakure bench``: the speed of simulation, synthesis, reference, training and search."""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

from kakure.model.errors import UserError
from kakure.search.studies.benchmark import figures as search_figures
from kakure.search.studies.lam_speed import figures as lam_figures
from kakure.search.studies.training_speed import figures as training_figures
from kakure.sim.benchmark.integers import figures as integer_figures
from kakure.sim.benchmark.measure import FIGURES, figures
from kakure.sim.generation.project import open_project

__all__ = ["options", "run"]

ALONE: dict[str, Callable[[], Iterator[str]]] = {
    "integers": integer_figures,
    "training": training_figures,
    "lam": lam_figures,
}
"""Measurements that a name in the place of a configuration asks for, a line each."""


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument(
        "config",
        nargs="?",
        type=Path,
        metavar="CONFIG",
        help=f"else the search alone; or one of {', '.join(ALONE)}: that alone",
    )
    parser.add_argument(
        "--only", choices=(*FIGURES, "search"), help="what is measured of CONFIG (all)"
    )


def run(args: argparse.Namespace) -> None:
    """Print each figure as it is measured, beside another way to do the same."""
    if str(args.config) in ALONE:
        for line in ALONE[str(args.config)]():
            print(line, flush=True)
        return
    if args.only not in (None, "search") and args.config is None:
        raise UserError("CONFIG: must be there, for that is what --only measures")
    if args.config is not None and args.only != "search":
        project = open_project(args.config)
        print(f"{'':20} {'Kakure':>12} {'unit':10} {'other way':20} {'other':>12} {'ratio':>8}")
        for figure in figures(project, [args.only] if args.only else FIGURES):
            print(
                f"{figure.what:20} {figure.value:12,.2f} {figure.unit:10} {figure.way:20} "
                f"{figure.other:12,.2f} {figure.ratio:7.1f}x",
                flush=True,
            )
    if args.only in (None, "search"):
        for line in search_figures():
            print(line, flush=True)
