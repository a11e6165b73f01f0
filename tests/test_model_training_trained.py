"""What makes trained parameters useless is said in one line each, and nothing else is."""

import math
from typing import Any

import numpy as np
import pytest

from kakure.model.config.config import parse_config
from kakure.model.config.presets import preset_json
from kakure.model.parameters.parameters import random_parameters
from kakure.model.training.trained import Trained, warnings_of

LABELS = np.arange(40) % 8
LOWER = "try a learning rate below 0.1"


def said(*losses: float, correct: int = 30, loss: float = 0.5, diverged_in: int | None = None):
    parameters = random_parameters(parse_config(preset_json("digits")), 1)
    trained = Trained(parameters, 2, correct, len(LABELS), loss)
    how: dict[str, Any] = {"classes": 8, "learning_rate": 0.1, "diverged_in": diverged_in}
    return list(warnings_of(trained, losses, LABELS, **how))


def test_a_good_training_has_no_warnings():
    assert said(2.0, 1.5) == said() == []
    assert said(0.5, math.log(8) - 0.01) == []  # above the first, but no worse than a guess
    assert said(3.0, 2.9) == []


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
            said(2.0, correct=6),
            "at chance: 6 of 40 validation images right cannot be told from guessing",
        ),
    ],
)
def test_each_fault_is_one_line(warnings, line):
    assert warnings == [line]
