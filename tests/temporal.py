"""Networks on temporal accelerators, for many tests."""

import json
from typing import Any

from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.config.config import Config, parse_config

__all__ = ["array_of", "temporal"]

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
