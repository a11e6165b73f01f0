"""Images drawn by lot, what any other choice is to be compared with."""

import numpy as np
from numpy.typing import NDArray

from kakure.model.datasets.labelled import LabelledImages

from .shares import shares

__all__ = ["random_choice"]


def random_choice(data: LabelledImages, kept: int, seed: int) -> NDArray[np.int64]:
    """Positions of ``kept`` images in order, each class by its share."""
    rng = np.random.default_rng(seed)
    drawn = [
        rng.choice(np.flatnonzero(data.labels == label), count, replace=False)
        for label, count in shares(data.labels, kept).items()
    ]
    return np.sort(np.concatenate(drawn))
