"""Support vectors: the images on which the borders of a support vector machine rest."""

import numpy as np
from numpy.typing import NDArray

from kakure.model.datasets.labelled import LabelledImages
from kakure.model.errors import UserError

from .random_choice import random_choice

__all__ = ["COST", "support_choice", "support_vectors"]

COST = 10.0
"""Of an error, for the machine."""


def support_vectors(data: LabelledImages, cost: float = COST) -> NDArray[np.int64]:
    """Positions of the support vectors in order, of a machine for each pair of classes.

    The kernel is exp(−γ·|a − b|²) on pixels of 0 to 1, γ = 1/(features · variance).

    Raises
    ------
    UserError
        If there is one class only, the cost is not above 0, or scikit-learn is missing.
    """
    try:
        from sklearn.svm import SVC
    except ImportError:
        raise UserError(
            "support vectors: needs the package scikit-learn, which is not installed"
        ) from None
    if not cost > 0:
        raise UserError("must be above 0", where=("cost",), value=cost)
    classes = len(np.unique(data.labels))
    if classes < 2:
        raise UserError("must be of two classes at least", where=("labels",), value=classes)
    x = data.images.reshape(len(data), -1) / 255.0
    return np.sort(SVC(C=cost, cache_size=500).fit(x, data.labels).support_).astype(np.int64)


def support_choice(data: LabelledImages, kept: int, seed: int) -> NDArray[np.int64]:
    """Positions of ``kept`` images in order: support vectors, as far as they go.

    Of more support vectors than are kept, a random choice, each class by its share of them; of
    fewer, all of them and a random choice of the others.

    Source
    ------
    Tanio et al., APSIPA 2019: a network is trained with the support vectors. How fewer are chosen
    is ours.
    """
    found = support_vectors(data)
    if kept <= len(found):
        return found[random_choice(data.take(found), kept, seed)]
    others = np.setdiff1d(np.arange(len(data)), found)
    added = others[random_choice(data.take(others), kept - len(found), seed)]
    return np.sort(np.concatenate([found, added]))
