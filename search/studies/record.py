"""What a study has finished: kept in a file with all that decides it, so that it can go on."""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from kakure.model.config.json_file import read_text
from kakure.model.errors import UserError
from kakure.model.files.atomic import write_atomically

__all__ = ["check_folder", "load_record", "save_record"]

CHECKSUM = "sha256"
"""Name of the checksum among what a record holds."""


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
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError("is no record of this study; move the file away", file=path) from None
    if checksum != _checksum(record):
        raise UserError(
            f"{CHECKSUM}: must be the checksum of the rest, as it was written; move the file away",
            value=checksum,
            file=path,
        )
    for name, value in common.items():
        if record.get(name) != json.loads(json.dumps(value)):
            raise UserError(f"{name}: must be that of this study; move the file away", file=path)
    return record


def check_folder(path: Path | None) -> None:
    """Make a folder for results, if one is named; UserError if that cannot be."""
    if path is None:
        return
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot be made: {error.strerror}", where=("--output",), file=path
        ) from None


def save_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write it as a whole, with a checksum."""
    checked = {**record, CHECKSUM: _checksum(record)}
    write_atomically(path, (json.dumps(checked, indent=1, sort_keys=True) + "\n").encode())


def _checksum(record: Mapping[str, Any]) -> str:
    """SHA-256 of what a record holds, however it is laid out."""
    return sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
