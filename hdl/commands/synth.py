"""``kakure synth``: synthesize the accelerator of a configuration."""

import argparse
from pathlib import Path

from kakure.model.commands.command import jobs, positive
from kakure.model.files.atomic import check_writable

__all__ = ["options", "run"]


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("config", type=Path, metavar="CONFIG", help="configuration (.json)")
    parser.add_argument(
        "--engine", choices=("auto", "native", "yowasp"), default="auto", help="Yosys (%(default)s)"
    )
    parser.add_argument("--both", action="store_true", help="compare both Yosys, module by module")
    parser.add_argument("--jobs", type=jobs, default=2, help="modules at a time (%(default)s)")
    parser.add_argument("--top", type=positive, default=12, help="modules shown (%(default)s)")


def run(args: argparse.Namespace) -> int:
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
