"""What the tests of training share: a network of two layers, and images that it learns."""

import dataclasses
import json

import numpy as np
import torch

from kakure.model.config.config import parse_config
from kakure.model.config.presets import preset_json
from kakure.model.datasets.labelled import LabelledImages
from kakure.model.training.recipe import Recipe
from kakure.model.training.train import train

CPU = torch.device("cpu")
RECIPE = Recipe(epochs=3, batch_size=16, shift=0.5, validation=4)
FAST = dataclasses.replace(
    RECIPE,
    shift=0.0,
    crop=1,
    cutout=2,
    mirror=True,
    method="agreeing",
    optimizer="muon",
    learning_rate=0.25,
    weight_decay=0.0,
    warm_up=0.2,
    norm_rate=0.02,
    gamma=2.0,
    codes=2.0,
    average=0.5,
    precision="auto",
)
"""Everything that a recipe can choose, at once."""


def config():
    data = json.loads(preset_json("digits"))
    data["layers"] = [data["layers"][0], data["layers"][2]]
    data["layers"][0]["channels"] = 8
    return parse_config(json.dumps(data))


def bars(count=120):
    """Images of one bright row each; the row says the class."""
    labels = np.arange(count) % 8
    images = np.random.default_rng(1).integers(0, 60, (count, 8, 8, 1)).astype(np.uint8)
    images[np.arange(count), labels] += 180
    return LabelledImages(images, labels.astype(np.int64))


def run(checkpoint=None, recipe=RECIPE, seed=1, fresh=False):
    return train(
        config(), bars(), recipe, seed=seed, device=CPU, checkpoint=checkpoint, fresh=fresh
    )


def same(a, b):
    return all(
        (p.mask == q.mask).all()
        and (p.multiplier == q.multiplier).all()
        and (p.offset == q.offset).all()
        and (p.shift == q.shift).all()
        for p, q in zip(a.parameters.layers, b.parameters.layers, strict=True)
    )
