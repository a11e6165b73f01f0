"""Masks over each other: reference, packed kernel and PyTorch agree, and training finds them."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from branching import FORMS

from kakure.hdl.accelerators.table import architecture_of
from kakure.model.config.config import check_density, parse_config
from kakure.model.config.engines.crossbar import CrossbarLayer
from kakure.model.config.weights.multicoat import MulticoatWeights
from kakure.model.datasets.recipe import Recipe
from kakure.model.errors import UserError
from kakure.model.packed.network import PackedNetwork
from kakure.model.parameters.parameters import random_parameters
from kakure.model.parameters.parameters_file import load_parameters, save_parameters
from kakure.model.reference.crossbar import crossbar
from kakure.model.reference.network import network, network_layers
from kakure.model.reference.stages import quantize_image, windows
from kakure.model.training.folding import fold
from kakure.model.training.network import IntegerNetwork, Network, as_tensor


def coated(coats=2, form="a block that strides", **more):
    data = {
        "name": "coats",
        "dataset": "digits",
        "weights": {"kind": "multicoat", "coats": coats, "seed": 5, "density": 0.6},
        "crossbar": {"rows": 8, "columns": 4},
        "pe_array": {"inputs": 4, "outputs": 4, "pixels": 4},
        "layers": [
            layer | ({"adc_bits": 1} if "adc_bits" in layer else {}) for layer in FORMS[form]
        ],
    }
    return parse_config(json.dumps(data | more))


def weights_of(config):
    """Its weights, which are of coats."""
    assert isinstance(config.weights, MulticoatWeights)
    return config.weights


def images_for(config, count):
    return np.random.default_rng(7).integers(0, 256, (count, *config.shape)).astype(np.uint8)


@pytest.mark.parametrize("coats", [2, 3])
def test_each_coat_keeps_its_share_of_the_one_before(coats):
    config = coated(coats)
    weights = weights_of(config)
    assert weights.coat_fractions == pytest.approx([0.6 * n / coats for n in range(coats, 0, -1)])
    assert weights.kept_by_coat(1000) == ((600, 300) if coats == 2 else (600, 400, 200))
    for geometry, layer in zip(config.geometry, random_parameters(config, 1).layers, strict=True):
        assert len(layer.masks) == coats
        for larger, smaller in zip(layer.masks, layer.inner, strict=False):
            assert (larger | ~smaller).all()
        w = layer.weights(config, geometry)
        assert (w == weights.signs(geometry) * np.sum(layer.masks, axis=0)).all()
        assert set(np.unique(np.abs(w))) <= set(range(coats + 1))


def test_sums_of_a_layer_are_those_of_its_coats_each_read_out_for_itself():
    config = coated(3)
    parameters = random_parameters(config, 2)
    images = images_for(config, 3)
    geometry, layer, first = config.geometry[0], CrossbarLayer.of(config, 0), parameters.layers[0]
    rows = windows(quantize_image(images, config.image_bits), 3, 3, geometry.padding, 1)
    x, signs = rows.reshape(-1, geometry.fan_in), weights_of(config).signs(geometry)
    expected = np.sum(
        [
            crossbar(
                x,
                np.where(mask, signs, 0),
                rows=8,
                input_bits=layer.input_bits,
                adc_bits=layer.adc_bits,
                adc_shift=layer.adc_shift,
            )
            for mask in first.masks
        ],
        axis=0,
    )
    acc, _ = next(network_layers(config, parameters, images))
    assert (acc.reshape(expected.shape) == expected).all()
    w = first.weights(config, geometry)
    assert (expected != x @ w.astype(np.int64)).any()  # readouts saturate
    assert (np.abs(acc).max((0, 1, 2)) <= first.peaks(config, geometry)).all()
    assert first.peaks(config, geometry).max() <= geometry.peak


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("coats", [2, 3])
def test_packed_kernel_and_pytorch_equal_the_reference(form, coats):
    config = coated(coats, form)
    parameters = random_parameters(config, 3)
    images = images_for(config, 9)
    expected = network(config, parameters, images)
    assert (PackedNetwork(config, parameters)(images) == expected).all()
    got = IntegerNetwork(config, parameters)(as_tensor(images))
    assert (got.long().numpy() == expected).all()


@pytest.mark.parametrize("method", ["edge-popup", "agreeing"])
def test_training_computes_with_the_coats_that_it_exports(method):
    config = coated(3)
    recipe = Recipe(method=method)
    trained = Network(config, recipe, generator=torch.Generator().manual_seed(1))
    images = images_for(config, 20)
    trained.reestimate([as_tensor(images[:10]), as_tensor(images[10:])])
    parameters = fold(trained)
    maps = {0: quantize_image(images, config.image_bits)}
    pairs = zip(config.geometry, parameters.layers, trained.layers, strict=True)
    for index, (geometry, layer, network_layer) in enumerate(pairs):
        w = network_layer.weights().detach().numpy()
        assert (w == layer.weights(config, geometry)).all()
        counts = [int(mask.sum()) for mask in layer.masks]
        assert counts == list(weights_of(config).kept_by_coat(geometry.weights))
        step = network_layer.weights.kernel(torch.float32).detach()
        assert (network_layer.weights.exact_kernel().detach() == step).all()
        if index == 0:
            x = torch.from_numpy(maps[0]).permute(0, 3, 1, 2).float()
            acc, _ = next(network_layers(config, parameters, images))
            found = network_layer.sums(x).permute(0, 2, 3, 1)
            assert (found.detach().long().numpy() == acc).all()
            found.sum().backward()
            gradient = network_layer.weights.scores.grad
            assert gradient is not None and gradient.abs().sum() > 0


def test_a_file_holds_all_coats(tmp_path):
    config, path = coated(3), tmp_path / "coats.safetensors"
    parameters = random_parameters(config, 4)
    save_parameters(path, config, parameters)
    read = load_parameters(path, config)
    assert read.digest == parameters.digest
    images = images_for(config, 5)
    assert (network(config, read, images) == network(config, parameters, images)).all()
    first = parameters.layers[0]
    changed = dataclasses.replace(first, inner=(first.inner[0], ~first.inner[1]))
    other = dataclasses.replace(parameters, layers=(changed, *parameters.layers[1:]))
    assert other.digest != parameters.digest
    save_parameters(path, config, other)
    with pytest.raises(UserError, match=r"layers\.0\.mask_3: must be part of the mask before it"):
        load_parameters(path, config)
    save_parameters(path, coated(2), random_parameters(coated(2), 4))
    with pytest.raises(UserError, match=r"weights: must be .*\"coats\": 3.*, not .*\"coats\": 2"):
        load_parameters(path, config)


def test_mistakes_are_one_line():
    for coats in (1, 4):
        with pytest.raises(UserError, match=r"weights.coats: must be .*, not"):
            coated(coats)
    few = coated(3, weights={"kind": "multicoat", "coats": 3, "density": 0.02})
    with pytest.raises(UserError, match=r"weights.density: must keep at least 1 of the"):
        check_density(few)
    with pytest.raises(UserError, match=r"weights.kind: must be 'hidden' for an accelerator"):
        architecture_of(coated()).check()
