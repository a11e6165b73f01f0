"""What a study has finished: kept in a file with all that decides it, so that it can go on."""

import json
import platform
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from numpy.typing import NDArray

from kakure.model.config.json_file import read_text
from kakure.model.errors import UserError
from kakure.model.files.atomic import check_writable, write_atomically
from kakure.model.provenance import array_digest, sources
from kakure.model.shown import shown

__all__ = ["check_folder", "decides", "held_record", "load_record", "save_record"]

CHECKSUM = "sha256"
"""Name of the checksum among what a record holds."""


def decides(
    study: str,
    tools: Mapping[str, str],
    images: Sequence[NDArray[Any]] | None = None,
    **facts: Any,
) -> dict[str, Any]:
    """All that decides a study's results, as :func:`load_record` compares it.

    Parameters
    ----------
    study : str
        The module that makes them: it and all that it imports are part of it.
    tools : mapping
        Versions.
    images : sequence of array, optional
        All images and labels that are trained with or judged on.
    facts : Any
        What JSON can hold: digests of configuration and parameters, the recipe, sizes.
    """
    seen = {} if images is None else {"images": array_digest(*images)}
    machine = platform.machine()
    return {**facts, **seen, "tools": tools, "machine": machine, "sources": sources(study)}


@contextmanager
def held_record(path: Path) -> Iterator[None]:
    """Keep every other run off a record, from before it is loaded until it is written last.

    Its folder is made. The lock is a file beside it, and ends with the process.

    Raises
    ------
    UserError
        If it cannot be written, or another run holds it.
    """
    check_folder(path.parent)
    check_writable(path, "--output")
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise UserError(
            "another run of this study writes it: wait for that, or name another",
            where=("--output",),
            file=path,
        ) from None
    except OSError as error:
        raise UserError(
            f"cannot be locked: {error.strerror}", where=("--output",), file=path
        ) from None
    try:
        yield
    finally:
        lock.release()


def load_record(path: Path, common: Mapping[str, Any], part: str) -> dict[str, Any]:
    """What is finished, by name under ``part``, beside what all of it has in common.

    Raises
    ------
    UserError
        If the file is damaged or was changed by hand, or has something else in common.
    """
    if not path.exists():
        return {**common, part: {}}
    try:
        record = json.loads(read_text(path))
        checksum = record.pop(CHECKSUM)
        if not isinstance(record[part], dict):
            raise TypeError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UserError("is no record of this study; move the file away", file=path) from None
    if checksum != _checksum(record):
        raise UserError(
            f"{CHECKSUM}: must be the checksum of the rest, as it was written",
            value=shown(checksum),
            advice="move the file away",
            file=path,
        )
    for name, value in common.items():
        if record.get(name) != json.loads(json.dumps(value)):
            raise UserError(f"{name}: must be that of this study; move the file away", file=path)
    return record


def check_folder(path: Path | None) -> None:
    """Make a folder for results, if one is named; UserError if it cannot be made and written."""
    if path is None:
        return
    does = "made"
    try:
        path.mkdir(parents=True, exist_ok=True)
        does = "written"
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise UserError(
            f"cannot be {does}: {error.strerror}", where=("--output",), file=path
        ) from None


def save_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write it as a whole, with a checksum."""
    checked = {**record, CHECKSUM: _checksum(record)}
    write_atomically(path, (json.dumps(checked, indent=1, sort_keys=True) + "\n").encode())


def _checksum(record: Mapping[str, Any]) -> str:
    """SHA-256 of what a record holds, however it is laid out."""
    return sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
