"""What a training gives: the parameters of its best epoch, their score, and what is wrong."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kakure.model.parameters.parameters import Parameters

from .chance import is_at_chance

__all__ = ["Trained", "warnings_of"]

FAR = 3
"""Times the loss of guessing, ln classes: a network that is so sure of what is wrong is useless."""


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
    *,
    epoch: int,
    correct: int,
    loss: float,
    losses: Sequence[float],
    labels: NDArray[np.integer],
    classes: int,
    learning_rate: float,
    diverged_in: int | None,
    is_taught: bool = False,
) -> Iterator[str]:
    """What makes trained parameters useless, one line each.

    Parameters
    ----------
    epoch, correct, loss : int, int, float
        As in :class:`Trained`.
    losses : sequence of float
        Mean loss of every epoch that was judged [nat].
    labels : integer array, (count,)
        Of the validation images.
    classes : int
    learning_rate : float
        Below which another one is advised.
    diverged_in : int or None
        Epoch after which scores, scales or the loss were no finite numbers.
    is_taught : bool
        Whether ``losses`` are of what a teacher says, which guessing does not bound.
    """
    lower = f"try a learning rate below {learning_rate:g}"
    guessing, count = math.log(classes), len(labels)
    first, last = (losses[0], losses[-1]) if losses else (math.nan, math.nan)
    far = (
        f"far beyond the {guessing:.4g} of guessing; try a lower learning rate, norm_rate or gamma"
    )
    if diverged_in is not None:
        yield f"diverged in epoch {diverged_in}; epoch {epoch} is kept; {lower}"
    elif last > max(first, guessing):
        yield (
            f"diverged: the loss rose from {first:.4g} in the first epoch to "
            f"{last:.4g} in the last; {lower}"
        )
    elif not count and not is_taught and last > FAR * guessing:
        yield f"diverged: the loss of the last epoch is {last:.4g}, {far}"
    if not math.isfinite(loss):
        yield f"the loss on the validation images is {loss}"
    elif count and loss > FAR * guessing:
        yield f"the loss on the validation images is {loss:.4g}, {far}"
    if count and is_at_chance(correct, labels, tries=max(1, len(losses))):
        yield (
            f"at chance: {correct} of {count} validation images right cannot be told from guessing"
        )
