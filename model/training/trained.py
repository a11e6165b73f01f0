"""What a training gives: the parameters of its best epoch, their score, and what is wrong."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kakure.model.parameters.parameters import Parameters

from .chance import is_at_chance

__all__ = ["Trained", "warnings_of"]


@dataclass(frozen=True)
class Trained:
    """The parameters of the best epoch, and its score on the validation images.

    Attributes
    ----------
    parameters : Parameters
    epoch : int
        From 1; 0, the network before training, where the first epoch diverged.
    correct, count : int
        Validation images that the integer model classifies right, and all of them.
    loss : float
        Mean cross-entropy of the integer logits on the validation images.
    warnings : tuple of str
        What makes the parameters useless, one line each: chance, divergence. Empty if all is well.
    """

    parameters: Parameters
    epoch: int
    correct: int
    count: int
    loss: float
    warnings: tuple[str, ...] = ()


def warnings_of(
    trained: Trained,
    losses: Sequence[float],
    labels: NDArray[np.integer],
    *,
    classes: int,
    learning_rate: float,
    diverged_in: int | None,
) -> Iterator[str]:
    """What makes trained parameters useless, one line each.

    Parameters
    ----------
    trained : Trained
    losses : sequence of float
        Mean loss of every epoch that was judged [nat].
    labels : integer array, (count,)
        Of the validation images.
    classes : int
    learning_rate : float
        Below which another one is advised.
    diverged_in : int or None
        Epoch after which scores, scales or the loss were no finite numbers.
    """
    lower = f"try a learning rate below {learning_rate:g}"
    first, last = (losses[0], losses[-1]) if losses else (math.nan, math.nan)
    if diverged_in is not None:
        yield f"diverged in epoch {diverged_in}; epoch {trained.epoch} is kept; {lower}"
    elif last > max(first, math.log(classes)):
        yield (
            f"diverged: the loss rose from {first:.4g} in the first epoch to "
            f"{last:.4g} in the last; {lower}"
        )
    if not math.isfinite(trained.loss):
        yield f"the loss on the validation images is {trained.loss}"
    count = trained.count
    if count and is_at_chance(trained.correct, labels, tries=max(1, len(losses))):
        yield (
            f"at chance: {trained.correct} of {count} validation images right cannot be told "
            "from guessing"
        )
