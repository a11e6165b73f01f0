"""Configurations to start from: named differences from the digits configuration."""

import copy
import json
from typing import Any

from .config import Config, parse_config

__all__ = ["PRESETS", "preset", "preset_json"]

DEFAULT: dict[str, Any] = {
    "name": "digits",
    "dataset": "digits",
    "weights": {"kind": "hidden", "seed": 1, "generator": "xorshift32", "density": 0.5},
    "crossbar": {"rows": 64, "columns": 32},
    "pe_array": {"inputs": 16, "outputs": 16, "pixels": 16},
    "layers": [
        {
            "kind": "conv",
            "channels": 32,
            "kernel": 3,
            "pool": 2,
            "engine": "crossbar",
            "column_sharing": 4,
            "adc_type": "flash",
            "adc_bits": 4,
            "input_bits": 4,
        },
        {
            "kind": "conv",
            "channels": 32,
            "kernel": 3,
            "pool": 2,
            "engine": "crossbar",
            "column_sharing": 8,
            "adc_type": "sar",
            "adc_bits": 4,
            "input_bits": 4,
        },
        {"kind": "linear", "channels": 10, "engine": "pe_array", "input_bits": 4},
    ],
    "parameters": "digits.safetensors",
}

WIDE = {"crossbar": {"rows": 64, "columns": 64}}
CIFAR10 = WIDE | {
    "dataset": "cifar10",
    "weights": {"kind": "hidden", "seed": 1, "generator": "xorshift32", "density": 0.35},
}


def _conv(channels: int, **more: Any) -> dict[str, Any]:
    """A layer on 64 x 64 tiles, whose readouts of 5 bits hardly saturate at a density of .35."""
    tiles = {"engine": "crossbar", "column_sharing": 16, "adc_type": "sar", "adc_bits": 5}
    return {"kind": "conv", "channels": channels, "kernel": 3, **more, **tiles, "input_bits": 4}


def _image(layer: dict[str, Any]) -> dict[str, Any]:
    """A layer that reads all 8 bits of the image."""
    return layer | {"input_bits": 8}


def _block(channels: int, *, wider: bool) -> list[dict[str, Any]]:
    """ResNet's block of two layers; a wider one halves the map, and its shortcut too."""
    if not wider:
        return [_conv(channels), _conv(channels, residual=2)]
    shortcut = _conv(channels, stride=2) | {"kernel": 1}
    return [shortcut, _conv(channels, stride=2, reads=2), _conv(channels, residual=2)]


MEAN = {"kind": "linear", "channels": 10, "engine": "pe_array"}
MEAN |= {"sum_pool": True, "map_bits": 4, "input_bits": 8}
"""A linear layer on the sums of a map of 4 x 4, which take 8 bits."""

CROSSBAR_KEYS = ("column_sharing", "adc_type", "adc_bits")

FIRST, SECOND, LAST = DEFAULT["layers"]

PRESETS: dict[str, dict[str, Any]] = {
    "digits": {},
    "fashion-mnist": {
        "dataset": "fashion-mnist",
        "crossbar": {"rows": 64, "columns": 64},
        "layers": [
            FIRST | {"column_sharing": 8},
            SECOND | {"channels": 64},
            SECOND | {"channels": 64, "pool": 1, "column_sharing": 16, "adc_bits": 5},
            LAST,
        ],
    },
    "flash": {"layers": [FIRST, SECOND | {"adc_type": "flash"}, LAST]},
    "sar": {"layers": [FIRST | {"adc_type": "sar"}, SECOND, LAST]},
    "lossless": {"layers": [FIRST | {"adc_bits": 7}, SECOND | {"adc_bits": 7}, LAST]},
    "residual": {"layers": [FIRST, SECOND | {"pool": 1, "residual": True}, SECOND, LAST]},
    "vgg-small": CIFAR10
    | {
        "layers": [
            _image(_conv(64)),
            _conv(64, pool=2),
            _conv(128),
            _conv(128, pool=2),
            _conv(256),
            _conv(256, pool=2),
            MEAN,
        ]
    },
    "resnet-cifar": CIFAR10
    | {
        "layers": [
            _image(_conv(64)),
            *_block(64, wider=False),
            *_block(128, wider=True),
            *_block(256, wider=True),
            *_block(512, wider=True),
            MEAN,
        ]
    },
    "cifar10": CIFAR10
    | {
        "layers": [
            _image(_conv(32)),
            _conv(80, pool=2),
            _conv(80, residual=True),
            _conv(320, pool=2),
            _conv(320, residual=True),
            _conv(320, pool=2),
            _conv(320, residual=True),
            MEAN,
        ]
    },
    "hiddenite": {
        "weights": {"kind": "hidden", "seed": 1, "generator": "xorshift16", "density": 0.5},
        "layers": [
            {
                key: value
                for key, value in (layer | {"engine": "pe_array"}).items()
                if key not in CROSSBAR_KEYS
            }
            for layer in DEFAULT["layers"]
        ],
    },
}
"""What each preset changes; its name and the file of its parameters follow the preset's name."""


def preset(name: str) -> Config:
    """The configuration of a preset; KeyError if there is none of that name."""
    return parse_config(preset_json(name), f"preset {name}")


def preset_json(name: str) -> str:
    """JSON text of a preset, with the keys that it leaves at their defaults left out."""
    data = copy.deepcopy(DEFAULT) | {"name": name, "parameters": f"{name}.safetensors"}
    return json.dumps(data | PRESETS[name], indent=2) + "\n"
