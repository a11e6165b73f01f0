"""A kind of student: a model without neurons that learns labels, or what a network says."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kakure.model.errors import UserError

__all__ = ["Family", "Floats", "Predictor", "one_hot"]

Floats = NDArray[np.floating]

Predictor = Callable[[Floats], Floats]
"""Scores (n, classes) of inputs (n, features); the largest one is the answer."""


@dataclass(frozen=True)
class Family:
    """A kind of model, fitted to labels as is usual, or by regression to any targets.

    Attributes
    ----------
    name : str
    classify : callable
        ``(x, labels, classes, setting, seed)`` to a :data:`Predictor`; x is (n, features).
    regress : callable
        ``(x, targets, setting, seed)`` to a :data:`Predictor`; targets are (n, classes).
    settings : tuple of float
        Values of its one hyper-parameter, of which held-out images choose.
    """

    name: str
    classify: Callable[[Floats, NDArray[np.int64], int, float, int], Predictor]
    regress: Callable[[Floats, Floats, float, int], Predictor]
    settings: tuple[float, ...]


def one_hot(labels: NDArray[np.integer], classes: int) -> Floats:
    """1 for the class of a label, 0 for the others, (n, classes).

    Raises
    ------
    UserError
        If a label is no class.
    """
    if len(labels) and not 0 <= labels.min() <= labels.max() < classes:
        wrong = labels[(labels < 0) | (labels >= classes)][0]
        raise UserError(f"must be 0 to {classes - 1}", where=("labels",), value=wrong)
    return np.eye(classes)[labels]
