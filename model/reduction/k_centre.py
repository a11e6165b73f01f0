"""k-centre: images such that none of their class is far from all of them."""

import numpy as np
from numpy.typing import NDArray

from kakure.model.datasets.labelled import LabelledImages

from .shares import shares

__all__ = ["k_centre"]


def k_centre(data: LabelledImages, kept: int, seed: int = 0) -> NDArray[np.int64]:
    """Positions of ``kept`` images in order, each class by its share; nothing is random.

    Of each class, the image nearest to its mean, then always the one farthest from those chosen,
    by the distance of pixels. No choice has a largest distance below half of this one's.

    Source
    ------
    Gonzalez, Theoretical Computer Science 38, 1985; for training data Sener & Savarese, ICLR 2018.
    """
    chosen = []
    for label, count in shares(data.labels, kept).items():
        members = np.flatnonzero(data.labels == label)
        x = data.images[members].reshape(len(members), -1) / 255.0  # (members, features)
        centre = int(((x - x.mean(0)) ** 2).sum(1).argmin())
        nearest = np.full(len(members), np.inf)
        is_free = np.ones(len(members), bool)
        for _ in range(count):
            is_free[centre] = False
            nearest = np.minimum(nearest, ((x - x[centre]) ** 2).sum(1))
            centre = int(np.where(is_free, nearest, -1.0).argmax())
        chosen.append(members[~is_free])
    return np.sort(np.concatenate(chosen))
