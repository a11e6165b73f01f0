"""The images that a network is trained with: a choice of those given, and generated ones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kakure.model.datasets.images import LEAST_TRAINING
from kakure.model.datasets.labelled import LabelledImages
from kakure.model.datasets.recipe import Recipe
from kakure.model.errors import UserError
from kakure.model.generative.images import generate, learn_generator
from kakure.model.provenance import array_digest
from kakure.model.reduction.table import SELECTIONS

__all__ = ["TrainingSet", "training_set"]


@dataclass(frozen=True)
class TrainingSet:
    """What is trained with, and how it came to be.

    Attributes
    ----------
    data : LabelledImages
        The images that are kept, and behind them those that were generated.
    index : int64 array
        Positions of those that are kept, in order.
    made : dict of str
        For the metadata of a file; empty where all given images are trained with, and no others.
    """

    data: LabelledImages
    index: NDArray[np.int64]
    made: dict[str, str]


def training_set(data: LabelledImages, recipe: Recipe, *, classes: int, seed: int) -> TrainingSet:
    """Choose images as ``recipe.keep`` and ``recipe.select`` say, and generate more of them.

    Parameters
    ----------
    data : LabelledImages
        Training images without those held out.
    classes : int
    seed : int
        Of the choice and of the generator.

    Raises
    ------
    UserError
        If too few are left or kept, or the images suit no generator.
    """
    if len(data) < 2:
        raise UserError(
            "must leave at least 2 images to train with",
            where=("validation",),
            value=f"{len(data)}, as {recipe.validation} does",
        )
    index = np.arange(len(data))
    made: dict[str, str] = {}
    if recipe.keep < 1:
        kept = round(recipe.keep * len(data))
        if kept < LEAST_TRAINING:
            raise UserError(
                f"must leave at least {LEAST_TRAINING} of {len(data)} training images",
                where=("keep",),
                value=recipe.keep,
            )
        index = SELECTIONS[recipe.select](data, kept, seed)
        made["selection"] = f"{recipe.select}, {kept} of {len(data)}, {array_digest(index)}"
        data = data.take(index)
    count = round(recipe.generated * len(data))
    if count:
        generator = learn_generator(data, classes=classes, seed=seed)
        more = generate(generator, data, count, seed)
        digest = array_digest(more.images, more.labels)
        made["generated"] = f"{count} by a generator that learnt from {len(data)}, {digest}"
        data = LabelledImages(
            np.concatenate([data.images, more.images]), np.concatenate([data.labels, more.labels])
        )
    return TrainingSet(data, index, made)
