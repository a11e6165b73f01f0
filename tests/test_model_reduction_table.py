"""Every choice of training images: what all promise, and what each does."""

from pathlib import Path

import numpy as np
import pytest

from kakure.model.datasets.digits import DIGITS
from kakure.model.datasets.labelled import LabelledImages
from kakure.model.errors import UserError
from kakure.model.reduction.herding import herding
from kakure.model.reduction.k_centre import k_centre
from kakure.model.reduction.random_choice import random_choice
from kakure.model.reduction.shares import shares
from kakure.model.reduction.support_vectors import support_choice, support_vectors
from kakure.model.reduction.table import SELECTIONS
from kakure.model.students.distillation import accuracy, pixels
from kakure.model.students.svm import SVM


def digits(count):
    data = DIGITS.load(Path(), "train")
    return data.take(random_choice(data, count, 9))


def line(*values, labels=None):
    """Images of one pixel."""
    images = np.array(values, np.uint8).reshape(-1, 1, 1, 1)
    given = np.zeros(len(values)) if labels is None else labels
    return LabelledImages(images, np.asarray(given, np.int64))


@pytest.mark.parametrize("name", SELECTIONS)
@pytest.mark.parametrize("kept", [3, 150, 299, 300])
def test_as_many_as_asked_in_order_and_the_same_again(name, kept):
    data = digits(300)
    index = SELECTIONS[name](data, kept, 1)
    assert len(index) == kept and (np.diff(index) > 0).all()
    assert 0 <= index[0] and index[-1] < 300
    assert (SELECTIONS[name](data, kept, 1) == index).all()


@pytest.mark.parametrize("choose", [random_choice, herding, k_centre])
def test_each_class_has_its_share(choose):
    data = digits(300)
    labels = data.labels[choose(data, 100, 1)]
    assert shares(data.labels, 100) == dict(
        zip(*np.unique(labels, return_counts=True), strict=True)
    )


def test_what_is_drawn_depends_on_the_seed():
    data = digits(300)
    for choose in (random_choice, support_choice):
        assert (choose(data, 50, 1) != choose(data, 50, 2)).any()


def test_herding_follows_the_mean():
    """Of 0, 80, 100, 220, mean 100: 100 is nearest; with 80 the mean is 90; with 220 it is 133."""
    data = line(0, 80, 100, 220)
    assert herding(data, 1).tolist() == [2]
    assert herding(data, 2).tolist() == [1, 2]
    assert herding(data, 3).tolist() == [1, 2, 3]
    data = digits(300)
    x = pixels(data.images)

    def distance(index):
        wanted = np.stack([x[data.labels == n].mean(0) for n in range(10)])
        chosen = data.labels[index]
        return np.linalg.norm([x[index][chosen == n].mean(0) - wanted[n] for n in range(10)])

    by_lot = [distance(random_choice(data, 60, seed)) for seed in range(5)]
    assert distance(herding(data, 60)) < 0.75 * min(by_lot)


def test_k_centre_takes_the_middle_and_then_the_farthest():
    data = line(0, 10, 90, 100, 110, 250)  # mean 93.3
    assert k_centre(data, 1).tolist() == [2]
    assert k_centre(data, 2).tolist() == [2, 5]
    assert k_centre(data, 3).tolist() == [0, 2, 5]
    assert k_centre(data, 4).tolist() == [0, 2, 4, 5]
    images = digits(300)
    x = pixels(images.images)

    def radius(index):
        far = 0.0
        for n in range(10):
            centres = x[[i for i in index if images.labels[i] == n]]
            members = x[images.labels == n]
            apart = np.linalg.norm(members[:, None] - centres, axis=2)
            far = max(far, float(apart.min(1).max()))
        return far

    assert radius(k_centre(images, 60)) < min(
        radius(random_choice(images, 60, s)) for s in range(5)
    )


def test_support_vectors_decide_alone():
    """Without the other images the machine says the same."""
    data = digits(400)
    supports = support_vectors(data)
    assert 60 < len(supports) < 380
    assert (np.diff(supports) > 0).all()
    test = DIGITS.load(Path(), "test")

    def score(index):
        few = data.take(index)
        return accuracy(SVM.classify(pixels(few.images), few.labels, 10, 10.0, 1), test)

    whole = score(np.arange(400))
    assert abs(score(supports) - whole) < 0.01 and whole > 0.95


def test_support_vectors_come_first():
    data = digits(300)
    supports = support_vectors(data)
    few = support_choice(data, 40, 1)
    assert set(few) < set(supports)
    labels = dict(zip(*np.unique(data.labels[few], return_counts=True), strict=True))
    assert labels == shares(data.labels[supports], 40)
    more = support_choice(data, len(supports) + 20, 1)
    assert set(supports) < set(more)
    assert support_choice(data, len(supports), 1).tolist() == supports.tolist()


def test_a_lower_cost_leaves_more_support_vectors():
    data = digits(300)
    assert len(support_vectors(data, cost=0.05)) > 1.2 * len(support_vectors(data, cost=100.0))


def test_support_vectors_lie_at_the_border():
    data = line(0, 20, 100, 150, 230, 255, labels=[0, 0, 0, 1, 1, 1])
    assert {2, 3} <= set(support_vectors(data, cost=1000.0).tolist()) < set(range(6))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: support_vectors(line(1, 2)), "labels: must be of two classes at least, not 1"),
        (
            lambda: support_vectors(line(1, 2, labels=[0, 1]), cost=0.0),
            "cost: must be above 0, not 0.0",
        ),
        (lambda: k_centre(line(1, 2), 3), "kept: must be 1 to 2, not 3"),
        (lambda: herding(line(1, 2), 0), "kept: must be 1 to 2, not 0"),
    ],
)
def test_refused(call, message):
    with pytest.raises(UserError) as caught:
        call()
    assert str(caught.value) == message
