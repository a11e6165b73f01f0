"""Herding: images whose mean follows the mean of their class."""

import numpy as np
from numpy.typing import NDArray

from kakure.model.datasets.labelled import LabelledImages

from .shares import shares

__all__ = ["herding"]


def herding(data: LabelledImages, kept: int, seed: int = 0) -> NDArray[np.int64]:
    """Positions of ``kept`` images in order, each class by its share; nothing is random.

    Of each class, one by one: of the images not yet chosen the one with which the mean of those
    chosen comes nearest to the class's mean, on pixels.

    Source
    ------
    Welling, Herding dynamical weights to learn, ICML 2009; in the form of Rebuffi et al., iCaRL,
    CVPR 2017, which does not prefer bright images.
    """
    chosen = []
    for label, count in shares(data.labels, kept).items():
        members = np.flatnonzero(data.labels == label)
        x = data.images[members].reshape(len(members), -1) / 255.0  # (members, features)
        mean = x.mean(0)
        missing = np.zeros_like(mean)  # what the chosen ones' sum lacks
        is_free = np.ones(len(members), bool)
        for _ in range(count):
            missing += mean
            best = int(np.where(is_free, ((missing - x) ** 2).sum(1), np.inf).argmin())
            is_free[best] = False
            missing -= x[best]
        chosen.append(members[~is_free])
    return np.sort(np.concatenate(chosen))
