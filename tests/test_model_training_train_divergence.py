"""A training whose numbers run away keeps what was before."""

import dataclasses

import numpy as np
import pytest
import torch
from tqdm import tqdm

from kakure.model.datasets.recipe import FASTEST
from kakure.model.training.trainer import Trainer
from tests.small_training import CPU, RECIPE, bars, config, run


@pytest.mark.parametrize("rate", [1e29, FASTEST])
def test_a_training_that_diverges_at_once_keeps_what_was_before_it(rate):
    result = run(recipe=dataclasses.replace(RECIPE, learning_rate=rate))
    first = result.warnings[0]
    assert first.startswith("diverged in epoch 1; epoch 0 is kept; try a learning rate below 1e+")
    assert result.epoch == 0 and np.isfinite(result.loss)
    for layer, before in zip(
        result.parameters.layers,
        Trainer(config(), bars(), RECIPE, seed=1, device=CPU).network.layers,
        strict=True,
    ):
        assert (layer.mask == before.weights.masks[0].numpy()).all()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_training_that_diverges_later_keeps_the_best_epoch_before(tmp_path, monkeypatch, value):
    path = tmp_path / "run.pt"
    run_epoch = Trainer.run_epoch

    def spoilt(self, bar):
        if self.epoch == 2:
            with torch.no_grad():
                self.network.layers[0].norm.weight[0] = value
        run_epoch(self, bar)

    monkeypatch.setattr(Trainer, "run_epoch", spoilt)
    result = run(path)
    assert result.epoch in (1, 2) and result.warnings[0].startswith("diverged in epoch 3; epoch ")
    trainer = Trainer(config(), bars(), RECIPE, seed=1, device=CPU)
    trainer.load(path)
    assert trainer.epoch == 2  # what diverged is not what a later command goes on from


def test_a_training_on_all_images_that_diverges_estimates_what_it_keeps():
    recipe = dataclasses.replace(RECIPE, validation=0)
    trainer = Trainer(config(), bars(), recipe, seed=1, device=CPU)
    trainer.run_epoch(tqdm(disable=True))
    masks = [layer.weights.masks[0] for layer in trainer.network.layers]
    with torch.no_grad():
        trainer.network.layers[0].norm.weight[0] = float("nan")
    trainer.run_epoch(tqdm(disable=True))
    assert trainer.is_diverged and trainer.best["epoch"] == 1
    kept = trainer.best["state"]
    trainer.network.load_state_dict(kept)
    assert all(
        (layer.weights.masks[0] == mask).all()
        for layer, mask in zip(trainer.network.layers, masks, strict=True)
    )
    trainer.reestimate()  # of the same masks: nothing changes
    for name, value in trainer.network.state_dict().items():
        assert torch.equal(value, kept[name]), name


def test_a_loss_that_rises_is_called_divergence(monkeypatch):
    trainer = Trainer(config(), bars(), RECIPE, seed=1, device=CPU)
    trainer.run_epoch(tqdm(disable=True))
    trainer.history.append(trainer.history[0] | {"train_loss": 50.0})
    assert trainer.result().warnings[0].startswith("diverged: the loss rose from ")
    trainer.history[-1]["train_loss"] = 0.5
    assert not [line for line in trainer.result().warnings if "diverged" in line]


@pytest.mark.parametrize("changes", [{"norm_rate": 1e36}, {"gamma": 1e6}])
@pytest.mark.parametrize("method", ["edge-popup", "float"])
@pytest.mark.parametrize("validation", [0, 4])
def test_a_loss_far_beyond_guessing_is_said_after_one_epoch(changes, method, validation):
    recipe = dataclasses.replace(RECIPE, epochs=1, method=method, validation=validation, **changes)
    trainer = Trainer(config(), bars(), recipe, seed=1, device=CPU)
    trainer.run_epoch(tqdm(disable=True))
    warnings = trainer.warnings(trainer.best["correct"], trainer.best["loss"])
    assert "far beyond the 2.303 of guessing" in warnings[0] or "diverged in" in warnings[0]


@pytest.mark.parametrize("changes", [{"norm_rate": FASTEST}, {"optimizer": "muon"}, {}])
def test_the_largest_rates_diverge_without_an_overflow(changes):
    recipe = dataclasses.replace(RECIPE, learning_rate=FASTEST, **changes)
    assert run(recipe=recipe).warnings[0].startswith("diverged in epoch ")
