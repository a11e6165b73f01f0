"""Whether a network does better than a guess that looks at no image."""

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["SIGNIFICANCE", "is_at_chance"]

SIGNIFICANCE = 0.01
"""A guess is taken for a network that learned something with at most this probability."""


def is_at_chance(correct: int, labels: NDArray[np.integer], *, tries: int = 1) -> bool:
    """Whether as many right answers are no surprise from guesses.

    A guesser knows only which class is the most frequent one, p of the images, and is right as
    often as n throws of a coin that falls on this side with p are. The network is at chance where
    the best of ``tries`` such guessers has as many right with a probability above ``SIGNIFICANCE``
    (bounded by ``tries`` times that of one).

    Parameters
    ----------
    correct : int
        Images that the network classified right.
    labels : integer array, (n,)
        The right classes; n at least 1.
    tries : int
        From how many results this one was chosen as the best: epochs.
    """
    share = float(np.unique(labels, return_counts=True)[1].max()) / len(labels)
    return tries * _at_least(correct, len(labels), share) > SIGNIFICANCE


def _at_least(least: int, n: int, p: float) -> float:
    """Probability of at least ``least`` successes in ``n`` trials of probability ``p``."""
    if least <= 0 or p >= 1:
        return 1.0
    whole = math.lgamma(n + 1)
    return math.fsum(
        math.exp(
            whole
            - math.lgamma(k + 1)
            - math.lgamma(n - k + 1)
            + k * math.log(p)
            + (n - k) * math.log1p(-p)
        )
        for k in range(least, n + 1)
    )
