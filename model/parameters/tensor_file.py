"""A safetensors file whose metadata has a checksum: what was damaged is found when it is read."""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from kakure.model.errors import Damaged, UserError
from kakure.model.files.atomic import write_atomically
from kakure.model.files.regular_file import read_regular

__all__ = ["CHECKSUM", "read_tensors", "write_tensors"]

CHECKSUM = "sha256"
"""Of the metadata: the checksum of all tensors and of all other metadata."""

LARGEST = 1 << 30
"""Largest file [byte]."""


def write_tensors(
    path: Path, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]
) -> None:
    """Write the file, whole or not at all; the same content gives the same bytes.

    Raises
    ------
    UserError
        If it cannot be written.
    """
    known = {**metadata, CHECKSUM: _checksum(tensors, metadata)}
    try:
        write_atomically(path, _ordered(save(dict(tensors), known)))
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=path) from None


def read_tensors(
    path: Path | str, *, advice: str
) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Tensors and metadata of a file, without the checksum; one without a checksum will do.

    Parameters
    ----------
    advice : str
        How such a file is made anew.

    Raises
    ------
    Damaged
        If tensors or metadata are not those that were written.
    UserError
        If it is no ordinary file, or too large.
    OSError, ValueError
        If it cannot be read, or is no safetensors file.
    """
    data = read_regular(path, LARGEST)
    try:
        tensors = load(data)
        metadata = dict(_header(data).get("__metadata__") or {})
    except (SafetensorError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from None
    if CHECKSUM in metadata and metadata[CHECKSUM] != _checksum(tensors, metadata):
        raise Damaged(
            "is damaged: its checksum does not match its tensors and metadata",
            file=path,
            advice=f"{advice}, or leave {CHECKSUM} out of its metadata if it was changed by hand",
        )
    metadata.pop(CHECKSUM, None)
    return tensors, metadata


def _checksum(tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> str:
    """SHA-256 of names, types, shapes and bytes, in the order of the names, and of the rest."""
    rest = {key: value for key, value in metadata.items() if key != CHECKSUM}
    kinds = {name: [str(array.dtype), array.shape] for name, array in tensors.items()}
    found = sha256(json.dumps([rest, kinds], sort_keys=True).encode())
    for name in sorted(tensors):
        found.update(np.ascontiguousarray(tensors[name]).tobytes())
    return found.hexdigest()


def _header(data: bytes) -> dict[str, Any]:
    return json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])


def _ordered(data: bytes) -> bytes:
    """A safetensors file with its metadata in order: the library's own order is random."""
    length = int.from_bytes(data[:8], "little")
    header = _header(data)
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data[8 + length :]
