"""Parts of the training images: each judges networks that have never seen it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kakure.model.datasets.labelled import LabelledImages, by_class
from kakure.model.training.recipe import Recipe, held_out

__all__ = ["KEPT", "Part", "judging", "without"]

PARTS_SEED = 1
"""Another one than that of the held-out images, of which no part has any."""


KEPT = 10
"""Parts of which one is kept from all training, where only one judges."""


@dataclass(frozen=True)
class Part:
    """One part of the training images that are not held out to choose epochs and precisions.

    All parts together are those images; each has the same proportion of every class.

    Attributes
    ----------
    index : int
        From 0, below ``of``.
    of : int
        Number of parts, at least 2.
    """

    index: int
    of: int

    def mask(self, data: LabelledImages, recipe: Recipe) -> NDArray[np.bool_]:
        """Which of all training images are its own."""
        free = ~held_out(data.labels, recipe)
        order = [i for i in by_class(data.labels, PARTS_SEED) if free[i]]
        mask = np.zeros(len(data), bool)
        mask[order[self.index :: self.of]] = True
        return mask

    def images(self, data: LabelledImages, recipe: Recipe) -> LabelledImages:
        """Its own, of all training images."""
        return data.take(np.flatnonzero(self.mask(data, recipe)))


def judging(part: Part | None, parts: int) -> tuple[Part, ...]:
    """The parts that judge a network which was trained without ``part``: that one, or all."""
    if part is not None:
        return (part,)
    return (Part(0, KEPT),) if parts == 1 else tuple(Part(i, parts) for i in range(parts))


def without(part: Part | None, data: LabelledImages, recipe: Recipe) -> LabelledImages:
    """All training images but those of a part."""
    if part is None:
        return data
    return data.take(np.flatnonzero(~part.mask(data, recipe)))
