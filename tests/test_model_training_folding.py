"""Folding: channels that are dead, constant or weak cost the others nothing."""

import json

import numpy as np
import pytest
import torch

from kakure.model.config.config import parse_config
from kakure.model.config.presets import preset_json
from kakure.model.errors import UserError
from kakure.model.reference import (
    network as network_reference,
)
from kakure.model.reference.crossbar import channel_peaks
from kakure.model.reference.stages import requantize
from kakure.model.training.folding import fold, fold_logits
from kakure.model.training.layers import EPSILON
from kakure.model.training.masks import KeptSigns
from kakure.model.training.network import IntegerNetwork, Network, as_tensor
from tests.test_model_training_folding_scales import BITS, CODES


def signs_of(layer) -> KeptSigns:
    """The weights of a layer, of signs that a mask keeps."""
    assert isinstance(layer.weights, KeptSigns)
    return layer.weights


def small(residual: bool = False):
    data = json.loads(preset_json("residual" if residual else "digits"))
    return parse_config(json.dumps(data))


def trained(config, images):
    network = Network(config, generator=torch.Generator().manual_seed(1))
    network.reestimate([images[:100], images[100:]])
    return network


@pytest.mark.parametrize("residual", [False, True])
def test_dead_channels_of_a_network_leave_the_others_alone(residual):
    """A mask is emptied in every layer: no integer of another channel changes."""
    config = small(residual)
    rng = np.random.default_rng(7)
    images = as_tensor(rng.integers(0, 256, (200, *config.shape)).astype(np.uint8))
    network = trained(config, images)
    before = fold(network)
    for layer in network.layers:
        with torch.no_grad():
            layer.weights.scores[2] = 0.0
            kept = int((layer.weights.scores != 0).sum())
            signs = signs_of(layer)
            signs.kept = min(signs.kept, kept)
            assert layer.norm.running_mean is not None and layer.norm.running_var is not None
            layer.norm.running_mean[2] = 0.0
            layer.norm.running_var[2] = 0.0
            layer.norm.bias[2] = 0.7
    after = fold(network)
    for layer, old, new in zip(network.layers, before.layers, after.layers, strict=True):
        assert not new.mask[:, 2].any()
        live = np.arange(len(old.shift)) != 2
        assert (old.shift[live] == new.shift[live]).all()
        assert (old.multiplier[live] == new.multiplier[live]).all()
        assert (old.offset[live] == new.offset[live]).all()
        assert new.multiplier[2] == 0
        bits = layer.geometry.output_bits
        if bits is not None:
            assert new.offset[2] >> new.shift[2] == np.floor(0.7 * (1 << (bits - 1)) + 0.5)
    assert before.metadata == after.metadata
    integers = IntegerNetwork(config, after)(images[:20]).long().numpy()
    pixels = images[:20].permute(0, 2, 3, 1).numpy()
    assert (integers == network_reference.network(config, after, pixels)).all()


@pytest.mark.parametrize("bias", [-0.3, 0.0, 0.2, 0.7])
@pytest.mark.parametrize("mean", [-(10**6), -70001, 3, 70001, 10**6])
def test_a_channel_that_is_constant_away_from_0_gives_its_constant(mean, bias):
    """In a trained layer, with a mask that keeps weights: M errs by its rounding, not y."""
    network = Network(small(), generator=torch.Generator().manual_seed(1))
    norm = network.layers[0].norm
    assert norm.running_mean is not None and norm.running_var is not None
    with torch.no_grad():
        norm.weight[:], norm.bias[:] = 0.87, bias
        norm.running_mean[:], norm.running_var[:] = mean, 0.0
    layer = fold(network).layers[0]
    y = requantize(np.array([[mean]]), layer.multiplier, layer.offset, layer.shift, BITS)
    assert (y == np.clip(np.floor(float(np.float32(bias)) * CODES + 0.5), 0, 15)).all()


@pytest.mark.parametrize(("adc_bits", "adc_shift"), [(5, 0), (2, 0), (3, 2), (4, 3)])
def test_the_last_layer_is_folded_within_the_reach_of_its_readouts(adc_bits, adc_shift):
    """M, B and the scale follow from the statistics, and from what the masks leave of acc."""
    data = json.loads(preset_json("digits"))
    engine = {"engine": "crossbar", "column_sharing": 2, "adc_type": "sar"}
    data["layers"][-1] |= {**engine, "adc_bits": adc_bits, "adc_shift": adc_shift}
    config = parse_config(json.dumps(data))
    network = Network(config, generator=torch.Generator().manual_seed(1))
    layer, geometry = network.layers[-1], config.geometry[-1]
    norm = layer.norm
    assert norm.running_mean is not None and norm.running_var is not None
    with torch.no_grad():
        layer.weights.scores[4] = 0.0
        layer.weights.scores[4, 0] = 1.0  # a count of 1 is lost where adc_shift is 2 or more
        signs = signs_of(layer)
        signs.kept = 1 + signs.kept * 8 // 10
        norm.bias[:] = torch.linspace(5000, 6000, 10)
        norm.running_mean[:] = torch.arange(10)
        norm.running_var[:] = torch.tensor([1e-6, 0.0, *[900.0] * 8])
    mean, variance = norm.running_mean.double().numpy(), norm.running_var.double().numpy()
    slope = 1 / np.sqrt(variance + EPSILON)
    mask = layer.weights.masks[0].numpy()
    reach = channel_peaks(
        mask,
        groups=geometry.groups,
        input_bits=geometry.input_bits,
        adc_bits=adc_bits,
        adc_shift=adc_shift,
    )
    assert (reach[4] == 0) == (adc_shift >= 2)
    intercept = norm.bias.detach().double().numpy() - slope * mean
    expected = fold_logits(slope, intercept, reach, mean=mean, deviation=np.sqrt(variance))
    parameters = fold(network)
    last = parameters.layers[-1]
    assert (last.multiplier == expected.multiplier).all()
    assert (last.offset == expected.offset).all()
    assert (last.shift == 0).all()
    assert parameters.metadata["logit_shift"] == str(expected.shift[0])
    assert (last.multiplier == 0).tolist() == [False, True, False, False, adc_shift >= 2] + [
        False
    ] * 5


def test_a_network_of_dead_channels_only_is_its_constants():
    config = small()
    rng = np.random.default_rng(7)
    images = as_tensor(rng.integers(0, 256, (200, *config.shape)).astype(np.uint8))
    network = trained(config, images)
    for layer in network.layers:
        signs_of(layer).kept = 0
        assert layer.norm.running_mean is not None and layer.norm.running_var is not None
        layer.norm.running_mean.zero_()
        layer.norm.running_var.zero_()
    torch.nn.init.uniform_(
        network.layers[-1].norm.bias, -1, 1, generator=torch.Generator().manual_seed(1)
    )
    parameters = fold(network)
    assert all((layer.multiplier == 0).all() for layer in parameters.layers)
    integers = IntegerNetwork(config, parameters)(images[:4])
    scale = 2.0 ** int(parameters.metadata["logit_shift"])
    constants = network.layers[-1].norm.bias.detach().double()
    assert (integers == torch.round(constants * scale)).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    ("tensor", "name"),
    [("weight", "gamma"), ("bias", "beta"), ("running_mean", "mean"), ("running_var", "variance")],
)
def test_statistics_of_a_training_that_diverged(tensor, name, value):
    network = Network(small(), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        getattr(network.layers[1].norm, tensor)[3] = value
    message = rf"^layers\[1\]: the {name} of BatchNorm must be finite, not {value}: training div"
    with pytest.raises(UserError, match=message):
        fold(network)
