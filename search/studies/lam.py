"""LAM against exact products: errors, hardware, and what networks that train with it lose."""

import argparse
from pathlib import Path

import torch

from kakure.hdl.synthesis.liberty import library
from kakure.hdl.synthesis.yosys import find_engine
from kakure.model.commands.command import seeds
from kakure.model.reference.floating_point.float_format import FORMATS

from .lam_errors import errors_table
from .lam_hardware import hardware_table
from .lam_training import training_table
from .page import check_page, write_page

__all__ = ["options", "run", "text"]

PARTS = ("errors", "multipliers", "multiply-adds", "training")
NAMES = ("fp32", "fp16", "bf16", "fp8_e4m3", "fp8_e5m2")


def text(part: str, names: tuple[str, ...], used: range) -> str:
    """One of the tables, with what made it below."""
    if part == "errors":
        return errors_table(names)
    if part == "training":
        tools = f"seeds {used[0]} to {used[-1]}, torch {torch.__version__.partition('+')[0]}"
        return f"{training_table(used)}\n\n{tools}"
    table = hardware_table(names, has_sum=part == "multiply-adds")
    return f"{table}\n\n{find_engine().version}, {library().package}"


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    add = parser.add_argument
    add("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="which tables (all)")
    add("--formats", nargs="+", choices=tuple(FORMATS), default=list(NAMES), help="(%(default)s)")
    add("--seeds", type=seeds, default=range(1, 4), help="FIRST-LAST (1-3)")
    add("--page", type=Path, metavar="FILE", help="whose tables are written anew")


def run(args: argparse.Namespace) -> None:
    """Print the tables, each as it is finished."""
    if args.page is not None:
        for part in args.parts:
            check_page(args.page, f"lam {part}")
    for part in args.parts:
        found = text(part, tuple(args.formats), args.seeds)
        print(found, flush=True)
        print()
        if args.page is not None:
            write_page(args.page, f"lam {part}", found)
