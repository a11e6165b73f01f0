import itertools
import json

import numpy as np
import pytest
from branching import FORMS, branching

from kakure.model.config.config import parse_config
from kakure.model.config.presets import preset_json
from kakure.model.parameters.parameters import random_parameters
from kakure.model.reference import (
    network as network_reference,
)
from tests.test_model_reference_crossbar import naive_crossbar


def naive_network(config, parameters, image):
    """One image, (h, w, c) as nested lists, through every layer by plain loops."""
    maps = [[[[v >> (8 - config.image_bits) for v in px] for px in row] for row in image]]
    for layer, geometry, trained in zip(
        config.layers, config.geometry, parameters.layers, strict=True
    ):
        w = trained.weights(config, geometry).tolist()
        pad = geometry.padding
        x = maps[len(maps) - layer.reads]
        if layer.sum_pool:
            shift, most = geometry.summed.shift, 2**layer.input_bits - 1
            sums = [sum(px[c] for row in x for px in row) for c in range(len(x[0][0]))]
            x = [[[min(total // 2**shift, most) for total in sums]]]
        acc = []
        for y, column in itertools.product(range(geometry.out_height), range(geometry.out_width)):
            window = []
            for channel, ky, kx in itertools.product(
                range(geometry.in_channels),
                range(geometry.kernel_height),
                range(geometry.kernel_width),
            ):
                iy, ix = y * layer.stride + ky - pad, column * layer.stride + kx - pad
                inside = 0 <= iy < geometry.in_height and 0 <= ix < geometry.in_width
                window.append(x[iy][ix][channel] if inside else 0)
            if layer.engine == "crossbar":
                rows, bits = config.crossbar.rows, layer.input_bits
                acc += naive_crossbar([window], w, rows, bits, layer.adc_bits, layer.adc_shift)
            else:
                acc.append([
                    sum(window[r] * w[r][c] for r in range(len(window)))
                    for c in range(geometry.outputs)
                ])
        pooled = []
        for y in range(geometry.pooled_height):
            line = []
            for column in range(geometry.pooled_width):
                cells = [
                    acc[(y * geometry.pool + dy) * geometry.out_width + column * geometry.pool + dx]
                    for dy in range(geometry.pool)
                    for dx in range(geometry.pool)
                ]
                outputs = []
                for c in range(geometry.outputs):
                    value = max(cell[c] for cell in cells)
                    value = value * int(trained.multiplier[c]) + int(trained.offset[c])
                    if geometry.output_bits is not None:
                        value //= 2 ** int(trained.shift[c])
                        if layer.residual:
                            added = maps[len(maps) - int(layer.residual)]
                            step = 2.0 ** (geometry.output_bits - geometry.added_bits)
                            value += int(added[y][column][c] * step)
                        value = min(max(value, 0), 2**geometry.output_bits - 1)
                    outputs.append(value)
                line.append(outputs)
            pooled.append(line)
        maps.append(pooled)
    return maps[-1][0][0]


@pytest.mark.parametrize(
    ("name", "bits"),
    [("digits", ()), ("hiddenite", ()), ("residual", (3, 6)), ("residual", (5, 2))],
)
def test_network_is_the_naive_one(name, bits):
    data = json.loads(preset_json(name))
    for layer, input_bits in zip(data["layers"][1:], bits, strict=False):
        layer["input_bits"] = input_bits
    config = parse_config(json.dumps(data))
    parameters = random_parameters(config, seed=5)
    images = np.random.default_rng(2).integers(0, 256, (2, 8, 8, 1)).astype(np.uint8)
    got = network_reference.network(config, parameters, images)
    assert got.tolist() == [naive_network(config, parameters, image.tolist()) for image in images]


@pytest.mark.parametrize("form", FORMS)
def test_branching_networks_are_the_naive_ones(form):
    config = branching(form)
    parameters = random_parameters(config, seed=5)
    images = np.random.default_rng(2).integers(0, 256, (2, 8, 8, 1)).astype(np.uint8)
    got = network_reference.network(config, parameters, images)
    assert got.tolist() == [naive_network(config, parameters, image.tolist()) for image in images]
