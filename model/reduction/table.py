"""Every way to choose the training images that are kept."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kakure.model.datasets.labelled import LabelledImages
from kakure.model.datasets.recipe import Selection

from .herding import herding
from .k_centre import k_centre
from .random_choice import random_choice
from .support_vectors import support_choice

__all__ = ["SELECTIONS"]

SELECTIONS: dict[Selection, Callable[[LabelledImages, int, int], NDArray[np.int64]]] = {
    "random": random_choice,
    "support-vectors": support_choice,
    "herding": herding,
    "k-centre": k_centre,
}
"""From images, how many are kept, and a seed, to their positions in order."""
