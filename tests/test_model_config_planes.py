"""Planes of each layer by itself: the same integers everywhere, in files and in training."""

import json

import numpy as np
import pytest
import torch
from branching import FORMS

from kakure.model.config.config import parse_config
from kakure.model.datasets.recipe import Recipe
from kakure.model.errors import UserError
from kakure.model.packed.network import PackedNetwork
from kakure.model.parameters.parameters import random_parameters
from kakure.model.parameters.parameters_file import load_parameters, save_parameters
from kakure.model.parameters.supermask_image import image_sections
from kakure.model.reference.network import network
from kakure.model.training.folding import fold
from kakure.model.training.network import IntegerNetwork, Network, as_tensor
from tests.test_model_config_weights_bitwise import bitwise, images_for

FORM = "a block that strides"


def uneven(planes, bits=None, form=FORM):
    """A network whose layers have so many planes each."""
    layers = [
        layer if n is None else layer | {"planes": n}
        for layer, n in zip(FORMS[form], planes, strict=True)
    ]
    return bitwise(bits or max(n for n in planes if n), layers=layers)


PLANES = [[4, 1, 3, 2, 4][n % 5] for n in range(len(FORMS[FORM]))]


def test_every_model_computes_with_the_planes_of_each_layer():
    whole = bitwise(4, FORM)
    parameters = random_parameters(whole, 3)
    config, used = whole.at(PLANES), parameters.at(PLANES)
    assert [config.weights_of(n).widths for n in range(len(PLANES))] == PLANES
    assert config == uneven([None if n == 4 else n for n in PLANES], 4)
    images = images_for(config, 9)
    found = []
    for width in (1, 2, 3, 4):
        there, those = config.at(width), used.at(width)
        fewer = [min(n, width) for n in PLANES]
        assert there == whole.at(fewer) and those.digest == parameters.at(fewer).digest
        for layer, n in zip(those.layers, fewer, strict=True):
            assert len(layer.masks) == n and len(layer.coarser) == n - 1
        logits = network(there, those, images)
        assert (PackedNetwork(there, those)(images) == logits).all()
        assert (IntegerNetwork(there, those)(as_tensor(images)).numpy() == logits).all()
        found.append(logits)
    assert (found[0] != found[1]).any() and (found[2] != found[3]).any()
    # The layers of one and two planes are those of a network of so many.
    assert config.geometry[1].peak == whole.at(1).geometry[1].peak
    assert config.geometry[0].peak == whole.geometry[0].peak


def test_a_file_holds_what_each_layer_has(tmp_path):
    config = uneven(PLANES)
    parameters = random_parameters(config, 4)
    save_parameters(tmp_path / "p.safetensors", config, parameters)
    assert load_parameters(tmp_path / "p.safetensors", config).digest == parameters.digest
    with pytest.raises(UserError, match=r"layers\.1\.plane_2: is required"):
        load_parameters(tmp_path / "p.safetensors", bitwise(4, FORM))
    save_parameters(tmp_path / "whole", bitwise(4, FORM), random_parameters(bitwise(4, FORM), 4))
    with pytest.raises(
        UserError,
        match=r"layers\.1\.[a-z_]+[0-9]: must not be there, layers\[1\] has weights of 1 bit",
    ):
        load_parameters(tmp_path / "whole", config)
    sections = [(one.words[0] & 0xFF, one.words[0] >> 16 & 0xFF) for one in
                image_sections(config, parameters)]  # fmt: skip
    expected = [(layer, plane) for layer, n in enumerate(PLANES) for plane in range(n)]
    assert sections == expected


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"planes": 5}, "layers[0].planes: must be at most weights.bits = 4, not 5"),
        ({"planes": 9}, "layers[0].planes: must be at most 8, not 9"),
        ({"planes": 0}, "layers[0].planes: must be at least 1, not 0"),
        ({"planes": "2"}, "layers[0].planes: must be an integer, not '2'"),
    ],
)
def test_mistakes_are_one_line(raw, said):
    with pytest.raises(UserError) as error:
        bitwise(4, layers=[FORMS[FORM][0] | raw, *FORMS[FORM][1:]])
    assert said in str(error.value)


def test_all_planes_are_as_if_they_were_left_out():
    whole = bitwise(4, FORM)
    said = bitwise(4, layers=[FORMS[FORM][0] | {"planes": 4}, *FORMS[FORM][1:]])
    assert said.digest == whole.digest


@pytest.mark.parametrize("planes", [5, [5] * len(PLANES), [0, *PLANES[1:]]])
def test_no_more_planes_are_used_than_there_are(planes):
    with pytest.raises(AssertionError):
        bitwise(4, FORM).at(planes)
    with pytest.raises(AssertionError):
        uneven(PLANES).at([4] * len(PLANES))


def test_some_layer_has_all_planes():
    with pytest.raises(UserError) as error:
        uneven([3] * len(PLANES), 4)
    assert "weights.bits: must be 3, the most planes of a layer, not 4" in str(error.value)


def test_hidden_weights_have_no_planes():
    data = json.loads(bitwise(2, FORM).model_dump_json())
    data["weights"] = {"kind": "hidden", "seed": 1}
    data["layers"][1]["planes"] = 1
    with pytest.raises(UserError) as error:
        parse_config(json.dumps(data))
    assert "layers[1].planes: must be left out with hidden weights, not 1" in str(error.value)


def test_training_computes_with_the_planes_that_it_exports():
    config = uneven(PLANES)
    trained = Network(config, Recipe(), generator=torch.Generator().manual_seed(1))
    assert trained.widths == 4 and [layer.widths for layer in trained.layers] == PLANES
    images = images_for(config, 40)
    parts = [as_tensor(images[:20]), as_tensor(images[20:])]
    trained.reestimate(parts)
    parameters = fold(trained)
    trained.eval()
    for width in range(1, 5):
        trained.use(width)
        there, used = config.at(width), parameters.at(width)
        real = trained(as_tensor(images)).detach().numpy()
        scale = 2.0 ** int(parameters.metadata["logit_shift"])
        integers = network(there, used, images)
        assert np.abs(integers / scale - real).mean() < 0.02
        for g, layer, mine in zip(there.geometry, used.layers, trained.layers, strict=True):
            assert (mine.weights().detach().numpy() == layer.weights(there, g)).all()


def test_statistics_of_all_planes_of_a_layer_are_those_of_all_planes_of_the_network():
    config = uneven(PLANES)
    trained = Network(config, Recipe(), generator=torch.Generator().manual_seed(1))
    images = as_tensor(images_for(config, 40))
    parts = [images[:20], images[20:]]
    trained.reestimate(parts, [4])
    full = [{n: b.clone() for n, b in layer.norm.named_buffers()} for layer in trained.layers]
    trained.reestimate(parts, [1, 2, 3])
    for layer, kept in zip(trained.layers, full, strict=True):
        assert torch.equal(layer.norm.get_buffer("running_mean"), kept["running_mean"])
    before = {name: value.clone() for name, value in trained.state_dict().items()}
    trained.reestimate(parts)
    for name, value in trained.state_dict().items():
        if "num_batches" not in name:
            assert torch.equal(before[name], value), name
