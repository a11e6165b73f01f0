"""Digits of scikit-learn: 1797 grey images of 8 x 8."""

import zlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from kakure.model.errors import UserError

from .dataset import Dataset
from .labelled import LabelledImages, Split, systematic
from .recipe import Recipe

__all__ = ["DIGITS"]

DIGITS_SEED = 0
"""Seed of the split of the digits into 1437 training and 360 test images."""


FILE = Path("datasets/data/digits.csv.gz")
"""In scikit-learn: a row for each image, 64 pixels of 0 to 16 and the label.

It is read from there, as importing the package takes a second, most of it for its statistics.
"""


def load(_: Path, split: Split) -> LabelledImages:
    """All images of a split."""
    package = find_spec("sklearn")
    if package is None or package.origin is None:
        raise UserError("digits: needs the package scikit-learn, which is not installed")
    file = Path(package.origin).parent / FILE
    try:
        rows = np.loadtxt(file, dtype=np.uint8, delimiter=",", ndmin=2)
        if rows.shape != (1797, 65):
            raise ValueError(rows.shape)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise UserError(
            "must be scikit-learn's digits, 1797 rows of 65 numbers",
            file=file,
            advice="install scikit-learn again",
        ) from error
    pixels, labels = rows[:, :64], rows[:, 64]
    images = np.minimum(pixels.astype(np.int64) * 16, 255).astype(np.uint8)  # 0 .. 16 to 8 bits
    data = LabelledImages(images.reshape(-1, 8, 8, 1), labels.astype(np.int64))
    is_test = systematic(data.labels, 5, DIGITS_SEED)
    return data.take(np.flatnonzero(is_test if split == "test" else ~is_test))


DIGITS = Dataset(
    name="digits",
    shape=(8, 8, 1),
    classes=10,
    load=load,
    recipe=Recipe(
        epochs=150, batch_size=64, shift=0.6, rotate=12.0, zoom=0.1, bend=0.4, validation=7
    ),
    origin="they come with the package scikit-learn",
)
