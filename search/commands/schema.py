"""``kakure schema``: JSON schemas of configurations and search spaces, for editors."""

import argparse
from pathlib import Path

from kakure.model.commands.command import write_file
from kakure.model.config.config import json_schema as config_schema
from kakure.search.space.space_file import json_schema as space_schema

__all__ = ["options", "run"]

SCHEMAS = {"config": ("schema.json", config_schema), "space": ("search-schema.json", space_schema)}
"""The file that each is written to, and what makes it."""


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument(
        "kind", nargs="?", choices=tuple(SCHEMAS), help="print this one; both are written without"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", default=Path("configs"), help="(%(default)s)"
    )


def run(args: argparse.Namespace) -> None:
    """Print one, or write both."""
    if args.kind is not None:
        _, schema = SCHEMAS[args.kind]
        print(schema(), end="")
        return
    for name, schema in SCHEMAS.values():
        write_file(args.output / name, schema())
