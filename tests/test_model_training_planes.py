"""Weights of planes as they are trained are those that are exported, at every precision."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from branching import FORMS
from tqdm import tqdm

from kakure.model.config.config import parse_config
from kakure.model.datasets.images import load_images
from kakure.model.datasets.labelled import LabelledImages
from kakure.model.datasets.recipe import Recipe
from kakure.model.parameters.parameters import Scales
from kakure.model.reference.crossbar import bitwise_value
from kakure.model.reference.network import classify, network, network_layers
from kakure.model.reference.stages import quantize_image
from kakure.model.training.folding import fold
from kakure.model.training.network import IntegerNetwork, Network, as_tensor
from kakure.model.training.planes import REACH, BitwisePlanes, rounded
from kakure.model.training.train import run, train
from kakure.model.training.trainer import Trainer
from tests.test_model_config_weights_bitwise import bitwise, images_for
from tests.test_search_studies_progressive import TINY


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_rounding_cuts_planes_off(bits):
    latent = torch.linspace(-1.3, 1.3, 2001).view(1, -1)
    reach = torch.ones(1, 1)
    codes = np.clip(np.floor((latent.numpy() + 1) * 2 ** (bits - 1)), 0, 2**bits - 1).astype(int)
    for width in range(1, bits + 1):
        for dtype in (torch.float32, torch.bfloat16):
            w = rounded(latent, reach, bits, width, dtype)
            assert w.dtype == dtype
            assert (w.float().numpy() == bitwise_value(codes, bits, width)).all()
        step = 2.0 ** (1 - width)  # of w / 2^width over a range of 2
        inside = latent.abs() < 1 - 1e-6
        assert ((w.float() / 2**width - latent).abs()[inside] <= step / 2 + 1e-6).all()


def test_the_gradient_passes_as_if_nothing_were_rounded():
    latent = torch.tensor([[-3.0, -0.2, 0.4, 3.0], [-3.0, -0.2, 0.4, 3.0]], requires_grad=True)
    reach = torch.tensor([[1.0], [2.0]])
    for width in (1, 3):
        (rounded(latent, reach, 4, width) * torch.arange(8.0).view(2, 4)).sum().backward()
        assert latent.grad is not None
        assert (latent.grad == torch.arange(8.0).view(2, 4) * 2**width / reach).all()
        latent.grad = None


def test_the_scale_of_an_output_does_not_matter():
    geometry = bitwise(5).geometry[3]
    trained = BitwisePlanes(geometry, bits=5, generator=torch.Generator().manual_seed(1))
    before = trained().detach()
    with torch.no_grad():
        trained.scores.mul_(torch.linspace(0.5, 4, geometry.outputs).exp2_().view(-1, 1))
    assert (trained().detach() == before).float().mean() > 0.99
    with torch.no_grad():
        trained.scores[0] = 0.0
    assert trained()[:, 0].unique().numel() == 1  # whatever it is, it is an odd integer
    rest = trained.scores.detach()[1:]
    size = rest.square().mean(1, keepdim=True).sqrt()
    assert float((rest.abs() / size).max()) > REACH  # some are cut


@pytest.mark.parametrize("form", ["a block that strides", "over two"])
def test_training_computes_with_the_weights_that_it_exports(form):
    config = bitwise(4, form)
    trained = Network(config, generator=torch.Generator().manual_seed(1))
    images = images_for(config, 40)
    parts = [as_tensor(images[:20]), as_tensor(images[20:])]
    trained.reestimate(parts)
    parameters = fold(trained)
    for width in range(1, 5):
        trained.use(width)
        there, used = config.at(width), parameters.at(width)
        for g, layer, network_layer in zip(
            there.geometry, used.layers, trained.layers, strict=True
        ):
            w = network_layer.weights().detach().numpy()
            assert (w == layer.weights(there, g)).all()
            step = network_layer.weights.kernel(torch.float32).detach()
            assert (network_layer.weights.exact_kernel().detach() == step).all()
            assert network_layer.norm_now is network_layer.norms[width - 1]
        x = torch.from_numpy(quantize_image(images, config.image_bits)).permute(0, 3, 1, 2)
        acc, _ = next(network_layers(there, used, images))
        found = trained.layers[0].sums(x.float()).permute(0, 2, 3, 1)
        assert (found.detach().long().numpy() == acc).all()
        found.sum().backward()
        gradient = trained.layers[0].weights.scores.grad
        assert gradient is not None and gradient.abs().sum() > 0
        # The integers say nearly what the network says, at each precision by its own BatchNorm.
        trained.eval()
        real = trained(as_tensor(images)).detach().numpy()
        scale = 2.0 ** int(parameters.metadata["logit_shift"])
        integers = network(there, used, images)
        assert (IntegerNetwork(there, used)(as_tensor(images)).numpy() == integers).all()
        assert np.abs(integers / scale - real).mean() < 0.02
        assert np.abs(real).mean() > 0.3


def test_all_precisions_share_the_scale_of_the_logits():
    config = bitwise(6, "stride")
    trained = Network(config, Recipe(), generator=torch.Generator().manual_seed(2))
    images = images_for(config, 60)
    trained.reestimate([as_tensor(images)])
    with torch.no_grad():
        for n, norm in enumerate(trained.layers[-1].norms):
            norm.weight.fill_(0.01 * 4**n)  # their own scales would differ
    parameters = fold(trained)
    scale = 2.0 ** int(parameters.metadata["logit_shift"])
    trained.eval()
    for width in range(1, 7):
        trained.use(width)
        real = trained(as_tensor(images)).detach().numpy()
        integers = network(config.at(width), parameters.at(width), images)
        assert np.abs(integers / scale - real).mean() < 0.02 * np.abs(real).mean() + 0.01
    for scales in (*parameters.layers[-1].coarser, parameters.layers[-1].scales):
        assert isinstance(scales, Scales) and not scales.shift.any()


def test_batchnorm_is_estimated_at_every_precision():
    config = bitwise(3, "stride")
    trained = Network(config, generator=torch.Generator().manual_seed(2))
    images = as_tensor(images_for(config, 30))
    trained.reestimate([images])
    for width in (1, 2, 3):
        trained.use(width)
        layer = trained.layers[0]
        acc = layer.sums((images >> (8 - config.image_bits)).float())
        mean = acc.mean((0, 2, 3)).detach()
        assert layer.norm_now.running_mean is not None
        assert torch.allclose(layer.norm_now.running_mean, mean, rtol=1e-3, atol=1e-2)


def test_rivals_need_no_planes():
    config = parse_config(json.dumps(bitwise(4).model_dump(mode="json")))
    trained = Network(config, Recipe(method="float"), generator=torch.Generator().manual_seed(1))
    assert trained.widths == 1 and len(trained.layers[0].norms) == 1


def progressive():
    layers = [
        {**layer, "adc_bits": 4} if "adc_bits" in layer else layer for layer in FORMS["stride"]
    ]
    return bitwise(4, layers=[layers[0] | {"channels": 8}, layers[-1]])


def bars(count=160):
    """Images of one bright row each; the row says the class."""
    labels = np.arange(count) % 8
    images = np.random.default_rng(1).integers(0, 160, (count, 8, 8, 1)).astype(np.uint8)
    images[np.arange(count), labels] += 60
    return LabelledImages(images, labels.astype(np.int64))


RECIPE = Recipe(epochs=20, batch_size=16, validation=4)


def test_joint_training_teaches_one_plane_what_all_planes_say():
    right, correct = {}, {}
    for widths in (1, 3):
        recipe = dataclasses.replace(RECIPE, widths=widths)
        trained = train(progressive(), bars(), recipe, seed=1, device=torch.device("cpu"))
        images = bars().images
        coarse = network(progressive().at(1), trained.parameters.at(1), images)
        right[widths] = int((classify(coarse) == bars().labels).sum())
        correct[widths] = trained.correct
    assert min(correct.values()) >= 34  # of 40, with all planes
    assert right[3] >= 145 and right[1] <= 138  # of 160, with one


def test_an_interrupted_joint_training_resumes_exactly(tmp_path, monkeypatch):
    save = Trainer.save
    recipe = dataclasses.replace(RECIPE, epochs=3, optimizer="muon", learning_rate=0.2)
    how = {"seed": 1, "device": torch.device("cpu")}

    def save_then_stop(self, path):
        save(self, path)
        if self.epoch == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "save", save_then_stop)
        with pytest.raises(KeyboardInterrupt):
            train(progressive(), bars(), recipe, **how, checkpoint=tmp_path / "run.pt")
    resumed = train(progressive(), bars(), recipe, **how, checkpoint=tmp_path / "run.pt")
    whole = train(progressive(), bars(), recipe, **how)
    assert resumed.parameters.digest == whole.parameters.digest
    assert whole.parameters.layers[0].coarser


@pytest.mark.parametrize(("widths", "untrained"), [(1, [1, 2, 3]), (2, [2, 3]), (3, []), (8, [])])
def test_precisions_that_no_step_trains_have_the_scales_of_the_full_one(widths, untrained):
    recipe = dataclasses.replace(RECIPE, widths=widths, epochs=2)
    trainer = Trainer(progressive(), bars(), recipe, seed=1, device=torch.device("cpu"))
    run(trainer, None)
    for layer in trainer.network.layers:
        for width in (1, 2, 3):
            norm = layer.norms[width - 1]
            is_same = bool((norm.bias == layer.norm.bias).all())
            assert is_same == (width in untrained)
            assert (norm.running_mean != layer.norm.running_mean).any()
            if is_same:
                assert (norm.weight == layer.norm.weight).all()


def test_statistics_of_what_is_cut_are_those_of_all_planes_but_for_a_power_of_two():
    config = bitwise(3, "stride")
    trained = Network(config, generator=torch.Generator().manual_seed(2))
    images = as_tensor(images_for(config, 30))
    trained.reestimate([images], [3])
    one, _, full = trained.layers[0].norms
    assert one.running_mean is not None and full.running_mean is not None
    assert one.running_var is not None and full.running_var is not None
    assert not one.running_mean.any()  # not asked for
    trained.cut_statistics()
    assert torch.equal(4 * one.running_mean, full.running_mean)
    assert torch.equal(16 * one.running_var, full.running_var)
    assert trained.layers[0].width == 3


def test_what_is_judged_once_more_is_what_is_exported():
    """Between epochs only all planes are judged; the result has statistics of each precision."""
    config = parse_config(json.dumps(TINY), "digits")
    data = load_images(config, Path(), "train")
    recipe = Recipe(epochs=2, batch_size=100, widths=2)
    trainer = Trainer(config, data, recipe, seed=1, device=torch.device("cpu"))
    with tqdm(disable=True) as bar:
        trainer.run_epoch(bar)
        trainer.run_epoch(bar)
    result = trainer.result()
    again = trainer.result()
    assert again.parameters.digest == result.parameters.digest
    images = trainer.held_images.permute(0, 2, 3, 1).numpy()
    labels = trainer.held_labels.numpy()
    for width in (1, 2, 3):
        there, used = config.at(width), result.parameters.at(width)
        right = int((classify(network(there, used, images)) == labels).sum())
        assert right > 0.3 * len(labels), width
        if width == 3:
            assert (right, len(labels)) == (result.correct, result.count)
    # As if they had been estimated before the export.
    before = result.parameters.layers[0].coarser[0]
    trainer.network.reestimate(trainer.images.split(100)[: recipe.statistics])
    after = fold(trainer.network).layers[0].coarser[0]
    for mine, theirs in zip(before.parts, after.parts, strict=True):
        assert (mine == theirs).all()
