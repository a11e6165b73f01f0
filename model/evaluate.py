"""Accuracy of the integer model, which is what the hardware computes."""

from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from kakure.model.config.config import Config
from kakure.model.datasets.labelled import LabelledImages
from kakure.model.parameters.parameters import Parameters
from kakure.model.reference.network import classify, network

__all__ = ["Score", "evaluate"]


@dataclass(frozen=True)
class Score:
    """How many of ``count`` images are classified right."""

    correct: int
    count: int

    @property
    def accuracy(self) -> float:
        """Fraction of the images that is classified right."""
        return self.correct / self.count


def evaluate(
    config: Config,
    parameters: Parameters,
    data: LabelledImages,
    *,
    chunk: int = 50,
    progress: bool = False,
) -> Score:
    """Classify ``data`` by :func:`.network`, ``chunk`` images at a time."""
    correct = 0
    starts = range(0, len(data), chunk)
    for start in tqdm(starts, desc="evaluate", unit=f"x{chunk}", disable=not progress, leave=False):
        part = data.take(np.arange(start, min(start + chunk, len(data))))
        correct += int((classify(network(config, parameters, part.images)) == part.labels).sum())
    return Score(correct, len(data))
