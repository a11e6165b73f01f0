"""A generator's images: of the classes asked for, and more like them than others are."""

from pathlib import Path

import numpy as np
import pytest
import torch

from kakure.model.datasets.digits import DIGITS
from kakure.model.datasets.labelled import LabelledImages
from kakure.model.errors import UserError
from kakure.model.generative import images as generative
from kakure.model.generative.images import _moved, generate, learn_generator
from kakure.model.generative.networks import Critic, Generator
from kakure.model.reduction.random_choice import random_choice
from kakure.model.students.distillation import accuracy, pixels
from kakure.model.students.forest import FOREST


def digits(count=200):
    data = DIGITS.load(Path(), "train")
    return data.take(random_choice(data, count, 1))


@pytest.fixture(scope="module")
def learnt():
    torch.set_num_threads(1)
    return learn_generator(digits(), classes=10, seed=1, steps=400)


def test_what_is_made_of_digits_teaches_digits(learnt):
    """A forest that has seen generated images only knows most of the real ones."""
    made = generate(learnt, digits(), 400, 1)
    student = FOREST.classify(pixels(made.images), made.labels, 10, 0.5, 1)
    assert accuracy(student, DIGITS.load(Path(), "test")) > 0.6
    assert len(np.unique(made.images.reshape(400, -1), axis=0)) == 400  # no two alike


def test_types_and_classes(learnt):
    like = digits(50)
    made = generate(learnt, like, 100, 1)
    assert made.images.shape == (100, 8, 8, 1) and made.images.dtype == np.uint8
    assert made.images.flags.c_contiguous
    assert made.labels.dtype == np.int64
    assert (np.bincount(made.labels) == 2 * np.bincount(like.labels)).all()
    half = generate(learnt, like, 25, 1)
    assert (
        np.abs(2 * np.bincount(half.labels, minlength=10) - np.bincount(like.labels)) <= 1
    ).all()
    assert len(generate(learnt, like, 1, 1)) == 1


def test_seeds_decide_everything_and_touch_nobody_elses(learnt):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    two = [learn_generator(digits(), classes=10, seed=n, steps=2) for n in (1, 1, 2)]
    assert torch.equal(torch.rand(3), expected)
    a, b, c = (generate(one, digits(), 20, 1).images for one in two)
    assert (a == b).all() and (a != c).any()
    assert (generate(two[0], digits(), 20, 2).images != a).any()


def test_generators_follow_the_shape():
    for shape in ((8, 8, 1), (28, 20, 1), (4, 4, 3)):
        height, width, channels = shape
        images = np.zeros((3, *shape), np.uint8)
        data = LabelledImages(images, np.array([0, 1, 1]))
        made = generate(learn_generator(data, classes=2, seed=1, steps=1), data, 2, 1)
        assert made.images.shape == (2, *shape)
        critic = Critic(shape, classes=2, width=4)
        assert critic(torch.zeros(3, channels, height, width), torch.tensor([0, 1, 1])).shape == (
            3,
        )


def test_black_and_white_are_the_ends_of_the_range_that_is_learnt(monkeypatch):
    seen = []

    def noted(real, *more):
        seen.append(real)
        return batches(real, *more)

    batches = generative._batches
    monkeypatch.setattr(generative, "_batches", noted)
    images = np.zeros((4, 8, 8, 1), np.uint8)
    images[2:] = 255
    learn_generator(LabelledImages(images, np.arange(4) % 2), classes=2, seed=1, steps=1)
    assert [real.unique().tolist() for real in seen] == [[-1.0, 1.0]]


def test_moves_are_whole_pixels_on_black():
    dot = torch.full((300, 1, 16, 16), -1.0)
    dot[:, :, 8, 8] = 1.0
    moved = _moved(dot, torch.Generator().manual_seed(1))
    assert (moved.amax((1, 2, 3)) == 1).all()
    touched = (moved > 0).any(0)[0]
    assert touched[6:11, 6:11].all() and int(touched.sum()) == 25
    assert set(moved.unique().tolist()) == {-1.0, 1.0}


def test_no_singular_value_of_the_critic_grows():
    critic = Critic((8, 8, 1), classes=10, width=8).train()
    for _ in range(30):
        critic(torch.zeros(2, 1, 8, 8), torch.tensor([0, 1]))
    assert torch.linalg.matrix_norm(critic.last.weight, 2).item() == pytest.approx(1, abs=0.01)
    kernel = critic.shrink[2].weight
    assert isinstance(kernel, torch.Tensor)
    assert torch.linalg.matrix_norm(kernel.flatten(1), 2).item() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: Generator((8, 6, 1), classes=2, width=4),
            "images: must have sides that are multiples of 4 for a generator, not 8 x 6",
        ),
        (
            lambda: learn_generator(digits(1), classes=10, seed=1),
            "images: must be at least 2 for a generator, not 1",
        ),
        (
            lambda: learn_generator(digits(), classes=9, seed=1),
            "labels: must be 0 to 8, not 0 to 9",
        ),
        (
            lambda: learn_generator(digits(), classes=10, seed=1, steps=0),
            "steps: must be at least 1, not 0",
        ),
        (
            lambda: generate(Generator((8, 8, 1), classes=10, width=4), digits(), 0, 1),
            "count: must be at least 1, not 0",
        ),
    ],
)
def test_refused(call, message):
    with pytest.raises(UserError) as caught:
        call()
    assert str(caught.value) == message
