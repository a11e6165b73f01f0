"""Networks with strides, summed maps and shortcuts over several layers, for many tests."""

import json
from typing import Any

from kakure.model.config.config import Config, parse_config

__all__ = ["FORMS", "HEAD", "branching"]


def _conv(channels: int, **more: Any) -> dict[str, Any]:
    tiles = {"engine": "crossbar", "column_sharing": 4, "adc_type": "flash", "adc_bits": 3}
    return {"kind": "conv", "channels": channels, "kernel": 3, "input_bits": 4, **tiles, **more}


HEAD = {"kind": "linear", "channels": 10, "engine": "pe_array", "input_bits": 4}
SUMS = HEAD | {"sum_pool": True, "map_bits": 4, "input_bits": 6}

FORMS: dict[str, list[dict[str, Any]]] = {
    "stride": [_conv(4, stride=2), _conv(5, stride=2, kernel=2, padding=1), HEAD],
    "stride and pool": [_conv(4, stride=2, pool=2), HEAD],
    "summed": [_conv(4), SUMS],
    "summed, bits dropped": [_conv(4), SUMS | {"input_bits": 2, "sum_shift": 5}],
    "summed, saturated": [_conv(4), SUMS | {"input_bits": 3, "sum_shift": 1}],
    "summed image": [SUMS],
    "over two": [_conv(4), _conv(6), _conv(4, residual=2), HEAD],
    "over three": [_conv(4), _conv(6, input_bits=2), _conv(3), _conv(4, residual=3), HEAD],
    "of the image": [_conv(2), _conv(1, residual=2, input_bits=3), HEAD],
    "a block that strides": [
        _conv(4),
        _conv(6, kernel=1, padding=0, stride=2),
        _conv(6, stride=2, reads=2),
        _conv(6, residual=2, input_bits=3),
        _conv(6, residual=True, reads=2, input_bits=3),
        SUMS,
    ],
}
"""Layers of each form, over images of 8 x 8 x 1."""


def branching(form: str, **changes: Any) -> Config:
    """The configuration of a form."""
    data = {
        "name": "branching",
        "dataset": "digits",
        "weights": {"kind": "hidden", "seed": 1, "generator": "xorshift32", "density": 0.5},
        "crossbar": {"rows": 8, "columns": 4},
        "pe_array": {"inputs": 4, "outputs": 4, "pixels": 4},
        "layers": FORMS[form],
    }
    return parse_config(json.dumps(data | changes))
