"""What all command lines share: how they end, and what they say when something is wrong."""

import argparse
import errno
import io
import math
import os
import select
import sys
import warnings
from argparse import ArgumentTypeError
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from kakure.model.errors import UserError
from kakure.model.files.atomic import write_atomically
from kakure.model.shown import cut, one_line, printable, shown

from .interrupt import INTERRUPTED, Interruption

__all__ = [
    "Parser",
    "batch_size",
    "jobs",
    "positive",
    "run_command",
    "say",
    "seed",
    "seeds",
    "whole",
    "write_file",
]

MISTAKE = 2
"""Exit code of a mistake of the user, or of a file that the system refuses."""

NO_READER = 141
"""Exit code where nobody reads the output any more: 128 + SIGPIPE."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Of the system's errors those of a disk that takes no more; they name no file."""

LONGEST_MISTAKE = 300
"""Characters of a mistake on the command line."""


def run_command(command: Callable[[], int | None], *, interrupted: str = "interrupted") -> int:
    """Run a command and return its exit code.

    0 or what the command returns if all is well; 2 for a mistake of the user or a file that the
    system refuses, with one line that begins with ``error:``; 130 if interrupted, with one line.
    Names that the terminal's encoding lacks are printed escaped.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    code, message = MISTAKE, ""
    with Interruption(interrupted) as interruption:
        try:
            try:
                interruption.start()
                code = command() or 0
                sys.stdout.flush()
            except UserError as error:
                message = str(error)
            except OSError as error:
                message = _reason(error)
                if isinstance(error, BrokenPipeError) and not _has_reader():
                    return NO_READER
            except MemoryError:
                message = "not enough memory for this"
            finally:
                interruption.stop()
        except BaseException as error:
            if not (interruption.seen or isinstance(error, KeyboardInterrupt)):
                raise
            interruption.seen = True
    if interruption.seen:
        warnings.simplefilter("ignore")  # what was under way complains that it never was finished
        _end_progress()
        print(interrupted, file=sys.stderr)
        Interruption.was_said = True
        exec("")  # else an interrupt inside another exec ends the process by the signal itself
        return INTERRUPTED
    if message:
        warnings.simplefilter("ignore")
        _flush_or_drop()
        print(f"error: {one_line(message)}", file=sys.stderr)
        return MISTAKE
    return code


def _reason(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    if error.filename is not None:
        return f"{error.filename}: {reason}"
    return f"cannot write: {reason}" if error.errno in FULL else reason


def _end_progress() -> None:
    """End the line of a progress bar that an interrupt left open, if there is one."""
    bars = sys.modules["tqdm"].tqdm if "tqdm" in sys.modules else None
    for bar in list(getattr(bars, "_instances", ())):
        with suppress(Exception):  # it may be half made
            bar.close()


def _has_reader() -> bool:
    """Whether somebody still reads standard output; if not, what is left for it is dropped."""
    pipe = select.poll()
    pipe.register(sys.stdout, 0)
    if not pipe.poll(0):
        return True
    _drop_output()
    return False


def _flush_or_drop() -> None:
    """Write what is left for standard output; Python would complain at exit where it cannot."""
    try:
        sys.stdout.flush()
    except OSError:
        _drop_output()


def _drop_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Parser(argparse.ArgumentParser):
    """A command line whose mistakes are one line, as all others are."""

    def error(self, message: str) -> NoReturn:
        """End with one line and exit code 2."""
        text = one_line(" ".join(map(cut, message.split(" "))), LONGEST_MISTAKE)
        self.exit(MISTAKE, f"error: {text}; see {self.prog} --help\n")

    def print_help(self, file: Any = None) -> None:
        """Print the page; where it cannot be written, end as a command does."""
        code = run_command(lambda: print(self.format_help(), end="", file=file))
        if code:
            self.exit(code)


def whole(least: int, most: int) -> Callable[[str], int]:
    """A type of argparse: a whole number from ``least`` to ``most``."""

    def number(text: str) -> int:
        digits = text.lstrip("0") or "0"
        is_number = text.isascii() and text.isdecimal()
        if is_number and (len(digits) > len(str(most)) or int(digits) > most):
            raise ArgumentTypeError(f"must be at most {most}, not {shown(text)}")
        if not is_number or int(digits) < least:
            raise ArgumentTypeError(
                f"must be a whole number of at least {least}, not {shown(text)}"
            )
        return int(digits)

    return number


positive = whole(1, 10**9)
"""A whole number of at least 1, as a type of argparse."""

jobs = whole(1, 1024)
"""How many threads, processes or evaluations at once."""


batch_size = whole(2, 10**6)
"""Images of one step of a training: BatchNorm needs more than one."""


def seed(text: str) -> int:
    """A whole number from 0 to 2^63 − 1."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 20) or int(text) >= 1 << 63:
        raise ArgumentTypeError(f"must be a whole number below 2^63, not {shown(text)}")
    return int(text)


def above_zero(text: str) -> float:
    """A finite number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise ArgumentTypeError(f"must be a finite number above 0, not {shown(text)}")
    return number


def seeds(text: str) -> range:
    """``1-20``, or one number."""
    first, dash, last = text.partition("-")
    found = range(seed(first), seed(last if dash else first) + 1)
    if not found:
        raise ArgumentTypeError(f"must be FIRST-LAST, the last no less, not {shown(text)}")
    return found


def say(text: str) -> None:
    """Say what is under way, or what is wrong with a result that was written all the same."""
    print(printable(text), file=sys.stderr, flush=True)


def write_file(path: Path, text: str) -> None:
    """Write a file, whole or not at all, and print its name."""
    if not path.parent.is_dir():
        raise UserError(f"cannot be written: {path.parent} must be an existing folder", file=path)
    try:
        target = Path(os.path.realpath(path))  # through a link, not in its place
        if target.exists() and not target.is_file():
            target.write_text(text, encoding="utf-8")  # a device or a pipe takes it as it comes
        else:
            write_atomically(target, text.encode())
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=path) from None
    print(path)
