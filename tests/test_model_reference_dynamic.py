"""Which answer counts, when the margin decides whether more planes are looked at."""

import numpy as np
import pytest

from kakure.model.parameters.parameters import random_parameters
from kakure.model.reference.dynamic import dynamic, margins, settled
from kakure.model.reference.network import network
from tests.test_model_config_weights_bitwise import bitwise, images_for


def test_margin_is_that_of_the_two_largest():
    logits = np.array([[5, -3, 4], [7, 7, 1], [-9, -2, -9]])
    assert margins(logits).tolist() == [1, 0, 7]


def test_the_first_clear_answer_counts():
    first = np.array([[9, 0], [3, 1], [2, 2], [0, 1]])
    second = np.array([[0, 9], [5, 1], [0, 4], [6, 1]])
    third = np.array([[1, 2], [1, 3], [1, 4], [1, 5]])
    chosen, number = settled([first, second, third], 5)
    assert number.tolist() == [0, 2, 2, 1]
    assert chosen.tolist() == [[9, 0], [1, 3], [1, 4], [6, 1]]
    assert settled([first, second, third], 4)[1].tolist() == [0, 1, 1, 1]
    assert settled([first, second], 0)[1].tolist() == [0, 0, 0, 0]
    assert settled([first, second], 10**12)[1].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("schedule", [(1, 3), (1, 2, 4), (4,)])
def test_every_image_has_the_logits_of_its_own_precision(schedule):
    config = bitwise(4, "stride")
    parameters = random_parameters(config, 3)
    images = images_for(config, 40)
    first = network(config.at(schedule[0]), parameters.at(schedule[0]), images)
    threshold = int(np.median(margins(first))) + 1
    logits, width = dynamic(config, parameters, images, schedule=schedule, threshold=threshold)
    assert set(width) <= set(schedule) and (len(set(width)) > 1) == (len(schedule) > 1)
    for n, (row, used) in enumerate(zip(logits, width, strict=True)):
        alone = network(config.at(int(used)), parameters.at(int(used)), images[n : n + 1])[0]
        assert (row == alone).all()
        for earlier in schedule[: schedule.index(used)]:
            before = network(config.at(earlier), parameters.at(earlier), images[n : n + 1])
            assert margins(before)[0] < threshold
        assert used == schedule[-1] or margins(row[None])[0] >= threshold
