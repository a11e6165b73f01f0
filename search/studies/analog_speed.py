"""Speed of the analog model in layer evaluations a second: ``kakure study analog-speed``."""

import argparse
import time
from dataclasses import fields

import numpy as np

from kakure.search.cost.analog.model import AnalogModel
from kakure.search.cost.analog.vgg16 import VGG16_CHANNELS, vgg16_config
from kakure.search.cost.metrics import LayerBatch

__all__ = ["options", "run", "speed"]

LAYERS = 130_000


def speed(layers: int = LAYERS) -> float:
    """Layer evaluations a second, on VGG16's layers over and over."""
    one = LayerBatch.of(vgg16_config(VGG16_CHANNELS, 8, "sar", 6, 8))
    repeats = layers // len(one)
    columns = {field.name: np.tile(getattr(one, field.name), repeats) for field in fields(one)}
    batch, model = LayerBatch(**columns), AnalogModel()
    start = time.perf_counter()
    model.layer_costs(batch)
    return len(batch) / (time.perf_counter() - start)


def options(parser: argparse.ArgumentParser) -> None:
    """It takes nothing."""


def run(args: argparse.Namespace) -> None:
    """Print the speed."""
    print(f"analog model: {speed():,.0f} layer evaluations a second, {LAYERS:,} in a batch")
