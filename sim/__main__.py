"""Command line of generation and simulation: check, gen, run, blocks, bench."""

from kakure.model.commands.interrupt import arm

if __name__ == "__main__":
    arm()  # first of all: the other imports take a while

import argparse
import sys
from pathlib import Path

from kakure.model.commands.command import Parser, jobs, positive, run_command, seed

__all__ = ["main"]

FIRST = 360
"""Images of a simulation that was not told how many; all, where there are fewer."""


def run_check(args: argparse.Namespace) -> int:
    """Print what a configuration would build, and how long it takes for an image."""
    from kakure.hdl.accelerators.table import architecture_of
    from kakure.hdl.emission.artifacts import require_hardware
    from kakure.model.config.config import check_density, load_config
    from kakure.model.errors import UserError
    from kakure.sim.generation.plan import describe

    config = load_config(args.config)
    require_hardware(config, str(args.config))
    try:
        check_density(config)
    except UserError as error:
        raise error.of(args.config) from None
    text = describe(config, args.config)
    timing = architecture_of(config).timing(3)
    print(text, end="")
    print(f"cycles      {timing.latency} for one image, then one every {timing.interval}")
    return 0


def run_gen(args: argparse.Namespace) -> int:
    """Generate, synthesize, and print one page."""
    from kakure.sim.generation.generate import generate
    from kakure.sim.generation.project import open_project

    folder = generate(open_project(args.config), synthesis_jobs=0 if args.no_synth else args.jobs)
    print((folder / "summary.txt").read_text(encoding="utf-8"), end="")
    return 0


def run_simulation(args: argparse.Namespace) -> int:
    """Simulate, compare, and print what was found."""
    from kakure.sim.generation.project import open_project
    from kakure.sim.runner.simulate import simulate

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


def run_blocks(args: argparse.Namespace) -> int:
    """Run the benches of single generators."""
    from kakure.sim.blocks import sweep

    return sweep.main(args.names)


def run_bench(args: argparse.Namespace) -> int:
    """Print the benchmarks."""
    from kakure.sim.benchmark.measure import figures
    from kakure.sim.generation.project import open_project

    print(f"{'':20} {'Kakure':>12} {'unit':10} {'other way':20} {'other':>12} {'ratio':>8}")
    for figure in figures(open_project(args.config)):
        print(
            f"{figure.what:20} {figure.value:12,.2f} {figure.unit:10} {figure.way:20} "
            f"{figure.other:12,.2f} {figure.ratio:7.1f}x",
            flush=True,
        )
    return 0


def images(text: str) -> int | str:
    """A number of images, or all."""
    return text if text == "all" else positive(text)


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = Parser(prog="python -m kakure.sim", description="Generate an accelerator and prove it.")
    commands = top.add_subparsers(required=True, metavar="command")

    def command(run, name: str, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        sub.set_defaults(run=run)
        return sub

    def with_config(sub: argparse.ArgumentParser) -> argparse.ArgumentParser:
        sub.add_argument("config", type=Path, metavar="CONFIG", help="configuration (.json)")
        return sub

    with_config(command(run_check, "check", "check a configuration and show what it builds"))
    sub = with_config(command(run_gen, "gen", "write Verilog, bench and synthesis report"))
    sub.add_argument("--no-synth", action="store_true", help="leave out the synthesis")
    sub.add_argument("--jobs", type=jobs, default=2, help="modules at a time (%(default)s)")
    sub = with_config(command(run_simulation, "run", "simulate against the reference"))
    sub.add_argument(
        "--images", type=images, metavar="N", help=f"test images, or all (the first {FIRST})"
    )
    sub.add_argument("--seed", type=seed, default=1, help="of random pauses (%(default)s)")
    sub = command(run_blocks, "blocks", "simulate single generators over a sweep of parameters")
    sub.add_argument("names", nargs="*", metavar="NAME", help="generators; all if none is named")
    with_config(
        command(run_bench, "bench", "measure the speed of simulation, synthesis and reference")
    )
    return top


def main(argv: list[str] | None = None) -> int:
    """Run a command; 0 if all is well, 1 if a proof failed, 2 for a mistake, 130 if interrupted."""
    args = parser().parse_args(argv)
    return run_command(lambda: args.run(args))


if __name__ == "__main__":
    sys.exit(main())
