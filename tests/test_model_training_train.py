"""Training learns, and exports what the integer model was judged by."""

import dataclasses
import json

import pytest
import torch
from tqdm import tqdm

from kakure.model.datasets.recipe import METHODS
from kakure.model.errors import UserError
from kakure.model.provenance import array_digest, sources, tools
from kakure.model.reference import network as network_reference
from kakure.model.training.device import pick_device
from kakure.model.training.train import train
from kakure.model.training.trainer import Trainer
from tests.small_training import CPU, FAST, RECIPE, bars, config, run, same


def test_training_learns_and_reports_the_integer_model():
    trainer = Trainer(config(), bars(), RECIPE, seed=1, device=CPU)
    result = run(recipe=dataclasses.replace(RECIPE, epochs=8))
    assert result.count == 30 and result.correct >= 27
    images = trainer.held_images.permute(0, 2, 3, 1).numpy()
    logits = network_reference.network(config(), result.parameters, images)
    right = (network_reference.classify(logits) == trainer.held_labels.numpy()).sum()
    assert right == result.correct


def test_every_choice_together_learns(monkeypatch):
    """In bfloat16 where the processor has it; judged by the integers of the average."""
    result = run(recipe=dataclasses.replace(FAST, epochs=8, mirror=False, crop=0, cutout=0))
    assert result.count == 30 and result.correct >= 27
    trainer = Trainer(config(), bars(), FAST, seed=1, device=CPU)
    images = trainer.held_images.permute(0, 2, 3, 1).numpy()
    logits = network_reference.network(config(), result.parameters, images)
    right = (network_reference.classify(logits) == trainer.held_labels.numpy()).sum()
    assert right == result.correct


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("optimizer", ["sgd", "muon"])
def test_methods_and_optimizers_learn(method, optimizer):
    rate = {"sgd": 0.1, "muon": 0.25}[optimizer]
    if method == "agreeing" and optimizer == "sgd":
        rate = 1.0
    recipe = dataclasses.replace(RECIPE, epochs=12, shift=0.0, method=method)
    recipe = dataclasses.replace(recipe, optimizer=optimizer, learning_rate=rate, norm_rate=0.02)
    assert run(recipe=recipe).correct >= 24  # of 30


def test_without_held_out_images_the_last_epoch_is_exported(tmp_path):
    recipe = dataclasses.replace(RECIPE, validation=0)
    result = run(recipe=recipe)
    assert (result.epoch, result.correct, result.count, result.warnings) == (3, 0, 0, ())
    trainer = Trainer(config(), bars(), recipe, seed=1, device=CPU)
    assert len(trainer.labels) == 120
    with tqdm(disable=True) as bar:
        for _ in range(3):
            trainer.descend(bar)
    trainer.reestimate()
    assert all(
        (layer.mask == trained.weights.masks[0].numpy()).all()
        for layer, trained in zip(result.parameters.layers, trainer.network.layers, strict=True)
    )


def test_density_is_kept():
    for layer in run().parameters.layers:
        assert layer.mask.sum() == round(layer.mask.size * 0.5)


def test_a_seed_repeats_a_run():
    assert same(run(), run())
    assert not same(run(), run(seed=2))


def test_parameters_say_what_made_them():
    metadata = run().parameters.metadata
    assert metadata["sources"] == sources("kakure.model.training.trainer")
    assert json.loads(metadata["tools"]) == tools("numpy", "torch")
    assert metadata["images"] == array_digest(bars().images, bars().labels)


def test_too_few_images():
    with pytest.raises(UserError, match="must hold at least 3 images, not 2"):
        train(config(), bars(2), RECIPE, seed=1, device=CPU)


def test_a_training_that_learned_has_no_warnings():
    assert run(recipe=dataclasses.replace(RECIPE, epochs=8)).warnings == ()


def test_a_training_at_chance_says_so(monkeypatch):
    monkeypatch.setattr(Trainer, "validate", lambda self: (4, 2.3))
    (warning,) = run().warnings
    assert warning == ("at chance: 4 of 30 validation images right cannot be told from guessing")


def test_the_best_epoch_is_exported(monkeypatch):
    scores = iter([(20, 0.5), (25, 0.9), (25, 0.7)])
    monkeypatch.setattr(Trainer, "validate", lambda self: next(scores))
    result = run()
    assert (result.epoch, result.correct, result.loss) == (3, 25, 0.7)
    scores = iter([(25, 0.5), (25, 0.9), (20, 0.1)])
    assert run().epoch == 1


def test_statistics_are_those_of_the_masks_that_are_exported():
    trainer = Trainer(config(), bars(), RECIPE, seed=1, device=CPU)
    trainer.run_epoch(tqdm(disable=True))
    found = {name: value.clone() for name, value in trainer.network.named_buffers()}
    trainer.network.reestimate(trainer.images.split(RECIPE.batch_size))
    for name, value in trainer.network.named_buffers():
        assert torch.equal(found[name], value)


def test_a_device_that_is_not_there():
    assert pick_device("cpu") == CPU
    for name in ("tape", "meta", "cuda:99", "vulkan", "", "a\x1b" * 999):
        with pytest.raises(UserError, match="--device: must be usable here, not '") as error:
            pick_device(name)
        assert str(error.value).isprintable() and len(str(error.value)) < 350
