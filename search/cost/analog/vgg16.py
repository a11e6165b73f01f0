"""VGG16 for CIFAR-10 as XPert builds it: 13 convolutions and one linear layer."""

import json
from collections.abc import Sequence
from typing import Any

from kakure.model.config.config import Config, parse_config
from kakure.model.errors import UserError

__all__ = ["POOLED", "VGG16_CHANNELS", "VGG16_POSITIONS", "vgg16_config"]

VGG16_CHANNELS = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
VGG16_POSITIONS = (32, 32, 16, 16, 8, 8, 8, 4, 4, 4, 2, 2, 2)
"""Side of the map that each convolution writes."""
POOLED = (1, 3, 6, 9, 12)
"""Index of the convolutions that a 2 x 2 pool follows; XPert averages after the last."""


def vgg16_config(
    channels: Sequence[int],
    column_sharing: int | Sequence[int],
    adc_type: str | Sequence[str],
    adc_bits: int | Sequence[int],
    input_bits: int | Sequence[int],
    *,
    copies: int | Sequence[int] = 1,
    classes: int = 10,
    name: str = "vgg16",
) -> Config:
    """A network of VGG16's shape.

    Parameters
    ----------
    channels : 13 numbers
        Output channels of the convolutions; :data:`VGG16_CHANNELS` is VGG16 itself.
    column_sharing, adc_type, adc_bits, input_bits, copies
        One value for all layers, or one per convolution; the linear layer takes the last one's
        readout, as in XPert, and one copy.

    Raises
    ------
    UserError
        If a sequence does not hold 13 values, or a value is none that a configuration takes.
    """
    count = len(VGG16_CHANNELS)
    widths = spread("channels", list(channels), count)
    shared = spread("column_sharing", column_sharing, count)
    types = spread("adc_type", adc_type, count)
    bits = spread("adc_bits", adc_bits, count)
    inputs = spread("input_bits", input_bits, count)
    repeats = spread("copies", copies, count)
    layers: list[dict[str, Any]] = []
    for index in range(count):
        layers.append({
            "kind": "conv",
            "channels": widths[index],
            "kernel": 3,
            "pool": 2 if index in POOLED else 1,
            "engine": "crossbar",
            "column_sharing": shared[index],
            "adc_type": types[index],
            "adc_bits": bits[index],
            "input_bits": inputs[index],
            "copies": repeats[index],
        })
    left_out = ("kernel", "pool", "copies")
    last = {key: value for key, value in layers[-1].items() if key not in left_out}
    layers.append(last | {"kind": "linear", "channels": classes})
    data = {
        "name": name,
        "dataset": "cifar10",
        "weights": {"kind": "hidden"},
        "layers": layers,
    }
    return parse_config(json.dumps(data), name)


def spread(name: str, value: int | str | Sequence[int] | Sequence[str], count: int) -> list[Any]:
    """One value per layer."""
    if isinstance(value, int | str):
        return [value] * count
    if len(value) != count:
        raise UserError(f"{name} must hold {count} values, one per convolution", value=len(value))
    return list(value)
