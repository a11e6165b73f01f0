"""Golden vectors, taken apart again."""

import json

import numpy as np
import pytest

from kakure.hdl.accelerators.spatial.cycle_model import image_timing
from kakure.hdl.weights.loading_time import loading_cycles
from kakure.model.config.config import parse_config
from kakure.model.parameters.parameters import random_parameters
from kakure.model.parameters.supermask_image import image_words
from kakure.model.reference.network import network, network_layers
from kakure.sim.bench.vectors import Vectors
from kakure.sim.runner.golden import golden_vectors, pack_image, pack_values

CONFIG = parse_config(
    json.dumps({
        "name": "golden",
        "dataset": "images",
        "input_shape": [4, 5, 1],
        "weights": {"kind": "hidden"},
        "layers": [
            {
                "kind": "conv",
                "channels": 3,
                "kernel": 3,
                "pool": 2,
                "engine": "crossbar",
                "column_sharing": 1,
                "adc_type": "flash",
                "adc_bits": 3,
                "input_bits": 4,
            },
            {"kind": "linear", "channels": 2, "engine": "pe_array", "input_bits": 5},
        ],
    })
)
PARAMETERS = random_parameters(CONFIG, 1)
IMAGES = np.random.default_rng(1).integers(0, 256, (3, 4, 5, 1), dtype=np.uint8)


@pytest.fixture(scope="module")
def vectors():
    return golden_vectors(CONFIG, PARAMETERS, IMAGES)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 2, 3), (2, 2, 1), (3, 3, 1)])
def test_pack_image_puts_the_first_byte_lowest_and_fills_with_zeros(shape):
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    words = pack_image(image)
    assert len(words) == -(-image.size // 4)
    data = [word >> 8 * byte & 0xFF for word in words for byte in range(4)]
    assert data == [*image.reshape(-1).tolist(), *[0] * (-image.size % 4)]


@pytest.mark.parametrize("bits", [1, 5, 8, 32])
def test_pack_values_puts_channel_0_lowest_in_twos_complement(bits):
    low = -(1 << (bits - 1))
    values = np.random.default_rng(1).integers(low, -low, (4, 3))
    for word, row in zip(pack_values(values, bits), values.tolist(), strict=True):
        assert word == sum((value & (1 << bits) - 1) << bits * n for n, value in enumerate(row))


def test_vectors_are_those_of_the_reference_and_the_formulas(vectors):
    assert vectors.digest == CONFIG.digest
    assert vectors.supermask == image_words(CONFIG, PARAMETERS)
    assert vectors.load_cycles == loading_cycles(CONFIG, PARAMETERS)
    assert vectors.logits == network(CONFIG, PARAMETERS, IMAGES).tolist()
    assert vectors.cycles == list(image_timing(CONFIG, 3).results)
    assert vectors.images == [pack_image(image) for image in IMAGES]
    assert vectors.registers["CONTROL"] == 0x28


def test_every_value_of_every_layer_is_there(vectors):
    layers = list(network_layers(CONFIG, PARAMETERS, IMAGES))
    for layer, (_, y) in zip(vectors.layers, layers, strict=True):
        for image in range(3):
            expected = y[image].reshape(-1, layer.channels)
            assert len(layer.pixels[image]) == len(expected)
            for word, values in zip(layer.pixels[image], expected.tolist(), strict=True):
                mask = (1 << layer.bits) - 1
                got = [word >> layer.bits * c & mask for c in range(layer.channels)]
                assert got == [value & mask for value in values]
    assert [layer.bits for layer in vectors.layers] == [5, 32]
    assert [layer.is_signed for layer in vectors.layers] == [False, True]


def test_a_difference_is_named_by_position_and_channel(vectors):
    first, last = vectors.layers
    right = first.pixels[1][1]
    values = [right >> 5 * c & 31 for c in range(3)]
    assert first.difference(1, 1, right) is None
    said = f"position (0, 1), channel 2: expected {values[2]}, got {values[2] ^ 1}"
    assert first.difference(1, 1, right ^ 1 << 10) == said
    logits = vectors.logits[0]
    wrong = pack_values(np.array([[logits[0], -7]]), 32)[0]
    said = f"position (0, 0), channel 1: expected {logits[1]}, got -7"
    assert last.difference(0, 0, wrong) == said


def test_vectors_survive_a_file(vectors, tmp_path):
    path = tmp_path / "vectors.json"
    vectors.save(path)
    assert Vectors.load(path) == vectors
