"""``kakure check``: check a configuration and say what it builds."""

import argparse
from pathlib import Path

from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.emission.artifacts import require_hardware
from kakure.model.config.config import check_density, load_config
from kakure.model.errors import UserError
from kakure.sim.generation.plan import describe

__all__ = ["options", "run"]


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("config", type=Path, metavar="CONFIG", help="configuration (.json)")


def run(args: argparse.Namespace) -> int:
    """Print what a configuration would build, and how long it takes for an image."""
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
