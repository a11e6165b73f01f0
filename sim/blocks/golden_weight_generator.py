"""Points of :class:`.WeightGenerator` and their golden writes."""

import json
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from kakure.hdl.weights.layer_weights import LayerWeights
from kakure.hdl.weights.weight_generator import WeightGenerator
from kakure.model.config.config import Config, parse_config
from kakure.model.parameters.parameters import LayerParameters, random_parameters
from kakure.model.reference.masks import TOKEN_SIZES

from .golden_image import GoldenImage, write_fields
from .image_faults import faults, random_faults
from .loads import Loads
from .point import Point

__all__ = ["points"]

DENSITIES = (0.5, 0.05, 0.95, 0.0, 1.0)

# Map of the network, its convolutions (kernel, channels), classes, seed of the signs.
TAILS = ((4, 4, 2), ((3, 33), (1, 3)), 2, 0)  # seed 0 gives row 0 of layer 0 a hash of 0
ONLY_WORDS = ((2, 2, 1), ((2, 64),), 32, 5)  # rows of 32 and 64: 32 weights in every cycle
ZERO_STATE = ((3, 2, 1), ((2, 33),), 32, 0)  # seed 0 of xorshift16 starts with a state of 0
QUICK = {"xorshift32": (TAILS, ONLY_WORDS), "xorshift16": (ZERO_STATE,)}
FULL = (
    TAILS,
    ONLY_WORDS,
    ZERO_STATE,
    ((4, 4, 2), ((3, 3), (1, 33)), 2, 5),
    ((1, 1, 1), (), 1, 1),  # a single weight
    ((4, 3, 2), ((2, 32),), 35, 0),
    ((5, 5, 1), ((5, 64),), 96, 2**32 - 1),
    ((3, 3, 3), ((2, 40), (1, 1), (2, 7)), 31, 77),
    ((2, 6, 1), ((1, 1),), 70, 12345),
)


def points() -> list[Point]:
    """Return the quick points and the other networks, each with both generators."""
    chosen = [(generator, shape, True) for generator in QUICK for shape in QUICK[generator]]
    chosen += [
        (generator, shape, False)
        for shape in FULL
        for generator in QUICK
        if shape not in QUICK[generator]
    ]
    result = []
    for generator, (shape, convolutions, classes, seed), is_quick in chosen:
        parameters = {
            "generator": generator,
            "shape": shape,
            "convolutions": convolutions,
            "classes": classes,
            "seed": seed,
        }
        result.append(
            Point(
                block="weight_generator",
                parameters=parameters,
                make=partial(_make, parameters),
                save_vectors=partial(save_vectors, parameters),
                is_quick=is_quick,
            )
        )
    return result


def _config(parameters: dict[str, Any]) -> Config:
    """A network whose layers have the weights wanted."""
    engine = {"engine": "pe_array", "input_bits": 2}
    layers: list[dict[str, Any]] = [
        {"kind": "conv", "kernel": kernel, "channels": channels, "padding": 0, **engine}
        for kernel, channels in parameters["convolutions"]
    ]
    layers.append({"kind": "linear", "channels": parameters["classes"], **engine})
    weights = {"kind": "hidden", "seed": parameters["seed"], "generator": parameters["generator"]}
    return parse_config(
        json.dumps({
            "name": "point",
            "dataset": "none",
            "input_shape": parameters["shape"],
            "weights": weights,
            "layers": layers,
        })
    )


def _make(parameters: dict[str, Any]) -> WeightGenerator:
    config = _config(parameters)
    return WeightGenerator(
        generator=parameters["generator"],
        seed=parameters["seed"],
        layers=tuple(LayerWeights(g.in_channels, g.window, g.outputs) for g in config.geometry),
    )


def save_vectors(parameters: dict[str, Any], path: Path) -> None:
    """Write the images of a point and what must come of them."""
    config = _config(parameters)
    rng = np.random.default_rng(1)
    images = []
    for index, density in enumerate(DENSITIES):
        for token in TOKEN_SIZES if index < 2 else (0, 1 + index):
            name = f"density {density}, token {token}"
            images.append(GoldenImage(config, name, _parameters(config, rng, density), token))
    good = [image.load() for image in images]
    cycles = max(image.end for image in images)
    faulty = [*faults(images[0]), *faults(images[2])]
    faulty += random_faults(Random(1), [images[0], images[3]])
    Loads([*good, *faulty], write_fields(config), cycles).save(path)


def _parameters(config: Config, rng: np.random.Generator, density: float) -> list[LayerParameters]:
    """Masks of a density, and scales that use all bits."""
    layers = []
    for geometry, layer in zip(
        config.geometry, random_parameters(config, seed=1).layers, strict=True
    ):
        multiplier = rng.integers(-(1 << 15), 1 << 15, geometry.outputs)
        multiplier[0] = -(1 << 15)
        offset = rng.integers(-(1 << 31), 1 << 31, geometry.outputs)
        offset[-1] = -(1 << 31)
        mask = rng.random(layer.mask.shape) < density
        shift = rng.integers(0, 32, geometry.outputs)
        layers.append(LayerParameters(mask, multiplier, offset, shift))
    return layers
