"""What is trained with: some of the images, more of them, and how that is written down."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from kakure.model.config.config import load_config
from kakure.model.datasets.digits import DIGITS
from kakure.model.datasets.recipe import Recipe
from kakure.model.errors import UserError
from kakure.model.files.shipped import CONFIGS
from kakure.model.generative import images as generative
from kakure.model.parameters.parameters_file import load_parameters
from kakure.model.provenance import array_digest
from kakure.model.reduction.table import SELECTIONS
from kakure.model.training import training_set as module
from kakure.model.training.recipe import held_out
from kakure.model.training.trainer import Trainer
from kakure.model.training.training_set import training_set
from kakure.search.commands.kakure import main

CPU = torch.device("cpu")
CONFIG = load_config(CONFIGS / "digits.json")
RECIPE = Recipe(epochs=1, batch_size=32, validation=7)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """A generator that learns for three steps."""
    learn = generative.learn_generator
    monkeypatch.setattr(module, "learn_generator", lambda *a, **k: learn(*a, **k, steps=3))


def digits(count=200):
    return DIGITS.load(Path(), "train").take(np.arange(count))


def chosen(**values):
    recipe = dataclasses.replace(RECIPE, **values)
    return training_set(digits(), recipe, classes=10, seed=3)


def test_all_images_are_the_default():
    found = chosen(select="k-centre")
    assert found.made == {}
    assert (found.data.images == digits().images).all() and len(found.index) == 200


@pytest.mark.parametrize("name", SELECTIONS)
def test_some_are_kept(name):
    found = chosen(keep=0.25, select=name)
    index = SELECTIONS[name](digits(), 50, 3)
    assert (found.index == index).all()
    assert (found.data.images == digits().images[index]).all()
    assert (found.data.labels == digits().labels[index]).all()
    assert found.made == {"selection": f"{name}, 50 of 200, {array_digest(index)}"}


def test_more_are_generated_from_those_that_are_kept():
    found = chosen(keep=0.5, generated=1.5)
    assert len(found.data) == 100 + 150 and len(found.index) == 100
    real, more = found.data.take(np.arange(100)), found.data.take(np.arange(100, 250))
    assert (real.images == digits().images[found.index]).all()
    again = generative.learn_generator(real, classes=10, seed=3, steps=3)
    assert (generative.generate(again, real, 150, 3).images == more.images).all()
    digest = array_digest(more.images, more.labels)
    assert found.made["generated"] == f"150 by a generator that learnt from 100, {digest}"


def test_held_out_images_take_no_part():
    recipe = dataclasses.replace(RECIPE, keep=0.3, select="support-vectors", generated=1.0)
    trainer = Trainer(CONFIG, digits(), recipe, seed=3, device=CPU)
    is_held = held_out(digits().labels, recipe)
    others = digits().take(np.flatnonzero(~is_held))
    expected = training_set(others, recipe, classes=10, seed=3)
    assert len(trainer.held_labels) == is_held.sum() > 0
    assert (trainer.labels.numpy() == expected.data.labels).all()
    assert (trainer.images.numpy()[:, 0] == expected.data.images[..., 0]).all()
    assert len(trainer.labels) == 2 * round(0.3 * len(others))
    assert trainer.options["training_set"] == expected.made
    assert "scikit-learn" in trainer.options["tools"]
    assert (
        "scikit-learn" not in Trainer(CONFIG, digits(), RECIPE, seed=3, device=CPU).options["tools"]
    )


def test_the_command_writes_where_its_images_came_from(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    values = ["keep=0.2", "select=herding", "generated=0.5"]
    given = [part for value in values for part in ("--with", value)]
    command = [
        "train",
        str(CONFIGS / "digits.json"),
        "--epochs",
        "1",
        "--output",
        "out.safetensors",
    ]
    assert main([*command, *given]) == 0
    assert "train digits: before, a generator learns the images" in capsys.readouterr().err
    metadata = load_parameters("out.safetensors", CONFIG).metadata
    assert metadata["selection"].startswith("herding, 246 of 1231, ")
    assert metadata["generated"].startswith("123 by a generator that learnt from 246, ")
    recipe = json.loads(metadata["recipe"])
    assert (recipe["keep"], recipe["select"], recipe["generated"]) == (0.2, "herding", 0.5)


def test_mistakes_are_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        chosen(keep=0.01)
    assert str(caught.value) == "keep: must leave at least 3 of 200 training images, not 0.01"
    command = ["train", str(CONFIGS / "digits.json"), "--with"]
    for value, message in (
        ("keep=0", "--with keep: must be above 0, not '0'"),
        ("keep=1.5", "--with keep: must be at most 1, not '1.5'"),
        ("generated=-1", "--with generated: must be at least 0, not '-1'"),
        ("select=best", "--with select: must be one of 'random', 'support-vectors', 'herding'"),
    ):
        assert main([*command, value]) == 2
        assert capsys.readouterr().err.startswith(f"error: {message}")
