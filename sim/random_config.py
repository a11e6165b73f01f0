"""Random configurations: small, valid, and of every kind that the schema admits."""

import json
from random import Random
from typing import Any

from hdl.crossbar_engine import tile_columns
from hdl.cycle_model import image_timing, requantizer_lanes
from hdl.pe_schedule import PeSchedule
from model.config import Config, parse_config
from model.errors import UserError

__all__ = ["random_config"]


def random_config(
    seed: int, *, weights: int = 3000, cycles: int = 20000, blocks: int = 100000
) -> Config:
    """Return the configuration of a seed, with hidden weights.

    Drawn until the schema accepts it and it is small.

    Parameters
    ----------
    weights : int
        Most weights.
    cycles : int
        Most cycles for an image alone.
    blocks : int
        Most readouts, processing elements and multipliers: what a simulation by an interpreter
        has to build.
    """
    rng = Random(seed)
    layers = rng.choice([1, 2, 2, 3, 3, 4])
    while True:
        try:
            config = parse_config(json.dumps(_draw(rng, f"random-{seed}", layers)))
        except UserError:
            continue
        if sum(geometry.weights for geometry in config.geometry) > weights:
            continue
        if _blocks(config) <= blocks and image_timing(config).latency <= cycles:
            return config


def _blocks(config: Config) -> int:
    total = 0
    for geometry, layer in zip(config.geometry, config.layers, strict=True):
        total += requantizer_lanes(config, geometry.index)
        if layer.engine == "pe_array":
            schedule = PeSchedule(config, geometry.index)
            total += schedule.outputs * schedule.pixels
        else:
            assert layer.column_sharing
            tiles = tile_columns(geometry.outputs, config.crossbar.columns, layer.column_sharing)
            readouts = sum(2 * tile.columns // layer.column_sharing for tile in tiles)
            total += readouts * len(geometry.groups) * layer.copies
    return total


def _draw(rng: Random, name: str, layers: int) -> dict[str, Any]:
    columns = rng.choice([1, 2, 3, 4, 6, 8, 12, 16, 30, 36, 40, 64])
    drawn = {
        "name": name,
        "dataset": "images",
        "input_shape": [rng.randint(1, 9), rng.randint(1, 9), rng.choice([1, 1, 2, 3, 4, 5])],
        "weights": {
            "kind": "hidden",
            "seed": rng.choice([0, 1, rng.getrandbits(32)]),
            "generator": rng.choice(["xorshift32", "xorshift16"]),
            "density": rng.choice([0.05, 0.3, 0.5, 0.9, 1.0]),
        },
        "crossbar": {"rows": rng.choice([1, 2, 5, 9, 16, 33, 64, 100]), "columns": columns},
        "pe_array": {
            "inputs": rng.choice([1, 2, 3, 8, 17, 40]),
            "outputs": rng.choice([1, 2, 5, 8, 33]),
            "pixels": rng.choice([1, 1, 2, 3, 5, 8]),
        },
        "layers": [_draw_layer(rng, columns, is_last=n == layers - 1) for n in range(layers)],
    }
    channels = drawn["input_shape"][2]
    for layer in drawn["layers"][:-1]:
        if layer["kind"] == "conv" and rng.random() < 0.4:
            layer |= {"residual": True, "channels": channels, "pool": 1}
            layer |= {"kernel": layer["kernel"] | 1, "padding": None}
        channels = layer["channels"]
    return drawn


def _draw_layer(rng: Random, columns: int, *, is_last: bool) -> dict[str, Any]:
    channels = rng.choice([1, 2, 3, 4, 5, 8, 10, 17, 31, 32, 33, 40, 65])
    layer: dict[str, Any] = {"channels": channels, "input_bits": rng.choice([1, 2, 3, 4, 4, 5, 8])}
    if rng.random() < (0.8 if is_last else 0.15):
        layer["kind"] = "linear"
    else:
        layer |= {"kind": "conv", "kernel": rng.choice([1, 2, 3, 3, 4, 5])}
        layer["pool"] = rng.choice([1, 1, 2, 2, 3])
        if rng.random() < 0.5:
            layer["padding"] = rng.randrange(layer["kernel"])
    if rng.random() < 0.35:
        return layer | {"engine": "pe_array"}
    return layer | {
        "engine": "crossbar",
        "column_sharing": rng.choice([n for n in range(1, columns + 1) if columns % n == 0]),
        "adc_type": rng.choice(["flash", "sar"]),
        "adc_bits": rng.choice([1, 2, 3, 4, 5, 7, 12]),
        "adc_shift": rng.choice([0, 0, 0, 1, 2, 4]),
        "copies": rng.choice([1, 1, 1, 2, 3, 5]),
    }
