"""``kakure sim``: simulate an accelerator against the reference, bit for bit."""

import argparse
import os
import sys
from pathlib import Path

from kakure.model.commands.command import jobs, positive, seed
from kakure.model.commands.planes_option import check_planes
from kakure.model.errors import UserError
from kakure.sim.generation.project import open_project
from kakure.sim.runner.simulate import simulate
from kakure.sim.runner.simulate_model import simulate_model

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
    parser.add_argument(
        "--runner",
        choices=("cocotb", "compiled"),
        default="cocotb",
        help="who drives the buses: the bench that kakure gen writes, which names the layer where "
        "something differs, or a compiled program, which is faster and goes on after a kill "
        "(%(default)s)",
    )
    parser.add_argument(
        "--planes", type=positive, metavar="N", help="of bitwise weights, the first ones (all)"
    )
    parser.add_argument(
        "--jobs", type=jobs, help="compiled programs at a time (one for each processor)"
    )


def run(args: argparse.Namespace) -> int:
    """Simulate, compare, and print what was found."""
    is_compiled = args.runner == "compiled"
    if args.jobs is not None and not is_compiled:
        raise UserError("--jobs: must come with --runner compiled: cocotb runs one at a time")
    project = open_project(args.config)
    if args.planes is not None:
        check_planes(project.config, args.planes)
    or_fewer = args.images is None
    count = FIRST if or_fewer else None if args.images == "all" else args.images
    if is_compiled:
        at_a_time = args.jobs or len(os.sched_getaffinity(0))
        try:
            outcome = simulate_model(
                project, count, args.seed, at_a_time, or_fewer=or_fewer, planes=args.planes
            )
        except RuntimeError as error:  # what cannot be compiled; the bench says the same
            print(f"FAIL {error}", file=sys.stderr)
            return 1
    else:
        outcome = simulate(project, count, args.seed, or_fewer=or_fewer, planes=args.planes)
    print(outcome.note, end="")
    for failure in outcome.failures:
        print(f"FAIL {failure}", file=sys.stderr)
    if outcome.failures:
        if is_compiled:
            print(
                "--runner cocotb names layer and position, and leaves a waveform", file=sys.stderr
            )
        return 1
    print(
        f"PASS {outcome.images}: every logit equal to the reference, every result in the cycle "
        f"of the formula ({outcome.logits} logits, {outcome.cycles} cycles, {outcome.tests} tests; "
        f"{outcome.seconds:.0f} s)"
    )
    return 0
