"""What makes trained parameters useless is said in one line each, and nothing else is."""

import math
from typing import Any

import numpy as np
import pytest

from kakure.model.training.trained import warnings_of

LABELS = np.arange(40) % 8
LOWER = "try a learning rate below 0.1"
FAR = "far beyond the 2.079 of guessing; try a lower learning rate, norm_rate or gamma"


def said(*losses: float, **changes: Any):
    how: dict[str, Any] = {"epoch": 2, "correct": 30, "loss": 0.5, "labels": LABELS}
    how |= {"classes": 8, "learning_rate": 0.1, "diverged_in": None} | changes
    return list(warnings_of(losses=losses, **how))


def test_a_good_training_has_no_warnings():
    assert said(2.0, 1.5) == said() == []
    assert said(0.5, math.log(8) - 0.01) == []  # above the first, but no worse than a guess
    assert said(3.0, 2.9) == []
    assert said(2.0, loss=2.9 * math.log(8)) == []
    assert said(7.0, 6.0, labels=LABELS[:0], loss=0.0) == []
    assert said(70.0, 60.0, labels=LABELS[:0], loss=0.0, is_taught=True) == []


@pytest.mark.parametrize(
    ("warnings", "line"),
    [
        (
            said(2.0, diverged_in=3),
            f"diverged in epoch 3; epoch 2 is kept; {LOWER}",
        ),
        (
            said(2.0, 2.125),
            f"diverged: the loss rose from 2 in the first epoch to 2.125 in the last; {LOWER}",
        ),
        (said(2.0, loss=math.inf), "the loss on the validation images is inf"),
        (
            said(2e35, loss=2.2e35),
            f"the loss on the validation images is 2.2e+35, {FAR}",
        ),
        (
            said(7.0, 6.25, labels=LABELS[:0], loss=0.0),
            f"diverged: the loss of the last epoch is 6.25, {FAR}",
        ),
        (
            said(2.0, correct=6),
            "at chance: 6 of 40 validation images right cannot be told from guessing",
        ),
    ],
)
def test_each_fault_is_one_line(warnings, line):
    assert warnings == [line]
