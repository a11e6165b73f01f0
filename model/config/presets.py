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
