"""Students learn digits, from labels and from a network."""

from pathlib import Path

import numpy as np
import pytest

from kakure.model.config.config import load_config
from kakure.model.datasets.digits import DIGITS
from kakure.model.errors import UserError
from kakure.model.files.shipped import CONFIGS
from kakure.model.parameters.parameters import Parameters
from kakure.model.parameters.parameters_file import load_parameters
from kakure.model.reduction.random_choice import random_choice
from kakure.model.reference.network import network
from kakure.model.students.distillation import (
    accuracy,
    distil,
    pixels,
    soft_targets,
    teacher_logits,
)
from kakure.model.students.student import one_hot
from kakure.model.students.table import FAMILIES


def digits(split, count):
    data = DIGITS.load(Path(), split)
    return data.take(random_choice(data, count, 1))


def shipped():
    config = load_config(CONFIGS / "digits.json")
    parameters = load_parameters(CONFIGS / "digits.safetensors", config)
    return config, Parameters(parameters.layers, {**parameters.metadata, "logit_shift": "12"})


LEAST = {"SVM": 0.93, "random forest": 0.88, "boosted trees": 0.85, "linear": 0.85}
"""Of 360 test images, after 250 training images."""


@pytest.mark.parametrize("name", FAMILIES)
def test_a_student_learns_digits(name):
    family, train, test = FAMILIES[name], digits("train", 250), DIGITS.load(Path(), "test")
    x, setting = pixels(train.images), family.settings[0]
    by_labels = family.classify(x, train.labels, 10, setting, 1)
    assert accuracy(by_labels, test) > LEAST[name]
    # The same from a network that knows the right classes; labels are not given.
    logits = teacher_logits(*shipped(), train.images)
    taught = distil(family, x, logits, temperature=2.0, setting=setting, seed=1)
    assert accuracy(taught, test) > LEAST[name]
    scores = taught(pixels(test.images[:50]))
    assert scores.shape == (50, 10)
    again = distil(family, x, logits, temperature=2.0, setting=setting, seed=1)
    assert (again(pixels(test.images[:50])) == scores).all()
    wrong = distil(family, x, np.roll(logits, 1, axis=1), temperature=2.0, setting=setting, seed=1)
    assert accuracy(wrong, test) < 0.1  # the teacher alone decides


@pytest.mark.parametrize("name", FAMILIES)
def test_a_regression_comes_near_its_targets(name):
    """Soft targets are values to be reached, and not classes only."""
    family, train = FAMILIES[name], digits("train", 200)
    targets = np.random.default_rng(1).dirichlet(np.ones(3), 10)[train.labels]  # (200, 3)
    found = family.regress(pixels(train.images), targets, family.settings[0], 1)
    error = found(pixels(train.images)) - targets
    assert np.sqrt((error**2).mean()) < 0.6 * targets.std()


@pytest.mark.parametrize("name", FAMILIES)
def test_every_setting_makes_another_student(name):
    family, train = FAMILIES[name], digits("train", 150)
    x, test = pixels(train.images), pixels(digits("test", 200).images)
    targets = one_hot(train.labels, 10)
    first, last = family.settings[0], family.settings[-1]
    assert (
        family.classify(x, train.labels, 10, first, 1)(test)
        != family.classify(x, train.labels, 10, last, 1)(test)
    ).any()
    assert (
        family.regress(x, targets, first, 1)(test) != family.regress(x, targets, last, 1)(test)
    ).any()


@pytest.mark.parametrize("name", FAMILIES)
def test_a_missing_class_has_a_column(name):
    family, train = FAMILIES[name], digits("train", 200)
    some = train.take(np.flatnonzero((train.labels != 3) & (train.labels < 9)))
    x = pixels(some.images)
    scores = family.classify(x, some.labels, 10, family.settings[0], 1)(x)
    assert scores.shape == (len(some), 10)
    assert (scores[:, [3, 9]] == 0).all()
    assert (scores.argmax(1) == some.labels).mean() > 0.95


def test_a_teacher_is_the_integer_model():
    config, parameters = shipped()
    images = digits("test", 7).images
    logits = teacher_logits(config, parameters, images)
    assert (logits * 4096 == np.array(network(config, parameters, images))).all()


def test_soft_targets():
    logits = np.array([[2.0, 0.0, -4.0], [1e5, 0.0, 0.0]])
    assert soft_targets(logits, 2.0)[0] == pytest.approx(
        np.exp([1, 0, -2]) / np.exp([1, 0, -2]).sum()
    )
    assert soft_targets(logits, 1.0)[1] == pytest.approx([1, 0, 0])
    assert soft_targets(logits[:1], 1e6)[0] == pytest.approx([1 / 3] * 3, abs=1e-5)


def test_pixels_are_from_0_to_1():
    images = np.arange(12, dtype=np.uint8).reshape(2, 2, 3, 1) * 23
    assert pixels(images).tolist() == pytest.approx(np.arange(12).reshape(2, 6) * 23 / 255)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_a_temperature_is_above_0(temperature):
    with pytest.raises(UserError) as caught:
        soft_targets(np.zeros((1, 2)), temperature)
    assert str(caught.value) == f"temperature: must be above 0, not {temperature}"


def test_refused():
    family = FAMILIES["linear"]
    with pytest.raises(UserError) as caught:
        distil(family, np.zeros((3, 2)), np.zeros((2, 2)), temperature=1.0, setting=1.0, seed=1)
    assert str(caught.value) == "logits: must be 3, one for each input, not 2"
    for label in (2, -1):
        with pytest.raises(UserError) as caught:
            one_hot(np.array([0, label]), 2)
        assert str(caught.value) == f"labels: must be 0 to 1, not {label}"
