"""Batches of CIFAR-10 as they are distributed: the binary version, and Python's."""

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from kakure.model.errors import UserError
from kakure.model.files.regular_file import read_regular

from .labelled import LabelledImages, Split

__all__ = ["BATCHES", "cifar_folder", "is_cifar"]

BATCHES: dict[Split, tuple[str, ...]] = {
    "train": tuple(f"data_batch_{n}" for n in range(1, 6)),
    "test": ("test_batch",),
}
"""Names of Python's version; the binary version adds ``.bin``."""

COUNT = 10_000
"""Images of a batch."""

PIXELS = 3 * 32 * 32
"""Bytes of an image: three planes of 32 x 32."""

LARGEST = 1 << 26
"""Largest batch that is read [byte]."""

ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}
"""What a pickled batch is made of; anything else could run code."""


class _Arrays(pickle.Unpickler):
    """Unpickles dictionaries of lists and arrays, and nothing else."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        if (module_name, global_name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it holds {module_name}.{global_name}")
        return super().find_class(module_name, global_name)


def is_cifar(folder: Path) -> bool:
    """Whether a folder holds batches of CIFAR-10 rather than idx files."""
    return any((folder / f"data_batch_1{end}").exists() for end in ("", ".bin"))


def cifar_folder(folder: Path, split: Split) -> LabelledImages:
    """All images of a split, from either version; images (n, 32, 32, 3).

    Raises
    ------
    UserError
        If a batch is missing, or is not one.
    """
    parts = [_batch(folder, name) for name in BATCHES[split]]
    records, labels = (np.concatenate(each) for each in zip(*parts, strict=True))
    images = records.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return LabelledImages(np.ascontiguousarray(images), labels.astype(np.int64))


def _batch(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (10000, 3072) and labels (10000,) of a batch."""
    paths = [path for path in (folder / f"{name}.bin", folder / name) if path.exists()]
    if not paths:
        raise UserError(
            f"must hold {name}.bin, or {name}, of CIFAR-10: kakure data cifar10", file=folder
        )
    first, *others = [_read(path) for path in paths]
    if any(not np.array_equal(a, b) for other in others for a, b in zip(first, other, strict=True)):
        raise UserError(f"must hold {name}.bin or {name}", value="both, which differ", file=folder)
    return first


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels and labels of one file."""
    try:
        raw = read_regular(path, LARGEST)
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror or error}", file=path) from None
    if path.suffix == ".bin":
        if len(raw) != COUNT * (1 + PIXELS):
            raise UserError(f"must hold {COUNT * (1 + PIXELS)} bytes", value=len(raw), file=path)
        records = np.frombuffer(raw, np.uint8).reshape(COUNT, 1 + PIXELS)
        return records[:, 1:], records[:, 0]
    try:
        found = _Arrays(io.BytesIO(raw), encoding="bytes").load()
        pixels, labels = np.asarray(found[b"data"]), np.asarray(found[b"labels"])
    except Exception as error:  # pickle raises whatever the bytes lead to
        reason = str(error) or type(error).__name__
        raise UserError(
            f"must be a batch of CIFAR-10's Python version: {reason[:100]}", file=path
        ) from None
    if pixels.dtype != np.uint8 or pixels.shape != (COUNT, PIXELS) or labels.shape != (COUNT,):
        raise UserError(
            f"must hold {COUNT} images of {PIXELS} bytes with their labels",
            value=f"{pixels.dtype} {pixels.shape} and {labels.shape}",
            file=path,
        )
    return pixels, labels
