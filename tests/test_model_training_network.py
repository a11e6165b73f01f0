import dataclasses
import json

import numpy as np
import pytest
import torch
from branching import FORMS, branching

from kakure.model.config.config import parse_config
from kakure.model.config.presets import PRESETS, preset, preset_json
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.errors import UserError
from kakure.model.parameters.parameters import random_parameters
from kakure.model.reference import network as network_reference
from kakure.model.reference import stages
from kakure.model.training.folding import fold
from kakure.model.training.network import IntegerNetwork, Network, as_tensor
from kakure.model.training.weights import TRAINED_WEIGHTS


def images_for(config, count):
    rng = np.random.default_rng(7)
    return rng.integers(0, 256, (count, *config.shape)).astype(np.uint8)


@pytest.mark.parametrize("name", PRESETS)
def test_integer_network_equals_the_reference(name):
    config = preset(name)
    parameters = random_parameters(config, seed=3)
    images = images_for(config, 3)
    got = IntegerNetwork(config, parameters)(as_tensor(images))
    expected = network_reference.network(config, parameters, images)
    assert (got.long().numpy() == expected).all()


@pytest.mark.parametrize("input_bits", [1, 2, 8])
def test_integer_network_reads_the_most_significant_bits(input_bits):
    data = json.loads(preset_json("digits"))
    data["layers"][0]["input_bits"] = input_bits
    config = parse_config(json.dumps(data))
    parameters = random_parameters(config, seed=3)
    images = images_for(config, 3)
    got = IntegerNetwork(config, parameters)(as_tensor(images))
    assert (got.long().numpy() == network_reference.network(config, parameters, images)).all()


def test_integer_network_is_exact_at_the_extremes():
    config = preset("digits")
    parameters = random_parameters(config, seed=3)
    layers = [
        dataclasses.replace(
            layer,
            multiplier=np.where(np.arange(len(layer.multiplier)) % 2, 32767, -32768),
            offset=np.full(len(layer.offset), -(2**31)),
        )
        for layer in parameters.layers[:2]
    ]
    extreme = dataclasses.replace(parameters, layers=(*layers, parameters.layers[2]))
    images = images_for(config, 20)
    got = IntegerNetwork(config, extreme)(as_tensor(images))
    assert (got.long().numpy() == network_reference.network(config, extreme, images)).all()


@pytest.mark.parametrize(("reads", "writes"), [(4, 4), (2, 5), (5, 2)])
def test_a_shortcut_is_the_references(reads, writes):
    """Where the sums add nothing, a trained layer and its integers pass the shortcut on."""
    data = json.loads(preset_json("residual"))
    data["layers"][1]["input_bits"], data["layers"][2]["input_bits"] = reads, writes
    config = parse_config(json.dumps(data))
    network = Network(config, generator=torch.Generator().manual_seed(1)).eval()
    layer, geometry = network.layers[1], config.geometry[1]
    codes = torch.randint(0, 1 << reads, (3, 32, 4, 4), generator=torch.Generator().manual_seed(2))
    x = codes.float().requires_grad_()
    torch.nn.init.zeros_(layer.norm.weight)
    expected = stages.shortcut(codes.numpy(), reads, writes)
    got = layer(x, x)
    assert (got.detach().long().numpy() == expected).all()
    got.sum().backward()
    inside = (expected > 0) & (expected < (1 << writes) - 1)
    assert x.grad is not None
    assert (x.grad.numpy() == inside * 2.0 ** (writes - reads)).all()
    assert geometry.shortcut_bits == min(reads, writes)

    parameters = random_parameters(config, seed=3)
    images = images_for(config, 4)
    integers = IntegerNetwork(config, parameters)(as_tensor(images))
    assert (integers.long().numpy() == network_reference.network(config, parameters, images)).all()


@pytest.mark.parametrize("name", ["digits", "lossless", "hiddenite", "residual"])
def test_training_computes_the_reference_sums(name):
    config = preset(name)
    assert isinstance(config.weights, HiddenWeights)
    network = Network(config, generator=torch.Generator().manual_seed(1))
    images = images_for(config, 5)
    x = stages.quantize_image(images, config.layers[0].input_bits)
    codes = as_tensor(x.astype(np.uint8)).float()
    for layer, geometry in zip(network.layers, config.geometry, strict=True):
        acc = layer.sums(codes).permute(0, 2, 3, 1)  # (n, h, w, c)
        rows = stages.windows(x, geometry.kernel_height, geometry.kernel_width, geometry.padding)
        w = layer.weights().detach().numpy().astype(np.int8)
        assert np.count_nonzero(w) == round(w.size * config.weights.density)
        expected = network_reference.layer_sums(
            config, geometry, rows.reshape(-1, geometry.fan_in).astype(np.int64), w
        )
        assert (acc.detach().long().numpy().reshape(expected.shape) == expected).all()
        codes = layer(codes, codes if geometry.residual else None).detach()
        if geometry.output_bits is not None:
            assert set(codes.unique().int().tolist()) == set(range(1 << geometry.output_bits))
            x = codes.permute(0, 2, 3, 1).long().numpy()


@pytest.mark.parametrize("name", ["digits", "residual"])
def test_folded_network_agrees_with_the_trained_one(name):
    config = preset(name)
    network = Network(config, generator=torch.Generator().manual_seed(1))
    images = as_tensor(images_for(config, 200))
    network.reestimate([images[:100], images[100:]])
    parameters = fold(network)
    integers = IntegerNetwork(config, parameters)(images)
    real = network(images).detach()
    scale = 2.0 ** int(parameters.metadata["logit_shift"])
    # M of 16 bits moves few codes, by one; the logits hardly move.
    assert (integers / scale - real).abs().mean() < 0.01
    for layer, trained in zip(parameters.layers, network.layers, strict=True):
        assert (layer.mask == trained.weights.masks[0].numpy()).all()


def test_weights_that_nobody_trains_are_refused(monkeypatch):
    monkeypatch.delitem(TRAINED_WEIGHTS, "bitwise")
    data = json.loads(preset_json("digits")) | {"weights": {"kind": "bitwise", "bits": 4}}
    rule = r"weights\.kind: must be 'hidden' or 'multicoat' to train, not 'bitwise'"
    with pytest.raises(UserError, match=rule):
        Network(parse_config(json.dumps(data)), generator=torch.Generator())


@pytest.mark.parametrize("form", FORMS)
def test_branching_networks_agree_with_the_reference(form):
    config = branching(form)
    parameters = random_parameters(config, seed=3)
    images = images_for(config, 20)
    integers = IntegerNetwork(config, parameters)(as_tensor(images))
    assert (integers.long().numpy() == network_reference.network(config, parameters, images)).all()


@pytest.mark.parametrize("form", FORMS)
def test_branching_networks_train_with_what_they_become(form):
    config = branching(form)
    network = Network(config, generator=torch.Generator().manual_seed(1))
    images = as_tensor(images_for(config, 200))
    network.reestimate([images[:100], images[100:]])
    parameters = fold(network)
    integers = IntegerNetwork(config, parameters)(images)
    real = network(images).detach()
    scale = 2.0 ** int(parameters.metadata["logit_shift"])
    assert (integers / scale - real).abs().mean() < 0.02
    network(images).square().sum().backward()
    is_open = "dropped" not in form and "saturated" not in form
    assert not is_open or all((layer.weights.scores.grad != 0).any() for layer in network.layers)
