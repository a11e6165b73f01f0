"""Command line of the hardware: synth."""

from kakure.model.commands.interrupt import arm

if __name__ == "__main__":
    arm()  # first of all: the other imports take a while

import argparse
import sys
from pathlib import Path

from kakure.model.commands.command import Parser, jobs, positive, run_command
from kakure.model.files.atomic import check_writable

__all__ = ["main"]


def run_synth(args: argparse.Namespace) -> int:
    """Synthesize the accelerator of a configuration and print its report."""
    from kakure.hdl.emission.artifacts import build_folder, design_of
    from kakure.hdl.synthesis.comparison import compare
    from kakure.hdl.synthesis.flow import synthesize
    from kakure.model.config.config import load_config

    config = load_config(args.config)
    design = design_of(config, str(args.config))
    if args.both:
        print(compare(design, jobs=args.jobs))
        return 0
    path = build_folder(config) / "synth.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    check_writable(path, "report")
    report = synthesize(design, engine=args.engine, jobs=args.jobs, config_digest=config.digest)
    report.write(path)
    print(report.table(args.top))
    print(f"written to {path}")
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run a command; 0 if all is well, 2 for a mistake of the user, 130 if interrupted."""
    top = Parser(prog="python -m kakure.hdl", description="Synthesize accelerators.")
    commands = top.add_subparsers(required=True, metavar="command")
    sub = commands.add_parser("synth", help="area, cells and critical path of a configuration")
    sub.set_defaults(run=run_synth)
    sub.add_argument("config", type=Path, metavar="CONFIG", help="configuration (.json)")
    sub.add_argument(
        "--engine", choices=("auto", "native", "yowasp"), default="auto", help="Yosys (%(default)s)"
    )
    sub.add_argument("--both", action="store_true", help="compare both Yosys, module by module")
    sub.add_argument("--jobs", type=jobs, default=2, help="modules at a time (%(default)s)")
    sub.add_argument("--top", type=positive, default=12, help="modules shown (%(default)s)")
    args = top.parse_args(argv)
    return run_command(
        lambda: args.run(args), interrupted="interrupted; what was synthesized is kept"
    )


if __name__ == "__main__":
    sys.exit(main())
