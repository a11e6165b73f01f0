"""Planes of signs: the reference at every precision, and all that must be equal to it."""

import dataclasses
import json

import numpy as np
import pytest
from branching import FORMS
from safetensors.numpy import load_file, save_file

from kakure.model.config.config import parse_config
from kakure.model.config.weights.bitwise import BitwiseWeights
from kakure.model.errors import UserError
from kakure.model.packed.matrix_layer import MatrixLayer
from kakure.model.packed.network import PackedNetwork
from kakure.model.parameters.parameters import random_parameters
from kakure.model.parameters.parameters_file import load_parameters, save_parameters
from kakure.model.reference.network import network, network_layers
from kakure.model.reference.stages import quantize_image, windows
from kakure.model.training.network import IntegerNetwork, as_tensor


def bitwise(bits=3, form="a block that strides", **more):
    data = {
        "name": "planes",
        "dataset": "digits",
        "weights": {"kind": "bitwise", "bits": bits},
        "crossbar": {"rows": 8, "columns": 4},
        "layers": FORMS[form],
    }
    return parse_config(json.dumps(data | more))


def images_for(config, count):
    return np.random.default_rng(7).integers(0, 256, (count, *config.shape)).astype(np.uint8)


def value_of(planes):
    """A weight, as docs/numerics.md defines it."""
    n = len(planes)
    return sum(2 ** (n - 1 - i) * (2 * int(b) - 1) for i, b in enumerate(planes))


def test_weights_are_the_sum_of_their_planes_at_every_precision():
    config = bitwise(5)
    parameters = random_parameters(config, 1)
    for width in range(1, 6):
        there, used = config.at(width), parameters.at(width)
        assert isinstance(there.weights, BitwiseWeights) and there.weights.bits == width
        for g, layer, whole in zip(there.geometry, used.layers, parameters.layers, strict=True):
            planes = np.stack(whole.masks[:width], axis=-1)
            expected = np.array([[value_of(b) for b in row] for row in planes])
            assert (layer.weights(there, g) == expected).all()
            assert len(layer.masks) == width and len(layer.coarser) == width - 1
    assert config.at(5) == config and parameters.at(5) == parameters


def test_sums_of_a_crossbar_are_those_of_one_column_a_plane():
    layers = [FORMS["stride"][0] | {"adc_bits": 2}, *FORMS["stride"][1:]]
    config = bitwise(3, layers=layers)
    parameters = random_parameters(config, 2)
    images = images_for(config, 2)
    geometry, layer, first = config.geometry[0], config.layers[0], parameters.layers[0]
    rows = windows(quantize_image(images, config.image_bits), 3, 3, geometry.padding, 2)
    x = rows.reshape(-1, geometry.fan_in).astype(np.int64)
    planes = np.stack(first.masks)
    expected = np.zeros((len(x), geometry.outputs), np.int64)
    start = 0
    for size in geometry.groups:
        group = slice(start, start + size)
        start += size
        for bit in range(layer.input_bits):
            ones = x[:, group] >> bit & 1
            for i, plane in enumerate(planes):
                count = ones @ plane[group].astype(np.int64)
                read = np.minimum(count, 3)
                expected += (2 * read - ones.sum(1, keepdims=True)) << (bit + 2 - i)
    acc, _ = next(network_layers(config, parameters, images))
    assert (acc.reshape(expected.shape) == expected).all()
    assert (np.abs(acc).max((0, 1, 2)) <= first.peaks(config, geometry)).all()
    assert (expected != x @ first.weights(config, geometry)).any()  # readouts saturate


def test_one_plane_alone_makes_weights_of_one_bit():
    config = bitwise(3)
    plane = random_parameters(config, 1).layers[0].masks[1]
    made = config.weights.values(config.geometry[0], plane)
    assert made.tolist() == np.where(plane, 1, -1).tolist()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("engine", ["crossbar", "pe_array"])
def test_packed_network_and_pytorch_equal_the_reference_at_every_precision(form, engine):
    layers = [dict(layer) for layer in FORMS[form]]
    if engine == "pe_array":
        for layer in layers:
            layer["engine"] = engine
            for field in ("column_sharing", "adc_type", "adc_bits"):
                layer.pop(field, None)
    config = bitwise(4, layers=layers)
    parameters = random_parameters(config, 3)
    images = images_for(config, 5)
    seen = set()
    for width in (1, 3, 4):
        there, used = config.at(width), parameters.at(width)
        expected = network(there, used, images)
        seen.add(expected.tobytes())
        packed = PackedNetwork(there, used)
        assert (packed(images) == expected).all()
        if engine == "pe_array" and width > 1:
            assert all(isinstance(stage, MatrixLayer) for stage in packed.stages)
        got = IntegerNetwork(there, used)(as_tensor(images))
        assert (got.long().numpy() == expected).all()
    assert len(seen) == 3


@pytest.mark.parametrize("side", [4, 80])
def test_sums_that_single_precision_would_round_are_exact(side):
    head = {"kind": "linear", "channels": 3, "engine": "pe_array", "input_bits": 8}
    config = bitwise(8, layers=[head], dataset="images", input_shape=[side, side, 1])
    parameters = random_parameters(config, 1)
    images = images_for(config, 3)
    images[0] = 255
    expected = network(config, parameters, images)
    assert (PackedNetwork(config, parameters)(images) == expected).all()
    got = IntegerNetwork(config, parameters)(as_tensor(images))
    assert (got.long().numpy() == expected).all()
    assert (config.geometry[0].peak >= 1 << 24) == (side == 80)


def test_a_file_holds_all_planes_and_the_scales_of_each_precision(tmp_path):
    config, path = bitwise(3), tmp_path / "planes.safetensors"
    parameters = random_parameters(config, 4)
    save_parameters(path, config, parameters)
    read = load_parameters(path, config)
    assert read.digest == parameters.digest
    images = images_for(config, 5)
    for width in (1, 2, 3):
        got = network(config.at(width), read.at(width), images)
        assert (got == network(config.at(width), parameters.at(width), images)).all()
    tensors = load_file(path)
    for geometry in config.geometry:
        for plane in ("plane_1", "plane_2", "plane_3"):
            size = tensors[f"layers.{geometry.index}.{plane}"].nbytes
            assert size == -(-geometry.weights // 8)
    first = parameters.layers[0]
    moved = dataclasses.replace(first.coarser[0], offset=first.coarser[0].offset + 1)
    other = dataclasses.replace(first, coarser=(moved, *first.coarser[1:]))
    changed = dataclasses.replace(parameters, layers=(other, *parameters.layers[1:]))
    assert changed.digest != parameters.digest


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("multiplier_2", 1 << 15, "layers.0.multiplier_2: must fit 16 bits, not 32768"),
        ("shift_1", 32, "layers.0.shift_1: must be 0 to 31, not 32"),
        ("offset_1", None, "layers.0.offset_1: is required by the configuration, but missing"),
        ("plane_3", None, "layers.0.plane_3: is required by the configuration, but missing"),
    ],
)
def test_a_file_that_lacks_or_breaks_something_is_refused(tmp_path, name, value, line):
    config, path = bitwise(3), tmp_path / "planes.safetensors"
    save_parameters(path, config, random_parameters(config, 4))
    metadata = load_parameters(path, config).metadata
    tensors = load_file(path)
    if value is None:
        del tensors[f"layers.0.{name}"]
    else:
        tensors[f"layers.0.{name}"][1] = value
    save_file(tensors, path, metadata)
    with pytest.raises(UserError) as error:
        load_parameters(path, config)
    assert line in str(error.value)


def test_logits_of_a_coarser_precision_must_fit_as_well(tmp_path):
    config, path = bitwise(2), tmp_path / "planes.safetensors"
    parameters = random_parameters(config, 4)
    last = parameters.layers[-1]
    large = dataclasses.replace(last.coarser[0], offset=np.full_like(last.offset, 2**31 - 1))
    layers = (*parameters.layers[:-1], dataclasses.replace(last, coarser=(large,)))
    save_parameters(path, config, dataclasses.replace(parameters, layers=layers))
    with pytest.raises(UserError, match=r"layers\.5_1: logits must fit 32 bits"):
        load_parameters(path, config)


def test_parameters_of_other_weights_are_refused(tmp_path):
    path = tmp_path / "planes.safetensors"
    save_parameters(path, bitwise(2), random_parameters(bitwise(2), 4))
    with pytest.raises(UserError, match=r"weights: must be .*\"bits\": 3.*, not .*\"bits\": 2"):
        load_parameters(path, bitwise(3))


@pytest.mark.parametrize("bits", [0, 9])
def test_bits_have_a_range(bits):
    with pytest.raises(UserError, match=r"weights.bits: must be at (least 1|most 8), not"):
        bitwise(bits)
