"""Images with their labels, and samples of them that no library's random numbers decide."""

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["LabelledImages", "Split", "by_class", "systematic"]

Split = Literal["train", "test"]


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
