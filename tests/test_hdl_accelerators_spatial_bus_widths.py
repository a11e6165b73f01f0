# amaranth: UnusedElaboratable=no
"""Layers that are too wide for one module are refused in one line."""

import json

import pytest

from kakure.hdl.accelerators.accelerator import Accelerator
from kakure.hdl.accelerators.spatial.bus_widths import MOST_BITS, bus_widths
from kakure.hdl.accelerators.spatial.core import SpatialCore
from kakure.model.config.config import parse_config
from kakure.model.errors import UserError


def network(shape, *layers, array=(1, 1, 1)):
    config = {
        "name": "wide",
        "dataset": "images",
        "input_shape": list(shape),
        "weights": {"kind": "hidden"},
        "pe_array": dict(zip(("inputs", "outputs", "pixels"), array, strict=True)),
        "layers": list(layers),
    }
    return parse_config(json.dumps(config))


CROSSBAR = {"engine": "crossbar", "column_sharing": 1, "adc_type": "flash", "adc_bits": 1}
LINEAR = {"kind": "linear", "channels": 1, "input_bits": 8}
CONV = {"kind": "conv", "kernel": 1, "pool": 16, "input_bits": 8, "engine": "pe_array"}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (network((91, 91, 1), LINEAR | CROSSBAR), "a window must have .* not 66248"),
        (
            network((1, 1, 1), LINEAR | CROSSBAR | {"channels": 4096}),
            "a result must have .* not 131072",
        ),
        (
            network(
                (64, 64, 1),
                LINEAR | CROSSBAR | {"channels": 4096, "adc_bits": 12},
                LINEAR | CROSSBAR | {"input_bits": 1},
            ),
            "the sums of a window must have .* not 86016",
        ),
        (
            network((16, 16, 40), CONV | {"channels": 1}, array=(40, 1, 256)),
            "a block of the PE array must have .* not 82000",
        ),
        (
            network((16, 16, 1), CONV | {"channels": 200}, array=(1, 40, 256)),
            "the sums of the PE array must have .* not 460800",
        ),
    ],
)
@pytest.mark.parametrize("component", [SpatialCore, Accelerator])
def test_refuses(config, message, component):
    with pytest.raises(UserError, match=rf"^layers\[0\]: {message}"):
        component(config=config)


def test_the_widest_that_fits_is_accepted():
    config = network((90, 90, 1), LINEAR | CROSSBAR | {"channels": 2031})
    widths = bus_widths(config, config.geometry[0])
    assert widths["a window"] == 64800
    assert widths["a result"] == 64992 <= MOST_BITS
    SpatialCore(config=config)
