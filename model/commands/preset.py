"""``kakure preset``: print a configuration or a search space to start from."""

import argparse

from kakure.model.config.presets import PRESETS, preset_json
from kakure.model.files.shipped import CONFIGS

__all__ = ["options", "run"]

SCHEMA = "search-schema"
"""The one file among the spaces that is none."""


def spaces() -> tuple[str, ...]:
    """Names of the search spaces that come with Kakure."""
    return tuple(sorted({path.stem for path in CONFIGS.glob("search-*.json")} - {SCHEMA}))


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    names = (*PRESETS, *spaces())
    parser.add_argument("name", choices=names, help=", ".join(names), metavar="NAME")


def run(args: argparse.Namespace) -> None:
    """Print it."""
    if args.name in PRESETS:
        print(preset_json(args.name), end="")
    else:
        print((CONFIGS / f"{args.name}.json").read_text(encoding="utf-8"), end="")
