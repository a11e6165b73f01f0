"""What all command lines share: how they end, and what they say when something is wrong."""

import sys
import warnings
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path

from .errors import UserError

__all__ = ["positive", "run_command", "seed", "write_or_print"]


def run_command(command: Callable[[], int | None], *, interrupted: str = "interrupted") -> int:
    """Run a command and return its exit code.

    0 or what the command returns if all is well; 2 for a mistake of the user or a file that the
    system refuses, with one line that begins with ``error:``; 130 if interrupted, with one line.
    """
    try:
        return command() or 0
    except UserError as error:
        message = str(error)
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"{error.filename}: {reason}" if error.filename is not None else reason
    except KeyboardInterrupt:
        warnings.simplefilter("ignore")  # what was under way complains that it never was finished
        print(interrupted, file=sys.stderr)
        return 130
    warnings.simplefilter("ignore")
    print(f"error: {message}".replace("\r", "\\r").replace("\n", "\\n"), file=sys.stderr)
    return 2


def positive(text: str) -> int:
    """A whole number of at least 1, as a type of argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"must be a whole number of at least 1, not {text!r}")
    return int(text)


def seed(text: str) -> int:
    """A whole number from 0 to 2^63 − 1."""
    if not text.isdecimal() or int(text) >= 1 << 63:
        raise ArgumentTypeError(f"must be a whole number below 2^63, not {text!r}")
    return int(text)


def write_or_print(path: Path, text: str) -> None:
    """Write a file and print its name; print the text itself where ``path`` is ``-``."""
    if path == Path("-"):
        print(text, end="")
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from None
    print(path)
