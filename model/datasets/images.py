"""Images and labels: the data sets known by name, and folders of idx files."""

import gzip
import hashlib
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.config import Config
from kakure.model.errors import UserError
from kakure.model.files.regular_file import check_regular, read_regular

__all__ = [
    "DATA",
    "IDX_FILES",
    "LEAST_TRAINING",
    "LabelledImages",
    "Split",
    "by_class",
    "load_images",
    "read_idx",
    "systematic",
]

DATA = Path("data")
"""Where fetched data sets lie, relative to the working directory."""

Split = Literal["train", "test"]

IDX_FILES: dict[Split, tuple[str, str]] = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
"""Images and labels of each split; each file may also be gzipped, with ``.gz`` added.

Images of four dimensions may also be called by their natural name, with ``idx4``.
"""

LEAST_TRAINING = 3
"""Training images: one is held out, and BatchNorm needs two."""

LARGEST_IDX = 1 << 31
"""Largest file of images, packed or not [byte]."""

BYTE_ORDERS: tuple[Literal["big", "little"], ...] = ("big", "little")
"""That of idx files, and the one of those who forgot."""

CIFAR10_FILES: dict[Split, tuple[str, ...]] = {
    "train": tuple(f"data_batch_{n}.bin" for n in range(1, 6)),
    "test": ("test_batch.bin",),
}
"""Batches of 10000 records in CIFAR-10's binary version."""

DIGITS_SEED = 0
"""Seed of the split of the digits into 1437 training and 360 test images."""


@dataclass(frozen=True)
class LabelledImages:
    """Images (n, height, width, channels), uint8, and labels (n,), int64."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: NDArray[np.integer]) -> "LabelledImages":
        """The images at ``index``, in that order."""
        return LabelledImages(self.images[index], self.labels[index])


def by_class(labels: NDArray[np.integer], seed: int) -> list[int]:
    """Positions ordered by class, and within a class by a hash of ``seed`` and the position.

    So the order depends on no library's random numbers, and every n-th position is a sample with
    the same proportion of each class.
    """
    keys = [hashlib.sha256(f"{seed} {i}".encode()).digest() for i in range(len(labels))]
    return sorted(range(len(labels)), key=lambda i: (int(labels[i]), keys[i]))


def systematic(labels: NDArray[np.integer], every: int, seed: int) -> NDArray[np.bool_]:
    """True for one image of ``every``, in the same proportion in each class."""
    chosen = np.zeros(len(labels), bool)
    chosen[by_class(labels, seed)[::every]] = True
    return chosen


def load_images(config: Config, folder: Path, split: Split) -> LabelledImages:
    """Images of the configuration's data set.

    Parameters
    ----------
    config : Config
    folder : Path
        Where the configuration lies: a ``dataset`` that is a folder is relative to it.
    split : "train" or "test"

    Raises
    ------
    UserError
        If a file is missing or damaged, or the images do not have the configuration's shape.
    """
    name = config.dataset
    if name == "digits":
        data, source = _digits(split), "digits"
    elif name == "cifar10":
        data, source = _cifar10(DATA / name, split), str(DATA / name)
    else:
        path = DATA / name if name == "fashion-mnist" else folder / name
        data, source = _idx_folder(path, split), str(path)
    if data.images.shape[1:] != config.shape:
        raise UserError(
            f"images must be {_by(config.shape)} as in the configuration",
            value=_by(data.images.shape[1:]),
            file=source,
        )
    if not len(data):
        raise UserError(f"must hold at least one {split} image", value="0", file=source)
    if split == "train" and len(data) < LEAST_TRAINING:
        raise UserError(
            f"must hold at least {LEAST_TRAINING} training images", value=len(data), file=source
        )
    classes = config.layers[-1].channels
    first, last = int(data.labels.min()), int(data.labels.max())
    if last >= classes:
        start = ", for labels start at 0" if first > 0 else ""
        raise UserError(
            f"labels must be below {classes}, the outputs of the last layer{start}",
            value=f"{(f'{first} to ' if start else '')}{last}",
            file=source,
        )
    return data


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read an idx file of unsigned bytes, or its ``.gz``.

    Raises
    ------
    UserError
        If neither file exists, or its header and its length disagree.
    """
    packed = path.with_name(path.name + ".gz")
    try:
        if path.exists():
            raw = read_regular(path, LARGEST_IDX)
        else:
            path = packed
            raw = _unpacked(path)
    except FileNotFoundError:
        raise UserError(
            f"must hold {path.name.removesuffix('.gz')} or {path.name}", file=path.parent
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"cannot be read: {error}", file=path) from None
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
            f"must have its shape {_by(swapped)} in big-endian byte order",
            value="little-endian",
            file=path,
        )
    if len(raw) != expected:
        raise UserError(
            f"must hold {expected} bytes for its shape {_by(shape)}", value=len(raw), file=path
        )
    return np.frombuffer(raw, np.uint8, offset=header).reshape(shape).copy()


def _unpacked(path: Path) -> bytes:
    check_regular(path)
    with gzip.open(path) as file:
        raw = file.read(LARGEST_IDX + 1)
    if len(raw) > LARGEST_IDX:
        raise UserError(f"cannot be read: must unpack to at most {LARGEST_IDX} bytes", file=path)
    return raw


def _idx_folder(path: Path, split: Split) -> LabelledImages:
    if not path.is_dir():
        hint = ": kakure data fashion-mnist" if path == DATA / "fashion-mnist" else ""
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
            value=_by(labels.shape),
            file=path / labels_name,
        )
    if images.ndim == 3:
        images = images[..., None]
    return LabelledImages(images, labels.astype(np.int64))


def _digits(split: Split) -> LabelledImages:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise UserError("digits: needs the package scikit-learn, which is not installed") from None
    pixels, labels = load_digits(return_X_y=True)
    images = np.minimum(pixels.astype(np.int64) * 16, 255).astype(np.uint8)  # 0 .. 16 to 8 bits
    data = LabelledImages(images.reshape(-1, 8, 8, 1), labels.astype(np.int64))
    is_test = systematic(data.labels, 5, DIGITS_SEED)
    return data.take(np.flatnonzero(is_test if split == "test" else ~is_test))


def _cifar10(path: Path, split: Split) -> LabelledImages:
    record = 1 + 3 * 32 * 32
    batches = []
    for name in CIFAR10_FILES[split]:
        try:
            check_regular(path / name)
            raw = np.fromfile(path / name, np.uint8)
        except FileNotFoundError:
            raise UserError(
                f"must hold {name} of CIFAR-10's binary version: kakure data cifar10",
                file=path,
            ) from None
        except OSError as error:
            raise UserError(f"cannot be read: {error.strerror}", file=path / name) from None
        if len(raw) != 10000 * record:
            raise UserError(f"must hold {10000 * record} bytes", value=len(raw), file=path / name)
        batches.append(raw.reshape(10000, record))
    records = np.concatenate(batches)
    images = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return LabelledImages(np.ascontiguousarray(images), records[:, 0].astype(np.int64))


def _by(shape) -> str:
    return " x ".join(str(int(n)) for n in shape)
