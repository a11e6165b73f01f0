"""Networks on temporal accelerators, for many tests."""

import json
from random import Random
from typing import Any

from kakure.hdl.accelerators.table import architecture_of
from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.config.config import Config, parse_config
from kakure.model.errors import UserError

__all__ = ["array_of", "random_temporal", "temporal"]

KEYS = ("column_sharing", "adc_type", "adc_bits")


def temporal(
    layers: list[dict[str, Any]],
    array: tuple[int, int, int, int],
    *,
    rows: int = 2,
    **more: Any,
) -> Config:
    """A network of layers, with inputs, outputs, pixels and batches of the array."""
    names = ("inputs", "outputs", "pixels", "batches")
    data = {
        "name": "temporal",
        "dataset": "images",
        "input_shape": [8, 8, 3],
        "weights": {"kind": "hidden", "seed": 5, "density": 0.6},
        "accelerator": {"kind": "temporal", "rows": rows} | dict(zip(names, array, strict=True)),
        "layers": [
            {k: v for k, v in layer.items() if k not in KEYS} | {"engine": "pe_array"}
            for layer in layers
        ],
    }
    return parse_config(json.dumps(data | more))


def array_of(config: Config) -> TemporalConfig:
    """Its array."""
    return TemporalConfig.of(config.accelerator)


def random_temporal(seed: int) -> Config:
    """A small network on an array, both of any shape."""
    rng = Random(seed)
    while True:
        try:
            config = _drawn(rng)
            architecture_of(config).check()
        except UserError:
            continue
        if architecture_of(config).timing().latency < 3000:
            return config


def _drawn(rng: Random) -> Config:
    def bits() -> int:
        return rng.choice([1, 2, 3, 4, 4, 5, 6, 7, 8])

    layers: list[dict[str, Any]] = []
    for _ in range(rng.randint(0, 3)):
        kernel = rng.choice([1, 1, 2, 3, 3, 4])
        layer = {
            "kind": "conv",
            "channels": rng.choice([1, 2, 3, 5, 8, 9, 17, 20]),
            "kernel": kernel,
            "padding": rng.randrange(kernel),
            "input_bits": bits(),
        }
        if rng.random() < 0.35:
            layer["residual"] = rng.choice([1, 1, 2])
        else:
            layer |= {"stride": rng.choice([1, 1, 2]), "pool": rng.choice([1, 1, 2, 3])}
        layers.append(layer)
    head = {"kind": "linear", "channels": rng.choice([1, 3, 10, 18]), "input_bits": bits()}
    if rng.random() < 0.3:
        head |= {"sum_pool": True, "map_bits": bits()}
    array = (
        rng.choice([1, 2, 3, 4, 5, 6, 8, 12, 16, 18]),
        rng.choice([1, 2, 4, 8, 16]),
        rng.randint(1, 4),
        rng.randint(1, 6),
    )
    weights = {
        "kind": "hidden",
        "seed": rng.getrandbits(32),
        "density": rng.choice([0.1, 0.5, 0.9]),
    }
    shape = [rng.randint(1, 7), rng.randint(1, 7), rng.choice([1, 1, 2, 3, 5])]
    return temporal(
        [*layers, head], array, rows=rng.randint(1, 4), weights=weights, input_shape=shape
    )
