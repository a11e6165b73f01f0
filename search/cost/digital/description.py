"""From a measured module to the shape of its block."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any

import numpy as np

from kakure.hdl.accelerators.spatial.layer_shape import LayerShape
from kakure.hdl.shape.block_shape import BlockShape
from kakure.hdl.shape.numbers import signed_bits
from kakure.hdl.weights.layer_weights import LayerWeights
from kakure.hdl.weights.weight_generator_shape import WeightGeneratorShape
from kakure.model.config.config import parse_config

from .library import BLOCKS
from .measured import Measurement, Module
from .tree import parts_below, shared_parts

__all__ = ["describe", "stacked"]

FROM_CONFIG = ("crossbar_grid", "crossbar_engine", "pe_engine", "layer")
ONCE = (
    "weight_generator",
    "image_reader",
    "masked_signs",
    "spatial_core",
    "accelerator",
)
CALLED = ("popcount", "ram")
"""Kinds of which a temporal accelerator has several, which say what they were called with."""


def describe(measurement: Measurement, module: Module) -> BlockShape:
    """The shape of the module's block.

    Where a sample is built from a configuration, it comes from the closed form of the instance
    tree: the emitted module does not say its sizes.
    """
    takes_turns = measurement.sample.block == "temporal_accelerator"
    is_in_tree = module.kind not in CALLED if takes_turns else module.kind in FROM_CONFIG + ONCE
    if is_in_tree:
        return _from_tree(measurement, module)
    kind = BLOCKS[module.kind]
    values = _numbers(module.parameters)
    return kind(**{f.name: values[f.name] for f in fields(kind) if f.name in values})


def _numbers(given: Mapping[str, int | str]) -> dict[str, int]:
    """What a generator was called with, as a shape's fields name it."""
    result = {"shortcut_bits": 0}
    for name, value in given.items():
        if isinstance(value, int):
            result[name] = value
    if "adc_type" in given:
        result["is_sar"] = int(given["adc_type"] == "sar")
    if "write_groups" in given:
        result["write_groups"] = str(given["write_groups"]).count("x") + 1
    if "peak" in given:
        result["sum_bits"] = signed_bits(int(given["peak"]))
    for name in ("cap_bits", "output_bits"):
        if given.get(name) == "all":
            result[name] = 0
    if given.get("cells") == "lstp":
        result["is_lstp"] = 1
    if "generator" in given:
        result["is_16"] = int(given["generator"] == "xorshift16")
    if "windows" in given:
        windows = [int(text) for text in str(given["windows"]).split("x")]
        result["max_window"] = max(windows)
        result["windows"] = len(set(windows))
    return result


def _from_tree(measurement: Measurement, module: Module) -> BlockShape:
    sample = measurement.sample
    if sample.block == "weight_generator":
        layers = [LayerWeights(*layer) for layer in sample.parameters["layers"]]
        top: BlockShape = WeightGeneratorShape.of(sample.parameters["generator"], layers)
    else:
        config = sample.config
        assert config is not None and config.weights.kind == "hidden"
        if module.kind in FROM_CONFIG:
            top = LayerShape.of(config, int(module.parameters.get("layer", 0)))
        else:
            return _once(config.model_dump_json())[module.kind]
    for part in parts_below(top):
        if part.kind == module.kind:
            return part.shape
    raise AssertionError(f"{sample.key} has no {module.kind}")


@lru_cache(maxsize=8)
def _once(config: str) -> dict[str, BlockShape]:
    """What an accelerator has once, by kind; of several of a kind, which are equal, the last."""
    return {part.kind: part.shape for part in shared_parts(parse_config(config))}


def stacked(shapes: Sequence[BlockShape]) -> BlockShape:
    """One shape, of arrays, for shapes of one kind."""
    values: dict[str, Any] = {}
    for field in fields(shapes[0]):
        column = [getattr(shape, field.name) for shape in shapes]
        if isinstance(column[0], BlockShape):
            values[field.name] = stacked(column)
        elif isinstance(column[0], tuple):
            values[field.name] = ()
        else:
            values[field.name] = np.array(column)
    return type(shapes[0])(**values)
