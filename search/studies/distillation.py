"""SVMs, trees and linear models that learn from a trained network, beside labels.

A network is trained with a few labelled images. Students learn the same images, those varied, or
others without a label, from labels or from what the network says. Settings and temperature are
chosen on held-out training images.
"""

import argparse
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from kakure.model.datasets.labelled import LabelledImages
from kakure.model.evaluate import evaluate
from kakure.model.reduction.random_choice import random_choice
from kakure.model.students.distillation import (
    accuracy,
    distil,
    pixels,
    teacher_logits,
)
from kakure.model.students.student import Family, Floats, Predictor, one_hot
from kakure.model.students.table import FAMILIES
from kakure.model.training.augment import augment
from kakure.model.training.network import as_tensor

from .small_data import Problem, Scores, learn, options, repeat, shown

__all__ = ["ROWS", "measure", "options", "run", "table"]

FACTS = {
    "digits": {"labelled": 300, "unlabelled": 300, "steps": 360},
    "fashion-mnist": {"labelled": 1000, "unlabelled": 1000, "steps": 400},
}
TEMPERATURES = (1.0, 2.0, 4.0, 8.0)

CLASSIFIER = "labels, the usual classifier"
ALONE = ("labels, by regression", "taught")
VARIED = ("labels, each image also varied", "taught, each image also varied")
MORE = ("more images, the network's answers", "more images, taught")
ROWS = (CLASSIFIER, *ALONE, *VARIED, *MORE)
"""What a student learns from, in the order of the table."""

GAINS = {
    "the same images": (ALONE[0], ALONE[1]),
    "the same and varied images": (VARIED[0], VARIED[1]),
    "the same and more images": (MORE[0], MORE[1]),
    "more images, over the usual classifier": (CLASSIFIER, MORE[1]),
}
"""What is to be compared: before, and after."""


def measure(given: Problem, facts: Mapping[str, Any], seed: int) -> Scores:
    """Accuracy on the test images of the network and of every student, by row and family."""
    count = facts["labelled"]
    drawn = given.pool.take(random_choice(given.pool, count + facts["unlabelled"], seed))
    index = random_choice(drawn, count, seed)
    data = drawn.take(index)
    more = drawn.take(np.setdiff1d(np.arange(len(drawn)), index)).images
    config, parameters = learn(given, data, narrow=1, steps=facts["steps"], seed=seed)
    draws = torch.Generator().manual_seed(seed)
    varied = augment(as_tensor(data.images), given.recipe, draws).permute(0, 2, 3, 1).numpy()
    said = [teacher_logits(config, parameters, x) for x in (data.images, varied, more)]
    lesson = Lesson(data, varied, more, said, config.layers[-1].channels, given.held)
    students: Scores = {}
    for name, family in FAMILIES.items():
        found = lesson.students(family, seed)
        students[name] = {row: accuracy(found[row], given.test) for row in ROWS}
    return {"teacher": evaluate(config, parameters, given.test).accuracy, "students": students}


class Lesson:
    """Images, and what the network says of them.

    Parameters
    ----------
    data : LabelledImages
    varied, more : array
        The same images varied, and other ones.
    said : list of array
        Logits of the images, the varied ones, and the others.
    classes : int
    held : LabelledImages
        By which settings and temperature are chosen.
    """

    def __init__(
        self,
        data: LabelledImages,
        varied: np.ndarray,
        more: np.ndarray,
        said: list[Floats],
        classes: int,
        held: LabelledImages,
    ) -> None:
        self.data, self.said, self.classes, self.held = data, said, classes, held
        self.x = [pixels(images) for images in (data.images, varied, more)]

    def students(self, family: Family, seed: int) -> dict[str, Predictor]:
        """A student of each row."""
        labels = self.data.labels
        known = one_hot(labels, self.classes)
        first, varied, more = self.x
        _, by_labels = self._best(
            family.settings, lambda s: family.classify(first, labels, self.classes, s, seed)
        )
        setting, by_regression = self._best(
            family.settings, lambda s: family.regress(first, known, s, seed)
        )

        def taught(x: Floats, logits: Floats, heat: float) -> Predictor:
            return distil(family, x, logits, temperature=heat, setting=setting, seed=seed)

        heat, by_teacher = self._best(TEMPERATURES, lambda t: taught(first, self.said[0], t))
        both, all_of_them = np.concatenate([first, varied]), np.concatenate([first, more])
        answers = one_hot(self.said[2].argmax(1), self.classes)
        wide, far = (np.concatenate([self.said[0], self.said[n]]) for n in (1, 2))
        return {
            CLASSIFIER: by_labels,
            ALONE[0]: by_regression,
            ALONE[1]: by_teacher,
            VARIED[0]: family.regress(both, np.concatenate([known, known]), setting, seed),
            VARIED[1]: taught(both, wide, heat),
            MORE[0]: family.regress(all_of_them, np.concatenate([known, answers]), setting, seed),
            MORE[1]: taught(all_of_them, far, heat),
        }

    def _best(
        self, values: tuple[float, ...], fit: Callable[[float], Predictor]
    ) -> tuple[float, Predictor]:
        """The value whose student is best on the held-out images, of equals the first; with it."""
        fitted = [(value, fit(value)) for value in values]
        return max(fitted, key=lambda one: accuracy(one[1], self.held))


def table(rows: list[Scores]) -> str:
    """Accuracies by row and family, and the gains of being taught, in Markdown [%]."""
    teacher = shown([row["teacher"] for row in rows])

    def of(family: str, name: str) -> list[float]:
        return [row["students"][family][name] for row in rows]

    def gain(family: str, before: str, after: str) -> str:
        pairs = zip(of(family, before), of(family, after), strict=True)
        return shown([b - a for a, b in pairs], is_gain=True)

    heads = f"{' | '.join(FAMILIES)} |\n{'|---' * (len(FAMILIES) + 1)}|"
    lines = [f"The network: {teacher}.\n", f"| learnt from | {heads}"]
    lines += [f"| {one} | {' | '.join(shown(of(f, one)) for f in FAMILIES)} |" for one in ROWS]
    lines += ["", f"| gained by being taught | {heads}"]
    lines += [
        f"| {name} | {' | '.join(gain(f, *pair) for f in FAMILIES)} |"
        for name, pair in GAINS.items()
    ]
    return "\n".join(lines)


def run(args: argparse.Namespace) -> None:
    """Measure what is not finished, and print the tables."""
    repeat(args, "distillation", FACTS, measure, table)
