"""Precision chosen per image: go on with more planes only while the answer is not clear."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .network import network

if TYPE_CHECKING:
    from kakure.model.config.config import Config
    from kakure.model.parameters.parameters import Parameters

__all__ = ["dynamic", "margins", "settled"]


def margins(logits: NDArray[np.int64]) -> NDArray[np.int64]:
    """By how much the largest logit exceeds the second largest, (n, two or more) -> (n,)."""
    ordered = np.sort(logits, axis=1)
    return ordered[:, -1] - ordered[:, -2]


def settled(
    logits: Sequence[NDArray[np.int64]], threshold: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which answer counts of those that images get one after the other.

    The first one with a margin of at least ``threshold``, or the last of all; of one class, whose
    answer is always clear, the first.

    Parameters
    ----------
    logits : sequence of int array, (n, classes)
    threshold : int
        Below 1, the first answer always counts.

    Returns
    -------
    chosen : int64 array, (n, classes)
    number : int64 array, (n,)
        Which of them, from 0.
    """
    has_margin = logits[0].shape[1] > 1
    number = np.full(len(logits[0]), len(logits) - 1 if has_margin else 0, np.int64)
    for n in reversed(range(len(logits) - 1 if has_margin else 0)):
        number[margins(logits[n]) >= threshold] = n
    chosen = np.stack(logits)[number, np.arange(len(number))]
    return chosen, number


def dynamic(
    config: "Config",
    parameters: "Parameters",
    images: NDArray[np.uint8],
    *,
    schedule: Sequence[int],
    threshold: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Logits of images, each at the first precision of ``schedule`` that is clear enough.

    Parameters
    ----------
    config, parameters
        Of bitwise weights.
    images : uint8 array, (n, h, w, c)
    schedule : sequence of int
        Precisions, rising, each 1 to ``config.weights.widths``.
    threshold : int
        Least margin of the two largest logits with which an answer counts.

    Returns
    -------
    logits : int64 array, (n, classes)
    width : int64 array, (n,)
        The precision that gave them.
    """
    found = [network(config.at(width), parameters.at(width), images) for width in schedule]
    logits, number = settled(found, threshold)
    return logits, np.asarray(schedule, np.int64)[number]
