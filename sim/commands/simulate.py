"""``kakure sim``: simulate an accelerator against the reference, bit for bit."""

import argparse
import sys
from pathlib import Path

from kakure.model.commands.command import positive, seed
from kakure.sim.generation.project import open_project
from kakure.sim.runner.simulate import simulate

__all__ = ["options", "run"]

FIRST = 360
"""Images of a simulation that was not told how many; all, where there are fewer."""


def images(text: str) -> int | str:
    """A number of images, or all."""
    return text if text == "all" else positive(text)


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("config", type=Path, metavar="CONFIG", help="configuration (.json)")
    parser.add_argument(
        "--images", type=images, metavar="N", help=f"test images, or all (the first {FIRST})"
    )
    parser.add_argument("--seed", type=seed, default=1, help="of random pauses (%(default)s)")


def run(args: argparse.Namespace) -> int:
    """Simulate, compare, and print what was found."""
    project = open_project(args.config)
    if args.images is None:
        outcome = simulate(project, FIRST, args.seed, or_fewer=True)
    else:
        count = args.images if isinstance(args.images, int) else None
        outcome = simulate(project, count, args.seed)
    print(outcome.note, end="")
    for failure in outcome.failures:
        print(f"FAIL {failure}", file=sys.stderr)
    if outcome.failures:
        return 1
    print(
        f"PASS {outcome.images}: every logit equal to the reference, every result in the cycle "
        f"of the formula ({outcome.logits} logits, {outcome.cycles} cycles, {outcome.tests} tests; "
        f"{outcome.seconds:.0f} s)"
    )
    return 0
