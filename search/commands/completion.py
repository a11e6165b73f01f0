"""``kakure completion``: a script that lets a shell complete verbs, options and files."""

import argparse
from pathlib import Path

import shtab

from kakure.model.commands.command import Parser

__all__ = ["options", "run"]

SHELLS = ("bash", "zsh", "fish")


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("shell", choices=SHELLS, help="bash: source <(kakure completion bash)")


def run(args: argparse.Namespace) -> None:
    """Print the script."""
    from .verbs import INDEX  # which lists this module

    parser = Parser(prog="kakure")
    parser.add_argument("--version", action="store_true", help="print the version")
    INDEX.add_to(parser)
    complete_files(parser)
    print(shtab.complete(parser, args.shell))


def complete_files(parser: argparse.ArgumentParser) -> None:
    """Let every option that is a path be completed, below every verb too."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                complete_files(below)
        elif action.type is Path:
            is_folder = action.metavar == "FOLDER"
            vars(action)["complete"] = shtab.DIRECTORY if is_folder else shtab.FILE
