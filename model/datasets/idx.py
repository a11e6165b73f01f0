"""Folders of idx files, the format of MNIST."""

import gzip
import math
import zlib
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kakure.model.errors import UserError
from kakure.model.files.regular_file import check_regular, read_regular

from .labelled import LabelledImages, Split

__all__ = ["IDX_FILES", "by", "idx_folder", "is_idx", "read_idx"]

IDX_FILES: dict[Split, tuple[str, str]] = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
"""Images and labels of each split; each file may also be gzipped, with ``.gz`` added.

Images of four dimensions may also be called by their natural name, with ``idx4``.
"""

KINDS = ("idx3", "idx4")
"""In the names of images: of three and of four dimensions."""

LARGEST_IDX = 1 << 31
"""Largest file of images, packed or not [byte]."""

BYTE_ORDERS: tuple[Literal["big", "little"], ...] = ("big", "little")
"""That of idx files, and the one of those who forgot."""


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read an idx file of unsigned bytes, or its ``.gz``.

    Raises
    ------
    UserError
        If neither file exists, or both and they differ, or its header and its length disagree.
    """
    path, raw = _found(path, path.with_name(path.name + ".gz"))
    if len(raw) >= 4 and raw[1:4] == b"\x08\0\0" and 1 <= raw[0] <= 4:
        raise UserError(
            f"must have its header in big-endian byte order, not little-endian, {raw[:4].hex(' ')}",
            file=path,
        )
    if len(raw) < 4 or raw[:3] != b"\0\0\x08" or not 1 <= raw[3] <= 4:
        raise UserError(
            "must start with the idx header 00 00 08 of unsigned bytes",
            value=raw[:4].hex(" ") or "nothing",
            file=path,
        )
    header = 4 + 4 * raw[3]
    shape, swapped = (
        [int.from_bytes(raw[at : at + 4], order) for at in range(4, header, 4)]
        for order in BYTE_ORDERS
    )
    expected = header + math.prod(shape)
    if len(raw) == header + math.prod(swapped) != expected:
        raise UserError(
            f"must have its shape {by(swapped)} in big-endian byte order",
            value="little-endian",
            file=path,
        )
    if len(raw) != expected:
        raise UserError(
            f"must hold {expected} bytes for its shape {by(shape)}", value=len(raw), file=path
        )
    if math.prod(n or 1 for n in shape) > LARGEST_IDX:
        raise UserError(
            f"must have a shape of at most {LARGEST_IDX} bytes", value=by(shape), file=path
        )
    return np.frombuffer(raw, np.uint8, offset=header).reshape(shape).copy()


def _found(plain: Path, packed: Path) -> tuple[Path, bytes]:
    """The file that is there, and its bytes, unpacked; UserError as :func:`read_idx`."""
    path = plain
    found: list[tuple[Path, bytes]] = []
    try:
        for path in (plain, packed):
            if path.exists():
                read = _unpacked if path == packed else _whole
                found.append((path, read(path)))
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"cannot be read: {error}", file=path) from None
    names = f"must hold {plain.name} or {packed.name}"
    if not found:
        raise UserError(names, file=plain.parent)
    if found[0][1] != found[-1][1]:
        raise UserError(names, value="both, which differ", file=plain.parent)
    return found[0]


def _whole(path: Path) -> bytes:
    return read_regular(path, LARGEST_IDX)


def _unpacked(path: Path) -> bytes:
    check_regular(path)
    with gzip.open(path) as file:
        raw = file.read(LARGEST_IDX + 1)
    if len(raw) > LARGEST_IDX:
        raise UserError(f"cannot be read: must unpack to at most {LARGEST_IDX} bytes", file=path)
    return raw


def is_idx(folder: Path) -> bool:
    """Whether a folder holds images in idx files."""
    names = (images.replace("idx3", kind) for images, _ in IDX_FILES.values() for kind in KINDS)
    return any((folder / f"{name}{end}").exists() for name in names for end in ("", ".gz"))


def idx_folder(path: Path, split: Split, hint: str = "") -> LabelledImages:
    """Images and labels of a folder; ``hint`` says what to do where there is none."""
    if not path.is_dir():
        raise UserError(
            f"must be an existing folder of idx files{hint}", where=("dataset",), file=path
        )
    images_name, labels_name = IDX_FILES[split]
    colour_name = images_name.replace("idx3", "idx4")
    colour = any((path / f"{colour_name}{end}").exists() for end in ("", ".gz"))
    if colour and any((path / f"{images_name}{end}").exists() for end in ("", ".gz")):
        raise UserError(f"must hold {images_name} or {colour_name}", value="both", file=path)
    images_name = colour_name if colour else images_name
    images = read_idx(path / images_name)
    labels = read_idx(path / labels_name)
    if images.ndim not in (3, 4):
        raise UserError("must have 3 or 4 dimensions", value=images.ndim, file=path / images_name)
    if labels.shape != images.shape[:1]:
        raise UserError(
            f"must hold one label for each of {len(images)} images",
            value=by(labels.shape),
            file=path / labels_name,
        )
    if images.ndim == 3:
        images = images[..., None]
    return LabelledImages(images, labels.astype(np.int64))


def by(shape) -> str:
    """A shape as a person writes it."""
    return " x ".join(str(int(n)) for n in shape)
