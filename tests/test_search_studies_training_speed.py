"""The bench of training: that both ways train the same network."""

import json

import torch

from kakure.model.config.config import parse_config
from kakure.model.config.presets import preset_json
from kakure.model.datasets.recipe import Recipe
from kakure.model.training.layers import EPSILON
from kakure.model.training.network import Network
from kakure.search.studies.training_speed import PlainNetwork, rates


def small():
    data = json.loads(preset_json("cifar10"))
    data["layers"] = [data["layers"][n] for n in (0, 1, 2, 7)]
    for layer in data["layers"][:3]:
        layer["channels"] = 8
        layer["adc_bits"] = 7
    return parse_config(json.dumps(data))


def test_the_plain_network_is_the_same_network():
    config = small()
    recipe = Recipe(method="agreeing")
    ours = Network(config, recipe, generator=torch.Generator().manual_seed(1))
    plain = PlainNetwork(config, torch.Generator().manual_seed(2))
    for layer, other in zip(ours.layers, plain.layers, strict=True):
        kernel = layer.weights.scores.detach().view(other.latent.permute(0, 2, 3, 1).shape)
        other.latent.data.copy_(kernel.permute(0, 3, 1, 2))
    images = torch.randint(0, 256, (6, 3, 32, 32), dtype=torch.uint8)
    assert EPSILON == plain.layers[0].norm.eps
    assert torch.allclose(ours(images), plain(images), atol=1e-4)


def test_all_ways_have_a_rate():
    found = rates(small(), Recipe(batch_size=4, method="agreeing", precision="auto"))
    assert set(found) == {"ours", "plain bfloat16", "plain float32"}
    assert all(rate > 0 for rate in found.values())
