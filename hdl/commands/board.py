"""``kakure board``: the bitstream of an accelerator on a board."""

import argparse
import json
import resource
from pathlib import Path

from kakure.hdl.boards.targets import TARGETS
from kakure.model.commands.command import positive, whole
from kakure.model.files.atomic import write_atomically
from kakure.model.link.frames import BAUD

__all__ = ["options", "run"]

CELLS = {
    "TRELLIS_COMB": "LUT",
    "TRELLIS_FF": "FF",
    "DP16KD": "RAM",
    "MULT18X18D": "DSP",
}
"""What is counted, and what it is called."""


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("config", type=Path, metavar="CONFIG", help="configuration (.json)")
    parser.add_argument(
        "--board", choices=tuple(TARGETS), default=next(iter(TARGETS)), help="(%(default)s)"
    )
    parser.add_argument("--mhz", type=positive, help="clock of the accelerator (25)")
    parser.add_argument(
        "--baud", type=whole(9600, 4_000_000), default=BAUD, help="of the line (%(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    """Synthesize, place and route, and print what is used and how fast it is."""
    from kakure.hdl.boards.board_build import build
    from kakure.hdl.boards.board_top import divisor_of
    from kakure.hdl.emission.artifacts import BUILD, require_hardware
    from kakure.model.config.config import load_config
    from kakure.model.errors import UserError

    config = load_config(args.config)
    require_hardware(config, str(args.config))
    target = TARGETS[args.board]
    mhz = float(args.mhz or target.mhz)
    divisor = divisor_of(mhz, args.baud)
    if divisor < 4 or abs(mhz * 1e6 / divisor / args.baud - 1) > 0.02:
        raise UserError(
            f"must be a fourth of the clock of {mhz:g} MHz at most, and within 2 % of a whole "
            "fraction of it",
            where=("--baud",),
            value=args.baud,
        )
    folder = BUILD / "board" / f"{target.name}-{config.digest[:16]}"
    folder.parent.mkdir(parents=True, exist_ok=True)

    def tell(stage: str) -> None:
        print(f"{stage} ...", flush=True)

    built = build(config, target, folder, mhz=mhz, baud=args.baud, tell=tell)
    shown = {name: built.used.get(cells, (0, 0)) for cells, name in CELLS.items()}
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    facts = {"board": target.name, "config": config.digest, "mhz": mhz, "fastest_mhz": built.mhz,
             "baud": args.baud, "cells": built.used}  # fmt: skip
    write_atomically(folder / "board.json", (json.dumps(facts, indent=1) + "\n").encode())
    for name, (some, all_) in shown.items():
        print(f"{name:<6}{some:>8} of {all_}")
    print(f"clock   {mhz:g} MHz, {built.mhz:g} at most as routed (timing.txt)")
    print(f"took    {built.seconds / 60:.1f} minutes, {memory:.0f} MiB at most")
    print(f"wrote   {folder / 'top.bit'}: kakure host PORT {args.config} --baud {args.baud}")
    return 0
