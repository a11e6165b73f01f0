"""Accuracy with generated images, beside varied ones and twice as many real ones."""

import argparse
from collections.abc import Mapping
from typing import Any

import numpy as np

from kakure.model.datasets.labelled import LabelledImages
from kakure.model.generative.images import generate, learn_generator
from kakure.model.reduction.random_choice import random_choice

from .small_data import Problem, Scores, options, repeat, shown, tested

__all__ = ["ROWS", "measure", "options", "run", "table"]

FACTS = {
    "digits": {"images": 200, "narrow": 2, "steps": 300},
    "fashion-mnist": {"images": 500, "narrow": 4, "steps": 300},
}

ROWS = ("n real", "n real, n generated", "n real, 4n generated", "2n real")


def measure(given: Problem, facts: Mapping[str, Any], seed: int) -> Scores:
    """Accuracy by what is trained with, as it is and varied."""
    count = facts["images"]
    twice = given.pool.take(random_choice(given.pool, 2 * count, seed))
    real = twice.take(random_choice(twice, count, seed))
    classes = given.config.layers[-1].channels
    generator = learn_generator(real, classes=classes, seed=seed)
    made = generate(generator, real, 4 * count, seed)
    quarter = generate(generator, real, count, seed)
    sets = (real, joined(real, quarter), joined(real, made), twice)
    how = {"narrow": facts["narrow"], "steps": facts["steps"], "seed": seed}
    return {
        name: {
            row: tested(given, data, varied=varied, **how)
            for row, data in zip(ROWS, sets, strict=True)
        }
        for name, varied in (("plain", False), ("varied", True))
    }


def joined(a: LabelledImages, b: LabelledImages) -> LabelledImages:
    """The images of both."""
    return LabelledImages(
        np.concatenate([a.images, b.images]), np.concatenate([a.labels, b.labels])
    )


def table(rows: list[Scores]) -> str:
    """Accuracies and what is gained over the n real images, as they are and varied [%]."""
    lines = [
        "| trained with | as they are | gained | varied | gained |",
        "|---|---|---|---|---|",
    ]
    for name in ROWS:
        cells = []
        for kind in ("plain", "varied"):
            found = [row[kind][name] for row in rows]
            gained = [row[kind][name] - row[kind][ROWS[0]] for row in rows]
            cells += [shown(found), "" if name == ROWS[0] else shown(gained, is_gain=True)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def run(args: argparse.Namespace) -> None:
    """Measure what is not finished, and print the tables."""
    repeat(args, "augmentation", FACTS, measure, table)
